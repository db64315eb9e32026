#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How many signed report mails a second `serve` takes by LMTP into SQLite, acknowledged and durable, and the memory
it needs, beside a bare limit of the same run: transactions of one row each, committed to the same disk one by one."""

from __future__ import annotations

import argparse
import json
import os
import socket
import sqlite3
import subprocess
import tempfile
import time
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def commits(folder: Path, seconds: float = 2.0) -> float:
    """Durable commits a second of one row each."""
    base = sqlite3.connect(folder / "bare.db", isolation_level=None)
    base.execute("pragma journal_mode=wal")
    base.execute("pragma synchronous=full")
    base.execute("create table t(x)")
    begin, done = time.monotonic(), 0
    while time.monotonic() - begin < seconds:
        base.execute("insert into t values (1)")
        done += 1
    return done / (time.monotonic() - begin)


def cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=Path, default=REPO / "build/release/mailtight")
    parser.add_argument("--farm", type=Path, default=REPO / "build" / "bench" / "bench" / "farm" / "farm")
    parser.add_argument("--mails", type=int, default=20_000)
    parser.add_argument("--connections", type=int, default=64)
    given, _ = parser.parse_known_args()
    senders = given.farm.parent / "farm_senders"
    with tempfile.TemporaryDirectory(dir=REPO / "build") as name:
        folder, port = Path(name), free_port()
        keys = folder / "keys"
        subprocess.run([senders, "keys", keys], check=True)
        config = folder / "mailtight.toml"
        config.write_text(f"""[store]
where = "{folder}/store.db"
[reports]
domains = ["example.com"]
mailboxes = ["tls-report@reports.example"]
dkim-keys-file = "{keys}"
[web]
listen = []

[serve]
control-socket = "{folder}/control.sock"
[lmtp]
listen = ["127.0.0.1:{port}"]
[log]
level = "warning"
[dns]
servers = ["127.0.0.1:1"]
""")
        bare = commits(folder)
        serve = subprocess.Popen([given.binary, "serve", "--config", config])
        try:
            for _ in range(200):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            said = json.loads(subprocess.run([senders, "load", "127.0.0.1", str(port), str(given.mails),
                                              str(given.connections), keys], check=True, capture_output=True,
                                             text=True).stdout)
            cpu = cpu_of(serve.pid)
            peak = next(int(line.split()[1]) // 1024 for line in Path(f"/proc/{serve.pid}/status").read_text().splitlines()
                        if line.startswith("VmHWM"))
            rows = subprocess.run([given.binary, "report", "summary", "--by", "reporter", "--json", "--config", config],
                                  check=True, capture_output=True, text=True).stdout
            counted = sum(json.loads(line)["reports"] for line in rows.splitlines())
        finally:
            serve.terminate()
            serve.wait(60)
    rate = said["mails"] / said["seconds"]
    print(f"{said['mails']} signed mails over {given.connections} LMTP connections in {said['seconds']:.1f} s: "
          f"{rate:.0f} a second, acknowledged and durable; {counted} counted")
    print(f"CPU: serve {cpu * 1e6 / said['mails']:.0f} us a mail ({said['mails'] / cpu:.0f}/s of one core), "
          f"senders {said['sender_cpu'] * 1e6 / said['mails']:.0f} us; peak memory of serve {peak} MB")
    print(f"bare limit: {bare:.0f} durable commits of one row a second; ratio {rate / bare:.1f}")
    return 0 if counted == given.mails else 1


if __name__ == "__main__":
    raise SystemExit(main())
