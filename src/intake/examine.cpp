// SPDX-License-Identifier: Apache-2.0
// Entry point: examiner::examine(). A mail is opened once, its signatures are verified once, and each report
// in it is judged by the signature that stands for that report's own names. What one input may cost is
// bounded over all its parts together, not part by part.
#include "intake/examine.h"

#include "base/text.h"
#include "intake/attribute.h"
#include "intake/own_results.h"
#include "intake/parts.h"
#include "intake/signatures.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailtight::intake {

namespace {

// Over all parts of one mail: bodies that turn out to be none (each may cost a decompression), and bytes that
// came out.
constexpr std::size_t failures_max = 16;
constexpr std::size_t errors_max = 100;

// Came as mail, whatever the bytes look like: a sender must not choose how he is judged.
bool is_mail_way(model::way_in way) {
    using enum model::way_in;
    return way == smtp || way == lmtp || way == imap || way == maildir || way == mbox;
}

// mbox files that were cut by others, and some maildirs, leave the postmark line in front.
std::string_view without_postmark(std::string_view bytes) {
    if (!bytes.starts_with("From "))
        return bytes;
    const auto end = bytes.find('\n');
    return end == bytes.npos ? bytes : bytes.substr(end + 1);
}

bool treat_as_mail(std::string_view bytes, model::way_in way) {
    if (is_mail_way(way))
        return true;
    // A mail that somebody posts has no transport that vouches for it, and the site takes none.
    return way != model::way_in::https && mail::looks_like_message(bytes);
}

mail::dkim_options dkim_options_of(const circumstances& how) {
    mail::dkim_options options;
    options.strict_service = how.strict_dkim_service; // 8460-3-n
    return options;
}

std::string code_of(mail::message_problem problem) {
    return problem == mail::message_problem::too_large ? "too-large" : "not-a-report";
}

} // namespace

struct examiner::state {
    explicit state(tlsrpt::read_limits given)
        : limits(given)
        , reader(given) {}

    tlsrpt::read_limits limits;
    tlsrpt::report_reader reader;
    mail::dkim_key_cache keys;
};

namespace {

/// One call of examine(): what is read so far.
class reading {
public:
    reading(tlsrpt::report_reader& reader, const tlsrpt::read_limits& limits, const circumstances& how)
        : reader_(reader)
        , limits_(limits)
        , how_(how) {}

    bool exhausted() const {
        return failures_ >= failures_max || json_bytes_ >= 2 * limits_.json_bytes ||
               out.reports.size() >= limits_.bodies;
    }

    /// Reads one body or container. `quiet`: nothing claimed that it is one, so a failure is no error yet.
    void read(std::string_view bytes, const tlsrpt::report_hints& around, const std::string& where,
              bool quiet,
              const std::function<void(model::received_report&, const tlsrpt::read_body&)>& finish) {
        const auto decoded = undeclared_base64(bytes);
        for (auto& body : reader_.read(decoded ? std::string_view(*decoded) : bytes, around)) {
            if (!body.result) {
                ++failures_;
                fail({std::string(tlsrpt::to_string(body.result.error().code)), body.result.error().message,
                      body.name.empty() ? where
                      : where.empty()   ? body.name
                                        : where + ": " + body.name},
                     quiet);
                continue;
            }
            json_bytes_ += body.json.size();
            model::received_report report;
            report.report = std::move(*body.result);
            finish(report, body);
            report.json = std::move(body.json);
            out.reports.push_back(std::move(report));
        }
    }

    void fail(intake_error error, bool quiet = false) {
        auto& into = quiet ? suspected_ : out.errors;
        if (into.size() < errors_max)
            into.push_back(std::move(error));
    }

    examined done() {
        if (out.reports.empty() && out.errors.empty())
            out.errors = std::move(suspected_);
        return std::move(out);
    }

    /// What every report of this input shares.
    void place(model::received_report& report, const tlsrpt::report_hints& around,
               header_signed header) const {
        report.source = how_.source;
        report.way = how_.way;
        report.received_at = how_.now;
        report.recipient = how_.recipient;
        report.report_domain = attributed_domain(report.report, around, header);
        report.test_token = test_token_of(report.report.report_id);
    }

    examined out;

private:
    tlsrpt::report_reader& reader_;
    const tlsrpt::read_limits& limits_;
    const circumstances& how_;
    std::size_t failures_ = 0, json_bytes_ = 0;
    std::vector<intake_error> suspected_;
};

/// The trust of one report of a mail, and the name that its signature proves; whether what names the domain
/// is signed, too.
header_signed judge(model::received_report& report, const circumstances& how,
                    const mail::dkim_verdict& verdict, reporter_names names, const mail::dkim_keys& keys,
                    std::span<const own_result> own) {
    names.contact = domain_of_address(report.report.contact_info);
    auto chosen = choose_signature(verdict, names, keys, own);
    auto judged = judge_trust(how, chosen.outcome, chosen.standing);
    report.submitter = !chosen.proven.empty()     ? chosen.proven
                       : !names.submitter.empty() ? names.submitter
                                                  : names.contact;
    report.dkim = std::move(chosen.outcome);
    report.trust = judged.trust;
    report.trust_reason = std::move(judged.reason);
    return chosen.covers_report_headers ? header_signed::yes : header_signed::no;
}

void read_mail(reading& into, std::string_view bytes, const circumstances& how, const mail::dkim_keys& keys,
               mail::dkim_key_cache& cache) {
    const auto opened = mail::read_message(bytes);
    if (!opened && opened.error() != mail::message_problem::no_message) {
        into.fail({code_of(opened.error()), std::string(mail::explain(opened.error())), ""});
        return;
    }
    // Without header fields there is no signature either: the bytes are read, and never believed.
    mail::message bare;
    if (!opened) {
        mail::message_part whole;
        whole.media_type = "text/plain";
        whole.bytes = bytes;
        bare.parts.push_back(std::move(whole));
    }
    const mail::message& message = opened ? *opened : bare;
    into.out.mail_from = message.header("From");
    into.out.mail_subject = message.header("Subject");
    into.out.mail_message_id = message.header("Message-ID");

    // Each costs something, so neither is done before a report was found.
    std::optional<mail::dkim_verdict> verdict;
    std::vector<own_result> own;

    tlsrpt::report_hints around;
    around.report_domain = message.header("TLS-Report-Domain");
    around.submitter = message.header("TLS-Report-Submitter");
    around.subject = message.header("Subject");
    around.address_domain = how.domain_of_token;
    around.mail_date = into.out.mail_date = message.date();
    reporter_names names;
    names.submitter = domain_from(around.submitter);
    names.from = message.from_domain();

    std::size_t number = 0;
    bool claimed = false;
    for (const auto& part : message.parts) {
        ++number;
        const auto claim = claim_of(message, part);
        if (claim == part_claim::none)
            continue;
        claimed = true;
        if (into.exhausted()) {
            into.fail({"too-large", "the mail holds more than is read of one mail",
                       fmt::format("part {}", number)});
            break;
        }
        around.file_name = part.name;
        around.media_type = part.media_type;
        const auto where =
            part.name.empty() ? fmt::format("part {}", number) : base::printable(part.name, 255);
        into.read(part.bytes, around, where, claim == part_claim::by_bytes,
                  [&](model::received_report& report, const tlsrpt::read_body&) {
                      if (!verdict) {
                          verdict = opened
                                        ? mail::verify_dkim(bytes, keys, how.now, cache, dkim_options_of(how))
                                        : mail::dkim_verdict{};
                          own = own_dkim_passes(message, how.trusted_authservers);
                      }
                      report.format = "mail";
                      const auto header = judge(report, how, *verdict, names, keys, own);
                      into.place(report, around, header);
                  });
    }
    if (!claimed)
        into.fail({"not-a-report", "the mail has no part that is a report, or looks like one", ""});
}

void read_plain(reading& into, std::string_view bytes, const circumstances& how) {
    tlsrpt::report_hints around;
    around.address_domain = how.domain_of_token;
    if (how.way == model::way_in::file)
        around.file_name = how.source.substr(how.source.rfind('/') + 1);
    into.read(bytes, around, "", false, [&](model::received_report& report, const tlsrpt::read_body& body) {
        into.place(report, around, header_signed::no);
        report.format = tlsrpt::to_string(body.format);
        report.submitter = domain_of_address(report.report.contact_info);
        auto judged = judge_trust(how, report.dkim, {});
        report.trust = judged.trust;
        report.trust_reason = std::move(judged.reason);
    });
}

} // namespace

examiner::examiner(tlsrpt::read_limits limits)
    : state_(std::make_unique<state>(limits)) {}
examiner::~examiner() = default;

std::vector<std::string> examiner::keys_needed(std::string_view bytes, model::way_in way) {
    bytes = without_postmark(bytes);
    return treat_as_mail(bytes, way) ? mail::dkim_key_names(bytes) : std::vector<std::string>{};
}

examined examiner::examine(std::string_view bytes, const circumstances& how, const mail::dkim_keys& keys) {
    reading into(state_->reader, state_->limits, how);
    const auto inner = without_postmark(bytes);
    if (treat_as_mail(inner, how.way))
        read_mail(into, inner, how, keys, state_->keys);
    else
        read_plain(into, bytes, how);
    return into.done();
}

} // namespace mailtight::intake
