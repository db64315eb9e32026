# SPDX-License-Identifier: Apache-2.0
"""The disk is full, the database is away: nothing is acknowledged that is not kept, and work goes on by itself."""

from __future__ import annotations

import os
import smtplib
import subprocess
import threading

import database
import world
from reporters import Report, policy
from reports import senders
from reports.case import Shop, case
from reports.cases_ways_in import MAILBOX, token_of, totals
from reports.daemon import LMTP

OURS = "healthy.test"


def _send(shop: Shop, report: Report) -> int:
    """The reply's code."""
    try:
        senders.lmtp(LMTP, f"tls-reports@{report.reporter}", MAILBOX, report.signed(MAILBOX, shop.keys))
        return 250
    except smtplib.SMTPDataError as refused:
        return refused.smtp_code
    except smtplib.SMTPRecipientsRefused as refused:
        return next(iter(refused.recipients.values()))[0]


@case("a full disk")
def full_disk(shop: Shop) -> None:
    small = shop.folder / "small"
    small.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "none", str(small)], check=True)
    try:
        daemon = shop.daemon(start=False)
        daemon.store = str(small / "store.db")
        daemon.write_config()
        daemon.start()
        shop.same("the first", _send(shop, Report("reporter-one.test", OURS, 2, [policy(OURS, 1)])), 250)
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
        (small / "filler").unlink()
        shop.wait("recovery", lambda: _send(shop, Report("reporter-two.test", OURS, 2, [policy(OURS, 1)])) == 250)
        shop.same("the totals", totals(daemon), {OURS: (taken + 2, 0)})
        daemon.stop()
    finally:
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
