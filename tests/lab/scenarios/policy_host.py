# SPDX-License-Identifier: Apache-2.0
"""Faults of the policy host: addresses, TLS, certificates, HTTP."""

from table import Rec, Scenario as S, Web


def _broken(name: str, code: str, why: str, *web: Web, **more) -> S:
    return S(f"{name}.test", {f"policy-host.{code}"}, "broken", 1, why, web=list(web), **more)


def _warned(name: str, code: str, why: str, *web: Web, **more) -> S:
    return S(f"{name}.test", {f"policy-host.{code}"}, "protected", 0, why, web=list(web), **more)


_SMALL = b"version: STSv1\r\nmode: testing\r\nmx: mx1.hosting.test\r\nmx: mx2.hosting.test\r\nmax_age: 1209600\r\n"

SCENARIOS = [
    _broken("host-no-address", "no-address", "mta-sts has no address at all"),
    _broken("host-closed", "unreachable", "port 443 is closed", Web("closed")),
    _broken("host-not-tls", "unreachable", "something else than TLS on port 443", Web("not-tls")),
    _broken("host-mute", "slow", "the connection is accepted, the handshake never answered",
            Web("no-handshake")),
    _broken("host-silent", "slow", "TLS, then no answer to the request", Web("silent")),
    _warned("host-v6-dead", "ipv6-unreachable", "IPv4 answers, IPv6 does not", Web(), Web("closed", v6=True)),
    S("host-v6.test", set(), "protected", 0, "both families answer", web=[Web(), Web(v6=True)]),
    _broken("host-tls10", "tls-too-old", "TLS 1.0 only", Web("tls1.0")),
    _broken("host-tls11", "tls-too-old", "TLS 1.1 only", Web("tls1.1")),
    _broken("host-expired", "cert-expired", "expired two days ago", Web(cert="expired")),
    _broken("host-future", "cert-not-yet-valid", "valid from the day after tomorrow", Web(cert="not-yet-valid")),
    _broken("host-wrong-name", "cert-name-mismatch", "for another name", Web(cert="wrong-name")),
    _broken("host-cn-only", "cert-name-mismatch", "the name stands in the common name alone", Web(cert="cn-only")),
    _broken("host-other-root", "cert-untrusted", "of a root that nobody trusts", Web(cert="other-root")),
    _broken("host-no-chain", "cert-chain-incomplete", "the intermediate is not sent", Web(cert="no-intermediate")),
    _broken("host-self-signed", "cert-self-signed", "self-signed", Web(cert="self-signed")),
    _warned("host-soon", "cert-expires-soon", "expires in three days", Web(cert="expires-soon")),
    _broken("host-redirect", "redirect", "to the web site", Web("redirect")),
    _broken("host-404", "http-status", "no such file", Web("status", options={"status": "404 Not Found"})),
    _broken("host-403", "http-status", "forbidden", Web("status", options={"status": "403 Forbidden"})),
    _broken("host-500", "http-status", "server error", Web("status", options={"status": "500 Oops"})),
    _broken("host-html", "content-type", "the policy as text/html", Web("content-type")),
    S("host-charset.test", set(), "protected", 0, "text/plain with a charset is text/plain",
      web=[Web("content-type", options={"type": "text/plain; charset=utf-8"})]),
    _broken("host-too-large", "too-large", "65,537 bytes", Web("too-large")),
    _warned("host-slow", "slow", "answers after three seconds", Web("slow")),
    _broken("host-disagree", "addresses-disagree", "two addresses, two policies", Web("good"),
            Web("good", body=_SMALL)),
    _broken("host-disagree-cert", "addresses-disagree", "one of two addresses has an expired certificate",
            Web("good"), Web("good", cert="expired")),
    _warned("host-half-dead", "unreachable", "one of two addresses is dead", Web("good"), Web("closed")),
    _broken("host-agent", "agent-dependent", "only one User-Agent gets the file", Web("per-agent")),
    _broken("host-blocked", "blocked-address", "a private address in public DNS",
            records=[Rec("mta-sts.host-blocked.test", "A", "10.20.30.40")]),
]
