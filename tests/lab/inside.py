# SPDX-License-Identifier: Apache-2.0
"""The lab's first process, inside mount, network and process namespaces of its own: inside.py BUILD STATE [--bare].

It lays the private tree over /usr, writes every configuration into a /run of its own, starts the servers, says when
all of them listen, and ends only by being killed; then the kernel ends every server with it. --bare: the tree and the
namespaces alone, for who brings a world of their own.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import daemons  # noqa: E402
import database  # noqa: E402
import mailbox_server as mailbox  # noqa: E402
import names  # noqa: E402
import world as worlds  # noqa: E402
from authority import Authority  # noqa: E402
from scenarios import SCENARIOS  # noqa: E402

RUN = Path("/run/lab")
HERE = Path(__file__).resolve().parent
REPO = HERE.parent.parent


def command(*words: str) -> None:
    subprocess.run(words, check=True)


def mounts(tree: Path, scratch: Path) -> None:
    """The private tree over /usr, writable copies of /etc, /var and /run: all of it gone with the namespace."""
    command("mount", "--make-rprivate", "/")
    repository = os.open(REPO, os.O_PATH)  # it may lie below a place that is covered now
    device = os.stat(REPO).st_dev
    scratch.mkdir()
    command("mount", "-t", "tmpfs", "-o", "mode=755", "none", str(scratch))
    for name in ("usr", "etc", "var"):
        for part in ("up", "work"):
            (scratch / name / part).mkdir(parents=True)
        lower = f"{tree}/usr:/usr" if name == "usr" else f"/{name}"
        command("mount", "-t", "overlay", "overlay", "-o",
                f"lowerdir={lower},upperdir={scratch}/{name}/up,workdir={scratch}/{name}/work", f"/{name}")
    command("mount", "-t", "tmpfs", "-o", "mode=755", "none", "/run")
    if not REPO.exists() or os.stat(REPO).st_dev != device:
        REPO.mkdir(parents=True, exist_ok=True)
        bind(f"/proc/self/fd/{repository}", REPO)
    os.close(repository)
    RUN.mkdir()
    resolv = Path("/etc/resolv.conf")
    resolv.unlink(missing_ok=True)
    resolv.write_text(f"nameserver {worlds.RESOLVER}\noptions edns0 trust-ad\n")
    daemons.add_users(Path("/etc"))


def bind(source: str, target: Path) -> None:
    """mount(2) itself, since mount(8) would look the source's name up anew and find what covers it."""
    flags = 4096 | 16384  # MS_BIND | MS_REC
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(source.encode(), str(target).encode(), None, flags, None) != 0:
        raise OSError(ctypes.get_errno(), f"cannot bring {target} back: {os.strerror(ctypes.get_errno())}")


def network(world: worlds.World) -> None:
    command("ip", "link", "set", "lo", "up")
    batch = [f"addr add {address}/8 dev lo" for address in (worlds.POSTFIX_IP, worlds.EXIM_IP, worlds.DOVECOT_IP)]
    batch += [f"addr add {address}/128 dev lo nodad" for address in world.addresses6]
    subprocess.run(["ip", "-batch", "-"], input="\n".join(batch) + "\n", text=True, check=True)


def wire_records(entry: dict) -> dict:
    """A misbehaving name server's entry as JSON can hold it, its zone's NS records among the rest."""
    zone = entry.pop("entry_of")
    rows = [[r.name, r.type, {"hex": r.value.hex()} if r.type == "TXT" else r.value]
            for r in entry["records"] if r.type in ("A", "AAAA", "CNAME", "MX", "NS", "TXT")]
    entry["records"] = rows + [[zone.name, "NS", server] for server in zone.servers] + [[zone.name, "SOA", None]]
    return entry


class Servers:
    """The running servers; each has its log below `logs`."""

    def __init__(self, logs: Path):
        self.logs = logs
        self.running: dict[int, str] = {}

    def start(self, name: str, words: list[str]) -> None:
        with open(self.logs / f"{name}.log", "ab") as log:
            process = subprocess.Popen(words, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.running[process.pid] = name

    def python(self, name: str, entries: list[dict]) -> Path:
        config, ready = RUN / f"{name}.json", RUN / f"{name}.ready"
        config.write_text(json.dumps(entries))
        self.start(name, [sys.executable, str(HERE / "servers" / f"{name}.py"), str(config), str(ready)])
        return ready

    def reap(self, flags: int) -> None:
        """Collects what ended, as a first process must; a server's end is told."""
        while True:
            try:
                pid, status = os.waitpid(-1, flags)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid in self.running:
                print(f"the server {self.running.pop(pid)} ended with {os.waitstatus_to_exitcode(status)}", flush=True)


def listening(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), timeout=1):
            return True
    except OSError:
        return False


def wait_until(what: str, condition, seconds: float, servers: Servers) -> None:
    end = time.monotonic() + seconds
    while not condition():
        servers.reap(os.WNOHANG)
        if time.monotonic() > end:
            raise RuntimeError(f"{what} is not ready after {seconds:.0f} s; see {servers.logs}")
        time.sleep(0.05)


def start_all(build: Path, logs: Path) -> Servers:
    authority = Authority(build / "ca", RUN / "certs")
    world = worlds.build(SCENARIOS, authority, RUN)
    network(world)
    knot, unbound = names.write(world, RUN, build)
    servers = Servers(logs)
    ready = [servers.python("dns", [wire_records(e) for e in world.name_servers]),
             servers.python("policy_host", world.policy_hosts), servers.python("mx", world.mail_hosts)]
    servers.start("knot", ["knotd", "-c", str(knot)])
    servers.start("nginx", daemons.nginx(world, RUN))
    servers.start("postfix", daemons.postfix(world))
    servers.start("exim", daemons.exim(world))
    servers.start("dovecot", mailbox.dovecot(world, RUN))
    servers.start("postgres", database.postgres(RUN))
    wait_until("knot", lambda: listening(worlds.NAME_SERVERS["ns2"], 53), 30, servers)
    servers.start("unbound", ["unbound", "-d", "-c", str(unbound)])
    for path in ready:
        wait_until(path.stem, path.exists, 30, servers)
    for what, address, port in (("unbound", worlds.RESOLVER, 53), ("nginx", worlds.NGINX_IP, 443),
                                ("Postfix", worlds.POSTFIX_IP, 25), ("Exim", worlds.EXIM_IP, 25),
                                ("Dovecot", worlds.DOVECOT_IP, 993)):
        wait_until(what, lambda a=address, p=port: listening(a, p), 30, servers)
    wait_until("PostgreSQL", lambda: (database.FOLDER / ".s.PGSQL.5432").exists(), 30, servers)
    return servers


def main() -> int:
    build, state = Path(sys.argv[1]), Path(sys.argv[2])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        mounts(build / "root", state / "overlay")
        if "--bare" in sys.argv[3:]:
            command("ip", "link", "set", "lo", "up")
            servers = Servers(state)
        else:
            servers = start_all(build, state)
    except Exception as problem:  # whatever it was, the one who waits outside must hear of it
        (state / "failed").write_text(f"{type(problem).__name__}: {problem}\n")
        raise
    (state / "ready").write_text("ready\n")
    while True:
        servers.reap(0)
        time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
