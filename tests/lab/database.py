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
