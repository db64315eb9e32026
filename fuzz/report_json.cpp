// SPDX-License-Identifier: Apache-2.0
// Any text as a report's JSON: the reader never fails but by its errors; the mender's output is JSON that
// reads as the original does where the fast parser takes both; what was read can be written and read again.
#include "tlsrpt/json_mend.h"
#include "tlsrpt/write_report.h"

#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>

using namespace mailtight::tlsrpt;

namespace {
void must(bool holds) {
    if (!holds)
        std::abort();
}
const read_limits small{
    .json_bytes = 1 << 20, .policies = 64, .details = 256, .text_bytes = 512, .warnings = 64};

void bounded_and_named(const report& r) {
    must(r.warnings.size() <= small.warnings && r.policies.size() <= small.policies);
    std::size_t details = 0;
    for (const auto& p : r.policies) {
        details += p.details.size();
        for (const auto& d : p.details)
            must(d.reason_code.size() <= small.text_bytes);
    }
    must(details <= small.details);
    for (const auto& w : r.warnings)
        must(!to_string(w.code).empty() && !explain(w.code).empty() && w.detail.size() <= 200);
    if (r.start)
        must(r.start->time_since_epoch().count() > 900'000'000); // never 1970
    headline(r);
}

// The strict writer's bytes are a fixed point: read and written again they are the same.
void written_and_read(report_reader& reader, const report& r) {
    const auto text = write_report(r);
    const auto again = reader.read_json(text);
    must(again.has_value());
    must(again->policies.size() == r.policies.size());
    for (std::size_t i = 0; i < r.policies.size(); ++i)
        must(again->policies[i].details.size() == r.policies[i].details.size());
}

void mended_agrees(report_reader& reader, std::string_view text) {
    std::vector<warning> warnings;
    remarks notes(warnings, 64);
    const auto mended = mend_json(text, small, notes);
    if (!mended)
        return;
    simdjson::dom::parser parser;
    must(parser.allocate(std::max<std::size_t>(mended->json.size(), 64), small.depth + 1) ==
         simdjson::SUCCESS);
    must(parser.parse(mended->json).error() == simdjson::SUCCESS);
    simdjson::dom::parser strict;
    must(strict.allocate(std::max<std::size_t>(text.size(), 64), small.depth + 1) == simdjson::SUCCESS);
    if (strict.parse(text.data(), text.size(), true).error() != simdjson::SUCCESS)
        return;
    must(!mended->cut);
    const auto a = reader.read_json(text), b = reader.read_json(mended->json);
    must(a.has_value() == b.has_value());
    if (!a)
        return;
    must(a->policies == b->policies && a->organization_name == b->organization_name && a->start == b->start &&
         a->end == b->end && a->contact_info == b->contact_info);
}
} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    report_reader reader(small);
    report_hints hints;
    hints.subject = text.substr(0, 200);
    hints.file_name = hints.subject;
    hints.report_domain = hints.subject;
    for (const auto& read : {reader.read_json(text), reader.read_json(text, hints)}) {
        if (read) {
            bounded_and_named(*read);
            written_and_read(reader, *read);
        } else {
            must(!read.error().message.empty());
        }
    }
    mended_agrees(reader, text);
    return 0;
}
