// SPDX-License-Identifier: Apache-2.0
// Small bridges to the event library for the DNS files of io/; included by .cpp files alone.
#pragma once

#include "io/resolver.h"

#include <boost/asio/ip/address.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>
#include <coroutine>

namespace mailtight::io {

template<class Protocol>
typename Protocol::endpoint to_asio(const endpoint& from) {
    const auto bytes = from.address.bytes();
    if (from.address.is_v4()) {
        boost::asio::ip::address_v4::bytes_type raw{};
        std::copy_n(bytes.begin(), raw.size(), raw.begin());
        return {boost::asio::ip::address_v4(raw), from.port};
    }
    boost::asio::ip::address_v6::bytes_type raw{};
    std::copy_n(bytes.begin(), raw.size(), raw.begin());
    return {boost::asio::ip::address_v6(raw), from.port};
}

/// Awaits one asynchronous operation: `start` gets the handler to pass on.
template<class Start>
struct completion {
    Start start;
    boost::system::error_code error{};
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiting) {
        start([this, waiting](const boost::system::error_code& result, std::size_t = 0) {
            error = result;
            waiting.resume();
        });
    }
    boost::system::error_code await_resume() const noexcept { return error; }
};
template<class Start>
completion(Start) -> completion<Start>;

} // namespace mailtight::io
