// SPDX-License-Identifier: Apache-2.0
// Zone transfer (AXFR, RFC 5936), as bytes: the question is built, the messages of the reply are read in
// their order. Of a zone only the names that take mail are kept, so that memory does not grow with it. Pure;
// takes any bytes; messages, records, bytes and names are bounded.
#pragma once

#include "wire/dns_raw.h"
#include "wire/dns_update.h"

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace mailtight::wire {

/// The question for a whole zone (RFC 5936 §2.1); nothing where the name is none.
std::optional<std::string> build_transfer_query(std::string_view zone, std::uint16_t id);

struct transfer_limits {
    std::size_t messages = 100'000, records = 5'000'000, bytes = 256UL * 1024 * 1024, names = 10'000;
};

struct transfer_fault {
    enum class kind {
        malformed, ///< no DNS message, or an MX record that is none
        foreign,   ///< no reply, or to another question
        refused,   ///< `code` says so
        not_whole, ///< it does not begin with the zone's SOA (RFC 5936 §2.2)
        not_ended, ///< something stands behind the SOA that ends it
        signature, ///< `signature` says what is wrong
        too_much,  ///< beyond the limits
    } what = kind::malformed;
    std::uint16_t code = 0;
    tsig_fault signature{};
};
/// For a person: "it answers REFUSED".
std::string explain(const transfer_fault& fault);

class transfer_reader {
public:
    /// `verified_by`: for a question that was signed. A no is believed without signature: it gives no names.
    transfer_reader(std::string_view zone, std::uint16_t id, std::optional<tsig_stream> verified_by,
                    transfer_limits within = {});
    /// True: this was the last message, and all are verified. After that, or an error, nothing is taken.
    std::expected<bool, transfer_fault> take(std::string_view message, base::utc_seconds now);
    /// Names other than the apex with an MX record that leads somewhere (a null MX, RFC 7505, does not), as
    /// in wire/dns_name.h; wildcards included. Empty until the transfer is whole.
    const std::set<std::string>& names() const { return whole_ ? names_ : nothing_; }

private:
    std::expected<bool, transfer_fault> read(std::string_view message, const raw_message& raw);

    std::string zone_;
    std::uint16_t id_;
    std::optional<tsig_stream> verified_by_;
    transfer_limits left_;
    std::size_t most_names_;
    std::set<std::string> names_, nothing_;
    bool begun_ = false, whole_ = false, over_ = false;
};

} // namespace mailtight::wire
