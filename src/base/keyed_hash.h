// SPDX-License-Identifier: Apache-2.0
// A hash for tables whose keys strangers choose: without the key nobody can make many keys collide.
// SipHash-2-4 (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012). Pure; not for signatures.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace mailtight::base {

using hash_key = std::array<std::uint64_t, 2>;
/// Another one in every process, from the kernel.
hash_key random_hash_key();
std::uint64_t keyed_hash(const hash_key& key, std::string_view bytes);

} // namespace mailtight::base
