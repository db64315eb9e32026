# SPDX-License-Identifier: Apache-2.0
"""An administrator's machine: installs the package, lets the unit's own lines start the daemon, upgrades, removes, purges.

machine.py OLD.deb NEW.deb, as root of mount, network and process namespaces of its own.
"""
import contextlib
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from counted import Judge  # noqa: E402

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
UNIT = pathlib.Path("/lib/systemd/system/mailtight.service")
SOCKET = pathlib.Path("/lib/systemd/system/mailtight.socket")
CONFIG = pathlib.Path("/etc/mailtight/mailtight.toml")
STORE = pathlib.Path("/var/lib/mailtight/mailtight.db")
KEY = pathlib.Path("/etc/mailtight/dkim.key")  # something that the administrator put there
# What the administrator wants; port 24 shows that the capability is there.
WISHES = {"[lmtp]": 'listen = ["127.0.0.1:24"]', "[reports]": 'domains = ["example.com"]'}
# What systemd says to the daemon, besides LISTEN_ and NOTIFY_SOCKET.
SURROUNDINGS = {"PATH": "/usr/bin:/bin", "HOME": "/var/lib/mailtight", "STATE_DIRECTORY": "/var/lib/mailtight",
                "RUNTIME_DIRECTORY": "/run/mailtight", "CONFIGURATION_DIRECTORY": "/etc/mailtight"}


def call(*words, check=True):
    run = subprocess.run([str(w) for w in words], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if check and run.returncode != 0:
        raise RuntimeError(f"{words}: {run.stdout}{run.stderr}")
    return run


def enter_overlay(packages):
    """This host's root, writable, until the namespace ends; the packages in its /tmp."""
    call("mount", "--make-rprivate", "/")
    scratch = pathlib.Path(packages[0]).parent / "machine"
    scratch.mkdir()
    call("mount", "-t", "tmpfs", "-o", "mode=755", "none", scratch)
    root = scratch / "root"
    for name in ("root", "up", "work"):
        (scratch / name).mkdir()
    call("mount", "-t", "overlay", "overlay", "-o", f"lowerdir=/,upperdir={scratch}/up,workdir={scratch}/work", root)
    call("mount", "-t", "proc", "proc", root / "proc")
    call("mount", "--rbind", "/dev", root / "dev")
    for name in ("run", "tmp"):
        call("mount", "-t", "tmpfs", "-o", "mode=1777" if name == "tmp" else "mode=755", "none", root / name)
    sample = (TOP / "docs/examples/google-report.json").read_bytes()
    for package in packages:
        shutil.copy(package, root / "tmp")
    os.chroot(root)
    os.chdir("/")
    pathlib.Path("/tmp/report.json").write_bytes(sample)
    call("ip", "link", "set", "lo", "up")
    # The manual's index and the like of an earlier package of ours are no concern of this test.
    call("sh", "-c", "echo man-db man-db/auto-update boolean false | debconf-set-selections", check=False)
    if call("dpkg-query", "-W", "mailtight", check=False).returncode == 0:
        call("dpkg", "--purge", "mailtight")
    for left in ("/etc/mailtight", "/var/lib/mailtight"):
        shutil.rmtree(left, ignore_errors=True)


def unit_value(name, of=UNIT):
    """The last value of a key; what follows a line's end with \\ does not occur in our units."""
    return re.findall(rf"^{name}=(.*)$", of.read_text(), re.M)[-1]


def as_the_unit(*before):
    """ExecStart as its user, with its capability and no way to more."""
    capability = unit_value("AmbientCapabilities").lower().removeprefix("cap_")
    folder = pathlib.Path("/run", unit_value("RuntimeDirectory"))
    folder.mkdir(exist_ok=True)
    shutil.chown(folder, unit_value("User"), unit_value("Group"))
    return [*before, "setpriv", f"--reuid={unit_value('User')}", f"--regid={unit_value('Group')}", "--init-groups",
            f"--bounding-set=-all,+{capability}", f"--inh-caps=-all,+{capability}", f"--ambient-caps=-all,+{capability}",
            "--no-new-privs", *shlex.split(unit_value("ExecStart"))]


@contextlib.contextmanager
def daemon(judge):
    """Started as Type=notify means it: ready when it says so."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices, open("/tmp/daemon.log", "w+") as log:
        notices.bind("/tmp/notify")
        os.chmod("/tmp/notify", 0o777)
        notices.settimeout(20)
        process = subprocess.Popen(as_the_unit(), stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd="/",
                                   env={**SURROUNDINGS, "NOTIFY_SOCKET": "/tmp/notify"})
        said = b""
        with contextlib.suppress(TimeoutError):
            while b"READY=1" not in said and process.poll() is None:
                said = notices.recv(4096)
        log.seek(0)
        judge("the unit's ExecStart says that it is ready", b"READY=1" in said, log.read())
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            judge("it ends when it is told to", process.wait(30) == 0, process.returncode)
            os.unlink("/tmp/notify")


def greeting(place):
    with socket.create_connection(place, timeout=20) as line:
        return line.makefile("rb").readline()



def stored():
    return "2026-11-20T00:00:00Z_example.com" in call("mailtight", "report", "list", "--json", check=False).stdout


def modes(judge):
    for path, mode, owner in ((STORE.parent, 0o750, "mailtight"), (CONFIG, 0o644, "root"), (CONFIG.parent, 0o755, "root")):
        judge(f"{path} belongs to {owner}, {mode:o}", path.owner() == owner and path.stat().st_mode & 0o7777 == mode,
              f"{path.owner()} {path.stat().st_mode:o}")


def units(judge):
    verify = call("systemd-analyze", "verify", UNIT, SOCKET, check=False)
    ours = [line for line in (verify.stdout + verify.stderr).splitlines() if "mailtight" in line]
    judge("systemd finds no fault in the units", not ours, "\n".join(ours))
    safe = call("systemd-analyze", "security", "--offline=true", "--threshold=18", UNIT, check=False)
    score = (safe.stdout.strip().splitlines() or ["nothing said"])[-1]
    judge(f"the unit is locked up ({score.strip('→ ')})", safe.returncode == 0, safe.stderr or score)


def enabled(name):
    return pathlib.Path("/etc/systemd/system/multi-user.target.wants", name).is_symlink()


def first_start(judge):
    """With the configuration as it came: pages on loopback, nothing else."""
    with daemon(judge):
        place = re.search(r'^# listen = \["(127\.0\.0\.1):(\d+)"\]', CONFIG.read_text().partition("[web]")[2], re.M)
        if not judge("the configuration names the pages' address", place is not None):
            return
        with urllib.request.urlopen(f"http://{place[1]}:{place[2]}/", timeout=20) as answer:
            page = answer.read()
        judge("the pages are there after installing", answer.status == 200 and b"<html" in page.lower(), page[:300])
        judge("systemd's socket stands at the same address", unit_value("ListenStream", SOCKET) == f"{place[1]}:{place[2]}")
        listening = call("ss", "-Hltun").stdout.splitlines()
        beyond = [line for line in listening if not re.search(r" (127\.0\.0\.1|\[::1\])(%lo)?:\d+ ", line)]
        judge("nothing is open beyond loopback", not beyond and listening, "\n".join(beyond))


def use(judge):
    """Something is configured, asked, and kept."""
    text = CONFIG.read_text()
    for section, line in WISHES.items():
        text = text.replace(f"{section}\n", f"{section}\n{line}\n", 1)
    CONFIG.write_text(text)
    KEY.write_text("mine\n")
    with daemon(judge) as process:
        judge("it runs as its user", pathlib.Path(f"/proc/{process.pid}").owner() == "mailtight")
        judge("it listens at a low port", greeting(("127.0.0.1", 24)).startswith(b"220 "))
        status = call("mailtight", "status", "--json", check=False)
        judge("mailtight status finds it", status.returncode == 0 and json.loads(status.stdout)["parts"], status.stderr)
        taken = call("mailtight", "report", "import", "/tmp/report.json", check=False)
        judge("a report is taken in", taken.returncode == 0 and stored(), taken.stdout + taken.stderr)


def activated(judge):
    """As systemd does it: the first visitor starts the daemon, which takes the socket that is held for it."""
    holder = subprocess.Popen(["systemd-socket-activate", *(f"-E{name}" for name in SURROUNDINGS), "-l", "127.0.0.1:24", *as_the_unit()], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, env=SURROUNDINGS)
    try:
        said = b""
        for _ in range(100):
            with contextlib.suppress(ConnectionRefusedError):
                said = greeting(("127.0.0.1", 24))
                break
            time.sleep(0.1)
        judge("socket activation: the first visitor is greeted", said.startswith(b"220 "), said)
    finally:
        holder.send_signal(signal.SIGTERM)
        holder.wait(30)


def life(judge, old, new):
    call("dpkg", "-i", old)
    judge("dpkg calls it installed", " installed" in call("dpkg-query", "-W", "-f=${Status}", "mailtight").stdout)
    judge("no file differs from the package", not call("dpkg", "--verify", "mailtight").stdout)
    judge("the service is enabled", enabled("mailtight.service"))
    judge("its sockets are not", not pathlib.Path("/etc/systemd/system/sockets.target.wants/mailtight.socket").exists())
    modes(judge)
    units(judge)
    first_start(judge)
    use(judge)
    activated(judge)

    call("systemctl", "disable", "mailtight.service", check=False)
    done = call("dpkg", "-i", new, check=False)
    judge("a higher version is installed over it", done.returncode == 0, done.stdout + done.stderr)
    judge("the administrator's configuration is kept", all(line in CONFIG.read_text() for line in WISHES.values()))
    judge("what was disabled stays disabled", not enabled("mailtight.service"))
    with daemon(judge):
        judge("its data are kept", stored())

    call("dpkg", "-r", "mailtight")
    judge("removed: the program is gone", not pathlib.Path("/usr/bin/mailtight").exists())
    judge("removed: data and configuration stay", STORE.exists() and CONFIG.exists())
    call("dpkg", "-i", new)
    with daemon(judge):
        judge("installed again: it finds its data", stored())
    call("dpkg", "--purge", "mailtight")
    judge("purged: data and configuration are gone", not STORE.parent.exists() and not CONFIG.exists())
    judge("purged: what the administrator put beside it stays", KEY.read_text() == "mine\n")
    left = [path for place in ("/usr", "/lib/systemd", "/etc/systemd", "/var/lib/systemd") for path in
            call("find", place, "-xdev", "-name", "*mailtight*", "-not", "-path", "*/node_modules/*").stdout.splitlines()]
    judge("purged: nothing is left", not left, "\n".join(left))


def postfix_comes_later(judge, package):
    """The folder for sockets in Postfix's jail is there where Postfix is, and not where it is not."""
    folder = pathlib.Path("/var/spool/postfix/mailtight")
    shutil.rmtree(folder.parent, ignore_errors=True)
    call("dpkg", "-i", package)
    judge("without Postfix there is no folder in its jail", not folder.parent.exists())
    folder.parent.mkdir(parents=True)
    call("dpkg-trigger", "--by-package=dpkg", "/usr/sbin/postfix")
    call("dpkg", "--triggers-only", "mailtight", check=False)
    judge("Postfix came: its jail has the folder", folder.is_dir() and folder.owner() == "mailtight")
    call("dpkg", "--purge", "mailtight")


def main(packages):
    judge = Judge()
    enter_overlay(packages)
    places = [f"/tmp/{os.path.basename(package)}" for package in packages]
    try:
        life(judge, *places)
        postfix_comes_later(judge, places[1])
    except (RuntimeError, OSError, subprocess.SubprocessError) as problem:
        judge("the machine's life goes on", False, problem)
    judge.end()


if __name__ == "__main__":
    main(sys.argv[1:])
