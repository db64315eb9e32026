# SPDX-License-Identifier: Apache-2.0
"""What the reporters that are reports alone tell of a day: the same numbers for the same seed. The days before the story
are signed mails in a folder, for `report import`; those of the story travel as any report does."""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Iterator
from pathlib import Path

from demo.table import DOMAINS, HISTORY, MAILBOX, REPORTERS, Domain, Reporter
from reporters import Keys, Report, failure, policy

SENDING = {"bigmail.test": "198.51.100.7", "workmail.test": "198.51.100.40", "campus.test": "203.0.113.9"}


class Numbers:
    """`weekday`: of day 0, Monday is 0."""

    def __init__(self, seed: int, weekday: int):
        self.seed, self.weekday = seed, weekday

    def _chance(self, *what: object) -> random.Random:
        return random.Random(hashlib.sha256(repr((self.seed, *what)).encode()).digest())

    def sessions(self, domain: Domain, reporter: Reporter, day: int) -> int:
        """Fewer on weekends, a little more each week."""
        chance = self._chance("sessions", domain.name, reporter.domain, day)
        weekend = 0.35 if (day + self.weekday) % 7 >= 5 else 1.0
        growth = math.exp(0.003 * day)
        return int(domain.sessions * reporter.weight * weekend * growth * chance.uniform(0.85, 1.15))

    def report(self, domain: Domain, reporter: Reporter, day: int, over: frozenset[tuple[str, str]] = frozenset()) -> Report | None:
        """Its report of this day; none where there was no mail. `over`: faults (domain, result) that were mended."""
        total = self.sessions(domain, reporter, day)
        if total == 0:
            return None
        chance, failures = self._chance("failures", domain.name, reporter.domain, day), []
        for fault in domain.faults:
            if fault.first <= day <= fault.last and (domain.name, fault.result) not in over:
                count = total if fault.share >= 1 else round(total * fault.share * chance.uniform(0.6, 1.4))
                if count:
                    detail = failure(fault.result, count, f"{fault.mx}.{domain.name}" if fault.mx else "")
                    detail["sending-mta-ip"] = SENDING[reporter.domain]
                    failures.append({key: value for key, value in detail.items() if value})
        failed = sum(one["failed-session-count"] for one in failures)
        labels = domain.policy_mx or [m.label for m in domain.mx]
        said = policy(domain.name, max(0, total - failed), failures, kind="sts" if domain.mode else "no-policy-found",
                      mode=domain.mode, mx=[f"{label}.{domain.name}" for label in labels])
        return Report(reporter.domain, domain.name, -day, [said])

    def of_day(self, day: int, over: frozenset[tuple[str, str]] = frozenset()) -> Iterator[Report]:
        for domain in (d for d in DOMAINS if d.tlsrpt):
            for reporter in (r for r in REPORTERS if not r.real):
                if (made := self.report(domain, reporter, day, over)) is not None:
                    yield made


def write(numbers: Numbers, folder: Path, keys: Keys, days: int = HISTORY) -> int:
    """The mails of the days before the story; how many."""
    folder.mkdir()
    count = 0
    for day in range(-days, 0):
        for report in numbers.of_day(day):
            (folder / f"{count:05}.eml").write_bytes(report.signed(MAILBOX, keys, algorithm="ed25519"))
            count += 1
    for mail in forged(numbers):
        (folder / f"{count:05}.eml").write_bytes(mail)
        count += 1
    return count


def forged(numbers: Numbers) -> Iterator[bytes]:
    """What must not count: a report in the name of a reporter that nobody signed, and one about a domain of somebody else."""
    failures = [failure("certificate-not-trusted", 9000, "mx1.harbour.test")]
    yield Report("bigmail.test", "harbour.test", 2, [policy("harbour.test", 3, failures)], tag="f").mail(MAILBOX)
    yield Report("workmail.test", "elsewhere.test", 5, [policy("elsewhere.test", 12)], tag=f"x{numbers.seed}").mail(MAILBOX)
