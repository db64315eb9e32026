# SPDX-License-Identifier: Apache-2.0
"""DNS of the lab: knot serves a signed private root, `test.` and the scenarios' zones; unbound validates below it."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import subprocess
from pathlib import Path

from table import Rec
from world import NAME_SERVERS, RESOLVER, World, Zone

BAD_DIGEST = "00" * 32


def text_value(raw: bytes) -> str:
    """A TXT value in presentation form: strings of at most 255 bytes, everything odd escaped."""
    parts = [raw[at:at + 255] for at in range(0, len(raw), 255)] or [b""]
    return " ".join('"' + "".join(
        chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\{b:03d}" for b in part) + '"' for part in parts)


def line(record: Rec) -> str:
    value = record.value
    if record.type == "TXT":
        value = text_value(value)
    elif record.type == "MX":
        value = f"{value[0]} {value[1].rstrip('.')}."
    elif record.type in ("CNAME", "NS", "PTR"):
        value = f"{value}."
    return f"{record.name}. {record.ttl} IN {record.type} {value}"


def _zone_text(zone: Zone, negative: int) -> str:
    dot = "" if zone.name == "." else "."
    head = [f"{zone.name}{dot} 300 IN SOA ns1.nic.test. hostmaster.nic.test. 1 3600 600 86400 {negative}"]
    head += [f"{zone.name}{dot} 300 IN NS {server}." for server in zone.servers]
    return "\n".join(head + list(dict.fromkeys(line(r) for r in zone.records))) + "\n"


def _config(zones: list[Zone], folder: Path, addresses: dict[str, str]) -> str:
    listen = ", ".join(f"{address}@53" for address in addresses.values())
    parts = [f"""server:
    rundir: {folder}
    listen: [ {listen} ]
    udp-workers: 1
    tcp-workers: 1
    background-workers: 2
log:
  - target: stderr
    any: notice
database:
    storage: {folder}
policy:
  - id: lab
    manual: on
    single-type-signing: on
    algorithm: ecdsap256sha256
    rrsig-lifetime: 14d
    rrsig-refresh: 7d
template:
  - id: default
    storage: {folder}/zones
    file: "%s.zone"
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: none
    semantic-checks: off
zone:
"""]
    for zone in zones:
        parts.append(f"  - domain: \"{zone.name}\"\n    file: {_file_name(zone)}\n")
        if zone.signed:
            parts.append("    dnssec-signing: on\n    dnssec-policy: lab\n")
    return "".join(parts)


def _file_name(zone: Zone) -> str:
    return ("root" if zone.name == "." else zone.name) + ".zone"


class Keys:
    """Signing keys by knot's keymgr, kept in `kept` from run to run."""

    def __init__(self, config: Path, folder: Path, kept: Path):
        self.config, self.folder, self.kept = config, folder, kept
        with self._alone():
            if kept.exists():
                shutil.copytree(kept, folder, dirs_exist_ok=True)

    @contextlib.contextmanager
    def _alone(self):
        """Several suites keep theirs in one place."""
        with open(self.kept.with_suffix(".lock"), "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _keymgr(self, *words: str) -> str:
        done = subprocess.run(["keymgr", "-c", str(self.config), *words], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"keymgr {' '.join(words)}: {done.stderr}{done.stdout}")
        return done.stdout

    def ds(self, zone: Zone) -> str:
        """`TAG ALG TYPE DIGEST` (SHA-256) of the zone's key; a key is made where there is none."""
        found = self._ds_lines(zone)
        if not found:
            self._keymgr(zone.name, "generate", "algorithm=ecdsap256sha256", "ksk=yes", "zsk=yes")
            found = self._ds_lines(zone)
        return next(rest for rest in found if rest.split()[2] == "2")

    def _ds_lines(self, zone: Zone) -> list[str]:
        return [row.split(" DS ", 1)[1] for row in self._keymgr(zone.name, "ds").splitlines() if " DS " in row]

    def keep(self) -> None:
        fresh = self.kept.with_suffix(".new")
        with self._alone():
            shutil.rmtree(fresh, ignore_errors=True)
            shutil.copytree(self.folder, fresh)
            shutil.rmtree(self.kept, ignore_errors=True)
            fresh.rename(self.kept)


def write(world: World, run: Path, build: Path) -> tuple[Path, Path]:
    """Zone files and both configurations; returns the paths of knot's and unbound's."""
    knot = authority(world.zones, run / "knot", build, NAME_SERVERS, build)
    unbound = run / "unbound.conf"
    unbound.write_text(validator(run, build, RESOLVER))
    return knot, unbound


def authority(zones_by_name: dict[str, Zone], folder: Path, build: Path, addresses: dict[str, str], trust: Path,
              negative: int = 60) -> Path:
    """Zone files and configuration of a Knot below `folder` that serves a signed root and these zones, of which
    `test` is one, at these addresses; `trust` gets root.key and root.hints. Returns the configuration."""
    (folder / "zones").mkdir(parents=True)
    root = Zone(".", signed=True, servers=["a.root.nic.test"])
    test = zones_by_name["test"]
    for server, address in addresses.items():
        root.records.append(Rec(f"{server}.nic.test", "A", address))
    root.records.append(Rec("a.root.nic.test", "A", addresses["ns1"]))
    zones = [root, *(z for z in zones_by_name.values() if z.on_knot)]
    config = folder / "knot.conf"
    config.write_text(_config(zones, folder, addresses))
    keys = Keys(config, folder / "keys", build / "kasp")

    def delegate(parent: Zone, child: Zone) -> None:
        parent.records += [Rec(child.name, "NS", server) for server in child.servers]
        if child.signed:
            true = keys.ds(child)
            parent.records.append(Rec(child.name, "DS", " ".join([*true.split()[:3], BAD_DIGEST])
                                      if child.bad_ds else true))

    delegate(root, test)
    for zone in zones_by_name.values():
        if zone.name != "test":
            above = zone.name.partition(".")[2]
            while above and above not in zones_by_name:
                above = above.partition(".")[2]
            delegate(zones_by_name[above] if above else root, zone)
    anchor = keys.ds(root)
    keys.keep()
    for zone in zones:
        (folder / "zones" / _file_name(zone)).write_text(_zone_text(zone, negative))
    (trust / "root.key").write_text(f". IN DS {anchor}\n")
    (trust / "root.hints").write_text(
        f". 3600000 IN NS a.root.nic.test.\na.root.nic.test. 3600000 IN A {addresses['ns1']}\n")
    return config


def validator(folder: Path, trust: Path, address: str, more: str = "    cache-max-negative-ttl: 60\n") -> str:
    """unbound's configuration: it validates below the root of `trust`."""
    return f"""server:
    interface: {address}
    access-control: 127.0.0.0/8 allow
    do-daemonize: no
    chroot: ""
    username: ""
    directory: "{folder}"
    pidfile: ""
    use-syslog: no
    log-servfail: yes
    val-log-level: 1
    ede: yes
    module-config: "validator iterator"
    root-hints: "{trust}/root.hints"
    trust-anchor-file: "{trust}/root.key"
    do-not-query-localhost: no
    local-zone: "test." nodefault
    local-zone: "d.f.ip6.arpa." nodefault
    do-ip6: no
    minimal-responses: yes
{more}remote-control:
    control-enable: no
"""
