# SPDX-License-Identifier: Apache-2.0
"""Reporters of the lab: they write TLS reports as senders do, put them into mails and sign these with DKIM.

The signer is written from RFC 6376 on its own (relaxed/relaxed), so that it proves the program's verifier instead of
repeating it. Keys are kept from run to run beside the authority's.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import time
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

REPORTERS = ["reporter-one.test", "reporter-two.test", "reporter-three.test"]
STRANGER = "stranger.test"  # signs too, but nobody reports from there
SELECTOR_RSA, SELECTOR_ED = "rsa1", "ed1"
SIGNED = ["from", "to", "subject", "date", "message-id", "mime-version", "content-type", "tls-report-domain",
          "tls-report-submitter"]
DAY = 86400


class Keys:
    """One RSA and one Ed25519 key for all reporters, kept in `folder`."""

    def __init__(self, folder: Path):
        folder.mkdir(parents=True, exist_ok=True)
        self.rsa = self._kept(folder / "dkim-rsa.key", lambda: rsa.generate_private_key(65537, 2048))
        self.ed = self._kept(folder / "dkim-ed.key", ed25519.Ed25519PrivateKey.generate)

    @staticmethod
    def _kept(path: Path, make):
        if path.exists():
            return serialization.load_pem_private_key(path.read_bytes(), None)
        key = make()
        path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                           serialization.NoEncryption()))
        return key

    def records(self) -> dict[str, bytes]:
        """Selector -> TXT value."""
        public = self.rsa.public_key().public_bytes(serialization.Encoding.DER,
                                                    serialization.PublicFormat.SubjectPublicKeyInfo)
        raw = self.ed.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return {SELECTOR_RSA: b"v=DKIM1; k=rsa; p=" + base64.b64encode(public),
                SELECTOR_ED: b"v=DKIM1; k=ed25519; p=" + base64.b64encode(raw)}


def day_start(days_ago: int) -> int:
    return int(time.time()) // DAY * DAY - days_ago * DAY


def utc(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def policy(domain: str, success: int, failures: list[dict] = (), kind: str = "sts", mode: str = "enforce",
           mx: list[str] | None = None, total_failure: int | None = None) -> dict:
    """One entry of `policies`."""
    hosts = mx or ["mx1.hosting.test", "mx2.hosting.test"]
    entry: dict = {"policy": {"policy-type": kind, "policy-domain": domain},
                   "summary": {"total-successful-session-count": success,
                               "total-failure-session-count": sum(f["failed-session-count"] for f in failures)
                               if total_failure is None else total_failure}}
    if kind == "sts":
        entry["policy"]["policy-string"] = ["version: STSv1", f"mode: {mode}", *(f"mx: {h}" for h in hosts),
                                            "max_age: 604800"]
        entry["policy"]["mx-host"] = hosts
    elif kind == "tlsa":
        entry["policy"]["policy-string"] = ["3 1 1 " + "AB" * 32]
    if failures:
        entry["failure-details"] = list(failures)
    return entry


def failure(kind: str, count: int, mx: str = "mx1.hosting.test", reason: str = "") -> dict:
    detail = {"result-type": kind, "failed-session-count": count, "sending-mta-ip": "198.51.100.7",
              "receiving-mx-hostname": mx, "receiving-ip": "203.0.113.25"}
    return {**detail, "failure-reason-code": reason} if reason else detail


@dataclass
class Report:
    reporter: str
    domain: str
    days_ago: int
    policies: list[dict]
    tag: str = ""

    @property
    def identity(self) -> str:
        return f"{time.strftime('%Y%m%d', time.gmtime(day_start(self.days_ago)))}{self.tag}.{self.domain}"

    def json(self) -> bytes:
        begin = day_start(self.days_ago)
        return json.dumps({"organization-name": self.reporter.split(".")[0].replace("-", " ").title(),
                           "date-range": {"start-datetime": utc(begin), "end-datetime": utc(begin + DAY - 1)},
                           "contact-info": f"tls-reports@{self.reporter}", "report-id": self.identity,
                           "policies": self.policies}).encode()

    def gzip(self) -> bytes:
        return gzip.compress(self.json(), mtime=0)

    def mail(self, to: str) -> bytes:
        """The unsigned mail, CRLF line ends."""
        begin = day_start(self.days_ago)
        name = f"{self.reporter}!{self.domain}!{begin}!{begin + DAY - 1}!{self.tag or '1'}.json.gz"
        body = base64.b64encode(self.gzip()).decode()
        lines = "\r\n".join(body[at:at + 76] for at in range(0, len(body), 76))
        return (f"From: TLS reports <tls-reports@{self.reporter}>\r\nTo: <{to}>\r\n"
                f"Date: {time.strftime('%a, %d %b %Y %H:%M:%S +0000', time.gmtime())}\r\n"
                f"Subject: Report Domain: {self.domain} Submitter: {self.reporter}\r\n"
                f" Report-ID: <{self.identity}@{self.reporter}>\r\n"
                f"Message-ID: <{self.identity}.{len(body)}@{self.reporter}>\r\n"
                f"TLS-Report-Domain: {self.domain}\r\nTLS-Report-Submitter: {self.reporter}\r\n"
                "MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=\"tlsrpt\";\r\n\tboundary=\"=_b\"\r\n"
                "\r\n--=_b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
                f"This is an aggregate TLS report from {self.reporter}.\r\n\r\n--=_b\r\n"
                "Content-Type: application/tlsrpt+gzip\r\nContent-Transfer-Encoding: base64\r\n"
                f"Content-Disposition: attachment;\r\n\tfilename=\"{name}\"\r\n\r\n{lines}\r\n--=_b--\r\n").encode()

    def signed(self, to: str, keys: Keys, by: str | None = None, algorithm: str = "rsa", length: bool = False) -> bytes:
        return sign(self.mail(to), keys, by or self.reporter, algorithm, length)


def _relaxed_header(name: str, value: str) -> bytes:
    flat = re.sub(r"[ \t]+", " ", value.replace("\r\n", "")).strip()
    return f"{name.lower()}:{flat}".encode()


def _relaxed_body(body: bytes) -> bytes:
    lines = [re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
    while lines and lines[-1] == b"":
        lines.pop()
    return b"".join(line + b"\r\n" for line in lines)


def sign(mail: bytes, keys: Keys, domain: str, algorithm: str = "rsa", length: bool = False) -> bytes:
    """The mail with a DKIM-Signature field in front (RFC 6376 relaxed/relaxed, RFC 8463)."""
    head, body = mail.split(b"\r\n\r\n", 1)
    fields = [(f.split(":", 1)[0], f.split(":", 1)[1]) for f in re.split(r"\r\n(?![ \t])", head.decode())]
    canonical = _relaxed_body(body)
    selector = SELECTOR_RSA if algorithm == "rsa" else SELECTOR_ED
    value = (f" v=1; a={'rsa-sha256' if algorithm == 'rsa' else 'ed25519-sha256'}; c=relaxed/relaxed; d={domain};\r\n"
             f" s={selector}; t={int(time.time())}; h={':'.join(SIGNED)};"
             + (f" l={len(canonical)};" if length else "")
             + f"\r\n bh={base64.b64encode(hashlib.sha256(canonical).digest()).decode()};\r\n b=")
    chosen = [next((n, v) for n, v in fields if n.lower() == wanted) for wanted in SIGNED]
    text = b"\r\n".join([*(_relaxed_header(n, v) for n, v in chosen), _relaxed_header("DKIM-Signature", value)])
    if algorithm == "rsa":
        raw = keys.rsa.sign(text, padding.PKCS1v15(), hashes.SHA256())
    else:
        raw = keys.ed.sign(hashlib.sha256(text).digest())
    signature = base64.b64encode(raw).decode()
    folded = "\r\n ".join(signature[at:at + 70] for at in range(0, len(signature), 70))
    return f"DKIM-Signature:{value}{folded}\r\n".encode() + mail
