#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the policy host costs beside Debian's nginx with the same certificates, names and policy: CPU for each new
connection and each kept-alive request, memory, start, and the time to add or replace one domain (nginx: its reload).

Both have one worker and are asked in turn, in rounds, by the same client; CPU is the server's own by the kernel's count,
the best round of each (the machine is shared: read ratios). Nothing is resumed; names are chosen at random, so that every one is asked."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Iterator

REPO = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(REPO / "tests" / "lab")]
import packages  # noqa: E402

FARM = REPO / "build" / "bench" / "bench" / "farm"
BODY = ("version: STSv1\\r\\nmode: enforce\\r\\nmx: mx1.mail.example\\r\\nmx: mx2.mail.example\\r\\n"
        "max_age: 1209600\\r\\n")
OURS, THEIRS = 18461, 18462
AIM_MB, AIM_START, AIM_CHANGE = 100.0, 1.0, 10_000.0
TICK = os.sysconf("SC_CLK_TCK")


def cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def memory_of(pid: int) -> float:
    """Proportional, in MB: what master and worker of nginx share counts once."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def until_listening(port: int, process: subprocess.Popen) -> None:
    while True:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args[0]} ended")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.002)


class Server:
    def __init__(self, name: str, port: int, process: subprocess.Popen, worker: int, start_wall: float, start_cpu: float):
        self.name, self.port, self.process, self.worker = name, port, process, worker
        self.start_wall, self.start_cpu = start_wall, start_cpu
        self.first_mb = self.memory()

    def memory(self) -> float:
        return sum(memory_of(pid) for pid in {self.process.pid, self.worker})


@contextmanager
def ours(certificates: Path, names: int) -> Iterator[Server]:
    begun = time.monotonic()
    with subprocess.Popen([str(FARM / "host_serve"), str(certificates), str(names), str(OURS)],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            process.stdout.readline()
            yield Server("mailtight", OURS, process, process.pid, time.monotonic() - begun, cpu_of(process.pid))
        finally:
            process.stdin.close()
            process.terminate()


def nginx_config(certificates: Path, names: int, folder: Path) -> Path:
    servers = "".join(
        f"server {{ listen 127.0.0.1:{THEIRS} ssl; server_name mta-sts.d{i}.bench;\n"
        f"ssl_certificate {certificates}/{i}.pem; ssl_certificate_key {certificates}/{i}.key;\n"
        "location = /.well-known/mta-sts.txt { default_type \"text/plain; charset=utf-8\";\n"
        f"add_header Cache-Control \"max-age=60\"; return 200 \"{BODY}\"; }}\n"
        "location / { return 404; } }\n" for i in range(names))
    config = folder / "nginx.conf"
    config.write_text(f"""daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
worker_rlimit_nofile 20000;
events {{ worker_connections 4096; }}
http {{ access_log off; keepalive_requests 1000000; ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache off;
client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
server_names_hash_max_size 262144; server_names_hash_bucket_size 128;
server {{ listen 127.0.0.1:{THEIRS} ssl default_server; ssl_reject_handshake on; }}
{servers}}}
""")
    return config


@contextmanager
def nginx(binary: Path, environment: dict[str, str], certificates: Path, names: int, folder: Path) -> Iterator[Server]:
    config = nginx_config(certificates, names, folder)
    begun = time.monotonic()
    with subprocess.Popen([str(binary), "-c", str(config), "-p", str(folder)], env=environment) as process:
        try:
            until_listening(THEIRS, process)
            wall = time.monotonic() - begun
            while not children_of(process.pid):
                time.sleep(0.01)
            yield Server("nginx", THEIRS, process, children_of(process.pid)[0], wall, cpu_of(process.pid))
        finally:
            process.terminate()


def load(server: Server, names: int, how: str, count: int) -> float:
    """CPU of the server for one, in microseconds."""
    before = cpu_of(server.worker)
    subprocess.run([str(FARM / "host_load"), str(server.port), str(names), how, str(count)], check=True)
    return (cpu_of(server.worker) - before) / count * 1e6


def change(server: Server, count: int) -> list[float]:
    """In which one domain is replaced, in microseconds, and the loop does nothing else: CPU (mean, worst), the worst by
    the clock, and that without the time in which others had the cores."""
    server.process.stdin.write(f"change {count}\n")
    server.process.stdin.flush()
    return [float(word) for word in server.process.stdout.readline().split()[1:]]


def reload_nginx(server: Server) -> float:
    """CPU seconds of the master until a new worker serves."""
    before, old = cpu_of(server.process.pid), set(children_of(server.process.pid))
    server.process.send_signal(signal.SIGHUP)
    while not set(children_of(server.process.pid)) - old:
        time.sleep(0.01)
    return cpu_of(server.process.pid) - before


def measure(servers: list[Server], names: int, given: argparse.Namespace) -> list[dict]:
    new: dict[str, list[float]] = {server.name: [] for server in servers}
    keep: dict[str, list[float]] = {server.name: [] for server in servers}
    for server in servers:  # every name once: what is opened when it is first asked for is open
        load(server, names, "new", min(names, given.connections))
    for _ in range(given.rounds):
        for server in servers:
            new[server.name].append(load(server, names, "new", given.connections))
            keep[server.name].append(load(server, names, "keep", given.requests))
    rows = []
    for server in servers:
        row = {"server": server.name, "names": names, "new_us": min(new[server.name]),
               "keep_us": min(keep[server.name]), "start_s": server.start_wall,
               "start_cpu_s": server.start_cpu, "first_mb": server.first_mb, "mb": server.memory()}
        if server.name == "mailtight":
            row["change_us"], row["change_worst_us"], row["change_clock_us"], row["change_own_us"] = change(server, min(names, 1000))
        else:
            row["reload_cpu_s"] = reload_nginx(server)
        rows.append(row)
    return rows


def table(rows: list[dict]) -> bool:
    print("| names | server | new connection, CPU us | of nginx's | kept-alive request, CPU us | of nginx's | "
          "MB at first, after | start s (CPU s) | one domain changed, CPU |")
    print("|---:|---|---:|---:|---:|---:|---:|---:|---:|")
    good = True
    for row in rows:
        peer = next((r for r in rows if r["server"] == "nginx" and r["names"] == row["names"]), None)
        mine = row["server"] == "mailtight"
        ratio = [f"{row[key] / peer[key]:.2f}" if mine and peer else "" for key in ("new_us", "keep_us")]
        changed = (f"{row['change_us']:.0f} us, at most {row['change_worst_us']:.0f}; by the clock at most "
                   f"{row['change_clock_us']:.0f}, {row['change_own_us']:.0f} of them its own" if mine
                   else f"{row['reload_cpu_s']:.2f} s CPU (reload)")
        print(f"| {row['names']:,} | {row['server']} | {row['new_us']:.0f} | {ratio[0]} | {row['keep_us']:.1f} | {ratio[1]} | "
              f"{row['first_mb']:.0f}, {row['mb']:.0f} | {row['start_s']:.2f} ({row['start_cpu_s']:.2f}) | {changed} |")
        if mine and peer:
            good &= row["new_us"] < peer["new_us"] and row["keep_us"] < peer["keep_us"]
        if mine and row["names"] == 10_000:
            good &= row["mb"] <= AIM_MB and row["start_cpu_s"] <= AIM_START
        if mine:
            good &= row["change_us"] < AIM_CHANGE
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=Path, help="not used: the policy host is measured alone")
    parser.add_argument("--names", default="1,1000,10000", help="how many, beside nginx")
    parser.add_argument("--alone", type=int, default=100_000, help="how many, without nginx; 0: not at all")
    parser.add_argument("--connections", type=int, default=4_000)
    parser.add_argument("--requests", type=int, default=60_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--nginx", type=Path, help="instead of the one in the lab's private tree")
    parser.add_argument("--certificates", type=Path, help="a folder in which they are kept for the next run")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    counts = [int(word) for word in given.names.split(",") if word]
    environment = dict(os.environ)
    binary = given.nginx
    if binary is None:
        tree = packages.ensure(REPO / "build" / "lab", lambda words: print(words, file=sys.stderr))
        binary = tree / "usr/sbin/nginx"
        environment["LD_LIBRARY_PATH"] = f"{tree}/usr/lib/x86_64-linux-gnu"
    print(f"load average at the beginning: {' '.join(f'{one:.1f}' for one in os.getloadavg())}")
    rows: list[dict] = []
    with ExitStack() as ends:
        scratch = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="host-")))
        certificates = given.certificates or scratch / "certificates"
        certificates.mkdir(parents=True, exist_ok=True)
        most, files = max([*counts, given.alone]), max(counts, default=0)
        if not (certificates / f"{most}-{files}").exists():
            subprocess.run([str(FARM / "host_certificates"), str(certificates), str(most), str(files)], check=True)
            (certificates / f"{most}-{files}").touch()
        for names in counts:
            folder = scratch / str(names)
            folder.mkdir()
            with ExitStack() as running:
                servers = [running.enter_context(ours(certificates, names)),
                           running.enter_context(nginx(binary, environment, certificates, names, folder))]
                rows += measure(servers, names, given)
            shutil.rmtree(folder)
        if given.alone:
            with ours(certificates, given.alone) as server:
                rows += measure([server], given.alone, given)
    good = table(rows)
    print(f"load average at the end: {' '.join(f'{one:.1f}' for one in os.getloadavg())}")
    if given.json:
        given.json.write_text(json.dumps(rows, indent=1) + "\n")
    print(f"aims: below nginx in both, {AIM_MB:.0f} MB and {AIM_START:.0f} s at 10,000 names, a change under "
          f"{AIM_CHANGE / 1000:.0f} ms: {'reached' if good else 'NOT reached'}")
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
