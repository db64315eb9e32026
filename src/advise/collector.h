// SPDX-License-Identifier: Apache-2.0
// Where rules put what they find. Texts that are the same for every domain come from the catalogue; a rule
// gives the subject, what is wrong with names, and what was seen.
#pragma once

#include "advise/advise.h"
#include "advise/reading.h"

#include <string>
#include <string_view>
#include <vector>

namespace mailtight::advise {

class collector {
public:
    collector(findings::situation where, std::string domain, const judge_options& options)
        : where_(where)
        , domain_(std::move(domain))
        , options_(options) {}

    struct words {
        std::string subject;
        std::string message;                             ///< "" : the catalogue's title
        std::string evidence;                            ///< what was seen
        std::optional<findings::severity> severity = {}; ///< where the fact weighs otherwise than the code
        std::string fix = {};                            ///< instead of the catalogue's
        std::string consequence = {};                    ///< likewise
    };
    /// Adds a finding, unless it weighs nothing in this situation. An unknown code is a programmer's error.
    void emit(std::string_view code, words said);

    bool has_error(std::string_view part) const; ///< in this part of the catalogue
    std::vector<findings::finding> take();       ///< errors first, within a weight in the order of emission

private:
    findings::situation where_;
    std::string domain_;
    const judge_options& options_;
    std::vector<findings::finding> found_;
};

/// Replaces `{subject}` and `{domain}`.
std::string fill(std::string_view text, std::string_view subject, std::string_view domain);

} // namespace mailtight::advise
