# SPDX-License-Identifier: Apache-2.0
"""Killed (-9) at random moments under load through SMTP and HTTPS: every acknowledged report is there once."""

from __future__ import annotations

import random
import smtplib
import socket
import ssl
import threading
import time

import world
from reporters import Report, policy, sign
from reports import senders
from reports.case import Shop, case
from reports.cases_ways_in import MAILBOX, token_of, totals
from reports.daemon import HTTPS, LMTP

OURS = "healthy.test"


class Load:
    """Sends numbered reports until told to stop, each again until it is acknowledged, as a sender does."""

    def __init__(self, shop: Shop, token: str, reports: int):
        self.shop, self.token, self.reports = shop, token, reports
        self.lock = threading.Lock()
        self.next, self.acknowledged, self.attempts = 0, set(), 0
        self.open = 0  # numbers below this one may be sent
        self.tls = senders.context(shop.build)

    def _take(self) -> int | None:
        """The next number; waits where the next kill is due before it."""
        while True:
            with self.lock:
                if self.next >= self.reports:
                    return None
                if self.next < self.open:
                    self.next += 1
                    return self.next - 1
            time.sleep(0.001)

    def by_lmtp(self) -> None:
        session = None
        while (number := self._take()) is not None:
            report = Report("reporter-one.test", OURS, 2, [policy(OURS, 1)], f"m{number}")
            mail = report.signed(MAILBOX, self.shop.keys, algorithm="ed25519")
            while True:
                self.attempts += 1
                try:
                    if session is None:
                        session = smtplib.LMTP(*LMTP, local_hostname="mx.reporter-one.test", timeout=20)
                    session.sendmail("tls-reports@reporter-one.test", [MAILBOX], mail)
                    break
                except (OSError, smtplib.SMTPException):
                    session = None
                    time.sleep(0.05)
            with self.lock:
                self.acknowledged.add(number)

    def by_https(self) -> None:
        connection = None
        while (number := self._take()) is not None:
            body = Report("poster.test", OURS, 2, [policy(OURS, 1)], f"p{number}").gzip()
            request = (f"POST /tlsrpt/{self.token} HTTP/1.1\r\nHost: in.{world.REPORTS}\r\n"
                       f"Content-Type: application/tlsrpt+gzip\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body
            while True:
                self.attempts += 1
                try:
                    if connection is None:
                        connection = self.tls.wrap_socket(socket.create_connection(HTTPS, timeout=20),
                                                          server_hostname=f"in.{world.REPORTS}")
                    connection.sendall(request)
                    if self._status(connection) in (200, 201):
                        break
                    raise OSError("not taken")
                except (OSError, ssl.SSLError, ValueError):
                    connection = None
                    time.sleep(0.05)
            with self.lock:
                self.acknowledged.add(number)

    @staticmethod
    def _status(connection) -> int:
        """Reads one whole reply."""
        data = b""
        while b"\r\n\r\n" not in data:
            more = connection.recv(65536)
            if not more:
                raise OSError("cut")
            data += more
        head, rest = data.split(b"\r\n\r\n", 1)
        length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
        while len(rest) < length:
            more = connection.recv(65536)
            if not more:
                raise OSError("cut")
            rest += more
        return int(head.split(b" ")[1])


@case("killed at random moments under load", ("sqlite", "postgres"), proves=["8460-5.4-e"])
def kills(shop: Shop) -> None:
    reports, deaths = (100_000, 50) if shop.full else (1_500, 5)
    seed = random.SystemRandom().randrange(1 << 30)
    chance = random.Random(seed)
    print(f"        {reports} reports, {deaths} kills, seed {seed}", flush=True)
    daemon = shop.daemon()
    load = Load(shop, token_of(daemon, OURS), reports)
    workers = [threading.Thread(target=load.by_lmtp, daemon=True) for _ in range(4)]
    workers += [threading.Thread(target=load.by_https, daemon=True) for _ in range(4)]
    for worker in workers:
        worker.start()
    died = 0
    for stage in range(1, deaths + 1):  # each death at a random moment of its share of the load
        load.open = reports * stage // (deaths + 1)
        due = chance.randrange(reports * (stage - 1) // (deaths + 1), load.open)
        while len(load.acknowledged) < due:
            time.sleep(0.0005)
        daemon.kill()
        died += 1
        daemon.start()
    load.open = reports
    for worker in workers:
        worker.join()
    shop.same("kills", died, deaths)
    shop.same("acknowledged", len(load.acknowledged), reports)
    shop.same("the totals: each acknowledged report once, none twice", totals(daemon), {OURS: (reports, 0)})
    print(f"        {load.attempts} attempts for {reports} reports", flush=True)
    shop.same("the exit status", daemon.stop(), 0)
