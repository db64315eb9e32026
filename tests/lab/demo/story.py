# SPDX-License-Identifier: Apache-2.0
"""What happens: how the world comes to be as the table says, and then day after day."""

from __future__ import annotations

import datetime
import shutil
import threading
import time
from collections.abc import Callable

from demo import history
from demo.table import DOMAINS, MAILBOX, PARTNERS, STORY
from demo.world import World
from outgoing.daemon import until_due

SOON = 660  # what was asked of a person is looked at anew in ten minutes


class Story:
    """`say(event, **what)` tells it. `few`: without the other organisations' mail servers."""

    def __init__(self, world: World, seed: int, say: Callable[..., None], few: bool = False):
        self.world, self.say, self.few, self.day = world, say, few, 0
        self.numbers = history.Numbers(seed, datetime.datetime.now(datetime.timezone.utc).weekday())
        self.over: set[tuple[str, str]] = set()  # faults that were mended

    def tell(self, text: str) -> None:
        self.say("story", day=self.day, text=text)

    # --- before the first day -----------------------------------------------------------------------------

    def begin(self, days: int) -> None:
        world = self.world
        self.tell("names, mail servers and web servers")
        mails = threading.Thread(target=self._write, args=(days,))
        mails.start()
        world.prepare(self.few)
        mails.join()
        self.tell(f"{self.written} reports of {days} days before are read in")
        done = world.desk.command("report", "import", str(world.folder / "history"), limit=600)
        if done.returncode > 1:
            raise RuntimeError(f"report import: {done.stdout[-500:]}{done.stderr[-500:]}")
        shutil.rmtree(world.folder / "history")
        self.tell("daemons and mail servers of those who send")
        world.start_daemons()
        self._look_after()
        self._publish()

    def _write(self, days: int) -> None:
        self.written = history.write(self.numbers, self.world.folder / "history", self.world.keys, days)

    def _look_after(self) -> None:
        desk = self.world.desk
        for domain in DOMAINS:
            words = ["domain", "add", domain.name, "--mode", domain.aim, "--owner", domain.owner]
            words += [part for label in domain.labels for part in ("--label", label)]
            # What the owners host stays theirs: the daemon looks and says.
            words += ["--dns", "update:knot", "--leave", "all" if domain.mode == "enforce" else "records"] if domain.here else ["--hosting", "elsewhere", "--leave", "nothing"]
            desk.say(*words)
            if domain.tlsrpt and not domain.here:
                desk.say("plan", domain.name, "--said", "report-way")

    def _publish(self) -> None:
        """The domains that are hosted here come to where the table has them: a few hours pass."""
        world, desk = self.world, self.world.desk
        here = [d for d in DOMAINS if d.here]
        broken = [(world.hosts[f"{mx.label}.{d.name}"], mx.cert) for d in here for mx in d.mx if mx.cert != "good"]
        for host, _ in broken:  # nobody publishes while a mail server is in no order: that comes after
            world.certify(host, "good")
        self.tell("policies are published: " + ", ".join(d.name for d in here))
        for domain in here:
            desk.say("plan", domain.name, "--said", "report-way")
            if domain.mode == "enforce":
                desk.say("plan", domain.name, "--to", "enforce", "--force", "--why", "reports were fine for two months", "--do")
        waiting, end = {d.name: d for d in here}, time.monotonic() + 180
        while waiting and time.monotonic() < end:
            for name, domain in list(waiting.items()):
                status, _, body = self._policy(name)
                if status == 200 and f"mode: {domain.mode}" in body and world.names.look_up(f"_mta-sts.{name}", "TXT"):
                    del waiting[name]
            if waiting:
                world.pass_seconds(SOON)
                time.sleep(1.0)
        if waiting:
            open_steps = {name: desk.pending(name) for name in waiting}
            raise RuntimeError(f"not published: {open_steps}")
        for host, cert in broken:
            world.certify(host, cert)

    def _policy(self, name: str) -> tuple[int, dict, str]:
        try:
            status, fields, body = self.world.desk.fetch(name, self.world.pebble.trust)
            return status, fields, body.decode()
        except OSError:
            return 0, {}, ""

    # --- a day --------------------------------------------------------------------------------------------

    def day_passes(self) -> None:
        """Mail goes out, midnight comes, reports of the day are sent and arrive."""
        self.day += 1
        what, words = STORY.get(self.day, ("", ""))
        if what:
            getattr(self, "_" + what.replace("-", "_"))()
        if words:
            self.tell(words)
        self._mail()
        self._midnight()
        self.reports_of(self.day)
        self._sum_up()

    def _mail(self) -> None:
        world = self.world
        for one in world.organisations:
            one.postfix.retry()
            for domain in [*DOMAINS, *PARTNERS]:
                one.send(domain.name, 2 if domain.name == "harbour.test" else 1)
        end = time.monotonic() + 10  # what can be delivered is
        while time.monotonic() < end and any(one.active() for one in world.organisations):
            time.sleep(0.2)
        time.sleep(1.2)  # counted every half second

    def _midnight(self) -> None:
        """A day further, and late enough for yesterday's reports to be due."""
        target = until_due(self.day)
        self.world.pass_seconds(max(0, target - self.world.desk.ahead))

    def reports_of(self, day: int) -> None:
        """Those of the reporters that are reports alone."""
        world = self.world
        for report in self.numbers.of_day(day - 1, frozenset(self.over)):
            world.desk.deliver(MAILBOX, report.signed(MAILBOX, world.keys, algorithm="ed25519"))

    def _sum_up(self) -> None:
        world = self.world
        held = sum(one.held("harbour.test") for one in world.organisations)
        if held:
            self.tell(f"{held} mails to harbour.test wait in the queues of Postfix, none of them read by anybody else")
        if world.stolen:
            victims = sorted({mail.recipient.rpartition("@")[2] for mail in world.stolen})
            self.tell(f"{len(world.stolen)} mails were read by the attacker so far, all to {', '.join(victims)}")
        if self.day % 3 == 0:
            for one in world.organisations:
                one.forget([d.name for d in DOMAINS if d.name != "harbour.test"])
        self.say("day", day=self.day, now=datetime.datetime.fromtimestamp(time.time() + world.desk.ahead, datetime.timezone.utc).isoformat())

    # --- what happens on some of them ---------------------------------------------------------------------

    def _press(self) -> None:
        self.world.publish("orchard-press.test", ["mx1"], forget_id=True, max_age=1209600)

    def _attack(self) -> None:
        self.world.attack("harbour.test", "harbour-club.test")

    _attack_again = _attack

    def _peace(self) -> None:
        self.world.peace()

    def _docks(self) -> None:
        self.world.certify(self.world.hosts["mx2.harbour-docks.test"], "good")
        self.over.add(("harbour-docks.test", "certificate-expired"))

    def _shop(self) -> None:
        self.world.publish("orchard-shop.test", ["mx1", "mx9"])
        self.over.add(("orchard-shop.test", "validation-failure"))

