// SPDX-License-Identifier: Apache-2.0
// Where the reader stands in a report, and what it has to say about it. A place is a chain on the stack: it
// costs nothing until a warning asks for its name. Private to the reader.
#pragma once

#include "tlsrpt/report.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::tlsrpt {

/// A member or an element of what stands above; the root has no name.
struct place {
    const place* above = nullptr;
    std::string_view name{};
    std::size_t index = 0; ///< of an element, where the name is ""
};
/// `policies[0].policy.mx-host`; "" for the root.
std::string to_string(const place& where);

/// The first bytes of a text, cut between characters.
std::string_view bounded(std::string_view text, std::size_t most);

/// The bounded list of warnings: a hostile report could earn one for every byte. The same code at the same
/// place is said once, and one code never takes more than a quarter of the room from the others.
class remarks {
public:
    remarks(std::vector<warning>& into, std::size_t limit);
    void add(quirk code, const place& where, std::string_view detail = {});
    void add(quirk code, std::string where, std::string_view detail);

private:
    static constexpr std::size_t quirk_count = static_cast<std::size_t>(quirk::file_name_disagrees) + 1;

    bool has_room(quirk code) const;

    std::vector<warning>& into_;
    std::size_t limit_, limit_of_one_;
    std::array<std::uint32_t, quirk_count> said_{};
};

} // namespace mailtight::tlsrpt
