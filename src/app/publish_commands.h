// SPDX-License-Identifier: Apache-2.0
// What was typed for the commands about the domains that this installation looks after. cli_publish.cpp fills
// them.
#pragma once

#include "app/options.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mailtight::app {

/// What is wanted of a domain, as typed; "" and empty: not said.
struct domain_wishes {
    std::string mode;             ///< testing, enforce, off
    std::string max_age;          ///< seconds, or "ladder"
    std::vector<std::string> mx;  ///< hosts or patterns; "follow" alone: the MX records in DNS
    std::vector<std::string> rua; ///< "default" alone: as configured
    std::string hosting, dns, leave, owner, policy_host, sts_target;
    std::vector<std::string> labels; ///< "-LABEL" takes one away
    bool pause = false, resume = false;
    std::string why;
    // What no option of `domain add` and `domain set` says: the pages do, and `plan` in other words.
    std::string off; ///< none, expiry
    std::optional<bool> keep_mx;
    std::optional<std::vector<std::string>> mx_adding, mx_removing, all_labels;
};

struct domain_options {
    std::vector<std::string> names;
    domain_wishes wishes;
    std::string like; ///< add
    std::string csv;  ///< add: a file
    // list
    std::string label, owner, contains, state;
    bool as_csv = false;
    // show
    bool no_look = false;
    std::uint64_t limit = 20;
    // remove
    bool force = false;
};

struct plan_request {
    std::string domain;
    std::string to, by;
    std::vector<std::string> add_mx, remove_mx;
    bool keep_mx = false, force = false, act = false;
    std::string why, said;
};

struct push_options {
    std::string domain, server;
    bool hook = false, dry_run = false;
};

struct export_options {
    std::string domain, folder, form = "directory", ask_url;
    bool all = false;
};

struct protect_options {
    std::string domain;
    bool print_only = false;
};

struct certificate_options {
    std::string name;
    std::uint64_t days = 0; ///< list: only those that end within
};

int cmd_domain_add(const common_options& common, const domain_options& options);
int cmd_domain_list(const common_options& common, const domain_options& options);
int cmd_domain_show(const common_options& common, const domain_options& options);
int cmd_domain_set(const common_options& common, const domain_options& options);
int cmd_domain_remove(const common_options& common, const domain_options& options);
int cmd_plan(const common_options& common, const plan_request& options);
int cmd_dns_push(const common_options& common, const push_options& options);
int cmd_policy_export(const common_options& common, const export_options& options);
int cmd_protect(const common_options& common, const protect_options& options);
int cmd_check_all(const common_options& common, const check_options& options);
int cmd_certificate_list(const common_options& common, const certificate_options& options);
int cmd_certificate_renew(const common_options& common, const certificate_options& options);
int cmd_certificate_key_rollover(const common_options& common);

} // namespace mailtight::app
