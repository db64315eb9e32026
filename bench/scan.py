#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How fast `scan` is, and what memory it takes, beside limits measured in the same run.

The world is the farm (bench/farm) behind 10 ms of simulated latency, with unbound as validating resolver where the
scan forwards. The limits: what unbound answers to a client that does nothing else, and the full handshakes of
`openssl s_time`. Rates are wall clock and suffer from whatever else the machine does; CPU and ratios less.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(REPO / "bench" / "farm"), str(REPO / "tests" / "lab")]
import farm  # noqa: E402
import inside  # noqa: E402
import packages  # noqa: E402
import resolvers  # noqa: E402

LAB_BUILD = REPO / "build" / "lab"
LATENCY = 10


class Bench:
    def __init__(self, given: argparse.Namespace, folder: Path):
        self.given, self.folder = given, folder
        self.names = resolvers.Resolvers(folder)
        self.rows: list[tuple[str, ...]] = []
        self.by_cpu = 0.0  # handshakes a second of a plain client's CPU

    def farm(self, latency: int = LATENCY) -> farm.Farm:
        return farm.Farm(self.given.farm, self.folder, latency)

    def handshakes(self) -> tuple[float, float]:
        """Full handshakes a second of four clients by the clock, and of one by its CPU."""
        words = ["openssl", "s_time", "-connect", "127.0.2.1:443", "-new", "-time", "4"]
        with self.farm(latency=0):
            clients = [subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
                       for _ in range(4)]
            said = [client.communicate()[0] for client in clients]
        real = [re.search(r"(\d+) connections in (\d+) real seconds", text) for text in said]
        cpu = [re.search(r"([\d.]+) connections/user sec", text) for text in said]
        if not all(real) or not all(cpu):
            raise RuntimeError(f"openssl s_time said nothing usable: {said}")
        return (sum(int(found[1]) / max(1, int(found[2])) for found in real),
                sum(float(found[1]) for found in cpu) / len(cpu))

    def questions(self, first: int, domains: int, zone: str = "bench", letter: str = "d") -> float:
        """Questions a second that a fresh unbound answers."""
        unbound = self.names.unbound()
        said = subprocess.run([str(self.given.farm.parent / "farm_ask"), resolvers.UNBOUND, str(first), str(domains),
                               "2000", zone, letter], capture_output=True, text=True, check=True).stdout
        self.names.end(unbound)
        return json.loads(said)["per_second"]

    def scan(self, what: str, words: list[str], there: farm.Farm, resolver: list[str], limit: float,
             limited: str) -> farm.Run:
        """One scan and its row. `limited` names the column that the limit is for: queries or handshakes."""
        unbound = self.names.unbound() if resolvers.UNBOUND in resolver else None
        with open(self.folder / "results", "wb") as out:
            done = farm.run([str(self.given.binary), "scan", *words, *there.options(*resolver)], out)
        if unbound:
            self.names.end(unbound)
        figures = re.search(r"(\d+) domains in [\d.]+ s: (\d+) domains/s, (\d+) queries/s .*?(\d+) TLS handshakes/s",
                            done.said)
        if done.status not in (0, 1) or not figures:
            raise RuntimeError(f"{what}: exit status {done.status}\n{done.said}")
        domains, rate, queries, handshakes = (int(text) for text in figures.groups())
        reached = handshakes if limited == "handshakes" else queries
        if self.by_cpu and limited == "handshakes":
            there_were = handshakes * domains / max(1, rate) / done.cpu
            print(f"{what}: {there_were:.0f} handshakes a second of the scan's CPU, {self.by_cpu:.0f} of s_time's: "
                  f"{there_were / self.by_cpu:.2f}")
        self.rows.append((what, f"{domains}", f"{rate}", f"{queries}", f"{handshakes}",
                          f"{done.cpu / domains * 1e3:.2f}", f"{done.peak / 1024:.0f}",
                          f"{limit:.0f} {limited}/s", f"{reached / limit:.2f}"))
        print(f"  {what}: {rate} domains/s", file=sys.stderr, flush=True)
        return done

    def table(self) -> None:
        head = ("scan", "domains", "domains/s", "queries/s", "handshakes/s", "CPU ms/domain", "peak MB", "limit",
                "of the limit")
        widths = [max(len(row[i]) for row in (head, *self.rows)) for i in range(len(head))]
        for row in (head, *self.rows):
            print("  ".join(text.ljust(w) if i == 0 else text.rjust(w) for i, (text, w) in enumerate(zip(row, widths))))


def measure(bench: Bench, size: float) -> None:
    print(f"load average at the beginning: {' '.join(f'{load:.1f}' for load in os.getloadavg())}")
    clock, cpu = bench.handshakes()
    bench.by_cpu = cpu
    print(f"openssl s_time, four at once, no latency: {clock:.0f} handshakes/s, {cpu:.0f} a second of a client's CPU")
    forwarding = ["--resolver", resolvers.UNBOUND]
    anchors = ["--trust-anchor", str(bench.names.anchor)]
    validating = [*forwarding, "--dns-mode", "validating", *anchors]
    recursive = ["--dns-mode", "recursive", *anchors, "--root-hints", str(bench.names.hints)]
    some, many = int(2000 * size), int(40_000 * size)
    with bench.farm() as there:
        answered = bench.questions(5_000_000, many)
        signed = bench.questions(0, resolvers.SIGNED_NAMES, resolvers.SIGNED, "v")
        print(f"unbound (1 thread) behind {LATENCY} ms, cold: {answered:.0f} queries/s unsigned, {signed:.0f} signed")
        own = str(farm.write_list(bench.folder / "own", "f", some))
        shared = str(farm.write_list(bench.folder / "shared", "s", some))
        names = str(farm.write_list(bench.folder / "names", "d", many))
        fewer = str(farm.write_list(bench.folder / "fewer", "d", many // 2))
        proven = str(farm.write_list(bench.folder / "proven", "v", resolvers.SIGNED_NAMES, zone=resolvers.SIGNED))
        bench.scan("full, each with its own mail server", [own], there, forwarding, clock, "handshakes")
        bench.scan("full, 50 mail servers shared by all", [shared], there, forwarding, clock, "handshakes")
        bench.scan("DNS only, forwarding to unbound", ["--dns-only", names], there, forwarding, answered, "queries")
        bench.scan("DNS only, forwarding, signed zone", ["--dns-only", proven], there, forwarding, signed, "queries")
        bench.scan("DNS only, validating itself behind unbound", ["--dns-only", fewer], there, validating, answered,
                   "queries")
        bench.scan("DNS only, validating itself, signed zone", ["--dns-only", proven], there, validating, signed,
                   "queries")
        bench.scan("DNS only, recursive, validating itself", ["--dns-only", fewer], there, recursive, answered, "queries")
    bench.table()


def long_list(bench: Bench, count: int, full: bool) -> None:
    """The memory of one long run, as it goes on."""
    domains = str(farm.write_list(bench.folder / "long", "f" if full else "d", count))
    clock = bench.handshakes()[0] if full else 0
    with bench.farm() as there:
        forwarding = ["--resolver", resolvers.UNBOUND]
        if full:
            done = bench.scan("full, each with its own mail server", [domains], there, forwarding, clock, "handshakes")
        else:
            answered = bench.questions(5_000_000, 40_000)
            done = bench.scan("DNS only, half of them absent", ["--dns-only", domains], there, forwarding, answered,
                              "queries")
    bench.table()
    for tenth in range(1, 11):
        peak = max((kb for at, kb in done.resident if at <= done.seconds * tenth / 10), default=0)
        print(f"resident after {tenth * 10:3d} % of the run: {peak / 1024:.1f} MB at most")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=Path, default=REPO / "build" / "release" / "mailtight")
    parser.add_argument("--farm", type=Path, default=REPO / "build" / "bench" / "bench" / "farm" / "farm")
    parser.add_argument("--size", type=float, default=1.0, help="lists so many times as long")
    parser.add_argument("--long", type=int, metavar="N", help="only one list of N domains, DNS only: its memory")
    parser.add_argument("--full", action="store_true", help="with --long: full checks instead")
    given = parser.parse_args()
    given.binary, given.farm = given.binary.resolve(), given.farm.resolve()
    folder = farm.inside()
    if not folder:
        packages.ensure(LAB_BUILD, lambda words: print(words, file=sys.stderr))
        with tempfile.TemporaryDirectory(prefix="bench-", dir=LAB_BUILD) as made:
            return farm.again(Path(made), ["--mount"])
    inside.mounts(LAB_BUILD / "root", folder / "overlay")
    bench = Bench(given, folder)
    try:
        if given.long:
            long_list(bench, given.long, given.full)
        else:
            measure(bench, given.size)
    finally:
        bench.names.end_all()
    return 0


if __name__ == "__main__":
    sys.exit(main())
