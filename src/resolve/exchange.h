// SPDX-License-Identifier: Apache-2.0
// Policies as files, for `cache export` and `cache import`: our own lines of JSON with everything that is
// kept of a domain, and what can be learnt from others: postfix-tlspol's EXPORT and plain lists (domains to
// look up), postfix-mta-sts-resolver's cache (policies). Pure; takes any bytes, line by line; what is wrong
// with a line says its error, and the others are still read.
#pragma once

#include "model/sending.h"
#include "store/policies.h"

#include <cstddef>
#include <expected>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace mailtight::resolve {

enum class exchange_format {
    unknown,
    own,           ///< `{"format":"mailtight-policies",…}` first, one policy a line after it
    tlspol_export, ///< postfix-tlspol's EXPORT: `example.com  secure match=… servername=hostname`
    domains,       ///< a domain a line, `#` begins a comment
    sqlite,        ///< a SQLite file: store::read_foreign_cache(), then take_foreign()
};
/// By the first line that says something; `sqlite` by its first bytes.
exchange_format recognise_exchange(std::string_view beginning);

enum class exchange_fault {
    unknown_format, ///< none of the formats
    version,        ///< written by a later version of this program
    too_long,       ///< a line beyond exchange_line_max
    too_many,       ///< lines beyond exchange_lines_max: the rest is not read
    json,           ///< not one JSON object
    field,          ///< a field is missing, of another type, or not known
    domain,         ///< no domain name, or not in its canonical form
    time,           ///< no time, or one that has not come yet
    policy,         ///< no valid policy text
    expired,        ///< a policy of another service whose life is over
};
std::string_view explain(exchange_fault fault);
struct exchange_error {
    exchange_fault fault = exchange_fault::unknown_format;
    std::size_t line = 0; ///< from 1; 0: the whole
    std::string detail;   ///< which field, which domain: remote bytes, for printable()
};

inline constexpr std::size_t exchange_line_max = 262'144, exchange_lines_max = 10'000'000;

/// The first line, with LF.
std::string exchange_header(base::utc_seconds now);
/// One policy, with LF.
std::string exchange_line(const model::kept_policy& policy);
/// The policy of one line, without LF; times later than `now` (with five minutes of slack) are refused: a
/// policy fetched in the future would never run out.
std::expected<model::kept_policy, exchange_error> read_exchange_line(std::string_view line,
                                                                     base::utc_seconds now);

/// Where what is read goes. Each must be set.
struct exchange_taker {
    std::function<void(model::kept_policy)> policy;
    std::function<void(std::string)> look_up; ///< a domain worth a look: nothing else is known of it
    std::function<void(exchange_error)> refused;
};

/// Reads a file of any of the text formats. An EXPORT of postfix-tlspol names neither id nor max_age nor when
/// a policy was fetched, so its domains are looked up afresh.
class exchange_reader {
public:
    exchange_reader(base::utc_seconds now, exchange_taker into)
        : now_(now)
        , into_(std::move(into)) {}
    /// The next line, with or without its end; false where no further line is wanted.
    bool line(std::string_view text);
    exchange_format format() const { return format_; }
    std::size_t lines() const { return lines_; }

private:
    bool begin(std::string_view text);
    bool refuse(exchange_fault fault, std::string_view detail);

    base::utc_seconds now_;
    exchange_taker into_;
    exchange_format format_ = exchange_format::unknown;
    std::size_t lines_ = 0;
};
/// A whole file.
void read_exchange(std::string_view file, base::utc_seconds now, const exchange_taker& into);

/// A row of postfix-mta-sts-resolver. Its time is that of the last look at the record, not of the fetch, so
/// the policy is due for a fetch at once.
std::expected<model::kept_policy, exchange_error> read_foreign(const store::foreign_policy& row,
                                                               base::utc_seconds now);
/// All rows; of those whose policy cannot be taken, the domain is looked up where it is one.
void take_foreign(std::span<const store::foreign_policy> rows, base::utc_seconds now,
                  const exchange_taker& into);

} // namespace mailtight::resolve
