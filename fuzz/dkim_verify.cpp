// SPDX-License-Identifier: Apache-2.0
// A key record, NUL, a message: each signature gets a verdict and, where it is no pass, a reason; how the
// lines end changes nothing.
#include "mail/dkim.h"

#include <cstdint>
#include <cstdlib>
#include <string>

namespace mail = mailtight::mail;
namespace base = mailtight::base;

namespace {

void must(bool holds) {
    if (!holds)
        std::abort();
}

class one_key final : public mail::dkim_keys {
public:
    explicit one_key(std::string_view record)
        : record_(record) {}
    mail::dkim_key_answer find(std::string_view name) const override {
        must(name.find("._domainkey.") != name.npos && name.size() <= 253);
        return {mail::dkim_key_answer::status::found, {record_}, 60};
    }

private:
    std::string record_;
};

std::string with_crlf(std::string_view message) {
    std::string out;
    for (std::size_t i = 0; i < message.size(); ++i) {
        if (message[i] == '\n' && (i == 0 || message[i - 1] != '\r'))
            out += '\r';
        out += message[i];
    }
    return out;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static mail::dkim_key_cache cache(4);
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto nul = bytes.find('\0');
    const one_key keys(bytes.substr(0, nul));
    const auto message = nul == bytes.npos ? std::string_view() : bytes.substr(nul + 1);
    const base::utc_seconds now{std::chrono::seconds(1'528'640'000)};

    const auto verdict = verify_dkim(message, keys, now, cache);
    const auto other = verify_dkim(with_crlf(message), keys, now, cache);
    must(verdict.signatures.size() <= mail::dkim_options{}.signatures_max);
    must(verdict.signatures.size() == other.signatures.size());
    must(mail::dkim_key_names(message).size() <= verdict.signatures.size());
    for (std::size_t i = 0; i < verdict.signatures.size(); ++i) {
        const auto& one = verdict.signatures[i];
        must(one.result != mail::dkim_result::none);
        must((one.result == mail::dkim_result::pass) == one.reason.empty());
        must(!(one.uses_length && one.result == mail::dkim_result::pass));
        must(one.result == other.signatures[i].result && one.domain == other.signatures[i].domain);
        must(one.result != mail::dkim_result::pass || mail::dkim_aligned(one.domain, one.domain));
    }
    return 0;
}
