#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Datagrams of results a second, and what a burst loses, at net.unix.max_dgram_qlen 10 and 512, for three receivers on the
same kind of socket in the same run: a bare recvmmsg loop (the floor), our socket's thread with its pile (`drain`), and
`mailtight serve`, which reads, counts and writes them to SQLite.

Datagrams as Postfix sends them through libtlsrpt, about 305 bytes, one in ten a failure, of 1,000 domains. Rates: one
sender that waits for room, on a core of its own; the receiver with all its threads on the other. Bursts: without waiting, from
a new socket for each datagram; what the kernel refuses is lost, and is seen by the sender alone. Read the ratios."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(REPO / "bench" / "farm")]
import farm  # noqa: E402
from serving import cpu_of, resident_mb  # noqa: E402

QLEN = Path("/proc/sys/net/unix/max_dgram_qlen")
QUEUES = (10, 512)
BURSTS = (12, 25, 50, 100, 500)
RATIO, RATE = 0.6, 150_000
PEER = {10: {12: 8, 25: 56, 50: 77, 100: 89, 500: 96}}  # per cent lost by tlsrpt-collectd 0.6, measured once


class Receiver:
    """A program that takes datagrams at `socket`."""

    def __init__(self, words: list[str], socket: Path, core: int):
        self.socket = socket
        self.process = subprocess.Popen(["taskset", "-c", str(core), *words], stdout=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 30
        while not socket.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{words[0]} does not listen at {socket}")
            time.sleep(0.01)

    def cpu(self) -> float:
        return cpu_of(self.process.pid)

    def settle(self) -> None:
        """Until it has nothing left to do: CPU counts all of the work."""
        before = -1.0
        while (now := self.cpu()) > before + 0.005:
            before = now
            time.sleep(0.7)

    def end(self) -> dict:
        self.process.send_signal(signal.SIGTERM)
        said = self.process.communicate(timeout=60)[0]
        return json.loads(said) if said.strip() else {}


class Serve(Receiver):
    def __init__(self, binary: Path, folder: Path, core: int):
        folder.mkdir(parents=True)
        self.binary, self.config = binary, folder / "mailtight.toml"
        self.config.write_text(f"""[store]
where = "{folder}/store.db"
[web]
listen = []

[serve]
control-socket = "{folder}/control.sock"
[collect]
datagram-listen = ["{folder}/tlsrpt.sock"]
[log]
level = "warning"
[dns]
servers = ["127.0.0.1:1"]
""")
        super().__init__([str(binary), "serve", "--config", str(self.config)], folder / "tlsrpt.sock", core)

    def taken(self) -> int:
        said = subprocess.run([str(self.binary), "status", "--json", "--config", str(self.config)], stdout=subprocess.PIPE,
                              text=True, check=False).stdout
        def find(value: object) -> int | None:
            if isinstance(value, dict):
                if value.get("name") == "collect" and "accepted" in value:
                    return int(value["accepted"])
                value = list(value.values())
            if isinstance(value, list):
                return next((found for each in value if (found := find(each)) is not None), None)
            return None
        return find(json.loads(said)) or 0

    def settle(self) -> None:
        super().settle()
        self.counted = self.taken()

    def end(self) -> dict:
        return {**super().end(), "datagrams": self.counted}


class Bench:
    def __init__(self, given: argparse.Namespace, folder: Path):
        self.given, self.folder, self.runs = given, folder, 0
        self.programs = given.farm.parent

    def receivers(self) -> list[str]:
        return [name for name in ("floor", "drain", "mailtight") if not self.given.only or name in self.given.only.split(",")]

    def start(self, name: str) -> Receiver:
        self.runs += 1
        if name == "mailtight":
            return Serve(self.given.binary, self.folder / f"serve{self.runs}", 0)
        program = {"floor": "collect_floor", "drain": "collect_plain"}[name]
        socket = self.folder / f"{name}{self.runs}.sock"
        return Receiver([str(self.programs / program), str(socket)], socket, 0)

    def load(self, receiver: Receiver, *words: object) -> dict:
        core = str(min(1, (os.cpu_count() or 1) - 1))
        said = subprocess.run(["taskset", "-c", core, str(self.programs / "collect_load"), str(receiver.socket),
                               *map(str, words)], stdout=subprocess.PIPE, text=True, check=True).stdout
        return json.loads(said)

    def rate(self, name: str, distinct: bool) -> dict:
        receiver = self.start(name)
        receiver.settle()
        cpu = receiver.cpu()
        sent = self.load(receiver, "steady", self.given.datagrams, 1_000, *(["distinct"] if distinct else []))
        begun = time.monotonic()
        receiver.settle()
        cpu = receiver.cpu() - cpu
        memory = resident_mb(receiver.process.pid)
        taken = receiver.end()
        if taken["datagrams"] != sent["sent"]:
            raise RuntimeError(f"{name}: {sent['sent']} datagrams were sent, {taken['datagrams']} taken")
        return {"receiver": name, "per_second": sent["sent"] / sent["seconds"], "cpu_us": cpu * 1e6 / sent["sent"],
                "sender_cpu_us": sent["sender_cpu"] * 1e6 / sent["sent"], "bytes": sent["bytes"] / sent["sent"],
                "resident_mb": memory, "settled_after": time.monotonic() - begun}

    def rates(self, queue: int, distinct: bool) -> list[dict]:
        """Each in turn, several times over; the best of each counts, since other work on the machine only adds."""
        tries: dict[str, list[dict]] = {}
        for _ in range(self.given.rounds):
            for name in self.receivers():
                tries.setdefault(name, []).append(self.rate(name, distinct))
        rows = [{"queue": queue, "distinct": distinct, **max(runs, key=lambda row: row["per_second"]),
                 "cpu_us": min(row["cpu_us"] for row in runs)} for runs in tries.values()]
        floor = next((row for row in rows if row["receiver"] == "floor"), None)
        for row in rows:
            row["rate_ratio"] = row["per_second"] / floor["per_second"] if floor else None
            row["cpu_ratio"] = floor["cpu_us"] / row["cpu_us"] if floor and row["cpu_us"] > 0 else None
        return rows

    def bursts(self, queue: int) -> list[dict]:
        rows = []
        for name in self.receivers():
            receiver = self.start(name)
            receiver.settle()
            row: dict = {"queue": queue, "receiver": name, "lost_per_cent": {}}
            sent = 0
            for size in BURSTS:
                said = self.load(receiver, "burst", size, self.given.bursts)
                sent += said["sent"]
                row["lost_per_cent"][size] = 100 * said["refused"] / (said["sent"] + said["refused"])
            receiver.settle()
            if receiver.end()["datagrams"] != sent:
                raise RuntimeError(f"{name}: not all that the kernel took was counted")
            rows.append(row)
        return rows


def table(lines: list[tuple]) -> None:
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    for line in lines:
        print("  ".join(text.ljust(w) if i == 0 else text.rjust(w) for i, (text, w) in enumerate(zip(line, widths))))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=Path, default=REPO / "build/release/mailtight")
    parser.add_argument("--farm", type=Path, default=REPO / "build" / "bench" / "bench" / "farm" / "farm")
    parser.add_argument("--datagrams", type=int, default=1_000_000, help="of each measurement")
    parser.add_argument("--bursts", type=int, default=50, help="of each size")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="some of floor,drain,mailtight")
    parser.add_argument("--json", type=Path, help="also keep the figures there")
    given, _ = parser.parse_known_args()
    folder = farm.inside()
    if folder is None:
        (REPO / "build").mkdir(exist_ok=True)
        # Short: a socket's path has 107 bytes.
        with tempfile.TemporaryDirectory(prefix="mt-") as name:
            return farm.again(Path(name))
    bench = Bench(given, folder)
    print(f"load average at the beginning: {' '.join(f'{load:.1f}' for load in os.getloadavg())}")
    rates: list[dict] = []
    losses: list[dict] = []
    for queue in QUEUES:
        try:
            QLEN.write_text(f"{queue}\n")  # of this network namespace, for the sockets made from here on
        except OSError as error:
            print(f"no queue length of our own ({error}): measured at {QLEN.read_text().strip()}")
        for distinct in (False, True):
            rates += bench.rates(queue, distinct)
        losses += bench.bursts(queue)
        print(f"  queue length {queue} done", file=sys.stderr, flush=True)
    table([("receiver", "queue", "datagrams", "a second", "of the floor", "CPU us", "of the floor's", "resident MB"),
           *((row["receiver"], f"{row['queue']}", "all different" if row["distinct"] else "10,000 different",
              f"{row['per_second']:.0f}", f"{row['rate_ratio']:.2f}" if row["rate_ratio"] else "", f"{row['cpu_us']:.2f}",
              f"{row['cpu_ratio']:.2f}" if row["cpu_ratio"] else "",
              f"{row['resident_mb']:.0f}") for row in rates)])
    print(f"mean datagram {rates[0]['bytes']:.0f} bytes; a bare sender's CPU {rates[0]['sender_cpu_us']:.2f} us")
    print("lost of a burst, per cent:")
    table([("receiver", "queue", *(f"{size}" for size in BURSTS)),
           *((row["receiver"], f"{row['queue']}", *(f"{row['lost_per_cent'][size]:.1f}" for size in BURSTS)) for row in losses),
           *(("tlsrpt-collectd 0.6", f"{queue}", *(f"{lost[size]}" for size in BURSTS)) for queue, lost in PEER.items())])
    if given.json:
        given.json.write_text(json.dumps({"rates": rates, "losses": losses}, indent=1) + "\n")
    ours = [row for row in rates if row["receiver"] == "drain" and not row["distinct"]]
    return 0 if all(row["per_second"] >= RATE and (row["rate_ratio"] or 1) >= RATIO for row in ours) else 1


if __name__ == "__main__":
    raise SystemExit(main())
