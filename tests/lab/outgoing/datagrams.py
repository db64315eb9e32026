# SPDX-License-Identifier: Apache-2.0
"""Delivery results as Postfix 3.10 and later send them with libtlsrpt: one JSON object a datagram, no answer."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path

from outgoing.places import Condition, domain

POLICY_CODES = {"tlsa": 1, "sts": 2, "no-policy-found": 9}
RESULT_CODES = {"starttls-not-supported": 201, "certificate-host-mismatch": 202, "certificate-not-trusted": 203,
                "certificate-expired": 204, "validation-failure": 205, "sts-policy-fetch-error": 301, "sts-policy-invalid": 302,
                "sts-webpki-invalid": 303, "tlsa-invalid": 304, "dnssec-invalid": 305, "dane-required": 306}


def session(name: str, policy: str = "no-policy-found", result: str = "", mx: str = "", address: str = "10.64.26.1", strings: list[str] = (),
            patterns: list[str] = (), base: str = "", reason: str = "", failed: bool = True) -> dict:
    """A session to this domain."""
    entry: dict = {"policy-type": POLICY_CODES[policy], "policy-domain": base or name}
    if strings:
        entry["policy-string"] = list(strings)
    if patterns:
        entry["mx-host"] = list(patterns)
    details = []
    if result:
        details.append({"c": RESULT_CODES[result], "s": "10.64.1.2", "n": mx or f"mx.{name}", "h": f"250-mx.{name}\r\n250 8BITMIME", "r": address,
                        **({"f": reason} if reason else {})})
    entry |= {"failure-details": details, "t": len(details), "f": int(bool(result) and failed)}
    return {"dpv": "1", "d": name, "pr": f"v=TLSRPTv1; rua=mailto:tls@{name}", "policies": [entry]}


def of_condition(condition: Condition, source: str = "datagram", address: str = "10.64.26.1") -> dict:
    """What Postfix can know of a session there: of a policy in testing, or one that cannot be had, nothing."""
    name = domain(condition.place.kind, source)
    if not condition.told:
        return session(name)
    if condition.policy == "sts":
        host = condition.place.policy_mx or ["mx"]
        patterns = [f"{label}.{name}" for label in host]
        strings = ["version: STSv1", "mode: enforce", *(f"mx: {p}" for p in patterns), "max_age: 604800"]
        return session(name, "sts", condition.result, address=address, strings=strings, patterns=patterns)
    if condition.policy == "tlsa":
        value = condition.place.hosts[0].tlsa
        return session(name, "tlsa", condition.result, address=address, strings=[value] if value and "KEY" not in value else [], base=f"mx.{name}", failed=condition.failed)
    return session(name, condition.policy, condition.result, address=address)


def packed(document: dict) -> bytes:
    """As libtlsrpt writes it: control bytes escaped, everything above 0x7f as it is."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogateescape")


class Sender:
    """`wait`: seconds to go on trying while the queue is full; Postfix does not try again."""

    def __init__(self, path: Path):
        self.path, self.sent, self.lost = path, 0, 0
        self.socket: socket.socket | None = None

    def send(self, document: dict | bytes, times: int = 1, wait: float = 10.0) -> None:
        data = document if isinstance(document, bytes) else packed(document)
        for _ in range(times):
            self._one(data, time.monotonic() + wait)

    def _one(self, data: bytes, end: float) -> None:
        while True:
            try:
                if self.socket is None:
                    self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                    self.socket.setblocking(False)
                    self.socket.connect(str(self.path))
                self.socket.send(data)
                self.sent += 1
                return
            except OSError as problem:  # full, or nobody is there
                if not isinstance(problem, BlockingIOError):
                    self.close()
                if time.monotonic() > end:
                    self.lost += 1
                    return
                time.sleep(0.0005)

    def close(self) -> None:
        if self.socket is not None:
            self.socket.close()
            self.socket = None
