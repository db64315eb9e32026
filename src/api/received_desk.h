// SPDX-License-Identifier: Apache-2.0
// What the routes of reports received ask for: app/ implements it with the daemon's objects. Questions go to
// the store on threads of their own; the desk is asked on the loop. It knows no tenants: the routes narrow
// what is asked, and look at whose the answer is; a report that several owners share comes in parts.
#pragma once

#include "insight/insight.h"
#include "insight/render_rows.h"
#include "io/loop.h"
#include "store/store.h"

#include <boost/json/object.hpp>

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

namespace mailtight::api {

/// Something of ours that changed, beside the graph of sessions.
struct change_mark {
    base::utc_seconds at{};
    std::string domain;
    std::string_view kind; ///< "policy", "mode", "mx", "record"
    std::string words;
};
struct silent_domain {
    std::string domain;
    std::vector<insight::silence_cause> causes;
};

/// A period of the domains in question. Days and reporters are sums where these are several: their domain is
/// "" then.
struct report_period {
    insight::summary sums;
    std::vector<store::reporter_day_row> by_reporter; ///< the largest, and "" for all others
    std::vector<store::domain_row> domains;           ///< the most failures first, not all of many
    std::vector<change_mark> marks;                   ///< in order of time
    std::vector<silent_domain> silence;
};

struct failing {
    insight::failure_group group;
    std::optional<base::utc_seconds> looked_at; ///< the look that was joined with it
};
struct failing_list {
    std::vector<failing> groups; ///< the most sessions first
    std::size_t left_out = 0;
};

/// Whose figures may be told: those of these domains, in order, and of what lies below them; nothing: all.
using own_domains = std::optional<std::vector<std::string>>;

/// A report as its document, which is made where it is read: it may be large.
struct shown_report {
    std::string report_domain;
    boost::json::object document;
    std::vector<std::string> named = {}; ///< every domain that it tells of, lower case
};
struct raw_report {
    std::string report_domain;
    std::string json;                    ///< "" : no longer kept
    std::vector<std::string> named = {}; ///< every domain that it tells of, lower case
};

/// A file somebody handed in.
struct upload {
    std::string name, bytes;
};
/// Why one is not read now.
enum class upload_refusal { busy, store_away };

struct file_error {
    std::string source, code, message;
};
struct read_file {
    std::vector<boost::json::object> reports; ///< each as its document
    std::vector<file_error> errors;
    std::size_t left_out = 0; ///< reports beyond what is shown
};
struct imported_file {
    std::vector<store::add_outcome> outcomes;
    std::vector<file_error> errors;
};

/// A synthetic report on its way to each address of a domain's record.
struct report_test {
    std::string token, domain;
    bool finished = false;
    std::string trouble;
    struct sending {
        std::string to;
        bool ok = false;
        std::string server, stage, words;
        std::optional<store::report_number> arrived;
    };
    std::vector<sending> sent;
};

/// Why none is sent: one of this domain is on its way or too many are; the domain is none of ours, and its
/// addresses are strangers'.
enum class test_refusal { busy, not_ours };

class received_desk {
public:
    virtual ~received_desk() = default;
    virtual base::utc_seconds now() const = 0;
    /// The domains that are looked after for this owner, in order.
    virtual io::task<store::result<std::vector<std::string>>> domains_of(std::string owner) = 0;

    /// Of a report that tells of others too, the part of `whose`; one without such a part is left out.
    virtual io::task<store::result<std::vector<store::report_row>>> list(store::filter of, store::page which,
                                                                         own_domains whose) = 0;
    virtual io::task<store::result<std::optional<shown_report>>> show(store::report_number number,
                                                                      own_domains whose) = 0;
    /// None where a part of it alone is theirs.
    virtual io::task<store::result<std::optional<raw_report>>> raw(store::report_number number,
                                                                   own_domains whose) = 0;
    /// From and to are given.
    virtual io::task<store::result<report_period>> summary(store::filter of) = 0;
    virtual io::task<store::result<failing_list>> failures(store::filter of) = 0;

    /// Those that hold, by key.
    virtual io::task<store::result<std::vector<insight::mute>>> mutes() = 0;
    virtual io::task<store::result<void>> set_mute(insight::mute value) = 0;
    virtual io::task<store::result<void>> end_mute(std::string key) = 0;

    /// Read, judged and explained; nothing is stored.
    virtual io::task<std::expected<read_file, upload_refusal>> read(upload file) = 0;
    /// Into the store, by the word of whoever hands it in.
    virtual io::task<std::expected<imported_file, upload_refusal>> import(upload file) = 0;

    /// Begins to send to each address of the record, and returns when all were tried or after some seconds.
    virtual io::task<store::result<std::expected<report_test, test_refusal>>>
    begin_test(std::string domain) = 0;
    /// As far as it is; nothing: there is no such test, or it is long ago.
    virtual io::task<store::result<std::optional<report_test>>> test(std::string token) = 0;
};

} // namespace mailtight::api
