// SPDX-License-Identifier: Apache-2.0
// Exim, which asks one line a question, and Sendmail, which speaks socketmap since 8.17.
#include "app/doctor_mta.h"

#include "base/text.h"

#include <fmt/format.h>

namespace mailtight::app {

namespace {

using state = check_row::state;

/// The rest of the line behind the words, at their first place.
std::string_view after(std::string_view text, std::string_view words) {
    const auto at = text.find(words);
    if (at == std::string_view::npos)
        return {};
    text.remove_prefix(at + words.size());
    return base::trim(text.substr(0, text.find('\n')));
}

check_row service_for(std::string_view program, const std::vector<std::string>& listeners,
                      const sending_facts& ours, std::string fresh) {
    check_row row{.check = fmt::format("{} reaches the policy service", program)};
    if (listeners.empty()) {
        row.seen = "no listener is configured";
        row.fix = "set this in mailtight.toml and start mailtight serve:";
        row.lines = std::move(fresh);
        return row;
    }
    row.seen = listeners.front();
    const auto seen = ours.seen.find(listeners.front());
    if (seen == ours.seen.end())
        return row;
    row.result = seen->second.answers && seen->second.open_to_all ? state::good : state::bad;
    row.seen += !seen->second.there         ? ": nobody listens there"
                : !seen->second.open_to_all ? ": other users may not connect to it"
                : !seen->second.answers     ? ": no answer to a question"
                                            : ", answers";
    if (row.result == state::bad)
        row.fix = "start mailtight serve and look at mailtight status; add ,mode=0666 to a unix socket";
    return row;
}

/// `inet:PORT@HOST` or `unix:PATH` of a listener, as sendmail's socket maps name it.
std::string sendmail_socket(std::string_view listener) {
    if (listener.starts_with("unix:"))
        return std::string(listener.substr(0, listener.find(',')));
    const auto colon = listener.rfind(':');
    std::string_view host = listener.substr(0, colon);
    std::string_view kind = "inet";
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
        kind = "inet6";
    }
    return fmt::format("{}:{}@{}", kind, listener.substr(colon + 1), host);
}

} // namespace

std::vector<check_row> judge_exim(std::string_view version_text, const sending_facts& ours) {
    const auto words = after(version_text, "Exim version ");
    const auto version = parse_version(words.substr(0, words.find(' ')));
    check_row row{.check = "Exim", .result = state::good};
    row.seen = version ? version->text : "of an unknown version";
    if (!version || *version < mta_version{4, 94, 0, ""}) {
        row.result = version ? state::bad : state::unknown;
        row.fix = "policies can be asked for from Exim 4.94 on";
    }
    if (version_text.find("DANE") == std::string_view::npos)
        row.seen += ", built without DANE";
    auto service = service_for("Exim", ours.lines, ours,
                               "[resolve]\nlines-listen = [\"unix:/run/mailtight/lines.sock,mode=0666\"]");
    if (service.result != state::bad && !ours.lines.empty())
        service.fix = "mailtight doc exim prints the macros, routers and transport for it";
    return {row, service};
}

std::vector<check_row> judge_sendmail(std::string_view version_text, std::string_view configuration,
                                      const sending_facts& ours) {
    const auto version = parse_version(after(version_text, "Version "));
    check_row row{.check = "Sendmail", .result = state::good};
    row.seen = version ? version->text : "of an unknown version";
    if (!version || *version < mta_version{8, 17, 0, ""}) {
        row.result = version ? state::bad : state::unknown;
        row.fix = "policies can be asked for from Sendmail 8.17 on, where it is built with MTA-STS";
    } else if (version_text.find("MTA_STS") == std::string_view::npos &&
               version_text.find("FFR") != std::string_view::npos) {
        row.result = state::bad;
        row.seen += ", built without MTA-STS";
        row.fix = "it needs a build with _FFR_MTA_STS, as Debian's is";
    }
    auto service =
        service_for("Sendmail", ours.socketmap, ours, "[resolve]\nsocketmap-listen = [\"127.0.0.1:5461\"]");
    std::vector<check_row> rows = {row, service};
    if (ours.socketmap.empty())
        return rows;
    const auto place = sendmail_socket(ours.socketmap.front());
    check_row asks{.check = "Sendmail asks for policies", .result = state::good};
    const auto map = after(configuration, "\nKsts ");
    if (map.find(place) != std::string_view::npos) {
        asks.seen = fmt::format("Ksts {}", map);
    } else {
        asks.result = state::bad;
        asks.seen = map.empty() ? "sendmail.cf has no FEATURE(`sts')"
                                : fmt::format("Ksts {}, which is not our listener", map);
        asks.fix = "put this into sendmail.mc, make sendmail.cf from it and restart sendmail:";
        asks.lines = place == "inet:5461@127.0.0.1"
                         ? "FEATURE(`sts')dnl\n"
                         : fmt::format("FEATURE(`sts', `socket -d5 -T<TMPF> {}')dnl\n", place);
        if (!ours.roots.empty())
            asks.lines += fmt::format("define(`confCACERT', `{}')dnl\n", ours.roots);
    }
    rows.push_back(std::move(asks));
    return rows;
}

} // namespace mailtight::app
