# SPDX-License-Identifier: Apache-2.0
"""Faults of the MX records, and of the mail servers behind them."""

from table import EXIM, POSTFIX, Mx, Rec, Scenario as S, Server

_UNROUTED = "192.0.2.25"  # the lab has no way there: a connection fails at once


def _broken(name: str, code: str, why: str, *mx: Mx, **more) -> S:
    return S(f"{name}.test", {f"mx.{code}"}, "broken", 1, why, mx=list(mx) or None, **more)


def _warned(name: str, code: str, why: str, *mx: Mx, **more) -> S:
    return S(f"{name}.test", {f"mx.{code}"}, "protected", 0, why, mx=list(mx) or None, **more)


def _untested(name: str, why: str, *mx: Mx, **more) -> S:
    return S(f"{name}.test", {"mx.unreachable"}, "unverified", 3, why, mx=list(mx),
             expect={"ready_to_enforce": None}, **more)


SCENARIOS = [
    S("mx-good.test", set(), "protected", 0, "the lab's own server, where it behaves", mx=[Mx("mx")]),
    S("mx-v6.test", set(), "protected", 0, "an MX with an IPv6 address alone", mx=[Mx("mx", v6=True)]),
    S("mx-none.test", {"mx.none"}, "protected", 0, "no MX record, the domain itself takes mail", mx=[Mx("")],
      mx_records=[], policy_mx=["mx-none.test"]),
    S("mx-null.test", {"mx.null", "policy.mode-none"}, "retiring", 0, "null MX, and the policy says none",
      mx_records=[(0, ".")], mode="none", max_age=86400, policy_mx=[],
      tlsrpt=[b"v=TLSRPTv1; rua=mailto:tls-reports@healthy.test"]),
    _broken("mx-lookup", "lookup-failed", "the host's zone fails", mx_records=[(10, "mx.mail.mx-lookup.test")],
            records=[], cuts={"mail": Server("servfail")}),
    _broken("mx-no-address", "no-address", "the second host does not exist",
            mx_records=[(10, POSTFIX), (20, "gone.mx-no-address.test")]),
    _broken("mx-cname", "is-cname", "the MX record names an alias", Mx("real", names=["mx.mx-cname.test"]),
            mx_records=[(10, "mx.mx-cname.test")],
            records=[Rec("mx.mx-cname.test", "CNAME", "real.mx-cname.test")]),
    _broken("mx-address", "is-address", "an address where a name belongs", mx_records=[(10, POSTFIX), (20, "127.0.25.2")],
            policy_mx=[POSTFIX]),
    _broken("mx-not-in-policy", "not-in-policy", "the second host is forgotten", policy_mx=[POSTFIX]),
    _broken("mx-none-in-policy", "none-in-policy", "moved to another provider without a new policy",
            policy_mx=["mx.oldprovider.test"]),
    _warned("mx-unused", "policy-entry-unused", "a host that is gone still stands in the policy",
            policy_mx=[POSTFIX, EXIM, "old.hosting.test"]),
    _untested("mx-closed", "port 25 refuses", Mx("mx", ["closed"])),
    _untested("mx-421", "greets with 421", Mx("mx", ["greet-421"])),
    _untested("mx-554", "greets with 554", Mx("mx", ["greet-554"])),
    _untested("mx-hang-up", "hangs up without a greeting", Mx("mx", ["hang-up"])),
    _broken("mx-no-starttls", "no-starttls", "not offered", Mx("mx", ["no-starttls"])),
    _broken("mx-454", "starttls-refused", "offered, then 454", Mx("mx", ["starttls-454"])),
    _broken("mx-starttls-hang-up", "starttls-refused", "220, then the connection ends", Mx("mx", ["starttls-hang-up"])),
    _broken("mx-starttls-babble", "starttls-refused", "220, then plain text", Mx("mx", ["starttls-babble"])),
    _broken("mx-injected", "starttls-refused", "plain text after the 220, before TLS", Mx("mx", ["injected"])),
    _broken("mx-tls10", "tls-too-old", "TLS 1.0 only", Mx("mx", ["tls1.0"])),
    _broken("mx-tls11", "tls-too-old", "TLS 1.1 only", Mx("mx", ["tls1.1"])),
    _broken("mx-expired", "cert-expired", "expired two days ago", Mx("mx", cert="expired")),
    _broken("mx-future", "cert-not-yet-valid", "valid from the day after tomorrow", Mx("mx", cert="not-yet-valid")),
    _broken("mx-wrong-name", "cert-name-mismatch", "for another name", Mx("mx", cert="wrong-name")),
    _broken("mx-domain-name", "cert-name-mismatch", "names the mail domain and not the host",
            Mx("mx", names=["mx-domain-name.test"])),
    _broken("mx-other-root", "cert-untrusted", "of a root that nobody trusts", Mx("mx", cert="other-root")),
    _broken("mx-no-chain", "cert-chain-incomplete", "the intermediate is not sent", Mx("mx", cert="no-intermediate")),
    _broken("mx-self-signed", "cert-self-signed", "self-signed", Mx("mx", cert="self-signed")),
    _warned("mx-soon", "cert-expires-soon", "expires in three days", Mx("mx", cert="expires-soon")),
    _broken("mx-cn-only", "cert-cn-only", "the name stands in the common name alone", Mx("mx", cert="cn-only")),
    _warned("mx-sni", "requires-sni", "an alert where the client names no server", Mx("mx", ["requires-sni"])),
    _broken("mx-disagree", "addresses-disagree", "one of two addresses does not offer STARTTLS",
            Mx("mx", ["good", "no-starttls"])),
    S("mx-testing.test", {"mx.cert-expired"}, "broken", 1, "a fault is an error in testing too", mode="testing",
      max_age=1209600, mx=[Mx("mx", cert="expired")]),
    S("mx-retired.test", {"policy.mode-none", "mx.cert-expired"}, "retiring", 0,
      "the same fault weighs less in mode none", mode="none", max_age=86400, policy_mx=[], mx=[Mx("mx", cert="expired")]),
    S("mx-untestable.test", {"mx.untestable"}, "unverified", 3, "no connection to port 25 leaves this place",
      mx=[Mx("mx", [], addresses=[_UNROUTED])], args=["--smtp-control", "mx.mx-untestable.test"],
      expect={"ready_to_enforce": None}),
    _untested("mx-unrouted", "no way to this host, but others are reached", Mx("mx", [], addresses=[_UNROUTED])),
]
