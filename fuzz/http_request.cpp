// SPDX-License-Identifier: Apache-2.0
// The HTTP request reader on a connection that carries any bytes: however they are cut the same requests are
// read; what is read keeps the limits, and no path can leave its root.
#include "wire/http_request.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

using namespace mailtight;

namespace {

void require(bool holds) {
    if (!holds)
        std::abort();
}

constexpr wire::http_request_limits limits{2'000, 20, 3'000};

struct seen {
    std::vector<std::string> requests;
    int refused = 0;
    bool operator==(const seen&) const = default;
};

void check(const wire::http_request& request) {
    const auto& path = request.path;
    require(path == "*" || path.starts_with('/'));
    require((path + "/").find("/../") == path.npos && (path + "/").find("/./") == path.npos);
    require(path.find("//") == path.npos && path.find('\\') == path.npos);
    require(std::ranges::none_of(path, [](char c) { return static_cast<unsigned char>(c) < 0x20; }));
    require(request.body.size() <= limits.body_bytes && request.body.capacity() <= limits.body_bytes);
    require(request.fields.size() <= limits.fields);
    std::size_t head = 0;
    for (const auto& [name, value] : request.fields) {
        head += name.size() + value.size();
        require(!name.empty());
        require(std::ranges::none_of(name, [](char c) { return (c >= 'A' && c <= 'Z') || c == ' '; }));
        require(value.find_first_of(std::string_view("\r\n\0", 3)) == value.npos);
    }
    require(head <= limits.head_bytes);
    require(request.host.find_first_of(" /@\r\n") == request.host.npos);
    require(request.minor_version == 0 || !request.host.empty());
}

seen read(std::string_view bytes, std::size_t piece) {
    wire::http_request_reader reader(limits);
    seen all;
    while (!bytes.empty() && !reader.refused()) {
        auto part = bytes.substr(0, piece);
        bytes.remove_prefix(part.size());
        while (!part.empty() && !reader.refused()) {
            const auto used = reader.feed(part);
            require(used <= part.size());
            part.remove_prefix(used);
            require(used > 0 || reader.refused());
            if (!reader.complete())
                continue;
            const auto& request = reader.request();
            require(reader.head_complete());
            check(request);
            std::string text = request.method + " " + request.path + "?" + request.query + " " + request.host;
            for (const auto& [name, value] : request.fields)
                text += "\n" + name + ":" + value;
            all.requests.push_back(text + "\n\n" + request.body);
            if (!request.keep_alive)
                return all;
            reader.reset();
        }
    }
    all.refused = reader.refused();
    if (all.refused) {
        require(all.refused >= 400 && all.refused <= 505 && !reader.reason().empty());
        require(!reader.complete() && !reader.request().keep_alive && reader.request().body.empty());
    }
    return all;
}

/// Whatever an owner puts into a reply, its head has exactly its own lines.
void reply(std::string_view bytes) {
    wire::http_reply what = wire::problem(422, bytes, bytes);
    what.fields = {{"X-Any", std::string(bytes)}};
    const auto out = wire::write_reply(what, {}, 0);
    const auto head = out.substr(0, out.find("\r\n\r\n"));
    require(std::ranges::count(head, '\n') == 4 && std::ranges::count(head, '\r') == 4);
    require(out.ends_with(what.body));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto whole = read(bytes, size + 1);
    require(read(bytes, 1) == whole);
    require(read(bytes, 13) == whole);
    reply(bytes);
    return 0;
}
