# SPDX-License-Identifier: Apache-2.0
"""Hostile servers: each must end in a finding within the time limits, never in a crash, a hang or an endless read."""

from table import Mx, Scenario as S, Server, Web

_FAILED = {"sts-record.lookup-failed"}


def _dns(name: str, behaviour: str, why: str, codes: set[str] = _FAILED, verdict: str = "broken") -> S:
    return S(f"bad-dns-{name}.test", codes, verdict, 1, why, cuts={"_mta-sts": Server(behaviour)})


def _web(name: str, behaviour: str, why: str, code: str = "policy-host.http-status", **options) -> S:
    return S(f"bad-web-{name}.test", {code}, "broken", 1, why, web=[Web(behaviour, options=options)])


def _smtp(name: str, behaviour: str, why: str) -> S:
    return S(f"bad-mx-{name}.test", {"mx.unreachable"}, "unverified", 3, why, mx=[Mx("mx", [behaviour])])


SCENARIOS = [
    _dns("huge", "huge", "60 kB of TXT records of which none is ours", {"policy.absent-without-record"}, "absent"),
    _dns("loop", "loop", "an alias chain without an end", {"sts-record.cname-loop"}),
    _dns("wrong-id", "wrong-id", "answers with an id that was not asked"),
    _dns("wrong-question", "wrong-question", "answers another question"),
    _dns("pointer", "pointer-loop", "compression pointers in a circle"),
    _dns("garbage", "garbage", "no DNS message"),
    _web("drip", "drip", "a byte every half second, for ever", "policy-host.slow"),
    _web("drip-head", "drip-head", "header fields, for ever", "policy-host.slow"),
    _web("huge-head", "huge-head", "a header field of 400 kB"),
    _web("endless", "endless", "a body without an end", "policy-host.too-large"),
    _web("lies", "lies-long", "promises more bytes than it sends"),
    _web("compressed", "compressed", "gzip that nobody asked for"),
    _web("not-http", "not-http", "no HTTP inside TLS"),
    _smtp("flood", "flood", "a greeting line without an end"),
    _smtp("lines", "endless-lines", "a greeting of lines without an end"),
    _smtp("nul", "nul", "NULs in the greeting"),
    _smtp("tarpit", "tarpit", "a byte every two seconds"),
    _smtp("silent", "silent", "says nothing at all"),
    _smtp("not-smtp", "not-smtp", "speaks another protocol"),
]
