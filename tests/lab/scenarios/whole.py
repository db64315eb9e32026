# SPDX-License-Identifier: Apache-2.0
"""Whole domains in every state that a verdict names, most of them without a fault."""

from table import DANE_POSTFIX, Rec, Scenario as S, Server

# BUILD stands for the lab's folder, where the private root's hints and key are.
_RECURSIVE = ["--dns-mode", "recursive", "--root-hints", "BUILD/root.hints", "--trust-anchor", "BUILD/root.key"]
_VALIDATING = ["--dns-mode", "validating", "--resolver", "127.0.0.53", "--trust-anchor", "BUILD/root.key"]
_DANE = dict(signed=True, mx_records=[(10, DANE_POSTFIX)])
_NOTHING = dict(sts=None, web=[])
_NO_NAME = dict(_NOTHING, mx=[], mx_records=[], tlsrpt=[], without=[("", "TXT"), ("_dmarc", "TXT")])
_ALL_FAIL = {"sts-record.lookup-failed"}

SCENARIOS = [
    S("healthy.test", set(), "protected", 0, "enforce, a real nginx, Postfix and Exim", expect={"mode": "enforce"}),
    S("healthy-wildcard.test", set(), "protected", 0, "a wildcard pattern", policy_mx=["*.hosting.test"]),
    S("testing.test", set(), "testing", 0, "testing with a max_age of two weeks", mode="testing", max_age=1209600,
      expect={"mode": "testing"}),
    S("retiring.test", {"policy.mode-none"}, "retiring", 0, "mode none as the guides show it", mode="none",
      max_age=86400, policy_mx=[], expect={"mode": "none"}),
    S("absent.test", {"sts-record.absent"}, "absent", 1, "mail and TLSRPT, no MTA-STS", **_NOTHING),
    S("bare.test", {"sts-record.absent", "tlsrpt.absent"}, "absent", 1, "mail and nothing else", tlsrpt=[],
      **_NOTHING),
    S("no-such-domain.test", {"domain.absent"}, "absent", 1, "the parent zone does not know the name", zone="test",
      **_NO_NAME, expect={"mx": []}),
    S("only-below.test", {"sts-record.absent", "tlsrpt.absent", "mx.none"}, "absent", 1,
      "an empty non-terminal: no records of its own, and a name below it", zone="test",
      records=[Rec("www.only-below.test", "TXT", b"here")], **_NO_NAME),
    S("no-mail.test", {"sts-record.absent", "tlsrpt.absent", "mx.null"}, "absent", 1, "null MX and nothing else",
      mx_records=[(0, ".")], tlsrpt=[], **_NOTHING),
    S("dead-servfail.test", _ALL_FAIL, "unreachable", 3, "every server says SERVFAIL", servers=[Server("servfail")]),
    S("dead-lame.test", _ALL_FAIL, "unreachable", 3, "delegated to a server that does not know the zone",
      servers=[Server("lame")]),
    S("dead-silent.test", _ALL_FAIL, "unreachable", 3, "no server answers", servers=[Server("silent")]),
    S("dead-bogus.test", _ALL_FAIL, "unreachable", 3, "the DS record is of no key of the zone", signed=True,
      bad_ds=True),
    S("dane-healthy.test", {"dane.present"}, "protected", 0, "DNSSEC and TLSA at a real Postfix", **_DANE),
    S("guarded.test", {"policy-host.blocked-address", "mx.unreachable"}, "broken", 1,
      "without --allow-net nobody connects to an address that is not public", allow_net=False),
    S("not-probed.test", set(), "unverified", 3, "--no-smtp: nothing is known of the mail servers",
      args=["--no-smtp"], expect={"ready_to_enforce": None}),
    S("own-recursion.test", set(), "protected", 0, "asked from the private root on, without the lab's resolver",
      args=_RECURSIVE),
    S("own-recursion-dane.test", {"dane.present"}, "protected", 0, "the same, validated here", args=_RECURSIVE,
      **_DANE),
    S("own-recursion-bogus.test", _ALL_FAIL, "unreachable", 3, "the same, where the signatures are wrong",
      args=_RECURSIVE, signed=True, bad_ds=True),
    S("own-validation-dane.test", {"dane.present"}, "protected", 0, "the lab's resolver asked, its AD bit not trusted",
      args=_VALIDATING, **_DANE),
]
