# SPDX-License-Identifier: Apache-2.0
"""Cases of publishing: names that may be updated, an authority, mail hosts, and whoever looks after the domains."""

from __future__ import annotations

import contextlib
import ipaddress
import threading
from pathlib import Path

from authority import Authority
from publish.dns_side import Names
from publish.pebble import Pebble
from publish.publisher import Publisher
from reporters import Keys
from sending import net
from sending.case import case  # noqa: F401 - for the cases
from sending.mail_hosts import MailHost
from statements import Statements
from table import Rec

REPORTERS = ("reporter-one.test", "reporter-two.test")
ZONES = {zone: "knot" for zone in (
    "rise.test", "hooked.test", "byhand.test", "expiry.test", "killed.test", "nodes.test", "watched.test", "guided.test", "host.test",
    "updates.test", "hosts.test", "refused.test", "scanned.test", "pages.test", "own.test", *REPORTERS)} | {"bound.test": "bind", "bupdates.test": "bind"}


class World:
    """What all cases share. Each has daemons and addresses of its own; `full`: the sizes of ./test --long."""

    def __init__(self, binary: Path, build: Path, folder: Path, full: bool):
        self.binary, self.build, self.folder, self.full = binary, build, folder, full
        self.lock = threading.Lock()
        self.daemons: list[Publisher] = []
        self.ends: list = []
        self.hosts: dict[str, MailHost] = {}
        self.addresses = ipaddress.ip_address("10.64.80.20")
        self.authority = Authority(build / "ca", folder / "certs")
        self.names = Names(folder / "names", build, ZONES)
        self.pebble = Pebble(folder / "pebble", self.authority, build / "ca.pem")
        self.names.add(*Pebble.records())
        for reporter in REPORTERS:
            self.names.add(*(Rec(f"{selector}._domainkey.{reporter}", "TXT", value, 1) for selector, value in Keys(build / "ca").records().items()))

    def start(self) -> None:
        self.names.start()
        self.pebble.start()

    def address(self) -> str:
        """One that nobody else has."""
        with self.lock:
            self.addresses += 1
            return str(self.addresses)

    def mail_host(self, name: str, cert: str = "good") -> MailHost:
        """A host that takes mail, in DNS under this name; no MX record yet."""
        with self.lock:
            made = MailHost(name, f"10.64.26.{len(self.hosts) + 1}", str(self.authority.key_file), str(self.authority.leaf(cert, [name])))
            self.hosts[name] = made.start()
        self.names.put(name, "A", made.address)
        return made

    def publisher(self, label: str, **more) -> Publisher:
        made = Publisher(more.pop("binary", self.binary), self.folder / label, more.pop("address", None) or self.address(), self.names,
                         self.pebble, **more)
        with self.lock:
            self.daemons.append(made)
        return made

    def at_end(self, work) -> None:
        with self.lock:
            self.ends.append(work)

    def stop(self) -> list[str]:
        """What did not end as it should."""
        problems = []
        for daemon in self.daemons:
            try:
                if daemon.process is not None and daemon.process.poll() is not None:
                    problems.append(f"{daemon.folder.name} ended by itself with {daemon.process.returncode}: {daemon.tail()}")
                elif status := daemon.stop():
                    problems.append(f"{daemon.folder.name} ended with {status}: {daemon.tail()[-500:]}")
            except Exception as problem:  # noqa: BLE001
                problems.append(f"{daemon.folder.name} did not end: {problem}")
        for work in self.ends:
            with contextlib.suppress(Exception):
                work()
        for host in self.hosts.values():
            host.stop()
        self.pebble.stop()
        self.names.stop()
        return problems


class Trial(Statements):
    """One case under way."""

    def __init__(self, world: World):
        super().__init__()
        self.world, self.names, self.pebble = world, world.names, world.pebble


__all__ = ["REPORTERS", "Rec", "Trial", "World", "case", "net"]
