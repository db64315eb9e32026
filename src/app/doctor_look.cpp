// SPDX-License-Identifier: Apache-2.0
#include "app/doctor_look.h"

#include "app/typed.h"
#include "base/text.h"
#include "io/command.h"
#include "io/server.h"
#include "io/stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include <sys/stat.h>
#include <unistd.h>

namespace mailtight::app {

namespace {

using namespace std::chrono_literals;

constexpr auto program_time = 10s;
constexpr auto answer_time = 8s; ///< longer than any budget of an answer
constexpr std::size_t output_bytes = 64 * 1024, answer_bytes = 16 * 1024,
                      configuration_bytes = 4 * 1024 * 1024;

std::string output_of(const std::vector<std::string>& words) {
    const auto ran = io::run_command(words, "", program_time, output_bytes);
    return ran.wrote;
}

/// Everybody may go through the folders above.
bool folders_are_open(const std::string& path) {
    for (auto folder = std::filesystem::path(path).parent_path(); folder.has_relative_path();
         folder = folder.parent_path()) {
        struct stat is{};
        if (::stat(folder.c_str(), &is) != 0 || (is.st_mode & S_IXOTH) == 0)
            return false;
    }
    return true;
}

io::task<std::optional<std::string>> ask(io::loop& on, io::listen_address at, std::string question,
                                         bool lines) {
    const auto deadline = on.now() + answer_time;
    io::connect_result to;
    if (at.tcp)
        to = co_await io::connect_tcp(on, *at.tcp, base::address_guard(), deadline, true);
    else
        to = co_await io::connect_unix(on, at.unix_path, deadline);
    if (!to.connection ||
        co_await to.connection->write_all(std::move(question), deadline) != io::io_status::ok)
        co_return std::nullopt;
    std::string got;
    while (got.size() < answer_bytes && !got.ends_with(lines ? '\n' : ',')) {
        auto some = co_await to.connection->read_some(4'096, deadline);
        if (some.status != io::io_status::ok)
            co_return std::nullopt;
        got += some.bytes;
    }
    to.connection->close();
    if (!lines) // LENGTH:TEXT,
        got = got.substr(std::min(got.find(':') + 1, got.size() - 1));
    got.pop_back();
    co_return got;
}

std::vector<check_row> with(std::vector<check_row> rows, std::vector<check_row> more) {
    rows.insert(rows.end(), more.begin(), more.end());
    return rows;
}

std::vector<check_row> postfix_here(const sending_facts& ours, const results_facts& results) {
    const auto program = find_program("postconf");
    if (program.empty())
        return {};
    postfix_facts facts;
    facts.parameters =
        output_of({program, "mail_version", "queue_directory", "smtp_dns_support_level",
                   "smtp_tls_security_level", "smtp_tls_policy_maps", "smtp_tls_CAfile", "smtp_tls_CApath",
                   "smtp_tls_loglevel", "smtp_tlsrpt_enable", "smtp_tlsrpt_socket_name",
                   "sender_dependent_default_transport_maps", "inet_protocols", "smtp_address_preference"});
    facts.master = output_of({program, "-M", "smtp/unix"});
    facts.report_service = output_of({program, "-M", fmt::format("{}/unix", report_transport)});
    return with(judge_postfix(facts, ours), judge_postfix_results(facts, results));
}

std::vector<check_row> exim_here(const sending_facts& ours, const results_facts& results) {
    for (const char* name : {"exim4", "exim"})
        if (const auto program = find_program(name); !program.empty())
            return with(judge_exim(output_of({program, "-bV"}), ours), judge_exim_results(results));
    return {};
}

std::vector<check_row> sendmail_here(const sending_facts& ours) {
    // /usr/sbin/sendmail is mostly another mail server's; only Sendmail has this file.
    const std::string configuration = "/etc/mail/sendmail.cf";
    std::string program = find_program("sendmail-mta");
    if (program.empty())
        program = find_program("sendmail");
    if (program.empty() || ::access(configuration.c_str(), F_OK) != 0)
        return {};
    const auto text = read_bytes(configuration, configuration_bytes);
    return judge_sendmail(output_of({program, "-d0.13", "-bv", "root"}), text ? "\n" + *text : std::string(),
                          ours);
}

} // namespace

std::string find_program(const std::string& name) {
    const char* path = std::getenv("PATH");
    std::string all = std::string(path ? path : "") + ":/usr/sbin:/usr/local/sbin:/usr/lib/sm.bin";
    for (const auto folder : base::split(all, ':')) {
        if (!folder.starts_with('/'))
            continue;
        const auto file = fmt::format("{}/{}", folder, name);
        if (::access(file.c_str(), X_OK) == 0)
            return file;
    }
    return "";
}

socket_seen look_at_socket_file(const std::string& path) {
    socket_seen seen;
    struct stat is{};
    seen.there = ::stat(path.c_str(), &is) == 0 && S_ISSOCK(is.st_mode);
    seen.open_to_all = seen.there && (is.st_mode & S_IWOTH) != 0 && folders_are_open(path);
    return seen;
}

socket_seen look_at_socket(const std::string& listener, bool lines) {
    socket_seen seen;
    const auto at = io::parse_listen_address(listener, 0);
    if (!at)
        return seen;
    if (at->tcp)
        seen.open_to_all = true;
    else
        seen = look_at_socket_file(at->unix_path);
    io::loop loop;
    seen.answers =
        loop.block_on(ask(loop, *at, lines ? "POLICY localhost\n" : "17:postfix localhost,", lines));
    if (at->tcp)
        seen.there = seen.answers.has_value();
    return seen;
}

sending_facts look_at_listeners(const settings& set) {
    sending_facts ours{.socketmap = set.socketmap_listen, .lines = set.lines_listen, .seen = {}, .roots = {}};
    for (const auto& each : ours.socketmap)
        ours.seen[each] = look_at_socket(each, false);
    for (const auto& each : ours.lines)
        ours.seen[each] = look_at_socket(each, true);
    for (const char* file : {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"})
        if (ours.roots.empty() && ::access(file, R_OK) == 0)
            ours.roots = file;
    return ours;
}

std::vector<check_row> look_at_mail_servers(const settings& set, std::optional<bool> validated,
                                            const results_facts& results) {
    auto ours = look_at_listeners(set);
    ours.validated = validated;
    std::vector<check_row> rows;
    for (auto& found : {postfix_here(ours, results), exim_here(ours, results), sendmail_here(ours)})
        rows.insert(rows.end(), found.begin(), found.end());
    if (rows.empty())
        rows.push_back({.check = "mail server",
                        .result = check_row::state::unknown,
                        .seen = "no Postfix, Exim or Sendmail is installed here",
                        .fix = "",
                        .lines = ""});
    return rows;
}

} // namespace mailtight::app
