# SPDX-License-Identifier: Apache-2.0
"""Killed while it counts and while it sends, fed with what is no datagram, and shared by two machines: nothing counted is
lost, nothing is reported twice, nothing is forgotten."""

from __future__ import annotations

import collections
import random
import threading
import time
from pathlib import Path

import database
from outgoing import datagrams
from outgoing.case import Trial, case
from outgoing.daemon import Reporter, until_due
from outgoing.endpoint import Endpoint
from outgoing.ways import COUNTED, ENDPOINTS, KILLS, SHARED

SLOT = 0.25    # seconds of sending that have a domain of their own
BEHIND = 1.0   # seconds that a kill may cost at most


def endpoint(trial: Trial, zone: str, **more) -> Endpoint:
    name = f"in.{zone}"
    made = Endpoint(ENDPOINTS[name], trial.far.authority.leaf("good", [name]), trial.far.authority.key_file, **more).start()
    trial.world.at_end(made.stop)
    return made


def chance_of(trial: Trial, what: str) -> random.Random:
    seed = random.SystemRandom().randrange(1 << 30)
    print(f"        {what}: seed {seed}", flush=True)
    return random.Random(seed)


class Slots:
    """Tells sessions without pause; those of each quarter of a second go to a domain of their own."""

    def __init__(self, reporter: Reporter, zone: str):
        self.teller, self.zone = reporter.teller(), zone
        self.sent: collections.Counter[int] = collections.Counter()
        self.ended: dict[int, float] = {}  # when the last datagram of a slot was handed over
        self.stop = False
        self.began = time.monotonic()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def name(self, slot: int) -> str:
        return f"s{slot}.{self.zone}"

    def _run(self) -> None:
        while not self.stop:
            slot = int((time.monotonic() - self.began) / SLOT)
            before = self.teller.sent
            self.teller.send(datagrams.session(self.name(slot)), 1, wait=0)
            if self.teller.sent > before:
                self.sent[slot] += 1
                self.ended[slot] = time.monotonic()
            time.sleep(0.0005)

    def end(self) -> None:
        self.stop = True
        self.thread.join()
        self.teller.close()


@case("killed while it counts: nothing older than a second is lost, nothing counts twice", "kills")
def kills_counting(trial: Trial) -> None:
    deaths = 50 if trial.world.full else 5
    chance = chance_of(trial, f"{deaths} kills while it counts")
    taking = endpoint(trial, COUNTED)
    reporter = trial.world.reporter("killed-counting")
    reporter.start()
    slots, killed = Slots(reporter, COUNTED), []
    for _ in range(deaths):
        time.sleep(chance.uniform(1.2, 2.4))
        killed.append(time.monotonic())
        reporter.kill()
        reporter.start()
    time.sleep(1.2)
    slots.end()
    time.sleep(BEHIND + 0.5)
    reporter.pass_time(until_due())
    trial.wait("a report for every slot", lambda: len(reporter.outbox(state="sent")) >= len(slots.sent) - 5 * deaths and reporter.settled(), 60)
    time.sleep(1)
    counted = collections.Counter({report["domain"]: report["success"] for report in reporter.outbox()})
    whole = 0
    for slot, sent in sorted(slots.sent.items()):
        got = counted[slots.name(slot)]
        first = slots.began + slot * SLOT
        if any(first <= at <= slots.ended[slot] + BEHIND for at in killed):
            trial.true(got <= sent, f"slot {slot}: {got} counted of {sent}")
        else:
            trial.same(f"slot {slot}: sessions counted", got, sent)
            whole += 1
    trial.true(whole > deaths, f"only {whole} of {len(slots.sent)} slots lie apart from the kills")
    posted = collections.Counter(post.domain for post in taking.posted)
    trial.same("reports that came twice", {d: n for d, n in posted.items() if n > 1}, {})


@case("killed while it sends: no report is sent again after a success was recorded, none is forgotten", "kills")
def kills_sending(trial: Trial) -> None:
    deaths, reports, at_once = (50, 1500, 8) if trial.world.full else (5, 150, 8)
    chance = chance_of(trial, f"{deaths} kills while it sends {reports} reports")
    taking = endpoint(trial, KILLS, slow=0.05)
    reporter = trial.world.reporter("killed-sending", deliver=f"at-once = {at_once}\nper-host = 100000")
    reporter.start()
    teller = reporter.teller()
    for number in range(reports):
        teller.send(datagrams.session(f"r{number}.{KILLS}"), 2)
    trial.wait("all to be counted", lambda: reporter.counted()["sessions"] >= 2 * reports, 20)
    ahead = until_due()
    reporter.pass_time(ahead)
    recorded: dict[str, int] = {}  # domain -> posts of its report when its success stood in the store
    for stage in range(deaths):
        due = reports * (stage + 1) // (deaths + 1) - chance.randrange(reports // (deaths + 1))
        trial.wait(f"{due} posts", lambda d=due: len(taking.posted) >= d, 60)
        time.sleep(chance.uniform(0, 0.05))
        reporter.kill()
        time.sleep(0.2)  # what was under way has come to its end
        posts = collections.Counter(post.domain for post in taking.posted)
        for row in reporter.rows("report", "outbox", "--limit", "10000"):
            if all(each["state"] == "sent" for each in row["deliveries"]):
                recorded.setdefault(row["domain"], posts[row["domain"]])
        reporter.start()
        ahead += 7200  # beyond the waits of those whose try was cut off
        reporter.pass_time(ahead)
    trial.wait("every report to be sent", lambda: len({post.domain for post in taking.posted}) >= reports, 60)
    trial.wait("every delivery to end", reporter.settled, 60)
    posts = collections.Counter(post.domain for post in taking.posted)
    trial.same("domains whose report came", len(posts), reports)
    trial.true(bool(recorded), "no success was recorded before a kill")
    trial.same("reports sent again after their success was recorded", {d: (n, posts[d]) for d, n in recorded.items() if posts[d] != n}, {})
    again = sum(posts.values()) - reports
    trial.true(again <= deaths * at_once, f"{again} reports came more than once, at most {deaths * at_once} were under way at a kill")
    trial.same("ids of a domain's posts", {d for d in posts if len({p.report()["report-id"] for p in taking.posted if p.domain == d}) > 1}, set())
    print(f"        {sum(posts.values())} posts of {reports} reports, {len(recorded)} recorded before a kill", flush=True)


def bad(chance: random.Random, number: int) -> bytes:
    """What is no datagram of the protocol, never the same twice."""
    good = datagrams.packed(datagrams.session(f"b{number}.bad.test", "sts", "certificate-expired", strings=["version: STSv1"]))
    kind = number % 8
    if kind == 0:
        return chance.randbytes(chance.randrange(1, 400))
    if kind == 1:
        return good[:chance.randrange(len(good))]
    if kind == 2:
        return good.replace(b'"dpv":"1"', b'"dpv":"7"')
    if kind == 3:
        return b"[" * chance.randrange(2, 3000) + b"%d" % number
    if kind == 4:
        return good.replace(b'"policies":[', b'"policies":[],"p":[')
    if kind == 5:
        return good.replace(b'"d":', b'"e":')
    if kind == 6:
        return good.replace(b'"policy-type":2', b'"policy-type":"%d"' % number + b",")
    return b'{"d":' + b"\xff\xfe%d" % number


@case("fed with what is no datagram, it stands and goes on counting", "bad")
def bad_datagrams(trial: Trial) -> None:
    many = 1_000_000 if trial.world.full else 100_000
    chance = chance_of(trial, f"{many} bad datagrams")
    reporter = trial.world.reporter("bad")
    reporter.start()
    teller, good = reporter.teller(), 0
    for number in range(many):
        teller.send(bad(chance, number))
        if number % 1000 == 999:
            teller.send(datagrams.session("good.bad.test"))
            good += 1
    teller.send(b"")
    teller.send(b'"' + b"x" * 150_000 + b'"')
    trial.same("datagrams that were not taken", teller.lost, 0)
    trial.wait("the good ones to be counted", lambda: reporter.counted()["sessions"] >= good, 20)
    told = reporter.counted()
    trial.same("sessions counted", told["sessions"], good)
    trial.true(told["bad_datagrams"] >= many, f"bad ones counted: {told}")
    trial.true(reporter.process is not None and reporter.process.poll() is None, "it ended")
    used = int(next(row.split()[1] for row in Path(f"/proc/{pid_of(reporter)}/status").read_text().splitlines() if row.startswith("VmHWM")))
    trial.true(used < 300_000, f"it took {used} kB of memory")
    trial.has((reporter.folder / "serve.log").read_text(errors="replace"), "datagram")


def pid_of(reporter: Reporter) -> int:
    """Of the daemon itself: nsenter has become it."""
    assert reporter.process is not None
    return reporter.process.pid


@case("two machines on one database count together and owe one report", "shared")
def two_machines(trial: Trial) -> None:
    cluster = database.Cluster("outgoing-postgres", 5435)
    trial.world.at_end(cluster.stop)
    taking = endpoint(trial, SHARED)
    machines = [trial.world.reporter(f"machine-{name}", store=cluster.address(), resolve=f'machine-name = "{name}"') for name in ("one", "two")]
    names = [f"d{n}.{SHARED}" for n in range(20)]
    for machine in machines:
        machine.start()
    tellers = [machine.teller() for machine in machines]
    for number, name in enumerate(names):
        tellers[0].send(datagrams.session(name), 3 + number)
        tellers[1].send(datagrams.session(name, "sts", "certificate-expired", strings=["version: STSv1", "mode: enforce"]), 2)
    trial.wait("both to count", lambda: all(m.counted()["waiting"] == 0 and m.counted()["sessions"] for m in machines), 20)
    time.sleep(1)
    for machine in machines:
        machine.pass_time(until_due())
    trial.wait("a report for each domain", lambda: len({p.domain for p in taking.posted}) >= len(names), 40)
    trial.wait("every delivery to end", lambda: all(m.settled() for m in machines), 20)
    time.sleep(1)
    sums = {}
    for post in taking.posted:
        rows = [p["summary"] for p in post.report()["policies"]]
        sums.setdefault(post.domain, []).append((sum(r["total-successful-session-count"] for r in rows),
                                                 sum(r["total-failure-session-count"] for r in rows)))
    trial.same("reports and their sessions", sums, {name: [(3 + number, 2)] for number, name in enumerate(names)})
    for machine in machines:
        trial.same("it ends as it should", machine.stop(), 0)


@case("a burst of datagrams is taken whole as far as the kernel keeps it", "bad")
def bursts(trial: Trial) -> None:
    reporter = trial.world.reporter("bursts")
    reporter.start()
    teller, length = reporter.teller(), int(Path("/proc/sys/net/unix/max_dgram_qlen").read_text())
    teller.send(datagrams.session("burst.bad.test"))
    for _ in range(20):
        time.sleep(0.15)
        teller.send(datagrams.session("burst.bad.test"), min(length, 10), wait=0)
    trial.same("datagrams lost in bursts of what the queue holds", teller.lost, 0)
    trial.wait("all to be counted", lambda: reporter.counted()["sessions"] >= teller.sent, 10)
    trial.same("sessions counted", reporter.counted()["sessions"], teller.sent)
    queue = reporter.counted()["sockets"][0]
    trial.same("the socket's datagrams and its queue's length", (queue["datagrams"], queue["queue_length"]), (teller.sent, length))
