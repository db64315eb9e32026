# SPDX-License-Identifier: Apache-2.0
"""`serve` as the one who publishes: policies, certificates, records; at an address of its own, in the lab's build, so
that days pass when they are told to."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
from pathlib import Path

from outgoing.daemon import Passing
from publish.dns_side import KEY, PRIMARY, Names
from publish.pebble import DIRECTORY, Pebble
from sending import net

WELL_KNOWN = "/.well-known/mta-sts.txt"


class Publisher(Passing):
    """`zones` of ours that it may write by dynamic update. `more`: sections, and lines of those that are there. `hosts`: whether
    it serves policies at all."""

    def __init__(self, binary: Path, folder: Path, address: str, names: Names, pebble: Pebble, *, store: str = "", more: str = "",
                 publish: str = "", certificates: str | None = None, updates: str | None = None, watch: str = "", key_file: Path | None = None, web: str = "listen = []", hosts: bool = True):
        super().__init__(binary, folder, folder, space="far", store=store)
        self.address, self.names = address, names
        self.ahead = 0
        key = folder / "update.key"
        key.write_text(f"{KEY}:hmac-sha256:{names.secret}\n")
        key.chmod(0o600)
        servers = json.dumps([f"{kind} {server}:53 key={key}" for kind, server in PRIMARY.items()])
        acme = f'directory = "{DIRECTORY}"\ncontact = ["postmaster@test"]\nagree-to-terms = true'
        self.text = f"""
[dns]
servers = ["127.0.0.53"]
[network]
ca-file = "{pebble.trust}"
allow-net = ["10.64.0.0/16", "127.0.0.0/8"]
connect-timeout = "3s"
[store]
where = "{self.store}"
[web]
{web}

[serve]
control-socket = "{self.control}"
[publish]
{f'listen = ["{address}:443"]' if hosts else ''}
{f'http-listen = ["{address}:80"]' if hosts else ''}
policy-host = "{address}"
{f'key-file = "{key_file}"' if key_file else ''}
{publish}
[certificates]
{acme if certificates is None else certificates}
[dns-update]
{f'servers = {servers}' if updates is None else updates}
[watch]
{watch}
{more}
"""

    def start(self, limit: float = 60.0) -> float:
        took = super().start(limit)
        if self.ahead:  # a process that begins knows nothing of the days that passed
            super().pass_time(self.ahead)
        return took

    def greet(self) -> None:
        with net.entered("far"):
            socket.create_connection((self.address, 443), timeout=1).close()
        if self.control_request("GET", "/status")[0] != 200:
            raise OSError("no status")

    def pass_days(self, days: float) -> None:
        """So many more days go by."""
        self.ahead += int(days * 86400)
        self.pass_time(self.ahead)

    def say(self, *words: str) -> str:
        """A command that must succeed; what it prints."""
        done = self.command(*words)
        if done.returncode != 0 and "is being worked on" not in done.stderr:  # what is wanted is kept; the daemon is at it
            raise RuntimeError(f"{' '.join(words)}: status {done.returncode}: {(done.stdout + done.stderr)[-800:]}")
        return done.stdout

    def plan(self, domain: str, *more: str) -> dict:
        return self.rows("plan", domain, *more)[0]

    def pending(self, domain: str) -> list[tuple[str, str]]:
        """The steps of its plan that are not done: kind and state."""
        return [(step["kind"], step["state"]) for step in self.plan(domain)["steps"] if step["state"] != "done"]

    def deliver(self, recipient: str, text: bytes, port: int = 24) -> None:
        """A mail from the mail server beside it, by LMTP."""
        with net.entered("far"):
            connection = socket.create_connection((self.address, port), timeout=20)
        with connection:
            lines = connection.makefile("rb")
            for words, wanted in ((b"", b"220"), (b"LHLO mx.far.test\r\n", b"250"), (b"MAIL FROM:<tls-reports@reporter-one.test>\r\n", b"250"),
                                  (f"RCPT TO:<{recipient}>\r\n".encode(), b"250"), (b"DATA\r\n", b"354"),
                                  (text.replace(b"\r\n.", b"\r\n..") + b".\r\n", b"250"), (b"QUIT\r\n", b"221")):
                connection.sendall(words)
                while (line := lines.readline())[3:4] == b"-":
                    pass
                if not line.startswith(wanted):
                    raise OSError(f"{words[:40]!r}: {line!r}")

    # --- asked as senders do ---------------------------------------------------------------------------------

    def fetch(self, domain: str, trust: Path | None, *, address: str = "", host: str | None = None, method: str = "GET",
              path: str = WELL_KNOWN) -> tuple[int, dict[str, str], bytes]:
        return fetch(f"mta-sts.{domain}", address or self.address, trust, host=host, method=method, path=path)

    def certificate(self, domain: str) -> bytes | None:
        """The leaf in DER that is served for it; nothing where the handshake is refused."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            with net.entered("far"):
                plain = socket.create_connection((self.address, 443), timeout=5)
            with plain, context.wrap_socket(plain, server_hostname=f"mta-sts.{domain}") as made:
                return made.getpeercert(True)
        except OSError:
            return None


def fetch(name: str, address: str, trust: Path | None, *, host: str | None = None, method: str = "GET", path: str = WELL_KNOWN,
          space: str = "far") -> tuple[int, dict[str, str], bytes]:
    """Status, fields in lower case, and body. Raises OSError where it does not come to an answer. `trust` None: no matter
    whose certificate."""
    context = ssl.create_default_context(cafile=str(trust)) if trust else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if trust is None:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with net.entered(space):
        plain = socket.create_connection((address, 443), timeout=5)
    with plain, context.wrap_socket(plain, server_hostname=name) as made:
        made.sendall(f"{method} {path} HTTP/1.1\r\nHost: {name if host is None else host}\r\nConnection: close\r\n"
                     "User-Agent: Lab/1\r\n\r\n".encode())
        text = b""
        while part := made.recv(65536):
            text += part
    head, _, body = text.partition(b"\r\n\r\n")
    first, *rows = head.decode("latin-1").split("\r\n")
    fields = {row.split(":", 1)[0].lower(): row.split(":", 1)[1].strip() for row in rows}
    if method != "HEAD" and int(fields.get("content-length", len(body))) != len(body):
        raise OSError("the body is cut short")
    return int(first.split()[1]), fields, body


def run_inside(*words: str, limit: float = 120.0) -> subprocess.CompletedProcess:
    return subprocess.run(net.inside("far", *words), capture_output=True, text=True, timeout=limit, check=False, stdin=subprocess.DEVNULL)
