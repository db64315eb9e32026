# SPDX-License-Identifier: Apache-2.0
"""Each way in, with the real program at the other end, and the same totals whatever way a report took."""

from __future__ import annotations

import json
import os
import smtplib
import time

import world
from reporters import Report, failure, policy
from reports import senders
from reports.case import Shop, case
from reports.daemon import HTTP, LMTP, SMTP

MAILBOX, DIRECT = f"tls-report@{world.REPORTS}", f"tls-report@{world.REPORTS_DIRECT}"
BOTH = ("sqlite", "postgres")


def totals(daemon) -> dict[str, tuple[int, int]]:
    """Counted sessions of each domain of ours: succeeded, failed."""
    found: dict[str, tuple[int, int]] = {}
    for row in daemon.json("report", "summary", "--by", "day"):
        success, failed = found.get(row["domain"], (0, 0))
        found[row["domain"]] = (success + row["success"], failed + row["failure"])
    return found


def counted(daemon) -> int:
    return len(daemon.json("report", "list", "--limit", "100000"))


def token_of(daemon, domain: str) -> str:
    """The token in the addresses of a domain."""
    addresses = daemon.json("report", "address", domain)[0]["rua"]
    return next(a for a in addresses if a.startswith("https:")).rsplit("/", 1)[1]


@case("every way in, each report counted once", BOTH,
      proves=["8460-3-j", "8460-5-a", "8460-5.3-a", "8460-5.4-a", "8460-5.4-c", "8460-5.3-j", "G0-9", "G2-4", "G2-11"])
def every_way_in(shop: Shop) -> None:
    mailbox = senders.Mailbox(shop.build)
    mailbox.empty()
    password = shop.folder / "password"
    shop.folder.mkdir(exist_ok=True)
    password.write_text("a pass word\n")
    daemon = shop.daemon(f"""
[imap]
host = "{world.DOVECOT}"
ca-file = "{shop.build}/ca.pem"
user = "tls-reports@mailbox.test"
password-file = "{password}"
after = "Done"
interval = "1s"
""")
    ours = "healthy.test"
    url = f"https://in.{world.REPORTS}/tlsrpt/{token_of(daemon, ours)}"
    plain = f"http://{HTTP[0]}:{HTTP[1]}/tlsrpt/{token_of(daemon, ours)}"

    def send_all() -> None:
        # Through a real Postfix, which hands them on by LMTP; one by a token's address, one signed with Ed25519.
        by_postfix = [Report("reporter-one.test", ours, 2, [policy(ours, 100)]),
                      Report("reporter-two.test", ours, 2, [policy(ours, 10, [failure("certificate-expired", 3)])])]
        for report, algorithm in zip(by_postfix, ("rsa", "ed25519")):
            to = f"tls-report+{token_of(daemon, ours)}@{world.REPORTS}"
            senders.smtp((world.POSTFIX_IP, 25), f"tls-reports@{report.reporter}", to,
                         report.signed(to, shop.keys, algorithm=algorithm))
        # sts and tlsa describe the same sessions: 7 and 1, not 14 and 2.
        both = Report("reporter-three.test", "moving.test", 2, [
            policy("moving.test", 7, [failure("validation-failure", 1)]),
            policy("moving.test", 7, [failure("validation-failure", 1)], kind="tlsa")])
        senders.lmtp(LMTP, "tls-reports@reporter-three.test", MAILBOX, both.signed(MAILBOX, shop.keys))
        # The program as the MX itself.
        direct = Report("reporter-one.test", "moving.test", 2, [policy("moving.test", 20)])
        senders.smtp(SMTP, "tls-reports@reporter-one.test", DIRECT, direct.signed(DIRECT, shop.keys),
                     senders.context(shop.build))
        # HTTPS and, as from a proxy, HTTP.
        posted = [(url, Report("poster.test", ours, 3, [policy(ours, 1000)], "a").gzip(), "application/tlsrpt+gzip"),
                  (url, Report("poster.test", ours, 3, [policy(ours, 2000)], "b").json(), "application/tlsrpt+json"),
                  (plain, Report("poster.test", ours, 3, [policy(ours, 4000)], "c").gzip(), "application/tlsrpt+gzip")]
        for address, body, media in posted:
            status = senders.post(shop.build, address, body, media)
            shop.true(status in (200, 201), f"POST to {address} gave {status}")
        # A maildir and an IMAP mailbox.
        dropped = Report("reporter-two.test", "entering.test", 2, [policy("entering.test", 30)])
        name = f"{time.time_ns()}.M1P{os.getpid()}.lab"
        (daemon.maildir / "tmp" / name).write_bytes(dropped.signed(MAILBOX, shop.keys))
        (daemon.maildir / "tmp" / name).rename(daemon.maildir / "new" / name)
        mailbox.append(*(Report("reporter-two.test", "entering.test", day, [policy("entering.test", 200)])
                         .signed(MAILBOX, shop.keys) for day in (3, 4)))

    expected = {ours: (7110, 3), "moving.test": (27, 1), "entering.test": (430, 0)}
    send_all()
    shop.wait("the reports", lambda: totals(daemon) == expected)
    shop.same("the totals", totals(daemon), expected)
    shop.same("the number of reports", counted(daemon), 10)
    shop.wait("the mailbox to be emptied", lambda: mailbox.count() == 0)
    shop.same("mails in the folder of done ones", mailbox.count("Done"), 2)
    send_all()  # the same again, as reporters do that were not sure
    shop.wait("the mailbox to be emptied again", lambda: mailbox.count() == 0 and mailbox.count("Done") == 4)
    shop.wait("the maildir to be read", lambda: not list((daemon.maildir / "new").iterdir()))
    time.sleep(1)
    shop.same("the totals after everything came twice", totals(daemon), expected)
    shop.same("the number of reports after everything came twice", counted(daemon), 10)
    shop.same("the exit status after SIGTERM", daemon.stop(), 0)
    shop.same("the totals without the daemon", totals(daemon), expected)


@case("forged, foreign and unsigned reports are kept apart", BOTH, proves=["8460-3-k", "8460-3-l", "8460-7-a"])
def forgeries(shop: Shop) -> None:
    daemon = shop.daemon()
    ours = "healthy.test"
    genuine = Report("reporter-one.test", ours, 2, [policy(ours, 50)])
    lie = Report("reporter-one.test", ours, 2, [policy(ours, 0, [failure("starttls-not-supported", 9999)])])
    send = lambda mail: senders.lmtp(LMTP, "tls-reports@reporter-one.test", MAILBOX, mail)  # noqa: E731
    send(genuine.signed(MAILBOX, shop.keys))
    send(lie.mail(MAILBOX))                                             # unsigned
    send(lie.signed(MAILBOX, shop.keys, by="stranger.test"))            # signed by another
    send(lie.signed(MAILBOX, shop.keys, length=True))                   # with l=
    send(lie.signed(MAILBOX, shop.keys).replace(b"aggregate", b"changed")) # under way
    send(Report("reporter-one.test", "not-ours.test", 2, [policy("not-ours.test", 70)]).signed(MAILBOX, shop.keys))
    shop.wait("the genuine one", lambda: totals(daemon) == {ours: (50, 0)})
    apart = daemon.json("report", "list", "--quarantined")
    shop.same("kept apart, and how often each came (one content, so one lie)",
              sorted((row["report_domain"], row["times_seen"]) for row in apart), [(ours, 4), ("not-ours.test", 1)])
    shop.true(all(row["why"] for row in apart), f"a report is kept apart without a reason: {apart}")
    shop.same("the totals", totals(daemon), {ours: (50, 0)})
    shop.true(all(row["domain"] != "not-ours.test" for row in daemon.json("report", "summary", "--by", "day")),
              "a report made a domain known")


@case("who may be written to, and how much", proves=["8460-7-a"])
def limits(shop: Shop) -> None:
    daemon = shop.daemon()
    report = Report("reporter-one.test", "healthy.test", 2, [policy("healthy.test", 5)])
    for to in (f"somebody@{world.REPORTS}", f"tls-report+wrongtoken@{world.REPORTS}", "tls-report@elsewhere.test"):
        try:
            senders.lmtp(LMTP, "tls-reports@reporter-one.test", to, report.signed(to, shop.keys))
            shop.true(False, f"mail to {to} was taken")
        except smtplib.SMTPRecipientsRefused as refused:
            shop.same(f"the reply to {to}", refused.recipients[to][0], 550)
    url = f"https://in.{world.REPORTS}/tlsrpt/"
    token = token_of(daemon, "healthy.test")
    for what, status, address, body in [("a foreign token", 404, url + "a" * len(token), report.gzip()),
                                        ("no report", 422, url + token, b"{}"), ("nothing", 422, url + token, b"")]:
        got = senders.post(shop.build, address, body, "application/tlsrpt+gzip")
        shop.true(got == status or (what == "nothing" and 400 <= got < 500), f"{what}: {got}, expected {status}")
    shop.same("GET", senders.post(shop.build, url + token, b"", "text/plain", "--get"), 405)
    shop.same("a bomb", senders.post(shop.build, url + token, _bomb(), "application/tlsrpt+gzip") // 100, 4)
    shop.same("the totals", totals(daemon), {})
    done = daemon.command("status", "--json")
    shop.true(done.returncode in (0, 1), f"status: {done.returncode} {done.stderr[-300:]!r}")


def _bomb() -> bytes:
    """300 MB of blanks in 300 kB."""
    import gzip
    return gzip.compress(b'{"policies":[' + b" " * 300_000_000, compresslevel=9)


@case("a report is followed from its sending to the store", proves=["G2-4"])
def report_test(shop: Shop) -> None:
    daemon = shop.daemon('[mail]\nroute = "direct"\n')
    done = daemon.command("report", "test", "--wait", "20s", "--smtp-port", "25", "reports-test.test")
    shop.same(f"the exit status ({done.stdout[-300:]!r} {done.stderr[-300:]!r})", done.returncode, 0)
    shop.same("the totals", totals(daemon), {})
    shop.same("reports of tests", len(daemon.json("report", "list", "--tests")), 1)
    lost = daemon.command("report", "test", "--wait", "3s", "healthy.test")
    shop.same("the exit status for an address that is not ours", lost.returncode, 1)


@case("a failure is joined with a look at the domain now", proves=["G4-20"])
def live(shop: Shop) -> None:
    daemon = shop.daemon(start=False)
    daemon.config.write_text(daemon.config.read_text().replace('"healthy.test"', '"healthy.test", "mx-expired.test"'))
    daemon.start()
    expired = [failure("certificate-expired", 3, "mx.mx-expired.test")]
    mended = [failure("certificate-expired", 4, "mx1.hosting.test")]
    for report in (Report("reporter-one.test", "mx-expired.test", 1, [policy("mx-expired.test", 9, expired)]),
                   Report("reporter-one.test", "healthy.test", 1, [policy("healthy.test", 9, mended)])):
        senders.lmtp(LMTP, "tls-reports@reporter-one.test", MAILBOX, report.signed(MAILBOX, shop.keys))
    shop.wait("the reports", lambda: len(totals(daemon)) == 2)
    told = {row["domain"]: row for row in daemon.json("report", "failures", "--live")}
    shop.same("a fault that is still there", told["mx-expired.test"]["diagnosis"]["still_so"], True)
    shop.same("a fault that is mended", told["healthy.test"]["diagnosis"]["still_so"], False)
    words = daemon.command("report", "failures", "--live").stdout.decode()
    shop.has(" ".join(words.split()), "Still so now", "Not seen any more")
    checked = daemon.command("check", "--json", "healthy.test")
    codes = [f["code"] for f in json.loads(checked.stdout)["findings"]]
    shop.true("reports.failures" in codes, f"check says nothing of the reports: {codes}")
    shop.same("the verdict", json.loads(checked.stdout)["verdict"], "protected")
