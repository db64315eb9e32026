// SPDX-License-Identifier: Apache-2.0
// An oracle: gmime's own parser of whole messages. The reader cuts a mail into parts itself, to stay linear
// and bounded on hostile bytes; on well-formed mails both find the same parts, names and bytes.
#include "base/encode.h"
#include "base/text.h"
#include "mail/message.h"

#include <fmt/format.h>
#include <gmime/gmime.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

using namespace mailtight;
using namespace mailtight::mail;

namespace {

struct leaf {
    std::string type, name, bytes;
    bool operator==(const leaf&) const = default;
};

void collect(GMimeObject* object, std::vector<leaf>& out) {
    if (GMIME_IS_MULTIPART(object)) {
        auto* multipart = GMIME_MULTIPART(object);
        for (int i = 0; i < g_mime_multipart_get_count(multipart); ++i)
            collect(g_mime_multipart_get_part(multipart, i), out);
    } else if (GMIME_IS_MESSAGE_PART(object)) {
        collect(g_mime_message_get_mime_part(g_mime_message_part_get_message(GMIME_MESSAGE_PART(object))),
                out);
    } else if (GMIME_IS_PART(object)) {
        auto* part = GMIME_PART(object);
        leaf found;
        auto* type = g_mime_object_get_content_type(object);
        char* mime = g_mime_content_type_get_mime_type(type);
        found.type = base::lower(mime);
        g_free(mime);
        if (const char* name = g_mime_part_get_filename(part))
            found.name = name;
        auto* to = g_mime_stream_mem_new();
        g_mime_data_wrapper_write_to_stream(g_mime_part_get_content(part), to);
        const auto* array = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(to));
        found.bytes.assign(reinterpret_cast<const char*>(array->data), array->len);
        g_object_unref(to);
        out.push_back(std::move(found));
    }
}

std::vector<leaf> by_gmime(const std::string& bytes) {
    g_mime_init();
    auto* from = g_mime_stream_mem_new_with_buffer(bytes.data(), bytes.size());
    auto* parser = g_mime_parser_new_with_stream(from);
    auto* parsed = g_mime_parser_construct_message(parser, nullptr);
    std::vector<leaf> out;
    collect(g_mime_message_get_mime_part(parsed), out);
    g_object_unref(parsed);
    g_object_unref(parser);
    g_object_unref(from);
    return out;
}

constexpr int levels = 4;

// Evenly, whatever the size of the case.
int drawn_below(int end) {
    return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(0, end));
}

// An entity's header and body, its parts down to `depth` more levels.
std::string entity(int depth, int& number, const std::string& eol) {
    const int kind = depth == levels ? 5 : drawn_below(depth > 0 ? 6 : 4);
    ++number;
    std::string out;
    if (kind < 4) {
        const auto bytes =
            *rc::gen::container<std::string>(rc::gen::elementOf(std::string("abc =-\x01\xfe{}\n")));
        const auto name = fmt::format("r{}.json", number);
        out += "Content-Type: " + *rc::gen::element<std::string>("text/plain", "application/tlsrpt+gzip",
                                                                 "Application/JSON; charset=utf-8");
        out +=
            *rc::gen::element<std::string>("", "; name=" + name, ";" + eol + "\tname=\"" + name + "\"",
                                           "; name*0=r; name*1=" + name.substr(1), "; name*=utf-8''" + name);
        out += eol;
        if (kind == 0)
            return out + "Content-Transfer-Encoding: base64" + eol + eol + base::base64(bytes);
        if (kind == 1)
            return out + "Content-Transfer-Encoding: quoted-printable" + eol + eol + "a=3D" + eol +
                   "b=20=" + eol + "c";
        return out + eol + fmt::format("line {}{}--not a delimiter{}- text", number, eol, eol);
    }
    if (kind == 4) {
        out += "Content-Type: message/rfc822" + eol + eol + "Subject: inside" + eol;
        return out + entity(depth - 1, number, eol);
    }
    const auto boundary = fmt::format("=_{}_b", number);
    out += "Content-Type: multipart/mixed; boundary=\"" + boundary + "\"" + eol + eol + "preamble" + eol;
    for (int i = 1 + drawn_below(4); i > 0; --i)
        out += "--" + boundary + eol + entity(depth - 1, number, eol) + eol;
    return out + "--" + boundary + "--" + eol + "epilogue";
}

RC_GTEST_PROP(MessageAndGmime, FindTheSameParts, ()) {
    int number = 0;
    const auto eol = *rc::gen::element<std::string>("\r\n", "\n");
    const auto bytes =
        "From: a@example.com" + eol + "MIME-Version: 1.0" + eol + entity(levels, number, eol) + eol;
    const auto mail = read_message(bytes);
    RC_ASSERT(mail.has_value());
    RC_ASSERT(!mail->truncated);
    std::vector<leaf> ours;
    for (const auto& part : mail->parts)
        ours.push_back({part.media_type, part.name, part.bytes});
    const auto theirs = by_gmime(bytes);
    if (ours != theirs) {
        std::string text = bytes;
        for (const auto* side : {&std::as_const(ours), &theirs})
            for (const auto& one : *side)
                text += fmt::format("\n{} [{}] [{}] {}", side == &ours ? "ours" : "gmime", one.type, one.name,
                                    base::printable(one.bytes));
        RC_FAIL(text);
    }
}

} // namespace
