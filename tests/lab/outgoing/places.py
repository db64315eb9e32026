# SPDX-License-Identifier: Apache-2.0
"""The destinations that are reported to: for each source of results one domain of every condition, with what the day's
report must say of a session to it."""

from __future__ import annotations

from dataclasses import dataclass

from sending.places import Host, Place

SOURCES = ("log", "datagram", "exim")
REPORTS = "reports.test"              # its MX and its endpoint are the receiving daemon
URL, MAILBOX = f"https://in.{REPORTS}", f"tls-reports@{REPORTS}"
WRONG_KEY = "3 1 1 " + "00" * 32


@dataclass
class Condition:
    """`policy` is the type of RFC 8460 §4.2, `result` that of §4.3 ("" : success). `told`: whether the mail server can know
    it, so that its datagram says so; else the policy service adds it."""
    place: Place
    policy: str
    result: str = ""
    rua: tuple[str, ...] = ("mail",)  # mail, https, own: a mailbox behind the domain's own MX
    records: int = 1                  # TLSRPT records: none, one, or two, which are none
    told: bool = True
    failed: bool = True               # false: the result is told of sessions that came up all the same
    sources: tuple[str, ...] = SOURCES


CONDITIONS = [
    Condition(Place("fine", "as it should be"), "sts", rua=("mail", "https")),
    Condition(Place("expired", "the certificate has expired", [Host(cert="expired")]), "sts", "certificate-expired", rua=("own",)),
    Condition(Place("wrong-name", "the certificate names somebody else", [Host(cert="wrong-name")]), "sts",
              "certificate-host-mismatch", rua=("https",)),
    Condition(Place("self-signed", "nobody trusted has signed the certificate", [Host(cert="self-signed")]), "sts",
              "certificate-not-trusted"),
    Condition(Place("plain", "no STARTTLS", [Host(cert="none")]), "sts", "starttls-not-supported", rua=("mail", "https")),
    Condition(Place("outside", "the host is not in the policy", policy_mx=["old"]), "sts", "validation-failure", told=False,
              sources=("log", "datagram")),
    Condition(Place("testing", "a policy in testing, and the certificate names somebody else", [Host(cert="wrong-name")],
                    mode="testing"), "sts", "certificate-host-mismatch", rua=("https",), told=False),
    Condition(Place("fetch", "the policy host is down", hangs="closed"), "sts", "sts-policy-fetch-error", told=False),
    Condition(Place("invalid", "the policy's text is none", body="version: STSv1\r\nmode: perhaps\r\nmx: *\r\n"), "sts",
              "sts-policy-invalid", told=False),
    Condition(Place("webpki", "the policy host's certificate names somebody else", hangs="good", web="wrong-name"), "sts",
              "sts-webpki-invalid", told=False),
    Condition(Place("dane-right", "TLSA admits the key", [Host(cert="self-signed", tlsa="3 1 1 KEY")], mode="", signed=True),
              "tlsa"),
    Condition(Place("dane-wrong", "TLSA refuses the key", [Host(tlsa=WRONG_KEY)], mode="", signed=True), "tlsa",
              "validation-failure", rua=("mail", "https")),
    Condition(Place("dane-unusable", "no TLSA record can be used", [Host(tlsa="0 0 1 " + "11" * 32)], mode="", signed=True),
              "tlsa", "tlsa-invalid", failed=False),
    Condition(Place("dane-bogus", "the TLSA records do not validate", [Host(tlsa="3 1 1 KEY")], mode="", signed=True,
                    bogus_tlsa=True), "tlsa", "dnssec-invalid", told=False, sources=("datagram",)),
    Condition(Place("dane-demanded", "DANE is demanded, and there is none", mode="", signed=True), "tlsa", "dane-required",
              sources=("datagram",)),
    Condition(Place("none", "no policy, and TLS", mode=""), "no-policy-found"),
    Condition(Place("none-plain", "neither policy nor TLS", [Host(cert="none")], mode=""), "no-policy-found", "starttls-not-supported",
              rua=("https",)),
    Condition(Place("silent", "asks for no reports"), "sts", records=0),
    Condition(Place("twice", "two records are none"), "sts", records=2),
]
# The TLSA base domain of this one asks for reports of its own.
BASE_ASKS = "dane-right"


def domain(kind: str, source: str) -> str:
    return f"{kind}.{source}{'-signed' if kind.startswith('dane-') else ''}.test"


def of(source: str) -> list[Condition]:
    return [one for one in CONDITIONS if source in one.sources]


def base_domain(source: str) -> str:
    return f"mx.{domain(BASE_ASKS, source)}"
