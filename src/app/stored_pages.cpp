// SPDX-License-Identifier: Apache-2.0
#include "app/stored_pages.h"

#include <utility>

namespace mailtight::app {

stored_pages::stored_pages(io::loop& on, std::string place)
    : side_(std::make_shared<side>(side{.place = std::move(place), .reader = nullptr}))
    , thread_(on, "pages") {}

store::result<api::stored_page> stored_pages::side::read(const std::string& after, std::size_t limit,
                                                         const std::string& contains) {
    if (!reader) {
        auto opened = store::open_policies({.where = place, .read_only = true, .create = false});
        if (!opened)
            return std::unexpected(opened.error());
        reader = std::move(*opened);
    }
    auto rows = reader->after(after, limit + 1, contains);
    if (!rows) {
        reader.reset();
        return std::unexpected(rows.error());
    }
    api::stored_page made{.rows = std::move(*rows), .more = false};
    made.more = made.rows.size() > limit;
    if (made.more)
        made.rows.pop_back();
    return made;
}

io::task<store::result<api::stored_page>> stored_pages::page(std::string after, std::size_t limit,
                                                             std::string contains) {
    return thread_.run<store::result<api::stored_page>>(
        [of = side_, after = std::move(after), limit, contains = std::move(contains)] {
            return of->read(after, limit, contains);
        });
}

} // namespace mailtight::app
