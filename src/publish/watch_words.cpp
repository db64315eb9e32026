// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "publish/watch_faults.h"

#include <fmt/format.h>

namespace mailtight::publish {
namespace {

struct words {
    std::string title, text, fix;
};

words words_of(std::string_view domain, const fault& of) {
    const auto subject = base::printable(of.subject, 300);
    const auto detail = base::printable(of.detail, 300);
    const auto look = fmt::format("mailtight check {}", domain);
    switch (of.what) {
    case change_kind::mx_without_policy:
        return {fmt::format("The policy of {} does not admit {}", domain, subject),
                fmt::format("{} is an MX host of {} that no mx line of the policy admits; {}.", subject,
                            domain, detail),
                fmt::format("Either admit it: mailtight plan {} --add-mx {} --do; or take it out of the MX "
                            "records.",
                            domain, subject)};
    case change_kind::id_without_policy:
        return {fmt::format("The id of {} changed, its policy did not", domain),
                fmt::format("The id is {} now; {}. Senders fetch the same policy again, which harms nobody.",
                            subject, detail),
                "If a new policy was to be published, look whether the web server gives it."};
    case change_kind::policy_without_id:
        return {fmt::format("The policy of {} changed, its id did not", domain),
                fmt::format("The id is still {}, the policy is another one: {}.", subject, detail),
                fmt::format("Publish a new id: mailtight plan {} says which.", domain)};
    case change_kind::foreign_policy:
        return {
            fmt::format("{} has a policy that we did not publish", domain),
            fmt::format("https://mta-sts.{}/.well-known/mta-sts.txt gives a policy that is not ours; {}. "
                        "Whoever controls DNS or the web server can hold mail back with it.",
                        domain, detail),
            fmt::format("Find out who serves it ({}). A policy of ours with a new id replaces it at senders "
                        "that look at the id: mailtight plan {}.",
                        look, domain)};
    case change_kind::policy_gone:
        return {fmt::format("The policy of {} cannot be fetched any more", domain), detail + ".",
                fmt::format("{} says where it ends.", look)};
    case change_kind::record_gone:
        return {fmt::format("The _mta-sts record of {} is gone", domain), detail + ".",
                fmt::format("Publish it again: mailtight plan {}.", domain)};
    case change_kind::certificate_expiring:
        return {fmt::format("The certificate of mta-sts.{} expires soon", domain),
                "It was not renewed when it was time. Once it has expired no sender gets the policy.",
                fmt::format("mailtight certificate list shows the last try; {} shows what is served.", look)};
    case change_kind::certificate_not_loaded:
        return {fmt::format("The renewed certificate of mta-sts.{} is not served", domain),
                "A new certificate is kept here, and the old one is still seen over the public path.",
                "If another machine or a proxy answers for the name, it has not taken the new one over."};
    case change_kind::addresses_disagree:
        return {fmt::format("The addresses of mta-sts.{} do not give the same answer", domain),
                "Which policy a sender gets depends on the address it asks.",
                fmt::format("{} shows each address.", look)};
    case change_kind::servers_disagree:
        return {fmt::format("The name servers of {} give different answers", domain),
                "Which id a sender sees depends on the server it asks.",
                "Look whether every server has taken the newest zone over."};
    case change_kind::new_finding: {
        const auto code = subject.substr(0, subject.find(' '));
        return {fmt::format("{}: {}", domain, subject), "It was not there before.",
                fmt::format("mailtight check {} explains {} and how to fix it.", domain, code)};
    }
    case change_kind::verdict_worse:
        return {fmt::format("{} is worse off than before", domain), fmt::format("It is {}.", detail), look};
    case change_kind::sub_domain_unprotected:
        return {fmt::format("{} takes mail and has no policy", subject),
                fmt::format("The policy of {} does not cover the names below it.", domain),
                fmt::format("mailtight domain add {} --like {}", subject, domain)};
    case change_kind::needs_person:
    case change_kind::step_fails:
        return {subject, detail, fmt::format("mailtight plan {}", domain)};
    }
    return {};
}

} // namespace

watch_alarm in_words(std::string_view domain, const fault& of, base::utc_seconds since, unsigned changes) {
    auto said = words_of(domain, of);
    said.text += fmt::format(" Seen since {}.", base::format_utc(since));
    if (changes > 0)
        said.text += fmt::format(" It comes and goes: {} changes within a day.", changes);
    return {.key = key_of(domain, of),
            .what = of.what,
            .domain = std::string(domain),
            .subject = of.subject,
            .title = std::move(said.title),
            .text = std::move(said.text),
            .fix = std::move(said.fix),
            .error = of.error};
}

} // namespace mailtight::publish
