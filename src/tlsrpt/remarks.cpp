// SPDX-License-Identifier: Apache-2.0
#include "tlsrpt/remarks.h"

#include <algorithm>
#include <utility>

namespace mailtight::tlsrpt {
namespace {
constexpr std::size_t detail_bytes = 200;
}

std::string to_string(const place& where) {
    if (!where.above)
        return "";
    std::string out = to_string(*where.above); // as deep as RFC 8460 nests: seven
    if (where.name.empty())
        return out + "[" + std::to_string(where.index) + "]";
    if (!out.empty())
        out += '.';
    return out += bounded(where.name, detail_bytes);
}

std::string_view bounded(std::string_view text, std::size_t most) {
    if (text.size() <= most)
        return text;
    while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0U) == 0x80U)
        --most;
    return text.substr(0, most);
}

remarks::remarks(std::vector<warning>& into, std::size_t limit)
    : into_(into)
    , limit_(limit)
    , limit_of_one_(std::max<std::size_t>(limit / 4, 1)) {}

bool remarks::has_room(quirk code) const {
    return into_.size() < limit_ && said_[static_cast<std::size_t>(code)] < limit_of_one_;
}

void remarks::add(quirk code, const place& where, std::string_view detail) {
    if (has_room(code))
        add(code, to_string(where), detail);
}

void remarks::add(quirk code, std::string where, std::string_view detail) {
    if (!has_room(code))
        return;
    auto& said = said_[static_cast<std::size_t>(code)];
    const auto same = [&](const warning& w) { return w.code == code && w.where == where; };
    if (said > 0 && std::ranges::any_of(into_, same))
        return;
    ++said;
    into_.push_back({code, std::move(where), std::string(bounded(detail, detail_bytes))});
}

} // namespace mailtight::tlsrpt
