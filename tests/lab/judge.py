# SPDX-License-Identifier: Apache-2.0
"""The commands `test`, `mutate` and `list` of run_lab.py."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cli
import compare
import host
from cli import shapes
from scenarios import SCENARIOS

BUILD = compare.REPO / "build" / "lab"
TOGETHER_LIMIT = 150.0  # seconds for all domains in one run


def show() -> int:
    for s in SCENARIOS:
        print(f"{s.domain:32} {s.verdict:12} {s.status}  {' '.join(sorted(s.codes)) or '-'}\n{'':32} {s.why}")
    print("\nCases of commands (tests/lab/cli/):\n" + "\n".join(f"  {name}" for name in cli.names()))
    return 0


def _tell(outcome: compare.Outcome) -> None:
    mark = "FAILED" if outcome.differences else "ok"
    print(f"{mark:7} {outcome.scenario.domain:32} {outcome.took:5.1f} s", flush=True)


def _table(outcomes: list[compare.Outcome]) -> None:
    failed = [o for o in outcomes if o.differences]
    if failed:
        print("\nWhat differs from the table:")
    for outcome in failed:
        print(f"  {outcome.scenario.domain}  ({outcome.scenario.why})")
        for difference in outcome.differences:
            print(f"      {difference}")


def _look_again(lab, binary: Path, outcomes: list[compare.Outcome]) -> list[compare.Outcome]:
    """What differs is looked at once more by itself: a busy machine makes servers slow, and slowness is a finding.
    It is said which ones needed it."""
    differing = [o for o in outcomes if o.differences]
    if not differing or len(differing) > 20:
        return outcomes
    again = {o.scenario.domain: o for o in compare.run_all(lab, binary, BUILD, [o.scenario for o in differing], 1)}
    for before in differing:
        if not again[before.scenario.domain].differences:
            print(f"right only at the second look: {before.scenario.domain}: {'; '.join(before.differences)[:300]}")
    return [again.get(o.scenario.domain, o) for o in outcomes]


def _report(outcomes: list[compare.Outcome], checks: dict[str, list[str]], held: int, not_held: list[str],
            seconds: float) -> int:
    """`held` cases of commands hold, `not_held` say which do not and why."""
    _table(outcomes)
    if not_held:
        print("\nCommands that do otherwise than their cases say:")
        for problem in not_held:
            print(f"  {problem}")
    for name, problems in checks.items():
        print(f"{'FAILED' if problems else 'ok':7} {name}")
        for problem in problems:
            print(f"      {problem}")
    slowest = sorted(outcomes, key=lambda o: -o.took)[:3]
    print(f"\n{len(outcomes)} scenarios in {seconds:.0f} s; slowest: "
          + ", ".join(f"{o.scenario.domain} {o.took:.1f} s" for o in slowest))
    results = [False] * held + [True] * len(not_held)
    results += [bool(o.differences) for o in outcomes] + [bool(problems) for problems in checks.values()]
    print(f"{results.count(False)} passed, {results.count(True)} failed")
    return 1 if any(results) else 0


DRIVEN = ("reports", "sending", "outgoing", "publish")  # folders of cases with a drive.py that runs inside


def _driven(lab, binary: Path, kind: str, only: str, full: bool) -> tuple[int, list[str]]:
    """The cases of one such folder. Returns how many held, and what did not."""
    words = [sys.executable, str(compare.REPO / "tests" / "lab" / kind / "drive.py"), "--binary", str(binary),
             "--build", str(BUILD), "--only", only, *(["--full"] if full and kind != "sending" else [])]
    process = subprocess.Popen(lab.enter(words), stdout=subprocess.PIPE, text=True)
    held, not_held, last = 0, [], ""
    for line in process.stdout:
        print(line, end="", flush=True)
        last = line
        if line.startswith("ok "):
            held += 1
        elif line.startswith("FAILED "):
            not_held.append(line[7:].strip())
    if process.wait() > 1 or "passed" not in last:
        not_held.append(f"the cases of {kind} broke off with {process.returncode}")
    return held, not_held


_CASE = re.compile(r"(?P<kind>\w+): (?P<name>.+?) +[0-9.]+ s$")


def _try_again(lab, binary: Path, full: bool, problems: list[str]) -> tuple[int, list[str]]:
    """A case that fails beside all the others is run once more by itself: a busy machine makes mail servers late. It
    is said which ones needed it; in `--full`, where nothing is hurried, the first try decides."""
    found = [_CASE.match(problem) for problem in problems]
    if full or not all(found) or len(found) > 3:
        return 0, problems
    held, left = 0, []
    for case in found:
        print(f"once more, by itself: {case['kind']}: {case['name']}", flush=True)
        good, bad = _driven(lab, binary, case["kind"], case["name"], full)
        held += good
        left += bad or ([] if good else [f"{case['kind']}: {case['name']}: no case of that name ran by itself"])
        if good and not bad:
            print(f"right only at the second try: {case['kind']}: {case['name']}", flush=True)
    return held, left


def _all_driven(lab, binary: Path, given) -> tuple[int, list[str]]:
    """Those that `--only` names, at once: they share nothing but the processor."""
    kind, _, only = given.only.partition(":")
    kinds = [k for k in DRIVEN if given.only == "*" or k == kind]
    with ThreadPoolExecutor(len(DRIVEN)) as pool:
        results = list(pool.map(lambda k: _driven(lab, binary, k, only.strip(" *"), given.full), kinds))
    held, problems = sum(held for held, _ in results), [problem for _, some in results for problem in some]
    more, problems = _try_again(lab, binary, given.full, problems)
    return held + more, problems


def test(make_lab, given) -> int:
    """Every scenario in a lab of its own, all of them in one run, and the host as it was before."""
    binary = given.binary.resolve()
    if not os.access(binary, os.X_OK):
        raise RuntimeError(f"there is no program at {binary}: build it first")
    scenarios = compare.selected(given.only)
    if not scenarios and not cli.selected(given.only) and not given.only.startswith(DRIVEN):
        raise RuntimeError(f"no scenario and no case is called {given.only}; `list` shows them all")
    checks: dict[str, list[str]] = {}
    if given.only == "*":
        checks["every code has a scenario"] = [f"no scenario provokes {code}" for code in compare.uncovered()]
    before = host.snapshot()
    running = make_lab(BUILD / "up")
    own = not (given.keep and running.running())
    lab = make_lab(BUILD / f"test-{os.getpid()}") if own else running
    began = time.monotonic()
    if own:
        lab.start(tied=True)
        print(f"the lab started in {time.monotonic() - began:.1f} s", flush=True)
    try:
        during = host.changes(before, host.snapshot())
        outcomes = compare.run_all(lab, binary, BUILD, scenarios, given.jobs, tell=_tell)
        outcomes = _look_again(lab, binary, outcomes)
        for o in outcomes:  # whatever a domain is like, its document has the keys that scripts hold on to
            o.differences += shapes.unfit(o.document, shapes.CHECK) if o.document else []
        held, not_held = cli.run_all(lab, binary, BUILD, given.only, given.jobs)
        more, problems = _all_driven(lab, binary, given)
        held, not_held = held + more, not_held + problems
        if len(scenarios) > 1:
            checks["all domains in one run give the same"] = [
                f"{o.scenario.domain}: {'; '.join(o.differences)[:300]}"
                for o in compare.run_together(lab, binary, BUILD, scenarios, TOGETHER_LIMIT) if o.differences]
        ended = [row for row in (lab.state / "lab.log").read_text(errors="replace").splitlines() if "ended with" in row]
        checks["every server of the lab lives to the end"] = ended
    finally:
        if own:
            lab.stop()
    checks["the host is unchanged"] = list(dict.fromkeys(during + host.changes(before, host.snapshot())))
    if given.json:
        given.json.write_text(json.dumps({o.scenario.domain: o.document for o in outcomes}, indent=1))
    return _report(outcomes, checks, held, not_held, time.monotonic() - began)


def mutate(make_lab, given) -> int:
    """Leaves out one code after the other: each scenario that expects it must then fail."""
    binary = given.binary.resolve()
    lab = make_lab(BUILD / f"mutate-{os.getpid()}")
    lab.start(tied=True)
    survived, killed = [], 0
    try:
        for code in sorted(code for code, history in compare.catalogue().items() if not history):
            if given.code and code not in given.code:
                continue
            scenarios = [s for s in SCENARIOS if code in s.codes][:given.per_code]
            if not scenarios:
                survived.append(f"{code}: no scenario provokes it")
                continue
            outcomes = compare.run_all(lab, binary, BUILD, scenarios, given.jobs, ["--without-code", code])
            for o in outcomes:
                if f"missing {code}" in o.differences:
                    killed += 1
                else:
                    survived.append(f"{code}: {o.scenario.domain} does not notice that the rule is left out"
                                    f" ({'; '.join(o.differences) or 'no difference'})")
            print(f"{code}: {len(scenarios)} scenarios", flush=True)
    finally:
        lab.stop()
    for text in survived:
        print(f"  {text}", file=sys.stderr)
    print(f"{killed} passed, {len(survived)} failed")
    return 1 if survived else 0
