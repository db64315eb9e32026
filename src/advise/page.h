// SPDX-License-Identifier: Apache-2.0
// A page for a person, line by line: wrapped to the width, painted only where colour is wanted. Every view of
// the command line is written on one. What a remote side said goes through shown() first.
#pragma once

#include "advise/text.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace mailtight::advise {

enum class ink { plain, bold, dim, red, yellow, green, blue };

class page {
public:
    explicit page(const style& how)
        : how_(how) {}

    std::string paint(ink colour, std::string_view text) const;
    /// One line as it is, without the blanks at its end: they would be copied along.
    void line(std::string_view text = {});
    /// A bold line with an empty one before it.
    void heading(std::string_view text);
    /// Wrapped text behind `first`, later lines indented as far.
    void wrapped(std::string_view first, std::string_view text, ink colour = ink::plain);
    std::string take() { return std::move(out_); }
    std::size_t width() const { return how_.width; }

private:
    style how_;
    std::string out_;
};

/// Remote bytes, safe to show and of bounded length.
std::string shown(std::string_view remote);
/// Filled with blanks to `width` columns.
std::string padded(std::string_view text, std::size_t width);

} // namespace mailtight::advise
