# SPDX-License-Identifier: Apache-2.0
"""The disk is full, the database is away: nothing is acknowledged that is not kept, and work goes on by itself."""

from __future__ import annotations

import json
import os
import re
import smtplib
import socketserver
import subprocess
import threading
import urllib.request

import database
import world
from reporters import Report, policy
from reports import senders
from reports.case import Shop, case
from reports.cases_alarms import METRICS, SMART_HOST, WEBHOOK, Inbox
from reports.cases_ways_in import MAILBOX, token_of, totals
from reports.daemon import LMTP

OURS = "healthy.test"
PAGES = "127.0.0.1:8460"


def _send(shop: Shop, report: Report) -> int:
    """The reply's code."""
    try:
        senders.lmtp(LMTP, f"tls-reports@{report.reporter}", MAILBOX, report.signed(MAILBOX, shop.keys))
        return 250
    except smtplib.SMTPDataError as refused:
        return refused.smtp_code
    except smtplib.SMTPRecipientsRefused as refused:
        return next(iter(refused.recipients.values()))[0]


def _metrics() -> str:
    with urllib.request.urlopen(f"http://{METRICS[0]}:{METRICS[1]}/metrics", timeout=10) as page:  # noqa: S310
        return page.read().decode()


@case("a full disk")
def full_disk(shop: Shop) -> None:
    small = shop.folder / "small"
    small.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "none", str(small)], check=True)
    socketserver.TCPServer.allow_reuse_address = True
    inbox = Inbox()
    try:
        daemon = shop.daemon(f"""
[mail]
route = "smart-host"
host = "{SMART_HOST[0]}"
port = {SMART_HOST[1]}
from = "mailtight@hosting.test"
[alarms]
mail = ["postmaster@hosting.test"]
webhook = "http://{WEBHOOK[0]}:{WEBHOOK[1]}/hook"
[metrics]
listen = "{METRICS[0]}:{METRICS[1]}"
""", start=False)
        daemon.store = str(small / "store.db")
        daemon.write_config()
        text = daemon.config.read_text().replace("[web]\nlisten = []", f'[web]\nlisten = ["{PAGES}"]')
        daemon.config.write_text(text)
        daemon.start()
        shop.same("the first", _send(shop, Report("reporter-one.test", OURS, 2, [policy(OURS, 1)])), 250)
        shop.true("mailtight_store_writable 1" in _metrics(), "the gauge of a store that can be written")
        filler = os.open(small / "filler", os.O_CREAT | os.O_WRONLY)
        try:
            while True:
                os.write(filler, b"x" * 4096)
        except OSError:
            os.close(filler)
        url = f"https://in.{world.REPORTS}/tlsrpt/{token_of(daemon, OURS)}"
        taken, refused = 0, 0
        for number in range(60):  # some may still fit into pages that are there
            code = _send(shop, Report("reporter-one.test", OURS, 3, [policy(OURS, 1)], f"f{number}"))
            taken, refused = taken + (code == 250), refused + (code == 451)
            shop.true(code in (250, 451), f"reply {code}")
        shop.true(refused > 0, "nothing was refused on a full disk")
        statuses = [senders.post(shop.build, url, Report("poster.test", OURS, 3, [policy(OURS, 1)], f"p{n}").gzip(),
                                 "application/tlsrpt+gzip") for n in range(5)]
        shop.true(all(s in (201, 503) for s in statuses) and 503 in statuses, f"statuses {statuses}")
        taken += statuses.count(201)
        # All else answers, and says what is wrong.
        shop.wait("the gauge", lambda: "mailtight_store_writable 0" in _metrics())
        failed = float(re.search(r"^mailtight_store_failed_writes_total (\S+)", _metrics(), re.M).group(1))
        shop.true(failed > 0, f"{failed} failed writes")
        with urllib.request.urlopen(f"http://{PAGES}/", timeout=10) as page:  # noqa: S310
            shop.same("the pages", page.status, 200)
        more: list[int] = []

        def knock() -> bool:  # a small write may still fit in somewhere, so reports go on coming
            more.append(_send(shop, Report("reporter-one.test", OURS, 3, [policy(OURS, 1)], f"more{len(more)}")))
            return True

        def told_so() -> bool:
            store = daemon.json("status")[0]["store"]
            return knock() and not store["writable"] and "full" in store["last_error"]
        shop.wait("that status says so", told_so)
        shop.wait("an alarm by webhook", lambda: knock() and inbox.hooks)
        shop.wait("an alarm by mail", lambda: inbox.mails)
        taken += more.count(250)
        told = json.loads(inbox.hooks[0][1])
        shop.same("the alarm", (told["event"], told["kind"], told["severity"]), ("raised", "store", "error"))
        shop.true("The store cannot be written" in inbox.mails[0], inbox.mails[0])
        (small / "filler").unlink()
        shop.wait("recovery", lambda: _send(shop, Report("reporter-two.test", OURS, 2, [policy(OURS, 1)])) == 250)
        shop.same("the totals", totals(daemon), {OURS: (taken + 2, 0)})
        shop.wait("the gauge after that", lambda: "mailtight_store_writable 1" in _metrics())
        shop.wait("word that it is over", lambda: len(inbox.hooks) > 1)
        shop.same("how often it was told", [json.loads(body)["event"] for _, body in inbox.hooks], ["raised", "resolved"])
        daemon.stop()
    finally:
        inbox.close()
        subprocess.run(["umount", "-l", str(small)], check=False)


@case("the database is away", ("postgres",))
def database_away(shop: Shop) -> None:
    cluster = database.Cluster("second-postgres", 5433)
    try:
        daemon = shop.daemon(start=False)
        daemon.store = cluster.address()
        daemon.write_config()
        daemon.start()
        shop.same("the first", _send(shop, Report("reporter-one.test", OURS, 2, [policy(OURS, 1)])), 250)
        cluster.stop()
        shop.same("with the database away", _send(shop, Report("reporter-one.test", OURS, 3, [policy(OURS, 1)])), 451)
        cluster.start()
        shop.wait("recovery", lambda: _send(shop, Report("reporter-one.test", OURS, 4, [policy(OURS, 1)])) == 250)
        shop.same("the totals", totals(daemon), {OURS: (2, 0)})
    finally:
        for made in shop.daemons:
            made.stop()
        cluster.stop()


@case("two daemons write one database at once", ("postgres",))
def two_machines(shop: Shop) -> None:
    one = shop.daemon()
    two = shop.daemon(start=False)
    two.store = one.store
    two.write_config()
    text = two.config.read_text()
    for there, here in ((world.SERVE_IP, "127.0.25.7"), (world.DIRECT_IP, "127.0.25.8")):
        text = text.replace(f'"{there}:', f'"{here}:')
    two.config.write_text(text)
    process = subprocess.Popen([str(two.binary), "serve", "--config", str(two.config)], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        shop.wait("the second daemon", lambda: two._listens(("127.0.25.7", 24)))
        reports = [Report("reporter-one.test", OURS, 2, [policy(OURS, 1)], f"n{n}") for n in range(60)]
        errors: list[str] = []

        def load(address: tuple[str, int]) -> None:
            for report in reports:  # both are given all of them
                try:
                    senders.lmtp(address, "tls-reports@reporter-one.test", MAILBOX, report.signed(MAILBOX, shop.keys))
                except smtplib.SMTPException as problem:
                    errors.append(str(problem))
        threads = [threading.Thread(target=load, args=(address,)) for address in (LMTP, ("127.0.25.7", 24))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        shop.same("refusals", errors, [])
        shop.same("the totals", totals(one), {OURS: (60, 0)})
    finally:
        process.terminate()
        shop.same("the exit status of the second", process.wait(30), 0)
