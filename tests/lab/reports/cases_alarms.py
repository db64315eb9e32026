# SPDX-License-Identifier: Apache-2.0
"""An alarm: raised once, sent by mail and by a signed webhook, shown in the metrics, muted."""

from __future__ import annotations

import email
import hashlib
import hmac
import http.server
import json
import socketserver
import threading
import time
import urllib.request

from reporters import Report, failure, policy
from reports import senders
from reports.case import Shop, case
from reports.cases_ways_in import MAILBOX
from reports.daemon import LMTP

WEBHOOK, SMART_HOST, METRICS = ("127.0.25.10", 8081), ("127.0.25.10", 2525), ("127.0.25.5", 9460)


class Inbox:
    """Takes webhooks and mails, and keeps them."""

    def __init__(self) -> None:
        self.hooks: list[tuple[dict, bytes]] = []
        self.mails: list[str] = []
        owner = self

        class Hook(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # noqa: N802
                body = self.rfile.read(int(self.headers["Content-Length"]))
                owner.hooks.append((dict(self.headers.items()), body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_words) -> None:
                pass

        class Mail(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                say = lambda words: self.wfile.write(words + b"\r\n")  # noqa: E731
                say(b"220 inbox.test ESMTP")
                while line := self.rfile.readline():
                    word = line.strip().upper()[:4]
                    if word == b"DATA":
                        say(b"354 go on")
                        lines = []
                        while (line := self.rfile.readline()) not in (b".\r\n", b""):
                            lines.append(line.decode("utf-8", "replace"))
                        owner.mails.append("".join(lines))
                        say(b"250 taken")
                    elif word == b"QUIT":
                        say(b"221 bye")
                        return
                    else:
                        say(b"250 inbox.test")
        self.servers = [http.server.ThreadingHTTPServer(WEBHOOK, Hook), socketserver.ThreadingTCPServer(SMART_HOST, Mail)]
        for server in self.servers:
            threading.Thread(target=server.serve_forever, daemon=True).start()

    def close(self) -> None:
        for server in self.servers:
            server.shutdown()
            server.server_close()


@case("a new kind of failure is told once, by mail and signed webhook")
def alarm(shop: Shop) -> None:
    socketserver.TCPServer.allow_reuse_address = True
    inbox = Inbox()
    try:
        shop.folder.mkdir(exist_ok=True)
        secret = shop.folder / "webhook-secret"
        secret.write_text("a secret\n")
        daemon = shop.daemon(f"""
[mail]
route = "smart-host"
host = "{SMART_HOST[0]}"
port = {SMART_HOST[1]}
from = "mailtight@hosting.test"
[alarms]
mail = ["postmaster@hosting.test"]
webhook = "http://{WEBHOOK[0]}:{WEBHOOK[1]}/hook"
webhook-secret-file = "{secret}"
[metrics]
listen = "{METRICS[0]}:{METRICS[1]}"
""")
        ours = "healthy.test"
        for day in (1, 2):
            report = Report("reporter-one.test", ours, day, [
                policy(ours, 60, [failure("certificate-expired", 40, reason="X509_V_ERR_CERT_HAS_EXPIRED")])])
            senders.lmtp(LMTP, "tls-reports@reporter-one.test", MAILBOX, report.signed(MAILBOX, shop.keys))
        shop.wait("the webhook", lambda: inbox.hooks)
        shop.wait("the mail", lambda: inbox.mails)
        fields, body = inbox.hooks[0]
        told = json.loads(body)
        shop.true("healthy.test" in json.dumps(told), f"the webhook does not name the domain: {told}")
        signature = dict(part.split("=", 1) for part in fields["Mailtight-Signature"].split(","))
        expected = hmac.new(b"a secret", signature["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
        shop.same("the signature", signature["v1"], expected)
        mail = email.message_from_string(inbox.mails[0])
        shop.has(mail.get_payload(decode=True).decode(), ours, "certificate", "mx1.hosting.test")
        shop.has(str(mail["Subject"]), "alarm")
        before = len(inbox.mails), len(inbox.hooks)
        time.sleep(3)
        report = Report("reporter-two.test", ours, 1, [policy(ours, 60, [failure("certificate-expired", 40)])])
        senders.lmtp(LMTP, "tls-reports@reporter-two.test", MAILBOX, report.signed(MAILBOX, shop.keys))
        time.sleep(5)
        again = [b for _, b in inbox.hooks[before[1]:] if json.loads(b).get("key") == told.get("key")]
        shop.same("the same alarm told again", again, [])
        with urllib.request.urlopen(f"http://{METRICS[0]}:{METRICS[1]}/metrics", timeout=10) as answer:
            shop.has(answer.read().decode(), "mailtight_", "# HELP", "# TYPE")
        shop.has(daemon.command("report", "failures", "--domain", ours).stdout.decode(), "certificate", "mx1.hosting.test")
        shop.has(daemon.command("report", "digest").stdout.decode(), ours)
    finally:
        inbox.close()
