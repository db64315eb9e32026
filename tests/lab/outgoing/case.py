# SPDX-License-Identifier: Apache-2.0
"""Cases of outgoing reports: the far side that asks for them and gets them, and who counts and sends."""

from __future__ import annotations

import contextlib
import subprocess
import threading
from pathlib import Path

from outgoing import places, ways
from outgoing.daemon import CONTACT, Receiver, Reporter
from sending import net
from sending.case import case  # noqa: F401 - for the cases
from sending.far import Far
from sending.mail_hosts import Mail
from statements import Statements
from table import Rec
import names

MX, IN = f"mx.{places.REPORTS}", f"in.{places.REPORTS}"


class World:
    """What all cases share. Each has daemons of its own, made by reporter(); `full`: the sizes of ./test --long."""

    def __init__(self, binary: Path, build: Path, folder: Path, snippets: Path, full: bool):
        self.binary, self.build, self.folder, self.snippets, self.full = binary, build, folder, snippets, full
        self.lock = threading.Lock()
        self.daemons: list = []
        self.ends: list = []
        self.pair: list = []  # the installations of cases_pairs
        self.keys = folder / "keys"
        self.keys.mkdir(mode=0o700)
        every = [(condition, source) for source in places.SOURCES for condition in places.of(source)]
        domains = [places.domain(c.place.kind, s) for c, s in every] + [places.base_domain(s) for s in places.SOURCES]
        own = [f"tls@{places.domain(c.place.kind, s)}" for c, s in every if "own" in c.rua]
        self.receiver = Receiver(binary, build, folder / "receiver", domains, mailboxes=own)
        listed = []
        for condition, source in every:
            name = places.domain(condition.place.kind, source)
            place = type(condition.place)(**vars(condition.place))
            place.tlsrpt = [f"v=TLSRPTv1; rua={self._rua(condition.rua, name)}{';' * n}" for n in range(condition.records)]
            listed.append((place, name))
        self.far = Far(build, folder / "far", listed + ways.HOSTS)
        self._more_zones()
        for condition, source in every:
            if "own" in condition.rua:
                self.far.hosts[f"mx.{places.domain(condition.place.kind, source)}"].onward = self._onward

    def _rua(self, kinds: tuple[str, ...], name: str) -> str:
        ways = {"mail": f"mailto:{places.MAILBOX}", "own": f"mailto:tls@{name}"}
        return ",".join(ways.get(kind) or self.receiver.endpoint(name) for kind in kinds)

    def _onward(self, mail: Mail) -> None:
        if mail.recipient.startswith("tls@"):
            self.receiver.hand_on(mail.recipient, mail.text)

    def _more_zones(self) -> None:
        """The receiver's names, the TLSA base domains' records, and the reporter's keys."""
        far, address = self.far, self.receiver.address
        self.add(Rec(places.REPORTS, "MX", (10, MX), 1), Rec(MX, "A", address, 1), Rec(IN, "A", address, 1))
        self.add(*ways.records())
        for source in places.SOURCES:
            base = places.base_domain(source)
            self.add(Rec(f"_smtp._tls.{base}", "TXT", f"v=TLSRPTv1; rua={self.receiver.endpoint(base)}".encode(), 1))
        self.receiver.certificate(far.authority.leaf("good", [MX, IN]), far.authority.key_file)
        for contact in (CONTACT, *(f"tls-reports@{side.domain}" for side in ways.PAIR)):
            maker = Reporter(self.binary, self.build, self.folder / "maker", self.keys, contact=contact)
            maker.config.write_text(maker.text)
            for row in maker.rows("report", "keys", "make"):
                self.add(Rec(row["name"], "TXT", row["value"].encode(), 1))

    def add(self, *records: Rec) -> None:
        """Records of the world; before it is started."""
        for record in records:
            self.far._zone_of(record.name).records.append(record)  # noqa: SLF001

    def start(self) -> None:
        self.far.start()
        unbound = self.folder / "unbound-far.conf"  # the receiving side looks keys up
        unbound.write_text(names.validator(self.folder, self.far.folder, "127.0.0.53", "    cache-max-negative-ttl: 1\n    infra-host-ttl: 1\n"))
        with open(self.folder / "unbound-far.log", "ab") as log:
            self.far.processes.append(subprocess.Popen(net.inside("far", "unbound", "-d", "-c", str(unbound)), stdout=log, stderr=log,
                                                       stdin=subprocess.DEVNULL))
        self.receiver.start()
        self.daemons.append(self.receiver)

    def reporter(self, label: str, **more) -> Reporter:
        made = Reporter(self.binary, self.build, self.folder / label, self.keys, **more)
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
        self.far.stop()
        return problems


class Trial(Statements):
    """One case under way."""

    def __init__(self, world: World):
        super().__init__()
        self.world, self.far, self.receiver = world, world.far, world.receiver
