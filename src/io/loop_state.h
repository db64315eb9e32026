// SPDX-License-Identifier: Apache-2.0
// The event library behind io::loop; included by io/ alone.
#pragma once

#include "io/loop.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <exception>
#include <unordered_set>

namespace mailtight::io {

struct loop::state {
    boost::asio::io_context context{1};
    std::size_t live = 0;             ///< spawned tasks that are not done
    std::unordered_set<void*> frames; ///< of spawned tasks that are not done
    std::exception_ptr error;         ///< the first that came out of a spawned task
    bool stopped = false;
};

} // namespace mailtight::io
