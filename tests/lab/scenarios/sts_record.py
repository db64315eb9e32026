# SPDX-License-Identifier: Apache-2.0
"""Faults of the TXT record at _mta-sts, and of the DNS around it."""

from table import STS_ID, Rec, Scenario as S, Server

_GOOD = f"v=STSv1; id={STS_ID}".encode()
_OTHER = b"v=STSv1; id=20250101000000"


def _record(domain: str, code: str, why: str, *texts: bytes, **more) -> S:
    return S(domain, {f"sts-record.{code}"}, "broken", 1, why, sts=list(texts), **more)


def _warned(domain: str, code: str, why: str, **more) -> S:
    return S(domain, {f"sts-record.{code}"}, "protected", 0, why, **more)


SCENARIOS = [
    _record("sts-multiple.test", "multiple", "two records", _GOOD, _OTHER),
    _record("sts-bare.test", "syntax", "the version alone", b"v=STSv1;"),
    _record("sts-syntax.test", "syntax", "a field without =", b"v=STSv1; id=1; nonsense"),
    _record("sts-id-missing.test", "id-missing", "another field in its place", b"v=STSv1; version=1"),
    _record("sts-id-hyphen.test", "id-invalid", "a hyphen in the id", b"v=STSv1; id=2026-01-02"),
    _record("sts-id-long.test", "id-invalid", "33 characters", b"v=STSv1; id=" + b"1" * 33),
    _warned("sts-unrelated.test", "unrelated-txt", "a verification text beside it", sts=[_GOOD, b"site-check=abc"]),
    _warned("sts-wildcard.test", "wildcard", "only a wildcard answers", sts=[],
            records=[Rec("*.sts-wildcard.test", "TXT", _GOOD)]),
    S("sts-doubled.test", {"sts-record.doubled-name"}, "absent", 1,
      "entered as FQDN where the provider appends the domain", sts=[], web=[],
      records=[Rec("_mta-sts.sts-doubled.test.sts-doubled.test", "TXT", _GOOD)]),
    _warned("sts-doubled-too.test", "doubled-name", "at the right name and at the doubled one",
            records=[Rec("_mta-sts.sts-doubled-too.test.sts-doubled-too.test", "TXT", _GOOD)]),
    _record("sts-dangling.test", "cname-dangling", "an alias to a name that does not exist",
            records=[Rec("_mta-sts.sts-dangling.test", "CNAME", "_mta-sts.gone.hosting.test")]),
    _record("sts-loop.test", "cname-loop", "two aliases that point at each other", records=[
        Rec("_mta-sts.sts-loop.test", "CNAME", "loop.sts-loop.test"),
        Rec("loop.sts-loop.test", "CNAME", "_mta-sts.sts-loop.test")]),
    _warned("sts-disagree.test", "servers-disagree", "one server still shows the old id", servers=[
        "ns1", Server("answer", replace=[Rec("_mta-sts.sts-disagree.test", "TXT", _OTHER)])]),
    _record("sts-servfail.test", "lookup-failed", "only _mta-sts fails: a zone cut to a broken server", _GOOD,
            cuts={"_mta-sts": Server("servfail")}),
    _record("sts-bogus.test", "lookup-failed", "only _mta-sts fails validation", _GOOD, signed=True,
            cuts={"_mta-sts": "bogus"}),
    _record("sts-silent.test", "lookup-failed", "only _mta-sts is never answered", _GOOD,
            cuts={"_mta-sts": Server("silent")}),
    _warned("sts-obsolete.test", "obsolete-name", "the name of an old draft beside the right one",
            records=[Rec("_smtp-sts.sts-obsolete.test", "TXT", _GOOD)]),
    _warned("sts-split.test", "unrelated-txt", "a long text of several strings beside it", sts=[_GOOD, b"x" * 600]),
    S("sts-extension.test", set(), "protected", 0, "extension fields are allowed",
      sts=[_GOOD + b"; x-note=hello;"]),
    S("sts-cname.test", set(), "protected", 0, "both halves delegated by CNAME", sts=[],
      without=[("mta-sts", "A")], records=[
          Rec("_mta-sts.sts-cname.test", "CNAME", "sts-cname._mta-sts.hoster.sts-cname.test"),
          Rec("sts-cname._mta-sts.hoster.sts-cname.test", "TXT", _GOOD),
          Rec("mta-sts.sts-cname.test", "CNAME", "web.hosting.test")]),
]
