// SPDX-License-Identifier: Apache-2.0
// Every method is look_up() and a reading of the records; look_up() is cache, then a question already under
// way, then the backend.
#include "io/resolver_caching.h"

#include "base/text.h"
#include "wire/dns_name.h"

#include <algorithm>

namespace mailtight::io {

namespace {

using wire::dns_type;

/// Nothing above the root is asked, and no name has more labels than this.
constexpr int labels_max = 127;

template<class Data, class Take>
void for_each_of(const dns_lookup& lookup, Take take) {
    for (const auto& record : lookup.records)
        if (const auto* data = std::get_if<Data>(&record))
            take(*data);
}

/// The name without its first label; escapes cannot hide a dot (wire/dns_name.h writes a label's dot as
/// digits).
std::string parent_of(const std::string& name) {
    const auto dot = name.find('.');
    return dot == std::string::npos ? std::string() : name.substr(dot + 1);
}

} // namespace

caching_resolver::caching_resolver(loop& on, std::unique_ptr<dns_backend> backend, std::size_t in_flight,
                                   std::size_t cache_entries)
    : loop_(on)
    , backend_(std::move(backend))
    , cache_(cache_entries)
    , gate_(on, std::max<std::size_t>(in_flight, 1)) {}

task<std::shared_ptr<const dns_lookup>> caching_resolver::ask_once(wire::dns_question question) {
    const auto key = dns_key(question);
    if (const auto found = asking_.find(key); found != asking_.end()) {
        const auto other = found->second;
        ++counters_.cached;
        co_await other->done;
        co_return other->result;
    }
    const auto mine = std::make_shared<under_way>(loop_);
    asking_.emplace(key, mine);
    const auto permit = co_await gate_.acquire();
    ++counters_.asked;
    dns_lookup answer;
    try {
        answer = co_await backend_->ask(question);
    } catch (const std::exception& error) { // those who wait for it must not wait for ever
        answer = {};
        answer.status = model::dns_status::servfail;
        answer.detail = error.what();
    }
    if (answer.status == model::dns_status::timeout)
        ++counters_.timeouts;
    mine->result = std::make_shared<const dns_lookup>(std::move(answer));
    cache_.store(question, mine->result, loop_.now());
    asking_.erase(key);
    mine->done.set();
    co_return mine->result;
}

task<caching_resolver::outcome> caching_resolver::look_up(std::string name, dns_type type) {
    const auto canonical = wire::canonical_dns_name(name);
    if (!canonical) {
        dns_lookup refused;
        refused.status = model::dns_status::malformed;
        refused.detail = "no name that can be asked: an empty label, or too long";
        co_return outcome{std::make_shared<const dns_lookup>(std::move(refused)), 0, base::lower(name)};
    }
    const wire::dns_question question{*canonical, type};
    if (auto hit = cache_.find(question, loop_.now()); hit.lookup) {
        ++counters_.cached;
        const auto ttl = hit.lookup->ttl;
        co_return outcome{std::move(hit.lookup), ttl > hit.age ? ttl - hit.age : 0, *canonical};
    }
    auto lookup = co_await ask_once(question);
    const auto ttl = lookup->ttl;
    co_return outcome{std::move(lookup), ttl, *canonical};
}

template<class Fact>
task<std::shared_ptr<const dns_lookup>> caching_resolver::fill(Fact& into, std::string name, dns_type type) {
    auto found = co_await look_up(std::move(name), type);
    into.name = std::move(found.name);
    into.type = wire::to_string(type);
    into.status = found.lookup->status;
    into.security = found.lookup->security;
    into.ttl = found.ttl;
    into.chain = found.lookup->chain;
    into.detail = found.lookup->detail;
    co_return found.lookup;
}

task<model::txt_fact> caching_resolver::txt(std::string name) {
    model::txt_fact fact;
    const auto found = co_await fill(fact, std::move(name), dns_type::txt);
    for_each_of<wire::dns_text>(*found, [&](const auto& text) { fact.texts.push_back(text.joined); });
    co_return fact;
}

task<model::mx_set_fact> caching_resolver::mx(std::string name) {
    model::mx_set_fact fact;
    const auto found = co_await fill(fact, std::move(name), dns_type::mx);
    for_each_of<wire::dns_mx>(*found,
                              [&](const auto& mx) { fact.records.push_back({mx.preference, mx.host}); });
    std::ranges::sort(fact.records, {}, [](const auto& mx) { return std::pair(mx.preference, mx.host); });
    co_return fact;
}

task<model::address_fact> caching_resolver::addresses(std::string name) {
    model::address_fact fact;
    auto v6 = start(loop_, look_up(name, dns_type::aaaa));
    const auto v4_found = co_await fill(fact.a, name, dns_type::a);
    co_await v6.get();
    const auto v6_found = co_await fill(fact.aaaa, std::move(name), dns_type::aaaa);
    const auto take = [&](const base::ip_address& address) { fact.addresses.push_back(address); };
    for_each_of<base::ip_address>(*v4_found, take);
    for_each_of<base::ip_address>(*v6_found, take);
    co_return fact;
}

task<model::tlsa_fact> caching_resolver::tlsa(std::string name) {
    model::tlsa_fact fact;
    const auto found = co_await fill(fact, std::move(name), dns_type::tlsa);
    for_each_of<wire::dns_tlsa>(*found, [&](const auto& tlsa) {
        fact.records.push_back({tlsa.usage, tlsa.selector, tlsa.matching, tlsa.data});
    });
    co_return fact;
}

task<model::caa_fact> caching_resolver::caa(std::string name) {
    model::caa_fact fact;
    const auto found = co_await fill(fact, std::move(name), dns_type::caa);
    for_each_of<wire::dns_caa>(
        *found, [&](const auto& caa) { fact.records.push_back({caa.flags, caa.tag, caa.value}); });
    if (fact.ok())
        fact.found_at = fact.name;
    co_return fact;
}

task<model::ns_fact> caching_resolver::ns(std::string name) {
    model::ns_fact fact;
    const auto found = co_await fill(fact, std::move(name), dns_type::ns);
    for_each_of<wire::dns_target>(*found, [&](const auto& target) { fact.hosts.push_back(target.name); });
    std::ranges::sort(fact.hosts);
    co_return fact;
}

task<model::ptr_fact> caching_resolver::ptr(base::ip_address of) {
    model::ptr_fact fact;
    const auto found = co_await fill(fact, wire::reverse_name(of), dns_type::ptr);
    for_each_of<wire::dns_target>(*found, [&](const auto& target) { fact.hosts.push_back(target.name); });
    std::ranges::sort(fact.hosts);
    co_return fact;
}

task<model::dns_fact> caching_resolver::soa(std::string name) {
    model::dns_fact fact;
    auto here = std::move(name);
    for (int climbed = 0; climbed < labels_max; ++climbed) {
        fact = {};
        const auto found = co_await fill(fact, here, dns_type::soa);
        // An alias is never an apex, and what the answer tells then is about the target's zone.
        if (fact.chain.empty() && fact.ok()) {
            for_each_of<wire::dns_soa>(*found,
                                       [&](const auto& soa) { fact.ttl = std::min(fact.ttl, soa.minimum); });
            co_return fact;
        }
        if (fact.chain.empty() && fact.absent() && !found->zone.empty()) {
            fact.name = found->zone;
            fact.status = model::dns_status::ok;
            co_return fact;
        }
        if (model::is_dns_error(fact.status) || here.empty())
            co_return fact;
        here = parent_of(fact.name);
    }
    co_return fact;
}

task<model::dns_fact> caching_resolver::cname(std::string name) {
    model::dns_fact fact;
    const auto found = co_await fill(fact, std::move(name), dns_type::cname);
    for_each_of<wire::dns_target>(*found, [&](const auto& target) { fact.chain = {target.name}; });
    co_return fact;
}

void caching_resolver::forget(std::string_view name) {
    const auto canonical = wire::canonical_dns_name(name);
    if (!canonical)
        return;
    for (const auto type : {dns_type::txt, dns_type::mx, dns_type::a, dns_type::aaaa, dns_type::cname})
        cache_.forget({*canonical, type});
}

} // namespace mailtight::io
