# SPDX-License-Identifier: Apache-2.0
"""A policy service under measurement: started, filled, asked over its socketmap, its CPU and memory read from the kernel."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Iterable, Iterator

import farm

LIFE = 2_419_200  # seconds: max_age of the farm's policies


@contextmanager
def running(words: list[str], where: str, log: Path, core: int | None = None) -> Iterator[subprocess.Popen]:
    """A server, perhaps on one core, from where it listens to its end."""
    pinned = [] if core is None else ["taskset", "-c", str(core)]
    with open(log, "ab") as out:
        process = subprocess.Popen([*pinned, *words], stdout=out, stderr=out)
    try:
        deadline = time.monotonic() + 60
        while True:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{words[0]} does not listen: {log.read_text(errors='replace')[-2000:]}")
            with open_at(where) as probe:
                if probe is not None:
                    break
            time.sleep(0.002)
        yield process
    finally:
        process.terminate()
        process.wait(60)


@contextmanager
def open_at(where: str) -> Iterator[socket.socket | None]:
    """A connection to a port of this machine or to the path of a unix socket."""
    kind = socket.AF_UNIX if where.startswith("/") else socket.AF_INET
    with socket.socket(kind) as one:
        try:
            one.connect(where if kind == socket.AF_UNIX else ("127.0.0.1", int(where)))
        except OSError:
            yield None
            return
        one.settimeout(60)
        yield one


def netstring(text: str) -> bytes:
    return b"%d:%s," % (len(text.encode()), text.encode())


def name_of(number: int) -> str:
    return f"f{number}.bench"


def ask_all(where: str, numbers: Iterable[int], seconds: float = 900) -> float:
    """Asks for every domain until each has its policy; how long that took."""
    begun, missing = time.monotonic(), list(numbers)
    while missing:
        if time.monotonic() - begun > seconds:
            raise RuntimeError(f"{len(missing)} domains have no policy yet")
        again: list[int] = []
        with open_at(where) as one:
            for first in range(0, len(missing), 100):
                some = missing[first:first + 100]
                one.sendall(b"".join(netstring(f"postfix {name_of(number)}") for number in some))
                got = b""
                replies: list[bytes] = []
                while len(replies) < len(some):
                    more = one.recv(1 << 20)
                    if not more:
                        raise RuntimeError("the service closed the connection")
                    got += more
                    while (head := re.match(rb"(\d+):", got)) and len(got) > head.end() + int(head[1]):
                        replies.append(got[head.end():head.end() + int(head[1])])
                        got = got[head.end() + int(head[1]) + 1:]
                again += [number for number, reply in zip(some, replies) if not reply.startswith(b"OK secure ")]
        missing = again
    return time.monotonic() - begun


def cpu_of(pid: int) -> float:
    """Seconds, of all its threads."""
    return sum(int((task / "schedstat").read_text().split()[0]) for task in Path(f"/proc/{pid}/task").iterdir()) / 1e9


def resident_mb(pid: int) -> float:
    return next(int(line.split()[1]) / 1024 for line in Path(f"/proc/{pid}/status").read_text().splitlines()
                if line.startswith("VmRSS"))


def write_export(path: Path, domains: int) -> int:
    """The farm's policies as `cache export` would write them, fetched just now; the bytes of the policies' text."""
    now = time.time()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
    later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + 86_000))
    size = 0
    with open(path, "w", encoding="ascii") as file:
        file.write(json.dumps({"format": "mailtight-policies", "version": 1, "at": stamp}) + "\n")
        for number in range(domains):
            name = name_of(number)
            text = f"version: STSv1\r\nmode: enforce\r\nmx: mx.{name}\r\nmax_age: {LIFE}\r\n"
            size += len(text)
            file.write('{"domain":"%s","used_at":"%s","policy":{"id":"20260102030405","fetched_at":"%s","text":%s},'
                       '"record":{"what":"valid","id":"20260102030405","ttl":300,"at":"%s"},"refresh_at":"%s"}\n'
                       % (name, stamp, stamp, json.dumps(text), stamp, later))
    return size


class Serve:
    """`mailtight serve` as a policy service alone, on a port and a unix socket, in a folder of its own."""

    def __init__(self, binary: Path, folder: Path, ca: Path | str, port: int):
        self.binary, self.folder, self.port = binary, folder, str(port)
        folder.mkdir(exist_ok=True)
        self.path = str(folder / "socket")
        self.config = folder / "mailtight.toml"
        self.store = folder / "store.db"
        self.config.write_text(f"""[store]
where = "{self.store}"
[web]
listen = []

[serve]
control-socket = "{folder}/control.sock"
[resolve]
socketmap-listen = ["127.0.0.1:{port}", "unix:{self.path}"]
[dns]
servers = ["{farm.RESOLVER}"]
mode = "forwarding"
[network]
ca-file = "{ca}"
allow-net = ["127.0.0.0/8"]
[log]
level = "warning"
""")

    def fill(self, domains: int) -> int:
        """As `cache import` does it while no daemon runs; the bytes of the policies' text."""
        export = self.folder / "export.jsonl"
        size = write_export(export, domains)
        subprocess.run([str(self.binary), "cache", "import", str(export), "--config", str(self.config)], check=True,
                       stdout=subprocess.DEVNULL)
        export.unlink()
        return size

    def words(self) -> list[str]:
        return [str(self.binary), "serve", "--config", str(self.config)]
