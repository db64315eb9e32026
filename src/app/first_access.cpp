// SPDX-License-Identifier: Apache-2.0
#include "app/first_access.h"

#include "api/credentials.h"
#include "app/store_access.h"
#include "base/crypto/password.h"

#include <fmt/format.h>

#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace mailtight::app {

namespace {

const store::granted administrator{.name = "first", .role = "administrator", .tenant = {}};

std::string token_place(const settings& from) {
    const auto place = store_place(from);
    const auto folder = store::is_postgres(place) ? std::filesystem::path("/var/lib/mailtight")
                                                  : std::filesystem::path(place).parent_path();
    return (folder / "administrator.token").string();
}

/// False where it cannot be: then nothing is left of it.
bool write_secret(const std::string& file, const std::string& text) {
    ::unlink(file.c_str()); // an old one is of a store that is gone
    const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return false;
    const bool whole = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    const bool kept = ::close(fd) == 0 && whole;
    if (!kept)
        ::unlink(file.c_str());
    return kept;
}

store::result<bool> nobody_is_known(store::access_store& in) {
    auto tokens = in.tokens();
    if (!tokens)
        return std::unexpected(tokens.error());
    auto users = in.users();
    if (!users)
        return std::unexpected(users.error());
    return tokens->empty() && users->empty();
}

} // namespace

store::result<std::string> make_login_link(store::access_store& in, base::utc_seconds now) {
    auto secret = base::random_secret();
    if (auto added = in.add_link(base::digest_of_secret(secret), administrator, now + link_life); !added)
        return std::unexpected(added.error());
    return secret;
}

store::result<first_access> begin_access(const settings& from, base::utc_seconds now, bool link) {
    auto in = store::open_access({.where = store_place(from)});
    if (!in)
        return std::unexpected(in.error());
    first_access out;
    auto nobody = nobody_is_known(**in);
    if (!nobody)
        return std::unexpected(nobody.error());
    if (*nobody) {
        out.made = true;
        const auto token = std::string(api::token_prefix) + base::random_secret();
        if (const auto file = token_place(from); write_secret(file, token + "\n")) {
            auto added = (*in)->add_token({.to = administrator,
                                           .digest = base::digest_of_secret(token),
                                           .made_at = now,
                                           .used_at = {},
                                           .expires_at = {}});
            if (!added || !*added) // another machine of the same database was faster
                ::unlink(file.c_str());
            if (!added)
                return std::unexpected(added.error());
            out.token_file = *added ? file : "";
        }
    }
    if (link || out.made) {
        auto secret = make_login_link(**in, now);
        if (!secret)
            return std::unexpected(secret.error());
        out.link = std::move(*secret);
    }
    return out;
}

std::string login_url(std::string_view address, std::string_view secret) {
    return fmt::format("{}/login#{}", address, secret);
}

} // namespace mailtight::app
