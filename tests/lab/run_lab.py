#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The test lab: real and misbehaving servers in namespaces of their own.

  run_lab.py up                      start it and say what to try
  run_lab.py test --binary PATH      every scenario against the binary, in a lab of its own
  run_lab.py mutate --binary PATH    leave out each finding code in turn: its scenarios must notice
  run_lab.py list                    every domain and what is expected of it
  run_lab.py shell [-- COMMAND...]   a shell, or a command, inside
  run_lab.py down                    end it
"""

from __future__ import annotations

import argparse
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import compare  # noqa: E402
import judge  # noqa: E402
import packages  # noqa: E402

REPO = HERE.parent.parent
BUILD = REPO / "build" / "lab"
UP = BUILD / "up"  # the state of the lab that `up` started
START_LIMIT = 60


def say(words: str) -> None:
    print(f"lab: {words}", file=sys.stderr, flush=True)


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class Lab:
    """One running lab. `state` is its folder on the host: logs, pid, ready or failed."""

    def __init__(self, state: Path):
        self.state = state

    def _pid(self, name: str) -> int | None:
        try:
            pid = int((self.state / name).read_text())
            inside = b"inside.py" in Path(f"/proc/{pid}/cmdline").read_bytes()
            return pid if inside else None
        except (OSError, ValueError):
            return None

    def running(self) -> bool:
        return self._pid("init.pid") is not None and (self.state / "ready").exists()

    def start(self, tied: bool, bare: bool = False) -> None:
        """Starts it; `tied`: it ends with this process; `bare`: the namespaces alone, without the scenarios' servers. Raises
        RuntimeError with the reason."""
        packages.ensure(BUILD, say)
        shutil.rmtree(self.state, ignore_errors=True)
        self.state.mkdir(parents=True)
        with open(self.state / "lab.log", "ab") as log:
            process = subprocess.Popen(
                ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", sys.executable,
                 str(HERE / "inside.py"), str(BUILD), str(self.state), *(["--bare"] if bare else [])],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,  # Ctrl-C is for this process, which ends it
                preexec_fn=_die_with_parent if tied else None)
        end = time.monotonic() + START_LIMIT
        while not (self.state / "ready").exists():
            if (self.state / "failed").exists() or process.poll() is not None or time.monotonic() > end:
                reason = (self.state / "failed").read_text() if (self.state / "failed").exists() else "it ended early"
                process.kill()
                said = (self.state / "lab.log").read_text(errors="replace").strip().splitlines()[-3:]
                raise RuntimeError("\n".join([f"the lab did not start: {reason.strip()} (logs: {self.state})", *said]))
            time.sleep(0.05)
        child = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()[0]
        (self.state / "init.pid").write_text(child)

    def init(self) -> int:
        """The host's number of its first process."""
        pid = self._pid("init.pid")
        if pid is None:
            raise RuntimeError("no lab is running; start it with `./run lab`")
        return pid

    def enter(self, command: list[str]) -> list[str]:
        """The command line that runs `command` inside."""
        return ["nsenter", "-t", str(self.init()), "-m", "-n", "-p", f"--wd={os.getcwd()}", "--", *command]

    def stop(self) -> bool:
        pid = self._pid("init.pid")
        if pid is None:
            shutil.rmtree(self.state, ignore_errors=True)
            return False
        os.kill(pid, signal.SIGKILL)  # the first process of the namespace: the kernel ends the rest
        for _ in range(100):
            if not Path(f"/proc/{pid}").exists():
                break
            time.sleep(0.05)
        shutil.rmtree(self.state, ignore_errors=True)
        return True


def up() -> int:
    lab = Lab(UP)
    if lab.running():
        say("it is running already")
    else:
        began = time.monotonic()
        lab.start(tied=False)
        say(f"started in {time.monotonic() - began:.1f} s")
    binary = REPO / "build" / "release" / "mailtight"
    shown = " ".join(compare.options(BUILD))
    print(f"""The lab is up: DNS, policy hosts and mail servers in namespaces of their own. Try:

  tools/lab shell -- {binary} check {shown} healthy.test
  tools/lab shell -- {binary} check {shown} mx-expired.test
  tools/lab shell -- kdig @127.0.0.53 _mta-sts.healthy.test TXT +dnssec
  tools/lab shell                 a shell inside
  tools/lab list                  every domain and what is wrong with it
  tools/lab down                  end it
""")
    return 0


def shell(command: list[str]) -> int:
    return subprocess.run(Lab(UP).enter(command or [os.environ.get("SHELL", "/bin/bash")]), check=False).returncode


def main() -> int:
    parser = argparse.ArgumentParser(prog="lab", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up")
    commands.add_parser("down")
    commands.add_parser("list")
    inner = commands.add_parser("shell")
    inner.add_argument("words", nargs=argparse.REMAINDER)
    test = commands.add_parser("test")
    test.add_argument("--binary", type=Path, required=True)
    test.add_argument("--only", default="*", metavar="GLOB")
    test.add_argument("--jobs", type=int, default=8)
    test.add_argument("--keep", action="store_true", help="use the lab that is up, if any")
    test.add_argument("--full", action="store_true", help="cases of reports at the sizes of ./test --long")
    test.add_argument("--json", type=Path, metavar="FILE", help="write every document of the binary there")
    mutate = commands.add_parser("mutate")
    mutate.add_argument("--binary", type=Path, required=True)
    mutate.add_argument("--code", action="append", help="only this code (repeatable)")
    mutate.add_argument("--per-code", type=int, default=2, help="scenarios tried for a code")
    mutate.add_argument("--jobs", type=int, default=8)
    given = parser.parse_args()
    try:
        if given.command == "up":
            return up()
        if given.command == "down":
            say("ended" if Lab(UP).stop() else "none is running")
            return 0
        if given.command == "shell":
            return shell(given.words[1:] if given.words[:1] == ["--"] else given.words)
        if given.command == "list":
            return judge.show()
        if given.command == "mutate":
            return judge.mutate(Lab, given)
        return judge.test(Lab, given)
    except (RuntimeError, packages.PackageError) as problem:
        say(str(problem))
        return 3
    except BrokenPipeError:  # `list | head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main())
