// SPDX-License-Identifier: Apache-2.0
// What was typed for the commands about who may use the pages and the API. cli_access.cpp fills it.
#pragma once

#include "app/options.h"

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

namespace mailtight::app {

struct access_options {
    std::string name;                      ///< of a token, a person, a tenant
    std::vector<std::string> names;        ///< that a tenant may add
    std::string role;                      ///< "" : viewer for people and tokens, administrator for a link
    std::optional<std::string> owner = {}; ///< the tenant; nothing: all domains
    std::string password_file;             ///< "" : asked for at the terminal; "-": standard input
    std::uint64_t days = 0;                ///< of a token; 0: for ever
    std::uint64_t minutes = 0;             ///< of a link; 0: 15
    std::uint64_t limit = 50;              ///< of the log
    std::int64_t before = 0;
};

/// What is wrong with `--owner`; "" where nothing is. A script whose variable is empty must not get a token
/// for every domain.
std::string fault_of_owner(const access_options& options);

int cmd_login_link(const common_options& common, const access_options& options);
int cmd_access_token_add(const common_options& common, const access_options& options);
int cmd_access_token_list(const common_options& common);
int cmd_access_token_remove(const common_options& common, const access_options& options);
int cmd_access_user_add(const common_options& common, const access_options& options);
int cmd_access_user_list(const common_options& common);
int cmd_access_user_remove(const common_options& common, const access_options& options);
int cmd_access_user_password(const common_options& common, const access_options& options);
int cmd_access_tenant_allow(const common_options& common, const access_options& options);
int cmd_access_tenant_list(const common_options& common, const access_options& options);
int cmd_access_tenant_remove(const common_options& common, const access_options& options);
int cmd_access_log(const common_options& common, const access_options& options);
/// Ends sessions: all, or those of one token or person.
int cmd_access_end(const common_options& common, const access_options& options);

/// From the file (its first line; "-" is standard input), else from the terminal: twice, without echo. The
/// error is for a person.
std::expected<std::string, std::string> read_password(const std::string& file, const std::string& name);

} // namespace mailtight::app
