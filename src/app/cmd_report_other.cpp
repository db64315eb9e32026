// SPDX-License-Identifier: Apache-2.0
// `report address`, `ready`, `digest`, `mute`, `mutes`.
#include "app/control_client.h"
#include "app/live_look.h"
#include "app/options.h"
#include "app/report_facts.h"
#include "app/store_access.h"
#include "app/terminal.h"
#include "app/typed.h"
#include "app/world.h"
#include "base/text.h"
#include "insight/render_answers.h"
#include "intake/keeper.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace mailtight::app {

namespace {

int failed(std::string_view why) {
    complain(why);
    return not_done;
}

/// Our domains with their tokens; those of the configuration that the store does not know yet are added.
std::expected<std::vector<store::own_domain>, std::string> known_domains(const settings& set) {
    auto names = our_domains(set);
    if (!names)
        return std::unexpected(names.error());
    auto ask = [&]() -> std::expected<std::vector<store::own_domain>, std::string> {
        auto from = open_to_ask(set);
        if (!from)
            return std::unexpected(from.error());
        auto found = (*from)->domains();
        if (!found)
            return std::unexpected(words(found.error()));
        return std::move(*found);
    };
    auto found = ask();
    const bool complete =
        found && std::ranges::all_of(*names, [&](const std::string& name) {
            return std::ranges::find(*found, name, &store::own_domain::name) != found->end();
        });
    if (complete || names->empty())
        return found;
    io::loop loop;
    auto reloaded = call_daemon(loop, set, "/reload", {}, "POST");
    if (reloaded)
        return ask();
    if (reloaded.error().what != control_error::kind::absent)
        return std::unexpected(reloaded.error().message);
    auto store = open_to_write(set);
    if (!store)
        return std::unexpected(store.error());
    const base::system_clock clock;
    if (auto added = store->opened->add_domains(*names, clock.now()); !added)
        return std::unexpected(words(added.error()));
    auto all = store->opened->domains();
    if (!all)
        return std::unexpected(words(all.error()));
    return std::move(*all);
}

std::string without_slash(std::string url) {
    while (url.ends_with('/'))
        url.pop_back();
    return url;
}

} // namespace

int cmd_report_address(const common_options& common, const report_other_options& options) {
    std::string wanted;
    if (!options.domain.empty()) {
        auto domain = take_domain(options.domain);
        if (!domain)
            return wrong_usage;
        wanted = domain->name;
    }
    if (common.set.mailboxes.empty() && common.set.report_url.empty()) {
        complain("where do reports arrive? Set reports.mailboxes, reports.url or both in the configuration");
        return wrong_usage;
    }
    auto domains = known_domains(common.set);
    if (!domains)
        return failed(domains.error());
    intake::address_book book(common.set.mailboxes);
    book.set_domains(*domains);
    bool any = false;
    for (const auto& domain : *domains) {
        if (!wanted.empty() && domain.name != wanted)
            continue;
        std::vector<std::string> typed;
        if (!common.set.mailboxes.empty())
            typed.push_back("mailto:" + book.mail_address(domain.name));
        if (!common.set.report_url.empty())
            typed.push_back(without_slash(common.set.report_url) + book.url_path(domain.name));
        auto rua = take_rua(typed);
        if (!rua)
            return wrong_usage;
        boost::json::array list;
        for (const auto& uri : *rua)
            list.emplace_back(uri.text);
        const std::string record = tlsrpt::format_record(*rua);
        if (common.json)
            print(boost::json::serialize(boost::json::object{{"domain", domain.name},
                                                             {"rua", std::move(list)},
                                                             {"name", "_smtp._tls." + domain.name},
                                                             {"record", record}}) +
                  "\n");
        else {
            print(fmt::format("{}{}\n", any ? "\n" : "", domain.name));
            for (const auto& uri : *rua)
                print(fmt::format("  {}\n", uri.text));
            print(fmt::format("  _smtp._tls.{}. 3600 IN TXT \"{}\"\n", domain.name, record));
        }
        any = true;
    }
    if (!any) {
        complain(wanted.empty() ? "no domain is configured yet: add it to reports.domains"
                                : wanted + " is none of our domains: add it to reports.domains");
        return problems_found;
    }
    return fine;
}

int cmd_report_ready(const common_options& common, const report_other_options& options) {
    auto domain = take_domain(options.domain);
    if (!domain)
        return wrong_usage;
    auto from = open_to_ask(common.set);
    if (!from)
        return failed(from.error());
    live_facts live;
    auto mode = mode_in_reports(**from, domain->name);
    if (!mode)
        return failed(words(mode.error()));
    if (options.live) {
        auto made = world::make(common.set, {});
        if (!made) {
            complain(made.error());
            return wrong_usage;
        }
        const auto look = std::move(look_now(**made, std::array{domain->name}).front());
        live.today = known_from(look);
        live.check_green = look.judged.ready_to_enforce;
        if (look.judged.mode)
            *mode = sts::to_string(*look.judged.mode);
    }
    insight::readiness said;
    if (*mode == "enforce")
        said.sentence =
            fmt::format("The policy is in enforce already{}. mailtight report failures --domain {} "
                        "says what fails.",
                        options.live ? "" : ", as reporters saw it last", domain->name);
    else {
        const base::system_clock clock;
        auto asked = readiness(**from, domain->name, clock.now(), live);
        if (!asked)
            return failed(words(asked.error()));
        said = std::move(*asked);
    }
    if (common.json) {
        auto out = insight::readiness_json(domain->name, said);
        out["mode"] = mode->empty() ? boost::json::value(nullptr) : boost::json::value(*mode);
        print(boost::json::serialize(out) + "\n");
    } else {
        print(insight::readiness_text(domain->name, said,
                                      {.colour = stdout_colour(), .width = terminal_width()}));
    }
    return *mode == "enforce" || said.ready.value_or(false) ? fine : problems_found;
}

int cmd_report_digest(const common_options& common) {
    auto from = open_to_ask(common.set);
    if (!from)
        return failed(from.error());
    const base::system_clock clock;
    auto letter = weekly_digest(**from, clock.now());
    if (!letter)
        return failed(words(letter.error()));
    if (common.json)
        print(boost::json::serialize(
                  boost::json::object{{"subject", letter->subject}, {"text", letter->text}}) +
              "\n");
    else
        print("Subject: " + letter->subject + "\n\n" + letter->text);
    return fine;
}

int cmd_report_mute(const common_options& common, const report_other_options& options) {
    insight::mute mute{.key = options.key, .until = {}, .why = base::printable(options.why, 300)};
    if (options.off == !options.until.empty()) {
        complain("say --until YYYY-MM-DD, or --off to end a silence");
        return wrong_usage;
    }
    if (!options.off) {
        const auto day = base::parse_utc(options.until + "T00:00:00Z");
        const base::system_clock clock;
        if (!day) {
            complain(fmt::format("--until takes a day such as 2030-01-31, not '{}'",
                                 base::printable(options.until)));
            return wrong_usage;
        }
        mute.until = *day + std::chrono::days(1) - std::chrono::seconds(1); // that day included
        if (mute.until <= clock.now()) {
            complain("--until is past already");
            return wrong_usage;
        }
    }
    auto [name, value] = mute_fact(mute);
    if (options.off)
        value.clear();
    io::loop loop;
    auto told =
        call_daemon(loop, common.set, "/fact",
                    boost::json::serialize(boost::json::object{{"name", name}, {"value", value}}), "POST");
    if (!told && told.error().what != control_error::kind::absent)
        return failed(told.error().message);
    if (!told) {
        auto store = open_to_write(common.set);
        if (!store)
            return failed(store.error());
        if (auto written = store->opened->set_fact(name, value); !written)
            return failed(words(written.error()));
    }
    if (!common.json)
        say(options.off ? fmt::format("{} speaks again", base::printable(mute.key))
                        : fmt::format("{} is silent up to {}", base::printable(mute.key), options.until));
    return fine;
}

int cmd_report_mutes(const common_options& common) {
    auto from = open_to_ask(common.set);
    if (!from)
        return failed(from.error());
    auto all = mutes(**from);
    if (!all)
        return failed(words(all.error()));
    const base::system_clock clock;
    std::erase_if(*all, [now = clock.now()](const insight::mute& mute) { return mute.until < now; });
    for (const auto& mute : *all) {
        if (common.json)
            print(boost::json::serialize(boost::json::object{{"key", base::printable(mute.key)},
                                                             {"until", base::format_utc(mute.until)},
                                                             {"why", base::printable(mute.why)}}) +
                  "\n");
        else
            print(fmt::format("{}  until {}{}\n", base::printable(mute.key), base::format_date(mute.until),
                              mute.why.empty() ? "" : "  " + base::printable(mute.why)));
    }
    if (all->empty() && !common.json)
        print("Nothing is muted.\n");
    return fine;
}

} // namespace mailtight::app
