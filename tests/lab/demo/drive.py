#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The demo inside the lab's namespaces. It says what happens as JSON, one object a line, and takes orders the same way on
standard input ({"do":"day"}, {"do":"command","words":[...]}, {"do":"quit"}); run.py outside starts it and speaks with it."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from demo.story import Story  # noqa: E402
from demo.table import DOMAINS  # noqa: E402
from demo.world import World  # noqa: E402
from sending import mail_servers, net  # noqa: E402


class Voice:
    """What is said to run.py; one line at a time, from any thread."""

    def __init__(self) -> None:
        self.lock = threading.Lock()

    def __call__(self, event: str, **more: object) -> None:
        with self.lock:
            print(json.dumps({"event": event, **more}), flush=True)


def orders() -> list:
    """The next order; nothing at the end of the input."""
    for line in sys.stdin:
        if line.strip():
            yield json.loads(line)


def obey(order: dict, world: World, story: Story, lock: threading.Lock) -> dict:
    what = order["do"]
    if what == "command":  # mailtight's, with the configuration of the daemon with the pages
        done = world.desk.command(*order["words"], limit=order.get("limit", 120))
        return {"status": done.returncode, "stdout": done.stdout, "stderr": done.stderr}
    if what == "records":  # as somebody at the DNS provider does
        world.names.put(order["name"], order["type"], *order["values"])
        return {}
    if what == "log":
        return {"log": (world.desk.folder / "serve.log").read_text(errors="replace")[-20_000:]}
    with lock:
        if what == "day":
            story.day_passes()
        elif what == "wait":  # policy time alone goes on
            world.pass_seconds(int(order["seconds"]))
        elif what == "reports":  # a day of reports from everybody, while no time passes
            story.reports_of(story.day)
        elif what == "attack":
            world.attack(*order["domains"])
        elif what == "peace":
            world.peace()
        else:
            raise ValueError(f"no such order: {what}")
    return {"day": story.day}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--history", type=int, required=True)
    parser.add_argument("--day", type=float, default=0, help="seconds a day takes; 0: days pass when they are ordered to")
    parser.add_argument("--days", type=int, default=0, help="stop the clock after so many days; 0: never")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--no-web", action="store_true")
    parser.add_argument("--few", action="store_true", help="only the daemon with the pages and its own mail server")
    given = parser.parse_args()
    say, lock, ending = Voice(), threading.Lock(), threading.Event()
    net.own("demo-")
    net.end()
    net.build()
    with tempfile.TemporaryDirectory(prefix="demo-", dir="/run/lab") as folder:
        Path(folder).chmod(0o755)
        world = World(given.binary, given.build, Path(folder), given.port, not given.no_web)
        mail_servers.trust(world.authority.ca_file)
        try:
            story = Story(world, given.seed, say, few=given.few)
            story.begin(given.history)
            pid = world.desk.process.pid
            say("ready", pid=pid, namespace=f"{os.readlink(f'/proc/{pid}/ns/net')}", port=given.port, control=str(world.desk.control),
                config=str(world.desk.config), web=not given.no_web,
                table=[{"name": d.name, "owner": d.owner, "verdict": d.verdict, "codes": sorted(d.codes), "shows": d.shows} for d in DOMAINS])

            def clock() -> None:
                while not ending.wait(given.day) and (not given.days or story.day < given.days):
                    with lock:
                        try:
                            story.day_passes()
                        except Exception as problem:  # noqa: BLE001 - the story goes on tomorrow
                            say("trouble", text=f"{type(problem).__name__}: {problem}")
            if given.day:
                threading.Thread(target=clock, daemon=True).start()
            for order in orders():
                if order["do"] == "quit":
                    break
                began = time.monotonic()
                try:
                    say("done", of=order, **obey(order, world, story, lock), seconds=round(time.monotonic() - began, 2))
                except Exception as problem:  # noqa: BLE001 - told to who ordered it
                    say("failed", of=order, text=f"{type(problem).__name__}: {problem}")
        except Exception as problem:  # noqa: BLE001
            traceback.print_exc()
            said = world.desk.tail() if world.desk and world.desk.process else ""
            say("failed", of={"do": "begin"}, text=f"{type(problem).__name__}: {problem} {said[-800:]}")
            return 1
        finally:
            ending.set()
            with lock:
                for problem in world.stop():
                    say("trouble", text=problem)
            net.end()
    say("ended")
    return 0


if __name__ == "__main__":
    sys.exit(main())
