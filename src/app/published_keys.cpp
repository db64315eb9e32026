// SPDX-License-Identifier: Apache-2.0
#include "app/published_keys.h"

namespace mailtight::app {

io::task<std::vector<std::string>> judge_key(world& with, deliver::key_entry key) {
    const auto found = co_await with.dns->txt(key.record_name);
    mail::dkim_key_answer answer;
    using status = mail::dkim_key_answer::status;
    answer.what = model::is_dns_error(found.status) ? status::unavailable
                  : found.texts.empty()             ? status::absent
                                                    : status::found;
    answer.texts = found.texts;
    answer.ttl = found.ttl;
    co_return deliver::judge_published(key, answer);
}

} // namespace mailtight::app
