// SPDX-License-Identifier: Apache-2.0
// What watching writes down beside a domain's work: the alarms that stand, and until when they have to be
// judged again although nothing differs. Text in the store; unreadable text is an empty note.
#pragma once

#include "publish/watch.h"

#include <string>
#include <string_view>
#include <vector>

namespace mailtight::publish {

struct watch_notes {
    base::utc_seconds at{};    ///< when they were judged
    base::utc_seconds until{}; ///< judged again at each look till then
    std::vector<watch_alarm> alarms;
    std::string to_text() const;
    static watch_notes parse(std::string_view domain, std::string_view text);
};

} // namespace mailtight::publish
