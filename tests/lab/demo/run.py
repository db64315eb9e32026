#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""./run demo: a small living internet on this machine, with the dashboard of the one who looks after its domains.

  run.py [--day SECONDS] [--seed N] [--port N]     until Ctrl-C; a line for whatever happens
  run.py --json                                    for programs: events and orders as JSON lines (see drive.py)
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import packages  # noqa: E402
from demo.forward import Forwarder, free_port  # noqa: E402
from demo.table import DOMAINS, HISTORY  # noqa: E402
from run_lab import BUILD, Lab  # noqa: E402

NEEDS = """The demo lives in network, mount and process namespaces of its own, which only root may make. Nothing of this
machine is changed, and all of it is gone at the end. Start it as root:

  sudo ./run demo
"""


class Demo:
    """The lab's namespaces, the world inside, and the way to its pages. `tell(event)` is called for every event."""

    def __init__(self, given: argparse.Namespace, tell):
        self.tell, self.port = tell, free_port(given.port)
        self.lab = Lab(BUILD / f"demo-{os.getpid()}")
        self.forwarder: Forwarder | None = None
        self.ready = False
        self.lab.start(tied=True, bare=True)
        words = ["--binary", str(given.binary.resolve()), "--build", str(BUILD), "--seed", str(given.seed), "--history", str(given.history),
                 "--day", str(given.day), "--days", str(given.days), "--port", str(self.port),
                 *(["--no-web"] if given.no_web else []), *(["--few"] if given.few else [])]
        # Ctrl-C is for this process, which ends the others in order.
        self.process = subprocess.Popen(self.lab.enter([sys.executable, str(HERE / "drive.py"), *words]), stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=open(self.lab.state / "drive.log", "ab"), text=True,
                                        start_new_session=True)
        self.ended = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        for line in self.process.stdout:
            try:
                event = json.loads(line)
            except ValueError:
                continue
            self.ready = self.ready or event["event"] == "ready"
            if event["event"] == "ready" and event["web"]:
                self.forwarder = Forwarder(f"/proc/{self.lab.init()}/root/run/netns/demo-far", self.port)
            self.tell(event)
        self.ended.set()

    def order(self, what: dict) -> None:
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()

    def stop(self) -> None:
        """In order, and where that takes too long, at once: with its first process the kernel ends all that is inside."""
        try:
            if not self.ready:  # it takes no orders yet
                raise OSError
            self.order({"do": "quit"})
            self.process.wait(40)
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
        if self.forwarder:
            self.forwarder.stop()
        self.lab.stop()


def story(event: dict) -> str | None:
    """The line for a person."""
    kind = event["event"]
    if kind == "story":
        return f"day {event['day']}: {event['text']}" if event["day"] else f"        {event['text']}"
    if kind in ("failed", "trouble"):
        return f"demo: {event['text']}"
    return None


def opening(event: dict, link: str) -> str:
    rows = "\n".join(f"  {d.name:22} {d.shows}" for d in DOMAINS)
    where = f"http://127.0.0.1:{event['port']}/" if event["web"] else "(this build has no pages)"
    return f"""
The world is up. {len(DOMAINS)} domains of three owners are looked after:

{rows}

The dashboard:  {where}
{f'Log in with:    {link}' if link else ''}
Ctrl-C ends it, and everything it started.
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="./run demo", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--binary", type=Path, default=HERE.parents[2] / "build" / "release" / "mailtight-lab", help=argparse.SUPPRESS)
    parser.add_argument("--day", type=float, default=None, help="seconds that a day takes (default 30; with --json days pass when told to)")
    parser.add_argument("--days", type=int, default=0, help="the clock stops after so many days")
    parser.add_argument("--history", type=int, default=HISTORY, help=f"days of reports before the first one (default {HISTORY})")
    parser.add_argument("--seed", type=int, default=1, help="of the numbers: the same seed, the same numbers")
    parser.add_argument("--port", type=int, default=8460, help="of the dashboard on 127.0.0.1; another one where it is taken")
    parser.add_argument("--few", action="store_true", help="without the mail servers of other organisations")
    parser.add_argument("--no-web", action="store_true", help="without the pages")
    parser.add_argument("--json", action="store_true", help="JSON lines on standard output, orders on standard input")
    given = parser.parse_args()
    given.day = given.day if given.day is not None else (0 if given.json else 30)
    if os.geteuid() != 0:
        print(NEEDS, file=sys.stderr)
        return 3
    if not os.access(given.binary, os.X_OK):
        print(f"demo: there is no program at {given.binary}; ./run demo builds it", file=sys.stderr)
        return 3
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stopping.set())
    failed: list[str] = []
    shown: dict = {}

    def tell(event: dict) -> None:
        if given.json:
            print(json.dumps(event), flush=True)
            return
        if event["event"] == "ready":
            shown.update(event)
            if event["web"]:
                demo.order({"do": "command", "words": ["login-link"]})
            else:
                print(opening(shown, ""), flush=True)
        elif event["event"] == "done" and event["of"].get("words") == ["login-link"]:
            links = [word for word in event["stdout"].split() if word.startswith("http")]
            print(opening(shown, links[0] if links else ""), flush=True)
        elif event["event"] == "failed" and event["of"]["do"] == "begin":
            failed.append(event["text"])
        if (line := story(event)) is not None:
            print(line, flush=True)

    try:
        demo = Demo(given, tell)
    except (RuntimeError, packages.PackageError, OSError) as problem:
        print(f"demo: {problem}", file=sys.stderr)
        return 3
    if given.json:
        def pass_on() -> None:
            for line in sys.stdin:
                if line.strip():
                    demo.order(json.loads(line))
            stopping.set()
        threading.Thread(target=pass_on, daemon=True).start()
    try:
        while not stopping.wait(0.2) and not demo.ended.is_set():
            pass
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        if not given.json and not demo.ended.is_set():
            print("ending the demo", flush=True)
        if not stopping.is_set() and not failed and not demo.ready:
            failed.append("the world ended before it stood")
        log = (demo.lab.state / "drive.log").read_text(errors="replace").strip() if failed else ""
        demo.stop()
    if failed:
        print(log[-3000:], file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
