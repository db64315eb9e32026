// SPDX-License-Identifier: Apache-2.0
// The policy host as a site of io/http_server.h: for a machine whose port 443 is shared with the report
// endpoint (tls_server::more asks policy_host::choose). The fast way is publish/policy_session.h on a
// listener of its own. Lives on the loop's thread; what is given lives as long as the site.
#pragma once

#include "base/time.h"
#include "io/http_server.h"
#include "publish/policy_host.h"

namespace mailtight::publish {

/// `fetches` may be null: nobody counts.
io::http_site policy_site(const policy_host& host, fetch_counter* fetches, const base::clock& clock);
/// The answers to http-01 beside it.
io::http_site challenge_site(const policy_host& host);

} // namespace mailtight::publish
