// SPDX-License-Identifier: Apache-2.0
// Can the reports arrive? Each rua: a mail domain that takes mail, or an https host that answers. Nothing is
// sent.
#include "base/text.h"
#include "observe/state.h"
#include "tlsrpt/record.h"

#include <charconv>
#include <ranges>

namespace mailtight::observe {

namespace {

/// The port written in `https://host:port/…`, else 443 (or the port of the test world).
std::uint16_t port_of(std::string_view uri, std::uint16_t otherwise) {
    const auto begin = uri.find("://");
    if (begin == std::string_view::npos)
        return otherwise;
    auto authority = uri.substr(begin + 3);
    authority = authority.substr(0, authority.find_first_of("/?#"));
    const auto colon = authority.rfind(':');
    if (colon == std::string_view::npos || authority.ends_with(']'))
        return otherwise;
    std::uint16_t port = 0;
    const auto* end = authority.data() + authority.size();
    auto [stop, error] = std::from_chars(authority.data() + colon + 1, end, port);
    return error == std::errc{} && stop == end && port != 0 ? port : otherwise;
}

io::task<model::rua_fact> look_at_one(observer::state& with, tlsrpt::report_uri uri) {
    model::rua_fact fact;
    fact.uri = uri.text;
    using scheme = tlsrpt::report_uri::scheme_type;
    if (uri.scheme == scheme::mailto && !uri.host.empty()) {
        fact.mailto = true;
        fact.mx = co_await with.dns.mx(uri.host);
        if (fact.mx.absent())
            fact.addresses = co_await with.dns.addresses(uri.host);
    } else if (uri.scheme == scheme::https && !uri.host.empty()) {
        fact.addresses = co_await with.dns.addresses(uri.host);
        if (!with.options.https)
            co_return fact;
        constexpr std::size_t tried = 8; // one after the other: one that answers is enough
        for (const auto& address : fact.addresses.addresses | std::views::take(tried)) {
            auto reach = co_await probe::reach_https(with.probe, uri.host, address,
                                                     port_of(uri.text, with.probe.options.https_port));
            const bool better = fact.connect != model::connect_outcome::connected;
            if (better) {
                fact.connect = reach.connect;
                fact.tls = std::move(reach.tls);
                fact.detail = std::move(reach.detail);
            }
            if (fact.connect == model::connect_outcome::connected && fact.tls.completed())
                break;
        }
    }
    co_return fact;
}

} // namespace

io::task<bool> look_at_report_addresses(observer::state& with, model::observation& seen) {
    if (!with.options.pitfalls || !seen.tlsrpt_txt.ok())
        co_return false;
    auto judged = tlsrpt::judge_rrset(seen.tlsrpt_txt.texts);
    if (!judged.judgement.value)
        co_return false;
    std::vector<io::task<model::rua_fact>> work;
    constexpr std::size_t looked_at = 10;
    for (const auto& uri : judged.judgement.value->rua)
        if (work.size() < looked_at)
            work.push_back(look_at_one(with, uri));
    seen.rua = co_await io::when_all(with.loop, std::move(work));
    co_return true;
}

} // namespace mailtight::observe
