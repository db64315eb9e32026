// SPDX-License-Identifier: Apache-2.0
// Certificates of host names of this installation that are no policy hosts, such as those of its pages: kept
// in the store as those of policy hosts are, ordered by the same issuer, renewed in their time, and put in
// place of the old one while the listeners go on. Of several machines with one store and the same name one
// orders (a lease), all answer the authority, and all serve what came of it. Lives on the loop; the store is
// used on a worker, and may be away.
#pragma once

#include "base/crypto/sealed.h"
#include "io/certified_key.h"
#include "io/worker.h"
#include "publish/issuer.h"
#include "store/domains.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mailtight::publish {

/// The kind of work under which such a name is due; the lease is "name-certificate/NAME".
inline constexpr std::string_view name_work = "name-certificate";

struct name_certificates_options {
    std::string machine;                            ///< who holds the leases
    std::chrono::milliseconds turn{500};            ///< between two looks at the store
    std::chrono::milliseconds others_order{10'000}; ///< another machine has the lease: until asked again
};

/// What it needs of the world. All outlive it.
struct name_certificates_hands {
    std::function<store::result<std::shared_ptr<store::domain_store>>()> open; ///< on the worker's thread
    std::function<void(store::domain_store&)> opened;                          ///< once, on the loop
    std::function<io::task<issued>(store::due_work& work, std::string host)> issue;
    std::function<io::task<issuer::renewal>(store::kept_certificate)> renewal;
    std::function<void(const std::string& name, const issued&)> told; ///< of each order that ended
    std::function<void(std::string_view words)> trouble;              ///< for the log
    std::function<void()> swapped; ///< from now on another certificate is served
};

class name_certificates {
public:
    name_certificates(io::loop& on, io::worker& store_thread, const base::clock& clock,
                      const base::sealing_key& seal, std::vector<std::string> names,
                      name_certificates_hands hands, name_certificates_options options);

    /// What the store has now; before the first listener is bound. A store that is away is waited for later.
    io::task<> load();
    /// Follows the store and does what is due, until stop().
    void start();
    void stop() { stopping_ = true; }
    bool idle() const { return under_way_ == 0; }
    /// From now on these, lower case; the first one answers whoever names none of them.
    void set_names(std::vector<std::string> names);

    /// The certificate of that name, else of the first name that has one; for `acme` what answers tls-alpn-01
    /// for the very name. Null: the handshake is refused.
    std::shared_ptr<const io::certified_key> choose(std::string_view server_name, bool acme) const;
    /// The answer to http-01; "" : unknown. Valid until the next turn.
    std::string_view token(std::string_view token) const;
    /// After so long every machine answers what is in the store now.
    std::chrono::milliseconds spread() const { return 2 * options_.turn + std::chrono::milliseconds(100); }

    /// One name as it stands.
    struct row {
        std::string name;
        std::optional<base::utc_seconds> not_before, not_after, renew_at; ///< of what is served
        bool ordering = false;                                            ///< here, now
        std::uint32_t tries = 0;                                          ///< that failed in a row
        std::string trouble;                                              ///< what went wrong last
    };
    std::vector<row> rows() const;

private:
    struct reader {
        std::shared_ptr<store::domain_store> kept; ///< on the worker's thread
    };
    struct known {
        std::int64_t change = 0;
        std::shared_ptr<const io::certified_key> certificate;
        std::optional<base::utc_seconds> renew_at;
        base::utc_seconds due_at{store::never_due};
        std::uint32_t tries = 0;
        std::string last_error, key_trouble;
        bool busy = false;
        std::optional<io::loop::time_point> not_before; ///< asked again
    };
    struct seen;
    io::task<bool> look();
    void take(seen& fresh);
    void take_answers(std::vector<store::challenge_answer> all);
    io::task<> follow();
    io::task<> attend(std::string name);
    io::task<base::utc_seconds> act(store::due_work& work, std::optional<store::kept_certificate> before);
    template<class T>
    io::task<store::result<T>> ask(std::function<store::result<T>(store::domain_store&)> question);

    io::loop& loop_;
    io::worker& thread_;
    const base::clock& clock_;
    const base::sealing_key& seal_;
    std::vector<std::string> names_;
    name_certificates_hands hands_;
    name_certificates_options options_;
    std::shared_ptr<reader> reader_ = std::make_shared<reader>();
    std::map<std::string, known, std::less<>> known_;
    std::map<std::string, std::string, std::less<>> answering_; ///< by name, the key authorization
    std::map<std::string, std::shared_ptr<const io::certified_key>, std::less<>> challenges_;
    std::map<std::string, std::string, std::less<>> tokens_;
    std::string last_trouble_;
    std::size_t under_way_ = 0;
    bool opened_ = false, stopping_ = false;
};

} // namespace mailtight::publish
