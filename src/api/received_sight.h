// SPDX-License-Identifier: Apache-2.0
// What a caller may see of the reports received. Who sees the domains of one owner alone is asked for no
// others: the question is narrowed to theirs, and an answer about something else is "not found". For
// *_routes.cpp of the received reports alone. Lives on the loop.
#pragma once

#include "api/received_desk.h"
#include "api/route.h"

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::api {

struct sight {
    bool all = true;
    std::vector<std::string> theirs; ///< in order; where not all
    own_domains told() const { return all ? std::nullopt : own_domains(theirs); }
    bool sees(std::string_view domain) const;
    /// A report of theirs that tells of nothing but theirs and what lies below: some reporters put several
    /// domains, which may be several owners', into one. Of those the desk gives the part.
    bool sees(std::string_view report_domain, const std::vector<std::string>& named) const;
};

io::task<store::result<sight>> sight_of(context& with, const caller& by);

/// The question as it may be asked; `nothing`: there is nothing that it could find.
struct narrowed {
    store::filter of;
    sight may;
    bool nothing = false;
};

/// By the call's query; of the last `days` where it names none, of all where that is 0.
io::task<std::expected<narrowed, wire::http_reply>> narrow(context& with, const call& asked, int days);

wire::http_reply bad_request(const std::string& why);
wire::http_reply not_looked_after();

/// The routes beside those of the reports themselves.
std::vector<route> mute_routes();        ///< mute_routes.cpp
std::vector<route> report_file_routes(); ///< report_file_routes.cpp: files handed in, the synthetic report

} // namespace mailtight::api
