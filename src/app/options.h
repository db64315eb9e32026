// SPDX-License-Identifier: Apache-2.0
// What was typed, as values: one struct a command. cli.cpp fills them, the cmd_*.cpp files carry them out.
#pragma once

#include "app/settings.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace mailtight::app {

/// Exit statuses, a contract with scripts.
enum exit_status : int { fine = 0, problems_found = 1, wrong_usage = 2, not_done = 3 };

struct common_options {
    std::string config_file;
    bool json = false;
    settings set; ///< configuration file and command line merged
    /// The same once more, from the file as it is now: for a reload.
    std::function<std::expected<settings, std::string>()> read_again;
};

struct check_options {
    std::vector<std::string> domains;
    bool no_smtp = false;
    bool wait = false;
    std::chrono::milliseconds wait_limit{3'600'000};
    std::chrono::milliseconds wait_interval{15'000};
    bool changed = false;
    bool fresh = false;               ///< of all domains looked after
    std::vector<std::string> rua;     ///< what --wait waits for
    std::string id;                   ///< what --wait waits for
    std::string policy_file;          ///< what --wait waits for
    std::vector<std::string> without; ///< rules left out (tools/mutate_codes)
};

struct scan_options {
    std::string list = "-";
    std::string output;
    bool csv = false;
    bool dns_only = false;
    bool no_smtp = false;
    bool resume = false;
};

struct lint_options {
    std::vector<std::string> texts; ///< record lint
    std::string file = "-";         ///< policy lint
};

struct policy_options {
    std::string domain;
    std::string mode;
    std::optional<std::uint64_t> max_age;
    std::vector<std::string> mx;
    std::vector<std::string> rua;
    bool keep_mx = false;
    std::string file;               ///< policy match
    std::vector<std::string> hosts; ///< policy match
};

struct dns_options {
    std::string domain;
    std::vector<std::string> rua;
    std::string policy_host;
    std::string id;
    std::string mode;
    std::string format = "table";
    bool all = false;
};

struct report_read_options {
    std::vector<std::string> paths;
    bool example = false;
    std::string dkim_keys; ///< a file with keys; "" : they are looked up
};

/// What narrows a question to the store, and how the answer is wanted.
struct report_question {
    std::vector<std::string> domains, reporters;
    std::string result, mx, from, to;
    std::uint64_t days = 0;
    bool quarantined = false, tests = false, only_failures = false;
    bool csv = false;
    bool live = false;         ///< failures, show
    std::string by;            ///< summary
    std::uint64_t limit = 100; ///< list
    std::int64_t number = 0;   ///< show
};

struct report_test_options {
    std::string domain;
    std::chrono::milliseconds wait{120'000};
};

struct report_other_options {
    std::string domain;     ///< address, ready
    std::string key;        ///< mute
    std::string until, why; ///< mute
    bool off = false;       ///< mute
    bool live = false;      ///< ready
};

int cmd_check(const common_options& common, const check_options& options);
int cmd_wait(const common_options& common, const check_options& options, const std::string& domain);
int cmd_scan(const common_options& common, const scan_options& options);
int cmd_record_lint(const common_options& common, const lint_options& options);
int cmd_policy_lint(const common_options& common, const lint_options& options);
int cmd_policy_new(const common_options& common, const policy_options& options);
int cmd_policy_match(const common_options& common, const policy_options& options);
int cmd_dns(const common_options& common, const dns_options& options);
int cmd_doctor(const common_options& common);
int cmd_report_read(const common_options& common, const report_read_options& options);
int cmd_report_import(const common_options& common, const report_read_options& options);
int cmd_report_list(const common_options& common, const report_question& question);
int cmd_report_show(const common_options& common, const report_question& question);
int cmd_report_summary(const common_options& common, const report_question& question);
int cmd_report_failures(const common_options& common, const report_question& question);
int cmd_report_address(const common_options& common, const report_other_options& options);
int cmd_report_test(const common_options& common, const report_test_options& options);
int cmd_report_silence(const common_options& common, const report_test_options& options);
int cmd_report_mute(const common_options& common, const report_other_options& options);
int cmd_report_mutes(const common_options& common);
int cmd_report_ready(const common_options& common, const report_other_options& options);
int cmd_report_digest(const common_options& common);
int cmd_serve(const common_options& common);
int cmd_status(const common_options& common);
/// The generated documents: `config`, `findings`, `man` needs the command tree and lives in cli.cpp.
/// What `doc` takes; those about commands (commands, man, man-config, completion-SHELL) are cli.cpp's own.
constexpr const char* doc_words =
    "commands, config, events, exim, findings, man, man-config, metrics, openapi, "
    "settings, completion-bash, completion-fish or completion-zsh";
int cmd_doc(const common_options& common, const std::string& what);

} // namespace mailtight::app
