// SPDX-License-Identifier: Apache-2.0
// Looks at this host for who reports to others: the kernel, our keys and what DNS has of them, our addresses.
#include "app/doctor_look.h"
#include "app/doctor_results.h"
#include "app/published_keys.h"
#include "app/reporting.h"
#include "app/typed.h"
#include "app/v6_standing.h"
#include "base/text.h"
#include "io/server.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include <unistd.h>

namespace mailtight::app {

namespace {

using state = check_row::state;

constexpr const char* queue_file = "/proc/sys/net/unix/max_dgram_qlen";

std::optional<std::size_t> queue_length() {
    const auto bytes = read_bytes(queue_file, 64);
    std::size_t value = 0;
    if (!bytes || std::from_chars(bytes->data(), bytes->data() + bytes->size(), value).ec != std::errc{})
        return {};
    return value;
}

socket_seen stand(std::string path) {
    if (path.starts_with("unix:"))
        path.erase(0, 5);
    return look_at_socket_file(path.substr(0, path.find(',')));
}

io::task<check_row> judge_keys(world& with, const settings& set, std::string domain) {
    check_row row{.check = "DKIM keys of our reports"};
    auto ring = deliver::read_keys(dkim_folder_of(set), domain);
    if (!ring) {
        row.seen = ring.error();
        row.fix = "run this as root or as the daemon's user";
        co_return row;
    }
    if (ring->entries.empty()) {
        row.result = set.require_dkim ? state::bad : state::unknown;
        row.seen = fmt::format("there is none for {}", domain);
        row.fix = set.require_dkim ? "no report goes out by mail without: run mailtight report keys make"
                                   : "your mail server signs (deliver.require-dkim = false): its key must be "
                                     "of this domain, and not for tlsrpt alone";
        co_return row;
    }
    std::vector<std::string> problems, names;
    for (const auto& key : ring->entries) {
        names.push_back(key.selector);
        auto found = co_await judge_key(with, key);
        for (auto& each : found)
            problems.push_back(std::move(each));
    }
    row.result = problems.empty() ? state::good : state::bad;
    row.seen = problems.empty() ? fmt::format("{} of {}, published", base::join(names, ", "), domain)
                                : base::join(problems, "; ");
    if (!problems.empty())
        row.fix = "mailtight report keys prints the records to publish";
    co_return row;
}

/// Mail leaves by another host.
bool elsewhere(const settings& set) {
    if (set.mail_route != "smart-host")
        return false;
    if (const auto address = base::ip_address::parse(set.mail_host))
        return base::not_global_because(*address) != "loopback";
    std::array<char, 256> own{};
    const bool known = ::gethostname(own.data(), own.size() - 1) == 0;
    return !base::iequals(set.mail_host, "localhost") &&
           !(known && base::iequals(set.mail_host, std::string_view(own.data())));
}

} // namespace

results_facts results_facts_of(const settings& from) {
    results_facts made{.datagrams = from.datagram_listen,
                       .logs = from.postfix_log,
                       .lines = from.result_lines_listen,
                       .mail = from.deliver_mail && from.mail_route != "direct" && !elsewhere(from)};
    if (const auto who = reporter_of(from); sends_reports(from) && who)
        made.contact = who->contact;
    return made;
}

io::task<std::vector<check_row>> look_at_results(world& with, const settings& set, results_facts& facts) {
    std::vector<check_row> rows;
    for (const auto& listener : set.datagram_listen)
        rows.push_back(judge_result_socket(listener, stand(listener)));
    for (const auto& listener : set.result_lines_listen)
        if (const auto at = io::parse_listen_address(listener, 0); at && !at->tcp)
            rows.push_back(judge_result_socket(at->unix_path, stand(at->unix_path)));
    if (!set.datagram_listen.empty())
        rows.push_back(judge_queue_length(queue_length()));
    if (!sends_reports(set))
        co_return rows;
    const auto who = reporter_of(set);
    if (!who) {
        rows.push_back(
            {.check = "who reports", .result = state::bad, .seen = who.error(), .fix = "", .lines = ""});
        co_return rows;
    }
    if (!set.deliver_mail)
        co_return rows;
    rows.push_back(co_await judge_keys(with, set, who->submitter()));
    if (elsewhere(set))
        co_return rows; // its addresses count, not those of this host
    const auto v6 = co_await look_at_v6(*with.dns, v6_source(), who->submitter());
    facts.over_v6 = fits(v6) || !v6.source;
    rows.push_back(judge_v6(v6, who->submitter(), set.mail_route == "direct"));
    co_return rows;
}

} // namespace mailtight::app
