# SPDX-License-Identifier: Apache-2.0
"""Web servers of people who host their policies themselves."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path

from sending import net


class Web:
    """A server that is started with a configuration and reloaded after each change of it."""

    def __init__(self, folder: Path, address: str):
        self.folder, self.address = folder, address
        folder.mkdir(exist_ok=True)
        self.process: subprocess.Popen | None = None

    def _run(self, words: list[str], **options) -> None:
        net.command(*net.inside("far", "ip", "addr", "replace", f"{self.address}/32", "dev", "lo"))
        with open(self.folder / "web.log", "ab") as log:
            self.process = subprocess.Popen(net.inside("far", *words), stdout=log, stderr=log, stdin=subprocess.DEVNULL, **options)
        for _ in range(200):
            try:
                with net.entered("far"):
                    socket.create_connection((self.address, 443), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError(f"it does not listen: {(self.folder / 'web.log').read_text()[-600:]}")

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(10)
            self.process = None


class Nginx(Web):
    def start(self, servers: str) -> None:
        """`servers`: what stands in http {}."""
        temporary = " ".join(f"{kind}_temp_path {self.folder}/tmp;" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        config = self.folder / "nginx.conf"
        config.write_text(f"""daemon off;
user root;
worker_processes 1;
pid {self.folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 256; }}
http {{
    access_log off;
    types {{ }}
    default_type text/plain;
    server_names_hash_bucket_size 128;
    {temporary}
{servers}}}
""")
        self._run(["nginx", "-c", str(config), "-e", "stderr"])

    def serve_folder(self, name: str, root: Path, chain: Path, key: Path) -> None:
        """As a person does who has one site and puts files into it."""
        self.start(f"""    server {{ listen {self.address}:443 ssl; server_name {name};
        ssl_certificate {chain}; ssl_certificate_key {key};
        root {root}; }}
""")
