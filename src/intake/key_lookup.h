// SPDX-License-Identifier: Apache-2.0
// DKIM keys from the DNS: asked for once, remembered by their TTL, absences and failures too. The loop's
// thread only; what it gives may be read anywhere. The room's own.
#pragma once

#include "base/time.h"
#include "io/loop.h"
#include "io/resolver.h"
#include "mail/dkim.h"

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace mailtight::intake {

/// The answers for one mail.
class key_answers final : public mail::dkim_keys {
public:
    mail::dkim_key_answer find(std::string_view name) const override;
    void add(std::string name, mail::dkim_key_answer answer) {
        answers_.emplace_back(std::move(name), std::move(answer));
    }

private:
    std::vector<std::pair<std::string, mail::dkim_key_answer>> answers_; ///< a handful
};

class key_lookup {
public:
    key_lookup(io::loop& on, io::resolver& dns)
        : loop_(on)
        , dns_(dns) {}
    /// All names at once.
    io::task<std::shared_ptr<const key_answers>> find(std::vector<std::string> names);

private:
    struct remembered {
        mail::dkim_key_answer answer;
        io::loop::time_point until;
    };
    io::task<mail::dkim_key_answer> ask(std::string name);
    void remember(const std::string& name, const mail::dkim_key_answer& answer);

    io::loop& loop_;
    io::resolver& dns_;
    std::unordered_map<std::string, remembered> cache_;
};

} // namespace mailtight::intake
