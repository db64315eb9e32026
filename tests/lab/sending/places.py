# SPDX-License-Identifier: Apache-2.0
"""The destinations that mail is sent to: for each mail server under test one domain of every kind."""

from __future__ import annotations

from dataclasses import dataclass, field

SENDERS = ("postfix", "sendmail", "exim")


@dataclass
class Host:
    """One MX host; `cert` is a kind of authority.py, "none" says that it offers no STARTTLS."""
    label: str = "mx"
    cert: str = "good"
    preference: int = 10
    v6: bool = False    # has an IPv6 address too
    tlsa: str = ""      # value of _25._tcp; KEY stands for the digest of the lab's key
    dead: bool = False  # in a zone whose name server answers SERVFAIL to everything


@dataclass
class Place:
    kind: str
    why: str
    hosts: list[Host] = field(default_factory=lambda: [Host()])
    mode: str = "enforce"           # "" : no MTA-STS at all
    policy_mx: list[str] | None = None  # labels or patterns; None: the hosts
    signed: bool = False
    hangs: str = ""                 # a behaviour of servers/policy_host.py; "" : nginx
    web: str = "good"               # the policy host's certificate
    body: str = ""                  # in place of the policy's text
    tlsrpt: list[str] = field(default_factory=list)  # values of _smtp._tls
    bogus_tlsa: bool = False        # the zone of the host's TLSA records does not validate
    max_age: int = 604800


# Mail to these arrives at once, under TLS.
ARRIVE = [
    Place("right", "the policy admits the host, its certificate is right"),
    Place("wildcard", "the policy admits the host by a wildcard", policy_mx=["*"]),
    Place("testing", "everything is wrong, but the policy is in testing",
          [Host(cert="self-signed")], mode="testing", policy_mx=["other"]),
    Place("retired", "everything is wrong, but the policy's mode is none", [Host(cert="expired")], mode="none"),
    Place("second", "the first host's certificate is wrong, the second's is right",
          [Host("mx1", "self-signed"), Host("mx2", preference=20)]),
    Place("outsider", "the first host is not in the policy, the second is",
          [Host("mx1"), Host("mx2", preference=20)], policy_mx=["mx2"]),
    Place("half-dead", "DNS fails for the first host's name, the second is right",
          [Host("mx1", dead=True), Host("mx2", preference=20)]),
]
# Mail to these waits in the queue until the domain is repaired.
WAIT = [
    Place("wrong-name", "the certificate names somebody else", [Host(cert="wrong-name")]),
    Place("expired", "the certificate has expired", [Host(cert="expired")]),
    Place("self-signed", "the certificate is signed by nobody trusted", [Host(cert="self-signed")]),
    Place("plain", "the host offers no STARTTLS", [Host(cert="none")]),
    Place("outside", "the host is not in the policy", policy_mx=["old"]),
]
# DANE decides, whatever the policy says; for mail servers that do DANE themselves.
DANE_ARRIVES = Place("dane-right", "TLSA admits a key that no root vouches for",
                     [Host(cert="self-signed", tlsa="3 1 1 KEY")], signed=True)
DANE_WAITS = Place("dane-wrong", "the certificate is as the policy wants it, and TLSA refuses it",
                   [Host(tlsa="3 1 1 " + "00" * 32)], signed=True)
# A smart host in brackets has the policy of its own name, which is no MX domain.
SMART = [Place("smart", "a smart host whose certificate is right", [Host("")]),
         Place("smart-bad", "a smart host whose certificate is wrong", [Host("", "wrong-name")])]
ODD = [Place("lone.child", "it has no policy, its parent one that admits nobody", mode=""),
       Place("child", "it admits nobody", policy_mx=["nobody"])]
# The one in the middle wants the mail of the first; the second shows that the attack works where there is no policy.
ATTACKED = [Place("watched", "an enforced policy"), Place("unwatched", "none", mode="")]
EVERY = [*ARRIVE, *WAIT, DANE_ARRIVES, DANE_WAITS, *SMART, *ODD, *ATTACKED]


def domain(kind: str, sender: str) -> str:
    """Where this sender's mail of this kind goes."""
    return f"{kind}.{sender}{'-signed' if kind.startswith('dane-') else ''}.test"
