# SPDX-License-Identifier: Apache-2.0
"""Cases of sending. Those of one lane run one after the other, the lanes at once: they go to different domains."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from sending.daemon import Daemon
from sending.far import Far
from sending.mail_servers import Exim, Postfix, Sendmail
from statements import Statements

FIRST = "first"  # the lane before all others
_cases: list[tuple[str, str, object]] = []


def case(name: str, lane: str, proves: list[str] = ()):  # noqa: ARG001 - see tools/proofs.py
    """Registers a case of this lane."""
    def register(work):
        _cases.append((lane, name, work))
        return work
    return register


class World:
    """What all cases share: the far side, the mail servers, and the daemon that they ask."""

    def __init__(self, binary: Path, build: Path, folder: Path, snippets: Path):
        self.binary, self.build, self.folder = binary, build, folder
        self.far = Far(build, folder / "far")
        self.postfix = Postfix()
        self.daemon = Daemon(binary, build, folder / "daemon", [self.postfix.policy_socket])
        self.sendmail = Sendmail(self.daemon.socket)
        self.exim = Exim(snippets, self.daemon.lines)
        self.extra: list[Daemon] = []
        self.lock = threading.Lock()

    def start(self) -> None:
        self.far.start()
        for server in (self.postfix, self.sendmail, self.exim):
            server.prepare()
        self.daemon.start()

    def ensure_postfix(self) -> None:
        """Runs it where the case that begins with Debian's bare configuration was left out."""
        with self.lock:
            if self.postfix.process is None:
                self.postfix.start()

    def another(self, store: str = "", more: str = "") -> Daemon:
        with self.lock:
            made = Daemon(self.binary, self.build, self.folder / f"daemon{len(self.extra)}", store=store, more=more)
            self.extra.append(made)
        return made

    def stop(self) -> list[str]:
        """What did not end as it should."""
        problems = []
        for daemon in [self.daemon, *self.extra]:
            try:
                if daemon.process is not None and daemon.process.poll() is not None:
                    problems.append(f"a daemon ended by itself with {daemon.process.returncode}: {daemon.tail()}")
                elif status := daemon.stop():
                    problems.append(f"a daemon ended with {status}: {daemon.tail()[-500:]}")
            except Exception as problem:  # noqa: BLE001
                problems.append(f"a daemon did not end: {problem}")
        self.postfix.stop()
        self.far.stop()
        return problems


class Trial(Statements):
    """One case under way."""

    def __init__(self, world: World):
        super().__init__()
        self.world, self.far, self.daemon = world, world.far, world.daemon


def _one(trial: Trial, name: str, work) -> tuple[bool, str]:
    began = time.monotonic()
    try:
        work(trial)
    except Exception as problem:  # a case that cannot go on is a case that failed
        trial.differences.append(f"{type(problem).__name__}: {problem}")
    if not trial.checked:
        trial.differences.append("it states nothing")
    rows = [f"{'FAILED' if trial.differences else 'ok':7} {name:82} {time.monotonic() - began:5.1f} s"]
    return not trial.differences, "\n".join(rows + [f"      {difference[:1500]}" for difference in trial.differences])


def run(world, only: str, suite: str = "sending", trial=Trial) -> tuple[int, int]:
    """Runs the cases, each with a `trial` of this world; prints a line each. Returns how many held and how many did not."""
    chosen = [row for row in _cases if any(part in row[1] for part in only.split("|"))]
    results: list[bool] = []
    lock = threading.Lock()

    def lane(name: str) -> None:
        for here, title, work in chosen:
            if here == name:
                held, text = _one(trial(world), f"{suite}: {title}", work)
                with lock:
                    results.append(held)
                    print(text, flush=True)
    lane(FIRST)
    threads = [threading.Thread(target=lane, args=(name,)) for name in dict.fromkeys(row[0] for row in chosen) if name != FIRST]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results.count(True), results.count(False)
