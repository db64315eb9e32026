// SPDX-License-Identifier: Apache-2.0
// Debian's libopendkim as an oracle beside our DKIM: it signs, and says what it thinks of signatures. Keys
// are answered from records(), by selector.
#pragma once

#include "mail/dkim_fields.h"

// clang-format off
#define _Bool bool // the header is C
#include <opendkim/dkim.h>
#undef _Bool
// clang-format on

#include <cstdio>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>

#if __has_feature(address_sanitizer)
#include <sanitizer/lsan_interface.h>
#endif

namespace mailtight::tests {

class opendkim_oracle {
public:
    static opendkim_oracle& instance() {
        static opendkim_oracle the_one;
        return the_one;
    }
    /// Key records by selector. The library asks for them by a plain function.
    static std::map<std::string, std::string>& records() {
        static std::map<std::string, std::string> by_selector;
        return by_selector;
    }

    bool has_ed25519() const { return dkim_libfeature(library_, DKIM_FEATURE_ED25519) != 0; }

    struct identity {
        std::string domain, selector, pem;
    };
    /// The message with its signature on top.
    std::string sign(const std::string& message, identity who, bool rsa, mail::dkim_canon header,
                     mail::dkim_canon body) {
        const leaks_passed_over here;
        DKIM_STAT status = DKIM_STAT_OK;
        DKIM* dkim = dkim_sign(library_, bytes_of("test"), nullptr, bytes(who.pem), bytes(who.selector),
                               bytes(who.domain), canon(header), canon(body),
                               rsa ? DKIM_SIGN_RSASHA256 : DKIM_SIGN_ED25519SHA256, -1, &status);
        if (dkim == nullptr)
            throw std::runtime_error("dkim_sign: " + std::to_string(status));
        feed(dkim, message);
        status = dkim_eom(dkim, nullptr);
        if (status != DKIM_STAT_OK)
            throw std::runtime_error("dkim_eom: " + std::to_string(status));
        unsigned char* field = nullptr;
        std::size_t length = 0;
        status = dkim_getsighdr_d(dkim, std::strlen("DKIM-Signature: "), &field, &length);
        std::string out = "DKIM-Signature: " + std::string(reinterpret_cast<char*>(field), length);
        // The library folds by bare LF, as mail filters hand fields over.
        std::string crlf;
        for (std::size_t i = 0; i < out.size(); ++i) {
            if (out[i] == '\n' && (i == 0 || out[i - 1] != '\r'))
                crlf += '\r';
            crlf += out[i];
        }
        dkim_free(dkim);
        return crlf + "\r\n" + message;
    }

    bool verifies(const std::string& message) { return judge(message).verified; }
    /// How many signatures hold.
    int passed(const std::string& message) { return judge(message).passed; }

private:
    // The library loses every private key that it loads: no leak of ours.
#if __has_feature(address_sanitizer)
    using leaks_passed_over = __lsan::ScopedDisabler;
#else
    struct leaks_passed_over {
        leaks_passed_over() {}
    };
#endif
    struct judgement {
        bool verified = false;
        int passed = 0;
    };

    opendkim_oracle()
        : library_(dkim_init(nullptr, nullptr)) {
        dkim_set_key_lookup(library_, look_up);
    }
    ~opendkim_oracle() { dkim_close(library_); }
    opendkim_oracle(const opendkim_oracle&) = delete;
    opendkim_oracle& operator=(const opendkim_oracle&) = delete;

    static DKIM_CBSTAT look_up(DKIM*, DKIM_SIGINFO* of, u_char* to, std::size_t size) {
        const auto* selector = reinterpret_cast<const char*>(dkim_sig_getselector(of));
        const auto found = records().find(selector != nullptr ? selector : "");
        if (found == records().end())
            return DKIM_CBSTAT_NOTFOUND;
        std::snprintf(reinterpret_cast<char*>(to), size, "%s", found->second.c_str());
        return DKIM_CBSTAT_CONTINUE;
    }
    static dkim_canon_t canon(mail::dkim_canon how) {
        return how == mail::dkim_canon::simple ? DKIM_CANON_SIMPLE : DKIM_CANON_RELAXED;
    }
    static unsigned char* bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
    static const unsigned char* bytes_of(const char* text) {
        return reinterpret_cast<const unsigned char*>(text);
    }

    judgement judge(const std::string& message) {
        DKIM_STAT status = DKIM_STAT_OK;
        DKIM* dkim = dkim_verify(library_, bytes_of("test"), nullptr, &status);
        if (dkim == nullptr)
            throw std::runtime_error("dkim_verify: " + std::to_string(status));
        status = feed(dkim, message);
        if (status == DKIM_STAT_OK)
            status = dkim_eom(dkim, nullptr);
        judgement out{.verified = status == DKIM_STAT_OK};
        DKIM_SIGINFO** signatures = nullptr;
        int count = 0;
        if (dkim_getsiglist(dkim, &signatures, &count) == DKIM_STAT_OK)
            for (int i = 0; i < count; ++i)
                if ((dkim_sig_getflags(signatures[i]) & DKIM_SIGFLAG_PASSED) != 0 &&
                    dkim_sig_getbh(signatures[i]) == DKIM_SIGBH_MATCH)
                    ++out.passed;
        dkim_free(dkim);
        return out;
    }

    static DKIM_STAT feed(DKIM* dkim, const std::string& message) {
        const auto end = message.find("\r\n\r\n");
        std::size_t at = 0;
        while (at < end) {
            std::size_t next = message.find("\r\n", at);
            while (next < end && (message[next + 2] == ' ' || message[next + 2] == '\t'))
                next = message.find("\r\n", next + 2);
            auto field = message.substr(at, next - at);
            if (const auto status = dkim_header(dkim, bytes(field), field.size()); status != DKIM_STAT_OK)
                return status;
            at = next + 2;
        }
        if (const auto status = dkim_eoh(dkim); status != DKIM_STAT_OK)
            return status;
        auto body = message.substr(end + 4);
        return body.empty() ? DKIM_STAT_OK : dkim_body(dkim, bytes(body), body.size());
    }

    DKIM_LIB* library_;
};

} // namespace mailtight::tests
