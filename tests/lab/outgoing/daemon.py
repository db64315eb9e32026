# SPDX-License-Identifier: Apache-2.0
"""Both ends as `serve`: who counts and reports, and who gets reports. They run the lab's build of the program, in which a
day passes when it is told to."""

from __future__ import annotations

import datetime
import json
import socket
from pathlib import Path

from outgoing import places
from outgoing.datagrams import Sender
from sending import net
from sending.daemon import Daemon

CONTACT = "tls-reports@sender.test"
DAY = 86400
AFTER_SPREAD = 5 * 3600  # of the next day: every report of the day before is due


def today() -> datetime.date:
    return datetime.datetime.now(datetime.timezone.utc).date()


def until_due(days: int = 1) -> int:
    """Seconds until everything of today is due."""
    now = datetime.datetime.now(datetime.timezone.utc)
    end = datetime.datetime.combine(now.date() + datetime.timedelta(days), datetime.time(), datetime.timezone.utc)
    return int((end - now).total_seconds()) + AFTER_SPREAD


class Passing(Daemon):
    """A daemon whose days can be made to pass."""

    def pass_time(self, seconds: int) -> None:
        """So far ahead is it from now on, in all."""
        status, document = self.control_request("POST", "/lab/ahead", {"seconds": seconds})
        if status != 200 or not document["taken"]:
            raise RuntimeError(f"policy time: {status} {document}")

    def rows(self, *words: str) -> list[dict]:
        """The documents that a command prints; an exit status of 2 or more is an error."""
        done = self.command(*words, "--json")
        if done.returncode > 1:
            raise RuntimeError(f"{' '.join(words)}: status {done.returncode}: {done.stderr[-500:]}")
        return [json.loads(line) for line in done.stdout.splitlines() if line.strip()]


class Reporter(Passing):
    """Counts and reports. `log` is Postfix's; `route` how mails leave; `deliver` more of that section."""

    def __init__(self, binary: Path, build: Path, folder: Path, keys: Path, *, sockets: list[Path] = (), log: Path | None = None,
                 route: str = "", deliver: str = "", collect: str = "", resolve: str = "", store: str = "", more: str = "", space: str = "out",
                 contact: str = CONTACT):
        super().__init__(binary, build, folder, sockets, store, resolve, space)
        self.datagrams, self.events = folder / "tlsrpt.sock", folder / "events.sock"
        self.text += f"""
[collect]
datagram-listen = ["{self.datagrams}"]
lines-listen = ["unix:{self.events},mode=0666"]
{f'postfix-log = ["file:{log}"]' if log else ''}
{collect}
[deliver]
organization = "Sender of the lab"
contact = "{contact}"
dkim-folder = "{keys}"
{deliver}
[mail]
{route or 'route = "direct"'}
{more}
"""

    def teller(self) -> Sender:
        return Sender(self.datagrams)

    def outbox(self, **which: str) -> list[dict]:
        """Its reports, newest first."""
        status, document = self.api("GET", "/outbox?" + "&".join(["limit=1000", *(f"{k}={v}" for k, v in which.items())]))
        if status != 200:
            raise RuntimeError(f"outbox: {status} {document}")
        return document["reports"]

    def deliveries(self, domain: str) -> dict[str, dict]:
        """Address -> delivery, of this domain's reports."""
        return {each["to"]: each for report in self.outbox(domain=domain) for each in report["deliveries"]}

    def send_day(self, day: datetime.date | None = None) -> dict:
        """Makes and tries everything owed for a day, without waiting for its time: what became of it."""
        status, document = self.api("POST", f"/days/{day or today()}/send")
        if status != 200:
            raise RuntimeError(f"send {day}: {status} {document}")
        return document

    def settled(self) -> bool:
        """Every report that is filed has reached an end with each address."""
        return all(each["state"] != "waiting" for report in self.outbox() for each in report["deliveries"])

    def counted(self) -> dict:
        """What it says of itself about collecting."""
        return self.control_request("GET", "/status")[1]["collect"]


class Receiver(Passing):
    """Gets reports by SMTP as the MX of its domain, by LMTP from a mail server beside it, and by HTTPS."""
    address, lmtp_port = "10.64.80.10", 24

    def __init__(self, binary: Path, build: Path, folder: Path, domains: list[str], name: str = places.REPORTS,
                 mailboxes: list[str] = (), address: str = "10.64.80.10", more: str = ""):
        super().__init__(binary, build, folder, space="far")
        self.address, self.name = address, name
        listed, boxes = json.dumps(domains), json.dumps([f"tls-reports@{name}", *mailboxes])
        self.text = f"""
[dns]
servers = ["127.0.0.53"]
[network]
ca-file = "{build}/ca.pem"
allow-net = ["10.64.0.0/16", "127.0.0.0/8"]
[store]
where = "{self.store}"
[reports]
domains = {listed}
mailboxes = {boxes}
url = "https://in.{name}"
[web]
listen = []

[serve]
control-socket = "{self.control}"
tls-certificates = ["{folder}/chain.pem {folder}/leaf.key"]
[lmtp]
listen = ["{address}:{self.lmtp_port}"]
[smtp]
listen = ["{address}:25"]
hostname = "mx.{name}"
[https]
listen = ["{address}:443"]
{more}
"""
        self.config.write_text(self.text)

    def endpoint(self, domain: str) -> str:
        """The https address to put into this domain's record."""
        return next(a for a in self.rows("report", "address", domain)[0]["rua"] if a.startswith("https:"))

    def certificate(self, chain: Path, key: Path) -> None:
        (self.folder / "chain.pem").write_bytes(chain.read_bytes())
        (self.folder / "leaf.key").write_bytes(key.read_bytes())

    def greet(self) -> None:
        with net.entered("far"):
            for port in (self.lmtp_port, 25, 443):
                socket.create_connection((self.address, port), timeout=1).close()

    def hand_on(self, recipient: str, text: bytes) -> None:
        """As a mail server beside it does: LMTP."""
        with net.entered("far"):
            connection = socket.create_connection((self.address, self.lmtp_port), timeout=20)
        with connection:
            lines = connection.makefile("rb")

            def say(words: bytes, wanted: bytes) -> None:
                connection.sendall(words)
                while True:
                    line = lines.readline()
                    if line[3:4] != b"-":
                        break
                if not line.startswith(wanted):
                    raise OSError(f"{words[:40]!r}: {line!r}")
            say(b"", b"220")
            say(b"LHLO mx.far.test\r\n", b"250")
            say(f"MAIL FROM:<{CONTACT}>\r\n".encode(), b"250")
            say(f"RCPT TO:<{recipient}>\r\n".encode(), b"250")
            say(b"DATA\r\n", b"354")
            say(text + b".\r\n", b"250")
            say(b"QUIT\r\n", b"221")

    def totals(self) -> dict[str, dict[str, tuple[int, int]]]:
        """Domain -> policy type -> sessions that succeeded and failed, as `report summary` says."""
        found: dict[str, dict[str, tuple[int, int]]] = {}
        for row in self.rows("report", "summary", "--by", "day", "--from", str(today()), "--to", str(today() + datetime.timedelta(9))):
            here = found.setdefault(row["domain"], {})
            for kind, word in (("sts", "sts"), ("tlsa", "tlsa"), ("none", "no-policy-found")):
                success, failure = row[f"{kind}_success"], row[f"{kind}_failure"]
                if success or failure:
                    before = here.get(word, (0, 0))
                    here[word] = before[0] + success, before[1] + failure
        return found

    def results(self, domain: str) -> dict[str, int]:
        """Result type -> count."""
        return {row["result_type"]: row["count"] for row in self.rows("report", "summary", "--by", "result", "--domain", domain, "--from", str(today()),
                                                                       "--to", str(today() + datetime.timedelta(9)))}
