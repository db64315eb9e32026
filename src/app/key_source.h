// SPDX-License-Identifier: Apache-2.0
// DKIM keys for reading reports: from the DNS, or from a file of the operator's for tests and back-fills.
#pragma once

#include "intake/examine.h"
#include "io/resolver.h"

#include <expected>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace mailtight::app {

/// A resolver whose DKIM keys (TXT below `_domainkey`) come from a file; every other question goes to `real`,
/// which outlives it.
std::unique_ptr<io::resolver> with_key_file(io::resolver& real, intake::key_file keys);
/// The same, from the file's name. The error is for a person.
std::expected<std::unique_ptr<io::resolver>, std::string> with_key_file(io::resolver& real,
                                                                        const std::string& file);

/// Answers that were looked up, kept from mail to mail.
class looked_up_keys final : public mail::dkim_keys {
public:
    /// Asks for what is not known yet.
    io::task<> look_up(io::loop& on, io::resolver& dns, std::vector<std::string> names);
    mail::dkim_key_answer find(std::string_view name) const override;

private:
    std::map<std::string, mail::dkim_key_answer, std::less<>> known_;
};

} // namespace mailtight::app
