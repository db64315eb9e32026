# SPDX-License-Identifier: Apache-2.0
"""The DNS above the farm, from the lab's private tree: a signed root and a signed zone by knot, and unbound that
validates below it. `bench` is an unsigned delegation to the farm."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path

LAB = Path(__file__).resolve().parent.parent.parent / "tests" / "lab"
sys.path.insert(0, str(LAB))
import names  # noqa: E402
from table import Rec  # noqa: E402
from world import NAME_SERVERS, Zone  # noqa: E402

UNBOUND = "127.0.0.53"
SIGNED = "signed"
SIGNED_NAMES = 20_000  # half of them exist


def signed_zone() -> Zone:
    """vN.signed by the rule of the farm's dN.bench: odd N absent, every fourth with both records."""
    zone = Zone(SIGNED, signed=True, servers=["ns1.nic.test"])
    for number in range(0, SIGNED_NAMES, 2):
        domain = f"v{number}.{SIGNED}"
        zone.records.append(Rec(domain, "MX", (10, f"mx.h{number % 50}.bench"), 3600))
        if number % 4 == 0:
            zone.records.append(Rec(f"_mta-sts.{domain}", "TXT", b"v=STSv1; id=20260102030405;", 3600))
            zone.records.append(Rec(f"_smtp._tls.{domain}", "TXT", b"v=TLSRPTv1; rua=mailto:r@" + domain.encode(), 3600))
    return zone


def wait_for(address: str) -> None:
    for _ in range(600):
        try:
            with socket.create_connection((address, 53), timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"nothing listens at {address}")


class Resolvers:
    """knot and unbound; `anchor` and `hints` are the files of the private root."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.anchor, self.hints = folder / "root.key", folder / "root.hints"
        self.processes: list[subprocess.Popen] = []
        self._knot()

    def _start(self, *words: str) -> subprocess.Popen:
        with open(self.folder / f"{words[0]}.log", "ab") as log:
            process = subprocess.Popen(words, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.processes.append(process)
        return process

    def _knot(self) -> None:
        root = Zone(".", signed=True, servers=["a.root.nic.test"])
        root.records = [Rec("a.root.nic.test", "A", NAME_SERVERS["ns1"]), Rec("ns1.nic.test", "A", NAME_SERVERS["ns1"]),
                        Rec("bench", "NS", "ns.bench"), Rec("ns.bench", "A", "127.0.1.1"),
                        Rec(SIGNED, "NS", "ns1.nic.test")]
        signed = signed_zone()
        work = self.folder / "knot"
        (work / "zones").mkdir(parents=True)
        config = work / "knot.conf"
        config.write_text(names._config([root, signed], work))  # noqa: SLF001
        keys = names.Keys(config, work / "keys", self.folder / "kasp")
        root.records.append(Rec(SIGNED, "DS", keys.ds(signed)))
        self.anchor.write_text(f". IN DS {keys.ds(root)}\n")
        self.hints.write_text(f". 3600000 IN NS a.root.nic.test.\na.root.nic.test. 3600000 IN A {NAME_SERVERS['ns1']}\n")
        for zone in (root, signed):
            (work / "zones" / names._file_name(zone)).write_text(names._zone_text(zone))  # noqa: SLF001
        self._start("knotd", "-c", str(config))
        wait_for(NAME_SERVERS["ns1"])

    def unbound(self) -> subprocess.Popen:
        """A fresh one: nothing is in its cache."""
        config = self.folder / "unbound.conf"
        config.write_text(f"""server:
    interface: {UNBOUND}
    access-control: 127.0.0.0/8 allow
    do-daemonize: no
    chroot: ""
    username: ""
    directory: "{self.folder}"
    pidfile: ""
    use-syslog: no
    module-config: "validator iterator"
    root-hints: "{self.hints}"
    trust-anchor-file: "{self.anchor}"
    do-not-query-localhost: no
    do-ip6: no
    minimal-responses: yes
    num-threads: 1
    outgoing-range: 4096
    num-queries-per-thread: 4096
    so-rcvbuf: 8m
    msg-cache-size: 32m
    rrset-cache-size: 64m
remote-control:
    control-enable: no
""")
        process = self._start("unbound", "-d", "-c", str(config))
        wait_for(UNBOUND)
        return process

    def end(self, process: subprocess.Popen) -> None:
        self.processes.remove(process)
        process.terminate()
        process.wait()

    def end_all(self) -> None:
        for process in list(self.processes):
            self.end(process)
