// SPDX-License-Identifier: Apache-2.0
// Questions to the store of the domains looked after, on a thread and a connection of their own. Made, asked
// and destroyed on the loop's thread; errors are those of the store. A connection that failed is made anew by
// the next question; a database without that part of the schema has no such domains.
#pragma once

#include "io/worker.h"
#include "store/domains.h"

#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace mailtight::app {

class domain_asker {
public:
    /// `place`: where the database is. It stays there whatever the settings say later.
    domain_asker(io::loop& on, std::string place)
        : side_(std::make_shared<side>(side{.place = std::move(place), .reader = nullptr}))
        , thread_(on, "domains") {}

    /// `nothing`: the answer where no domain was ever looked after.
    template<class T>
    io::task<store::result<T>> ask(std::function<store::result<T>(store::domain_store&)> question,
                                   T nothing = {}) {
        return thread_.run<store::result<T>>([of = side_, question = std::move(question),
                                              nothing = std::move(nothing)]() -> store::result<T> {
            if (!of->reader) {
                auto opened = store::open_domains({.where = of->place, .read_only = true, .create = false});
                if (!opened && opened.error().what == store::store_error::kind::nothing)
                    return nothing;
                if (!opened)
                    return std::unexpected(opened.error());
                of->reader = std::move(*opened);
            }
            auto answer = question(*of->reader);
            if (!answer && answer.error().again())
                of->reader.reset();
            return answer;
        });
    }

private:
    struct side {
        std::string place;
        std::unique_ptr<store::domain_store> reader;
    };
    std::shared_ptr<side> side_; ///< of the thread
    io::worker thread_;
};

} // namespace mailtight::app
