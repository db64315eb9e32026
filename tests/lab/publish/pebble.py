# SPDX-License-Identifier: Apache-2.0
"""Debian's pebble: an authority that orders are placed with, and that refuses one nonce in ten."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import time
import urllib.request
from pathlib import Path

from authority import Authority
from sending import net
from table import Rec

HOST, ADDRESS, PORT, MANAGEMENT = "acme.test", "10.64.80.2", 14000, 15000
OTHER_HOST, OTHER_ADDRESS = "other-acme.test", "10.64.80.3"
DIRECTORY = f"https://{HOST}:{PORT}/dir"
OTHER_DIRECTORY = f"https://{OTHER_HOST}:{PORT}/dir"


class Pebble:
    """`trust` is the lab's root and pebble's own, for everybody who is to trust its certificates."""

    def __init__(self, folder: Path, authority: Authority, root: Path, refused_nonces: int = 10, host: str = HOST, address: str = ADDRESS):
        self.folder, self.root, self.refused_nonces, self.address = folder, root, refused_nonces, address
        folder.mkdir()
        self.trust = folder / "trust.pem"
        self.chain, self.key = authority.leaf("good", [host]), authority.key_file
        self.process: subprocess.Popen | None = None

    @staticmethod
    def records() -> list[Rec]:
        return [Rec(HOST, "A", ADDRESS, 1), Rec(OTHER_HOST, "A", OTHER_ADDRESS, 1)]

    def start(self) -> None:
        config = self.folder / "pebble.json"
        config.write_text(json.dumps({"pebble": {
            "listenAddress": f"{self.address}:{PORT}", "managementListenAddress": f"{self.address}:{MANAGEMENT}", "certificate": str(self.chain),
            "privateKey": str(self.key), "httpPort": 80, "tlsPort": 443, "ocspResponderURL": "", "externalAccountBindingRequired": False}}))
        with open(self.folder / "pebble.log", "ab") as log:
            self.process = subprocess.Popen(
                net.inside("far", "pebble", "-config", str(config), "-dnsserver", "127.0.0.53:53"), stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, env={**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": str(self.refused_nonces)})
        for _ in range(200):
            try:
                self.trust.write_bytes(self.root.read_bytes() + self._root())
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError(f"pebble does not start: {self.said()[-500:]}")

    def _root(self) -> bytes:
        context = ssl.create_default_context(cafile=str(self.root))
        context.check_hostname = False  # asked by address
        with net.entered("far"):
            return urllib.request.urlopen(f"https://{self.address}:{MANAGEMENT}/roots/0", context=context, timeout=5).read()

    def said(self) -> str:
        return (self.folder / "pebble.log").read_text(errors="replace")

    def stop(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
