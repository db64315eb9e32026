// SPDX-License-Identifier: Apache-2.0
// A resolver whose world a test builds, answer by answer: any status, any DNSSEC state, chains of CNAMEs,
// TTLs, each type and each address family by itself. It writes down what was asked, in order, and how many
// questions were open at once. A name of which nothing is said does not exist.
//
//     tests::dns_world world;
//     world.mx("example.com", {{10, "mx1.example.com"}});
//     world.addresses("mx1.example.com", {"192.0.2.1"});
//     world.tlsa("_25._tcp.mx1.example.com", {{3, 1, 1, digest}}, {.ttl = 120});
//     world.addresses("mx2.example.com", {}, tests::fails("Signature Expired"));
#pragma once

#include "io/resolver.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mailtight::tests {

/// How an answer comes.
struct dns_said {
    model::dns_status status = model::dns_status::ok; ///< ok without records is no_data
    model::dnssec security = model::dnssec::secure;
    std::uint32_t ttl = 3'600;
    std::vector<std::string> chain = {};
    std::string detail = {};
};
inline const dns_said unsigned_zone{.security = model::dnssec::insecure};
inline dns_said fails(std::string detail, model::dns_status how = model::dns_status::servfail) {
    return {.status = how, .security = model::dnssec::unknown, .ttl = 0, .detail = std::move(detail)};
}
inline const dns_said bogus{.status = model::dns_status::bogus, .security = model::dnssec::bogus, .ttl = 0};

class dns_world final : public io::resolver {
public:
    /// With a loop, every answer takes this long.
    explicit dns_world(io::loop* on = nullptr, std::chrono::milliseconds takes = std::chrono::milliseconds(1))
        : loop_(on)
        , takes_(takes) {}

    // Building the world. Saying something again replaces it.
    void mx(const std::string& name, std::vector<model::mx_record> records, dns_said how = {}) {
        mx_[name] = {std::move(records), std::move(how)};
    }
    /// Both families; the one without an address is empty in the same way.
    void addresses(const std::string& name, const std::vector<std::string>& texts, const dns_said& how = {}) {
        std::vector<std::string> v4, v6;
        for (const auto& text : texts)
            (text.contains(':') ? v6 : v4).push_back(text);
        a(name, v4, how);
        aaaa(name, v6, how);
    }
    void a(const std::string& name, const std::vector<std::string>& texts, dns_said how = {}) {
        a_[name] = {parsed(texts), std::move(how)};
    }
    void aaaa(const std::string& name, const std::vector<std::string>& texts, dns_said how = {}) {
        aaaa_[name] = {parsed(texts), std::move(how)};
    }
    void cname(const std::string& name, const std::string& target, dns_said how = {}) {
        cname_[name] = {{target}, std::move(how)};
    }
    void tlsa(const std::string& name, std::vector<model::tlsa_fact::entry> records, dns_said how = {}) {
        tlsa_[name] = {std::move(records), std::move(how)};
    }
    void txt(const std::string& name, std::vector<std::string> texts, dns_said how = {}) {
        txt_[name] = {std::move(texts), std::move(how)};
    }
    /// What is said of every other name.
    dns_said otherwise{.status = model::dns_status::nx_domain};

    /// With a loop: names that take longer.
    std::map<std::string, std::chrono::milliseconds> slow;

    std::vector<std::string> asked; ///< "MX example.com", in order; "A" stands for both families
    std::size_t most_open = 0;      ///< questions at once

    io::task<model::mx_set_fact> mx(std::string name) override {
        co_await answer_takes("MX", name);
        model::mx_set_fact fact;
        fact.records = fill(fact, "MX", name, mx_);
        co_return fact;
    }
    io::task<model::address_fact> addresses(std::string name) override {
        co_await answer_takes("A", name);
        model::address_fact fact;
        fact.addresses = fill(fact.a, "A", name, a_);
        for (const auto& address : fill(fact.aaaa, "AAAA", name, aaaa_))
            fact.addresses.push_back(address);
        co_return fact;
    }
    io::task<model::tlsa_fact> tlsa(std::string name) override {
        co_await answer_takes("TLSA", name);
        model::tlsa_fact fact;
        fact.records = fill(fact, "TLSA", name, tlsa_);
        co_return fact;
    }
    io::task<model::txt_fact> txt(std::string name) override {
        co_await answer_takes("TXT", name);
        model::txt_fact fact;
        fact.texts = fill(fact, "TXT", name, txt_);
        co_return fact;
    }
    io::task<model::dns_fact> cname(std::string name) override {
        co_await answer_takes("CNAME", name);
        model::dns_fact fact;
        fact.chain = fill(fact, "CNAME", name, cname_);
        co_return fact;
    }
    io::task<model::caa_fact> caa(std::string) override { co_return model::caa_fact{}; }
    io::task<model::ns_fact> ns(std::string) override { co_return model::ns_fact{}; }
    io::task<model::dns_fact> soa(std::string) override { co_return model::dns_fact{}; }
    std::string description() const override { return "a world that the test made"; }
    io::resolver_counters counters() const override { return {.asked = asked.size()}; }

private:
    template<class Record>
    using said_of = std::map<std::string, std::pair<std::vector<Record>, dns_said>>;

    static std::vector<base::ip_address> parsed(const std::vector<std::string>& texts) {
        std::vector<base::ip_address> out;
        for (const auto& text : texts)
            out.push_back(base::ip_address::parse(text).value());
        return out;
    }
    io::task<> answer_takes(const char* type, std::string name) {
        asked.push_back(std::string(type) + " " + name);
        most_open = std::max(most_open, ++open_);
        const auto longer = slow.find(name);
        if (loop_)
            co_await loop_->sleep_for(longer == slow.end() ? takes_ : longer->second);
        --open_;
    }
    template<class Record>
    std::vector<Record> fill(model::dns_fact& into, const char* type, const std::string& name,
                             const said_of<Record>& known) const {
        const auto found = known.find(name);
        const auto& how = found == known.end() ? otherwise : found->second.second;
        into.name = name;
        into.type = type;
        into.status = how.status;
        into.security = how.security;
        into.ttl = how.ttl;
        into.chain = how.chain;
        into.detail = how.detail;
        if (found == known.end() || how.status != model::dns_status::ok)
            return {};
        if (found->second.first.empty())
            into.status = model::dns_status::no_data;
        return found->second.first;
    }

    io::loop* loop_;
    std::chrono::milliseconds takes_;
    std::size_t open_ = 0;
    said_of<model::mx_record> mx_;
    said_of<base::ip_address> a_, aaaa_;
    said_of<std::string> cname_, txt_;
    said_of<model::tlsa_fact::entry> tlsa_;
};

} // namespace mailtight::tests
