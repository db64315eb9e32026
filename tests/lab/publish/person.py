# SPDX-License-Identifier: Apache-2.0
"""The person who looks after a domain: asks for its plan, does what the plan asks a person for, lets the days pass that
it says to wait, and comes back; until the plan says that all is done."""

from __future__ import annotations

import datetime
import threading
import time

from publish.case import Trial
from publish.publisher import Publisher
from reporters import Keys, Report, policy


def seconds_of(text: str) -> float:
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class Person:
    """`does`: step kind -> what is done when the plan asks for it, given the step. `turn` is held while days pass."""

    def __init__(self, trial: Trial, publisher: Publisher, domain: str, does: dict | None = None):
        self.trial, self.publisher, self.domain = trial, publisher, domain
        self.does = {"report-way": self._report_way, "evidence": self._a_day_of_reports, "point-host": self._records, "publish-tlsrpt": self._records,
                     "publish-record": self._records, "remove-record": self._records, "remove-host": self._records, **(does or {})}
        self.turn = threading.Lock()
        self.moved: list = []  # other daemons whose days pass too
        self.history: list[tuple[str, str, float]] = []  # step, state, policy time; as it was first seen
        self.asked: list[str] = []  # steps that it did itself
        self.waits: list[tuple[str, float]] = []  # words, and for how long
        self.last: dict = {}

    def now(self) -> float:
        return time.time() + self.publisher.ahead

    def plan(self, *words: str) -> dict:
        self.last = self.publisher.plan(self.domain, *words)
        for step in self.last["steps"]:
            seen = (step["kind"] + (f" {step['host']}" if step.get("host") else ""), step["state"])
            if seen not in [row[:2] for row in self.history]:
                self.history.append((*seen, self.now()))
        return self.last

    def until(self, what: str, done, limit: float = 60.0) -> bool:
        """Goes on until `done(plan)`; a statement that it came to that."""
        end, acted = time.monotonic() + 2 * limit, ""  # on a busy machine
        while time.monotonic() < end:
            plan = self.plan()
            if done(plan):
                self.trial.checked += 1
                return True
            step = next((s for s in plan["steps"] if s["state"] != "done"), None)
            if step is None:
                time.sleep(0.2)
                continue
            ripe = step["state"] == "now" or (step["state"] == "waiting" and not step.get("not_before"))
            if ripe and step["kind"] in self.does and (step.get("by") == "person" or step["kind"] == "evidence"):
                key = f"{step['kind']} {step.get('host', '')} {step.get('id', '')}"
                if key != acted or step["kind"] == "evidence":
                    self.asked.append(step["kind"])
                    self.does[step["kind"]](step)
                    acted = key
                    if step["kind"] != "evidence":
                        self.pass_seconds(660)  # what was asked of a person is looked at anew in ten minutes
            elif step["state"] == "waiting" and step.get("not_before") and seconds_of(step["not_before"]) > self.now():
                self.wait_until(seconds_of(step["not_before"]), step)
            else:
                self.pass_seconds(20)  # what is tried again in half a minute is tried soon
            time.sleep(0.3)
        steps = [(s["kind"], s["state"], s.get("by"), s.get("blocked"), s.get("not_before")) for s in self.last.get("steps", []) if s["state"] != "done"]
        self.trial.true(False, f"{what} did not come within {limit:.0f} s; open: {steps[:6]}; warnings {self.last.get('warnings')}; "
                               f"log: {self.publisher.tail()[-700:]}")
        return False

    def finished(self, what: str, limit: float = 60.0) -> bool:
        return self.until(what, lambda plan: plan["finished"], limit)

    # --- time -----------------------------------------------------------------------------------------------

    def wait_until(self, when: float, step: dict) -> None:
        """Half of the way first: nothing may happen there yet."""
        span = when - self.now()
        self.waits.append((step.get("until") or step["title"], span))
        self.pass_seconds(span / 2)
        time.sleep(0.6)
        self.pass_seconds(when - self.now() + 1)

    def pass_seconds(self, span: float) -> None:
        with self.turn:
            self.publisher.pass_days(span / 86400)
            for other in self.moved:
                other.pass_time(self.publisher.ahead)

    # --- what a person does -----------------------------------------------------------------------------------

    def _report_way(self, _step: dict) -> None:
        self.publisher.say("plan", self.domain, "--said", "report-way")

    def _records(self, step: dict) -> None:
        """As they are printed."""
        for change in step["records"]:
            names, kind = self.trial.names, change["type"]
            there = names.everywhere(change["name"], kind)[0]
            kept = [value for value in there if value not in change["remove"] and value not in change["add"]]
            values = [f'"{v}"' if kind == "TXT" else f"{v}." if kind == "CNAME" else v for v in [*kept, *change["add"]]]
            names.put_and_wait(change["name"], kind, *values)

    def _a_day_of_reports(self, _step: dict) -> None:
        self.reports()
        self.pass_seconds(86400)

    def reports(self, failures: list[dict] = ()) -> None:
        """Two reporters tell of the day that just ended, as it is by policy time."""
        ago = (int(time.time()) // 86400) - (int(self.now()) // 86400 - 1)
        keys = Keys(self.trial.world.build / "ca")
        for reporter in ("reporter-one.test", "reporter-two.test"):
            report = Report(reporter, self.domain, ago, [policy(self.domain, 60, failures, mode="testing", mx=[f"mx1.{self.domain}"])])
            self.publisher.deliver(f"tls-reports@{self.domain}", report.signed(f"tls-reports@{self.domain}", keys))
