// SPDX-License-Identifier: Apache-2.0
// A table of answers in the three forms that people and scripts want: columns for the eye, NDJSON, CSV. A
// cell is written once and each form follows from it. Pure.
#pragma once

#include "advise/text.h"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace mailtight::insight {

struct column {
    std::string key;     ///< of JSON and of the CSV head: a contract; "" : for the eye alone
    std::string heading; ///< for the eye; "" : shown in JSON and CSV alone
    /// `whole` is never cut (a day, a domain); a `remark` stands on a line of its own below its row where the
    /// table is wider than the screen.
    enum class kind { text, number, whole, remark } what = kind::text;
};
struct table {
    std::vector<column> columns;
    std::vector<std::vector<boost::json::value>>
        rows;            ///< a value a column: text, number, list of texts, null
    std::string nothing; ///< the sentence for a person where there is no row
};

/// Aligned columns, numbers to the right and grouped by thousands. Where the screen is too narrow, remarks go
/// below their row, then text columns go whose cells are all alike, then the widest text column is cut.
/// Nothing gives way with style::whole_tables. Ends with a newline.
std::string table_text(const table& what, const advise::style& how);
/// JSON in one line, with numbers as people write them: 0.0538, not 5.38E-2.
std::string json_line(const boost::json::value& what);
/// One object a row.
boost::json::array table_json(const table& what);
/// One object a row and line.
std::string table_ndjson(const table& what);
/// RFC 4180 (CRLF, quotes doubled), with a head line. A cell that a spreadsheet would take for a formula
/// gets an apostrophe in front.
std::string table_csv(const table& what);
/// One cell of table_csv().
std::string csv_cell(std::string_view text);

} // namespace mailtight::insight
