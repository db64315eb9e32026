# SPDX-License-Identifier: Apache-2.0
"""Cases of reports: functions that are given a workshop, and statements about what the daemon then says."""

from __future__ import annotations

import time
from pathlib import Path

from reporters import Keys
from reports.daemon import Daemon
from statements import Statements

_cases: list[tuple[str, tuple[str, ...], object]] = []


def case(name: str, engines: tuple[str, ...] = ("sqlite",), proves: list[str] = ()):  # noqa: ARG001 - see tools/proofs.py
    """Registers a case; it runs once for each engine of the store."""
    def register(work):
        _cases.append((name, engines, work))
        return work
    return register


class Shop(Statements):
    """What a case works with."""

    def __init__(self, binary: Path, build: Path, folder: Path, engine: str, certificate: str, key: str, full: bool):
        self.binary, self.build, self.folder, self.engine, self.full = binary, build, folder, engine, full
        self.keys = Keys(build / "ca")
        self.pair = f'"{certificate} {key}"'
        super().__init__()
        self.daemons: list[Daemon] = []

    def daemon(self, more: str = "", start: bool = True) -> Daemon:
        made = Daemon(self.binary, self.build, self.folder / f"daemon{len(self.daemons)}", self.engine, more, self.pair)
        self.daemons.append(made)
        if start:
            made.start()
        return made


def run(binary: Path, build: Path, folder: Path, certificate: str, key: str, only: str, full: bool) -> tuple[int, int]:
    """Runs the cases in order; prints a line each. Returns how many held and how many did not."""
    held = failed = 0
    for name, engines, work in _cases:
        for engine in engines:
            label = f"reports: {name}" + (f" ({engine})" if len(engines) > 1 else "")
            if only not in label:
                continue
            began = time.monotonic()
            shop = Shop(binary, build, folder / f"{held + failed}", engine, certificate, key, full)
            try:
                work(shop)
            except Exception as problem:  # a case that cannot go on is a case that failed
                shop.differences.append(f"{type(problem).__name__}: {problem}")
            for daemon in shop.daemons:
                try:
                    daemon.stop()
                except Exception as problem:  # noqa: BLE001
                    shop.differences.append(f"the daemon did not end: {problem}")
                if shop.differences:
                    shop.differences.append(f"log: {daemon.tail()[-600:]}")
            if not shop.checked:
                shop.differences.append("it states nothing")
            print(f"{'FAILED' if shop.differences else 'ok':7} {label:82} {time.monotonic() - began:5.1f} s", flush=True)
            for difference in shop.differences:
                print(f"      {difference}", flush=True)
            held, failed = held + (not shop.differences), failed + bool(shop.differences)
    return held, failed
