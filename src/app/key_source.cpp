// SPDX-License-Identifier: Apache-2.0
#include "app/key_source.h"

#include "app/typed.h"

#include <utility>

namespace mailtight::app {

namespace {

constexpr std::size_t key_file_bytes = 4 * 1024 * 1024;
constexpr std::size_t keys_kept = 100'000; // one small text each; beyond it the table begins anew

class key_file_resolver final : public io::resolver {
public:
    key_file_resolver(io::resolver& real, intake::key_file keys)
        : real_(real)
        , keys_(std::move(keys)) {}

    io::task<model::txt_fact> txt(std::string name) override {
        if (name.find("._domainkey.") == std::string::npos)
            co_return co_await real_.txt(std::move(name));
        model::txt_fact fact;
        const auto answer = keys_.find(name);
        fact.name = std::move(name);
        fact.type = "TXT";
        fact.texts = answer.texts;
        switch (answer.what) {
        case mail::dkim_key_answer::status::found:
            fact.status = model::dns_status::ok;
            break;
        case mail::dkim_key_answer::status::absent:
            fact.status = model::dns_status::nx_domain;
            break;
        case mail::dkim_key_answer::status::unavailable:
            fact.status = model::dns_status::servfail;
            fact.detail = "not in the file of keys";
            break;
        }
        co_return fact;
    }
    io::task<model::mx_set_fact> mx(std::string name) override { return real_.mx(std::move(name)); }
    io::task<model::address_fact> addresses(std::string name) override {
        return real_.addresses(std::move(name));
    }
    io::task<model::tlsa_fact> tlsa(std::string name) override { return real_.tlsa(std::move(name)); }
    io::task<model::caa_fact> caa(std::string name) override { return real_.caa(std::move(name)); }
    io::task<model::ns_fact> ns(std::string name) override { return real_.ns(std::move(name)); }
    io::task<model::dns_fact> soa(std::string name) override { return real_.soa(std::move(name)); }
    io::task<model::dns_fact> cname(std::string name) override { return real_.cname(std::move(name)); }
    io::task<model::ptr_fact> ptr(base::ip_address of) override { return real_.ptr(of); }
    std::string description() const override { return real_.description() + ", DKIM keys from a file"; }
    io::resolver_counters counters() const override { return real_.counters(); }

private:
    io::resolver& real_;
    intake::key_file keys_;
};

} // namespace

std::unique_ptr<io::resolver> with_key_file(io::resolver& real, intake::key_file keys) {
    return std::make_unique<key_file_resolver>(real, std::move(keys));
}

std::expected<std::unique_ptr<io::resolver>, std::string> with_key_file(io::resolver& real,
                                                                        const std::string& file) {
    auto text = read_bytes(file, key_file_bytes);
    if (!text)
        return std::unexpected(text.error());
    auto keys = intake::key_file::parse(*text);
    if (!keys)
        return std::unexpected(file + ": " + keys.error());
    return with_key_file(real, std::move(*keys));
}

io::task<> looked_up_keys::look_up(io::loop& on, io::resolver& dns, std::vector<std::string> names) {
    if (known_.size() > keys_kept)
        known_.clear();
    std::vector<std::pair<std::string, io::started<model::txt_fact>>> asked;
    for (auto& name : names)
        if (!known_.contains(name))
            asked.emplace_back(name, io::start(on, dns.txt(name)));
    for (auto& [name, pending] : asked) {
        const auto fact = co_await pending.get();
        using status = mail::dkim_key_answer::status;
        known_[name] = {.what = fact.ok()       ? status::found
                                : fact.absent() ? status::absent
                                                : status::unavailable,
                        .texts = fact.texts,
                        .ttl = fact.ttl};
    }
}

mail::dkim_key_answer looked_up_keys::find(std::string_view name) const {
    const auto found = known_.find(name);
    return found == known_.end() ? mail::dkim_key_answer{} : found->second;
}

} // namespace mailtight::app
