# SPDX-License-Identifier: Apache-2.0
"""A mailbox at a real Dovecot, entered with OAuth2, and what happens when the token is no good any more."""

from __future__ import annotations

import http.server
import json
import threading
import urllib.parse

import mailbox_server
import world
from reporters import Report, policy
from reports import senders
from reports.case import Shop, case
from reports.cases_ways_in import MAILBOX, totals


class Tokens:
    """A token server (RFC 6749) that Dovecot asks about tokens (RFC 7662)."""

    def __init__(self) -> None:
        self.refresh, self.good, self.asked, self.number = "first refresh", set(), [], 0
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # noqa: N802
                form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()))
                status, answer = owner.introspect(form) if self.path == "/introspect" else owner.token(form)
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_words) -> None:
                pass
        self.server = http.server.ThreadingHTTPServer(mailbox_server.TOKEN_SERVER, Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def introspect(self, form: dict) -> tuple[int, dict]:
        if form.get("token") in self.good:
            return 200, {"active": "true", "username": mailbox_server.OAUTH_USER}
        return 200, {"active": "false"}

    def token(self, form: dict) -> tuple[int, dict]:
        self.asked.append(form)
        if form.get("grant_type") == "refresh_token" and form.get("refresh_token") != self.refresh:
            return 400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
        self.number += 1
        token = f"access{self.number}"
        self.good.add(token)
        answer = {"access_token": token, "token_type": "Bearer", "expires_in": 3600}
        if form.get("grant_type") == "refresh_token":  # a new one each time
            self.refresh = answer["refresh_token"] = f"refresh {self.number}"
        return 200, answer

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def _mailbox(shop: Shop, tokens: Tokens) -> senders.Mailbox:
    import imaplib
    tokens.good.add("tests")
    box = senders.Mailbox.__new__(senders.Mailbox)
    box.session = imaplib.IMAP4_SSL(world.DOVECOT_IP, 993, ssl_context=senders.context(shop.build))
    box.session.authenticate("XOAUTH2", lambda _: f"user={mailbox_server.OAUTH_USER}\1auth=Bearer tests\1\1".encode())
    return box


@case("a mailbox entered with OAuth2, by each mechanism and grant")
def oauth(shop: Shop) -> None:
    tokens = Tokens()
    try:
        box = _mailbox(shop, tokens)
        shop.folder.mkdir(exist_ok=True)
        (shop.folder / "refresh").write_text("first refresh\n")
        (shop.folder / "secret").write_text("s3cret\n")
        expected = 0
        for day, (mechanism, grant) in enumerate([
                ("xoauth2", f'oauth-refresh-token-file = "{shop.folder}/refresh"'),
                ("oauthbearer", f'oauth-refresh-token-file = "{shop.folder}/refresh"'),
                ("automatic", 'oauth-scope = "https://outlook.office365.com/.default"')], 2):
            box.empty()
            tokens.refresh = "first refresh"
            daemon = shop.daemon(f"""
[imap]
host = "{world.DOVECOT}"
ca-file = "{shop.build}/ca.pem"
user = "{mailbox_server.OAUTH_USER}"
mechanism = "{mechanism}"
oauth-token-url = "http://{mailbox_server.TOKEN_SERVER[0]}:{mailbox_server.TOKEN_SERVER[1]}/token"
oauth-client-id = "client"
oauth-client-secret-file = "{shop.folder}/secret"
{grant}
after = "mark"
interval = "1s"
""")
            box.append(Report("reporter-one.test", "healthy.test", day, [policy("healthy.test", 5)]).signed(MAILBOX, shop.keys))
            shop.wait(f"the report by {mechanism}", lambda d=daemon: totals(d) == {"healthy.test": (5, 0)})
            # The token dies before its time, and the refresh token has been replaced meanwhile.
            tokens.good -= {t for t in tokens.good if t != "tests"}
            daemon.kill()
            daemon.start()
            box.append(Report("reporter-two.test", "healthy.test", day, [policy("healthy.test", 6)]).signed(MAILBOX, shop.keys))
            shop.wait(f"the second report by {mechanism}", lambda d=daemon: totals(d) == {"healthy.test": (11, 0)})
            daemon.stop()
            expected += 1
        shop.same("mechanisms tried", expected, 3)
        shop.true(any(f.get("grant_type") == "client_credentials" for f in tokens.asked), "no client credentials were asked with")
    finally:
        tokens.close()


@case("a revoked token and an untrusted certificate are told")
def revoked(shop: Shop) -> None:
    tokens = Tokens()
    try:
        shop.folder.mkdir(exist_ok=True)
        (shop.folder / "refresh").write_text("a stale one\n")
        daemon = shop.daemon(f"""
[imap]
host = "{world.DOVECOT}"
ca-file = "{shop.build}/ca.pem"
user = "{mailbox_server.OAUTH_USER}"
oauth-token-url = "http://{mailbox_server.TOKEN_SERVER[0]}:{mailbox_server.TOKEN_SERVER[1]}/token"
oauth-client-id = "client"
oauth-refresh-token-file = "{shop.folder}/refresh"
interval = "1s"
""")
        shop.wait("the word that the token is revoked",
                  lambda: b"invalid_grant" in daemon.command("status", "--json").stdout)
        shop.same("status", daemon.command("status").returncode, 1)
        daemon.stop()
        (shop.folder / "password").write_text("a pass word\n")
        daemon = shop.daemon(f"""
[imap]
host = "{world.DOVECOT}"
user = "{mailbox_server.USER}"
password-file = "{shop.folder}/password"
interval = "1s"
""")
        shop.wait("the word that the certificate is not trusted",
                  lambda: b"certificate" in daemon.command("status", "--json").stdout)
    finally:
        tokens.close()


@case("a large mailbox in bounded memory")
def large(shop: Shop) -> None:
    """Written into Dovecot's maildir directly; the daemon's peak memory is looked at."""
    import os
    import daemons
    mails = 100_000 if shop.full else 3_000
    box = senders.Mailbox(shop.build)
    box.empty()
    folder = mailbox_server.MAIL / mailbox_server.USER / "cur"
    user = daemons.USERS["vmail"]
    for number in range(mails):
        report = Report("reporter-one.test", "healthy.test", 2, [policy("healthy.test", 1)], f"l{number}")
        path = folder / f"{1_700_000_000 + number}.M{number}P1.lab:2,"
        path.write_bytes(report.signed(MAILBOX, shop.keys, algorithm="ed25519"))
        os.chown(path, user, user)
    (shop.folder).mkdir(exist_ok=True)
    (shop.folder / "password").write_text("a pass word\n")
    daemon = shop.daemon(f"""
[imap]
host = "{world.DOVECOT}"
ca-file = "{shop.build}/ca.pem"
user = "{mailbox_server.USER}"
password-file = "{shop.folder}/password"
interval = "1s"
""")
    shop.wait("all mails", lambda: totals(daemon) == {"healthy.test": (mails, 0)}, 1800 if shop.full else 120)
    peak = next(int(line.split()[1]) for line in open(f"/proc/{daemon.process.pid}/status") if line.startswith("VmHWM"))
    print(f"        {mails} mails, peak memory {peak // 1024} MB", flush=True)
    shop.true(peak < 150 * 1024 or bool(os.environ.get("LAB_NO_MEMORY_LIMIT")), f"peak memory is {peak} kB")
    box.empty()
