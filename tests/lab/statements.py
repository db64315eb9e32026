# SPDX-License-Identifier: Apache-2.0
"""What a case states, and what of it was not so."""

from __future__ import annotations

import time


class Statements:
    def __init__(self) -> None:
        self.checked = 0
        self.differences: list[str] = []

    def same(self, what: str, got, wanted) -> None:
        self.true(got == wanted, f"{what} is {got!r}, expected {wanted!r}")

    def true(self, statement: bool, words: str) -> None:
        self.checked += 1
        if not statement:
            self.differences.append(words)

    def has(self, text: str, *parts: str) -> None:
        for part in parts:
            self.true(part in text, f"{part!r} is missing in {text[:900]!r}")

    def wait(self, what: str, condition, seconds: float = 40.0) -> bool:
        """Waits until it holds; a statement that it did."""
        end = time.monotonic() + seconds
        while True:
            asked = time.monotonic()  # a condition that takes long to ask is asked once more at the end
            if condition():
                self.checked += 1
                return True
            if asked >= end:
                break
            time.sleep(0.1)
        self.true(False, f"{what} did not come within {seconds:.0f} s")
        return False
