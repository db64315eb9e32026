// SPDX-License-Identifier: Apache-2.0
// Passwords as argon2id (RFC 9106) in their encoded form, and secrets that a machine keeps for a person:
// random, shown once, known by their digest alone. Pure but for randomness from the kernel; password calls
// take about a tenth of a second and 64 MiB, so they belong on a thread of their own. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace mailtight::base {

/// Time, memory and lanes: the second recommendation of RFC 9106 §4 with one lane, since two logins may be
/// looked at simultaneously anyway.
struct password_cost {
    std::uint32_t passes = 3, kibibytes = 64 * 1024, lanes = 1;
    friend bool operator==(const password_cost&, const password_cost&) = default;
};

/// Why this may not become a password of this person: shorter than 12 characters, longer than 1,024 bytes, no
/// UTF-8, the person's name, one character again and again. Nothing where it may (NIST SP 800-63B §5.1.1.2:
/// length, and no rules of composition).
std::optional<std::string> unfit_password(std::string_view password, std::string_view name);

/// `$argon2id$v=19$m=…,t=…,p=…$SALT$HASH` with a fresh salt of 16 bytes. The error is for a person: there is
/// no memory for it.
std::expected<std::string, std::string> encode_password(std::string_view password, password_cost cost = {});
/// Whether it is this password. False too for what is no encoding of ours, or one whose cost is beyond what
/// this program would ever choose: a changed database must not make us take its memory.
bool verify_password(std::string_view encoded, std::string_view password);
/// What verify_password() does for a person that does not exist, so that its time says nothing.
void verify_nobody(std::string_view password);
/// The cost behind an encoding; nothing where it is none of ours.
std::optional<password_cost> cost_of(std::string_view encoded);

/// 32 bytes from the kernel as base64url: 43 characters.
std::string random_secret();
/// How a secret is known: its SHA-256, hexadecimal. The secret is random, so a plain hash is enough, and a
/// look-up by it tells nothing by its time.
std::string digest_of_secret(std::string_view secret);
/// In a time that depends on the lengths alone.
bool equal_secrets(std::string_view a, std::string_view b);
/// Overwrites the text, and empties it.
void wipe(std::string& secret);

} // namespace mailtight::base
