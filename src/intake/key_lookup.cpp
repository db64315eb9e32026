// SPDX-License-Identifier: Apache-2.0
#include "intake/key_lookup.h"

#include "base/text.h"

#include <algorithm>

namespace mailtight::intake {

namespace {

using status = mail::dkim_key_answer::status;
using std::chrono::seconds;

constexpr std::size_t cache_max = 10'000;
// A key that is used for years may be withdrawn any day; a forged selector must not be asked for again and
// again.
constexpr seconds found_min{60}, found_max{3'600}, absent_min{60}, absent_max{900}, failed_for{10};

seconds lifetime(const mail::dkim_key_answer& answer) {
    const seconds ttl{answer.ttl};
    switch (answer.what) {
    case status::found:
        return std::clamp(ttl, found_min, found_max);
    case status::absent:
        return std::clamp(ttl, absent_min, absent_max);
    case status::unavailable:
        break;
    }
    return failed_for;
}

mail::dkim_key_answer answer_of(const model::txt_fact& fact) {
    mail::dkim_key_answer answer;
    answer.ttl = fact.ttl;
    if (fact.ok()) {
        answer.what = status::found;
        answer.texts = fact.texts;
    } else if (fact.absent()) {
        answer.what = status::absent;
    }
    return answer;
}

} // namespace

mail::dkim_key_answer key_answers::find(std::string_view name) const {
    for (const auto& [known, answer] : answers_)
        if (base::iequals(known, name))
            return answer;
    return {};
}

io::task<mail::dkim_key_answer> key_lookup::ask(std::string name) {
    auto fact = co_await dns_.txt(std::move(name));
    co_return answer_of(fact);
}

void key_lookup::remember(const std::string& name, const mail::dkim_key_answer& answer) {
    const auto now = loop_.now();
    if (cache_.size() >= cache_max)
        std::erase_if(cache_, [&](const auto& entry) { return entry.second.until <= now; });
    if (cache_.size() >= cache_max)
        cache_.erase(cache_.begin());
    cache_.insert_or_assign(name, remembered{answer, now + lifetime(answer)});
}

io::task<std::shared_ptr<const key_answers>> key_lookup::find(std::vector<std::string> names) {
    auto answers = std::make_shared<key_answers>();
    std::vector<std::string> unknown;
    for (auto& name : names) {
        const auto known = cache_.find(name);
        if (known != cache_.end() && known->second.until > loop_.now())
            answers->add(std::move(name), known->second.answer);
        else
            unknown.push_back(std::move(name));
    }
    if (!unknown.empty()) {
        std::vector<io::task<mail::dkim_key_answer>> asking;
        asking.reserve(unknown.size());
        for (const auto& name : unknown)
            asking.push_back(ask(name));
        auto fresh = co_await io::when_all(loop_, std::move(asking));
        for (std::size_t i = 0; i < unknown.size(); ++i) {
            remember(unknown[i], fresh[i]);
            answers->add(std::move(unknown[i]), std::move(fresh[i]));
        }
    }
    co_return std::shared_ptr<const key_answers>(std::move(answers));
}

} // namespace mailtight::intake
