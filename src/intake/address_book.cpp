// SPDX-License-Identifier: Apache-2.0
#include "base/encode.h"
#include "base/text.h"
#include "intake/attribute.h"
#include "intake/keeper.h"

namespace mailtight::intake {

namespace {

struct address_parts {
    std::string local, domain; ///< lower case; "" where it is no address
};
address_parts split_address(std::string_view address) {
    const auto at = address.rfind('@');
    if (at == address.npos || at == 0)
        return {};
    // RFC 5321 leaves the case of a local part to the receiver: this one does not care.
    return {base::lower(address.substr(0, at)), domain_from(address.substr(at + 1))};
}

constexpr std::size_t address_max = 320, token_max = 128;

} // namespace

address_book::address_book(std::vector<std::string> mailboxes)
    : mailboxes_(std::move(mailboxes)) {}

void address_book::set_domains(std::vector<store::own_domain> domains) {
    domains_ = std::move(domains);
    by_digest_.clear();
    for (std::size_t i = 0; i < domains_.size(); ++i)
        if (!domains_[i].token.empty())
            by_digest_.emplace(base::sha256(base::lower(domains_[i].token)), i);
}

std::optional<address_book::entry> address_book::token(std::string_view token) const {
    if (token.empty() || token.size() > token_max)
        return std::nullopt;
    const auto found = by_digest_.find(base::sha256(base::lower(token)));
    if (found == by_digest_.end())
        return std::nullopt;
    return entry{domains_[found->second].name};
}

std::optional<address_book::entry> address_book::recipient(std::string_view address) const {
    if (address.size() > address_max)
        return std::nullopt;
    const auto wanted = split_address(address);
    if (wanted.domain.empty())
        return std::nullopt;
    for (const auto& mailbox : mailboxes_) {
        const auto own = split_address(mailbox);
        if (own.domain != wanted.domain || !wanted.local.starts_with(own.local))
            continue;
        const auto rest = std::string_view(wanted.local).substr(own.local.size());
        if (rest.empty())
            return entry{};
        if (rest.front() == '+' || rest.front() == '-')
            if (auto known = token(rest.substr(1)))
                return known;
    }
    return std::nullopt;
}

std::string address_book::mail_address(std::string_view domain) const {
    if (mailboxes_.empty())
        return "";
    const auto& mailbox = mailboxes_.front();
    const auto at = mailbox.rfind('@');
    for (const auto& own : domains_)
        if (own.name == domain && at != mailbox.npos && !own.token.empty())
            return mailbox.substr(0, at) + "+" + own.token + mailbox.substr(at);
    return mailbox;
}

std::string address_book::url_path(std::string_view domain) const {
    for (const auto& own : domains_)
        if (own.name == domain && !own.token.empty())
            return "/tlsrpt/" + own.token;
    return "";
}

} // namespace mailtight::intake
