// SPDX-License-Identifier: Apache-2.0
#include "advise/dns_table.h"

#include "advise/dns_quote.h"
#include "advise/words.h"
#include "base/text.h"
#include "base/time.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace mailtight::advise {
namespace {

const dns_provider& provider_of(const dns_place& where) {
    return where.provider ? *where.provider : any_dns_provider();
}

std::uint32_t ttl_for(const suggested_record& record, const dns_place& where) {
    return std::max(record.ttl, provider_of(where).min_ttl);
}

class writer {
public:
    explicit writer(std::size_t width)
        : width_(std::max<std::size_t>(width, 30)) {}
    void line(std::string_view text = {}) { out_ += std::string(text) + "\n"; }
    void paragraph(std::string_view text, std::string_view indent = {}) {
        for (const std::string& piece : base::wrap(text, width_ - indent.size()))
            line(std::string(indent) + piece);
    }
    std::string take() { return std::move(out_); }

private:
    std::size_t width_;
    std::string out_;
};

void introduce(writer& out, const dns_place& where) {
    const std::string zone = base::printable(where.zone);
    if (where.provider)
        out.paragraph(
            fmt::format("The zone {} is served by {} ({}). Enter these records there, at your DNS provider, "
                        "and not in the console of your mail provider.",
                        zone, where.provider->name, base::printable(list(where.servers, 3))));
    else
        out.paragraph(fmt::format(
            "Enter these records where the zone {} is kept, at your DNS provider{}, and not in the "
            "console of your mail provider.",
            zone,
            where.servers.empty() ? "" : " (name servers " + base::printable(list(where.servers, 3)) + ")"));
    if (where.zone != where.domain)
        out.paragraph(fmt::format("{} has no zone of its own: its records belong to {}.",
                                  base::printable(where.domain), zone));
    if (where.provider && !where.provider->remark.empty())
        out.paragraph(where.provider->remark);
}

/// What is left out since it is right, or "".
std::string done_words(const suggestion& what) {
    std::vector<std::string> done;
    for (const suggested_record& record : what.records)
        if (record.already_right)
            done.push_back(base::printable(record.name));
    if (what.policy_already_right)
        done.emplace_back("the policy file");
    return done.empty() ? "" : fmt::format("Correct already, and left out here: {}.", list(done, 4));
}

/// `number` counts what is shown; record.step is the place in the whole, which JSON keeps.
void one_record(writer& out, int number, const suggested_record& record, const dns_place& where) {
    out.line();
    out.paragraph(fmt::format("{}. {}: {}", number, record.type, record.why));
    for (const std::string_view field : base::split(web_form(record, where), '\n'))
        if (!field.empty())
            out.line("     " + std::string(field));
    const std::string name = base::printable(record.name);
    out.line(fmt::format("     The name in other forms: {0}.   {0}   {1}", name,
                         base::printable(relative_name(record.name, where.zone))));
    if (record.type == "TXT")
        out.line("     In a zone file the value stands in quotes: " + zone_text(record.value));
    if (const std::string instead = instead_words(record); !instead.empty())
        out.paragraph(instead, "     ");
}

void policy_step(writer& out, int number, const suggestion& what, const dns_place& where) {
    out.line();
    out.paragraph(fmt::format(
        "{}. Now put this policy at https://mta-sts.{}/.well-known/mta-sts.txt{}:", number,
        base::printable(where.domain), what.records.back().already_right ? "" : ", before the next record"));
    for (const std::string_view piece : base::split(what.policy, '\n'))
        if (const auto text = base::trim(piece); !text.empty())
            out.line("     " + base::printable(text));
}

} // namespace

std::string web_form(const suggested_record& record, const dns_place& where) {
    const dns_provider& provider = provider_of(where);
    const bool text = record.type == "TXT";
    const std::string_view label = !text && !provider.target_label.empty() ? provider.target_label
                                   : !text && provider.value_label.find("TXT") != std::string_view::npos
                                       ? std::string_view("Value")
                                       : provider.value_label;
    const std::string_view name_label = !text && provider.name_label.starts_with("TXT ")
                                            ? provider.name_label.substr(4)
                                            : provider.name_label;
    const std::string value =
        text && provider.quotes ? zone_text(record.value) : base::printable(record.value, 65'535);
    return fmt::format("Type: {}\n{}: {}\n{}: {}\nTTL: {}\n", record.type, name_label,
                       base::printable(form_name(record.name, where.zone, provider)), label, value,
                       ttl_for(record, where));
}

std::string instead_words(const suggested_record& record) {
    if (record.already_right || record.replaces.empty())
        return "";
    std::vector<std::string> there;
    bool texts = record.type == "TXT";
    for (const auto& [type, value] : record.replaces) {
        there.push_back(fmt::format("{} {}", type, base::printable(value, 300)));
        texts = texts && type == "TXT";
    }
    const auto all = list(there, 4);
    if (!texts) // an alias stands alone at its name (RFC 1034 §3.6.2), addresses would be used beside the new
        return fmt::format("It takes the place of what is there, which has to go: {}", all);
    if (there.size() == 1)
        return fmt::format("Change the record that is there, and do not add a second one, since senders "
                           "count two as none: {}",
                           all);
    return fmt::format("Leave only this one, since senders count several as none; there are now: {}", all);
}

std::string dns_table(const suggestion& what, const dns_place& where, std::size_t width) {
    writer out(width);
    const bool nothing = std::ranges::all_of(
        what.records, [](const suggested_record& record) { return record.already_right; });
    if (nothing && (what.policy_already_right || what.policy.empty())) {
        out.paragraph(what.records.empty() ? "There is nothing to publish for this domain."
                                           : "Nothing to do: every record is published as it should be.");
        for (const std::string& remark : what.remarks)
            out.paragraph(base::printable(remark));
        return out.take();
    }
    introduce(out, where);
    if (const std::string done = done_words(what); !done.empty())
        out.paragraph(done);
    bool policy_told = what.policy.empty() || what.policy_already_right;
    int number = 0;
    for (const suggested_record& record : what.records) {
        if (record.step > 3 && !std::exchange(policy_told, true))
            policy_step(out, ++number, what, where);
        if (!record.already_right)
            one_record(out, ++number, record, where);
    }
    out.line();
    out.paragraph(
        "A short TTL lets a change be seen soon: 300 is good for the mta-sts names, 3600 for the reports. A "
        "change shows when the old TTL has run out, at the latest after 24 hours.");
    if (!what.needs.empty())
        out.paragraph("To be replaced by you: " + base::join(what.needs, ", ") + ".");
    return out.take();
}

} // namespace mailtight::advise
