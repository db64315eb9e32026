// SPDX-License-Identifier: Apache-2.0
// The table of events; docs and tests come from it.
#include "base/log.h"

#include <array>

namespace mailtight::base {

namespace {

using enum log_level;

constexpr std::array table = {
    event_entry{event::started, "serve.started", info,
                "The daemon begins: version, configuration and store."},
    event_entry{event::ready, "serve.ready", info, "Every part is open; reports are taken from now on."},
    event_entry{event::stopping, "serve.stopping", info,
                "Asked to end: no new connections, what was acknowledged is finished."},
    event_entry{event::stopped, "serve.stopped", info, "Everything is closed."},
    event_entry{event::reloaded, "serve.reloaded", info,
                "Configuration, domains and certificates were read again. Keys named in `restart` changed "
                "but take effect only when the daemon is started again."},
    event_entry{event::reload_failed, "serve.reload-failed", error,
                "The new configuration or certificates cannot be used; the old ones go on. Fix what "
                "`error` says and reload again."},
    event_entry{event::listening, "listener.open", info, "An address is bound."},
    event_entry{
        event::listener_trouble, "listener.trouble", error,
        "A connection could not be served: no descriptors are left (raise LimitNOFILE), or a fault of "
        "the program; then please report it with this line."},
    event_entry{event::pages_off, "web.off", warning,
                "The pages are not served: their usual address is taken, perhaps by another mailtight. The "
                "other parts go on. Choose another address with web.listen, or switch them off with []."},
    event_entry{event::web_first_start, "web.first-start", info,
                "Nobody could come in to the pages yet: `link` logs in once, within an hour, and the "
                "administrator's token for programs lies in `token-file`. mailtight login-link makes a new "
                "link."},
    event_entry{event::web_used, "web.used", info,
                "Somebody changed something over the pages or the API, or logged in; the audit log has it "
                "too."},
    event_entry{event::web_refused, "web.refused", warning,
                "A login or a request over the pages or the API was refused. Many of them from one address: "
                "somebody tries."},
    event_entry{event::part_failed, "part.failed", error,
                "A part cannot begin; the daemon does not start without it. Fix what `error` says."},
    event_entry{event::way_in_failed, "way-in.failed", warning,
                "A way in cannot be used just now (a mailbox refuses the login, a folder is not readable); "
                "it is tried again by itself. Senders and mailbox keep the reports meanwhile."},
    event_entry{event::way_in_recovered, "way-in.recovered", info, "It works again."},
    event_entry{event::report_stored, "report.stored", info, "A report was committed and is counted."},
    event_entry{event::report_kept_apart, "report.kept-apart", info,
                "A report was committed but is not counted; `why` says the reason: a domain that is not "
                "ours, no trustworthy signature. See mailtight report list --quarantined."},
    event_entry{event::report_refused, "report.refused", warning,
                "What came in is no report, or too large; nothing was stored."},
    event_entry{event::test_arrived, "report.test-arrived", info,
                "The synthetic report of mailtight report test is in the store."},
    event_entry{event::store_unavailable, "store.unavailable", error,
                "The store cannot be written: disk full, database away. Reports are not acknowledged, "
                "senders try again. Make room or bring the database back; nothing else is to be done."},
    event_entry{event::store_recovered, "store.recovered", info, "The store is written again."},
    event_entry{event::store_slow, "store.question-failed", warning,
                "A question to the store failed; alarms and digests come later."},
    event_entry{event::domains_changed, "domains.changed", info, "Domains were added to the store."},
    event_entry{event::certificate_ends_soon, "certificate.ends-soon", warning,
                "A certificate of ours ends within 14 days or has ended: renew it and reload."},
    event_entry{event::alarm_raised, "alarm.raised", warning,
                "Something needs a person; `title` says what, the mail or webhook says all."},
    event_entry{event::alarm_reminder, "alarm.goes-on", warning, "An alarm that was told before goes on."},
    event_entry{event::alarm_resolved, "alarm.resolved", info, "What the alarm was about is over."},
    event_entry{event::notice_failed, "notice.failed", error,
                "A mail or webhook of ours did not go out; it is tried again. See [mail] and [alarms]."},
    event_entry{event::digest_sent, "digest.sent", info, "The weekly digest went out."},
    event_entry{event::retention_done, "retention.done", info,
                "Bodies and details older than [store] says were dropped; the totals of the days stay."},
    event_entry{event::control_used, "control.used", info,
                "Somebody changed something through the control socket; `who` is the kernel's word."},
    event_entry{event::control_refused, "control.refused", warning,
                "Somebody who may not tried to change something through the control socket."},
    event_entry{event::policies_loaded, "policy.loaded", info,
                "What the store knows of destinations is in memory; mail servers are answered from now on."},
    event_entry{event::policy_fetched, "policy.fetched", debug,
                "The policy of a destination was fetched, new or the same as before."},
    event_entry{event::policy_changed, "policy.changed", info,
                "A destination has another policy than before; `detail` says what changed."},
    event_entry{event::policy_fetch_failed, "policy.fetch-failed", info,
                "The policy of a destination could not be had; `fault` is what a report would name. A policy "
                "that is held goes on until it ends; nothing is to be done here."},
    event_entry{event::policy_refresh_alarm, "policy.refresh-fails", warning,
                "The policy of a destination cannot be refreshed since a day, or half of its life is over: "
                "its administrator should be told before it ends. See mailtight resolve DOMAIN."},
    event_entry{event::policy_refresh_recovered, "policy.refresh-works", info,
                "A policy whose refresh failed was fetched again."},
    event_entry{event::delivery_failed, "policy.delivery-failed", info,
                "A delivery to a destination failed, so its record and policy were looked at again; `detail` "
                "says what that showed."},
    event_entry{event::policy_store_trouble, "policy.store-trouble", error,
                "The database cannot be read or written for policies just now. Mail servers are answered "
                "from memory, and what is new is written when the database comes back."},
    event_entry{event::results_trouble, "results.trouble", error,
                "Results of deliveries cannot be read or written just now: the database is away, a log file "
                "is missing. They are kept in memory and written when it is back."},
    event_entry{event::result_refused, "results.refused", warning,
                "A mail server told something that is no result; it is not counted. `where` and `error` say "
                "what is wrong with it."},
    event_entry{event::outgoing_filed, "outgoing.filed", info,
                "A report of a day was made and goes out now. See mailtight report outbox."},
    event_entry{event::outgoing_not_made, "outgoing.not-made", debug,
                "Nobody asks for this report, or a guard of [deliver] is against it; `why` says which."},
    event_entry{event::outgoing_sent, "outgoing.sent", info, "A report was accepted by the other side."},
    event_entry{event::outgoing_later, "outgoing.later", debug,
                "A report could not be delivered just now; it is tried again for a day."},
    event_entry{
        event::outgoing_refused, "outgoing.refused", warning,
        "The other side refused a report for good; `why` is what it said. Nothing is to be done where "
        "its address is wrong; where it names your address or signature, see mailtight doctor."},
    event_entry{event::outgoing_given_up, "outgoing.given-up", warning,
                "A report could not be delivered for a day and is given up; `why` is the last reason."},
    event_entry{
        event::outgoing_suppressed, "outgoing.suppressed", info,
        "A report is not sent to an address: the list, a limit or a guard of [deliver] is against it."},
    event_entry{event::outgoing_trouble, "outgoing.trouble", error,
                "Reports cannot be made or sent just now: the database is away, or a key cannot be read."},
    event_entry{event::sealing_key_made, "publish.key-made", warning,
                "The key under which secrets are kept in the database did not exist and was made in `file`. "
                "Keep a copy of it apart from copies of the database."},
    event_entry{event::hosting_loaded, "publish.loaded", info,
                "The policies and certificates of the domains looked after are in memory and are served."},
    event_entry{event::hosting_trouble, "publish.trouble", error,
                "Policies are served out of memory, yet something about them cannot be read or written just "
                "now: the database is away, or a certificate cannot be opened with this key file."},
    event_entry{event::plan_step_done, "plan.step-done", info,
                "A step of a domain's plan was carried out. See mailtight domain show DOMAIN."},
    event_entry{event::plan_step_failed, "plan.step-failed", warning,
                "A step of a domain's plan did not succeed; it is tried again. Fix what `error` says."},
    event_entry{event::certificate_issued, "certificate.issued", info,
                "The authority gave a certificate for a policy host, or for a name of the pages; it is "
                "served from now on."},
    event_entry{event::certificate_failed, "certificate.failed", warning,
                "No certificate could be had for a policy host, or for a name of the pages; it is tried "
                "again, ever more seldom. The old one goes on. Fix what `error` says."},
    event_entry{event::internal_error, "internal.error", error,
                "A fault of the program: please report it with this line."},
};

} // namespace

std::span<const event_entry> log_events() {
    return table;
}

const event_entry& entry_of(event what) {
    return table[static_cast<std::size_t>(what)];
}

} // namespace mailtight::base
