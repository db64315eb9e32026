# SPDX-License-Identifier: Apache-2.0
"""Somebody who looks at a domain all the time, from outside, and writes down what came when, and what was wrong."""

from __future__ import annotations

import re
import threading
import time

from publish.case import Trial
from publish.dns_side import PRIMARY
from publish.publisher import fetch


class Watcher:
    """Polls the authoritative server and the policy host, under a certificate that must hold. `came`: in which order things were first to be seen. `wrong`:
    a record without a body that can be fetched, two records, a body that is cut."""

    def __init__(self, trial: Trial, domain: str, beat: float = 0.05):
        self.trial, self.domain, self.beat = trial, domain, beat
        self.server = PRIMARY[trial.names.zones[trial.names.zone_of(domain)]]
        self.came: list[str] = []
        self.wrong: list[str] = []
        self.pairs: list[tuple[str, str]] = []  # id and body, as they changed
        self.looks = 0
        self.fetchable = True  # false while the host itself is down on purpose
        self.one_at_a_time = False  # the way to DNS changes one record after the other
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> "Watcher":
        self.thread.start()
        return self

    def stop(self) -> None:
        self.ending.set()
        self.thread.join()

    def first(self, what: str) -> int:
        return self.came.index(what) if what in self.came else -1

    def _note(self, what: str) -> None:
        if what not in self.came:
            self.came.append(what)

    def _run(self) -> None:
        while not self.ending.wait(self.beat):
            try:
                self._look()
                self.looks += 1
            except Exception:  # noqa: BLE001 - a server under test may be down; what it says is what counts
                time.sleep(0.1)

    def _look(self) -> None:
        names = self.trial.names
        records = [t for t in names.ask(self.server, f"_mta-sts.{self.domain}", "TXT") if t.startswith("v=STSv1")]
        if names.ask(self.server, f"_smtp._tls.{self.domain}", "TXT"):
            self._note("tlsrpt")
        if len(records) > 1 and not self.one_at_a_time:
            self.wrong.append(f"{len(records)} records: {records}")
        addresses = names.ask(self.server, f"mta-sts.{self.domain}", "A")
        if addresses:
            self._note("host")
        body = None
        for address in addresses:
            body = self._body(address)
        if body is not None:
            self._note("policy")  # before a record of the same look: which of both came first cannot be told then
            if not re.fullmatch(r"version: STSv1\r?\nmode: \w+\r?\n(mx: \S+\r?\n)*max_age: \d+\r?\n?", body):
                self.wrong.append(f"half a body: {body!r}")
        if records:
            self._note("record")
        if records and addresses and body is None and self._record_still() and self.fetchable:
            self.wrong.append("a record without a policy that can be fetched")
        if records and body is not None:
            pair = (records[0], body)
            if self.pairs[-1:] != [pair] and self._record_still() == records:
                self.pairs.append(pair)


    def _record_still(self) -> list[str]:
        return [t for t in self.trial.names.ask(self.server, f"_mta-sts.{self.domain}", "TXT") if t.startswith("v=STSv1")]

    def _body(self, address: str) -> str | None:
        try:
            status, _fields, body = fetch(f"mta-sts.{self.domain}", address, self.trial.pebble.trust)
        except OSError:
            return None
        return body.decode() if status == 200 else None
