#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the cases of outgoing reports inside the lab's namespaces: drive.py --binary PATH --build DIR [--only TEXT] [--full]"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from outgoing import cases_day, cases_faults, cases_pairs, cases_ways  # noqa: E402,F401
from outgoing.case import Trial, World  # noqa: E402
from sending import mail_servers, net  # noqa: E402
from sending.case import run  # noqa: E402

SNIPPETS = Path(__file__).resolve().parents[3] / "packaging" / "exim"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--full", action="store_true", help="the sizes of ./test --long")
    given = parser.parse_args()
    net.own("reporting-")
    net.end()
    net.build()
    mail_servers.trust(given.build / "ca.pem")
    with tempfile.TemporaryDirectory(prefix="outgoing-", dir="/run/lab") as folder:
        Path(folder).chmod(0o755)  # mail servers ask under users of their own
        # The same program, whose policy time may be moved: in it a day passes at once.
        world = World(given.binary.with_name("mailtight-lab"), given.build, Path(folder), SNIPPETS, given.full)
        problems: list[str] = []
        try:
            world.start()
            held, failed = run(world, given.only, "outgoing", Trial)
        finally:
            problems = world.stop()
            net.end()
    for problem in problems:
        print(f"FAILED outgoing: {problem}")
    print(f"{held} passed, {failed + len(problems)} failed")
    return 1 if failed or problems else 0


if __name__ == "__main__":
    sys.exit(main())
