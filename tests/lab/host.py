# SPDX-License-Identifier: Apache-2.0
"""What the lab must leave alone on the host: packages, listeners on system ports, users, name resolution."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path


def _listeners() -> list[str]:
    """Listening sockets on system ports, where every server of the lab listens. Higher ports belong to whatever
    else runs on the machine and come and go."""
    rows = set()
    for row in subprocess.run(["ss", "-Hltnu"], capture_output=True, text=True, check=True).stdout.splitlines():
        kind, _state, _in, _out, local = row.split()[:5]
        if int(local.rsplit(":", 1)[1]) < 1024:
            rows.add(f"{kind} {local}")
    return sorted(rows)


def snapshot() -> dict[str, object]:
    packages = subprocess.run(["dpkg", "-l"], capture_output=True, check=True).stdout
    files = {}
    for name in ("/etc/passwd", "/etc/group", "/etc/resolv.conf"):
        path = Path(name)
        files[name] = hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else "absent"
    for name in ("/etc/postfix", "/etc/exim4", "/etc/knot", "/etc/unbound", "/etc/nginx", "/var/spool/postfix"):
        path = Path(name)
        files[name] = sorted(p.name for p in path.iterdir()) if path.is_dir() else "absent"
    return {"packages (dpkg -l)": hashlib.sha256(packages).hexdigest(), "listeners (ss -ltnu)": _listeners(), **files}


def changes(before: dict[str, object], after: dict[str, object]) -> list[str]:
    return [f"the host's {what} changed: {before[what]} -> {after[what]}" for what in before
            if before[what] != after[what]]
