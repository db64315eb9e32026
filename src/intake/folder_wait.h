// SPDX-License-Identifier: Apache-2.0
// Waits until a directory changes (inotify), somebody wakes it, or the time is over. wait() blocks its
// thread; wake() may be called from any. The room's own.
#pragma once

#include "intake/files.h"

#include <chrono>
#include <string>

namespace mailtight::intake {

class folder_wait {
public:
    /// `name` "" : any file in the directory. Where it cannot be watched, only the time counts.
    folder_wait(const std::string& directory, std::string name);
    /// `watch` false: changes do not end it.
    void wait(std::chrono::milliseconds at_most, bool watch);
    void wake();

private:
    bool drain_changes();
    file_handle changes_, wake_;
    std::string name_;
};

} // namespace mailtight::intake
