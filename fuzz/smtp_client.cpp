// SPDX-License-Identifier: Apache-2.0
// The SMTP and LMTP client under any server: it always ends in an outcome, says only whole lines and little,
// and tells no password without TLS. The first byte chooses the options; the rest comes a line at a time, or
// all at once.
#include "wire/smtp_client.h"

#include <cstdint>
#include <cstdlib>
#include <string>

using namespace mailtight;
using wire::smtp_client_step;

namespace {

void require(bool holds) {
    if (!holds)
        std::abort();
}

void converse(std::string_view bytes, unsigned choice, bool whole) {
    wire::smtp_client_options options;
    options.helo = "fuzz.example";
    options.lmtp = (choice & 1) != 0;
    options.start_tls = (choice & 2) != 0;
    if ((choice & 4) != 0) {
        options.user = "user";
        options.password = "secret";
    }
    wire::smtp_client client(options, {"a@b", {"c@d", "e@f"}, ".dot\r\nline\r\n"});
    std::string said;
    bool tls = false;
    for (int steps = 0;; ++steps) {
        require(steps < 1'000'000);
        const auto step = client.step();
        if (step == smtp_client_step::done)
            break;
        if (step == smtp_client_step::send) {
            const auto out = client.output();
            require(out.ends_with("\r\n") && out.find('\0') == out.npos);
            said += out;
        } else if (step == smtp_client_step::start_tls && (choice & 8) != 0) {
            tls = true;
            client.tls_started();
        } else if (step == smtp_client_step::start_tls && (choice & 16) != 0) {
            client.tls_failed();
        } else if (bytes.empty()) {
            client.connection_lost("the end");
        } else {
            const auto end = bytes.find('\n');
            const auto part = whole || end == bytes.npos ? bytes : bytes.substr(0, end + 1);
            client.feed(part);
            bytes.remove_prefix(part.size());
        }
    }
    const auto& outcome = client.outcome();
    require(!outcome.stage.empty());
    require(!(outcome.accepted && outcome.temporary));
    require(outcome.code == 0 || (outcome.code >= 200 && outcome.code < 600));
    require(outcome.text.size() < 5'000 && outcome.refused.size() <= 2);
    require(said.size() < 2'000);
    const bool sent = said.find("..dot\r\nline\r\n.\r\n") != said.npos;
    require(sent || !outcome.accepted);
    // "AHVzZXIAc2VjcmV0" is the response of PLAIN, "c2VjcmV0" the password of LOGIN.
    require(tls || (said.find("AHVzZXIAc2VjcmV0") == said.npos && said.find("c2VjcmV0") == said.npos));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0)
        return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    converse(bytes, data[0], false);
    converse(bytes, data[0], true);
    return 0;
}
