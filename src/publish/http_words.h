// SPDX-License-Identifier: Apache-2.0
// Replies of the small sites, ready made: nothing but a Date is added to them. For publish/ alone. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mailtight::publish {

/// Twice the same head, for connections that go on and for those that end.
struct reply_heads {
    std::string stay, close;
    std::string_view of(bool keep_alive) const { return keep_alive ? stay : close; }
};
/// Status line and fields, ended by an empty line; `more`: whole field lines.
reply_heads make_heads(int status, std::size_t length, std::string_view media_type, std::string_view more);

/// A reply that says what is wrong, in words of its own.
struct refusal {
    reply_heads heads;
    std::string body;
};
/// For 400, 404, 405 (GET and HEAD are allowed), 414, 421, 431 and 505; others as 400. Lives for good.
const refusal& refusal_of(int status);

} // namespace mailtight::publish
