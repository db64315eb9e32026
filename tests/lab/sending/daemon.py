# SPDX-License-Identifier: Apache-2.0
"""`mailtight serve` as the policy service of the senders, and clients of its dialects."""

from __future__ import annotations

import http.client
import json
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from sending import net


class Client:
    """A socketmap client that keeps its connection, as smtp(8) does."""

    def __init__(self, path: Path, limit: float = 20.0):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(limit)
        self.socket.connect(str(path))
        self.rest = b""

    def send(self, *questions: str) -> None:
        self.socket.sendall(b"".join(b"%d:%s," % (len(q.encode()), q.encode()) for q in questions))

    def read(self) -> str:
        while b":" not in self.rest:
            self._more()
        length, _, self.rest = self.rest.partition(b":")
        while len(self.rest) < int(length) + 1:
            self._more()
        answer, self.rest = self.rest[:int(length)], self.rest[int(length) + 1:]
        return answer.decode()

    def _more(self) -> None:
        more = self.socket.recv(65536)
        if not more:
            raise OSError("the service closed the connection")
        self.rest += more

    def ask(self, key: str, name: str = "postfix") -> str:
        self.send(f"{name} {key}")
        return self.read()

    def close(self) -> None:
        self.socket.close()


class Daemon:
    """One daemon in a namespace, the senders' where nothing else is said, with a store of its own, unless `store`
    names another."""
    tcp_port = 8642

    def __init__(self, binary: Path, build: Path, folder: Path, sockets: list[Path] = (), store: str = "", more: str = "",
                 space: str = "out"):
        self.binary, self.folder, self.space = binary, folder, space
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        folder.chmod(0o755)
        self.socket, self.lines, self.control = folder / "policy.sock", folder / "lines.sock", folder / "control.sock"
        self.store = store or str(folder / "store.db")
        self.config = folder / "mailtight.toml"
        self.process: subprocess.Popen | None = None
        Daemon.tcp_port += 1
        self.tcp_port = Daemon.tcp_port
        listen = json.dumps([f"unix:{path},mode=0666" for path in [self.socket, *sockets]])
        self.text = f"""
[dns]
servers = ["127.0.0.53"]
[network]
ca-file = "{build}/ca.pem"
allow-net = ["10.64.0.0/16", "127.0.0.0/8", "fd64::/16"]
connect-timeout = "3s"
[store]
where = "{self.store}"
[web]
listen = []

[serve]
control-socket = "{self.control}"
[resolve]
socketmap-listen = {listen}
lines-listen = ["unix:{self.lines},mode=0666"]
tcp-table-listen = ["127.0.0.1:{self.tcp_port}"]
mta-dane = "yes"
{more}
"""

    def start(self, limit: float = 20.0) -> float:
        """Seconds until it answers."""
        self.config.write_text(self.text)
        began = time.monotonic()
        with open(self.folder / "serve.log", "ab") as log:
            self.process = subprocess.Popen(net.inside(self.space, str(self.binary), "serve", "--config", str(self.config)), stdout=log,
                                            stderr=log, stdin=subprocess.DEVNULL)
        while True:
            try:
                self.greet()
                return time.monotonic() - began
            except OSError as problem:
                if self.process.poll() is not None or time.monotonic() > began + limit:
                    raise RuntimeError(f"serve does not answer ({problem}): {self.tail()}") from problem
                time.sleep(0.01)

    def greet(self) -> None:
        """Raises OSError unless it answers."""
        client = Client(self.socket, 5)
        client.ask("localhost")
        client.close()

    def tail(self) -> str:
        return (self.folder / "serve.log").read_text(errors="replace")[-1500:]

    def command(self, *words: str, limit: float = 60.0) -> subprocess.CompletedProcess:
        return subprocess.run(net.inside(self.space, str(self.binary), *words, "--config", str(self.config)), capture_output=True, text=True,
                              timeout=limit, check=False)

    def api(self, method: str, path: str, body: object = None) -> tuple[int, dict]:
        """The HTTP API at the control socket: status and document."""
        return self.control_request(method, "/api/v1" + path, body)

    def control_request(self, method: str, path: str, body: object = None) -> tuple[int, dict]:
        text = b"" if body is None else json.dumps(body).encode()
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(30)
            connection.connect(str(self.control))
            connection.sendall(f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                               f"Content-Length: {len(text)}\r\nConnection: close\r\n\r\n".encode() + text)
            reply = http.client.HTTPResponse(connection, method=method)
            reply.begin()
            document = reply.read()
            return reply.status, json.loads(document) if document else {}

    def refresh(self, domain: str, limit: float = 40.0) -> dict:
        """A domain was mended, and somebody says so; again until it is looked at, since that is not done all the time."""
        end = time.monotonic() + limit
        while True:
            status, document = self.api("POST", f"/policy/{domain}/refresh")
            if status != 200:
                raise RuntimeError(f"refresh of {domain}: {status} {document}")
            if document["looked"] or time.monotonic() > end:
                return document
            time.sleep(0.5)

    def ask(self, key: str, name: str = "postfix") -> str:
        client = Client(self.socket)
        try:
            return client.ask(key, name)
        finally:
            client.close()

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process = None

    def hang_up(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGHUP)

    def stop(self, limit: float = 20.0) -> int:
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(limit)
        finally:
            if self.process.poll() is None:
                self.process.kill()
            self.process = None
