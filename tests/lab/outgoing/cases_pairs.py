# SPDX-License-Identifier: Apache-2.0
"""Two installations that report to each other, each with a Postfix that knows nothing of reports: they come to rest. And a
report that comes back."""

from __future__ import annotations

import datetime
import json
import time

from outgoing import datagrams
from outgoing.case import Trial, case
from outgoing.daemon import DAY, Reporter, today, until_due
from outgoing.ways import PAIR, RETURNED, Side
from sending import net
from sending.mail_servers import Postfix


class Installation:
    """Sends mail, counts it from the log, reports, and gets reports; nothing tells reports from other mail."""

    def __init__(self, trial: Trial, side: Side, other: Side):
        self.side, self.other = side, other
        self.postfix = Postfix(side.label, side.space, f"mx.{side.domain}", side.address)
        self.reporter: Reporter = trial.world.reporter(
            f"pair-{side.label}", log=self.postfix.log, space=side.space, contact=f"tls-reports@{side.domain}",
            route=f'route = "smart-host"\nhost = "{side.address}"\nport = 25',
            more=f'[reports]\ndomains = ["{side.domain}"]\nmailboxes = ["tls-reports@{side.domain}"]\n[lmtp]\nlisten = ["127.0.0.1:{side.lmtp}"]')
        far = trial.far
        chain = far.authority.leaf("good", [f"mx.{side.domain}"])
        own = f"{{ tls-reports@{side.domain} = lmtp:inet:[127.0.0.1]:{side.lmtp} }}, {{ {side.domain} = discard: }}"
        if side.space == "far":
            net.command(*net.inside("far", "ip", "addr", "add", f"{side.address}/32", "dev", "lo"))
        self.postfix.prepare([
            "smtp_tls_security_level = may", f"inet_interfaces = {side.address}", f"relay_domains = {side.domain}",
            f"transport_maps = inline:{{ {own} }}", f"smtpd_tls_chain_files = {far.authority.key_file}, {chain}",
            "smtpd_tls_security_level = may", "smtpd_peername_lookup = no", f"mynetworks = {side.address}/32"])
        self.reporter.start()
        self.postfix.start()
        trial.world.at_end(self.postfix.stop)

    def received(self) -> int:
        return len(self.reporter.rows("report", "list"))

    def counted(self) -> int:
        return self.reporter.counted()["sessions"]


def pair(trial: Trial) -> list[Installation]:
    """Both, running; the cases here follow one another."""
    if not trial.world.pair:
        trial.world.pair = [Installation(trial, PAIR[0], PAIR[1]), Installation(trial, PAIR[1], PAIR[0])]
    return trial.world.pair


@case("two installations that report to each other come to rest", "pair", proves=["8460-3-h"])
def rest(trial: Trial) -> None:
    sides = pair(trial)
    for one in sides:
        one.postfix.send(f"somebody@{one.other.domain}")
    for one in sides:
        trial.wait(f"{one.side.domain}: the session of the first day", lambda o=one: o.counted() == 1, 20)
    for day in (1, 2, 3):
        for one in sides:
            one.reporter.pass_time(until_due(day))
        if day == 1:
            for one in sides:
                trial.wait(f"{one.side.domain}: a report", lambda o=one: o.received() == 1, 30)
                trial.wait(f"{one.side.domain}: the session that carried its own", lambda o=one: o.counted() == 2, 10)
        else:
            for one in sides:
                done = one.reporter.send_day(today() + datetime.timedelta(day - 1))
                trial.same(f"{one.side.domain}: reports of day {day}", (done["filed"], done["waiting"]), (0, 0))
            time.sleep(0.5)
    for one in sides:
        trial.same(f"{one.side.domain}: reports received in three days", one.received(), 1)
        trial.same(f"{one.side.domain}: reports sent", len(one.reporter.outbox()), 1)


@case("a report that comes back is not sent there again", "pair")
def bounce(trial: Trial) -> None:
    side = pair(trial)[0]
    reporter, host = side.reporter, trial.far.hosts[f"mx.{RETURNED}"]
    host.refuse["4"] = "550 5.1.1 there is nobody of this name"
    teller = reporter.teller()

    def tell() -> None:  # until it is written: what comes later is of the next day
        counted = reporter.counted()["sessions"]
        teller.send(datagrams.session(RETURNED), 5)
        trial.wait("the sessions to be written", lambda: reporter.counted()["sessions"] >= counted + 5 and not reporter.counted()["waiting"], 10)
    tell()
    before = until_due(4)
    reporter.pass_time(before)
    address = f"reports@{RETURNED}"
    trial.wait("the report to be handed over", lambda: [d for d in reporter.deliveries(RETURNED).values() if d["state"] == "sent"], 30)
    trial.wait("the bounce to be understood", lambda: address in json.dumps(reporter.api("GET", "/suppressed")[1]), 30)
    host.refuse.clear()
    tell()
    reporter.pass_time(before + DAY)
    trial.wait("the next day's report", lambda: len(reporter.outbox(domain=RETURNED)) == 2, 30)
    newest = reporter.outbox(domain=RETURNED)[0]
    trial.same("its state", [each["state"] for each in newest["deliveries"]], ["suppressed"])
    trial.same("mails that came there", len(host.mails), 0)
