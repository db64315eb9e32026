# SPDX-License-Identifier: Apache-2.0
"""What a scenario can say: one entry sets up one domain and tells exactly what `check` must find there."""

from __future__ import annotations

from dataclasses import dataclass, field

# The healthy mail servers: a real Postfix and a real Exim, in an unsigned zone and in a signed one (DANE).
POSTFIX, EXIM = "mx1.hosting.test", "mx2.hosting.test"
DANE_POSTFIX = "mx1.danehost.test"
STS_ID = "20260102030405"


@dataclass(frozen=True)
class Rec:
    """One DNS record. Names are absolute, without final dot; a TXT value is bytes, an MX value (preference, host)."""
    name: str
    type: str
    value: object
    ttl: int = 300


@dataclass
class Web:
    """One address of the policy host: `nginx` (the real one) or a behaviour of servers/policy_host.py."""
    behaviour: str = "nginx"
    cert: str = "good"
    body: bytes | None = None  # else the scenario's policy
    v6: bool = False
    options: dict = field(default_factory=dict)


@dataclass
class Mx:
    """One MX host of the scenario's own: `host` is a label below the domain; each behaviour is one address
    (`good`, `closed`, or another of servers/mx.py)."""
    host: str
    behaviours: list[str] = field(default_factory=lambda: ["good"])
    cert: str = "good"
    preference: int = 10
    v6: bool = False
    names: list[str] | None = None  # of the certificate; None: the host
    addresses: list[str] = field(default_factory=list)  # without a server: further addresses of the host
    certs: list[str] | None = None  # one a behaviour; None: `cert` for all

    def full(self, domain: str) -> str:
        return f"{self.host}.{domain}" if self.host else domain


@dataclass
class Server:
    """An authoritative server that misbehaves (servers/dns.py)."""
    behaviour: str
    replace: list[Rec] = field(default_factory=list)  # instead of the zone's records of the same name and type
    options: dict = field(default_factory=dict)


@dataclass
class Scenario:
    domain: str
    codes: set[str]
    verdict: str
    status: int
    why: str = ""
    sts: list[bytes] | None = field(default_factory=lambda: [f"v=STSv1; id={STS_ID}".encode()])
    policy: bytes | None = None   # None: written from mode, max_age and the MX hosts
    mode: str = "enforce"
    max_age: int = 2419200
    policy_mx: list[str] | None = None
    web: list[Web] = field(default_factory=lambda: [Web()])
    mx: list[Mx] | None = None    # None: the real Postfix and the real Exim
    mx_records: list[tuple[int, str]] | None = None  # instead of those that follow from `mx`
    tlsrpt: list[bytes] | None = None  # None: mailto:tls-reports@DOMAIN
    records: list[Rec] = field(default_factory=list)
    without: list[tuple[str, str]] = field(default_factory=list)  # (name, type) left out of the zone
    signed: bool = False
    bad_ds: bool = False          # the parent holds a DS of no key
    servers: list[str | Server] = field(default_factory=lambda: ["ns1", "ns2"])
    cuts: dict[str, object] = field(default_factory=dict)  # label -> Server, or "bogus": a zone of its own below
    zone: str | None = None       # the zone that holds the domain, where it is not the domain itself
    args: list[str] = field(default_factory=list)
    allow_net: bool = True        # False: the lab's addresses are refused, as they would be by default
    limit: float = 60.0           # seconds that the check may take
    expect: dict = field(default_factory=dict)  # further top-level keys of the JSON and their values

    def mx_hosts(self) -> list[tuple[int, str]]:
        if self.mx_records is not None:
            return self.mx_records
        if self.mx is None:
            return [(10, POSTFIX), (20, EXIM)]
        return [(m.preference, m.full(self.domain)) for m in self.mx]

    def policy_bytes(self) -> bytes:
        if self.policy is not None:
            return self.policy
        hosts = self.policy_mx if self.policy_mx is not None else [h for _, h in self.mx_hosts()]
        lines = ["version: STSv1", f"mode: {self.mode}", *(f"mx: {h}" for h in hosts), f"max_age: {self.max_age}"]
        return "".join(line + "\r\n" for line in lines).encode()
