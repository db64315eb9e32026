# SPDX-License-Identifier: Apache-2.0
"""The mail servers under test, each as Debian ships it and with nothing more than it needs to ask the policy service."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import threading
import time
from pathlib import Path

from daemons import GROUPS, USERS
from sending import net

SENDER = "somebody@sender.test"


def _owned(path: Path, user: int, group: int, mode: int) -> None:
    path.mkdir(parents=True, exist_ok=True)
    os.chown(path, user, group)
    path.chmod(mode)


def trust(root: Path) -> None:
    """Makes the lab's root one of the system's, and the host's own name known, as on any mail server. Several folders of
    cases begin at once in one lab: the first does it, the others wait for it."""
    with open(root, encoding="ascii") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        known = Path("/etc/ssl/certs/mailtight-lab.pem")
        if known.exists() and known.read_text() == root.read_text():
            return
        with open("/etc/ssl/certs/ca-certificates.crt", "a", encoding="ascii") as bundle:
            bundle.write(root.read_text())
        with open("/etc/hosts", "a", encoding="ascii") as hosts:
            hosts.write(f"127.0.0.1 sender.test {os.uname().nodename}\n")
        shutil.copy(root, known)
        net.command("openssl", "rehash", "/etc/ssl/certs")


def _message(to: str) -> str:
    return f"From: {SENDER}\nTo: {to}\nSubject: a secret for {to}\n\nThe secret of {to}.\n"


class Postfix:
    """Debian's master.cf: smtp(8) is chrooted, so that the socket lies below the queue directory."""
    name = "postfix"
    lines = ["smtp_dns_support_level = dnssec", "smtp_tls_security_level = dane",
             "smtp_tls_policy_maps = socketmap:unix:mailtight/policy.sock:postfix"]

    def __init__(self, instance: str = "out", space: str = "out", host: str = "sender.test", address: str = net.OUT_IP):
        """An instance with folders of its own in this namespace; it sends from this address."""
        self.space, self.host, self.address = space, host, address
        self.etc, self.spool, self.data = (Path(f"{above}/postfix-{instance}") for above in ("/etc", "/var/spool", "/var/lib"))
        self.log = Path(f"/var/log/postfix-{instance}.log")
        self.policy_socket = self.spool / "mailtight" / "policy.sock"
        self.process: subprocess.Popen | None = None

    def prepare(self, lines: list[str] | None = None, services: str = "") -> None:
        """`lines` of main.cf beyond Debian's own, by default those for the policy service; `services` of master.cf.
        A setting that is given again holds as it was given last."""
        self.etc.mkdir(exist_ok=True)
        (self.etc / "master.cf").write_text(Path("/usr/share/postfix/master.cf.dist").read_text() + services)
        (self.etc / "dynamicmaps.cf").write_text("")
        (self.etc / "main.cf").write_text(f"""compatibility_level = 3.6
queue_directory = {self.spool}
data_directory = {self.data}
myhostname = {self.host}
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtp_tls_CApath = /etc/ssl/certs
smtp_tls_loglevel = 1
smtp_bind_address = {self.address}
minimal_backoff_time = 1s
maximal_backoff_time = 1s
queue_run_delay = 1s
smtp_connect_timeout = 3s
maillog_file = {self.log}
alias_maps =
alias_database =
""" + "".join(line + "\n" for line in (self.lines if lines is None else lines)))
        user, drop = USERS["postfix"], GROUPS["postdrop"]
        for name in ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved", "trace"):
            _owned(self.spool / name, user, 0, 0o700)
        _owned(self.spool / "pid", 0, 0, 0o755)
        _owned(self.spool / "maildrop", user, drop, 0o1730)
        _owned(self.spool / "public", user, drop, 0o2710)
        _owned(self.data, user, user, 0o700)
        _owned(self.policy_socket.parent, 0, 0, 0o755)
        # What Debian runs before each start: resolv.conf, trusted roots and more into the chroot.
        net.command(*net.inside(self.space, "/usr/lib/postfix/configure-instance.sh", "-"),
                    env={**os.environ, "MAIL_CONFIG": str(self.etc)})

    def start(self) -> None:
        self.log.unlink(missing_ok=True)
        self.process = subprocess.Popen(net.inside(self.space, "/usr/lib/postfix/sbin/master", "-c", str(self.etc)),
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(200):
            if self.log.exists() and "daemon started" in self.log.read_text():
                return
            time.sleep(0.05)
        raise RuntimeError("Postfix does not start")

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(10)
            self.process = None

    def send(self, *recipients: str) -> None:
        for to in recipients:
            net.command(*net.inside(self.space, "/usr/sbin/sendmail", "-C", str(self.etc), "-f", SENDER, to), input=_message(to))

    def queue(self) -> dict[str, str]:
        """Recipient -> why its mail still waits."""
        text = net.command(*net.inside(self.space, "postqueue", "-c", str(self.etc), "-j")).stdout
        return {one["address"]: one.get("delay_reason", "") for row in text.splitlines() for one in json.loads(row)["recipients"]}

    def retry(self) -> None:
        net.command(*net.inside(self.space, "postqueue", "-c", str(self.etc), "-f"))

    def reload(self) -> None:
        net.command(*net.inside(self.space, "/usr/sbin/postfix", "-c", str(self.etc), "reload"))

    def route(self, ways: dict[str, str]) -> None:
        """Recipient domain -> next hop."""
        table = ", ".join(f"{{ {name} = smtp:{hop} }}" for name, hop in ways.items())
        with open(self.etc / "main.cf", "a", encoding="ascii") as file:
            file.write(f"transport_maps = inline:{{ {table} }}\n")
        self.reload()

    def doctor(self, daemon) -> str:
        """The lines that doctor prints, run where this Postfix is the host's."""
        covered = "mount --bind \"$0\" /etc/postfix && exec \"$@\""
        done = subprocess.run(net.inside(self.space, "unshare", "--mount", "sh", "-c", covered, str(self.etc), str(daemon.binary), "doctor",
                                         "--json", "--config", str(daemon.config), "--smtp-control", "none"),
                              capture_output=True, text=True, check=False)
        rows = json.loads(done.stdout)["checks"]
        return "\n".join(row.get("lines", "") for row in rows if "Postfix" in row["check"])

    def lines_of_doctor(self, daemon) -> list[str]:
        """Those for main.cf."""
        return [line for line in self.doctor(daemon).splitlines() if re.match(r"[a-z_]+ = ", line)]

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def bounced(self) -> list[str]:
        return re.findall(r"to=<([^>]*)>.*status=(?:bounced|expired)", self.said())

    def ask(self, *table: str) -> str:
        """What postmap gets of a table for a key, "" where there is nothing."""
        done = subprocess.run(net.inside(self.space, "postmap", "-c", str(self.etc), "-q", table[1], table[0]), capture_output=True,
                              text=True, check=False, cwd=self.spool)
        return done.stdout.strip() if done.returncode == 0 else done.stderr.strip()


class Sendmail:
    """FEATURE(`sts') of Debian's sendmail-cf, asking over the unix socket."""
    name = "sendmail"
    etc, spool = Path("/etc/mail-out"), Path("/var/spool/mqueue-out")
    program = "/usr/libexec/sendmail/sendmail"

    def __init__(self, policy_socket: Path):
        self.policy_socket = policy_socket
        self.one_at_a_time = threading.Lock()

    def prepare(self) -> None:
        self.etc.mkdir(exist_ok=True)
        for name in ("local-host-names", "trusted-users", "relay-domains", "aliases"):
            (self.etc / name).write_text("")
        _owned(self.spool, 0, 0, 0o700)
        shared = "/usr/share/sendmail/cf"
        (self.etc / "sendmail.mc").write_text(f"""include(`{shared}/m4/cf.m4')dnl
OSTYPE(`linux')dnl
define(`MAIL_SETTINGS_DIR', `{self.etc}/')dnl
define(`confDOMAIN_NAME', `sender.test')dnl
define(`QUEUE_DIR', `{self.spool}')dnl
define(`ALIAS_FILE', `')dnl
define(`STATUS_FILE', `')dnl
define(`HELP_FILE', `')dnl
define(`confCACERT_PATH', `/etc/ssl/certs')dnl
define(`confCACERT', `/etc/ssl/certs/ca-certificates.crt')dnl
define(`confTO_CONNECT', `3s')dnl
define(`confTO_ICONNECT', `3s')dnl
define(`confTO_IDENT', `0')dnl
define(`confTO_INITIAL', `10s')dnl
define(`confTO_HELO', `10s')dnl
define(`confTO_STARTTLS', `10s')dnl
define(`confTO_COMMAND', `10s')dnl
define(`confTO_MAIL', `10s')dnl
define(`confTO_RCPT', `10s')dnl
define(`confTO_DATAINIT', `10s')dnl
define(`confTO_DATABLOCK', `10s')dnl
define(`confTO_DATAFINAL', `10s')dnl
define(`confTO_RSET', `10s')dnl
define(`confTO_QUIT', `3s')dnl
define(`confTO_QUEUERETURN', `5d')dnl
define(`confTO_QUEUEWARN', `')dnl
define(`confDONT_PROBE_INTERFACES', `True')dnl
define(`confSEPARATE_PROC', `False')dnl
define(`confLOG_LEVEL', `14')dnl
define(`confQUEUE_LA', `1000')dnl
define(`confREFUSE_LA', `1000')dnl
FEATURE(`sts', `socket -d5 -T<TMPF> unix:{self.policy_socket}')dnl
FEATURE(`nocanonify')dnl
CLIENT_OPTIONS(`Family=inet')dnl
MAILER(`local')dnl
MAILER(`smtp')dnl
""")
        done = net.command("m4", str(self.etc / "sendmail.mc"), cwd=f"{shared}/cf")
        (self.etc / "sendmail.cf").write_text(done.stdout)

    def start(self) -> None:
        """It runs when it is given a mail, and when its queue is run."""

    def stop(self) -> None:
        pass

    def _run(self, *words: str, stdin: str = "") -> str:
        done = subprocess.run(net.inside("out", self.program, "-C", str(self.etc / "sendmail.cf"), *words), input=stdin,
                              capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    def send(self, *recipients: str) -> None:
        for to in recipients:
            self._run("-odq", "-oi", "-f", SENDER, to, stdin=_message(to))
        self.retry()

    def queue(self) -> dict[str, str]:
        found = {}
        for row in self.spool.glob("qf*"):
            text = row.read_text(errors="replace")
            reason = re.search(r"^M(.*)", text, re.M)
            for to in re.findall(r"^R[^:]*:.*?<?([^<>:\s]+@[^<>\s]+)>?$", text, re.M):
                found[to] = reason.group(1) if reason else ""
        return found

    def retry(self) -> None:
        with self.one_at_a_time:
            self._run("-qf")  # in the foreground

    def bounced(self) -> list[str]:
        return [to for to in self.queue() if to == SENDER]

    def map_lookup(self, key: str) -> str:
        """`/map sts KEY` in the address test mode."""
        return self._run("-bt", stdin=f"/map sts {key}\n")


class Exim:
    """The router, the transport and the event of packaging/exim, and nothing else of ours."""
    name = "exim"

    def __init__(self, snippets: Path, lines_socket: Path, results_socket: Path | None = None, instance: str = "out"):
        self.snippets, self.tells = snippets, results_socket is not None
        self.sockets = {"/run/mailtight/lines.sock": lines_socket, "/run/mailtight/results.sock": results_socket}
        self.etc, self.spool = Path(f"/etc/exim4-{instance}"), Path(f"/var/spool/exim4-{instance}")
        self.process: subprocess.Popen | None = None

    def prepare(self) -> None:
        user = USERS["Debian-exim"]
        for folder in (self.spool, self.spool / "db", self.spool / "input", self.spool / "msglog", self.spool / "log"):
            _owned(folder, user, user, 0o750)
        self.etc.mkdir(exist_ok=True)
        self.config = self.etc / "exim4.conf"
        parts = self.parts()
        self.config.write_text(f"""primary_hostname = sender.test
spool_directory = {self.spool}
log_file_path = {self.spool}/log/%slog
local_interfaces = 127.0.0.1
disable_ipv6 = true
host_lookup =
rfc1413_hosts =
queue_run_max = 5
keep_environment =
never_users =
log_selector = +tls_certificate_verified +tls_peerdn +tls_sni
dns_dnssec_ok = 1
domainlist local_domains =
{parts['main']}
begin acl
{parts['acl']}
begin routers
{parts['routers']}
dnslookup:
  driver = dnslookup
  domains = ! +local_domains
  transport = remote_smtp
  ignore_target_hosts = 127.0.0.0/8
  no_more
begin transports
{parts['transports']}
remote_smtp:
  driver = smtp
  connect_timeout = 3s
{'  event_action = MAILTIGHT_EVENT' if self.tells else ''}
begin retry
* * F,5d,1s
""")
        self.config.chmod(0o644)
        with open("/etc/exim4/trusted_configs", "a", encoding="ascii") as trusted:
            trusted.write(f"{self.config}\n")

    def parts(self) -> dict[str, str]:
        """The sections of the shipped file, each under its `begin`."""
        text = (self.snippets / "mailtight.conf").read_text()
        for usual, here in self.sockets.items():
            text = text.replace(usual, str(here)) if here else text
        parts, here = {"main": ""}, "main"
        for line in text.splitlines():
            if line.startswith("begin "):
                here = line[6:].strip()
                parts[here] = ""
            else:
                parts[here] += line + "\n"
        return parts

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass

    def _run(self, *words: str, stdin: str = "") -> str:
        done = subprocess.run(net.inside("out", "exim4", "-C", str(self.config), *words), input=stdin, capture_output=True, text=True,
                              check=False)
        return done.stdout + done.stderr

    def send(self, *recipients: str) -> None:
        for to in recipients:
            self._run("-odq", "-f", SENDER, to, stdin=_message(to))
        self._run("-q")

    def retry(self) -> None:
        self._run("-qf")

    def queue(self) -> dict[str, str]:
        found = {}
        said = self.said()
        for to in re.findall(r"^\s+(\S+@\S+)$", self._run("-bp"), re.M):
            identity = re.findall(rf"^\S+ \S+ (\S+) == {re.escape(to)} ", said, re.M)
            rows = re.findall(rf"^\S+ \S+ {identity[-1]} (?!<=)(.*)", said, re.M) if identity else []
            found[to] = "; ".join(rows)
        return found

    def said(self) -> str:
        log = self.spool / "log" / "mainlog"
        return log.read_text(errors="replace") if log.exists() else ""

    def bounced(self) -> list[str]:
        return re.findall(r"\*\* (\S+)", self.said())

    def expand(self, words: str) -> str:
        return self._run("-be", words).strip()
