// SPDX-License-Identifier: Apache-2.0
// Secrets at rest: sealed under a key that lies in a file of its own, so that a copy of the database alone
// opens nothing. AES-256-GCM with a fresh nonce; the name of the secret is authenticated with it, so that one
// cannot be put in another's place. Errors are for a person and never hold a secret. Any thread.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace mailtight::base {

class sealing_key {
public:
    /// Reads the file; refuses one that others may read.
    static std::expected<sealing_key, std::string> load(const std::string& file);
    /// Makes a new one, mode 0600; an existing file is never touched.
    static std::expected<sealing_key, std::string> make(const std::string& file);
    sealing_key(sealing_key&&) noexcept;
    sealing_key& operator=(sealing_key&&) noexcept;
    ~sealing_key(); ///< overwrites the key

    /// Printable text that only this key opens, under this name.
    std::string seal(std::string_view name, std::string_view secret) const;
    std::expected<std::string, std::string> open(std::string_view name, std::string_view sealed) const;
    /// Eight hex digits that tell keys apart; says nothing of the key.
    std::string id() const;
    /// The id of the key that a text was sealed under; nothing where it is no sealed text.
    static std::optional<std::string> id_of(std::string_view sealed);

private:
    sealing_key();
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace mailtight::base
