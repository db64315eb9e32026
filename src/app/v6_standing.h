// SPDX-License-Identifier: Apache-2.0
// Whether mail of ours is fit to go out over IPv6: receivers there want a name for the address and an SPF
// record that covers it, and refuse what has neither. Where one is missing, reports go over IPv4 first.
#pragma once

#include "app/doctor.h"
#include "app/world.h"
#include "io/loop.h"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mailtight::app {

/// What was seen of it.
struct v6_facts {
    std::optional<base::ip_address> source; ///< nothing: no way out over IPv6
    std::vector<std::string> names;         ///< of the PTR records
    std::string confirmed;                  ///< the one of them that has the address; "" : none
    std::string spf;                        ///< of the sender's domain for the address: "pass", "none", …
};
/// All that receivers ask of an address is there.
bool fits(const v6_facts& seen);
/// `by_ourselves`: reports go straight to the receivers, so that this program chooses the family; else the
/// mail server of this host does.
check_row judge_v6(const v6_facts& seen, const std::string& domain, bool by_ourselves);

io::task<v6_facts> look_at_v6(io::resolver& dns, std::optional<base::ip_address> source, std::string domain);
/// The address that this host would send from over IPv6.
std::optional<base::ip_address> v6_source();

/// Whether this host fits, looked at when first asked and then once an hour: addresses and records change
/// while the daemon runs. On the loop's thread; whoever asks while it is being looked at waits for that look.
class v6_memory {
public:
    using source_fn = std::function<std::optional<base::ip_address>()>;
    static constexpr std::chrono::hours lasts{1};

    v6_memory(world& with, std::string domain, source_fn source = v6_source)
        : v6_memory(with.loop, *with.dns, std::move(domain), std::move(source)) {}
    v6_memory(io::loop& on, io::resolver& dns, std::string domain, source_fn source)
        : loop_(on)
        , dns_(dns)
        , domain_(std::move(domain))
        , source_(std::move(source)) {}
    io::task<bool> fit();

private:
    io::loop& loop_;
    io::resolver& dns_;
    std::string domain_;
    source_fn source_;
    std::optional<io::loop::time_point> looked_;
    std::shared_ptr<io::event> looking_;
    bool fit_ = false;
};

} // namespace mailtight::app
