# SPDX-License-Identifier: Apache-2.0
"""Where the cases of delivery send to, beside the places of a day: endpoints and mailboxes of other people."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from sending.net import OUT_IP, OUT_IP6
from sending.places import Host, Place
from table import Rec

BUSY, MOVED, WORN = "busy.ways.test", "moved.ways.test", "worn.ways.test"
PRIVATE, PRIVATE_MAIL = "private.ways.test", "private-mail.ways.test"
SIX, MAIL, RETURNED = "six.ways.test", "mail.ways.test", "returned.ways.test"
COUNTED, KILLS, SHARED, QUIET = "counted.test", "kills.test", "shared.test", "quiet.test"  # every name below them asks the endpoint of its zone
ENDPOINTS = {BUSY: "10.64.81.201", MOVED: "10.64.81.202", WORN: "10.64.81.203", f"in.{COUNTED}": "10.64.81.204", f"in.{KILLS}": "10.64.81.205",
             f"in.{SHARED}": "10.64.81.206", f"in.{QUIET}": "10.64.81.207"}
HOSTS = [(Place("mail", "gets reports by mail", mode="", tlsrpt=[f"v=TLSRPTv1; rua=mailto:reports@{MAIL}"]), MAIL),
         (Place("six", "refuses over IPv6", [Host(v6=True)], mode="", tlsrpt=[f"v=TLSRPTv1; rua=mailto:reports@{SIX}"]), SIX),
         (Place("returned", "takes mail for nobody", mode="", tlsrpt=[f"v=TLSRPTv1; rua=mailto:reports@{RETURNED}"]), RETURNED)]


@dataclass
class Side:
    """An installation of a pair."""
    label: str
    domain: str
    space: str
    address: str  # of its mail server
    lmtp: int


PAIR = (Side("alpha", "alpha.test", "out", OUT_IP, 2024), Side("beta", "beta.test", "far", "10.64.26.240", 2024))


def records() -> list[Rec]:
    rows = [Rec(name, "A", address, 1) for name, address in ENDPOINTS.items()]
    rows += [Rec(f"_smtp._tls.{name}", "TXT", f"v=TLSRPTv1; rua=https://{name}/tlsrpt".encode(), 1) for name in (BUSY, MOVED, WORN, PRIVATE)]
    rows += [Rec(f"*.{zone}", "TXT", f"v=TLSRPTv1; rua=https://in.{zone}/tlsrpt".encode(), 1) for zone in (COUNTED, KILLS, SHARED, QUIET)]
    # Receivers want a name for an IPv6 address and an SPF record that covers it.
    rows += [Rec(ipaddress.ip_address(OUT_IP6).reverse_pointer, "PTR", "out.sender.test", 1), Rec("out.sender.test", "AAAA", OUT_IP6, 1),
             Rec("sender.test", "TXT", f"v=spf1 ip4:{OUT_IP} ip6:{OUT_IP6} -all".encode(), 1)]
    for side in PAIR:
        rows += [Rec(side.domain, "MX", (10, f"mx.{side.domain}"), 1), Rec(f"mx.{side.domain}", "A", side.address, 1),
                 Rec(f"_smtp._tls.{side.domain}", "TXT", f"v=TLSRPTv1; rua=mailto:tls-reports@{side.domain}".encode(), 1)]
    rows += [Rec(PRIVATE, "A", "192.168.7.7", 1), Rec(f"_smtp._tls.{PRIVATE_MAIL}", "TXT", f"v=TLSRPTv1; rua=mailto:a@{PRIVATE_MAIL}".encode(), 1),
             Rec(PRIVATE_MAIL, "MX", (10, f"mx.{PRIVATE_MAIL}"), 1), Rec(f"mx.{PRIVATE_MAIL}", "A", "192.168.7.8", 1)]
    return rows
