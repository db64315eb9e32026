# SPDX-License-Identifier: Apache-2.0
"""Faults of the TLS report record. They never make the verdict `broken`; an invalid record makes the status 1."""

from table import Rec, Scenario as S, Web


def _record(name: str, code: str, why: str, *texts: bytes, status: int = 1, **more) -> S:
    return S(f"tlsrpt-{name}.test", {f"tlsrpt.{code}"}, "protected", status, why, tlsrpt=list(texts), **more)


SCENARIOS = [
    _record("absent", "absent", "no record", status=0),
    _record("multiple", "multiple", "two records", b"v=TLSRPTv1; rua=mailto:a@healthy.test",
            b"v=TLSRPTv1; rua=mailto:b@healthy.test"),
    _record("syntax", "syntax", "a space in place of the comma",
            b"v=TLSRPTv1; rua=mailto:a@healthy.test mailto:b@healthy.test"),
    _record("no-rua", "rua-missing", "another field alone", b"v=TLSRPTv1; x-note=hello"),
    _record("scheme", "rua-scheme", "an http address", b"v=TLSRPTv1; rua=http://healthy.test/reports"),
    _record("bare", "rua-scheme", "a mail address without mailto:", b"v=TLSRPTv1; rua=tls@healthy.test"),
    _record("unescaped", "rua-unescaped", "a size limit as in DMARC", b"v=TLSRPTv1; rua=mailto:a@healthy.test!10m"),
    _record("many", "rua-many", "two addresses", b"v=TLSRPTv1; rua=mailto:a@healthy.test,mailto:b@healthy.test",
            status=0),
    _record("undeliverable", "rua-mail-undeliverable", "the address's domain takes no mail",
            b"v=TLSRPTv1; rua=mailto:a@no-mail.test"),
    _record("nowhere", "rua-mail-undeliverable", "the address's domain does not exist",
            b"v=TLSRPTv1; rua=mailto:a@does-not-exist.test"),
    S("tlsrpt-https.test", set(), "protected", 0, "an https address that answers",
      tlsrpt=[b"v=TLSRPTv1; rua=https://mta-sts.healthy.test/v1/reports"]),
    _record("https-dead", "rua-https-failed", "an https address where nothing listens",
            b"v=TLSRPTv1; rua=https://mta-sts.host-closed.test/v1/reports", status=0),
    _record("https-expired", "rua-https-failed", "an https address with an expired certificate",
            b"v=TLSRPTv1; rua=https://mta-sts.host-expired.test/v1/reports", status=0),
    S("tlsrpt-doubled.test", {"tlsrpt.doubled-name"}, "protected", 0,
      "entered as FQDN where the provider appends the domain", tlsrpt=[],
      records=[Rec("_smtp._tls.tlsrpt-doubled.test.tlsrpt-doubled.test", "TXT",
                   b"v=TLSRPTv1; rua=mailto:a@healthy.test")]),
]
