// SPDX-License-Identifier: Apache-2.0
// What the policy host has in memory: takes over what the store publishes and what the certificates' folder
// has, and knows which of several certificates of one name counts. On the loop's thread; the host outlives
// it.
#pragma once

#include "app/certificate_rows.h"
#include "app/published_news.h"
#include "base/metrics.h"
#include "insight/alarms.h"
#include "publish/certificate_folder.h"
#include "publish/policy_host.h"

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace mailtight::app {

class hosted_memory {
public:
    /// `files_too`: certificates come from a folder as well. `trouble` hears what cannot be taken.
    hosted_memory(publish::policy_host& host, bool files_too,
                  std::function<void(const std::string&)> trouble);
    void take(published_news fresh, base::utc_seconds now);
    void take(publish::certificate_folder::changes found);

    std::vector<folder_certificate> from_folder() const;
    std::vector<insight::alarm> alarms() const;
    /// Of all together, however many they are.
    void tell_ends(base::metrics& to, base::utc_seconds now) const;

private:
    void take(opened_certificate one);
    void take_answers(std::vector<store::challenge_answer> all, base::utc_seconds now);

    publish::policy_host& host_;
    bool files_too_;
    std::function<void(const std::string&)> trouble_;
    struct served_certificate {
        base::utc_seconds issued{}, ends{}, renew_at{};
        std::string file;
    };
    std::map<std::string, served_certificate> newest_;
    std::map<std::string, std::string> broken_;
    std::map<std::string, std::vector<std::string>> by_file_;
    std::map<std::pair<std::string, std::string>, std::string> answering_;
};

} // namespace mailtight::app
