#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a long list demands of `scan`, shown by the real binary against the farm of bench/farm.

scan_test.py CASE --binary PATH --farm PATH; exit status 0 where it holds.
"""

from __future__ import annotations

import argparse
import csv
import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "bench" / "farm"))
import farm  # noqa: E402


class Given:
    binary: Path
    program: Path
    folder: Path

    def scan(self, *words: str) -> list[str]:
        return [str(self.binary), "scan", *words]


def expect(holds: bool, what: str) -> None:
    if not holds:
        raise AssertionError(what)


def rows_of(path: Path) -> list[tuple[int, str]]:
    """(line number, what was listed) of each row; every row must be whole."""
    text = path.read_text(encoding="utf-8")
    expect(text == "" or text.endswith("\n"), f"{path.name} ends with half a row")
    if path.suffix == ".csv":
        rows = list(csv.reader(text.splitlines()))
        expect(rows[0][0] == "line" and sum(r[0] == "line" for r in rows) == 1, "one header, and first")
        expect(all(len(r) == len(rows[0]) for r in rows), "a row with another number of columns")
        return [(int(r[0]), r[1]) for r in rows[1:]]
    rows = [json.loads(line) for line in text.splitlines()]
    return [(r["line"], r["listed"]) for r in rows]


def expect_whole(results: Path, domains: Path) -> None:
    wanted = list(enumerate(domains.read_text().split(), start=1))
    found = sorted(rows_of(results))
    expect(len(found) == len(wanted), f"{len(found)} rows for {len(wanted)} lines")
    expect(found == wanted, "a line is repeated, lost or changed")


def finish(given: Given, words: list[str]) -> farm.Run:
    with open(given.folder / "stdout", "wb") as out:
        return farm.run(words, out)


def once_each(given: Given) -> None:
    """800 domains, each listed twice, share 50 mail servers: each is talked to once with SNI and once without."""
    domains = farm.write_list(given.folder / "list", "s", 800)
    domains.write_text(domains.read_text() * 2)
    with farm.Farm(given.program, given.folder, latency=5) as there:
        done = finish(given, given.scan(*there.options(), str(domains)))
    expect(done.status == 0, f"exit status {done.status}: {done.said}")
    rows = [json.loads(line) for line in (given.folder / "stdout").read_text().splitlines()]
    expect(len(rows) == 1600 and all(r["verdict"] == "protected" for r in rows), "1600 protected domains")
    expect(all(len(r["mx"]) == 2 for r in rows), "each row tells of both mail servers")
    counters = there.counters
    expect(counters["smtp_hosts"] == 50 and counters["smtp"] == 100 and counters["smtp_with_sni"] == 50,
           f"one conversation with SNI and one without for each host: {counters}")
    expect(counters["smtp_repeated"] == 0, f"no host twice: {counters}")
    expect(10 <= counters["https_at_once"] <= 20, f"polite to the address that all policy hosts share: {counters}")
    expect(counters["smtp_at_once_one_address"] <= 2, f"polite to each address: {counters}")


def provider(given: Given) -> None:
    """200 mail servers of one provider, each with its address: never more than 40 connections to all of them."""
    domains = farm.write_list(given.folder / "list", "p", 200)
    with farm.Farm(given.program, given.folder, latency=20) as there:
        done = finish(given, given.scan(*there.options(), str(domains)))
    counters = there.counters
    expect(done.status == 0 and counters["smtp_hosts"] == 200, f"status {done.status}, {counters}: {done.said}")
    expect(20 <= counters["smtp_at_once"] <= 40, f"polite to a provider, and not one by one: {counters}")


def all_hosts(given: Given) -> None:
    """smtp-connections bounds the connections to all mail servers together."""
    domains = farm.write_list(given.folder / "list", "f", 200)
    config = given.folder / "mailtight.toml"
    config.write_text("[scan]\nsmtp-connections = 15\n")
    with farm.Farm(given.program, given.folder, latency=20) as there:
        done = finish(given, given.scan("--config", str(config), *there.options(), str(domains)))
    counters = there.counters
    expect(done.status == 0 and counters["smtp_hosts"] == 200, f"status {done.status}, {counters}: {done.said}")
    expect(10 <= counters["smtp_at_once"] <= 15, f"the bound over all hosts: {counters}")


def wait_for_rows(path: Path, count: int, process: subprocess.Popen) -> None:
    end = time.monotonic() + 60
    while not path.exists() or path.read_bytes().count(b"\n") < count:
        expect(process.poll() is None, "the scan ended before it could be stopped")
        expect(time.monotonic() < end, "no rows came")
        time.sleep(0.02)


def stopped_and_resumed(given: Given, results: Path, how: signal.Signals, times: int) -> list[int]:
    """Stops a scan `times` times in its midst, then lets it finish; the exit statuses."""
    domains = farm.write_list(given.folder / "list", "d", 12_000)
    statuses = []
    with farm.Farm(given.program, given.folder, latency=20) as there:
        extra = ["--csv"] if results.suffix == ".csv" else []
        config = given.folder / "mailtight.toml"
        config.write_text("[scan]\nin-flight = 100\n")
        words = given.scan("--config", str(config), "--dns-only", *extra, *there.options(), str(domains),
                           "--output", str(results))
        for number in range(times):
            resume = ["--resume"] if number else []
            process = subprocess.Popen([*words, *resume], stderr=subprocess.DEVNULL)
            wait_for_rows(results, 2_000 * (number + 1), process)
            process.send_signal(how)
            statuses.append(process.wait())
            if how == signal.SIGKILL:  # and as a crash of the machine might: in the middle of a row
                with open(results, "r+b") as file:
                    file.truncate(results.stat().st_size - 5)
            else:
                expect(len(rows_of(results)) == len(set(rows_of(results))), "rows are whole after the signal")
        done = finish(given, [*words, "--resume"])
        expect("done before" in done.said, f"it tells what was done before: {done.said}")
        statuses.append(done.status)
        expect_whole(results, domains)
        once_more = finish(given, [*words, "--resume"])
        expect(once_more.said.startswith("0 domains"), f"nothing is left to do: {once_more.said}")
        expect_whole(results, domains)
    return statuses


def killed(given: Given) -> None:
    """SIGKILL three times in the midst: after --resume no line is repeated and none is lost."""
    statuses = stopped_and_resumed(given, given.folder / "results.ndjson", signal.SIGKILL, 3)
    expect(statuses == [-9, -9, -9, 1], f"exit statuses {statuses}")


def killed_csv(given: Given) -> None:
    statuses = stopped_and_resumed(given, given.folder / "results.csv", signal.SIGKILL, 2)
    expect(statuses == [-9, -9, 1], f"exit statuses {statuses}")


def interrupted(given: Given) -> None:
    """Ctrl-C, and the SIGTERM of a service manager: what was done is kept whole, exit status 3."""
    for how in (signal.SIGINT, signal.SIGTERM):
        statuses = stopped_and_resumed(given, given.folder / f"{how.name}.ndjson", how, 2)
        expect(statuses == [3, 3, 1], f"exit statuses {statuses} after {how.name}")


def changed_list(given: Given) -> None:
    """Results of another list are refused with exit status 2 and left as they are."""
    results = given.folder / "results.ndjson"
    lines = [f"d{number}.bench" for number in range(0, 400, 2)]
    domains = given.folder / "list"
    domains.write_text("\n".join(lines) + "\n")
    with farm.Farm(given.program, given.folder) as there:
        words = given.scan("--dns-only", *there.options(), str(domains), "--output", str(results))
        first = finish(given, words)
        expect(first.status in (0, 1), f"exit status {first.status}: {first.said}")
        expect(finish(given, words).status == 2, "existing results need --resume")
        before = results.read_bytes()
        shorter = before[:before.index(b"\n", len(before) // 2) + 1]
        for name, changed in (("a line replaced", [*lines[:3], "other.bench", *lines[4:]]),
                              ("a line put in front", ["other.bench", *lines]),
                              ("a line left out", lines[1:]), ("the end cut off", lines[:20])):
            results.write_bytes(shorter)
            domains.write_text("\n".join(changed) + "\n")
            done = finish(given, [*words, "--resume"])
            expect(done.status == 2, f"{name}: exit status {done.status}: {done.said}")
            expect(results.read_bytes() == shorter, f"{name}: the results are as they were")
        domains.write_text("\n".join([*lines, "d1000.bench"]) + "\n")
        expect(finish(given, [*words, "--resume"]).status in (0, 1), "a list that has grown at its end goes on")
        expect_whole(results, domains)


def memory(given: Given) -> None:
    """Memory is bounded by what is under way, not by the list."""
    domains = farm.write_list(given.folder / "list", "d", 40_000)
    with farm.Farm(given.program, given.folder, latency=5) as there:
        done = finish(given, given.scan("--dns-only", *there.options(), str(domains)))
    expect(done.status == 1, f"exit status {done.status}: {done.said}")
    half = max(kb for at, kb in done.resident if at < done.seconds * 0.5)
    print(f"resident: {half} kB at most in the first half, {done.peak} kB at most in all")
    expect(done.peak < half + 8 * 1024, f"{half} kB in the first half, {done.peak} kB at the end")
    expect(done.peak < 120 * 1024, f"{done.peak} kB")


CASES = [once_each, provider, all_hosts, killed, killed_csv, interrupted, changed_list, memory]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", choices=[case.__name__ for case in CASES])
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--farm", type=Path, required=True)
    wanted = parser.parse_args()
    given = Given()
    given.binary, given.program = wanted.binary.resolve(), wanted.farm.resolve()
    folder = farm.inside()
    if not folder:
        with tempfile.TemporaryDirectory(prefix="mailtight-scan-") as made:
            return farm.again(Path(made))
    given.folder = folder
    try:
        next(case for case in CASES if case.__name__ == wanted.case)(given)
    except AssertionError as problem:
        print(f"{wanted.case}: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
