# SPDX-License-Identifier: Apache-2.0
"""`mailtight serve` in the lab: its configuration, its life, and its sudden deaths."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import database
import world

OUR_DOMAINS = ["healthy.test", "moving.test", "entering.test", "reports-test.test"]
LMTP, SMTP, HTTPS, HTTP = (world.SERVE_IP, 24), (world.DIRECT_IP, 25), (world.SERVE_IP, 443), (world.SERVE_IP, 80)


class Daemon:
    """One daemon with a store of its own below `folder`; `engine` is "sqlite" or "postgres"."""

    def __init__(self, binary: Path, build: Path, folder: Path, engine: str, more: str = "", certificates: str = ""):
        self.binary, self.build, self.folder, self.engine = binary, build, folder, engine
        self.process: subprocess.Popen | None = None
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.maildir = folder / "maildir"
        for name in ("new", "cur", "tmp"):
            (self.maildir / name).mkdir(parents=True)
        self.config = folder / "mailtight.toml"
        self.more, self.certificates = more, certificates
        self.store = str(folder / "store.db") if engine == "sqlite" else self._database()
        self.write_config()

    def _database(self) -> str:
        name = f"d{os.getpid()}_{int(time.monotonic() * 1000)}"
        subprocess.run(["psql", "-q", "-h", str(database.FOLDER), "-U", "postgres", "-c", f"create database {name}"],
                       check=True)
        return database.address(name)

    def write_config(self) -> None:
        domains = json.dumps(OUR_DOMAINS)
        self.config.write_text(f"""
[dns]
servers = ["{world.RESOLVER}"]
[network]
ca-file = "{self.build}/ca.pem"
allow-net = ["127.0.0.0/8", "fd00::/8"]
[store]
where = "{self.store}"
[reports]
domains = {domains}
mailboxes = ["tls-report@{world.REPORTS}", "tls-report@{world.REPORTS_DIRECT}"]
url = "https://in.{world.REPORTS}"
[web]
listen = []

[serve]
control-socket = "{self.folder}/control.sock"
tls-certificates = [{self.certificates}]
[lmtp]
listen = ["{LMTP[0]}:{LMTP[1]}"]
[smtp]
listen = ["{SMTP[0]}:{SMTP[1]}"]
hostname = "mx.{world.REPORTS_DIRECT}"
[https]
listen = ["{HTTPS[0]}:{HTTPS[1]}"]
plain-listen = ["{HTTP[0]}:{HTTP[1]}"]
[maildir]
path = "{self.maildir}"
{self.more}
""")

    def command(self, *words: str, stdin: bytes = b"", limit: float = 120.0) -> subprocess.CompletedProcess:
        return subprocess.run([str(self.binary), *words, "--config", str(self.config)], input=stdin, capture_output=True,
                              timeout=limit, check=False)

    def json(self, *words: str) -> list[dict]:
        """The documents that a command prints; an exit status of 2 or more is an error."""
        done = self.command(*words, "--json")
        if done.returncode > 1:
            raise RuntimeError(f"{' '.join(words)}: status {done.returncode}: {done.stderr.decode(errors='replace')[-500:]}")
        return [json.loads(line) for line in done.stdout.decode().splitlines() if line.strip()]

    def start(self, limit: float = 30.0) -> None:
        log = open(self.folder / "serve.log", "ab")  # noqa: SIM115 - the daemon keeps it
        self.process = subprocess.Popen([str(self.binary), "serve", "--config", str(self.config)], stdout=log, stderr=log,
                                        stdin=subprocess.DEVNULL)
        log.close()
        end = time.monotonic() + limit
        for address in (LMTP, SMTP, HTTPS, HTTP):
            while not self._listens(address):
                if self.process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"serve does not listen at {address}: {self.tail()}")
                time.sleep(0.02)

    @staticmethod
    def _listens(address: tuple[str, int]) -> bool:
        try:
            socket.create_connection(address, timeout=1).close()
            return True
        except OSError:
            return False

    def tail(self) -> str:
        return (self.folder / "serve.log").read_text(errors="replace")[-1500:]

    def kill(self) -> None:
        """As a power cut would: no chance to finish anything."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process = None

    def stop(self, limit: float = 30.0) -> int:
        """SIGTERM; the exit status."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(limit)
        finally:
            if self.process.poll() is None:
                self.process.kill()
            self.process = None
