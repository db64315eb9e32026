#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long `mailtight serve` takes from its start to its first answer from memory, and how much memory that needs, with
0, 100,000 and 1,000,000 cached domains in its SQLite file. Two cores, as it loads with two threads; best of the rounds. The bytes
a domain are beside an empty service; SQLite's page cache, up to 32 MB of the file, is among them."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(REPO / "bench" / "farm")]
import farm  # noqa: E402
from serving import Serve, ask_all, cpu_of, resident_mb, running  # noqa: E402

COUNTS = (0, 100_000, 1_000_000)
PORT = 8650
SECONDS, BYTES = 3.0, 400  # the aims, at the largest count


def measure(given: argparse.Namespace, folder: Path, ca: Path, count: int) -> dict:
    serve = Serve(given.binary, folder / f"kept{count}", ca, PORT)
    text = serve.fill(count) if count else 0
    rounds = []
    for _ in range(given.rounds):
        begun = time.monotonic()
        with running(serve.words(), serve.port, folder / "serve.log") as process:
            if count:
                ask_all(serve.port, [count // 2])
            took, cpu = time.monotonic() - begun, cpu_of(process.pid)
            rounds.append({"seconds": took, "cpu_seconds": cpu, "resident_mb": resident_mb(process.pid)})
    best = min(rounds, key=lambda row: row["cpu_seconds"])
    return {"domains": count, "text_bytes": text, "file_mb": serve.store.stat().st_size / 2**20, **best,
            "seconds": min(row["seconds"] for row in rounds)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=Path, default=REPO / "build/release/mailtight")
    parser.add_argument("--farm", type=Path, default=REPO / "build" / "bench" / "bench" / "farm" / "farm")
    parser.add_argument("--counts", type=int, nargs="+", default=COUNTS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="also keep the figures there")
    given, _ = parser.parse_known_args()
    folder = farm.inside()
    if folder is None:
        (REPO / "build").mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=REPO / "build") as name:
            return farm.again(Path(name))
    print(f"load average at the beginning: {' '.join(f'{load:.1f}' for load in os.getloadavg())}")
    with farm.Farm(given.farm, folder) as there:
        rows = [measure(given, folder, there.ca, count) for count in given.counts]
    print("   domains  seconds  CPU seconds  resident MB  bytes a domain  of them beyond the policy's text")
    for row in rows:
        each = (row["resident_mb"] - rows[0]["resident_mb"]) * 2**20 / max(row["domains"], 1)
        row["beyond_text"] = each - row["text_bytes"] / max(row["domains"], 1)
        print(f"{row['domains']:10}  {row['seconds']:7.2f}  {row['cpu_seconds']:11.2f}  {row['resident_mb']:11.1f}"
              + (f"  {each:14.0f}  {row['beyond_text']:.0f}" if row["domains"] > rows[0]["domains"] else ""))
    if given.json:
        given.json.write_text(json.dumps({"rows": rows}, indent=1) + "\n")
    reached = rows[-1]["seconds"] < SECONDS and rows[-1]["beyond_text"] < BYTES
    print(f"aims: the first answer within {SECONDS:.0f} s, under {BYTES} bytes a domain beyond its text, with {rows[-1]['domains']}: "
          f"{'reached' if reached else 'NOT reached'}")
    return 0 if reached else 1


if __name__ == "__main__":
    raise SystemExit(main())
