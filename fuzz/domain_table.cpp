// SPDX-License-Identifier: Apache-2.0
// Any bytes as a table of domains: no row is lost or made up, each error says where, and what was read reads
// the same when every cell is quoted.
#include "app/domain_wish.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

using namespace mailtight;

namespace {

void must(bool holds, const char* what) {
    if (holds)
        return;
    std::fprintf(stderr, "%s\n", what);
    std::abort();
}

std::string quoted(const std::vector<std::vector<std::string>>& rows) {
    std::string text;
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            text += i > 0 ? ",\"" : "\"";
            for (const char c : row[i])
                text += c == '"' ? "\"\"" : std::string(1, c);
            text += '"';
        }
        text += "\r\n";
    }
    return text;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto rows = app::csv_rows(bytes);
    if (rows) {
        must(rows->size() <= bytes.size(), "more rows than bytes");
        for (const auto& row : *rows)
            must(!row.empty() && row.size() <= 64, "a row of no cells, or of too many");
        must(app::csv_rows(quoted(*rows)) == *rows, "quoted it is another table");
    } else {
        must(rows.error().starts_with("line ") || rows.error().starts_with("more than "),
             "an error without a place");
    }
    const auto table = app::read_domain_csv(bytes);
    must(table || !table.error().empty(), "an error without words");
    for (std::size_t i = 0; table && i < table->size(); ++i) {
        must(table->size() < rows->size() + 1 && (*table)[i].line == i + 2, "another row");
        // What was wished is taken or refused in words, and takes no other form.
        const auto made = app::new_domain("example.com", (*table)[i].wishes, {}, base::utc_seconds{});
        must(made || !made.error().empty(), "a wish refused without words");
        if (made)
            must(made->domain == "example.com" && made->owner.find('\n') == std::string::npos,
                 "another domain");
    }
    return 0;
}
