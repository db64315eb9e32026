# SPDX-License-Identifier: Apache-2.0
"""That those who judge would notice: a person moves the mail servers of a domain too early, and withdraws a policy too
early, and both kinds of senders say so."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from publish.case import Trial, case
from publish.senders import Conforming, Strict, receiving
from publish.web_servers import Nginx


class ByHand:
    """A domain that somebody publishes without any help."""

    def __init__(self, trial: Trial, domain: str):
        world, names = trial.world, trial.names
        self.names, self.domain = names, domain
        folder: Path = world.folder / f"careless-{domain}"
        folder.mkdir()
        self.file = folder / "site" / ".well-known" / "mta-sts.txt"
        self.file.parent.mkdir(parents=True)
        self.web = Nginx(folder, world.address())
        self.web.serve_folder(f"mta-sts.{domain}", folder / "site", world.authority.leaf("good", [f"mta-sts.{domain}"]), world.authority.key_file)
        world.at_end(self.web.stop)
        names.put(f"mta-sts.{domain}", "A", self.web.address)

    def publish(self, hosts: list[str], identity: int) -> None:
        lines = ["version: STSv1", "mode: enforce", *(f"mx: {h}.{self.domain}" for h in hosts), "max_age: 604800"]
        self.file.write_text("".join(line + "\r\n" for line in lines))
        self.names.put_and_wait(f"_mta-sts.{self.domain}", "TXT", f'"v=STSv1; id={identity}"')

    def mail_servers(self, *hosts: str) -> None:
        self.names.put_and_wait(self.domain, "MX", *(f"10 {h}.{self.domain}." for h in hosts))


@case("the senders that judge notice a mail server that is taken away too early", "judges")
def too_early(trial: Trial) -> None:
    domain, hosts = "hosts.test", ("mx1", "mx2")
    for host in hosts:
        trial.world.mail_host(f"{host}.{domain}")
    ahead, careless = [0], ByHand(trial, domain)
    strict = Strict(domain, trial.names, trial.pebble.trust, lambda: time.time() + ahead[0], threading.Lock())
    careless.mail_servers("mx1")
    careless.publish(["mx1"], 1)
    strict.look()
    careless.publish(["mx1", "mx2"], 2)
    careless.mail_servers("mx1", "mx2")
    strict.look()
    trial.same("deferred while the old host stands", strict.deferred, [])
    ahead[0] = 6 * 86400  # the first policy has a day to go
    careless.mail_servers("mx2")
    strict.look()
    trial.same("deferred by who still has the first policy", len(strict.deferred), 1)
    ahead[0] = 8 * 86400
    strict.look()
    trial.same("deferred once it has expired", len(strict.deferred), 1)
    trial.true(strict.enforced >= 5 and strict.modes == ["enforce"], f"{strict.enforced} mails, modes {strict.modes}")
    # A certificate that fails counts as no mail server.
    trial.world.hosts[f"mx2.{domain}"].chain = str(trial.world.authority.leaf("expired", [f"mx2.{domain}"]))
    strict.hosts.clear()
    strict.look()
    trial.true(len(strict.deferred) > 1, "nobody minds an expired certificate")


@case("a sender that looks at the id goes along with a move, and notices one that nobody announced", "judges")
def announced(trial: Trial) -> None:
    domain, world = "byid.hosts.test", trial.world
    key = world.authority.key_file
    for number, host in enumerate(("mx1", "mx2")):
        name, address = f"{host}.{domain}", f"10.64.26.{190 + number}"
        server = receiving(name, domain, address, world.authority.leaf("good", [name]), key)
        world.at_end(server.stop)
        trial.names.put(name, "A", address)
    careless = ByHand(trial, domain)
    careless.mail_servers("mx1")
    careless.publish(["mx1"], 1)
    sender = Conforming(world.binary, world.build, world.folder / "looks-at-ids", domain, trial.pebble.trust, "looks-at-ids")
    world.at_end(sender.stop)
    sender.start()
    trial.wait("a mail", lambda: len(sender.delivered()) > 1, 10)
    trial.has(sender.service.ask(domain), f"match=mx1.{domain}")
    careless.publish(["mx1", "mx2"], 2)
    sender.service.pass_time(86400)
    trial.wait("the new policy to be known", lambda: sender.service.rows("resolve", domain)[0]["id"] == "2", 10)
    careless.mail_servers("mx2")
    sender.service.pass_time(86400 + 300)  # an answer holds for minutes
    before = len(sender.delivered())
    trial.wait("mail to the new host", lambda: len(sender.delivered()) > before + 1, 10)
    trial.names.put(f"mx3.{domain}", "A", "10.64.26.191")
    careless.mail_servers("mx3")  # the policy knows nothing of this one
    sender.service.pass_time(86400 + 600)
    before = len(sender.deferrals())
    trial.wait("a mail that waits", lambda: len(sender.deferrals()) > before, 10)
    careless.mail_servers("mx2")
    sender.service.pass_time(86400 + 900)
    trial.same("refused for good, and still waiting", sender.end(), ([], []))
