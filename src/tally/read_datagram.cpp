// SPDX-License-Identifier: Apache-2.0
#include "tally/read_datagram.h"

#include "tally/result_json.h"

namespace mailtight::tally {

struct datagram_reader::state {
    datagram_limits limits;
    json_input input;
};

datagram_reader::datagram_reader(datagram_limits limits)
    : state_(std::make_unique<state>()) {
    state_->limits = limits;
}
datagram_reader::~datagram_reader() = default;

std::expected<model::delivery_result, read_error> datagram_reader::read(std::string_view bytes) {
    const auto object = state_->input.object(bytes, state_->limits.bytes);
    if (!object)
        return std::unexpected(object.error());
    return read_result(*object, state_->limits);
}

} // namespace mailtight::tally
