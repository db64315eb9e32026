# SPDX-License-Identifier: Apache-2.0
"""Three network namespaces in a row: the senders, whoever sits in the middle, and the rest of the world.

    out 10.64.1.2 -- 10.64.1.1 middle 10.64.2.1 -- 10.64.2.2 far

Behind far lie MX hosts (10.64.26.x), name servers (.53.x) and policy hosts (.80.1 nginx, .81.x those that hang).
The same hosts have IPv6 addresses where a case wants them: fd64:1::2 and fd64:1::1, fd64:2::1 and fd64:2::2, fd64:26::x.

A socket belongs to the namespace in which it was made, so a thread enters one, opens the socket and comes back.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import subprocess
import threading
import time
from pathlib import Path

OUT_IP, OUT_GATEWAY, FAR_GATEWAY, FAR_IP = "10.64.1.2", "10.64.1.1", "10.64.2.1", "10.64.2.2"
OUT_IP6, OUT_GATEWAY6, FAR_GATEWAY6, FAR_IP6 = "fd64:1::2", "fd64:1::1", "fd64:2::1", "fd64:2::2"
SPACES = ("out", "middle", "far")
_CLONE_NEWNET = 0x40000000
_prefix = ""  # of the namespaces' names, so that several suites of cases have three of their own each
_libc = ctypes.CDLL(None, use_errno=True)


def command(*words: str, **options) -> subprocess.CompletedProcess:
    done = subprocess.run(words, capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip()} {done.stdout.strip()}")
    return done


def own(prefix: str) -> None:
    """This process has namespaces of its own by these names."""
    global _prefix  # noqa: PLW0603 - one process drives one suite
    _prefix = prefix


def _ip(*words: str) -> None:
    """ip(8), with the names of SPACES behind `netns` and `-n` understood as ours."""
    named = [_prefix + word if at and words[at - 1] in ("netns", "-n", "add", "del") and word in SPACES else word
             for at, word in enumerate(words)]
    command("ip", *named)


def inside(space: str, *words: str) -> list[str]:
    """The command line that runs in this namespace."""
    return ["nsenter", f"--net=/run/netns/{_prefix}{space}", "--", *words]


@contextlib.contextmanager
def entered(space: str):
    """This thread in that namespace; everything opened there stays there."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{_prefix}{space}", os.O_RDONLY)
    try:
        if _libc.setns(there, _CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"cannot enter {space}")
        yield
    finally:
        if _libc.setns(home, _CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"cannot leave {space}")
        os.close(home)
        os.close(there)


def listen(space: str, address: str, port: int) -> socket.socket:
    with entered(space):
        made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.SOL_IP, 15, 1)  # IP_FREEBIND: the address may come later
        made.bind((address, port))
        made.listen(64)
        return made


def build() -> None:
    for space in SPACES:
        _ip("netns", "add", space)
        _ip("-n", space, "link", "set", "lo", "up")
    for near, left, addresses, far, right, others in (
            ("out", "wire0", (OUT_IP, OUT_IP6), "middle", "wire1", (OUT_GATEWAY, OUT_GATEWAY6)),
            ("middle", "wire2", (FAR_GATEWAY, FAR_GATEWAY6), "far", "wire3", (FAR_IP, FAR_IP6))):
        _ip("link", "add", left, "netns", near, "type", "veth", "peer", "name", right, "netns", far)
        for space, device, here in ((near, left, addresses), (far, right, others)):
            _ip("-n", space, "addr", "add", f"{here[0]}/24", "dev", device)
            _ip("-n", space, "addr", "add", f"{here[1]}/64", "dev", device, "nodad")
            _ip("-n", space, "link", "set", device, "up")
    _ip("-n", "out", "route", "add", "default", "via", OUT_GATEWAY)
    _ip("-n", "out", "-6", "route", "add", "default", "via", OUT_GATEWAY6)
    _ip("-n", "middle", "route", "add", "10.64.0.0/16", "via", FAR_IP)
    _ip("-n", "middle", "-6", "route", "add", "fd64::/16", "via", FAR_IP6)
    _ip("-n", "far", "route", "add", "default", "via", FAR_GATEWAY)
    _ip("-n", "far", "-6", "route", "add", "default", "via", FAR_GATEWAY6)
    command(*inside("middle", "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding"))
    for network in (26, 53, 80, 81):  # every address of these is the world's, without naming each
        _ip("-n", "far", "route", "add", "local", f"10.64.{network}.0/24", "dev", "lo")
    _ip("-n", "far", "-6", "route", "add", "local", "fd64:26::/32", "dev", "lo")


def take_over(address: str) -> None:
    """The one in the middle answers in the place of this address; everything else passes as before."""
    _ip("-n", "middle", "addr", "add", f"{address}/32", "dev", "lo")


def give_back(address: str) -> None:
    _ip("-n", "middle", "addr", "del", f"{address}/32", "dev", "lo")


class Wire:
    """Everything that the senders put on the wire, as the one in the middle sees it."""

    def __init__(self) -> None:
        with entered("middle"):
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))  # ETH_P_ALL
            self.socket.bind(("wire1", 0))
        self.socket.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)  # SO_RCVBUFFORCE
        self.socket.settimeout(0.2)
        self.streams: dict[tuple[str, int, str, int], dict[int, bytes]] = {}
        self.frames = 0
        self.ending = False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        while not self.ending:
            try:
                frame = self.socket.recv(1 << 17)
            except TimeoutError:
                continue
            self.frames += 1
            if frame[12:14] != b"\x08\x00" or frame[23] != 6:
                continue
            start = 14 + (frame[14] & 15) * 4
            end = 14 + int.from_bytes(frame[16:18], "big")
            data = frame[start + (frame[start + 12] >> 4) * 4:end]
            if data:
                source, target = socket.inet_ntoa(frame[26:30]), socket.inet_ntoa(frame[30:34])
                ports = int.from_bytes(frame[start:start + 2], "big"), int.from_bytes(frame[start + 2:start + 4], "big")
                sequence = int.from_bytes(frame[start + 4:start + 8], "big")
                self.streams.setdefault((source, ports[0], target, ports[1]), {})[sequence] = data

    def sent(self, target: str, port: int = 25) -> list[bytes]:
        """What the senders said to this address, one entry a connection, in order of the bytes."""
        return [b"".join(data for _, data in sorted(parts.items()))
                for (source, _, to, at), parts in list(self.streams.items())
                if source == OUT_IP and to == target and at == port]

    def close(self) -> None:
        time.sleep(0.1)
        self.ending = True
        self.thread.join()
        self.socket.close()


def end() -> None:
    """Ends what still runs in the namespaces, and the namespaces."""
    for space in SPACES:
        if Path(f"/run/netns/{_prefix}{space}").exists():
            pids = subprocess.run(["ip", "netns", "pids", _prefix + space], capture_output=True, text=True, check=False).stdout
            for pid in pids.split():
                with contextlib.suppress(OSError):
                    os.kill(int(pid), 9)
            subprocess.run(["ip", "netns", "del", _prefix + space], capture_output=True, check=False)
