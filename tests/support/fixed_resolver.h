// SPDX-License-Identifier: Apache-2.0
// A resolver that knows what a test tells it, and nothing else.
#pragma once

#include "io/resolver.h"

#include <map>
#include <string>
#include <vector>

namespace mailtight::tests {

class fixed_resolver : public io::resolver {
public:
    std::map<std::string, std::vector<base::ip_address>> hosts;
    std::map<std::string, std::vector<model::mx_record>> exchanges;
    std::string every_text; ///< the TXT record of every name; "" : not answered
    /// What is said of any other name.
    model::dns_status otherwise = model::dns_status::nx_domain;

    io::task<model::address_fact> addresses(std::string name) override {
        model::address_fact fact;
        const auto found = hosts.find(name);
        fact.a.status = fact.aaaa.status = found == hosts.end() ? otherwise : model::dns_status::ok;
        if (found != hosts.end())
            fact.addresses = found->second;
        co_return fact;
    }
    io::task<model::mx_set_fact> mx(std::string name) override {
        model::mx_set_fact fact;
        const auto found = exchanges.find(name);
        if (found != exchanges.end()) {
            fact.status = model::dns_status::ok;
            fact.records = found->second;
        } else {
            fact.status = hosts.contains(name) ? model::dns_status::no_data : otherwise;
        }
        co_return fact;
    }
    io::task<model::txt_fact> txt(std::string name) override {
        model::txt_fact fact;
        if (!every_text.empty()) {
            fact.status = model::dns_status::ok;
            fact.name = std::move(name);
            fact.ttl = 300;
            fact.texts = {every_text};
        }
        co_return fact;
    }
    io::task<model::tlsa_fact> tlsa(std::string) override { co_return model::tlsa_fact{}; }
    io::task<model::caa_fact> caa(std::string) override { co_return model::caa_fact{}; }
    io::task<model::ns_fact> ns(std::string) override { co_return model::ns_fact{}; }
    io::task<model::dns_fact> soa(std::string) override { co_return model::dns_fact{}; }
    io::task<model::dns_fact> cname(std::string) override { co_return model::dns_fact{}; }
    std::string description() const override { return "what the test says"; }
    io::resolver_counters counters() const override { return {}; }
};

} // namespace mailtight::tests
