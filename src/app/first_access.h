// SPDX-License-Identifier: Apache-2.0
// How somebody comes in for the first time: an administrator's token, made once and left in a file that its
// owner alone reads, and links that log in once. Blocks on the store.
#pragma once

#include "app/settings.h"
#include "base/time.h"
#include "store/access.h"

#include <chrono>
#include <string>
#include <string_view>

namespace mailtight::app {

/// A link logs in within this time, once.
inline constexpr auto link_life = std::chrono::hours(1);

struct first_access {
    bool made = false;      ///< the token is new: nobody could ask before
    std::string token_file; ///< where it lies; "" where that could not be written, and then there is none
    std::string link;       ///< the secret of a link; "": none was wanted
};
/// Makes the token where nobody is known yet; then, and where `link` is wanted anyway, a link too.
store::result<first_access> begin_access(const settings& from, base::utc_seconds now, bool link);

/// The secret of a new link for an administrator.
store::result<std::string> make_login_link(store::access_store& in, base::utc_seconds now);
/// "http://127.0.0.1:8460/login#SECRET": what follows `#` is not sent, and so is in no log.
std::string login_url(std::string_view address, std::string_view secret);

} // namespace mailtight::app
