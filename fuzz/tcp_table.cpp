// SPDX-License-Identifier: Apache-2.0
// tcp_table from any bytes: a key asked for is read as it was, no text makes a second line or breaks the
// client's limit, and decoding never yields more than there was.
#include "wire/tcp_table.h"

#include <cstdint>
#include <cstdlib>

using namespace mailtight;

namespace {

void require(bool holds) {
    if (!holds)
        std::abort();
}

/// The text of a reply as the client decodes it.
std::string decoded(std::string_view reply) {
    require(reply.size() <= wire::tcp_table_line && reply.size() > 4);
    require(reply.find('\n') == reply.size() - 1 && reply[3] == ' ');
    const auto text = wire::percent_decode(reply.substr(4, reply.size() - 5));
    require(text.has_value());
    return *text;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using kind = wire::tcp_table_request::kind;
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto asked = wire::read_tcp_table_request(bytes);
    require(asked.key.empty() == (asked.what == kind::broken));
    require(asked.key.size() <= bytes.size());
    if (const auto text = wire::percent_decode(bytes))
        require(text->size() <= bytes.size());

    const auto reply = wire::tcp_table_reply(200, bytes);
    const auto text = decoded(reply);
    require(reply.starts_with("200 ") ? text == bytes : reply.starts_with("400 ") && size > 1'000);
    if (reply.starts_with("200 ") && size > 0) {
        const auto same = wire::read_tcp_table_request("get " + reply.substr(4, reply.size() - 5));
        require(same.what == kind::get && same.key == bytes);
    }
    return 0;
}
