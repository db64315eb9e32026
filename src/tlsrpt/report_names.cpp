// SPDX-License-Identifier: Apache-2.0
// The names that a report travels under: its file name and the subject of its mail. Read for hints only.
#include "base/host_name.h"
#include "base/text.h"
#include "tlsrpt/date_time.h"
#include "tlsrpt/write_report.h"

#include <algorithm>
#include <charconv>

namespace mailtight::tlsrpt {
namespace {

std::optional<base::utc_seconds> epoch_of(std::string_view digits) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc{} || end != digits.data() + digits.size())
        return std::nullopt;
    return plausible_epoch(value);
}

std::string name_of(std::string_view text) {
    text = base::trim(text);
    if (text.ends_with('.'))
        text.remove_suffix(1);
    return base::is_host_name(text) ? base::lower(text) : "";
}

// Takes `word` off the front, whatever its case.
bool skip_word(std::string_view& from, std::string_view word) {
    from = base::trim(from);
    if (!base::iequals(from.substr(0, word.size()), word))
        return false;
    from = base::trim(from.substr(word.size()));
    return true;
}
std::string_view take_word(std::string_view& from) {
    const auto end = std::min(from.find_first_of(" \t\r\n"), from.size());
    const auto word = from.substr(0, end);
    from.remove_prefix(end);
    return word;
}

} // namespace

std::string report_file_name::to_string() const { // 8460-5.1-a, 8460-5.1-d, 8460-5.1-e
    std::string out = sender + "!" + domain + "!" + std::to_string(start.time_since_epoch().count()) + "!" +
                      std::to_string(end.time_since_epoch().count());
    if (!unique_id.empty()) {
        out += '!';
        std::ranges::copy_if(unique_id, std::back_inserter(out), base::is_alnum); // 8460-5.1-f
    }
    return out + (gzip ? ".json.gz" : ".json");
}

std::optional<report_file_name> parse_report_file_name(std::string_view name) {
    // 8460-5.1-g: nothing in it is a path.
    if (const auto slash = name.find_last_of("/\\"); slash != std::string_view::npos)
        name.remove_prefix(slash + 1);
    name = base::trim(name);
    report_file_name out;
    out.gzip = base::iends_with(name, ".gz") || base::iends_with(name, ".gzip");
    const auto parts = base::split(name, '!');
    if (parts.size() < 4 || parts.size() > 5)
        return std::nullopt;
    const auto bare = [](std::string_view last) {
        const auto dot = last.find('.');
        return last.substr(0, dot);
    };
    const auto start = epoch_of(parts[2]);
    const auto end = epoch_of(parts.size() == 4 ? bare(parts[3]) : parts[3]);
    out.sender = name_of(parts[0]);
    out.domain = name_of(parts[1]);
    if (!start || !end || out.domain.empty())
        return std::nullopt;
    out.start = *start;
    out.end = *end;
    if (parts.size() == 5)
        out.unique_id = bare(parts[4]);
    return out;
}

std::string report_subject::to_string() const { // 8460-5.3-i
    return "Report Domain: " + domain + " Submitter: " + submitter + " Report-ID: <" + report_id + ">";
}

std::optional<report_subject> parse_report_subject(std::string_view subject) {
    report_subject out;
    // Gateways put words in front ("[EXTERNAL] ").
    const std::string lower = base::lower(subject);
    const auto from = lower.find("report");
    if (from == std::string::npos)
        return std::nullopt;
    std::string_view rest = subject.substr(from);
    if (!skip_word(rest, "report") || !skip_word(rest, "domain:"))
        return std::nullopt;
    out.domain = name_of(take_word(rest));
    if (out.domain.empty())
        return std::nullopt;
    if (skip_word(rest, "submitter:"))
        out.submitter = name_of(take_word(rest));
    if (skip_word(rest, "report-id:")) {
        auto id = take_word(rest);
        if (id.starts_with('<'))
            id.remove_prefix(1);
        if (const auto close = id.find('>'); close != std::string_view::npos)
            id = id.substr(0, close);
        out.report_id = id;
    }
    return out;
}

} // namespace mailtight::tlsrpt
