// SPDX-License-Identifier: Apache-2.0
// How a mailbox is entered: by a password, or by an OAuth2 token that is fetched, renewed before it expires,
// and forgotten when the server refuses it. Secrets are read from their files at each login, so that a
// changed file needs no restart. One loop's thread.
#pragma once

#include "intake/oauth.h"
#include "intake/ways_in.h"
#include "io/imap.h"

#include <expected>
#include <functional>
#include <optional>
#include <string>

namespace mailtight::intake {

class imap_login {
public:
    /// `read` and `write` keep a refresh token that the server replaced, by name.
    using read_fact = std::function<io::task<std::optional<std::string>>(std::string name)>;
    using write_fact = std::function<io::task<bool>(std::string name, std::string value)>;

    imap_login(io::loop& on, const base::clock& clock, io::resolver& dns, const io::tls_client& tls,
               const imap_options& options, read_fact read, write_fact write);
    /// True where make() must be called before the next connection.
    bool expired() const;
    /// The access for the next connections. The error is for a person and holds no secret.
    io::task<std::expected<io::imap_access, std::string>> make();
    /// What was made does not work any more.
    void forget();

private:
    bool uses_oauth() const;
    io::task<std::expected<oauth_grant, std::string>> grant();
    io::task<std::expected<std::string, std::string>> fetch_token();

    io::loop& loop_;
    const base::clock& clock_;
    io::resolver& dns_;
    const io::tls_client& tls_;
    const imap_options& options_;
    read_fact read_;
    write_fact write_;
    bool made_ = false;
    std::optional<oauth_token> token_;
};

} // namespace mailtight::intake
