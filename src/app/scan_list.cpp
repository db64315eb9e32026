// SPDX-License-Identifier: Apache-2.0
#include "app/scan_list.h"

#include "base/text.h"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include <sys/stat.h>
#include <unistd.h>

namespace mailtight::app {

namespace {

constexpr std::size_t line_limit = 4096;
constexpr std::size_t lines_limit =
    100'000'000; ///< beyond it a line number in a results file is no line number

/// Never 0, which means "not done".
std::uint32_t mark_of(std::string_view text) {
    std::uint32_t hash = 2166136261u; // FNV-1a
    for (char c : text)
        hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
    return hash ? hash : 1;
}

/// The whole next line without its LF; true where there was one. What exceeds the limit is read and dropped.
bool read_line(std::FILE* from, std::string& into, bool& complete) {
    into.clear();
    complete = false;
    int c;
    bool any = false;
    while ((c = ::getc_unlocked(from)) != EOF) {
        any = true;
        if (c == '\n') {
            complete = true;
            return true;
        }
        if (into.size() < line_limit)
            into.push_back(static_cast<char>(c));
    }
    return any;
}

/// The first field of what is left of a CSV row, as it was before the writer made it safe.
std::string csv_text(std::string_view rest) {
    std::string text;
    if (!rest.starts_with('"')) {
        text = rest.substr(0, rest.find(','));
    } else {
        for (std::size_t i = 1; i < rest.size(); ++i) {
            if (rest[i] == '"') { // a doubled one stands for itself, a single one ends the field
                ++i;
                if (i >= rest.size() || rest[i] != '"')
                    break;
            }
            text += rest[i];
        }
    }
    // The writer put one in front of each first character that it does not trust, itself among them.
    if (text.size() > 1 && text[0] == '\'' && csv_distrusted.find(text[1]) != std::string_view::npos)
        text.erase(0, 1);
    return text;
}

} // namespace

std::expected<list_reader, std::string> list_reader::open(const std::string& file) {
    list_reader reader;
    if (file == "-") {
        reader.file_ = {stdin, [](std::FILE*) { return 0; }};
        return reader;
    }
    reader.file_ = {std::fopen(file.c_str(), "rb"), &std::fclose};
    if (!reader.file_)
        return std::unexpected(fmt::format("{}: {}", base::printable(file), std::strerror(errno)));
    return reader;
}

std::optional<list_line> list_reader::next() {
    std::string line;
    bool complete;
    while (read_line(file_.get(), line, complete)) {
        ++number_;
        auto text = base::trim(line);
        text = base::trim(text.substr(0, text.find(',')));
        if (text.empty() || text.starts_with('#'))
            continue;
        return list_line{number_, base::printable(text, 500)};
    }
    return {};
}

std::optional<list_reader::survey_result> list_reader::survey(const done_lines& before) {
    struct stat facts{};
    if (::fstat(::fileno(file_.get()), &facts) != 0 || !S_ISREG(facts.st_mode))
        return {};
    survey_result found;
    std::size_t done = 0;
    bool mismatch = false;
    while (const auto line = next()) {
        ++found.total;
        done += before.has(*line, mismatch);
    }
    found.fits = !mismatch && done == before.count();
    if (std::fseek(file_.get(), 0, SEEK_SET) != 0)
        return {};
    number_ = 0;
    return found;
}

std::expected<done_lines, std::string> done_lines::read(const std::string& results, bool csv) {
    done_lines done;
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(results.c_str(), "r+b"), &std::fclose);
    if (!file) {
        if (errno == ENOENT)
            return done;
        return std::unexpected(fmt::format("{}: {}", base::printable(results), std::strerror(errno)));
    }
    // Rows can be long (a whole judgement); only their beginning, with the line number and the text, is
    // looked at.
    std::string row;
    bool complete = false;
    long good_end = 0;
    while (read_line(file.get(), row, complete)) {
        if (!complete)
            break;
        good_end = std::ftell(file.get());
        std::string_view rest = row;
        if (csv && rest.starts_with("line,")) {
            done.has_header_ = true;
            continue;
        }
        constexpr std::string_view before = R"({"line":)";
        if (!csv) {
            if (!rest.starts_with(before))
                return std::unexpected(fmt::format("{} holds no results of a scan: give another --output",
                                                   base::printable(results)));
            rest.remove_prefix(before.size());
        }
        std::size_t number = 0;
        auto [stop, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
        if (error != std::errc{} || number == 0 || number > lines_limit)
            return std::unexpected(fmt::format("{} holds no results of a scan: give another --output",
                                               base::printable(results)));
        rest.remove_prefix(static_cast<std::size_t>(stop - rest.data()));
        std::string text;
        if (csv) {
            rest.remove_prefix(rest.empty() ? 0 : 1);
            text = csv_text(rest);
        } else {
            constexpr std::string_view list_key = R"(,"listed":)";
            if (rest.starts_with(list_key)) {
                rest.remove_prefix(list_key.size());
                boost::json::stream_parser parser;
                boost::system::error_code ignored;
                parser.write_some(rest.data(), rest.size(), ignored);
                if (!ignored && parser.done())
                    if (auto value = parser.release(); value.is_string())
                        text = std::string(value.as_string());
            }
        }
        done.add(number, text);
    }
    if (::ftruncate(::fileno(file.get()), good_end) != 0)
        return std::unexpected(fmt::format("{}: {}", base::printable(results), std::strerror(errno)));
    return done;
}

void done_lines::add(std::size_t number, std::string_view text) {
    if (marks_.size() <= number)
        marks_.resize(std::max(number + 1, marks_.size() * 2));
    count_ += marks_[number] == 0;
    marks_[number] = mark_of(text);
}

bool done_lines::has(const list_line& line, bool& mismatch) const {
    if (line.number >= marks_.size() || marks_[line.number] == 0)
        return false;
    mismatch = mismatch || marks_[line.number] != mark_of(line.text);
    return true;
}

} // namespace mailtight::app
