// SPDX-License-Identifier: Apache-2.0
// Compressed bytes from outside, inflated within limits: gzip (libdeflate, several members), zip (libzip,
// read from memory). Names inside are text, never a path. Pure; takes any bytes; nothing is allocated beyond
// the limits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::base {

/// What bytes may grow to (A43).
struct inflate_limits {
    std::size_t bytes = 0;                ///< of everything that comes out
    std::size_t ratio = 200;              ///< out : in, counted beyond `ratio_free` bytes
    std::size_t ratio_free = 1024 * 1024; ///< this much may come out whatever the ratio
    std::size_t members = 1000;           ///< of a zip or a gzip
};

enum class inflate_problem {
    not_compressed, ///< the magic bytes are missing
    damaged,        ///< the stream or its checksum is broken; what came out before is not given
    cut,            ///< the stream ends early
    too_large,      ///< more than `bytes`
    bomb,           ///< beyond the ratio
    too_many,       ///< more members than allowed
    encrypted,      ///< a zip member with a password
    unsupported,    ///< a compression method that is not read
};
std::string_view explain(inflate_problem problem);

struct inflated {
    std::string bytes;
    bool trailing_garbage = false; ///< bytes after the last member, left out
    std::size_t members = 1;
};
bool looks_like_gzip(std::string_view bytes);
bool looks_like_zip(std::string_view bytes);
/// RFC 1952. The embedded file name is ignored (8460-6.3-a).
std::expected<inflated, inflate_problem> gunzip(std::string_view bytes, const inflate_limits& limits);
/// A gzip file of one member, without name or time. `level` 1 to 12.
std::string gzip(std::string_view bytes, int level = 6);

struct zip_member {
    std::string name; ///< as written inside: only ever shown
    std::string bytes;
};
/// Every regular member of a zip, in order.
std::expected<std::vector<zip_member>, inflate_problem> unzip(std::string_view bytes,
                                                              const inflate_limits& limits);

} // namespace mailtight::base
