// SPDX-License-Identifier: Apache-2.0
// A certificate with its key, parsed once and shared by every connection that needs it. Any thread may hold
// one; nothing in it changes.
#pragma once

#include "base/time.h"

#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::io {

class certified_key {
public:
    /// Both PEM; the chain's leaf first. The error is for a person and never holds the key.
    static std::expected<std::shared_ptr<const certified_key>, std::string> read(std::string_view chain,
                                                                                 std::string_view key);
    ~certified_key();
    const std::vector<std::string>& names() const;
    base::utc_seconds not_before() const;
    base::utc_seconds not_after() const;
    std::string leaf_sha256() const; ///< hex
    struct state;
    const state& native() const { return *state_; }

private:
    friend class packed_certificate;
    certified_key();
    std::unique_ptr<state> state_;
};

/// Which certificate answers for a server name (lower case; "" where the client sent none); null: the
/// handshake is refused with unrecognized_name. `acme` : the client speaks `acme-tls/1` alone (RFC 8737).
using choose_certificate =
    std::function<std::shared_ptr<const certified_key>(std::string_view server_name, bool acme)>;

} // namespace mailtight::io
