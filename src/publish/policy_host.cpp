// SPDX-License-Identifier: Apache-2.0
// Policies by domain and certificates by host name, each change for itself. Certificates lie packed; those
// that are asked for stay open, and the one that was not asked for the longest makes room.
#include "publish/policy_host.h"

#include "io/packed_certificate.h"
#include "publish/http_words.h"
#include "publish/name_table.h"
#include "wire/http_head.h"

#include <fmt/format.h>

#include <list>
#include <map>

namespace mailtight::publish {

namespace {

constexpr std::string_view policy_path = "/.well-known/mta-sts.txt"; // 8461-9-a
constexpr std::string_view host_label = "mta-sts.";

/// A certificate at rest, and its place among the open ones.
struct shelf_entry {
    struct opened {
        shelf_entry* of = nullptr;
        std::shared_ptr<const io::certified_key> certificate;
    };
    io::packed_certificate packed;
    std::optional<std::list<opened>::iterator> open; ///< in state::open
};

} // namespace

struct policy_host::state {
    explicit state(policy_host_options wanted)
        : options(std::move(wanted)) {}

    struct served {
        model::publication what;
        const reply_heads* heads = nullptr;
    };
    policy_host_options options;
    name_table<served> policies; ///< by domain
    /// By length of the body: all else in them is the same. As many as there are lengths of policies.
    std::map<std::size_t, reply_heads> heads;
    io::issuer_pool issuers;
    name_table<shelf_entry> certificates; ///< by host name, `*.` kept
    std::list<shelf_entry::opened> open;  ///< the last that was asked for first
    name_table<std::shared_ptr<const io::certified_key>> challenges;
    name_table<std::string> tokens;

    std::shared_ptr<const io::certified_key> open_certificate(shelf_entry& from);
    void close_certificate(shelf_entry& one) {
        if (one.open)
            open.erase(*one.open);
        one.open.reset();
    }
    const served* policy_of(std::string_view host) const {
        if (!host.starts_with(host_label))
            return nullptr;
        const auto found = policies.find(host.substr(host_label.size()));
        return found != policies.end() ? &found->second : nullptr;
    }
};

std::shared_ptr<const io::certified_key> policy_host::state::open_certificate(shelf_entry& from) {
    if (from.open) {
        open.splice(open.begin(), open, *from.open);
        return open.front().certificate;
    }
    auto certificate = from.packed.open();
    if (!certificate)
        return nullptr;
    while (!open.empty() && open.size() >= options.parsed_certificates)
        close_certificate(*open.back().of);
    open.push_front({&from, certificate});
    from.open = open.begin();
    return certificate;
}

policy_host::policy_host(policy_host_options options)
    : state_(std::make_unique<state>(std::move(options))) {}

policy_host::~policy_host() = default;

void policy_host::put_policy(const model::publication& value) {
    if (value.body.empty()) {
        const auto found = state_->policies.find(value.domain);
        if (found != state_->policies.end())
            state_->policies.erase(found);
        return;
    }
    auto& heads = state_->heads[value.body.size()];
    if (heads.stay.empty()) {
        // No compression, no redirect, no cookie: what a sender needs and nothing else. 8461-8.2-d
        const auto more = state_->options.cache_control.empty()
                              ? std::string()
                              : fmt::format("Cache-Control: {}\r\n", state_->options.cache_control);
        heads = make_heads(200, value.body.size(), "text/plain", more);
    }
    auto& kept = state_->policies[value.domain];
    kept.what = value;
    kept.heads = &heads;
}

std::expected<void, std::string> policy_host::put_certificate(std::string_view name, std::string chain,
                                                              std::string key) {
    const auto host = name.starts_with("*.") ? "any" + std::string(name.substr(1)) : std::string(name);
    auto packed = io::packed_certificate::read(chain, key, host, state_->issuers);
    if (!packed)
        return std::unexpected(std::move(packed.error()));
    const auto found = state_->certificates.find(name);
    if (found == state_->certificates.end()) {
        state_->certificates.emplace(std::string(name), shelf_entry{std::move(*packed), {}});
        return {};
    }
    state_->close_certificate(found->second);
    found->second.packed = std::move(*packed);
    return {};
}

void policy_host::drop_certificate(std::string_view name) {
    const auto found = state_->certificates.find(name);
    if (found == state_->certificates.end())
        return;
    state_->close_certificate(found->second);
    state_->certificates.erase(found);
}

void policy_host::put_challenge(std::string_view name, std::shared_ptr<const io::certified_key> certificate) {
    if (certificate)
        state_->challenges.insert_or_assign(std::string(name), std::move(certificate));
    else if (const auto found = state_->challenges.find(name); found != state_->challenges.end())
        state_->challenges.erase(found);
}

void policy_host::put_token(std::string_view token, std::string answer) {
    if (!answer.empty())
        state_->tokens.insert_or_assign(std::string(token), std::move(answer));
    else if (const auto found = state_->tokens.find(token); found != state_->tokens.end())
        state_->tokens.erase(found);
}

std::string_view policy_host::token(std::string_view token) const {
    const auto found = state_->tokens.find(token);
    return found != state_->tokens.end() ? std::string_view(found->second) : std::string_view();
}

bool policy_host::knows(std::string_view domain) const {
    return state_->policies.find(domain) != state_->policies.end();
}

std::optional<model::publication> policy_host::policy(std::string_view domain) const {
    const auto found = state_->policies.find(domain);
    if (found == state_->policies.end())
        return std::nullopt;
    return found->second.what;
}

// The certificate for the very name, a wildcard of its parent, or none: never one of another name.
std::shared_ptr<const io::certified_key> policy_host::choose(std::string_view server_name, bool acme) const {
    if (acme) {
        const auto found = state_->challenges.find(server_name);
        return found != state_->challenges.end() ? found->second : nullptr;
    }
    auto found = state_->certificates.find(server_name); // 8461-7.1-d
    if (found == state_->certificates.end()) {
        const auto dot = server_name.find('.');
        if (dot == server_name.npos || dot == 0)
            return nullptr;                                                            // 8461-7.1-e
        found = state_->certificates.find("*" + std::string(server_name.substr(dot))); // 8461-3.3-f
        if (found == state_->certificates.end())
            return nullptr;
    }
    return state_->open_certificate(found->second);
}

policy_host::reply policy_host::answer(std::string_view method, std::string_view target,
                                       std::string_view host, std::string_view server_name,
                                       bool keep_alive) const {
    const auto refuse = [&](int status) {
        const auto& made = refusal_of(status);
        const bool silent = method == "HEAD";
        return reply{made.heads.of(keep_alive), silent ? "" : std::string_view(made.body), !keep_alive,
                     status};
    };
    char room[256];
    auto name = host.empty() ? server_name : wire::host_name_of(host, room);
    if (!server_name.empty() && name != server_name)
        return refuse(421);                                                               // RFC 9110 §15.5.20
    const auto* const served = target == policy_path ? state_->policy_of(name) : nullptr; // 8461-3.2-a
    if (!served)
        return refuse(404); // 8461-3.3-h: never a redirect to somewhere else
    if (method != "GET" && method != "HEAD")
        return refuse(405);
    return {.head = served->heads->of(keep_alive),
            .body = method == "GET" ? std::string_view(served->what.body) : std::string_view(),
            .close = !keep_alive,
            .status = 200,
            .given = &served->what};
}

policy_host::sizes policy_host::size() const {
    return {state_->policies.size(), state_->certificates.size(), state_->open.size()};
}

} // namespace mailtight::publish
