# SPDX-License-Identifier: Apache-2.0
"""Counts what held and what did not, and says it as ./test reads it."""


class Judge:
    def __init__(self):
        self.passed = self.failed = 0

    def __call__(self, what, held, why=""):
        """One statement; `why` is shown where it does not hold."""
        if held:
            self.passed += 1
            print(f"ok      {what}", flush=True)
        else:
            self.failed += 1
            print(f"FAILED  {what}", flush=True)
            for line in str(why).strip().splitlines()[-30:]:
                print(f"        {line}", flush=True)
        return held

    def add(self, counts, otherwise):
        """The counts of a part that judged for itself."""
        if counts:
            self.passed += int(counts[0])
            self.failed += int(counts[1])
        else:
            self(otherwise, False)

    def end(self):
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed or not self.passed else 0
