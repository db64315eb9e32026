# SPDX-License-Identifier: Apache-2.0
"""Watching: what changes for the worse at a domain looked after is told, once; what is mended is told too.

Nothing here waits for an interval: hours pass when they are told to, and a look has happened when the domain's history
says what it saw."""

from __future__ import annotations

import time
from pathlib import Path

from publish.case import Trial, case
from publish.cases_host import put_certificate
from publish.hooks import Told
from publish.person import seconds_of
from publish.publisher import Publisher
from publish.web_servers import Nginx

ZONE = "watched.test"
SERVERS, POLICY, CERTIFICATE = (f"{what}.{ZONE}" for what in ("servers", "policy", "certificate"))
DOMAINS = (SERVERS, POLICY, CERTIFICATE)
GOOD, NEW = f"mx1.{ZONE}", f"mx9.{ZONE}"
HOUR = 3600
NEXT_LOOK = 1.55 * HOUR  # the next of a kind comes after half an interval to one and a half
NEXT_FULL_LOOK = 24 * NEXT_LOOK
AGAIN = 660  # of a look that failed


class Watched:
    """Three domains in testing that are watched, each for a fault of its own, and whoever is told."""

    def __init__(self, trial: Trial):
        world, names = trial.world, trial.names
        self.trial = trial
        for host in (GOOD, NEW):
            world.mail_host(host)
        self.top: Path = world.folder / "watched-certificates"
        self.told = Told(world.address())
        world.at_end(self.told.stop)
        self.publisher: Publisher = world.publisher("watched", certificates=f'folder = "{self.top}"', more=self.told.section())
        for domain in DOMAINS:
            names.put(domain, "MX", f"10 {GOOD}.")
            self.certificate(domain, "good")
        self.publisher.start()
        for domain in DOMAINS:
            self.publisher.say("domain", "add", domain, "--mode", "testing", "--mx", GOOD, "--rua", f"mailto:tls@{domain}", "--dns", "update:knot",
                               "--leave", "all")
            self.publisher.say("plan", domain, "--said", "report-way")
        open_still = list(DOMAINS)

        def published() -> bool:
            self.publisher.pass_days(60 / 86400)  # what is tried again in half a minute is tried soon
            open_still[:] = [domain for domain in open_still if not self.publisher.plan(domain)["finished"]]
            return not open_still
        if not trial.wait("the first publication", published, 120):
            raise RuntimeError(f"the first publication does not end: {open_still}")

    def certificate(self, domain: str, kind: str) -> None:
        name, authority = f"mta-sts.{domain}", self.trial.world.authority
        put_certificate(self.top, name, True, authority.leaf(kind, [name]).read_bytes(), authority.key_file.read_bytes())

    def put(self, name: str, kind: str, *values: str) -> None:
        """Until the resolver that the daemon asks says so."""
        self.trial.names.put(name, kind, *values)
        wanted = sorted(value.rstrip(".") for value in values)
        self.trial.wait(f"{name} {kind} in DNS", lambda: self.trial.names.look_up(name, kind) == wanted)

    def last_look(self, domain: str) -> dict:
        """What the newest look at it saw: `last` says when."""
        document = self.publisher.api("GET", f"/domains/{domain}/history")[1]
        return max(document["states"], key=lambda each: each["last"], default={"last": "1970-01-01T00:00:00Z", "mx": [], "problems": []})

    def look(self, what: str, saw: dict, span: float = NEXT_LOOK) -> None:
        """Hours pass until a look at each of these domains has seen what is said of it; the looks of one turn are of all of them. One that was
        under way when something changed shows the old: then the next."""
        open_still = dict(saw)

        def looked() -> bool:
            self.pass_hours(span)
            for domain, sees in list(open_still.items()):
                if sees(self.last_look(domain)):
                    del open_still[domain]
            return not open_still
        if not self.trial.wait(f"looks that see {what}", looked, 60):
            self.trial.differences[-1] += f": not at {', '.join(open_still)}"

    def pass_hours(self, span: float) -> None:
        """Until every domain was looked at: a look that is overtaken by the hours loses its lease, and what it saw is not told.
        On a busy machine DNS may not answer in time; such a look is repeated after ten minutes, which pass here."""
        full, cheap, failed = self.looks()
        before = {domain: self.last_look(domain)["last"] for domain in DOMAINS}
        self.publisher.pass_days(span / 86400)

        def came() -> bool:
            nonlocal failed
            full_now, cheap_now, failed_now = self.looks()
            if failed_now > failed:
                failed = failed_now
                time.sleep(5)  # what is under way beside it
                self.publisher.pass_days(AGAIN / 86400)
            return cheap_now >= cheap + len(DOMAINS) and (span < NEXT_FULL_LOOK or full_now >= full + len(DOMAINS))
        self.trial.wait("a look at every domain", came, 150)
        self.trial.wait("what they saw in the store", lambda: all(self.last_look(domain)["last"] > before[domain] for domain in DOMAINS), 30)
        if span >= NEXT_FULL_LOOK:
            time.sleep(1.2)  # each domain has two looks then: the beat in which the later of them is written

    def looks(self) -> tuple[int, int, int]:
        """Full ones, cheap ones, and those that failed."""
        watch = self.publisher.control_request("GET", "/status")[1]["carry"]["watch"]
        return watch["full"], watch["cheap"], watch["failed"]

    def both_looks(self, what: str, saw: dict) -> None:
        """What one look saw may be a change under way; the second one confirms it."""
        self.look(what, saw)
        first = {domain: seconds_of(self.last_look(domain)["last"]) for domain in saw}

        def again(domain: str):
            return lambda seen: saw[domain](seen) and seconds_of(seen["last"]) >= first[domain] + HOUR / 2
        self.look(f"{what} again", {domain: again(domain) for domain in saw})

    def is_told(self, what: str, *words: str) -> None:
        """Alarms of a moment are told together, half a minute later: minutes pass until they are. Each of them once."""
        def told() -> bool:
            self.publisher.pass_days(60 / 86400)
            time.sleep(1)
            return bool(self.told.of(*words))
        self.trial.wait(f"{what} (told: {[(a.get('event'), a.get('key')) for a in self.told.alarms]})", told, 90)
        self.trial.same(f"how often {what} is told", len(self.told.of(*words)), 1)


@case("what changes for the worse is told once: mail servers, a policy of somebody else, a certificate that ends", "watched")
def watched(trial: Trial) -> None:
    domains = Watched(trial)
    domains.look("all well", dict.fromkeys(DOMAINS, lambda seen: seen["mx"] == [GOOD]))
    trial.same("what is told before anything is wrong", domains.told.alarms, [])
    before = domains.publisher.certificate(CERTIFICATE)
    domains.certificate(CERTIFICATE, "expires-soon")
    web = somebody_else(trial)
    domains.put(f"mta-sts.{POLICY}", "A", web.address)
    domains.put(SERVERS, "MX", f"10 {GOOD}.", f"20 {NEW}.")
    trial.wait("the certificate that ends", lambda: domains.publisher.certificate(CERTIFICATE) not in (before, None))
    domains.look("a certificate that ends", {CERTIFICATE: lambda seen: any("cert-expires-soon" in each for each in seen["problems"])}, NEXT_FULL_LOOK)
    domains.both_looks("a foreign policy and a new mail server", {
        POLICY: lambda seen: any(each.startswith(("mx.not-in-policy", "mx.none-in-policy")) for each in seen["problems"]),
        SERVERS: lambda seen: seen["mx"] == [GOOD, NEW]})
    for what, key in (("the new mail server", f"mx-without-policy/{NEW}"), ("the foreign policy", "foreign-policy"), ("the certificate", "certificate-expiring")):
        domains.is_told(what, key, '"event": "raised"')
    domains.put(f"mta-sts.{POLICY}", "A", domains.publisher.address)
    for _ in range(2):  # it comes and goes: seen twice each time, it would be told each time
        domains.put(SERVERS, "MX", f"10 {GOOD}.")
        domains.both_looks("it gone", {SERVERS: lambda seen: seen["mx"] == [GOOD]})
        domains.put(SERVERS, "MX", f"10 {GOOD}.", f"20 {NEW}.")
        domains.both_looks("it back", {SERVERS: lambda seen: seen["mx"] == [GOOD, NEW]})
    domains.is_told("that our policy is back", "foreign-policy", '"event": "resolved"')
    raised = domains.told.of(f"mx-without-policy/{NEW}", '"event": "raised"')
    trial.true(len(raised) <= 2, f"a host that comes and goes is told {len(raised)} times")
    web.stop()


def somebody_else(trial: Trial) -> Nginx:
    """A server of somebody else's for mta-sts.POLICY, with a valid certificate and a policy of its own."""
    world = trial.world
    folder = world.folder / "foreign"
    (folder / "site" / ".well-known").mkdir(parents=True)
    (folder / "site" / ".well-known" / "mta-sts.txt").write_text("version: STSv1\r\nmode: enforce\r\nmx: *.evil.test\r\nmax_age: 31557600\r\n")
    web = Nginx(folder, world.address())
    web.serve_folder(f"mta-sts.{POLICY}", folder / "site", world.authority.leaf("good", [f"mta-sts.{POLICY}"]), world.authority.key_file)
    return web
