// SPDX-License-Identifier: Apache-2.0
// Any bytes through examine(), by every kind of way: nothing is believed that no key backs, what is needed
// from the DNS is bounded, and two readings say the same.
#include "intake/examine.h"

#include <cstdint>
#include <cstdlib>

using namespace mailtight;

namespace {

void require(bool holds) {
    if (!holds)
        std::abort();
}

tlsrpt::read_limits small_limits() {
    tlsrpt::read_limits limits;
    limits.json_bytes = 256 * 1024; // so that they are met
    limits.bodies = 20;
    limits.text_bytes = 4'096;
    return limits;
}

/// No key is ever found: nothing can be verified.
struct no_keys final : mail::dkim_keys {
    mail::dkim_key_answer::status what = mail::dkim_key_answer::status::absent;
    mail::dkim_key_answer find(std::string_view) const override { return {what, {}, 60}; }
};

void check(const intake::examined& found, const intake::circumstances& how) {
    require(!found.reports.empty() || !found.errors.empty());
    require(found.reports.size() <= 1'000 && found.errors.size() <= 1'000);
    for (const auto& report : found.reports) {
        require(report.trust != model::trust::verified);
        require(!report.trust_reason.empty());
        require(report.way == how.way);
        require(report.dkim.mail || report.trust != model::trust::rejected);
        if (how.way == model::way_in::lmtp)
            require(report.dkim.mail && report.trust < model::trust::authorised);
        for (const auto* name : {&report.submitter, &report.report_domain})
            require(name->size() <= 253 && name->find_first_of("\r\n\t \x1b") == name->npos);
        require(report.trust_reason.find_first_of("\r\n\x1b") == std::string::npos);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static intake::examiner reads(small_limits()), again(small_limits());
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    no_keys absent, unavailable;
    unavailable.what = mail::dkim_key_answer::status::unavailable;

    intake::circumstances how;
    how.now = base::utc_seconds{std::chrono::seconds(1'777'800'000)};
    how.trusted_authservers = {"mx.example.com"};
    how.source = "report.json.gz";
    for (const auto way : {model::way_in::file, model::way_in::lmtp, model::way_in::https}) {
        how.way = way;
        how.domain_of_token = way == model::way_in::https ? "example.com" : "";
        require(intake::examiner::keys_needed(bytes, way).size() <= 10);
        auto without_own = how;
        without_own.trusted_authservers.clear();
        const auto first = reads.examine(bytes, without_own, absent);
        check(first, how);
        const auto second = again.examine(bytes, without_own, unavailable);
        check(second, how);
        require(first.reports.size() == second.reports.size() && first.errors.size() == second.errors.size());
        for (std::size_t i = 0; i < first.reports.size(); ++i)
            require(first.reports[i].report == second.reports[i].report &&
                    first.reports[i].report_domain == second.reports[i].report_domain);
    }
    how.way = model::way_in::imap; // the fields of one's own servers are read too
    (void)reads.examine(bytes, how, absent);
    return 0;
}
