// SPDX-License-Identifier: Apache-2.0
// Whether a host may send mail for a domain by its SPF record (RFC 7208 §4), as questions and answers: the
// owner asks DNS. For our own domain and addresses, before reports go out over IPv6; so macros, which other
// people's records may need, end in `unknown`. Pure; takes any bytes; bounded.
#pragma once

#include "base/ip.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::mail {

enum class spf_result {
    pass,
    fail,      ///< `-all`, or another term with a minus
    softfail,  ///< `~`
    neutral,   ///< `?`, or nothing matched
    none,      ///< no record
    permerror, ///< more than one record, broken syntax, more than ten look-ups
    temperror, ///< DNS gave no answer
    unknown,   ///< the record needs macros
};
std::string_view to_string(spf_result r);

class spf_walk {
public:
    spf_walk(std::string domain, base::ip_address sender);

    struct question {
        enum class kind { texts, addresses, mx } what = kind::texts;
        std::string name;
        friend bool operator==(const question&, const question&) = default;
    };
    /// Nothing: result() is final.
    std::optional<question> next() const { return ask_; }
    /// The answer to next(); the wrong kind of answer counts as none. Nothing: DNS could not be asked.
    void texts_seen(const std::optional<std::vector<std::string>>& texts);
    void addresses_seen(const std::optional<std::vector<base::ip_address>>& addresses);
    void mx_seen(const std::optional<std::vector<std::string>>& hosts);
    spf_result result() const { return result_; }

private:
    /// A record that is being read; below it those that include it.
    struct frame {
        std::string domain;
        std::vector<std::string> terms;
        std::size_t at = 0;
        std::string redirect;
        char qualifier = '+'; ///< of the include that led here
    };
    void enter(std::string domain, char qualifier);
    void go_on();
    void term(const std::string& text);
    void matched(char qualifier);
    void record_over(spf_result how);
    void end(spf_result how);
    bool ask(question::kind what, std::string name);

    base::ip_address sender_;
    std::vector<frame> frames_;
    std::optional<question> ask_;
    std::vector<std::string> hosts_; ///< of an `mx` term, not looked at yet
    char pending_ = '+';             ///< the qualifier of the term that waits for an answer
    unsigned prefix_ = 128;          ///< of that term, for the sender's family
    unsigned lookups_ = 0;
    spf_result result_ = spf_result::none;
};

} // namespace mailtight::mail
