// SPDX-License-Identifier: Apache-2.0
// Any bytes as a mail and as an mbox: whatever they are, what comes out stays within the limits and within
// what went in.
#include "base/text.h"
#include "mail/message.h"

#include <cstdint>
#include <cstdlib>

namespace mail = mailtight::mail;

namespace {

void must(bool holds) {
    if (!holds)
        std::abort();
}

void look_at(const mail::message& read, std::string_view bytes, const mail::message_limits& limits) {
    must(read.parts.size() <= limits.parts);
    must(!read.headers.empty());
    std::size_t decoded = 0;
    for (const auto& part : read.parts) {
        must(part.depth <= limits.depth);
        must(!part.media_type.empty() && part.media_type.find('/') != std::string::npos);
        decoded += part.bytes.size();
    }
    must(decoded <= bytes.size()); // no transfer encoding lengthens, and no byte is given twice
    for (const auto& [name, value] : read.headers) {
        must(!name.empty() && read.count(name) > 0);
        must(value.find('\n') == std::string::npos || bytes.find("=?") != bytes.npos);
    }
    read.date();
    const auto domain = read.from_domain();
    must(domain == mailtight::base::lower(domain) && domain.size() <= 253);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    for (const auto& limits :
         {mail::message_limits{},
          mail::message_limits{.bytes = 4096, .depth = 3, .parts = 5, .header_bytes = 300}}) {
        if (const auto read = mail::read_message(bytes, limits))
            look_at(*read, bytes, limits);
        else
            must(!explain(read.error()).empty());
    }
    mail::looks_like_message(bytes);
    const auto messages = mail::split_mbox(bytes);
    must(!mail::looks_like_mbox(bytes) || !messages.empty());
    std::size_t total = 0;
    for (const auto message : messages) {
        must(message.data() >= bytes.data() &&
             message.data() + message.size() <= bytes.data() + bytes.size());
        must(mail::unquote_mbox(message).size() <= message.size());
        total += message.size();
    }
    must(total <= bytes.size());
    return 0;
}
