# SPDX-License-Identifier: Apache-2.0
"""Somebody else's endpoint for reports: HTTPS that keeps what it gets and answers as it is told."""

from __future__ import annotations

import gzip
import http.server
import json
import ssl
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from sending import net


@dataclass
class Posted:
    path: str
    fields: dict[str, str]
    body: bytes
    at: float

    def report(self) -> dict:
        return json.loads(gzip.decompress(self.body))

    @property
    def domain(self) -> str:
        return self.report()["policies"][0]["policy"]["policy-domain"]


@dataclass
class Endpoint:
    """`answers`: (status, fields), one a POST, the last of them for ever. `slow`: seconds before each."""
    address: str
    chain: Path
    key: Path
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=lambda: [(201, {})])
    slow: float = 0.0
    posted: list[Posted] = field(default_factory=list)

    def start(self) -> "Endpoint":
        owner = self

        class Take(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:  # noqa: N802
                body = self.rfile.read(int(self.headers["Content-Length"]))
                owner.posted.append(Posted(self.path, dict(self.headers.items()), body, time.monotonic()))
                time.sleep(owner.slow)
                status, fields = owner.answers[0] if len(owner.answers) == 1 else owner.answers.pop(0)
                self.send_response(status)
                for name, value in {"Content-Length": "0", **fields}.items():
                    self.send_header(name, value)
                self.end_headers()

            def do_GET(self) -> None:  # noqa: N802
                owner.posted.append(Posted("GET " + self.path, {}, b"", time.monotonic()))
                self.send_error(404)

            def log_message(self, *_words) -> None:
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def finish_request(self, request, client_address) -> None:  # the handshake, on the connection's own thread
                try:
                    request.settimeout(20)
                    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                    context.load_cert_chain(owner.chain, owner.key)
                    self.RequestHandlerClass(context.wrap_socket(request, server_side=True), client_address, self)
                except OSError:
                    pass  # the client left, or does not like the certificate

        self.server = Server((self.address, 443), Take, bind_and_activate=False)
        self.server.socket.close()
        self.server.socket = net.listen("far", self.address, 443)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def stop(self) -> None:
        self.server.shutdown()
        self.server.socket.close()
