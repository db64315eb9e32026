// SPDX-License-Identifier: Apache-2.0
// A mail that came back. Anybody can write one: it is believed only where it has the Message-ID of a mail of
// ours, which nobody can make up, and names the address that this mail went to; and all that it can do is
// that this address gets nothing for a while. So who gets a report cannot silence another who gets it too.
#include "base/text.h"
#include "deliver/bounce.h"
#include "deliver/sender_state.h"

#include <algorithm>

namespace mailtight::deliver {

io::task<> sender::state::bounced(std::shared_ptr<state> self, std::string message) {
    const in_hand booked(self->others);
    const auto seen = read_bounce(message);
    message = {}; // it may be large, and the store slow
    if (!seen || !seen->permanent || seen->recipient.empty())
        co_return;
    using found = std::optional<model::outgoing_report>;
    const auto report =
        co_await ask<found>(self, [id = seen->report_id](store::result_store& s) -> store::result<found> {
            const auto number = s.find_report(id);
            if (!number)
                return std::unexpected(number.error());
            return *number ? s.report(**number) : store::result<found>(std::nullopt);
        });
    if (!report || !*report)
        co_return;
    const auto& sent = (*report)->deliveries;
    const auto to = std::ranges::find_if(sent, [&](const model::outgoing_delivery& each) {
        return is_mail(each) && each.tag == seen->tag && base::iequals(each.address, seen->recipient);
    });
    if (to == sent.end())
        co_return;
    if (is_copy(*to)) // the operator's own: for him to know, and to mend
        self->say(sender_event::kind::trouble, (*report)->domain, (*report)->day,
                  "the copy came back: " + seen->words, to->uri);
    else
        co_await suppress(self, **report, *to, seen->words);
}

} // namespace mailtight::deliver
