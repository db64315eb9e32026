// SPDX-License-Identifier: Apache-2.0
// A policy for a web server that is not ours: the file with numbered steps, and as configuration of nginx,
// Caddy, Apache and a Cloudflare Worker. Pure; byte-exact policies (no indentation can leak into a Worker).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mailtight::publish {

enum class export_form { directory, nginx, caddy, apache, worker };
std::optional<export_form> parse_export_form(std::string_view word);
std::string_view to_string(export_form f);

struct exported_policy {
    std::string domain, body, id;
    std::string directory_url; ///< of an `ask` endpoint for Caddy; "" : none
};
/// Files to write, by path inside the folder: for `directory` `.well-known/mta-sts.txt` and `STEPS.txt`.
std::vector<std::pair<std::string, std::string>> export_policy(const exported_policy& what, export_form form);
/// Many domains in one configuration file.
std::string export_all(const std::vector<exported_policy>& what, export_form form);

} // namespace mailtight::publish
