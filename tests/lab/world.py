# SPDX-License-Identifier: Apache-2.0
"""From the table of scenarios to what each server needs: zones, policy files, certificates, addresses.

Addresses of the lab, all on the loopback interface of its own network namespace:
127.0.0.53 the validating resolver; 127.0.53.x authoritative servers; 127.0.25.1 Postfix, .2 Exim;
127.0.25.3 Dovecot; 127.0.25.4 the program itself as an MX, 127.0.25.5 its other listeners;
127.0.26.x mail servers that misbehave; 127.0.80.1 nginx; 127.0.81.x policy hosts that misbehave;
fd00:80::1, fd00:81::x, fd00:26::x the same over IPv6.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path

from authority import Authority
from reporters import REPORTERS, STRANGER, Keys
from table import DANE_POSTFIX, EXIM, POSTFIX, Rec, Scenario, Server

RESOLVER = "127.0.0.53"
NAME_SERVERS = {"ns1": "127.0.53.1", "ns2": "127.0.53.2"}
POSTFIX_IP, EXIM_IP, NGINX_IP, NGINX_IP6 = "127.0.25.1", "127.0.25.2", "127.0.80.1", "fd00:80::1"
DOVECOT_IP, DIRECT_IP, SERVE_IP = "127.0.25.3", "127.0.25.4", "127.0.25.5"
DOVECOT = "imap.hosting.test"
# Mail to the first is handed by Postfix to the program over LMTP; of the second the program is the MX itself.
REPORTS, REPORTS_DIRECT = "reports.test", "reports-direct.test"


@dataclass
class Zone:
    name: str
    records: list[Rec] = field(default_factory=list)
    signed: bool = False
    bad_ds: bool = False
    servers: list[str] = field(default_factory=list)  # names of the NS hosts
    on_knot: bool = True


@dataclass
class World:
    zones: dict[str, Zone] = field(default_factory=dict)
    sites: list[dict] = field(default_factory=list)          # nginx: name, chain, body_file
    policy_hosts: list[dict] = field(default_factory=list)   # servers/policy_host.py
    mail_hosts: list[dict] = field(default_factory=list)     # servers/mx.py
    name_servers: list[dict] = field(default_factory=list)   # servers/dns.py
    addresses6: list[str] = field(default_factory=list)      # to be set on the interface
    key_file: str = ""
    postfix_chain: str = ""
    exim_chain: str = ""
    dovecot_chain: str = ""
    serve_chain: str = ""


class Builder:
    """Fills a World; `run` is the folder of this run's files."""

    def __init__(self, authority: Authority, run: Path):
        self.authority, self.run = authority, run
        self.world = World(key_file=str(authority.key_file))
        self.next = {"web": 1, "mx": 1, "dns": 10}
        (run / "policies").mkdir(parents=True, exist_ok=True)
        self._common()

    def _common(self) -> None:
        world = self.world
        test = Zone("test", signed=True, servers=["ns1.nic.test", "ns2.nic.test"])
        for name, address in NAME_SERVERS.items():
            test.records.append(Rec(f"{name}.nic.test", "A", address))
        test.records.append(Rec("a.root.nic.test", "A", NAME_SERVERS["ns1"]))
        world.zones["test"] = test
        hosting = self._zone("hosting.test")
        hosting.records += [Rec(POSTFIX, "A", POSTFIX_IP), Rec(EXIM, "A", EXIM_IP),
                            Rec("web.hosting.test", "A", NGINX_IP)]
        signed = self._zone("danehost.test", signed=True)
        signed.records += [Rec(DANE_POSTFIX, "A", POSTFIX_IP),
                           Rec(f"_25._tcp.{DANE_POSTFIX}", "TLSA", f"3 1 1 {self.authority.spki_sha256()}")]
        world.postfix_chain = str(self.authority.leaf("good", [POSTFIX, DANE_POSTFIX]))
        world.exim_chain = str(self.authority.leaf("good", [EXIM]))
        world.addresses6.append(NGINX_IP6)
        hosting.records.append(Rec(DOVECOT, "A", DOVECOT_IP))
        world.dovecot_chain = str(self.authority.leaf("good", [DOVECOT]))
        self._reports()

    def _reports(self) -> None:
        """The reporters' keys, and the addresses that reports go to."""
        keys = Keys(self.authority.folder).records()
        for name in [*REPORTERS, STRANGER]:
            self._zone(name).records += [Rec(f"{selector}._domainkey.{name}", "TXT", text)
                                         for selector, text in keys.items()]
        self._zone(REPORTS).records += [Rec(REPORTS, "MX", (10, POSTFIX)), Rec(f"in.{REPORTS}", "A", SERVE_IP)]
        self._zone(REPORTS_DIRECT).records += [Rec(REPORTS_DIRECT, "MX", (10, f"mx.{REPORTS_DIRECT}")),
                                               Rec(f"mx.{REPORTS_DIRECT}", "A", DIRECT_IP)]
        self._zone("reports-test.test").records.append(
            Rec("_smtp._tls.reports-test.test", "TXT", f"v=TLSRPTv1; rua=mailto:tls-report@{REPORTS}".encode()))
        self.world.serve_chain = str(self.authority.leaf("good", [f"in.{REPORTS}", f"mx.{REPORTS_DIRECT}"]))

    def _zone(self, name: str, **more) -> Zone:
        zone = Zone(name, servers=["ns1.nic.test", "ns2.nic.test"], **more)
        self.world.zones[name] = zone
        return zone

    def _address(self, kind: str, v6: bool) -> str:
        number = self.next[kind]
        self.next[kind] += 1
        base = {"web": 81, "mx": 26, "dns": 53}[kind]
        if v6:
            address = f"fd00:{base}::{number:x}"
            self.world.addresses6.append(address)
            return address
        return str(ipaddress.IPv4Address(f"127.0.{base}.0") + number)

    def _name_server(self, zone: Zone, server: str | Server, honest: list[Rec]) -> str:
        """The NS host's name; a misbehaving one is set up with the records that it would give if honest."""
        if isinstance(server, str):
            return f"{server}.nic.test"
        address = self._address("dns", False)
        name = f"bad{address.rsplit('.', 1)[1]}.nic.test"
        self.world.zones["test"].records.append(Rec(name, "A", address))
        replaced = {(r.name, r.type) for r in server.replace}
        records = [r for r in honest if (r.name, r.type) not in replaced] + server.replace
        self.world.name_servers.append({
            "address": address, "behaviour": server.behaviour, "options": server.options, "zone": zone.name,
            "entry_of": zone, "records": records})
        return name

    def add(self, scenario: Scenario) -> None:
        domain = scenario.domain
        records = self._records(scenario)
        if scenario.zone:
            self.world.zones[scenario.zone].records += records
            return
        zone = self._zone(domain, signed=scenario.signed, bad_ds=scenario.bad_ds)
        for label, cut in scenario.cuts.items():
            child = self._zone(f"{label}.{domain}", signed=cut == "bogus", bad_ds=cut == "bogus")
            child.records = [r for r in records if r.name == child.name or r.name.endswith("." + child.name)]
            records = [r for r in records if r not in child.records]
            if isinstance(cut, Server):
                child.on_knot = False
                child.servers = [self._name_server(child, cut, child.records)]
        zone.records = records
        zone.servers = [self._name_server(zone, server, records) for server in scenario.servers]
        zone.on_knot = any(isinstance(server, str) for server in scenario.servers)

    def _records(self, scenario: Scenario) -> list[Rec]:
        domain = scenario.domain
        records = [Rec(domain, "TXT", b"v=spf1 mx -all"), Rec(f"_dmarc.{domain}", "TXT", b"v=DMARC1; p=reject")]
        records += [Rec(f"_mta-sts.{domain}", "TXT", text) for text in scenario.sts or []]
        tlsrpt = scenario.tlsrpt
        if tlsrpt is None:
            tlsrpt = [f"v=TLSRPTv1; rua=mailto:tls-reports@{domain}".encode()]
        records += [Rec(f"_smtp._tls.{domain}", "TXT", text) for text in tlsrpt]
        records += [Rec(domain, "MX", pair) for pair in scenario.mx_hosts()]
        records += self._web(scenario) + self._mx(scenario)
        gone = {(f"{label}.{domain}" if label else domain, kind) for label, kind in scenario.without}
        records = [r for r in records if (r.name, r.type) not in gone]
        return records + [self._with_digests(r) for r in scenario.records]

    def _with_digests(self, record: Rec) -> Rec:
        """TLSA values may say KEY (the lab's leaf key) and ISSUER (the intermediate) for the digest, and WHOLE for
        the leaf key itself."""
        if record.type != "TLSA":
            return record
        value = record.value.replace("KEY", self.authority.spki_sha256()).replace(
            "ISSUER", self.authority.middle_sha256()).replace("WHOLE", self.authority.spki().hex())
        return Rec(record.name, record.type, value, record.ttl)

    def _web(self, scenario: Scenario) -> list[Rec]:
        records, name = [], f"mta-sts.{scenario.domain}"
        for at, web in enumerate(scenario.web):
            path = self.run / "policies" / f"{scenario.domain}.{at}.txt"
            path.write_bytes(scenario.policy_bytes() if web.body is None else web.body)
            chain = str(self.authority.leaf(web.cert, [name]))
            if web.behaviour == "nginx":
                self.world.sites.append({"name": name, "chain": chain, "body_file": str(path)})
                address = NGINX_IP6 if web.v6 else NGINX_IP
            else:
                address = self._address("web", web.v6)
                self.world.policy_hosts.append({
                    "address": address, "behaviour": web.behaviour, "options": web.options, "chain": chain,
                    "key": self.world.key_file, "body_file": str(path)})
            records.append(Rec(name, "AAAA" if web.v6 else "A", address))
        return records

    def _mx(self, scenario: Scenario) -> list[Rec]:
        records = []
        for mx in scenario.mx or []:
            host = mx.full(scenario.domain)
            records += [Rec(host, "AAAA" if ":" in address else "A", address) for address in mx.addresses]
            for behaviour, cert in zip(mx.behaviours, mx.certs or [mx.cert] * len(mx.behaviours)):
                address = self._address("mx", mx.v6)
                self.world.mail_hosts.append({
                    "address": address, "behaviour": behaviour, "host": host, "key": self.world.key_file,
                    "chain": str(self.authority.leaf(cert, mx.names or [host]))})
                records.append(Rec(host, "AAAA" if mx.v6 else "A", address))
        return records


def build(scenarios: list[Scenario], authority: Authority, run: Path) -> World:
    """The whole world of these scenarios; files are written below `run`."""
    builder = Builder(authority, run)
    for scenario in scenarios:
        builder.add(scenario)
    return builder.world
