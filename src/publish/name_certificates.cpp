// SPDX-License-Identifier: Apache-2.0
#include "publish/name_certificates.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace mailtight::publish {

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::seconds lease_time = 300s, after_order = 60s, after_trouble = 600s;
constexpr std::chrono::milliseconds away = 2s;

} // namespace

/// What one look at the store brought.
struct name_certificates::seen {
    struct one {
        std::string name;
        std::optional<store::kept_certificate> certificate; ///< `chain` "" where it is the one of before
        std::string key;                                    ///< PEM
        std::string trouble;
        store::due_work work;
    };
    std::vector<one> all;
    std::vector<store::challenge_answer> answers;
};

name_certificates::name_certificates(io::loop& on, io::worker& store_thread, const base::clock& clock,
                                     const base::sealing_key& seal, std::vector<std::string> names,
                                     name_certificates_hands hands, name_certificates_options options)
    : loop_(on)
    , thread_(store_thread)
    , clock_(clock)
    , seal_(seal)
    , names_(std::move(names))
    , hands_(std::move(hands))
    , options_(std::move(options)) {}

template<class T>
io::task<store::result<T>>
name_certificates::ask(std::function<store::result<T>(store::domain_store&)> question) {
    return thread_.run<store::result<T>>(
        [question = std::move(question), by = reader_] { return question(*by->kept); });
}

void name_certificates::set_names(std::vector<std::string> names) {
    names_ = std::move(names);
    std::erase_if(known_, [this](const auto& each) {
        return !each.second.busy && std::ranges::find(names_, each.first) == names_.end();
    });
}

std::shared_ptr<const io::certified_key> name_certificates::choose(std::string_view server_name,
                                                                   bool acme) const {
    if (acme) {
        const auto found = challenges_.find(server_name);
        return found != challenges_.end() ? found->second : nullptr;
    }
    const auto of = [this](std::string_view name) -> std::shared_ptr<const io::certified_key> {
        const auto found = known_.find(name);
        return found != known_.end() ? found->second.certificate : nullptr;
    };
    if (std::ranges::find(names_, server_name) != names_.end())
        return of(server_name); // another name's would help nobody
    for (const auto& name : names_)
        if (auto first = of(name))
            return first;
    return nullptr;
}

std::string_view name_certificates::token(std::string_view token) const {
    const auto found = tokens_.find(token);
    return found != tokens_.end() ? std::string_view(found->second) : std::string_view();
}

std::vector<name_certificates::row> name_certificates::rows() const {
    std::vector<row> all;
    for (const auto& name : names_) {
        row one{.name = name, .not_before = {}, .not_after = {}, .renew_at = {}, .trouble = {}};
        if (const auto found = known_.find(name); found != known_.end()) {
            const auto& is = found->second;
            if (is.certificate) {
                one.not_before = is.certificate->not_before();
                one.not_after = is.certificate->not_after();
                one.renew_at = is.renew_at;
            }
            one.ordering = is.busy;
            one.tries = is.tries;
            one.trouble = !is.key_trouble.empty() ? is.key_trouble : is.last_error;
        }
        all.push_back(std::move(one));
    }
    return all;
}

io::task<bool> name_certificates::look() {
    std::vector<std::pair<std::string, std::int64_t>> asked;
    for (const auto& name : names_)
        asked.emplace_back(name, known_[name].change);
    auto job = [by = reader_, open = hands_.open, asked = std::move(asked), &seal = seal_,
                now = clock_.now()]() -> store::result<seen> {
        if (!by->kept) {
            auto made = open();
            if (!made)
                return std::unexpected(made.error());
            by->kept = std::move(*made);
        }
        seen out;
        for (const auto& [name, change] : asked) {
            seen::one one{.name = name, .certificate = {}, .key = {}, .trouble = {}, .work = {}};
            auto kept = by->kept->certificate(name);
            if (!kept)
                return std::unexpected(kept.error());
            one.certificate = std::move(*kept);
            if (one.certificate && one.certificate->change == change) {
                one.certificate->chain.clear();
            } else if (one.certificate) {
                auto key = seal.open(certificate_seal_name(name), one.certificate->sealed_key);
                if (key)
                    one.key = std::move(*key);
                else
                    one.trouble = fmt::format("the key of {}: {}", name, key.error());
            }
            auto work = by->kept->work(name_work, name);
            if (!work)
                return std::unexpected(work.error());
            if (*work && (*work)->due_at != store::never_due) {
                one.work = std::move(**work);
            } else {
                if (auto planned = by->kept->plan_work(name_work, name, now); !planned)
                    return std::unexpected(planned.error());
                one.work.due_at = now;
            }
            out.all.push_back(std::move(one));
        }
        auto answers = by->kept->challenges(now);
        if (!answers)
            return std::unexpected(answers.error());
        out.answers = std::move(*answers);
        return out;
    };
    auto fresh = co_await thread_.run<store::result<seen>>(std::move(job));
    if (!fresh) {
        if (std::exchange(last_trouble_, fresh.error().message) != fresh.error().message && hands_.trouble)
            hands_.trouble(fresh.error().message);
        co_return false;
    }
    last_trouble_.clear();
    if (!std::exchange(opened_, true) && hands_.opened)
        hands_.opened(*reader_->kept);
    take(*fresh);
    // What came into the listeners is in use: what it replaces may go.
    for (const auto& one : fresh->all) {
        const auto is = known_.find(one.name);
        if (is != known_.end() && is->second.key_trouble.empty() && one.certificate &&
            !one.certificate->proven && !one.certificate->chain.empty())
            co_await ask<void>([name = one.name, ends = one.certificate->not_after](store::domain_store& to) {
                return to.prove_certificate(name, ends);
            });
    }
    co_return true;
}

void name_certificates::take(seen& fresh) {
    bool swapped = false;
    for (auto& one : fresh.all) {
        if (std::ranges::find(names_, one.name) == names_.end())
            continue; // taken out of the names meanwhile
        auto& is = known_[one.name];
        is.due_at = one.work.due_at;
        is.tries = one.work.tries;
        is.last_error = std::move(one.work.last_error);
        if (!one.certificate) {
            is.certificate.reset();
            is.change = 0;
            continue;
        }
        is.renew_at = one.certificate->renew_at;
        if (one.certificate->chain.empty())
            continue;
        is.change = one.certificate->change;
        is.key_trouble = std::move(one.trouble);
        if (is.key_trouble.empty()) {
            auto read = io::certified_key::read(one.certificate->chain, one.key);
            if (read) {
                swapped =
                    swapped || !is.certificate || is.certificate->leaf_sha256() != (*read)->leaf_sha256();
                is.certificate = std::move(*read);
            } else {
                is.key_trouble = fmt::format("{}: {}", one.name, read.error());
            }
        }
        if (!is.key_trouble.empty() && hands_.trouble)
            hands_.trouble(is.key_trouble);
    }
    take_answers(std::move(fresh.answers));
    if (swapped && hands_.swapped)
        hands_.swapped();
}

void name_certificates::take_answers(std::vector<store::challenge_answer> all) {
    tokens_.clear();
    std::map<std::string, std::string, std::less<>> wanted;
    for (auto& each : all) {
        if (each.kind == to_string(challenge_kind::http_01))
            tokens_[std::move(each.key)] = std::move(each.answer);
        else if (std::ranges::find(names_, each.key) != names_.end())
            wanted[std::move(each.key)] = std::move(each.answer);
    }
    if (wanted == answering_)
        return;
    challenges_.clear();
    for (const auto& [name, answer] : wanted)
        if (const auto made = make_alpn_answer(name, answer, clock_.now()))
            if (auto read = io::certified_key::read(made->chain, made->key))
                challenges_[name] = std::move(*read);
    answering_ = std::move(wanted);
}

io::task<> name_certificates::load() {
    static_cast<void>(co_await look());
}

void name_certificates::start() {
    loop_.spawn(follow());
}

io::task<> name_certificates::follow() {
    while (!stopping_) {
        const bool well = co_await look();
        if (stopping_)
            co_return;
        for (const auto& name : names_) {
            auto& is = known_[name];
            if (!well || is.busy || is.due_at > clock_.now() ||
                (is.not_before && *is.not_before > loop_.now()))
                continue;
            is.busy = true;
            loop_.spawn(attend(name));
        }
        co_await loop_.sleep_for(well ? options_.turn : std::max(options_.turn, away));
    }
}

/// One name whose time has come: under a lease, and only where no other machine did it meanwhile.
io::task<> name_certificates::attend(std::string name) {
    ++under_way_;
    const auto held = co_await ask<std::optional<store::lease>>(
        [what = fmt::format("{}/{}", name_work, name), who = options_.machine](store::domain_store& to) {
            return to.take_lease(what, who, lease_time);
        });
    std::optional<io::loop::time_point> not_before;
    if (!held || !*held) {
        not_before = loop_.now() + options_.others_order;
    } else {
        struct found {
            std::optional<store::due_work> work;
            std::optional<store::kept_certificate> certificate;
        };
        const auto asked = co_await ask<found>([name](store::domain_store& from) -> store::result<found> {
            auto work = from.work(name_work, name);
            if (!work)
                return std::unexpected(work.error());
            auto certificate = from.certificate(name);
            if (!certificate)
                return std::unexpected(certificate.error());
            return found{std::move(*work), std::move(*certificate)};
        });
        if (!asked || !asked->work || asked->work->due_at > clock_.now()) {
            co_await ask<void>([lease = **held](store::domain_store& to) { return to.release_lease(lease); });
        } else {
            auto work = *asked->work;
            work.fence = (*held)->fence;
            const auto again = co_await act(work, asked->certificate);
            co_await ask<bool>([work, again](store::domain_store& to) { return to.done_work(work, again); });
            static_cast<void>(co_await look()); // so that the same is not due once more
        }
    }
    if (const auto is = known_.find(name); is != known_.end()) {
        is->second.busy = false;
        is->second.not_before = not_before;
    }
    --under_way_;
}

/// When it is due again.
io::task<base::utc_seconds> name_certificates::act(store::due_work& work,
                                                   std::optional<store::kept_certificate> before) {
    if (before && work.due_at != store::person_asks) {
        const auto when = co_await hands_.renewal(*before);
        const auto now = clock_.now();
        if (when.at > now) {
            if (before->renew_at != when.at) {
                auto fresh = *before;
                fresh.renew_at = when.at;
                co_await ask<bool>([fresh, fence = work.fence](store::domain_store& to) {
                    return to.save_certificate(fresh, fence);
                });
            }
            co_return std::min(when.at, now + std::max<std::chrono::seconds>(when.ask_again, 60s));
        }
    }
    const auto done = co_await hands_.issue(work, work.domain);
    if (hands_.told)
        hands_.told(work.domain, done);
    // Of a new one the authority is asked when it goes; of none, the issuer says when to try again.
    co_return clock_.now() + (done.ok ? after_order : done.again.value_or(after_trouble));
}

} // namespace mailtight::publish
