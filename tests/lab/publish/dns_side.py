# SPDX-License-Identifier: Apache-2.0
"""Names of the cases of publishing: a Knot and a BIND that take signed updates, a second Knot that is secondary to
both, and unbound on either side of the wire. Records live for a second or two."""

from __future__ import annotations

import base64
import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

sys.path.append("/usr/lib/python3/dist-packages")  # of the lab's tree
import dns.flags  # noqa: E402
import dns.message  # noqa: E402
import dns.name  # noqa: E402
import dns.query  # noqa: E402
import dns.rcode  # noqa: E402
import dns.rdatatype  # noqa: E402
import dns.tsigkeyring  # noqa: E402
import dns.update  # noqa: E402

import names  # noqa: E402
from sending import net  # noqa: E402
from table import Rec  # noqa: E402
from world import Zone  # noqa: E402

KNOT, SECONDARY, BIND = "10.64.53.1", "10.64.53.2", "10.64.53.4"
PRIMARY = {"knot": KNOT, "bind": BIND}
SERVERS = {"knot": ["ns1.nic.test", "ns2.nic.test"], "bind": ["ns4.nic.test", "ns2.nic.test"]}
KEY = "update-key.test"  # what updates are signed with
SOA = "ns1.nic.test. hostmaster.nic.test. 1 2 1 86400 1"


class Names:
    """`zones`: name -> "knot" or "bind", the server that takes its updates; its records so far in `rows`."""

    def __init__(self, folder: Path, build: Path, zones: dict[str, str]):
        self.folder, self.build, self.zones = folder, build, zones
        folder.mkdir()
        self.secret = base64.b64encode(os.urandom(32)).decode()
        self.rows: dict[str, Zone] = {"test": Zone("test", signed=True, servers=["ns1.nic.test"])}
        for name, address in (("a.root", KNOT), ("ns1", KNOT), ("ns2", SECONDARY), ("ns4", BIND)):
            self.rows["test"].records.append(Rec(f"{name}.nic.test", "A", address))
        for name, kind in zones.items():
            self.rows[name] = Zone(name, servers=SERVERS[kind], on_knot=kind == "knot")
        self.processes: list[subprocess.Popen] = []

    def zone_of(self, name: str) -> str:
        """The longest of our zones that holds it."""
        labels = name.split(".")
        return next(z for z in (".".join(labels[at:]) for at in range(len(labels))) if z in self.rows)

    def add(self, *records: Rec) -> None:
        """Before the start."""
        for record in records:
            self.rows[self.zone_of(record.name)].records.append(record)

    # --- what a person at the DNS provider does -----------------------------------------------------------

    def put(self, name: str, kind: str, *values: str, ttl: int = 1) -> None:
        """These are the only records of this name and type; none: they are removed."""
        zone = self.zone_of(name)
        change = dns.update.UpdateMessage(zone, keyring=dns.tsigkeyring.from_text({KEY: self.secret}), keyalgorithm="hmac-sha256")
        change.delete(f"{name}.", kind)
        for value in values:
            change.add(f"{name}.", ttl, kind, value)
        with net.entered("far"):
            reply = dns.query.tcp(change, PRIMARY[self.zones[zone]], timeout=10)
        if reply.rcode() != dns.rcode.NOERROR:
            raise RuntimeError(f"update of {name} {kind}: {dns.rcode.to_text(reply.rcode())}")

    def put_and_wait(self, name: str, kind: str, *values: str, ttl: int = 1) -> None:
        """The same, until the old ones have left every cache."""
        self.put(name, kind, *values, ttl=ttl)
        time.sleep(2.2)

    # --- what is to be seen -------------------------------------------------------------------------------

    def ask(self, server: str, name: str, kind: str, space: str = "far") -> list[str]:
        """The values of the answer; nothing where there is none. Raises where the server does not answer."""
        question = dns.message.make_query(f"{name}.", kind)
        with net.entered(space):
            answer = dns.query.udp_with_fallback(question, server, timeout=3)[0]
        wanted = dns.rdatatype.from_text(kind)
        rows = [item for part in answer.answer if part.rdtype == wanted for item in part]
        if wanted == dns.rdatatype.TXT:
            return sorted(b"".join(item.strings).decode() for item in rows)
        return sorted(item.to_text().rstrip(".") for item in rows)

    def everywhere(self, name: str, kind: str) -> list[list[str]]:
        """What each server of its zone says."""
        kind_of = self.zones[self.zone_of(name)]
        return [self.ask(server, name, kind) for server in (PRIMARY[kind_of], SECONDARY)]

    def look_up(self, name: str, kind: str) -> list[str]:
        """As the senders see it, through their resolver: up to 2 s behind."""
        return self.ask("127.0.0.53", name, kind, "out")

    def all_names(self, zone: str) -> dict[tuple[str, str], list[str]]:
        """The whole zone by transfer, without what it began with."""
        import dns.zone  # noqa: PLC0415
        keys = dns.tsigkeyring.from_text({KEY: self.secret})
        with net.entered("far"):
            got = dns.zone.from_xfr(dns.query.xfr(PRIMARY[self.zones[zone]], zone, relativize=False, keyring=keys, keyname=KEY,
                                                  keyalgorithm="hmac-sha256"), relativize=False)
        found: dict[tuple[str, str], list[str]] = {}
        for name, _ttl, data in got.iterate_rdatas():
            kind = dns.rdatatype.to_text(data.rdtype)
            if kind not in ("SOA", "NS"):
                found.setdefault((name.to_text().rstrip("."), kind), []).append(data.to_text())
        return found

    # --- servers ------------------------------------------------------------------------------------------

    def start(self) -> None:
        knot = names.authority(self.rows, self.folder / "knot", self.build, {"ns1": KNOT}, self.folder, negative=1)
        knot.write_text(self._with_updates(knot.read_text()))
        self._run("knot", ["knotd", "-c", str(knot)])
        net.command(*net.inside("far", "ip", "addr", "add", f"{BIND}/32", "dev", "lo"))  # named listens at addresses of interfaces alone
        self._run("bind", ["named", "-g", "-c", str(self._bind())])
        for zone, kind in self.zones.items():
            self._until(zone, PRIMARY[kind], "far")
        self._run("secondary", ["knotd", "-c", str(self._secondary())])
        for space in ("far", "out"):
            config = self.folder / f"unbound-{space}.conf"
            config.write_text(names.validator(self.folder, self.folder, "127.0.0.53", "    cache-max-ttl: 2\n    cache-max-negative-ttl: 1\n    infra-host-ttl: 1\n"))
            self._run(f"unbound-{space}", ["unbound", "-d", "-c", str(config)], space)
        for zone in self.zones:
            for server, address in (("", SECONDARY), ("127.0.0.53", "127.0.0.53")):
                self._until(zone, server or address, "out" if server else "far")

    def _until(self, zone: str, server: str, space: str) -> None:
        for _ in range(200):
            with contextlib.suppress(Exception):
                if self.ask(server, zone, "NS", space):
                    return
            time.sleep(0.05)
        raise RuntimeError(f"{server} does not know {zone}; see {self.folder}")

    def _run(self, name: str, words: list[str], space: str = "far") -> None:
        with open(self.folder / f"{name}.log", "ab") as log:
            self.processes.append(subprocess.Popen(net.inside(space, *words), stdout=log, stderr=log, stdin=subprocess.DEVNULL))

    def _key(self) -> str:
        return f"key:\n  - id: {KEY}\n    algorithm: hmac-sha256\n    secret: {self.secret}\n"

    def _with_updates(self, text: str) -> str:
        """Knot's configuration, with the key, who may use it for what, and who is told."""
        text = text.replace("database:\n", f"""{self._key()}remote:
  - id: second
    address: {SECONDARY}@53
    via: {KNOT}
acl:
  - id: keyed
    key: {KEY}
    action: [update, transfer]
  - id: second
    address: {SECONDARY}
    action: transfer
database:
""", 1)
        for zone in self.zones:
            text = text.replace(f'  - domain: "{zone}"\n', f'  - domain: "{zone}"\n    acl: [keyed, second]\n    notify: second\n')
        return text

    def _secondary(self) -> Path:
        folder = self.folder / "second"
        folder.mkdir()
        config = folder / "knot.conf"
        rows = [f"""server:
    rundir: {folder}
    listen: {SECONDARY}@53
    udp-workers: 1
    tcp-workers: 1
    background-workers: 2
log:
  - target: stderr
    any: notice
remote:
  - id: knot
    address: {KNOT}@53
    via: {SECONDARY}
  - id: bind
    address: {BIND}@53
    via: {SECONDARY}
acl:
  - id: told
    address: [{KNOT}, {BIND}]
    action: notify
database:
    storage: {folder}
zone:
"""]
        rows += [f'  - domain: "{zone}"\n    storage: {folder}\n    master: {kind}\n    acl: told\n    zonefile-sync: -1\n'
                 for zone, kind in self.zones.items()]
        config.write_text("".join(rows))
        return config

    def _bind(self) -> Path:
        folder = self.folder / "bind"
        folder.mkdir()
        rows = [f"""options {{
    directory "{folder}";
    listen-on port 53 {{ {BIND}; }};
    listen-on-v6 {{ none; }};
    pid-file none;
    session-keyfile none;
    lock-file none;
    recursion no;
    dnssec-validation no;
    notify explicit;
    notify-delay 0;
    also-notify {{ {SECONDARY}; }};
    notify-source {BIND};
    allow-transfer {{ key {KEY}; {SECONDARY}; }};
    serial-query-rate 1000;
}};
controls {{ }};
key {KEY} {{ algorithm hmac-sha256; secret "{self.secret}"; }};
"""]
        for name in (zone for zone, kind in self.zones.items() if kind == "bind"):
            text = [f"$TTL 1", f"@ 300 IN SOA {SOA.replace('ns1', 'ns4')}", *(f"@ 300 IN NS {s}." for s in SERVERS["bind"]),
                    *(names.line(record) for record in self.rows[name].records)]
            (folder / f"{name}.zone").write_text("\n".join(text) + "\n")
            rows.append(f'zone "{name}" {{ type primary; file "{name}.zone"; allow-update {{ key {KEY}; }}; }};\n')
        config = folder / "named.conf"
        config.write_text("".join(rows))
        return config

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()
