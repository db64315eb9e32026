// SPDX-License-Identifier: Apache-2.0
// Domains looked after as rows, and what may be written at all. The list of fields is one: from it come the
// columns, the log of changes and what is read back. Pure, but for the rows.
#pragma once

#include "model/looked_after.h"
#include "model/watched.h"
#include "store/domains.h"
#include "store/sql.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace mailtight::store {

/// A field of what is wanted, kept as text: a word, a number, "yes" or "", a list as JSON.
struct wish_field {
    std::string_view column;
    std::string_view name; ///< in the log of changes: "set mode"
    std::string (*read)(const model::looked_after&);
    void (*write)(model::looked_after&, std::string_view);
    bool list = false;
};
std::span<const wish_field> wish_fields();
/// The field for people: a list with commas.
std::string for_people(const wish_field& field, const model::looked_after& of);

/// "domain, owner, …": what read_looked_after() reads.
const std::string& looked_after_columns();
/// Without its marks.
model::looked_after read_looked_after(const sql::row& from);

/// Why this cannot be written: a field that is malformed, or larger than it may be. Nothing: it can.
std::optional<store_error> refused(const model::looked_after& value);
std::optional<store_error> refused(const model::mark& value, std::string_view name);
std::optional<store_error> refused(const model::publication& value);
std::optional<store_error> refused(const kept_certificate& value);
std::optional<store_error> refused(const model::watched_state& value);
std::optional<store_error> refused_name(std::string_view what, std::string_view text, std::size_t most);
std::optional<store_error> refused_bytes(std::string_view what, std::string_view bytes, std::size_t most);
std::optional<store_error> refused_domain(std::string_view domain);

/// 32 bytes over all in which two looks of one kind can differ.
std::string digest_of(const model::watched_state& state);

/// What senders who fetch this body remember, and for how long (RFC 8461 §3.2). A body that nobody should
/// use is still read as far as somebody might.
struct body_facts {
    sts::mode mode = sts::mode::none;
    std::uint64_t max_age = 0;
};
body_facts facts_of(std::string_view body);

} // namespace mailtight::store
