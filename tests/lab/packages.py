# SPDX-License-Identifier: Apache-2.0
"""The servers' Debian packages in a private tree: downloaded and unpacked, never installed.

`apt-get install --simulate` tells what is missing here (two runs, since Debian's mail servers exclude each other),
`apt-get download` fetches it, `dpkg-deb -x` unpacks it. The second time nothing is fetched.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

WANTED = [
    ["knot", "knot-dnsutils", "unbound", "nginx-light", "postfix"],
    ["exim4-daemon-light", "dovecot-imapd", "postgresql-15", "curl"],
    ["sendmail-bin", "sendmail-cf", "m4", "cpio"],
    ["opendkim-tools", "python3-jsonschema"],
    ["bind9", "pebble", "testssl.sh", "bsdextrautils", "python3-dnspython", "apache2", "caddy"],
]
# Programs that must be there, in the tree or on the host, for the tree to be whole.
PROGRAMS = ["usr/sbin/knotd", "usr/sbin/keymgr", "usr/bin/kdig", "usr/sbin/unbound", "usr/sbin/nginx",
            "usr/sbin/postfix", "usr/sbin/exim4", "usr/sbin/dovecot", "usr/lib/postgresql/15/bin/postgres", "usr/bin/curl",
            "usr/libexec/sendmail/sendmail", "usr/share/sendmail/cf/feature/sts.m4", "usr/bin/m4", "usr/bin/cpio",
            "usr/sbin/opendkim-testmsg", "usr/lib/python3/dist-packages/jsonschema/__init__.py", "usr/sbin/named", "usr/bin/pebble",
            "usr/bin/testssl", "usr/bin/hexdump", "usr/lib/python3/dist-packages/dns/__init__.py", "usr/bin/knsupdate", "usr/sbin/apache2", "usr/bin/caddy"]


class PackageError(RuntimeError):
    """The packages could not be had; the text says why."""


def _run(command: list[str], **options) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        raise PackageError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def _missing(wanted: list[list[str]]) -> list[str]:
    """name=version of every package that the servers need and the host lacks."""
    found: dict[str, str] = {}
    for group in wanted:
        for line in _run(["apt-get", "install", "--simulate", "--no-install-recommends", "-qq", *group]).splitlines():
            if line.startswith("Inst "):
                name, rest = line[5:].split(" ", 1)
                found[name] = rest[rest.index("(") + 1:].split(" ", 1)[0]
    return [f"{name}={version}" for name, version in sorted(found.items())]


def _merge_usr(tree: Path) -> None:
    """/bin, /lib, /sbin are links into /usr on Debian 12; some packages still ship files below them."""
    for name in ("bin", "sbin", "lib"):
        (tree / "usr" / name).mkdir(parents=True, exist_ok=True)
        if (tree / name).is_dir() and not (tree / name).is_symlink():  # unpacking put a folder in the link's place
            shutil.copytree(tree / name, tree / "usr" / name, symlinks=True, dirs_exist_ok=True)
            shutil.rmtree(tree / name)
        if not (tree / name).exists():
            (tree / name).symlink_to(f"usr/{name}")


def ensure(build: Path, say=lambda words: None, wanted=WANTED, programs=PROGRAMS) -> Path:
    """The private tree below `build`, made where it is not there yet. Raises PackageError."""
    tree, debs = build / "root", build / "debs"
    stamp = tree / ".complete"
    wish = hashlib.sha256(repr(wanted).encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == wish and all(
            (tree / p).exists() or Path("/", p).exists() for p in programs):
        return tree
    debs.mkdir(parents=True, exist_ok=True)
    say("fetching the servers' packages (not installed, unpacked into a private tree)")
    try:
        missing = _missing(wanted)
    except PackageError:
        say("the package lists are missing: apt-get update")
        _run(["apt-get", "update", "-qq"])
        missing = _missing(wanted)
    have = {path.name for path in debs.glob("*.deb")}
    fetch = [m for m in missing if not any(
        name.startswith(m.split("=")[0] + "_" + m.split("=")[1].replace(":", "%3a") + "_") for name in have)]
    if fetch:
        _run(["apt-get", "-o", "APT::Sandbox::User=root", "download", "-qq", *fetch], cwd=debs)
    _merge_usr(tree)
    environment = dict(os.environ, TAR_OPTIONS="--keep-directory-symlink")
    for name in (m.split("=") for m in missing):
        pattern = f"{name[0]}_{name[1].replace(':', '%3a')}_*.deb"
        for path in debs.glob(pattern):
            _run(["dpkg-deb", "-x", str(path), str(tree)], env=environment)
    _merge_usr(tree)
    lacking = [p for p in programs if not (tree / p).exists() and not Path("/", p).exists()]
    if lacking:
        raise PackageError(f"after unpacking, still missing: {', '.join(lacking)}")
    stamp.write_text(wish)
    return tree
