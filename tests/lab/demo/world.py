# SPDX-License-Identifier: Apache-2.0
"""The demo's world, running: names, an authority, mail servers, web servers of owners, an attacker; the daemon with the
pages; and other organisations that send mail and report."""

from __future__ import annotations

import contextlib
import json
import re
import threading
from pathlib import Path

from authority import Authority
from demo.table import DOMAINS, EVERY, MAILBOX, OPERATOR, REPORTERS, REPORTS, Domain
from outgoing.daemon import Reporter
from publish.dns_side import Names
from publish.pebble import Pebble
from publish.publisher import Publisher
from publish.web_servers import Nginx
from reporters import Keys
from sending import middle, net
from sending.mail_hosts import Mail, MailHost
from sending.mail_servers import Postfix
from table import Rec

DESK, ENDPOINT, WEB = "10.64.80.10", "10.64.80.11", "10.64.80.1"
PATIENT = ["minimal_backoff_time = 1000s", "maximal_backoff_time = 1000s", "queue_run_delay = 1000s", "smtp_connection_cache_on_demand = no"]


def policy_text(mode: str, hosts: list[str], max_age: int = 604800) -> str:
    lines = ["version: STSv1", f"mode: {mode}", *(f"mx: {host}" for host in hosts), f"max_age: {max_age}"]
    return "".join(line + "\r\n" for line in lines)


class Sites:
    """One nginx with the policies of the owners who host their own."""

    def __init__(self, folder: Path, authority: Authority):
        self.folder, self.authority = folder, authority
        folder.mkdir()
        self.web = Nginx(folder, WEB)
        self.blocks: list[str] = []

    def add(self, domain: Domain) -> None:
        name = f"mta-sts.{domain.name}"
        kind = "good" if domain.web == "missing" else domain.web
        where = "return 404;" if domain.web == "missing" else f"alias {self.folder}/{domain.name}.txt;"
        self.blocks.append(f"""    server {{ listen {WEB}:443 ssl; server_name {name};
        ssl_certificate {self.authority.leaf(kind, [name])}; ssl_certificate_key {self.authority.key_file};
        location = /.well-known/mta-sts.txt {{ {where} }} }}
""")

    def put(self, domain: str, text: str) -> None:
        fresh = self.folder / f"{domain}.new"
        fresh.write_text(text)
        fresh.rename(self.folder / f"{domain}.txt")

    def start(self) -> None:
        self.web.start("".join(self.blocks))


class Organisation:
    """Sends mail by a Postfix of its own in `out`, from its own address."""

    def __init__(self, label: str, number: int):
        self.label, self.sent = label, 0
        address = f"10.64.1.{20 + number}"
        net.command(*net.inside("out", "ip", "addr", "add", f"{address}/24", "dev", "wire0"))
        self.postfix = Postfix(f"demo-{label}", "out", f"mail.{label}.test", address)
        self.daemon: Reporter | Publisher | None = None

    def start(self) -> None:
        self.postfix.prepare([*Postfix.lines, *PATIENT])
        self.postfix.start()

    def send(self, domain: str, count: int = 1) -> None:
        for _ in range(count):
            self.sent += 1
            self.postfix.send(f"reader{self.sent}@{domain}")

    def active(self) -> int:
        """Mails on their way right now: neither delivered nor put off."""
        return sum(1 for name in ("incoming", "active", "maildrop") for path in (self.postfix.spool / name).rglob("*") if path.is_file())

    def held(self, domain: str) -> int:
        return sum(1 for to in self.postfix.queue() if to.endswith(f"@{domain}"))

    def forget(self, domains: list[str]) -> None:
        """Takes mail that can never go out from the queue, as a postmaster would."""
        text = net.command(*net.inside("out", "postqueue", "-c", str(self.postfix.etc), "-j")).stdout
        rows = [json.loads(row) for row in text.splitlines()]
        gone = [row["queue_id"] for row in rows if any(one["address"].rpartition("@")[2] in domains for one in row["recipients"])]
        if gone:
            net.command(*net.inside("out", "postsuper", "-c", str(self.postfix.etc), "-d", "-"), input="".join(f"{i}\n" for i in gone))


class World:
    def __init__(self, binary: Path, build: Path, folder: Path, port: int, web: bool):
        self.binary, self.build, self.folder, self.port, self.web = binary, build, folder, port, web
        self.lock = threading.Lock()
        self.authority = Authority(build / "ca", folder / "certs")
        zones = [d.name for d in EVERY] + [r.domain for r in REPORTERS] + [REPORTS, OPERATOR]
        self.names = Names(folder / "names", build, dict.fromkeys(zones, "knot"))
        self.pebble = Pebble(folder / "pebble", self.authority, build / "ca.pem", refused_nonces=0)
        self.sites = Sites(folder / "sites", self.authority)
        self.keys = Keys(build / "ca")
        self.hosts: dict[str, MailHost] = {}
        self.thieves: list[MailHost] = []
        self.stolen: list[Mail] = []
        self.ids: dict[str, int] = {}
        self.organisations: list[Organisation] = []
        self.desk: Publisher | None = None
        self.names.add(*Pebble.records())
        for domain in EVERY:
            self._place(domain)
        self._reports()

    # --- what there is ------------------------------------------------------------------------------------

    def _place(self, domain: Domain) -> None:
        names = self.names
        for mx in domain.mx:
            host = f"{mx.label}.{domain.name}"
            made = MailHost(host, f"10.64.26.{len(self.hosts) + 1}", str(self.authority.key_file), "")
            self.certify(made, mx.cert)
            self.hosts[host] = made
            names.add(Rec(host, "A", made.address, 1), Rec(domain.name, "MX", (mx.preference, host), 1))
        if domain.tlsrpt and not domain.here:
            names.add(Rec(f"_smtp._tls.{domain.name}", "TXT", f"v=TLSRPTv1; rua=mailto:{MAILBOX}".encode(), 1))
        if not domain.mode or domain.here:
            return
        labels = domain.policy_mx or [mx.label for mx in domain.mx]
        self.ids[domain.name] = 1
        names.add(Rec(f"_mta-sts.{domain.name}", "TXT", b"v=STSv1; id=1", 1), Rec(f"mta-sts.{domain.name}", "A", WEB, 1))
        age = 86400 if domain.mode == "none" else 604800
        self.sites.put(domain.name, policy_text(domain.mode, [f"{label}.{domain.name}" for label in labels], age))
        self.sites.add(domain)

    def _reports(self) -> None:
        names = self.names
        names.add(Rec(REPORTS, "MX", (10, f"mx.{REPORTS}"), 1), Rec(f"mx.{REPORTS}", "A", DESK, 1), Rec(f"in.{REPORTS}", "A", ENDPOINT, 1))
        for reporter in REPORTERS:
            if not reporter.real:
                names.add(*(Rec(f"{selector}._domainkey.{reporter.domain}", "TXT", value, 1) for selector, value in self.keys.records().items()))

    def certify(self, host: MailHost, cert: str) -> None:
        host.starttls = cert != "none"
        host.chain = str(self.authority.leaf("good" if cert == "none" else cert, [host.name]))

    # --- who runs there -----------------------------------------------------------------------------------

    def _home(self) -> Organisation:
        """The operator's mail server, and the daemon with the pages, which it asks and which reads its log."""
        home = Organisation("keel", 0)
        chain = self.authority.leaf("good", [f"mx.{REPORTS}", f"in.{REPORTS}"])
        domains = json.dumps([d.name for d in DOMAINS])
        more = f"""[reports]
domains = {domains}
mailboxes = ["{MAILBOX}"]
url = "https://in.{REPORTS}"
[lmtp]
listen = ["{DESK}:24"]
[smtp]
listen = ["{DESK}:25"]
hostname = "mx.{REPORTS}"
[https]
listen = ["{ENDPOINT}:443"]
[resolve]
socketmap-listen = ["unix:{self.folder}/desk/policy.sock,mode=0666", "unix:{home.postfix.policy_socket},mode=0666"]
mta-dane = "yes"
[collect]
postfix-log = ["file:{home.postfix.log}"]
[deliver]
organization = "Keel Hosting"
contact = "tls-reports@{OPERATOR}"
dkim-folder = "{self.folder}/dkim"
[mail]
route = "direct"
from = "mailtight@{OPERATOR}"
"""
        self.desk = Publisher(self.binary, self.folder / "desk", DESK, self.names, self.pebble, more=more,
                              publish=f'rua = ["mailto:{MAILBOX}"]', watch='full = "24h"\ncheap = "6h"')
        if self.web:
            self.desk.text = self.desk.text.replace("[web]\nlisten = []", f'[web]\nlisten = ["127.0.0.1:{self.port}"]', 1)
        self.desk.text = self.desk.text.replace("[serve]\n", f'[serve]\ntls-certificates = ["{chain} {self.authority.key_file}"]\n', 1)
        home.daemon = self.desk
        return home

    def _sender(self, label: str, number: int) -> Organisation:
        made = Organisation(label, number)
        made.daemon = Reporter(self.binary, self.build, self.folder / label, self.folder / "dkim", sockets=[made.postfix.policy_socket],
                               log=made.postfix.log, route='route = "direct"', contact=f"tls-reports@{label}.test")
        made.daemon.text = (made.daemon.text.replace(f"{self.build}/ca.pem", str(self.pebble.trust))
                            .replace("Sender of the lab", f"{label.title()} Mail"))
        return made

    def prepare(self, few: bool = False) -> None:
        """Everything but the daemons: these are started once the history is in. `few`: nobody else sends mail."""
        (self.folder / "dkim").mkdir(mode=0o700)
        self.pebble.trust.write_bytes(self.pebble.root.read_bytes())  # until it says its own root
        others = [] if few else [r.domain.split(".")[0] for r in REPORTERS if r.real]
        self.organisations = [self._home(), *(self._sender(label, n + 1) for n, label in enumerate(others))]
        for one in self.organisations:
            one.daemon.config.write_text(one.daemon.text)
            for row in one.daemon.rows("report", "keys", "make"):
                self.names.add(Rec(row["name"], "TXT", row["value"].encode(), 1))
        self.names.start()
        self.pebble.start()
        self.sites.start()
        for host in self.hosts.values():
            host.start()

    def start_daemons(self) -> None:
        for one in self.organisations:
            one.daemon.start()
            one.start()

    def pass_seconds(self, seconds: int) -> None:
        """For all daemons alike."""
        self.desk.pass_days(seconds / 86400)
        for one in self.organisations[1:]:
            one.daemon.pass_time(self.desk.ahead)

    # --- what is done to it -------------------------------------------------------------------------------

    def publish(self, domain: str, labels: list[str], mode: str = "enforce", *, forget_id: bool = False, max_age: int = 604800) -> None:
        """A new policy of an owner who hosts it alone."""
        self.sites.put(domain, policy_text(mode, [f"{label}.{domain}" for label in labels], max_age))
        if not forget_id:
            self.ids[domain] += 1
            self.names.put(f"_mta-sts.{domain}", "TXT", f'"v=STSv1; id={self.ids[domain]}"')

    def attack(self, *domains: str) -> None:
        """The one in the middle answers for their mail servers, without STARTTLS."""
        for host in [h for h in self.hosts.values() if h.name.split(".", 1)[1] in domains]:
            made = middle.imposter(host)
            made.onward = self.stolen.append
            self.thieves.append(made)

    def peace(self) -> None:
        for made in self.thieves:
            with contextlib.suppress(RuntimeError):
                net.give_back(made.address)
            made.stop()
        self.thieves = []

    def delivered(self, domain: str) -> int:
        return sum(len(h.mails) for h in self.hosts.values() if re.fullmatch(rf"[^.]+\.{re.escape(domain)}", h.name))

    def stop(self) -> list[str]:
        """What did not end as it should."""
        problems = []
        self.peace()
        for one in self.organisations:
            with contextlib.suppress(Exception):
                one.postfix.stop()
            try:
                if status := one.daemon.stop():
                    problems.append(f"the daemon of {one.label} ended with {status}: {one.daemon.tail()[-500:]}")
            except Exception as problem:  # noqa: BLE001
                problems.append(f"the daemon of {one.label} did not end: {problem}")
        for host in self.hosts.values():
            host.stop()
        for part in (self.sites.web, self.pebble, self.names):
            with contextlib.suppress(Exception):
                part.stop()
        return problems
