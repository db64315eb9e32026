#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a cached answer of the policy service costs, beside a bare server of the same framing and beside Debian's
postfix-mta-sts-resolver (where it is installed), over TCP and unix sockets, at 1, 16 and 256 connections.

Server and client share one core: on two, a client that waits for each answer measures how fast an idle core wakes up.
CPU is the server's own by the kernel's count, so it depends least on what else the machine does; read the ratios.
`plain` is the table of the floor behind the connections of this program: what is left above it is the service itself."""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(REPO / "bench" / "farm")]
import farm  # noqa: E402
from serving import Serve, ask_all, cpu_of, name_of, resident_mb, running  # noqa: E402

CONNECTIONS = (1, 16, 256)
DEBIAN = Path("/usr/bin/mta-sts-daemon")
PORT = 8642  # and those behind it: the network namespace is our own
AIM, P99 = 1.2, 1000.0


def debian_cache(file: Path, domains: int) -> None:
    """As that program would have filled it; nothing in it is looked up again during the run."""
    with sqlite3.connect(file) as base:
        base.execute("pragma journal_mode=wal")
        base.execute("create table sts_policy_cache (domain text, ts integer, pol_id text, pol_body text)")
        base.execute("create unique index sts_policy_domain on sts_policy_cache (domain)")
        body = {"version": "STSv1", "mode": "enforce", "max_age": 31_557_600}
        base.executemany("insert into sts_policy_cache values (?, ?, ?, ?)",
                         ((name_of(number), int(time.time()), "1", json.dumps({**body, "mx": [f"mx.{name_of(number)}"]}))
                          for number in range(domains)))


class Bench:
    def __init__(self, given: argparse.Namespace, folder: Path):
        self.given, self.folder = given, folder
        self.programs = given.farm.parent
        self.rows: list[dict] = []
        self.facts: dict[str, float] = {}
        self.places: list[tuple[str, str, str, int]] = []  # server, transport, where, pid
        self.ends = ExitStack()

    def start(self, server: str, words: list[str], *where: str) -> subprocess.Popen:
        process = self.ends.enter_context(running(words, where[0], self.folder / f"{server}.log", self.given.core))
        self.places += [(server, "unix" if place.startswith("/") else "tcp", place, process.pid) for place in where]
        return process

    def bare(self, server: str, program: str, port: int) -> None:
        for where in (str(port), str(self.folder / server)):
            self.start(server, [str(self.programs / program), where, str(self.given.domains)], where)

    def serve(self, port: int) -> None:
        given = self.given
        there = self.ends.enter_context(farm.Farm(given.farm, self.folder))
        serve = Serve(given.binary, self.folder / "serve", there.ca, port)
        serve.fill(given.domains)
        process = self.start("mailtight", serve.words(), serve.port, serve.path)
        ask_all(serve.port, range(given.domains))  # where their mail goes is looked up now
        self.facts["resident_mb"] = resident_mb(process.pid)
        if given.cold == 0:
            return
        before = cpu_of(process.pid)
        took = ask_all(serve.port, range(given.domains, given.domains + given.cold))
        cold = (cpu_of(process.pid) - before) / given.cold * 1e3
        floor = json.loads(subprocess.run(["taskset", "-c", str(given.core), str(self.programs / "farm_handshake"),
                                           str(there.ca), str(given.domains), str(given.cold)],
                                          check=True, stdout=subprocess.PIPE, text=True).stdout)
        self.facts |= {"cold_cpu_ms": cold, "cold_seconds": took, "handshake_cpu_ms": floor["cpu_ms"],
                       "cold_ratio": cold / floor["cpu_ms"]}

    def debian(self, port: int) -> None:
        if not DEBIAN.exists():
            print("postfix-mta-sts-resolver is not installed: no figures of it")
            return
        cache = self.folder / "debian.db"
        debian_cache(cache, self.given.domains)
        for place, where in ((f"host: 127.0.0.1\nport: {port}", str(port)),
                             (f"path: {self.folder}/debian", str(self.folder / "debian"))):
            config = self.folder / f"debian-{Path(where).name}.yml"
            config.write_text(f"{place}\ncache_grace: 86400\ncache:\n  type: sqlite\n  options:\n    filename: {cache}\n")
            self.start("debian", [str(DEBIAN), "-c", str(config)], where)

    def load(self, server: str, kind: str, where: str, pid: int, connections: int) -> dict:
        said = subprocess.run(["taskset", "-c", str(self.given.core), str(self.programs / "policy_load"), where, str(pid),
                               str(connections), str(self.given.seconds), str(self.given.domains), "postfix"],
                              check=True, stdout=subprocess.PIPE, text=True)
        return {"server": server, "transport": kind, "connections": connections, **json.loads(said.stdout)}

    def measure(self) -> None:
        """Each in turn, several times over; the best of each counts, since other work on the machine only adds."""
        tries: dict[tuple, list[dict]] = {}
        for done in range(self.given.rounds):
            for connections in CONNECTIONS:
                for kind in ("tcp", "unix"):
                    for server, over, where, pid in self.places:
                        if over == kind:
                            row = self.load(server, kind, where, pid, connections)
                            tries.setdefault((kind, connections, server), []).append(row)
            print(f"  round {done + 1} of {self.given.rounds}", file=sys.stderr, flush=True)
        self.rows = [min(rows, key=lambda row: row["server_cpu_us"]) for rows in tries.values()]

    def table(self) -> bool:
        floors = {(row["transport"], row["connections"]): row for row in self.rows if row["server"] == "floor"}
        head = ("server", "socket", "connections", "answers/s", "CPU us", "of the floor", "p50 us", "p99 us")
        lines = [head]
        reached = True
        for row in self.rows:
            floor = floors.get((row["transport"], row["connections"]))
            if floor:
                row["cpu_ratio"] = round(row["server_cpu_us"] / floor["server_cpu_us"], 3)
                row["rate_ratio"] = round(row["per_second"] / floor["per_second"], 3)
            if row["server"] == "mailtight":
                reached &= row.get("cpu_ratio", 0) <= AIM and (row["connections"] != 16 or row["p99_us"] < P99)
            lines.append((row["server"], row["transport"], f"{row['connections']}", f"{row['per_second']:.0f}",
                          f"{row['server_cpu_us']:.2f}", f"{row['cpu_ratio']:.2f}" if floor else "",
                          f"{row['p50_us']:.0f}", f"{row['p99_us']:.0f}"))
        widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
        for line in lines:
            print("  ".join(text.ljust(w) if i < 2 else text.rjust(w) for i, (text, w) in enumerate(zip(line, widths))))
        return reached


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=Path, default=REPO / "build/release/mailtight")
    parser.add_argument("--farm", type=Path, default=REPO / "build" / "bench" / "bench" / "farm" / "farm")
    parser.add_argument("--domains", type=int, default=100_000, help="cached")
    parser.add_argument("--cold", type=int, default=5_000, help="further ones, looked up over HTTPS while that is measured")
    parser.add_argument("--seconds", type=float, default=1.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument("--only", default="", help="some of floor,plain,mailtight,debian")
    parser.add_argument("--json", type=Path, help="also keep the figures there")
    given, _ = parser.parse_known_args()
    folder = farm.inside()
    if folder is None:
        (REPO / "build").mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=REPO / "build") as name:
            return farm.again(Path(name))
    bench = Bench(given, folder)
    print(f"load average at the beginning: {' '.join(f'{load:.1f}' for load in os.getloadavg())}")
    only = given.only.split(",") if given.only else ["floor", "plain", "mailtight", "debian"]
    with bench.ends:
        if "floor" in only:
            bench.bare("floor", "policy_floor", PORT)
        if "plain" in only:
            bench.bare("plain", "policy_plain", PORT + 1)
        if "mailtight" in only:
            bench.serve(PORT + 2)
        if "debian" in only:
            bench.debian(PORT + 3)
        bench.measure()
    reached = bench.table()
    if "resident_mb" in bench.facts:
        print(f"resident with {given.domains} domains and where their mail goes: {bench.facts['resident_mb']:.0f} MB")
    if "cold_cpu_ms" in bench.facts:
        print(f"{given.cold} further domains looked up once (record, MX, policy over HTTPS, kept) in "
              f"{bench.facts['cold_seconds']:.0f} s: {bench.facts['cold_cpu_ms']:.3f} ms CPU each, "
              f"{bench.facts['cold_ratio']:.2f} of a bare handshake with the same host "
              f"({bench.facts['handshake_cpu_ms']:.3f} ms)")
    figures = json.dumps({"rows": bench.rows, **bench.facts}, indent=1)
    if given.json:
        given.json.write_text(figures + "\n")
    if "mailtight" in only:
        print(f"aims: CPU at most {AIM} of the floor's, p99 under 1 ms at 16 connections: "
              f"{'reached' if reached else 'NOT reached'}")
    return 0 if reached else 1


if __name__ == "__main__":
    raise SystemExit(main())
