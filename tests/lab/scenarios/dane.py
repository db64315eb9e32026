# SPDX-License-Identifier: Apache-2.0
"""DANE beside MTA-STS. KEY stands for the digest of the lab's leaf key, ISSUER for that of the intermediate,
WHOLE for the key itself."""

from table import DANE_POSTFIX, EXIM, Mx, Rec, Scenario as S, Server


def _tlsa(domain: str, *values: str) -> list[Rec]:
    return [Rec(f"_25._tcp.mx.{domain}", "TLSA", value) for value in values]


def _dane(name: str, codes: set[str], verdict: str, status: int, why: str, *values: str, **more) -> S:
    domain = f"{name}.test"
    return S(domain, codes, verdict, status, why, signed=more.pop("signed", True), mx=[more.pop("mx", Mx("mx"))],
             records=_tlsa(domain, *values), **more)


SCENARIOS = [
    _dane("dane-ta", {"dane.present"}, "protected", 0, "2 0 1 of the intermediate", "2 0 1 ISSUER"),
    _dane("dane-rollover", {"dane.present"}, "protected", 0, "the next key is published beside the present one",
          "3 1 1 " + "ab" * 32, "3 1 1 KEY"),
    _dane("dane-invalid", {"dane.invalid"}, "broken", 1, "only usages that SMTP does not use", "1 1 1 KEY"),
    _dane("dane-lookup", {"dane.invalid"}, "broken", 1, "signed, and the look-up of TLSA fails: such hosts are avoided",
          cuts={"_tcp.mx": Server("servfail")}),
    _dane("dane-lookup-unsigned", set(), "protected", 0,
          "the same in a zone without DNSSEC: nobody asks for TLSA there", signed=False,
          cuts={"_tcp.mx": Server("servfail")}),
    S("dane-foreign.test", {"dane.present"}, "protected", 0, "an unsigned domain whose mail server has DANE",
      mx_records=[(10, DANE_POSTFIX)]),
    _dane("dane-mismatch", {"dane.mismatch"}, "broken", 1, "the digest of another key", "3 1 1 " + "ab" * 32),
    _dane("dane-insecure", {"dane.insecure"}, "protected", 0, "TLSA in a zone without DNSSEC", "3 1 1 KEY",
          signed=False),
    _dane("dane-discouraged", {"dane.present", "dane.discouraged"}, "protected", 0,
          "the whole key in place of its digest: it matches, and the answer is large", "3 1 0 WHOLE"),
    S("dane-partial.test", {"dane.partial"}, "protected", 0, "one of two hosts has TLSA records",
      signed=True, mx_records=[(10, DANE_POSTFIX), (20, EXIM)]),
    _dane("dane-disagrees", {"dane.present", "dane.disagrees-with-sts"}, "broken", 1,
          "self-signed with the right TLSA record: DANE senders deliver, the others do not", "3 1 1 KEY",
          mx=Mx("mx", cert="self-signed")),
]
