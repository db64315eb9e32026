// SPDX-License-Identifier: Apache-2.0
// How the files of the doorkeeper ask the store. For doorkeeper*.cpp alone.
#pragma once

#include "api/doorkeeper.h"

namespace mailtight::api {

template<class T>
io::task<store::result<T>> doorkeeper::ask(counter& at,
                                           std::function<store::result<T>(store::access_store&)> what) {
    return at.worker.run<store::result<T>>([this, &at, what = std::move(what)]() -> store::result<T> {
        if (!at.store) {
            auto opened = open_();
            if (!opened)
                return std::unexpected(opened.error());
            at.store = std::move(*opened);
        }
        auto answer = what(*at.store);
        if (!answer && answer.error().again())
            at.store.reset();
        return answer;
    });
}

} // namespace mailtight::api
