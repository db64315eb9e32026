# SPDX-License-Identifier: Apache-2.0
"""Those who judge: senders of mail to a domain under change. One kind is written here, from RFC 8461 on its own: it keeps
each policy until it expires and never looks at the id again; a new one begins at every beat, so that whoever could fetch
a policy at any time is among them. The other is a real Postfix that asks `mailtight serve` for policies."""

from __future__ import annotations

import re
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from outgoing.daemon import Passing
from publish.dns_side import Names
from publish.publisher import fetch
from sending import net
from sending.mail_servers import Postfix


@dataclass(frozen=True)
class Policy:
    mode: str
    patterns: tuple[str, ...]
    max_age: int

    @staticmethod
    def parse(text: str) -> "Policy | None":
        rows = [row.split(":", 1) for row in re.split(r"\r?\n", text) if ":" in row]
        fields = {name.strip(): value.strip() for name, value in rows if name.strip() != "mx"}
        if fields.get("version") != "STSv1" or "max_age" not in fields:
            return None
        return Policy(fields.get("mode", ""), tuple(v.strip().lower() for n, v in rows if n.strip() == "mx"), int(fields["max_age"]))

    def admits(self, host: str) -> bool:
        return any(host == p or (p.startswith("*.") and host.split(".", 1)[-1] == p[2:]) for p in self.patterns)


@dataclass
class Sender:
    policy: Policy
    since: float  # policy time of the fetch


class Strict:
    """All senders of the first kind to one domain. `now` is policy time; `turn` is held while it jumps."""

    def __init__(self, domain: str, names: Names, trust: Path, now, turn: threading.Lock, beat: float = 0.3):
        self.domain, self.names, self.trust, self.now, self.turn, self.beat = domain, names, trust, now, turn, beat
        self.senders: list[Sender] = []
        self.tried = self.enforced = 0
        self.deferred: list[str] = []
        self.modes: list[str] = []
        self.hosts: dict[str, tuple[float, bool]] = {}
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> "Strict":
        self.thread.start()
        return self

    def stop(self) -> None:
        self.ending.set()
        self.thread.join()

    def _run(self) -> None:
        while not self.ending.wait(self.beat):
            with self.turn:
                self.look()

    def look(self) -> None:
        """One more sender, and a mail from each."""
        now = self.now()
        self.senders = [s for s in self.senders if s.since + s.policy.max_age > now]
        if (policy := self._fetched()) is not None:
            if not any(s.policy == policy and now - s.since < 1800 for s in self.senders):
                self.senders.append(Sender(policy, now))
            if self.modes[-1:] != [policy.mode]:
                self.modes.append(policy.mode)
        hosts = [row.split()[1].rstrip(".").lower() for row in self._asked(self.domain, "MX")]
        if not hosts:
            return
        self.tried += 1
        for sender in self.senders:
            if sender.policy.mode != "enforce":
                continue
            self.enforced += 1
            if not any(sender.policy.admits(host) and self._passes(host) for host in hosts):
                self.deferred.append(f"a policy of {(now - sender.since) / 3600:.1f} h ago (max_age {sender.policy.max_age}) admits "
                                     f"{sender.policy.patterns}, MX is {hosts}")

    def _asked(self, name: str, kind: str) -> list[str]:
        try:
            return self.names.look_up(name, kind)
        except Exception:  # noqa: BLE001 - as a sender without an answer
            return []

    def _fetched(self) -> Policy | None:
        if not any(text.startswith("v=STSv1") for text in self._asked(f"_mta-sts.{self.domain}", "TXT")):
            return None
        for address in self._asked(f"mta-sts.{self.domain}", "A"):
            try:
                status, fields, body = fetch(f"mta-sts.{self.domain}", address, self.trust, space="out")
                if status == 200 and fields.get("content-type", "").startswith("text/plain"):
                    return Policy.parse(body.decode())
            except (OSError, ValueError):
                continue
        return None

    def _passes(self, host: str) -> bool:
        """STARTTLS with a certificate for this name; looked at anew every few seconds."""
        at, passed = self.hosts.get(host, (0.0, False))
        if time.monotonic() - at > 3:
            passed = any(self._session(host, address) for address in self._asked(host, "A"))
            self.hosts[host] = time.monotonic(), passed
        return passed

    def _session(self, host: str, address: str) -> bool:
        try:
            with net.entered("out"):
                plain = socket.create_connection((address, 25), timeout=5)
            with plain:
                stream = plain.makefile("rb")

                def say(words: bytes) -> bytes:
                    plain.sendall(words)
                    while (row := stream.readline())[3:4] == b"-":
                        pass
                    return row
                say(b"")
                say(b"EHLO strict.sender.test\r\n")
                if not say(b"STARTTLS\r\n").startswith(b"220"):
                    return False
                with ssl.create_default_context(cafile=str(self.trust)).wrap_socket(plain, server_hostname=host) as inner:
                    inner.sendall(b"QUIT\r\n")
                    return True
        except OSError:
            return False


class Conforming:
    """A Postfix that sends a mail every so often, and asks the policy service, which looks at the id."""

    def __init__(self, binary: Path, build: Path, folder: Path, domain: str, trust: Path, instance: str, address: str = net.OUT_IP):
        self.domain = domain
        self.postfix = Postfix(instance, "out", "sender.test", address)
        self.service = Passing(binary, build, folder, [self.postfix.policy_socket])
        self.service.text = self.service.text.replace(f"{build}/ca.pem", str(trust))
        self.sent: list[str] = []
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> "Conforming":
        self.postfix.prepare()
        self.service.start()
        self.postfix.start()
        self.thread.start()
        return self

    def _run(self) -> None:
        while not self.ending.wait(1.0):
            to = f"m{len(self.sent)}@{self.domain}"
            self.postfix.send(to)
            self.sent.append(to)

    def end(self, limit: float = 30.0) -> tuple[list[str], list[str]]:
        """No more mail: who it was refused to for good, and what still waits."""
        self.ending.set()
        self.thread.join()
        end = time.monotonic() + limit
        while self.postfix.queue() and time.monotonic() < end:
            time.sleep(0.3)
        return self.postfix.bounced(), sorted(self.postfix.queue())

    def delivered(self) -> set[str]:
        return set(re.findall(r"to=<([^>]*)>.*status=sent", self.postfix.said()))

    def deferrals(self) -> list[str]:
        return re.findall(r"to=<[^>]*>.*status=deferred.*", self.postfix.said())

    def stop(self) -> None:
        self.ending.set()
        self.postfix.stop()
        self.service.stop()


def receiving(name: str, domain: str, address: str, chain: Path, key: Path) -> Postfix:
    """A Postfix that takes mail for this domain under this name, running."""
    net.command(*net.inside("far", "ip", "addr", "add", f"{address}/32", "dev", "lo"))
    made = Postfix(name.replace(".", "-"), "far", name, address)
    made.prepare([f"inet_interfaces = {address}", f"relay_domains = {domain}", f"transport_maps = inline:{{ {{ {domain} = discard: }} }}",
                  f"smtpd_tls_chain_files = {key}, {chain}", "smtpd_tls_security_level = may", "smtpd_peername_lookup = no"])
    made.start()
    return made
