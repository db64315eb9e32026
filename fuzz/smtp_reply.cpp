// SPDX-License-Identifier: Apache-2.0
// The SMTP reply reader and the conversation above it: any bytes, in two cuts, give the same, keep the limits
// and never bring a command that a checker must not say.
#include "base/limits.h"
#include "wire/smtp_probe.h"

#include <cstdint>
#include <cstdlib>

using namespace mailtight;
using wire::smtp_probe;

namespace {

void require(bool holds) {
    if (!holds)
        std::abort();
}

struct summary {
    std::size_t replies = 0, lines = 0, bytes = 0;
    int codes = 0;
    std::optional<wire::smtp_reply_error> error;
    bool operator==(const summary&) const = default;
};

summary read(std::string_view bytes, std::size_t piece) {
    wire::smtp_reply_reader reader;
    summary seen;
    for (; !bytes.empty() && !reader.error(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
        auto part = bytes.substr(0, piece);
        while (!part.empty() && !reader.error()) {
            part.remove_prefix(reader.feed(part));
            if (!reader.complete())
                continue;
            const auto reply = reader.take();
            ++seen.replies;
            seen.lines += reply.lines.size();
            seen.bytes += reply.text().size();
            seen.codes += reply.code;
            require(reply.code >= 200 && reply.code < 600);
            require(!reply.lines.empty() && reply.lines.size() <= base::limits::smtp_reply_lines);
            for (const auto& line : reply.lines)
                require(line.size() <= base::limits::smtp_line_bytes && line.find('\0') == line.npos);
        }
    }
    seen.error = reader.error();
    return seen;
}

/// The first byte says how the bytes are cut and where TLS completes.
void converse(std::string_view bytes) {
    smtp_probe machine("fuzz.example");
    const std::size_t piece = bytes.empty() ? 1 : static_cast<unsigned char>(bytes[0]) % 64 + 1u;
    std::string said;
    for (int steps = 0; machine.needs() != smtp_probe::need::close; ++steps) {
        require(steps < 1'000'000);
        if (machine.needs() == smtp_probe::need::send) {
            said += machine.to_send();
        } else if (machine.needs() == smtp_probe::need::handshake) {
            machine.handshake_done(bytes.empty() || bytes[0] % 2 == 0);
        } else if (bytes.empty()) {
            machine.eof();
        } else {
            machine.feed(bytes.substr(0, piece));
            bytes.remove_prefix(std::min(piece, bytes.size()));
        }
    }
    require(machine.result() != smtp_probe::outcome::open);
    require(said.size() < 200);
    require(said.find("MAIL") == said.npos && said.find("RCPT") == said.npos);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    require(read(bytes, size + 1) == read(bytes, 1));
    require(read(bytes, size + 1) == read(bytes, 13));
    converse(bytes);
    return 0;
}
