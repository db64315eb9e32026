# SPDX-License-Identifier: Apache-2.0
"""The world behind the wire: Knot with signed and unsigned zones that change while they are served, nginx and
policy hosts that hang, MX hosts. Records live for one second, so that a repair is seen at the next try."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import names
from authority import Authority
from sending import net
from sending.mail_hosts import Mail, MailHost
from sending.places import EVERY, SENDERS, Host, Place, domain
from table import Rec
from world import Zone

NAME_SERVERS = {"ns1": "10.64.53.1", "ns2": "10.64.53.2"}
HIDDEN_DNS = "10.64.53.3"  # the same Knot, for who sits in the place of the others
DEAD_DNS, NGINX = "10.64.53.9", "10.64.80.1"
HERE = Path(__file__).resolve().parent.parent
HANGS = ["no-handshake", "silent", "drip-head", "drip"]  # the stages of a fetch in which a policy host can hang
OTHERS = [Place("moving", "it moves while its old policy is cached"), Place("load", "asked for under load"),
          Place("shared", "asked for at two machines"), Place("typed", "looked at by hand"), Place("tests", "in testing", mode="testing"),
          Place("slow", "its policy host answers after seven seconds", hangs="slow")]
OTHERS += [Place("mover", "its MX moves from the old host to the new one", [Host("old"), Host("new", preference=20)], policy_mx=["*"])]
OTHERS += [Place("patient", "it takes mail, and its policy host hangs", hangs="silent")]
OTHERS += [Place(f"hang-{stage}", f"its policy host hangs: {stage}", hangs=stage) for stage in HANGS]


class Far:
    """`folder` holds its files; `mails` is everything that arrived anywhere."""

    def __init__(self, build: Path, folder: Path, places: list[tuple[Place, str]] | None = None):
        """`places`: what there is, and its domain; by default what the senders under test send to."""
        self.build, self.folder = build, folder
        self.authority = Authority(build / "ca", folder / "certs")
        self.zones: dict[str, Zone] = {"test": self._zone("test", signed=True)}
        for name, address in [*NAME_SERVERS.items(), ("dead", DEAD_DNS)]:
            self.zones["test"].records.append(Rec(f"{name}.nic.test", "A", address))
        self.zones["test"].records.append(Rec("a.root.nic.test", "A", NAME_SERVERS["ns1"]))
        dead = self._zone("dead.test")
        dead.servers, dead.on_knot = ["dead.nic.test"], False
        self.zones["dead.test"] = dead
        self.hosts: dict[str, MailHost] = {}
        self.sites: list[str] = []
        self.hanging: list[dict] = []
        self.ids: dict[str, int] = {}
        self.changing = threading.Lock()
        self.processes: list[subprocess.Popen] = []
        (folder / "policies").mkdir(parents=True)
        if places is None:
            places = [(place, domain(place.kind, sender)) for sender in SENDERS for place in EVERY]
            places += [(place, f"{place.kind}.others.test") for place in OTHERS]
        for place, name in places:
            self._add(place, name)

    @staticmethod
    def _zone(name: str, signed: bool = False) -> Zone:
        return Zone(name, signed=signed, servers=["ns1.nic.test", "ns2.nic.test"])

    def _zone_of(self, name: str) -> Zone:
        above = name
        while above.count(".") > 1 and above not in self.zones:
            above = above.split(".", 1)[1]
        if above not in self.zones:
            self.zones[above] = self._zone(above, signed=above.endswith("-signed.test"))
        return self.zones[above]

    def _add(self, place: Place, name: str) -> None:
        zone = self._zone_of(name)
        labels = [f"{h.label}.{name}" if h.label else name for h in place.hosts] or [f"mx.{name}"]
        for number, host in enumerate(place.hosts):
            full = labels[number]
            if host.dead:
                full = labels[number] = f"{host.label}-{name.replace('.', '-')}.dead.test"
            else:
                made = MailHost(full, f"10.64.26.{len(self.hosts) + 1}", str(self.authority.key_file), "",
                                address6=f"fd64:26::{len(self.hosts) + 1:x}" if host.v6 else "")
                self.repair(made, host.cert)
                self.hosts[full] = made
                zone.records.append(Rec(full, "A", made.address, 1))
                if host.v6:
                    zone.records.append(Rec(full, "AAAA", made.address6, 1))
            if host.label:
                zone.records.append(Rec(name, "MX", (host.preference, full), 1))
            if place.bogus_tlsa:
                self.zones[f"_tcp.{full}"] = Zone(f"_tcp.{full}", signed=True, bad_ds=True, servers=["ns1.nic.test", "ns2.nic.test"])
            if host.tlsa:
                self._zone_of(f"_25._tcp.{full}").records.append(Rec(f"_25._tcp.{full}", "TLSA", host.tlsa.replace("KEY", self.authority.spki_sha256()), 1))
        zone.records += [Rec(f"_smtp._tls.{name}", "TXT", text.encode(), 1) for text in place.tlsrpt]
        if not place.mode:
            return
        patterns = labels if place.policy_mx is None else [f"{p}.{name}" for p in place.policy_mx]
        self.policy(name, patterns, place.mode, place.max_age)
        if place.body:
            (self.folder / "policies" / name).write_text(place.body)
        self.ids[name] = 1
        zone.records.append(Rec(f"_mta-sts.{name}", "TXT", b"v=STSv1; id=1", 1))
        address = NGINX
        if place.hangs:
            address = f"10.64.81.{len(self.hanging) + 1}"
            chain = str(self.authority.leaf(place.web, [f"mta-sts.{name}"]))
            self.hanging.append({"address": address, "behaviour": place.hangs, "options": {"seconds": 7}, "chain": chain, "key": str(self.authority.key_file),
                                 "body_file": str(self.folder / "policies" / name)})
        else:
            self.sites.append(name)
        zone.records.append(Rec(f"mta-sts.{name}", "A", address, 1))

    # --- what an administrator there does ---------------------------------------------------------------

    def repair(self, host: MailHost | str, cert: str = "good") -> None:
        made = self.hosts[host] if isinstance(host, str) else host
        made.starttls = cert != "none"
        made.chain = str(self.authority.leaf("good" if cert == "none" else cert, [made.name]))

    def policy(self, name: str, patterns: list[str], mode: str = "enforce", max_age: int = 604800) -> None:
        lines = ["version: STSv1", f"mode: {mode}", *(f"mx: {p}" for p in patterns), f"max_age: {max_age}"]
        fresh = self.folder / "policies" / f"{name}.new"
        fresh.write_text("".join(line + "\r\n" for line in lines))
        fresh.rename(self.folder / "policies" / name)

    def publish(self, name: str, patterns: list[str], mode: str = "enforce", max_age: int = 604800) -> None:
        """A new policy under a new id."""
        self.policy(name, patterns, mode, max_age)
        self.ids[name] += 1
        self.record(f"_mta-sts.{name}", "TXT", f'"v=STSv1; id={self.ids[name]}"')

    def record(self, name: str, kind: str, *values: str) -> None:
        """The only records of this name and type; none: they are removed."""
        zone = self._zone_of(name).name
        with self.changing:  # a zone has one transaction at a time
            self._knotc("zone-begin", zone)
            with contextlib.suppress(RuntimeError):  # where there was none before
                self._knotc("zone-unset", zone, f"{name}.", kind)
            for value in values:
                self._knotc("zone-set", zone, f"{name}.", "1", kind, value)
            self._knotc("zone-commit", zone)
        time.sleep(2.1)  # until the old ones have left the caches

    def _knotc(self, *words: str) -> None:
        net.command("knotc", "-c", str(self.folder / "knot" / "knot.conf"), "-b", *words)

    # --- its servers ------------------------------------------------------------------------------------

    def start(self) -> None:
        knot = names.authority(self.zones, self.folder / "knot", self.build, {**NAME_SERVERS, "ns3": HIDDEN_DNS}, self.folder, negative=1)
        self._run("knot", ["knotd", "-c", str(knot)])
        dead = self.folder / "dead.json"
        dead.write_text(json.dumps([{"address": DEAD_DNS, "behaviour": "servfail", "zone": "dead.test", "records": []}]))
        self._run("dns", [sys.executable, str(HERE / "servers" / "dns.py"), str(dead), str(self.folder / "dead.ready")])
        self.run_hanging()
        self._run("nginx", self._nginx())
        for host in self.hosts.values():
            host.start()
        unbound = self.folder / "unbound.conf"
        unbound.write_text(names.validator(self.folder, self.folder, "127.0.0.53",
                                           "    cache-max-negative-ttl: 1\n    infra-host-ttl: 1\n"))
        with open(self.folder / "unbound.log", "ab") as log:
            self.processes.append(subprocess.Popen(net.inside("out", "unbound", "-d", "-c", str(unbound)), stdout=log, stderr=log,
                                                   stdin=subprocess.DEVNULL))
        first = next(iter(self.hosts.values()))
        for _ in range(200):
            said = subprocess.run(net.inside("out", "kdig", "@127.0.0.53", "+short", "+timeout=1", "+retry=0", first.name, "A"),
                                  capture_output=True, text=True, check=False).stdout
            if first.address in said and self._listens(NGINX, 443):
                return
            time.sleep(0.05)
        raise RuntimeError(f"the far side does not answer; see {self.folder}")

    def run_hanging(self) -> None:
        """Policy hosts that hang, anew where `hanging` was changed."""
        for process in [p for p in self.processes if p.args[-1] == str(self.folder / "hanging.ready")]:
            process.kill()
            process.wait()
            self.processes.remove(process)
        config, ready = self.folder / "hanging.json", self.folder / "hanging.ready"
        ready.unlink(missing_ok=True)
        config.write_text(json.dumps(self.hanging))
        self._run("policy_host", [sys.executable, str(HERE / "servers" / "policy_host.py"), str(config), str(ready)])
        while not ready.exists():
            time.sleep(0.02)

    @staticmethod
    def _listens(address: str, port: int) -> bool:
        with net.entered("out"):
            import socket  # noqa: PLC0415
            try:
                socket.create_connection((address, port), timeout=1).close()
                return True
            except OSError:
                return False

    def _run(self, name: str, words: list[str]) -> None:
        with open(self.folder / f"{name}.log", "ab") as log:
            self.processes.append(subprocess.Popen(net.inside("far", *words), stdout=log, stderr=log, stdin=subprocess.DEVNULL))

    def _nginx(self) -> list[str]:
        # One certificate for every policy host of a zone: what is tested here is the mail, not the fetch.
        servers = []
        for zone in sorted({".".join(name.split(".")[-2:]) for name in self.sites}):
            here = [name for name in self.sites if name.endswith("." + zone)]
            chain = self.authority.leaf("good", [f"mta-sts.{name}" for name in here])
            for name in here:
                servers.append(f"""    server {{ listen {NGINX}:443 ssl; server_name mta-sts.{name};
        ssl_certificate {chain}; ssl_certificate_key {self.authority.key_file};
        location = /.well-known/mta-sts.txt {{ alias {self.folder}/policies/{name}; }} }}
""")
        config = self.folder / "nginx.conf"
        temporary = " ".join(f"{kind}_temp_path {self.folder}/nginx-tmp;" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        config.write_text(f"""daemon off;
user root;
worker_processes 1;
pid {self.folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 512; }}
http {{
    log_format short '$host $status';
    access_log {self.folder}/fetches.log short;
    types {{ }}
    default_type text/plain;
    server_names_hash_bucket_size 128;
    {temporary}
{''.join(servers)}}}
""")
        return ["nginx", "-c", str(config), "-e", "stderr"]

    # --- what was seen there ----------------------------------------------------------------------------

    def fetches(self, name: str) -> int:
        """How often this domain's policy was fetched."""
        log = self.folder / "fetches.log"
        return log.read_text().split().count(f"mta-sts.{name}") if log.exists() else 0

    def mails(self, recipient: str) -> list[Mail]:
        return [mail for host in self.hosts.values() for mail in list(host.mails) if mail.recipient == recipient]

    def stop(self) -> None:
        for host in self.hosts.values():
            host.stop()
        for process in self.processes:
            process.kill()
            process.wait()
