// SPDX-License-Identifier: Apache-2.0
// SHA-256 over bytes that come in pieces (a message's body as it is canonicalised). One thread at a time; no
// errors on any bytes (throws where OpenSSL itself lacks SHA-256).
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace mailtight::base {

class sha256_stream {
public:
    sha256_stream();
    sha256_stream(sha256_stream&&) noexcept;
    sha256_stream& operator=(sha256_stream&&) noexcept;
    ~sha256_stream();

    void update(std::string_view bytes);
    /// The 32 raw bytes of all that came in; afterwards the stream is as new.
    std::string finish();

private:
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace mailtight::base
