// SPDX-License-Identifier: Apache-2.0
// Reads pages of the kept policies for the HTTP interface, on a thread and a connection of its own. Made,
// asked and destroyed on the loop's thread; errors are those of the store.
#pragma once

#include "api/context.h"
#include "io/worker.h"

#include <memory>
#include <string>

namespace mailtight::app {

class stored_pages {
public:
    /// `place`: where the database is. It stays there whatever the settings say later.
    stored_pages(io::loop& on, std::string place);
    /// What the database holds of destinations after this domain, at most `limit` of them. A connection that
    /// failed is made anew by the next call. Of those with `contains` in their name, where it is not "".
    io::task<store::result<api::stored_page>> page(std::string after, std::size_t limit,
                                                   std::string contains = {});

private:
    struct side {
        std::string place;
        std::unique_ptr<store::policy_store> reader;
        store::result<api::stored_page> read(const std::string& after, std::size_t limit,
                                             const std::string& contains);
    };
    std::shared_ptr<side> side_; ///< of the thread
    io::worker thread_;
};

} // namespace mailtight::app
