// SPDX-License-Identifier: Apache-2.0
// Bytes -> reports: sniffs what they are, inflates within limits, reads field by field and tolerantly (RFC
// 8460 §4, §5.6; A22-A45). Labels are never trusted. Pure; takes any bytes;
// a fast path (simdjson) and a tolerant reader that takes over where that one refuses, agreeing on valid
// JSON.
#pragma once

#include "tlsrpt/report.h"

#include <cstddef>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::tlsrpt {

struct read_limits {
    std::size_t json_bytes = 64 * 1024 * 1024; ///< one decompressed body
    std::size_t ratio = 200;                   ///< of decompression, beyond 1 MiB
    std::size_t depth = 32;                    ///< of JSON
    std::size_t policies = 100'000;            ///< kept of one report; more: truncated
    std::size_t details = 1'000'000;           ///< kept over all policies of one report; more: truncated
    std::size_t text_bytes = 65'536;           ///< of one text; longer is cut, with a warning
    std::size_t bodies = 1'000;                ///< of one container
    std::size_t warnings = 256;
};

/// What stood around a body, weakest evidence last. Each only fills what the body lacks (8460-5.6-a).
struct report_hints {
    std::string report_domain;  ///< TLS-Report-Domain header
    std::string submitter;      ///< TLS-Report-Submitter header
    std::string file_name;      ///< sender!domain!begin!end!id.json.gz
    std::string subject;        ///< unfolded and decoded
    std::string address_domain; ///< from a per-domain token in the recipient address or URL
    std::optional<base::utc_seconds> mail_date;
    std::string media_type; ///< what the label said: only for the warning that it lied
};

enum class read_problem {
    empty,        ///< no bytes
    not_a_report, ///< no JSON object with policies in it
    not_json,     ///< neither JSON nor a container that is read
    too_large,    ///< more bytes than allowed
    bomb,         ///< compressed beyond the ratio
    damaged,      ///< a broken gzip or zip
};
std::string_view to_string(read_problem p); ///< "not-a-report"
struct read_error {
    read_problem code = read_problem::not_a_report;
    std::string message;    ///< for a person: what, where, why
    std::size_t offset = 0; ///< of the byte, where one is to blame
};

enum class body_format { json, gzip, zip };
std::string_view to_string(body_format f);

/// One body of a container: a report, or why it is none.
struct read_body {
    body_format format = body_format::json;
    std::string name; ///< member name in a zip, else ""
    std::string json; ///< the decompressed bytes as they came: kept raw in the store
    std::expected<report, read_error> result;
};

/// Reads reports; keeps its parser's buffers from call to call. One thread at a time.
class report_reader {
public:
    explicit report_reader(read_limits limits = {});
    ~report_reader();
    /// One JSON text.
    std::expected<report, read_error> read_json(std::string_view json, const report_hints& hints = {});
    /// JSON, gzip (nested at most twice), or zip with several members: each body with its report or error; at
    /// least one entry.
    std::vector<read_body> read(std::string_view bytes, const report_hints& hints = {});

private:
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace mailtight::tlsrpt
