# SPDX-License-Identifier: Apache-2.0
"""How reports travel in the lab: SMTP with and without STARTTLS, LMTP, HTTPS by curl, IMAP APPEND."""

from __future__ import annotations

import imaplib
import smtplib
import ssl
import subprocess
from pathlib import Path

import mailbox_server
import world


def context(build: Path) -> ssl.SSLContext:
    made = ssl.create_default_context(cafile=str(build / "ca.pem"))
    made.check_hostname = False
    return made


def smtp(address: tuple[str, int], sender: str, to: str, mail: bytes, tls: ssl.SSLContext | None = None) -> None:
    """Raises smtplib.SMTPException where it is refused."""
    with smtplib.SMTP(*address, local_hostname="sender.reporter-one.test", timeout=60) as session:
        if tls is not None:
            session.starttls(context=tls)
        session.sendmail(sender, [to], mail)


def lmtp(address: tuple[str, int], sender: str, to: str, mail: bytes) -> None:
    with smtplib.LMTP(*address, local_hostname="mx.reporter-one.test", timeout=60) as session:
        session.sendmail(sender, [to], mail)


def post(build: Path, url: str, body: bytes, media: str, *more: str) -> int:
    """The status, or 0."""
    done = subprocess.run(
        ["curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "--max-time", "60", "--cacert",
         str(build / "ca.pem"), "--header", f"Content-Type: {media}", "--data-binary", "@-", *more, url],
        input=body, capture_output=True, check=False)
    return int(done.stdout or b"0")


class Mailbox:
    """One user's mailbox at Dovecot."""

    def __init__(self, build: Path, user: str = mailbox_server.USER, password: str = mailbox_server.PASSWORD):
        self.session = imaplib.IMAP4_SSL(world.DOVECOT_IP, 993, ssl_context=context(build))
        self.session.login(user, password)

    def empty(self) -> None:
        for folder in ("INBOX", "Done"):
            status, found = self.session.select(folder)
            if status == "OK" and found[0] != b"0":
                self.session.store("1:*", "+FLAGS", "\\Deleted")
                self.session.expunge()

    def append(self, *mails: bytes) -> None:
        for mail in mails:
            self.session.append("INBOX", None, None, mail)

    def count(self, folder: str = "INBOX") -> int:
        status, found = self.session.select(folder, readonly=True)
        return int(found[0]) if status == "OK" else 0
