// SPDX-License-Identifier: Apache-2.0
// The datagrams of libtlsrpt, as Postfix 3.10 and later send them: one JSON object for one session. Pure;
// takes any bytes. Old senders, unknown codes and raw bytes above 0x7f are read; what is no datagram is
// refused with what, where and why.
#pragma once

#include "model/delivery.h"

#include <cstddef>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

namespace mailtight::tally {

/// What is wrong with an input: for the log, and counted by `code`.
struct read_error {
    enum class kind {
        too_large,
        not_json,
        not_an_object,
        version,     ///< `dpv` other than "1"
        no_domain,   ///< missing, or no domain name
        no_policies, ///< missing or empty
        field,       ///< a field of the wrong type or value
    } code = kind::field;
    std::string where; ///< `policies[0].failure-details[1].c`
    std::string words; ///< one sentence, printable, bounded
};
std::string_view to_string(read_error::kind code);

struct datagram_limits {
    std::size_t bytes = 262'144; ///< the kernel's size for unix datagrams is about 208 KiB
    std::size_t policies = 64, details = 256, strings = 256, patterns = 256;
    std::size_t text = 8'192; ///< of one string; longer ones are cut
};

/// Keeps its buffers from call to call. One thread at a time.
class datagram_reader {
public:
    explicit datagram_reader(datagram_limits limits = {});
    ~datagram_reader();
    std::expected<model::delivery_result, read_error> read(std::string_view bytes);

private:
    struct state;
    std::unique_ptr<state> state_;
};

} // namespace mailtight::tally
