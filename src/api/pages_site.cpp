// SPDX-License-Identifier: Apache-2.0
#include "api/pages_site.h"

#include "base/text.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace mailtight::api {

namespace {

constexpr std::string_view index_path = "/index.html";

const page_file* find(std::span<const page_file> files, std::string_view path) {
    const auto at = std::ranges::lower_bound(files, path, {}, &page_file::path);
    return at != files.end() && at->path == path ? &*at : nullptr;
}

/// A page of the application is a path whose last segment is no file: "/domains/example.com" has a dot too,
/// so what decides is the first segment, under which no file of the build may lie.
bool may_be_page(std::span<const page_file> files, std::string_view path) {
    const auto first = path.substr(0, path.find('/', 1));
    if (first.starts_with("/.") || first == "/api")
        return false;
    if (first == path) // "/check"; a missing "/robots.txt" is missing
        return path.find('.') == std::string_view::npos;
    return std::ranges::none_of(files, [&](const page_file& file) {
        return file.path.starts_with(first) && file.path.substr(first.size()).starts_with('/');
    });
}

/// The weight of a coding in Accept-Encoding (RFC 9110 §12.5.3), in thousandths; nothing where it is not
/// named.
std::optional<int> weight_of(std::string_view accepts, std::string_view coding) {
    std::optional<int> others;
    for (const auto each : base::split(accepts, ',')) {
        const auto mark = each.find(';');
        const auto name = base::trim(each.substr(0, mark));
        int weight = 1000;
        if (mark != std::string_view::npos) {
            auto parameter = base::trim(each.substr(mark + 1));
            double value = 0;
            if (parameter.starts_with("q=") || parameter.starts_with("Q=")) {
                parameter.remove_prefix(2);
                const auto [stop, error] =
                    std::from_chars(parameter.data(), parameter.data() + parameter.size(), value);
                weight =
                    error == std::errc{} && value >= 0 && value <= 1 ? static_cast<int>(value * 1000) : 0;
            }
        }
        if (base::iequals(name, coding))
            return weight;
        if (name == "*")
            others = weight;
    }
    return others;
}

struct form {
    std::string_view coding, bytes; ///< coding "": as it is
};
form best_form(const page_file& file, const std::string& accepts) {
    form best{"", file.plain};
    int most = 0;
    for (const auto& [coding, bytes] : {form{"br", file.brotli}, form{"gzip", file.gzip}}) {
        const int weight = bytes.empty() || accepts.empty() ? 0 : weight_of(accepts, coding).value_or(0);
        if (weight > most) {
            most = weight;
            best = {coding, bytes};
        }
    }
    return best;
}

/// Whether If-None-Match names this form (RFC 9110 §13.1.2, compared weakly).
bool is_known(std::string_view field, std::string_view etag) {
    for (auto each : base::split(field, ',')) {
        each = base::trim(each);
        if (each == "*")
            return true;
        if (each.starts_with("W/"))
            each.remove_prefix(2);
        if (each == etag)
            return true;
    }
    return false;
}

wire::http_reply answer(const page_file& file, const wire::http_request& asked) {
    const auto chosen = best_form(file, asked.field("accept-encoding"));
    // Each form has a tag of its own (RFC 9110 §8.8.3.3).
    const std::string etag =
        '"' + std::string(file.etag) + (chosen.coding.empty() ? "" : "-" + std::string(chosen.coding)) + '"';
    wire::http_reply reply;
    reply.fields = {{"ETag", etag},
                    {"Vary", "Accept-Encoding"},
                    {"Cache-Control", file.lasting ? "public, max-age=31536000, immutable" : "no-cache"}};
    if (is_known(asked.field("if-none-match"), etag)) {
        reply.status = 304;
        return reply;
    }
    if (!chosen.coding.empty())
        reply.fields.emplace_back("Content-Encoding", chosen.coding);
    reply.media_type = file.media_type;
    reply.body = chosen.bytes;
    return reply;
}

wire::http_reply serve(std::span<const page_file> files, const wire::http_request& asked) {
    if (asked.method != "GET" && asked.method != "HEAD") {
        auto reply = wire::problem(405, "", "pages know GET and HEAD");
        reply.fields.emplace_back("Allow", "GET, HEAD");
        return reply;
    }
    const auto* file = find(files, asked.path == "/" ? index_path : std::string_view(asked.path));
    if (!file && may_be_page(files, asked.path))
        file = find(files, index_path);
    if (!file)
        return wire::problem(404, "", "there is no such file");
    return answer(*file, asked);
}

} // namespace

std::vector<std::pair<std::string, std::string>> protecting_fields() {
    return {
        {"Content-Security-Policy",
         "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
         "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"},
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
        {"Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"}};
}

std::vector<std::pair<std::string, std::string>> protecting_tls_fields() {
    return {{"Strict-Transport-Security", "max-age=31536000"}};
}

io::http_site make_pages_site(std::span<const page_file> files, std::vector<std::string> hosts) {
    io::http_site site;
    site.name = "pages";
    site.hosts = std::move(hosts);
    site.body_bytes = 0;
    site.handle = [files](io::http_exchange asked) -> io::task<wire::http_reply> {
        co_return serve(files, asked.request);
    };
    return site;
}

} // namespace mailtight::api
