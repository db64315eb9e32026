// SPDX-License-Identifier: Apache-2.0
#include "mail/message_values.h"

#include "base/text.h"

#include <gmime/gmime.h>

#include <algorithm>
#include <cstdint>
#include <memory>

namespace mailtight::mail {
namespace {

constexpr std::size_t value_bytes_max = 16 * 1024; // the library's work may grow faster than a value does

template<auto Free>
struct deleter {
    template<typename T>
    void operator()(T* object) const {
        Free(object);
    }
};
using text_ptr = std::unique_ptr<char, deleter<g_free>>;
using content_type_ptr = std::unique_ptr<GMimeContentType, deleter<g_object_unref>>;
using disposition_ptr = std::unique_ptr<GMimeContentDisposition, deleter<g_object_unref>>;
using addresses_ptr = std::unique_ptr<InternetAddressList, deleter<g_object_unref>>;
using date_ptr = std::unique_ptr<GDateTime, deleter<g_date_time_unref>>;

// Once in the process, whichever thread comes first; never shut down, as other threads may still read.
void begin() {
    static const bool begun = [] {
        g_mime_init();
        return true;
    }();
    (void)begun;
}

// A C string of a value: bounded, and without the NULs that would end it early.
std::string c_text(std::string_view value) {
    std::string out(value.substr(0, value_bytes_max));
    std::ranges::replace(out, '\0', ' ');
    return out;
}

std::string or_empty(const char* text) {
    return text == nullptr ? std::string() : std::string(text);
}

bool is_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// `type/subtype` of RFC 2045 §5.1, lower case; "" where it is none.
std::string read_media_type(std::string_view value) {
    const auto text = base::trim(value.substr(0, value.find(';')));
    const auto is_token_char = [](char c) {
        return c > ' ' && c < '\x7f' &&
               std::string_view("()<>@,;:\\\"[]?=").find(c) == std::string_view::npos;
    };
    const auto ends = std::ranges::find_if_not(text, is_token_char);
    const std::string_view token(text.begin(), ends);
    const std::size_t slash = token.find('/');
    if (slash == token.npos || slash == 0 || slash + 1 == token.size() ||
        token.find('/', slash + 1) != token.npos)
        return {};
    return base::lower(token);
}

} // namespace

std::string decode_words(std::string_view value) {
    if (value.find("=?") == value.npos && (is_ascii(value) || base::is_utf8(value)))
        return std::string(value);
    begin();
    const text_ptr decoded(g_mime_utils_header_decode_text(nullptr, c_text(value).c_str()));
    std::string out = or_empty(decoded.get());
    if (value.size() > value_bytes_max)
        out += value.substr(value_bytes_max);
    return out;
}

bool content_type::is(std::string_view type) const {
    return media_type.size() > type.size() && media_type.starts_with(type) && media_type[type.size()] == '/';
}

content_type read_content_type(std::string_view value) {
    content_type out;
    out.media_type = read_media_type(value);
    if (value.find('=') == value.npos)
        return out;
    begin();
    const content_type_ptr type(g_mime_content_type_parse(nullptr, c_text(value).c_str()));
    if (!type)
        return out;
    out.boundary = or_empty(g_mime_content_type_get_parameter(type.get(), "boundary"));
    out.report_type = or_empty(g_mime_content_type_get_parameter(type.get(), "report-type"));
    out.name = or_empty(g_mime_content_type_get_parameter(type.get(), "name"));
    return out;
}

std::string read_disposition_name(std::string_view value) {
    if (value.find('=') == value.npos)
        return {};
    begin();
    const disposition_ptr disposition(g_mime_content_disposition_parse(nullptr, c_text(value).c_str()));
    if (!disposition)
        return {};
    return or_empty(g_mime_content_disposition_get_parameter(disposition.get(), "filename"));
}

std::optional<base::utc_seconds> read_mail_date(std::string_view value) {
    begin();
    const date_ptr date(g_mime_utils_header_decode_date(c_text(value).c_str()));
    if (!date)
        return std::nullopt;
    return base::utc_seconds(std::chrono::seconds(g_date_time_to_unix(date.get())));
}

std::string first_address_domain(std::string_view value) {
    begin();
    const addresses_ptr list(internet_address_list_parse(nullptr, c_text(value).c_str()));
    if (!list || internet_address_list_length(list.get()) == 0)
        return {};
    InternetAddress* first = internet_address_list_get_address(list.get(), 0);
    if (INTERNET_ADDRESS_IS_GROUP(first)) {
        auto* members = internet_address_group_get_members(INTERNET_ADDRESS_GROUP(first));
        if (members == nullptr || internet_address_list_length(members) == 0)
            return {};
        first = internet_address_list_get_address(members, 0);
    }
    if (!INTERNET_ADDRESS_IS_MAILBOX(first))
        return {};
    const auto address = or_empty(internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(first)));
    const std::size_t at = address.rfind('@');
    return at == address.npos ? std::string() : address.substr(at + 1);
}

std::string decode_quoted_printable(std::string_view text) {
    int state = 0;
    std::uint32_t save = 0;
    std::string out;
    // Decoding never lengthens; the library wants a few bytes of room for what it held back.
    out.resize_and_overwrite(text.size() + 4, [&](char* to, std::size_t) {
        return g_mime_encoding_quoted_decode_step(reinterpret_cast<const unsigned char*>(text.data()),
                                                  text.size(), reinterpret_cast<unsigned char*>(to), &state,
                                                  &save);
    });
    return out;
}

} // namespace mailtight::mail
