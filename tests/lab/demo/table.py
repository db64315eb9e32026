# SPDX-License-Identifier: Apache-2.0
"""The demo's world as a table: who owns which domain, what each of them shows, who reports, and what happens on which
day. The world, the history, the story, the tests in a browser and the screenshots are all made from it."""

from __future__ import annotations

from dataclasses import dataclass, field

OPERATOR = "keel.test"      # the host of all these domains: its daemon is the one with the pages
REPORTS = "reports.test"    # where reports about them go
MAILBOX = f"tls-reports@{REPORTS}"
OWNERS = {"harbour": "Harbour Freight Lines", "orchard": "Orchard Foods", "lantern": "Lantern Press"}
HISTORY = 60                # days before the first one of the story


@dataclass(frozen=True)
class Mx:
    """A mail server below the domain; `cert`: a kind of authority.leaf(), or "none" where it knows no STARTTLS."""
    label: str = "mx1"
    cert: str = "good"
    preference: int = 10


@dataclass(frozen=True)
class Fault:
    """What reporters see of it, on the days `first` to `last` of the story (the history ends on day -1); `share` of the
    sessions fail."""
    result: str
    share: float
    first: int = -HISTORY
    last: int = 10_000
    mx: str = "mx1"


@dataclass
class Domain:
    name: str
    owner: str
    shows: str
    mode: str = "enforce"             # of the policy that is there at the start; "": none
    here: bool = False                # the daemon publishes it; else a web server of the owner's does
    mx: list[Mx] = field(default_factory=lambda: [Mx()])
    policy_mx: list[str] | None = None  # labels in the policy; None: those of its mail servers
    web: str = "good"                 # the policy host's certificate, as for Mx; "missing": it answers 404
    tlsrpt: bool = True
    aim: str = "enforce"
    sessions: int = 400               # a day, all reporters together
    faults: list[Fault] = field(default_factory=list)
    codes: set[str] = field(default_factory=set)  # of `check`, among others
    verdict: str = "protected"        # at the start of the story
    labels: list[str] = field(default_factory=list)


DOMAINS = [
    Domain("harbour.test", "harbour", "everything as it should be, in enforce; later somebody strips STARTTLS on the way to it",
           here=True, mx=[Mx("mx1"), Mx("mx2", preference=20)], sessions=2600, labels=["main"],
           faults=[Fault("certificate-host-mismatch", 0.04, -34, -33, "mx2"), Fault("starttls-not-supported", 0.3, 4, 6)]),
    Domain("harbour-freight.test", "harbour", "in testing for weeks without a failure: ready to enforce", mode="testing", here=True,
           aim="testing", sessions=900, verdict="testing"),
    Domain("harbour-docks.test", "harbour", "the certificate of its second mail server has expired", mx=[Mx("mx1"), Mx("mx2", "expired", 20)],
           sessions=700, faults=[Fault("certificate-expired", 0.18, -6, mx="mx2")], codes={"mx.cert-expired"}, verdict="broken"),
    Domain("harbour-club.test", "harbour", "neither a policy nor reports: nothing protects its mail", mode="", tlsrpt=False, aim="testing",
           sessions=60, codes={"sts-record.absent", "tlsrpt.absent"}, verdict="absent"),
    Domain("orchard.test", "orchard", "everything as it should be, on a web server of its own", mx=[Mx("mx1"), Mx("mx2", preference=20)],
           sessions=1800, faults=[Fault("sts-policy-fetch-error", 0.02, -41, -41, "")], labels=["main"]),
    Domain("orchard-shop.test", "orchard", "a new mail server stands in DNS and not in the policy", mx=[Mx("mx1"), Mx("mx9", preference=5)],
           policy_mx=["mx1"], sessions=1200, labels=["shop"], faults=[Fault("validation-failure", 0.55, -3, mx="mx9")],
           codes={"mx.not-in-policy"}, verdict="broken"),
    Domain("orchard-farm.test", "orchard", "the certificate of its policy host names somebody else", web="wrong-name", sessions=300,
           faults=[Fault("sts-webpki-invalid", 0.4, -14, mx="")], codes={"policy-host.cert-name-mismatch"}, verdict="broken"),
    Domain("orchard-jam.test", "orchard", "in enforce, and nobody tells it of failures: the TLSRPT record is missing", tlsrpt=False,
           sessions=150, codes={"tlsrpt.absent"}),
    Domain("orchard-press.test", "orchard", "its policy is changed on the third day under the old id", mx=[Mx("mx1")], sessions=220),
    Domain("lantern.test", "lantern", "in testing; one of two mail servers knows no STARTTLS, so it is not ready", mode="testing", here=True,
           mx=[Mx("mx1"), Mx("mx2", "none", 20)], aim="testing", sessions=800, labels=["main"],
           faults=[Fault("starttls-not-supported", 0.12, mx="mx2")], codes={"mx.no-starttls"}, verdict="broken"),
    Domain("lantern-works.test", "lantern", "no mail server knows STARTTLS", mode="testing", mx=[Mx("mx1", "none")], aim="testing", sessions=90,
           faults=[Fault("starttls-not-supported", 1.0)], codes={"mx.no-starttls"}, verdict="broken"),
    Domain("lantern-ink.test", "lantern", "the policy file has gone while the record still announces it", web="missing", sessions=160,
           faults=[Fault("sts-policy-fetch-error", 0.7, -5, mx="")], codes={"policy-host.http-status"}, verdict="broken"),
    Domain("lantern-old.test", "lantern", "on its way out: mode none", mode="none", aim="off", sessions=30, verdict="retiring"),
]
# Not looked after at the start: the tests add the first, and mail of ours goes to the others.
SPARE = Domain("lantern-books.test", "lantern", "not looked after yet; its mail server is fine", mode="", tlsrpt=False, sessions=0, verdict="absent")
PARTNERS = [
    Domain("partner.test", "", "somebody else's, in enforce"),
    Domain("supplier.test", "", "somebody else's, in testing", mode="testing"),
    Domain("oldbank.test", "", "somebody else's, without a policy", mode="", tlsrpt=False),
]
EVERY = [*DOMAINS, SPARE, *PARTNERS]


@dataclass(frozen=True)
class Reporter:
    """`weight`: its share of all sessions. A real one is a Postfix and a daemon that counts and reports; of the others
    only the reports are real."""
    domain: str
    weight: float
    real: bool = False


REPORTERS = [Reporter("bigmail.test", 0.6), Reporter("workmail.test", 0.3), Reporter("campus.test", 0.1),
             Reporter("northpost.test", 0.0, True), Reporter("bluebird.test", 0.0, True)]

# Day -> what happens then, and the line that tells it.
STORY = {
    1: ("", "Mail goes out from three organisations; the first reports of the story arrive tomorrow"),
    3: ("press", "orchard-press.test gets a new policy, and somebody forgets the id: senders go on with the old one"),
    4: ("attack", "The attacker strips STARTTLS towards harbour.test; Postfix holds the mail back, since the policy says enforce"),
    5: ("", "The attack goes on. Mail to harbour-club.test, which has no policy, goes to the attacker in clear"),
    7: ("peace", "The attacker is gone; what was held back goes out over TLS"),
    9: ("docks", "harbour-docks.test renews the certificate of its second mail server; failures end"),
    12: ("shop", "orchard-shop.test puts its new mail server into the policy, under a new id"),
    15: ("attack-again", "The attacker is back, for a day"),
    16: ("peace", "The attacker is gone again"),
}


def find(name: str) -> Domain:
    return next(d for d in EVERY if d.name == name)
