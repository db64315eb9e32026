// SPDX-License-Identifier: Apache-2.0
#include "app/doctor_host.h"

#include "base/text.h"
#include "probe/probes.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <utility>

namespace mailtight::app {

namespace {

constexpr const char* validation_check = "answers are validated (DNSSEC)";

io::task<check_row> resolver_answers(world& with, const std::string& name) {
    check_row row{.check = "resolver answers", .seen = {}, .fix = {}, .lines = {}};
    const auto soa = co_await with.dns->soa(name);
    const bool good = soa.ok();
    row.result = good ? check_row::state::good : check_row::state::bad;
    row.seen = with.dns->description() + (good ? ""
                                               : ": " + std::string(model::to_string(soa.status)) +
                                                     (soa.detail.empty() ? "" : ", " + soa.detail));
    if (!good)
        row.fix = "name a resolver that answers: --resolver ADDRESS, or dns.servers in the configuration";
    co_return row;
}

/// A signed name must come back secure, and a name that is signed wrongly on purpose must not come back at
/// all.
io::task<check_row> resolver_validates(world& with, const std::string& signed_name,
                                       const std::string& forged_name) {
    check_row row{.check = validation_check};
    const auto good = co_await with.dns->soa(signed_name);
    const auto broken = co_await with.dns->addresses(forged_name);
    const bool secure = good.ok() && good.security == model::dnssec::secure;
    if (!good.ok()) {
        row.seen = "no answer to judge by";
        co_return row;
    }
    row.result = secure && broken.addresses.empty() ? check_row::state::good : check_row::state::bad;
    row.seen = secure ? (broken.addresses.empty() ? "a signed name is secure, a forged one is refused"
                                                  : "a forged name was accepted")
                      : "a signed name came back as " + std::string(model::to_string(good.security));
    if (row.result == check_row::state::bad)
        row.fix = "run a validating resolver on this host (for example unbound on 127.0.0.1), or use "
                  "--dns-mode validating with a "
                  "resolver that passes signatures on";
    co_return row;
}

io::task<check_row> port25(world& with, const std::string& control) {
    check_row row{.check = "port 25 is open to the outside"};
    if (control.empty()) {
        row.seen = "no control host configured (check.smtp-control)";
        co_return row;
    }
    const auto found = co_await with.dns->addresses(control);
    if (found.addresses.empty()) {
        row.seen = control + " has no address that we can find";
        co_return row;
    }
    std::vector<std::string> tried;
    for (const auto& address : found.addresses) {
        const auto fact = co_await probe::probe_mx(with.probe_context(), control, address);
        tried.push_back(fmt::format("{}: {}", address.to_string(), model::to_string(fact.connect)));
        if (fact.connect == model::connect_outcome::connected) {
            row.result = check_row::state::good;
            row.seen = fmt::format("{} answers at {}", control, address.to_string());
            co_return row;
        }
    }
    row.result = check_row::state::bad;
    row.seen = base::join(tried, ", ");
    row.fix = "many networks close port 25: run the checks of mail servers from a host where it is open; "
              "records and policies can "
              "be judged from here";
    co_return row;
}

check_row ehlo_name(const world& with) {
    check_row row{.check = "the name given in EHLO"};
    row.seen = with.probes.ehlo_name;
    const bool full = with.probes.ehlo_name.find('.') != std::string::npos;
    row.result = full ? check_row::state::good : check_row::state::bad;
    if (!full)
        row.fix =
            "some mail servers refuse a name without a dot: set network.ehlo-name to this host's full name";
    return row;
}

} // namespace

io::task<host_seen> look_at_host(world& with, settings set) {
    host_seen made;
    made.rows.push_back({.check = "trusted roots",
                         .result = check_row::state::good,
                         .seen = set.ca_file.empty() ? "those of the system" : set.ca_file,
                         .fix = "",
                         .lines = ""});
    auto answers = io::start(with.loop, resolver_answers(with, set.signed_name));
    auto validates = io::start(with.loop, resolver_validates(with, set.signed_name, set.forged_name));
    auto open = io::start(with.loop, port25(with, set.smtp_control));
    made.rows.push_back(co_await answers.get());
    made.rows.push_back(co_await validates.get());
    made.rows.push_back(co_await open.get());
    made.rows.push_back(ehlo_name(with));
    for (const auto& row : made.rows)
        if (row.check == validation_check && row.result != check_row::state::unknown)
            made.validated = row.result == check_row::state::good;
    made.results = results_facts_of(set);
    auto results = co_await look_at_results(with, set, made.results);
    for (auto& row : results)
        made.rows.push_back(std::move(row));
    co_return made;
}

void add_mail_servers(host_seen& to, const settings& set) {
    for (auto& row : look_at_mail_servers(set, to.validated, to.results))
        to.rows.push_back(std::move(row));
}

boost::json::array checks_json(std::span<const check_row> rows) {
    boost::json::array all;
    for (const auto& row : rows)
        all.push_back(boost::json::object{{"check", row.check},
                                          {"state", word(row.result)},
                                          {"seen", base::printable(row.seen)},
                                          {"fix", row.fix},
                                          {"lines", row.lines}});
    return all;
}

} // namespace mailtight::app
