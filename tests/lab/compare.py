# SPDX-License-Identifier: Apache-2.0
"""Runs the real binary on scenarios and compares codes, verdict and exit status exactly."""

from __future__ import annotations

import fnmatch
import json
import os
import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from scenarios import SCENARIOS
from table import POSTFIX, Scenario
from world import RESOLVER

REPO = Path(__file__).resolve().parent.parent.parent


def options(build: Path) -> list[str]:
    """What makes the binary look at the lab instead of the world."""
    return ["--resolver", RESOLVER, "--ca-file", str(build / "ca.pem"), "--allow-net", "127.0.0.0/8", "--allow-net",
            "fd00::/8", "--allow-net", "192.0.2.0/24"]


# A hostile server must not make the program grow: beyond this it could not allocate, and the scenario would fail.
# A sanitizer build reserves memory for its shadow, and is not limited.
MEMORY = [] if os.environ.get("LAB_NO_MEMORY_LIMIT") else ["prlimit", "--data=268435456", "--"]

# Short enough to see every hostile server through, and long enough for the slow ones.
LIMITS = ["--dns-timeout", "6s", "--connect-timeout", "3s", "--smtp-timeout", "8s", "--https-timeout", "12s"]


@dataclass
class Outcome:
    """What the binary said of one scenario, and how it differs from the table."""
    scenario: Scenario
    took: float = 0.0
    differences: list[str] = field(default_factory=list)
    document: dict = field(default_factory=dict)


def selected(only: str) -> list[Scenario]:
    return [s for s in SCENARIOS if fnmatch.fnmatch(s.domain, only) or fnmatch.fnmatch(s.domain, only + ".test")]


def _judge(scenario: Scenario, status: int, document: dict) -> list[str]:
    found = sorted(f["code"] for f in document.get("findings", []))
    differences = []
    for code in sorted(scenario.codes - set(found)):
        differences.append(f"missing {code}")
    for code in sorted(set(found) - scenario.codes):
        texts = [f"{f.get('subject', '')}: {f.get('message', '')} [{f.get('evidence', '')}]"
                 for f in document["findings"] if f["code"] == code]
        differences.append(f"unexpected {code} ({'; '.join(texts)[:220]})")
    if document.get("verdict") != scenario.verdict:
        differences.append(f"verdict {document.get('verdict')}, expected {scenario.verdict}")
    if status != scenario.status:
        differences.append(f"exit status {status}, expected {scenario.status}")
    for key, value in scenario.expect.items():
        if key not in document or document[key] != value:
            differences.append(f"{key} is {document.get(key)!r}, expected {value!r}")
    return differences


def run_one(lab, binary: Path, build: Path, scenario: Scenario, extra: list[str]) -> Outcome:
    control = [] if "--smtp-control" in scenario.args else ["--smtp-control", POSTFIX]
    world = options(build)[2:] if "--dns-mode" in scenario.args else options(build)
    if not scenario.allow_net:
        world = world[:world.index("--allow-net")]
    own = [word.replace("BUILD", str(build)) for word in scenario.args]
    command = [*MEMORY, str(binary), "check", "--json", *world, *LIMITS, *control, *own, *extra, scenario.domain]
    outcome = Outcome(scenario)
    began = time.monotonic()
    try:
        done = subprocess.run(lab.enter(command), capture_output=True, timeout=scenario.limit, check=False,
                              stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        outcome.took = time.monotonic() - began
        outcome.differences = [f"no answer within {scenario.limit:.0f} s"]
        return outcome
    outcome.took = time.monotonic() - began
    try:
        outcome.document = json.loads(done.stdout)
    except ValueError:
        said = (done.stderr or done.stdout).decode("utf-8", "replace").strip()[-300:]
        outcome.differences = [f"exit status {done.returncode}, and no JSON document: {said}"]
        return outcome
    outcome.differences = _judge(scenario, done.returncode, outcome.document)
    return outcome


def run_together(lab, binary: Path, build: Path, scenarios: list[Scenario], seconds: float) -> list[Outcome]:
    """One process for all domains at once: what they share (probes, cache, connections) must not show."""
    alike = [s for s in scenarios if not s.args and s.allow_net]
    command = [*MEMORY, str(binary), "check", "--json", *options(build), *LIMITS, "--smtp-control", POSTFIX,
               *(s.domain for s in alike)]
    try:
        done = subprocess.run(lab.enter(command), capture_output=True, timeout=seconds, check=False,
                              stdin=subprocess.DEVNULL)
        documents = {d["domain"]: d for d in map(json.loads, done.stdout.splitlines())}
        lost = f"no document in the common run; {done.stderr.decode('utf-8', 'replace')[-200:]}"
    except subprocess.TimeoutExpired:
        documents, lost = {}, f"the common run did not end within {seconds:.0f} s"
    outcomes = []
    for scenario in alike:
        document = documents.get(scenario.domain)
        differences = _judge(scenario, scenario.status, document) if document else [lost]
        outcomes.append(Outcome(scenario, 0.0, differences, document or {}))
    return outcomes


def run_all(lab, binary: Path, build: Path, scenarios: list[Scenario], jobs: int, extra: list[str] = (),
            tell=lambda outcome: None) -> list[Outcome]:
    def one(scenario: Scenario) -> Outcome:
        outcome = run_one(lab, binary, build, scenario, list(extra))
        tell(outcome)
        return outcome
    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(one, scenarios))


def catalogue() -> dict[str, bool]:
    """Every code of src/findings and whether it needs history, read from the table in the source."""
    codes: dict[str, bool] = {}
    for path in sorted((REPO / "src" / "findings").glob("catalogue_*.cpp")):
        text = path.read_text(encoding="utf-8")
        entries = list(re.finditer(r'\{"([a-z0-9-]+\.[a-z0-9-]+)"', text))
        for entry, after in zip(entries, [*entries[1:], None]):
            codes[entry.group(1)] = "needs_history" in text[entry.end():after.start() if after else len(text)]
    return codes


def uncovered() -> list[str]:
    """Codes that can be found by looking once and that no scenario provokes."""
    provoked = set().union(*(s.codes for s in SCENARIOS))
    return sorted(code for code, history in catalogue().items() if not history and code not in provoked)
