// SPDX-License-Identifier: Apache-2.0
// Any bytes at the policy host: the same answers however they are cut, each a whole reply of HTTP/1.1, and a
// policy only under 200; and the heads against the reader of whole requests.
#include "publish/policy_session.h"
#include "wire/http_request.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

using namespace mailtight;

namespace {

void must(bool holds, const char* what) {
    if (holds)
        return;
    std::fprintf(stderr, "%s\n", what);
    std::abort();
}

struct fixed_clock final : base::clock {
    base::utc_seconds now() const override { return base::utc_seconds(std::chrono::seconds(1'767'225'600)); }
};
struct link final : io::request_link {
    void send(std::string_view) override {}
    void read_on() override {}
    void finish() override { finished = true; }
    bool open() const override { return !finished; }
    bool finished = false;
};

constexpr std::string_view policy = "version: STSv1\r\nmode: none\r\nmax_age: 86400\r\n";

struct world {
    world() {
        host.put_policy({.domain = "a.example", .body = std::string(policy), .id = "1"});
        host.put_token("t", "t.key");
    }
    publish::policy_host host{{}};
    publish::fetch_counter fetches{1'000};
    fixed_clock clock;
    publish::policy_sessions sessions{
        host, &fetches, clock, {.trusted_proxies = {*base::ip_network::parse("192.0.2.0/24")}}};
};
world& ours() {
    static world all;
    return all;
}

std::unique_ptr<io::request_session> begin(unsigned kind, const std::shared_ptr<link>& way) {
    io::peer from;
    from.address = io::endpoint{*base::ip_address::parse("192.0.2.1"), 1};
    const auto& make = ours().sessions;
    switch (kind) {
    case 0:
        return make.over_tls()(way, {from, "mta-sts.a.example"});
    case 1:
        return make.behind_proxy()(way, from);
    case 2:
        return make.challenges()(way, from);
    default:
        return make.ask()(way, from);
    }
}

std::string converse(unsigned kind, std::string_view bytes, std::size_t piece) {
    const auto way = std::make_shared<link>();
    const auto session = begin(kind, way);
    std::string kept, out;
    while (!bytes.empty() && !way->finished) {
        kept += bytes.substr(0, piece);
        bytes.remove_prefix(std::min(piece, bytes.size()));
        for (std::size_t used = 1; used > 0 && !kept.empty() && !way->finished;) {
            used = session->received(kept, out);
            must(used <= kept.size(), "more is used than there is");
            kept.erase(0, used);
        }
        must(kept.size() <= 16'384, "what is no request is waited for");
    }
    return out;
}

void check(std::string_view out) {
    while (!out.empty()) {
        must(out.starts_with("HTTP/1.1 "), "no status line");
        const auto end = out.find("\r\n\r\n");
        must(end != out.npos, "no end of the head");
        const auto head = out.substr(0, end + 2);
        out.remove_prefix(end + 4);
        must(head.contains("\r\nDate: ") && head.contains("\r\nContent-Length: "), "a field is missing");
        must(!head.contains("Location"), "a redirect");
        const bool good = head.starts_with("HTTP/1.1 200 ");
        const auto next = out.find("HTTP/1.1 ");
        const auto body = out.substr(0, next);
        must(good || !body.contains("STSv1"), "a policy that is none");
        out.remove_prefix(body.size());
    }
}

void compare(std::string_view bytes) {
    const auto head = wire::read_http_head(bytes);
    if (head.refused != 0 || head.size == 0)
        return;
    wire::http_request_reader whole;
    whole.feed(bytes.substr(0, head.size));
    if (!whole.head_complete())
        return; // it judges targets and encodings more strictly still
    must(whole.request().method == head.method, "another method");
    char room[256];
    if (const auto name = wire::host_name_of(head.host, room); !name.empty())
        must(whole.request().host == name, "another host");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2)
        return 0;
    const unsigned kind = data[0] % 4U;
    const std::size_t piece = data[1] % 50U + 1U;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
    const auto whole = converse(kind, bytes, std::string_view::npos);
    must(whole == converse(kind, bytes, piece), "the cut makes a difference");
    check(whole);
    compare(bytes);
    return 0;
}
