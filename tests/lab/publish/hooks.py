# SPDX-License-Identifier: Apache-2.0
"""Who is told of alarms: a webhook that keeps what it gets."""

from __future__ import annotations

import http.server
import json
import threading

from sending import net


class Told:
    def __init__(self, address: str, port: int = 8081):
        self.address, self.port = address, port
        self.alarms: list[dict] = []
        owner = self

        class Hook(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # noqa: N802
                body = self.rfile.read(int(self.headers["Content-Length"]))
                owner.alarms.append(json.loads(body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_words) -> None:
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
        self.server = Server((address, port), Hook, bind_and_activate=False)
        self.server.socket.close()
        self.server.socket = net.listen("far", address, port)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def of(self, *words: str) -> list[dict]:
        """The alarms in which all of these words are."""
        return [alarm for alarm in list(self.alarms) if all(word in json.dumps(alarm) for word in words)]

    def section(self) -> str:
        return f'[alarms]\nwebhook = "http://{self.address}:{self.port}/hook"\n'

    def stop(self) -> None:
        self.server.shutdown()
        self.server.socket.close()
