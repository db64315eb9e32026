// SPDX-License-Identifier: Apache-2.0
// What was typed for the commands of "Your mail server sending". cli_sending.cpp fills them.
#pragma once

#include "app/options.h"

#include <cstdint>
#include <string>
#include <vector>

namespace mailtight::app {

struct resolve_options {
    std::string domain;
    bool explain = false, live = false;
    std::string dialect;
    bool own_network = false; ///< network options were given: ask no daemon
};

struct cache_options {
    std::string domain;
    std::string file = "-";      ///< export, import
    std::string mode;            ///< list
    bool failing = false;        ///< list
    std::string failed;          ///< refresh: what the mail server said
    bool all = false;            ///< purge
    std::string as, why, until;  ///< override
    std::vector<std::string> mx; ///< override
    bool remove = false;         ///< override
    bool own_network = false;
};

struct own_report_options {
    std::string domain;        ///< preview; outbox: only about it
    std::string day;           ///< send, preview, outbox
    std::string dry_run;       ///< send: a folder
    std::string what, address; ///< outbox: a number, suppress, allow or suppressed; keys: make or show
    std::string state;         ///< outbox
    std::string why, until;    ///< outbox suppress
    std::uint64_t limit = 100; ///< outbox
    std::string selector;      ///< keys make
    std::string format = "table";
};

int cmd_report_send(const common_options& common, const own_report_options& options);
int cmd_report_preview(const common_options& common, const own_report_options& options);
int cmd_report_outbox(const common_options& common, const own_report_options& options);
int cmd_report_keys(const common_options& common, const own_report_options& options);
int cmd_resolve(const common_options& common, const resolve_options& options);
int cmd_cache_list(const common_options& common, const cache_options& options);
int cmd_cache_show(const common_options& common, const cache_options& options);
int cmd_cache_refresh(const common_options& common, const cache_options& options);
int cmd_cache_purge(const common_options& common, const cache_options& options);
int cmd_cache_override(const common_options& common, const cache_options& options);
int cmd_cache_export(const common_options& common, const cache_options& options);
int cmd_cache_import(const common_options& common, const cache_options& options);
int cmd_cache_overrides(const common_options& common);

} // namespace mailtight::app
