#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the cases of publishing inside the lab's namespaces: drive.py --binary PATH --build DIR [--only TEXT] [--full]"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from publish import cases_api, cases_export, cases_guided, cases_host, cases_judges, cases_kills, cases_pages, cases_refused, cases_rise, cases_watch, cases_ways  # noqa: E402,F401
from publish.case import Trial, World  # noqa: E402
from sending import mail_servers, net  # noqa: E402
from sending.case import run  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--full", action="store_true", help="the sizes of ./test --long")
    given = parser.parse_args()
    net.own("publishing-")
    net.end()
    net.build()
    mail_servers.trust(given.build / "ca.pem")
    with tempfile.TemporaryDirectory(prefix="publish-", dir="/run/lab") as folder:
        Path(folder).chmod(0o755)  # mail servers ask under users of their own
        # The same program, whose policy time may be moved: in it a week passes at once.
        world = World(given.binary.with_name("mailtight-lab"), given.build, Path(folder), given.full)
        problems: list[str] = []
        try:
            world.start()
            held, failed = run(world, given.only, "publish", Trial)
        finally:
            problems = world.stop()
            net.end()
    for problem in problems:
        print(f"FAILED publish: {problem}")
    print(f"{held} passed, {failed + len(problems)} failed")
    return 1 if failed or problems else 0


if __name__ == "__main__":
    sys.exit(main())
