# SPDX-License-Identifier: Apache-2.0
"""Starts the farm and runs scans against it, inside a network namespace of its own."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

RESOLVER = "127.0.1.1"  # the farm's own name server, asked without a resolver between


INSIDE = "MAILTIGHT_INSIDE"  # in the environment of what runs in the namespace: the folder it may use


def again(folder: Path, more: list[str] = ()) -> int:
    """Runs this very program again in a network namespace, as root there, until it ends; its exit status."""
    as_root = [] if os.geteuid() == 0 else ["--map-root-user"]
    words = ["unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", *as_root, *more, sys.executable]
    return subprocess.run([*words, *sys.argv], env=dict(os.environ, **{INSIDE: str(folder)}), check=False).returncode


def inside() -> Path | None:
    """The folder, where this is inside; then the loopback interface is up."""
    if INSIDE not in os.environ:
        return None
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    return Path(os.environ[INSIDE])


class Farm:
    """One farm; `ca` is its root's file. Use it as a context; `counters` is there when it has ended."""

    def __init__(self, program: Path, folder: Path, latency: int = 0):
        self.ca = folder / "farm.pem"
        self.counters: dict[str, int] = {}
        self.process = subprocess.Popen([str(program), "--ca", str(self.ca), "--latency", str(latency)],
                                        stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            raise RuntimeError(f"the farm did not start: exit status {self.process.wait()}")

    def __enter__(self) -> Farm:
        return self

    def __exit__(self, *_) -> None:
        self.process.terminate()
        rest = self.process.communicate()[0]
        self.counters = json.loads(rest) if rest else {}

    def options(self, *resolver: str) -> list[str]:
        return [*(resolver or ("--resolver", RESOLVER, "--dns-mode", "forwarding")), "--ca-file", str(self.ca),
                "--allow-net", "127.0.0.0/8"]


def write_list(path: Path, kind: str, count: int, first: int = 0, zone: str = "bench") -> Path:
    with open(path, "w", encoding="ascii") as file:
        for number in range(first, first + count):
            file.write(f"{kind}{number}.{zone}\n")
    return path


@dataclass
class Run:
    """One scan that has ended."""
    status: int = 0
    seconds: float = 0.0
    cpu: float = 0.0
    resident: list[tuple[float, int]] = field(default_factory=list)  # seconds since the start, kB
    peak: int = 0                                                    # kB
    said: str = ""


def run(command: list[str], stdout, sample: float = 0.25) -> Run:
    """Runs a scan to its end and looks at its memory meanwhile."""
    done = Run()
    began = time.monotonic()
    with open(os.devnull, "rb") as nothing:
        errors = os.memfd_create("stderr")
        process = subprocess.Popen(command, stdin=nothing, stdout=stdout, stderr=errors)
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        try:
            pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
            done.resident.append((time.monotonic() - began, pages * resource.getpagesize() // 1024))
        except (OSError, IndexError):
            pass
        time.sleep(sample)
    process.returncode = done.status = os.waitstatus_to_exitcode(status)
    done.seconds, done.cpu, done.peak = time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss
    os.lseek(errors, 0, os.SEEK_SET)
    with os.fdopen(errors, "rb") as file:
        done.said = file.read().decode("utf-8", "replace")
    return done
