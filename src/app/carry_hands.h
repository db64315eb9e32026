// SPDX-License-Identifier: Apache-2.0
// What the carrier and the watcher of the daemon do in the world: the hands that the commands have too, with
// the daemon's certificates, reports and alarms beside them. Lives on the loop; the store is used on its
// worker.
#pragma once

#include "app/certificate_desk.h"
#include "app/names_below.h"
#include "app/publish_hands.h"
#include "publish/watcher.h"

#include <functional>
#include <memory>

namespace mailtight::app {

class carry_hands {
public:
    /// All of it outlives the hands.
    carry_hands(daemon_core& core, const publish_settings& say, io::worker& store_thread,
                store::domain_store& kept);
    publish_hands& all() { return hands_; }
    /// `desk`: who gets certificates; null: they come from a folder.
    publish::hands of_carrier(certificate_desk* desk);
    publish::watch_hands of_watcher();
    const names_below* below() const { return below_.get(); } ///< what the watcher asks; null without one

private:
    template<class T>
    io::task<store::result<T>> ask(std::function<store::result<T>(store::domain_store&)> question) {
        return store_thread_.run<store::result<T>>(
            [question = std::move(question), kept = &kept_] { return question(*kept); });
    }
    names_below_needs needs_below();
    /// A certificate that was seen over the public path: the one before it may go. What is to happen where
    /// it is refused there is for the desk, which alone may take it back.
    io::task<> prove(model::looked_after wish, const model::observation& seen);

    daemon_core& core_;
    const publish_settings& say_;
    io::worker& store_thread_;
    store::domain_store& kept_;
    publish_hands hands_;
    std::unique_ptr<names_below> below_;
};

} // namespace mailtight::app
