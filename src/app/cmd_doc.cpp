// SPDX-License-Identifier: Apache-2.0
// `doc`: the documents that are made from the tables of the program, so that they cannot drift.
#include "api/route.h"
#include "app/exim_snippet.h"
#include "app/options.h"
#include "app/settings.h"
#include "app/terminal.h"
#include "base/log.h"
#include "base/metrics.h"
#include "findings/finding.h"

#include <boost/json.hpp>
#include <fmt/format.h>

namespace mailtight::app {

int cmd_doc(const common_options&, const std::string& what) {
    if (what == "config") {
        print(example_settings());
        return fine;
    }
    if (what == "findings") {
        boost::json::array rows;
        for (const auto& entry : findings::catalogue())
            rows.push_back(boost::json::object{{"code", entry.code},
                                               {"title", entry.title},
                                               {"part", entry.part},
                                               {"severity",
                                                {{"enforce", findings::to_string(entry.in_enforce)},
                                                 {"testing", findings::to_string(entry.in_testing)},
                                                 {"none", findings::to_string(entry.in_none)},
                                                 {"absent", findings::to_string(entry.in_absent)}}},
                                               {"consequence", entry.consequence},
                                               {"fix", entry.fix},
                                               {"reference", entry.reference},
                                               {"needs_history", entry.needs_history}});
        print(boost::json::serialize(rows) + "\n");
        return fine;
    }
    if (what == "events") {
        boost::json::array rows;
        for (const auto& entry : base::log_events())
            rows.push_back(boost::json::object{
                {"name", entry.name}, {"level", base::to_string(entry.level)}, {"text", entry.text}});
        print(boost::json::serialize(rows) + "\n");
        return fine;
    }
    if (what == "metrics") {
        boost::json::array rows;
        for (const auto& entry : base::metric_table())
            rows.push_back(
                boost::json::object{{"name", entry.name},
                                    {"type", base::to_string(entry.type)},
                                    {"labels", boost::json::array(entry.labels.begin(), entry.labels.end())},
                                    {"help", entry.help}});
        print(boost::json::serialize(rows) + "\n");
        return fine;
    }
    if (what == "settings") {
        boost::json::array rows;
        for (const auto& key : setting_keys())
            rows.push_back(
                boost::json::object{{"section", key.section},
                                    {"name", key.name},
                                    {"default", key.fallback()},
                                    {"text", key.comment},
                                    {"restart", needs_restart(key)},
                                    {"one_of", boost::json::array(key.one_of.begin(), key.one_of.end())}});
        print(boost::json::serialize(rows) + "\n");
        return fine;
    }
    if (what == "exim") {
        print(exim_snippet());
        return fine;
    }
    if (what == "openapi") {
        print(api::openapi(MAILTIGHT_VERSION));
        return fine;
    }
    complain(fmt::format("doc takes {}", doc_words));
    return wrong_usage;
}

} // namespace mailtight::app
