#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the cases of sending inside the lab's namespaces: drive.py --binary PATH --build DIR [--only TEXT]"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from sending import cases_commands, cases_mail, cases_middle, cases_service, mail_servers, net  # noqa: E402,F401
from sending.case import World, run  # noqa: E402

SNIPPETS = Path(__file__).resolve().parents[3] / "packaging" / "exim"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    net.end()
    net.build()
    mail_servers.trust(given.build / "ca.pem")
    with tempfile.TemporaryDirectory(prefix="sending-", dir="/run/lab") as folder:
        Path(folder).chmod(0o755)  # mail servers ask under users of their own
        world = World(given.binary, given.build, Path(folder), SNIPPETS)
        problems: list[str] = []
        try:
            world.start()
            held, failed = run(world, given.only)
        finally:
            problems = world.stop()
            net.end()
    for problem in problems:
        print(f"FAILED sending: {problem}")
    print(f"{held} passed, {failed + len(problems)} failed")
    return 1 if failed or problems else 0


if __name__ == "__main__":
    sys.exit(main())
