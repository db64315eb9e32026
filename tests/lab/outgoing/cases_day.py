# SPDX-License-Identifier: Apache-2.0
"""A day of deliveries, from each source that tells of them, to the reports as the other side counts them."""

from __future__ import annotations

import re
import time

from outgoing import datagrams, places
from outgoing.case import Trial, case
from outgoing.daemon import Reporter, until_due
from outgoing.places import domain
from sending.mail_servers import Exim, Postfix

PATIENT = ["minimal_backoff_time = 1000s", "maximal_backoff_time = 1000s", "queue_run_delay = 1000s"]
SMART_HOST = 'route = "smart-host"\nhost = "127.0.0.1"\nport = 25'
Told = dict[str, dict[str, tuple[int, int]]]


def expected(source: str, sessions: dict[str, int]) -> tuple[Told, dict[str, dict[str, int]]]:
    """From the sessions of each kind to what the receiver's summary must say, and which results."""
    totals: Told = {}
    results: dict[str, dict[str, int]] = {}
    for one in places.of(source):
        count = sessions.get(one.place.kind, 0)
        if one.records != 1 or not count:
            continue
        name = domain(one.place.kind, source)
        totals[name] = {one.policy: (0, count) if one.result and one.failed else (count, 0)}
        results[name] = {one.result: count} if one.result else {}
        if one.place.kind == places.BASE_ASKS:
            totals[places.base_domain(source)] = totals[name]
            results[places.base_domain(source)] = results[name]
    return totals, results


def of_source(source: str, totals: Told) -> Told:
    names = {domain(one.place.kind, source) for one in places.of(source)} | {places.base_domain(source)}
    return {name: row for name, row in totals.items() if name in names}


def probed(trial: Trial, reporter: Reporter, source: str) -> None:
    """The policy in testing is known, and what a probe found of its host."""
    name = domain("testing", source)
    trial.same(f"{name}: the answer", reporter.ask(name), "NOTFOUND ")
    trial.wait("a verdict of the probe", lambda: reporter.rows("cache", "show", name)[0]["verdicts"], 20)


def end_day(trial: Trial, reporter: Reporter) -> None:
    """Until its reports are due. On a busy machine what was counted may still be on its way into the database when the last mail is out (Exim waits
    three seconds for the answer); where the day ends before it, it comes in a report of its own."""
    trial.wait("what was counted to be in the database", lambda: reporter.counted()["waiting"] == 0, 20)
    reporter.pass_time(until_due())


def compare(trial: Trial, source: str, sessions: dict[str, int]) -> None:
    """What the receiver says of the day's reports against what was seen on the wire."""
    totals, results = expected(source, sessions)
    if not trial.wait("the reports", lambda: of_source(source, trial.receiver.totals()).keys() >= totals.keys(), 30):
        trial.differences[-1] += f": missing {sorted(totals.keys() - trial.receiver.totals().keys())}"
    told = of_source(source, trial.receiver.totals())
    for name in sorted(totals.keys() | told.keys()):
        trial.same(f"sessions reported to {name}", told.get(name), totals.get(name))
        if name in told:
            trial.same(f"results reported to {name}", trial.receiver.results(name), results.get(name))


def report_transport(reporter: Reporter, postfix: Postfix) -> tuple[list[str], str]:
    """The lines for main.cf and for master.cf that doctor prints for the transport that carries reports."""
    text = postfix.doctor(reporter)
    main = [line for line in text.splitlines() if re.match(r"sender_dependent_default_transport_maps = ", line)]
    master = re.search(r"^mailtight-report\s.*(?:\n\s+-o .*)*", text, re.M)
    return main, master.group(0) + "\n" if master else ""


@case("a real Postfix's day: what its log tells is reported, as the mail servers saw it", "log",
      proves=["8460-3-g", "8460-3-h", "8460-3-v", "8460-4.2-a", "8460-4.2-b", "8460-4.3.1-a", "8460-4.3.1-b", "8460-4.3.1-c", "8460-4.3.1-d",
              "8460-4.3.1-e", "8460-5-a", "8460-5.3.1-a"])
def postfix_day(trial: Trial) -> None:
    world = trial.world
    postfix = Postfix("reporting", "out")
    reporter = world.reporter("by-log", sockets=[postfix.policy_socket], log=postfix.log, route=SMART_HOST)
    postfix.prepare([*Postfix.lines, *PATIENT])
    reporter.start()
    main, master = report_transport(reporter, postfix)
    trial.true(bool(main and master), f"doctor prints no transport for reports: {postfix.doctor(reporter)[:800]}")
    postfix.prepare([*Postfix.lines, *PATIENT, *main], master)
    postfix.start()
    world.at_end(postfix.stop)
    probed(trial, reporter, "log")
    # A session without a word of TLS counts only from a client that is known to tell of TLS.
    first = [one for one in places.of("log") if one.place.kind != "none-plain"]
    send(trial, postfix, "first", first)
    time.sleep(4)
    more = [one for one in places.of("log") if not one.result or not one.told or one not in first]
    send(trial, postfix, "second", more)
    send(trial, postfix, "third", more)
    before = postfix.said().count("status=deferred")
    postfix.retry()  # what waits fails once more
    trial.wait("what waits to be tried again", lambda: postfix.said().count("status=deferred") >= before + len(postfix.queue()), 20)
    sessions = seen(trial, postfix)
    trial.wait("the log to be counted", lambda: reporter.counted()["sessions"] >= sum(sessions.values()), 10)
    trial.same("sessions counted", reporter.counted()["sessions"], sum(sessions.values()))
    end_day(trial, reporter)
    compare(trial, "log", sessions)
    trial.true(reporter.settled(), f"a delivery has not ended: {reporter.outbox(state='waiting')}")
    # The way to the mailbox behind an expired certificate, by the transport of its own; and nothing of it is counted.
    own = trial.far.hosts[f"mx.{domain('expired', 'log')}"]
    trial.same("reports that came to the host with the expired certificate", len([m for m in own.mails if m.recipient.startswith("tls@")]), 1)
    time.sleep(1)
    trial.same("sessions counted after the reports went out", reporter.counted()["sessions"], sum(sessions.values()))


def send(trial: Trial, postfix: Postfix, word: str, to: list[places.Condition]) -> None:
    """A mail to each of these, until each was tried."""
    recipients = [f"{word}@{domain(one.place.kind, 'log')}" for one in to]
    postfix.send(*recipients)
    trial.wait(f"every mail to {word} to be tried", lambda: all(f"to=<{r}>" in postfix.said() for r in recipients), 30)


def seen(trial: Trial, postfix: Postfix) -> dict[str, int]:
    """Sessions that the hosts themselves saw; of what the policy stopped, how often Postfix was told so (it keeps an
    answer for a while)."""
    found = {}
    for one in places.of("log"):
        name = domain(one.place.kind, "log")
        count = trial.far.hosts[f"mx.{name}"].sessions()
        if one.place.kind == "outside":
            trial.same(f"{name}: connections although the policy stands in the way", count, 0)
            count = postfix.said().count(f"socketmap server temporary error: MTA-STS policy of {name}")
        found[one.place.kind] = count
        trial.true(count > 0, f"nothing went to {name}: {postfix.queue()}")
    return found


@case("a day of datagrams: every result type and every policy type, in the same numbers", "datagram",
      proves=["8460-3-v", "8460-3-x", "8460-4.2-a", "8460-4.2-b", "8460-4.3.2-a", "8460-4.3.2-b", "8460-4.3.2-c", "8460-4.3.2-d", "8460-4.3.2-e",
              "8460-4.3.2-f"])
def datagram_day(trial: Trial) -> None:
    reporter = trial.world.reporter("by-datagram")
    reporter.text = reporter.text.replace('mta-dane = "yes"', 'mta-dane = "no"')  # so that it is the service that stops
    reporter.start()
    probed(trial, reporter, "datagram")
    teller, sessions = reporter.teller(), {}
    for number, one in enumerate(places.of("datagram")):
        name, kind = domain(one.place.kind, "datagram"), one.place.kind
        reporter.ask(name)  # as Postfix does before
        address = trial.far.hosts[f"mx.{name}"].address
        sessions[kind] = 3 * number + 1
        if kind in ("outside", "dane-bogus"):  # no session comes of these: the asking is what counts
            sessions[kind] = 1
            continue
        teller.send(datagrams.of_condition(one, "datagram", address), sessions[kind])
    trial.same("datagrams lost", teller.lost, 0)
    trial.wait("all to be counted", lambda: reporter.counted()["sessions"] >= sum(sessions.values()), 10)
    trial.same("sessions counted", reporter.counted()["sessions"], sum(sessions.values()))
    end_day(trial, reporter)
    compare(trial, "datagram", sessions)
    trial.same("a record with two addresses", [d["state"] for d in reporter.deliveries(domain("fine", "datagram")).values()], ["sent", "sent"])
    told = {kind for name in of_source("datagram", trial.receiver.totals()) for kind in trial.receiver.results(name)}
    trial.same("result types reported", told, set(datagrams.RESULT_CODES))


@case("an Exim's day: what its events tell is reported", "exim")
def exim_day(trial: Trial) -> None:
    reporter = trial.world.reporter("by-exim")
    reporter.start()
    exim = Exim(trial.world.snippets, reporter.lines, reporter.events, "reporting")
    exim.prepare()
    probed(trial, reporter, "exim")
    names = {one.place.kind: domain(one.place.kind, "exim") for one in places.of("exim")}
    exim.send(*(f"first@{name}" for name in names.values()))
    exim.send(*(f"second@{name}" for name in names.values()))
    hosts = trial.far.hosts
    sessions = {kind: hosts[f"mx.{name}"].sessions() for kind, name in names.items()}
    trial.wait("the events to be counted", lambda: reporter.counted()["sessions"] >= sum(sessions.values()), 10)
    end_day(trial, reporter)
    compare(trial, "exim", sessions)
