# SPDX-License-Identifier: Apache-2.0
"""What a case is made of: the program run inside the lab, and statements about what it said."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import compare
from scenarios import SCENARIOS
from table import POSTFIX

GOES_OUT = {"check", "scan", "dns", "doctor", "plan"}  # and `policy new`, `policy export`, `report read`
_cases: list[tuple[str, object]] = []


def case(name: str, proves: list[str] = ()):  # noqa: ARG001 - tools/proofs.py reads `proves` from the source
    """Registers a function as the case of this name; it gets a Tool."""
    def register(work):
        assert name not in (known for known, _ in _cases), f"two cases are called {name}"
        _cases.append((name, work))
        return work
    return register


def scenario(domain: str):
    return next(s for s in SCENARIOS if s.domain == domain)


@dataclass
class Done:
    """What the program said, and how it ended."""
    words: str
    status: int
    raw: bytes
    err: str

    @property
    def out(self) -> str:
        return self.raw.decode("utf-8", "replace")

    @property
    def flat(self) -> str:
        """Standard output without its line breaks, since the width of the terminal sets those."""
        return " ".join(self.out.split())

    def json(self) -> dict:
        lines = self.out.splitlines()
        if len(lines) != 1:
            raise ValueError(f"{self.words}: {len(lines)} lines on stdout instead of one JSON document; stderr: {self.err}")
        return json.loads(lines[0])


class Tool:
    """The program in the lab, and the differences found by one case."""

    def __init__(self, lab, binary: Path, build: Path, folder: Path):
        self.lab, self.binary, self.build, self.folder = lab, binary, build, folder
        self.checked, self.differences = 0, []

    def world(self, words: tuple[str, ...], resolver: str | None = None) -> list[str]:
        """The options that make a command look at the lab; none for a command that does not go out."""
        if words[0] not in GOES_OUT and words[:2] not in (("policy", "new"), ("policy", "export"), ("report", "read")):
            return []
        options = [*compare.options(self.build), *compare.LIMITS, "--smtp-control", POSTFIX]
        if resolver:
            options[options.index("--resolver") + 1] = resolver
        pairs = zip(options[::2], options[1::2])
        return [word for pair in pairs if pair[0] not in words or pair[0] == "--allow-net" for word in pair]

    def run(self, *words: str, stdin: bytes = b"", resolver: str | None = None, limit: float = 60.0) -> Done:
        command = [str(self.binary), *words, *self.world(words, resolver)]
        done = subprocess.run(self.lab.enter(command), input=stdin, capture_output=True, timeout=limit, check=False,
                              env={**os.environ, "XDG_STATE_HOME": str(self.folder / "state")})
        return Done(" ".join(words), done.returncode, done.stdout, done.stderr.decode("utf-8", "replace"))

    def inside(self, *words: str, stdin: bytes = b"") -> str:
        """A command of the lab's own, such as replacing a file that a server serves."""
        done = subprocess.run(self.lab.enter(list(words)), input=stdin, capture_output=True, timeout=30, check=True)
        return done.stdout.decode()

    def file(self, name: str, content: bytes) -> str:
        path = self.folder / name
        path.write_bytes(content)
        return str(path)

    def exists(self, name: str) -> bool:
        """Whether a file of that name lies anywhere below the case's folder."""
        return any(self.folder.rglob(name))

    # Statements: each counts, and one that fails does not keep the others from being looked at.
    def true(self, statement: bool, words: str) -> None:
        self.checked += 1
        if not statement:
            self.differences.append(words)

    def same(self, what: str, got, wanted) -> None:
        self.true(got == wanted, f"{what} is {got!r}, expected {wanted!r}")

    def has(self, text: str, *parts: str) -> None:
        for part in parts:
            self.true(part in text, f"{part!r} is missing in {text[:700]!r}")

    def lacks(self, text: str, *parts: str) -> None:
        for part in parts:
            self.true(part not in text, f"{part!r} stands in {text[:700]!r}")

    def ends(self, done: Done, status: int) -> None:
        self.true(done.status == status, f"{done.words}: status {done.status}, expected {status}: "
                                         f"{(done.err or done.out)[-300:]}")


def _run(lab, binary: Path, build: Path, number: int, name: str, work) -> tuple[list[str], float]:
    began = time.monotonic()
    folder = build / f"cli-{os.getpid()}" / str(number)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    tool = Tool(lab, binary, build, folder)
    try:
        work(tool)
    except Exception as problem:  # a case that cannot go on is a case that failed
        tool.differences.append(f"{type(problem).__name__}: {problem}")
    if not tool.checked:
        tool.differences.append("it states nothing")
    return tool.differences, time.monotonic() - began


def names() -> list[str]:
    return [name for name, _ in _cases]


def selected(only: str) -> list[tuple[int, str, object]]:
    """The cases whose name fits, each with its number."""
    return [(i, name, work) for i, (name, work) in enumerate(_cases) if fnmatch(name, only)]


def run_all(lab, binary: Path, build: Path, only: str, jobs: int) -> tuple[int, list[str]]:
    """Runs the cases whose name fits `only`. Returns how many held, and a paragraph for each that did not."""
    chosen = selected(only)
    held, failed = 0, []
    try:
        with ThreadPoolExecutor(jobs) as pool:
            results = list(pool.map(lambda c: _run(lab, binary, build, *c), chosen))
        for (number, name, work), (differences, took) in zip(chosen, results):
            if differences:  # as the scenarios: once more by itself, since a busy machine is slow
                again, _ = _run(lab, binary, build, number, name, work)
                if not again:
                    print(f"right only at the second look: {name}: {'; '.join(differences)[:300]}")
                differences = again
            print(f"{'FAILED' if differences else 'ok':7} {name:82} {took:5.1f} s", flush=True)
            if differences:
                failed.append(f"{name}\n" + "\n".join(f"      {d}" for d in differences))
            else:
                held += 1
    finally:
        shutil.rmtree(build / f"cli-{os.getpid()}", ignore_errors=True)
    return held, failed
