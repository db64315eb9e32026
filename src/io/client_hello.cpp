// SPDX-License-Identifier: Apache-2.0
#include "io/client_hello.h"

#include "base/encode.h"
#include "base/limits.h"
#include "base/text.h"

#include <algorithm>

namespace mailtight::io {

namespace {

std::string_view extension(SSL* ssl, unsigned type) {
    const unsigned char* bytes = nullptr;
    std::size_t size = 0;
    if (SSL_client_hello_get0_ext(ssl, type, &bytes, &size) != 1)
        return {};
    return {reinterpret_cast<const char*>(bytes), size};
}

/// Takes a value behind its length of so many bytes; false where the bytes end before.
bool take_counted(std::string_view& from, std::size_t length_bytes, std::string_view& value) {
    if (from.size() < length_bytes)
        return false;
    std::size_t size = 0;
    for (std::size_t i = 0; i < length_bytes; ++i)
        size = size << 8U | static_cast<unsigned char>(from[i]);
    if (from.size() - length_bytes < size)
        return false;
    value = from.substr(length_bytes, size);
    from.remove_prefix(length_bytes + size);
    return true;
}

/// RFC 6066 §3: one entry of the kind host_name.
std::string_view sent_name(std::string_view bytes) {
    std::string_view list, name;
    if (!take_counted(bytes, 2, list) || !list.starts_with('\0'))
        return {};
    list.remove_prefix(1);
    return take_counted(list, 2, name) ? name : std::string_view{};
}

} // namespace

client_hello read_client_hello(SSL* ssl) {
    client_hello said;
    auto name = sent_name(extension(ssl, TLSEXT_TYPE_server_name));
    if (name.ends_with('.'))
        name.remove_suffix(1);
    const bool plausible = name.size() <= base::limits::dns_name_text_max &&
                           std::ranges::all_of(name, [](char c) { return c > 0x20 && c < 0x7f; });
    if (plausible)
        said.server_name = base::lower(name);
    auto offered = extension(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation);
    std::string_view list, protocol;
    said.acme = take_counted(offered, 2, list) && take_counted(list, 1, protocol) && list.empty() &&
                protocol == "acme-tls/1";
    return said;
}

bool bind_sessions(SSL* ssl, std::string_view server_name) {
    std::string id(server_name);
    if (id.size() >= SSL_MAX_SID_CTX_LENGTH)
        id = base::sha256(id);
    return SSL_set_session_id_context(ssl, reinterpret_cast<const unsigned char*>(id.data()),
                                      static_cast<unsigned>(id.size())) == 1;
}

bool select_protocol(std::string_view wanted, const unsigned char** out, unsigned char* out_size,
                     const unsigned char* in, unsigned in_size) {
    for (unsigned at = 0; at < in_size; at += 1U + in[at]) {
        const unsigned size = in[at];
        if (at + 1 + size > in_size)
            break;
        if (std::string_view(reinterpret_cast<const char*>(in + at + 1), size) == wanted) {
            *out = in + at + 1;
            *out_size = in[at];
            return true;
        }
    }
    return false;
}

} // namespace mailtight::io
