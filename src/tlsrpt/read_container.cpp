// SPDX-License-Identifier: Apache-2.0
// Bytes -> bodies: what they are is decided by their first bytes (8460-6.4-a, A45), never by a label.
#include "base/compress.h"
#include "base/text.h"
#include "tlsrpt/reader_state.h"
#include "tlsrpt/remarks.h"

#include <algorithm>

namespace mailtight::tlsrpt {
namespace {

constexpr int gzip_layers = 2; // a gateway compresses once more; a third time is an attack

read_error error_of(base::inflate_problem problem) {
    const auto code = problem == base::inflate_problem::too_large  ? read_problem::too_large
                      : problem == base::inflate_problem::bomb     ? read_problem::bomb
                      : problem == base::inflate_problem::too_many ? read_problem::too_large
                                                                   : read_problem::damaged;
    return {code, std::string(base::explain(problem))};
}

read_body refused(body_format format, std::string name, read_error error) {
    return {format, std::move(name), "", std::unexpected(std::move(error))};
}

// What a label claims the outermost bytes to be.
std::optional<body_format> claimed(const report_hints& hints) {
    const auto type = base::lower(base::trim(
        std::string_view(hints.media_type).substr(0, std::string_view(hints.media_type).find(';'))));
    if (type.ends_with("+gzip") || type == "application/gzip" || type == "application/x-gzip")
        return body_format::gzip;
    if (type.ends_with("+json") || type == "application/json")
        return body_format::json;
    if (type.ends_with("+zip") || type == "application/zip" || type == "application/x-zip-compressed")
        return body_format::zip;
    if (base::iends_with(hints.file_name, ".gz"))
        return body_format::gzip;
    if (base::iends_with(hints.file_name, ".zip"))
        return body_format::zip;
    if (base::iends_with(hints.file_name, ".json"))
        return body_format::json;
    return std::nullopt;
}

// Remarks about the container, put before what the body's reader says.
struct container_remarks {
    std::vector<warning> list;
    void add(quirk code, std::string detail = {}) { list.push_back({code, "", std::move(detail)}); }
};

} // namespace

std::string_view to_string(body_format f) {
    switch (f) {
    case body_format::json:
        return "json";
    case body_format::gzip:
        return "gzip";
    case body_format::zip:
        return "zip";
    }
    return "";
}

std::vector<read_body> report_reader::state::read(std::string_view bytes, const report_hints& hints) {
    const base::inflate_limits inflate{
        .bytes = limits.json_bytes, .ratio = limits.ratio, .members = limits.bodies};
    container_remarks remarks;
    std::vector<read_body> out;

    // One body that is no archive of several: inflated as often as is allowed, then read.
    const auto take = [&](std::string_view body, std::string name, body_format format,
                          container_remarks notes) {
        base::inflated inflated;
        int layers = 0;
        while (base::looks_like_gzip(body)) {
            if (layers == gzip_layers) {
                out.push_back(refused(format, std::move(name),
                                      {read_problem::bomb, "The body is compressed more than twice."}));
                return;
            }
            auto result = base::gunzip(body, inflate);
            if (!result) {
                out.push_back(refused(format, std::move(name), error_of(result.error())));
                return;
            }
            if (result->trailing_garbage)
                notes.add(quirk::gzip_trailing_bytes);
            if (++layers == 2)
                notes.add(quirk::nested_gzip);
            inflated = std::move(*result);
            body = inflated.bytes;
        }
        std::string json = layers > 0 ? std::move(inflated.bytes) : std::string();
        json.reserve((layers > 0 ? json.size() : body.size()) + simdjson::SIMDJSON_PADDING);
        if (layers == 0)
            json.assign(body);
        auto result = read_json(json, true, hints);
        if (result && !notes.list.empty()) {
            auto& into = result->warnings;
            into.insert(into.begin(), notes.list.begin(), notes.list.end());
            into.resize(std::min(into.size(), limits.warnings), warning{quirk::truncated, "", ""});
        }
        out.push_back({format, std::move(name), std::move(json), std::move(result)});
    };
    const auto label = [&](body_format actual) {
        if (const auto said = claimed(hints); said && *said != actual)
            remarks.add(quirk::label_disagrees, std::string(to_string(*said)));
    };

    if (bytes.empty()) {
        out.push_back(refused(body_format::json, "", {read_problem::empty, "There are no bytes in it."}));
    } else if (base::looks_like_zip(bytes)) {
        label(body_format::zip);
        auto members = base::unzip(bytes, inflate);
        if (!members) {
            out.push_back(refused(body_format::zip, "", error_of(members.error())));
        } else if (members->empty()) {
            out.push_back(
                refused(body_format::zip, "", {read_problem::empty, "The archive has no members."}));
        } else {
            if (members->size() > 1)
                remarks.add(quirk::several_bodies, std::to_string(members->size()));
            for (auto& member : *members) {
                take(member.bytes, std::move(member.name), body_format::zip, remarks);
                member.bytes = {};
            }
        }
    } else {
        const auto format = base::looks_like_gzip(bytes) ? body_format::gzip : body_format::json;
        label(format);
        take(bytes, "", format, remarks);
    }
    release();
    return out;
}

std::vector<read_body> report_reader::read(std::string_view bytes, const report_hints& hints) {
    return state_->read(bytes, hints);
}

} // namespace mailtight::tlsrpt
