// SPDX-License-Identifier: Apache-2.0
// The long list of a scan: read line by line, never held; and what an earlier run has done of it, held as
// four bytes a line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::app {

/// A spreadsheet takes a text that begins with one of the first four for a formula; a `'` is put in front of
/// it, and in front of a `'`, so that the text can be read back.
constexpr std::string_view csv_distrusted = "=+-@'";

/// One line of the list that names a domain.
struct list_line {
    std::size_t number = 0; ///< 1-based, of the file
    std::string text;       ///< trimmed, first column where there are commas; odd bytes made visible
};

class done_lines;

class list_reader {
public:
    /// `-` is standard input. The error is for the person.
    static std::expected<list_reader, std::string> open(const std::string& file);
    /// The next line that is neither empty nor a comment (#); a line over 4096 bytes is cut.
    std::optional<list_line> next();
    /// What a reading of the whole list tells before the first next().
    struct survey_result {
        std::size_t total = 0;
        bool fits = true; ///< every done line is there and names what the results name
    };
    /// Nothing where the list can be read only once (a pipe).
    std::optional<survey_result> survey(const done_lines& before);

private:
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_{nullptr, [](std::FILE*) { return 0; }};
    std::size_t number_ = 0;
};

/// Which lines a results file holds already.
class done_lines {
public:
    /// Reads an earlier results file (NDJSON or CSV, each row beginning with its line number) and cuts off a
    /// last row that was written in part. A missing file is an empty one.
    static std::expected<done_lines, std::string> read(const std::string& results, bool csv);
    /// True where the line is done. Sets `mismatch` where the row was about another domain: the list has
    /// changed.
    bool has(const list_line& line, bool& mismatch) const;
    std::size_t count() const { return count_; }
    /// The results begin with the header of a CSV file.
    bool has_header() const { return has_header_; }

private:
    void add(std::size_t number, std::string_view text);
    std::vector<std::uint32_t> marks_; ///< by line number: 0 not done, else a hash of the text
    std::size_t count_ = 0;
    bool has_header_ = false;
};

} // namespace mailtight::app
