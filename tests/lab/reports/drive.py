#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the cases of reports inside the lab's namespaces: drive.py --binary PATH --build DIR [--only TEXT] [--full]"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import world  # noqa: E402
from authority import Authority  # noqa: E402
from reports import cases_alarms, cases_faults, cases_kills, cases_mailboxes, cases_pages, cases_ways_in  # noqa: E402,F401
from reports.case import run  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--full", action="store_true", help="the sizes of ./test --long")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="reports-", dir="/run/lab") as folder:
        authority = Authority(given.build / "ca", Path(folder) / "certs")
        chain = authority.leaf("good", [f"in.{world.REPORTS}", f"mx.{world.REPORTS_DIRECT}"])
        held, failed = run(given.binary, given.build, Path(folder), str(chain), str(authority.key_file), given.only,
                           given.full)
    print(f"{held} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
