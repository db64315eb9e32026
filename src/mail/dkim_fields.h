// SPDX-License-Identifier: Apache-2.0
// A message as DKIM sees it (RFC 6376 §3.4): raw header fields and the raw body, as views into the caller's
// bytes, and their canonical forms. Pure; takes any bytes; work and memory grow with the message's length
// only. Bare LF counts as the line end that it was meant to be.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace mailtight::mail {

struct dkim_field {
    std::string_view name; ///< as written, without blanks before the colon
    std::string_view raw;  ///< the whole field, foldings included, without its last line end
    std::string_view value() const { return raw.substr(raw.find(':') + 1); }
};

struct dkim_message {
    std::vector<dkim_field> fields; ///< top first; lines that are no field are left out
    std::string_view body;
    std::size_t header_bytes = 0;
};
dkim_message split_for_dkim(std::string_view message);

enum class dkim_canon { simple, relaxed };

/// Appends the canonical field, CRLF included (RFC 6376 §3.4.1, §3.4.2).
void append_canonical(std::string& out, std::string_view raw_field, dkim_canon how);
/// SHA-256 of the canonical body (RFC 6376 §3.4.3, §3.4.4), 32 raw bytes.
std::string canonical_body_hash(std::string_view body, dkim_canon how);

/// Finds fields by name, ASCII case-insensitively, and gives those of one name from the bottom up, as h= asks
/// (RFC 6376 §5.4.2).
class dkim_field_index {
public:
    explicit dkim_field_index(const dkim_message& message);
    std::size_t count(std::string_view name) const;

    /// One walk through an h= list.
    class selection {
    public:
        explicit selection(const dkim_field_index& index)
            : index_(index) {}
        /// The lowest field of that name not yet taken, or nullptr; `except` is passed over.
        const dkim_field* next(std::string_view name, const dkim_field* except = nullptr);

    private:
        const dkim_field_index& index_;
        std::unordered_map<const std::vector<std::size_t>*, std::size_t> taken_;
    };

private:
    // A tree rather than a hash table, whose collisions the sender of a mail could choose.
    struct less_name {
        bool operator()(std::string_view a, std::string_view b) const;
    };
    const dkim_message& message_;
    std::map<std::string_view, std::vector<std::size_t>, less_name> places_;
};

} // namespace mailtight::mail
