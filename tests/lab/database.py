# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL on a unix socket, for the store that many machines share."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from daemons import USERS

BIN = Path("/usr/lib/postgresql/15/bin")
FOLDER = Path("/run/lab/postgres")


def as_user(user: str, words: list[str]) -> list[str]:
    number = str(USERS[user])
    return ["setpriv", "--reuid", number, "--regid", number, "--clear-groups", "--", *words]


def postgres(_run: Path) -> list[str]:
    """The command that runs it; the cluster is made anew."""
    FOLDER.mkdir(parents=True)
    os.chown(FOLDER, USERS["postgres"], USERS["postgres"])
    data = FOLDER / "data"
    subprocess.run(as_user("postgres", [str(BIN / "initdb"), "-D", str(data), "-A", "trust", "-E", "UTF8", "--locale", "C",
                                        "--no-sync", "-U", "postgres"]), check=True, capture_output=True, cwd="/")
    return as_user("postgres", [str(BIN / "postgres"), "-D", str(data), "-k", str(FOLDER), "-c", "listen_addresses=",
                                "-c", "jit=off", "-c", "max_connections=40", "-c", "unix_socket_permissions=0777"])


def address(name: str) -> str:
    return f"host={FOLDER} user=postgres dbname={name}"


class Cluster:
    """A database server of a case's own, which may be taken away under its users."""

    def __init__(self, name: str, port: int):
        self.folder, self.port = FOLDER.parent / name, port
        self.folder.mkdir()
        subprocess.run(["chown", "postgres:postgres", str(self.folder)], check=True)
        subprocess.run(as_user("postgres", [str(BIN / "initdb"), "-D", str(self.folder / "data"), "-A", "trust", "-U", "postgres",
                                            "--no-sync"]), check=True, capture_output=True, cwd="/")
        self.start()

    def _control(self, *words: str) -> None:
        options = f"-k {self.folder} -c listen_addresses= -c jit=off -p {self.port} -c unix_socket_permissions=0777"
        subprocess.run(as_user("postgres", [str(BIN / "pg_ctl"), "-D", str(self.folder / "data"), "-s", "-w", "-o", options, *words]),
                       check=True, cwd="/", stdout=subprocess.DEVNULL)

    def start(self) -> None:
        self._control("start")

    def stop(self) -> None:
        """At once, as a machine that fails."""
        self._control("-m", "immediate", "stop")

    def address(self) -> str:
        return f"host={self.folder} port={self.port} user=postgres dbname=postgres"
