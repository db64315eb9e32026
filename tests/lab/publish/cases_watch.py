# SPDX-License-Identifier: Apache-2.0
"""Watching: what changes for the worse at a domain looked after is told, once; what is mended is told too."""

from __future__ import annotations

import time
from pathlib import Path

from publish.case import Trial, case
from publish.cases_host import put_certificate
from publish.hooks import Told
from publish.person import Person
from publish.publisher import Publisher
from publish.web_servers import Nginx

DOMAIN = "watched.test"
HOUR = 3600


class Watched:
    """A domain in testing that is watched, with a certificate from a folder, and whoever is told."""

    def __init__(self, trial: Trial):
        world, names = trial.world, trial.names
        self.trial = trial
        for host in ("mx1", "mx9"):
            world.mail_host(f"{host}.{DOMAIN}")
        names.put(DOMAIN, "MX", f"10 mx1.{DOMAIN}.")
        self.top: Path = world.folder / "watched-certificates"
        self.certificate("good")
        self.told = Told(world.address())
        world.at_end(self.told.stop)
        self.publisher: Publisher = world.publisher("watched", certificates=f'folder = "{self.top}"', more=self.told.section())
        self.publisher.start()
        self.publisher.say("domain", "add", DOMAIN, "--mode", "testing", "--mx", f"mx1.{DOMAIN}", "--rua", f"mailto:tls@{DOMAIN}", "--dns", "update:knot",
                           "--leave", "all")
        self.person = Person(trial, self.publisher, DOMAIN)
        if not self.person.finished("testing", 40):
            raise RuntimeError("the first publication does not end")

    def certificate(self, kind: str) -> None:
        name, authority = f"mta-sts.{DOMAIN}", self.trial.world.authority
        put_certificate(self.top, name, True, authority.leaf(kind, [name]).read_bytes(), authority.key_file.read_bytes())

    def hours(self, count: float = 1.1) -> None:
        self.person.pass_seconds(count * HOUR)

    def is_told(self, what: str, *words: str, days: int = 0) -> bool:
        """It comes at the second look, hourly or (`days`) daily; alarms of a moment are told together, half a minute later.
        A look that is counted first may have begun before the change."""
        for _ in range(3):
            self.look(25 if days else 1.1)

        def told() -> bool:
            if self.told.of(*words):
                return True
            self.hours(0.2)  # what a look of before could not see, the next one does
            time.sleep(3)
            return False
        if self.trial.wait(what, told, 150):
            return True
        self.trial.differences[-1] += f" (told: {[(a.get('event'), a.get('key')) for a in self.told.alarms]})"
        return False

    def look(self, hours: float = 1.1) -> None:
        before = self._looks()
        self.hours(hours)

        def looked() -> bool:
            if self._looks() > before:
                return True
            self.hours(0.2)  # its place in the hour may come later than the last one
            time.sleep(1)
            return False
        self.trial.wait("a look", looked, 60)

    def _looks(self) -> int:
        watch = self.publisher.control_request("GET", "/status")[1]["carry"]["watch"]
        return watch["full"] + watch["cheap"]


@case("what changes for the worse is told once: mail servers, a policy of somebody else, a certificate that ends", "watched")
def watched(trial: Trial) -> None:
    domain = Watched(trial)
    names = trial.names
    names.put_and_wait(DOMAIN, "MX", f"10 mx1.{DOMAIN}.", f"20 mx9.{DOMAIN}.")
    domain.is_told("an alarm of the new mail server", f"mx-without-policy/mx9.{DOMAIN}")
    for _ in range(4):  # it comes and goes
        names.put_and_wait(DOMAIN, "MX", f"10 mx1.{DOMAIN}.")
        domain.look()
        names.put_and_wait(DOMAIN, "MX", f"10 mx1.{DOMAIN}.", f"20 mx9.{DOMAIN}.")
        domain.look()
    raised = domain.told.of(f"mx-without-policy/mx9.{DOMAIN}", '"event": "raised"')
    trial.true(len(raised) <= 2, f"a host that comes and goes is told {len(raised)} times")
    names.put_and_wait(DOMAIN, "MX", f"10 mx1.{DOMAIN}.")
    foreign(trial, domain)
    before = domain.publisher.certificate(DOMAIN)
    domain.certificate("expires-soon")
    trial.wait("the certificate that ends", lambda: domain.publisher.certificate(DOMAIN) not in (before, None), 40)
    domain.is_told("an alarm of the certificate", "certificate-expiring", days=1)


def foreign(trial: Trial, domain: Watched) -> None:
    """mta-sts.DOMAIN suddenly is somebody else's server."""
    world, names = trial.world, trial.names
    folder = world.folder / "foreign"
    (folder / "site" / ".well-known").mkdir(parents=True)
    (folder / "site" / ".well-known" / "mta-sts.txt").write_text("version: STSv1\r\nmode: enforce\r\nmx: *.evil.test\r\nmax_age: 31557600\r\n")
    web = Nginx(folder, world.address())
    web.serve_folder(f"mta-sts.{DOMAIN}", folder / "site", world.authority.leaf("good", [f"mta-sts.{DOMAIN}"]), world.authority.key_file)
    names.put_and_wait(f"mta-sts.{DOMAIN}", "A", web.address)
    domain.is_told("an alarm of the foreign policy", "foreign-policy")
    names.put_and_wait(f"mta-sts.{DOMAIN}", "A", domain.publisher.address)
    web.stop()
