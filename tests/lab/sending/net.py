# SPDX-License-Identifier: Apache-2.0
"""Three network namespaces in a row: the senders, whoever sits in the middle, and the rest of the world.

    out 10.64.1.2 -- 10.64.1.1 middle 10.64.2.1 -- 10.64.2.2 far

Behind far lie MX hosts (10.64.26.x), name servers (.53.x) and policy hosts (.80.1 nginx, .81.x those that hang).

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
_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def command(*words: str, **options) -> subprocess.CompletedProcess:
    done = subprocess.run(words, capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}: {done.stderr.strip()} {done.stdout.strip()}")
    return done


def inside(space: str, *words: str) -> list[str]:
    """The command line that runs in this namespace."""
    return ["nsenter", f"--net=/run/netns/{space}", "--", *words]


@contextlib.contextmanager
def entered(space: str):
    """This thread in that namespace; everything opened there stays there."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{space}", os.O_RDONLY)
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
        made = socket.socket()
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.SOL_IP, 15, 1)  # IP_FREEBIND: the address may come later
        made.bind((address, port))
        made.listen(64)
        return made


def build() -> None:
    for space in ("out", "middle", "far"):
        command("ip", "netns", "add", space)
        command("ip", "-n", space, "link", "set", "lo", "up")
    for near, left, address, far, right, other in (("out", "wire0", OUT_IP, "middle", "wire1", OUT_GATEWAY),
                                                   ("middle", "wire2", FAR_GATEWAY, "far", "wire3", FAR_IP)):
        command("ip", "link", "add", left, "netns", near, "type", "veth", "peer", "name", right, "netns", far)
        command("ip", "-n", near, "addr", "add", f"{address}/24", "dev", left)
        command("ip", "-n", far, "addr", "add", f"{other}/24", "dev", right)
        command("ip", "-n", near, "link", "set", left, "up")
        command("ip", "-n", far, "link", "set", right, "up")
    command("ip", "-n", "out", "route", "add", "default", "via", OUT_GATEWAY)
    command("ip", "-n", "middle", "route", "add", "10.64.0.0/16", "via", FAR_IP)
    command("ip", "-n", "far", "route", "add", "default", "via", FAR_GATEWAY)
    command(*inside("middle", "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"))
    for network in (26, 53, 80, 81):  # every address of these is the world's, without naming each
        command("ip", "-n", "far", "route", "add", "local", f"10.64.{network}.0/24", "dev", "lo")


def take_over(address: str) -> None:
    """The one in the middle answers in the place of this address; everything else passes as before."""
    command("ip", "-n", "middle", "addr", "add", f"{address}/32", "dev", "lo")


def give_back(address: str) -> None:
    command("ip", "-n", "middle", "addr", "del", f"{address}/32", "dev", "lo")


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
    for space in ("out", "middle", "far"):
        if Path(f"/run/netns/{space}").exists():
            pids = subprocess.run(["ip", "netns", "pids", space], capture_output=True, text=True, check=False).stdout
            for pid in pids.split():
                with contextlib.suppress(OSError):
                    os.kill(int(pid), 9)
            subprocess.run(["ip", "netns", "del", space], capture_output=True, check=False)
