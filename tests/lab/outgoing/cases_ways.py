# SPDX-License-Identifier: Apache-2.0
"""How a report leaves: the mail as others read it, endpoints that fail or send elsewhere, addresses that are none of the
world's, days on which nothing is worth telling."""

from __future__ import annotations

import email
import email.policy
import gzip
import json
import subprocess
from pathlib import Path

import jsonschema

from outgoing import datagrams
from outgoing.case import Trial, case
from outgoing.daemon import CONTACT, today, until_due
from outgoing.endpoint import Endpoint
from outgoing.ways import BUSY, ENDPOINTS, MAIL, MOVED, PRIVATE, PRIVATE_MAIL, QUIET, SIX, WORN
from sending import net

SCHEMA = Path(__file__).resolve().parents[2] / "schema" / "tlsrpt-report.json"
HOUR = 3600


def endpoint(trial: Trial, name: str, cert: str = "good", **more) -> Endpoint:
    far = trial.far
    made = Endpoint(ENDPOINTS[name], far.authority.leaf(cert, [name]), far.authority.key_file, **more).start()
    trial.world.at_end(made.stop)
    return made


@case("each way out: what is tried again, what is refused, what is never tried", "ways",
      proves=["8460-3-d", "8460-3-e", "8460-3-j", "8460-5.1-b", "8460-5.1-e", "8460-5.3-b", "8460-5.3-c", "8460-5.3-d", "8460-5.3-e",
              "8460-5.4-b", "8460-5.4-d"])
def ways_out(trial: Trial) -> None:
    far = trial.far
    busy = endpoint(trial, BUSY, answers=[(500, {}), (503, {"Retry-After": "7200"}), (201, {})])
    moved = endpoint(trial, MOVED, answers=[(302, {"Location": f"https://{BUSY}/elsewhere"})])
    worn = endpoint(trial, WORN, cert="expired")
    six = far.hosts[f"mx.{SIX}"]
    six.close(six.address)
    six.refuse["6"] = "550 5.7.25 no PTR record for your address"
    reporter = trial.world.reporter("ways")
    reporter.start()
    teller = reporter.teller()
    for name in (BUSY, MOVED, WORN, PRIVATE, PRIVATE_MAIL, SIX, MAIL):
        teller.send(datagrams.session(name, result="" if name != MAIL else "starttls-not-supported", policy="sts" if name == MAIL else "no-policy-found"), 4)
    trial.wait("all to be counted", lambda: reporter.counted()["sessions"] >= 28, 10)
    ahead = until_due()
    reporter.pass_time(ahead)

    def state(name: str) -> tuple[str, int]:
        found = list(reporter.deliveries(name).values())
        return (found[0]["state"], found[0]["tries"]) if found else ("", 0)
    trial.wait("the first tries", lambda: all(state(n)[1] or state(n)[0] not in ("", "waiting") for n in (BUSY, MOVED, WORN, PRIVATE, PRIVATE_MAIL, SIX, MAIL)), 40)
    # 500, then 503 with a wait of its own, then taken.
    trial.same("busy after its first try", state(BUSY), ("waiting", 1))
    # Over IPv4 nobody answers, and IPv6 is refused: that decides nothing, and the next try is over IPv4.
    trial.same("six, refused over IPv6", [(d["state"], d["family"]) for d in reporter.deliveries(SIX).values()], [("waiting", "ipv4")])
    six.open(six.address)
    ahead += HOUR
    reporter.pass_time(ahead)
    trial.wait("the second try", lambda: state(BUSY)[1] == 2, 20)
    reporter.pass_time(ahead + HOUR)
    trial.wait("the others", lambda: state(SIX)[0] == "sent", 20)
    trial.same("busy an hour later, although it said two", state(BUSY), ("waiting", 2))
    reporter.pass_time(ahead + 3 * HOUR)
    trial.wait("the third try", lambda: state(BUSY) == ("sent", 3), 20)
    trial.same("posts to it", [(p.path, p.fields.get("Content-Type")) for p in busy.posted], [("/tlsrpt", "application/tlsrpt+gzip")] * 3)
    trial.same("the same bytes each time", len({p.body for p in busy.posted}), 1)
    # A redirect is no answer, and nobody follows it.
    trial.same("moved", state(MOVED), ("refused", 1))
    trial.same("posts to it", len(moved.posted), 1)
    trial.has(list(reporter.deliveries(MOVED).values())[0]["words"], "302")
    # The report may be about the certificate.
    trial.same("worn", state(WORN)[0], "sent")
    trial.same("posts to it", len(worn.posted), 1)
    trial.has(list(reporter.deliveries(WORN).values())[0]["words"], "certificate")
    # Addresses that are not the world's are no target.
    for name in (PRIVATE, PRIVATE_MAIL):
        trial.true(state(name)[0] in ("refused", "suppressed"), f"{name}: {reporter.deliveries(name)}")
    trial.same("how it came to the host with both families", (six.families, len(six.mails)), (["6", "4"], 1))
    trial.same("its state", state(SIX)[0], "sent")
    by_others(trial, MAIL, {"starttls-not-supported": 4})


@case("days that are not told, and what a report would say", "quiet", proves=["8460-4.1-a", "8460-4.2-a", "8460-4.2-b"])
def quiet(trial: Trial) -> None:
    taking = endpoint(trial, f"in.{QUIET}")
    reporter = trial.world.reporter("quiet", deliver="success-only = false\nminimum-sessions = 3")
    reporter.start()
    teller = reporter.teller()
    fine, mixed, few = (f"{label}.{QUIET}" for label in ("fine", "mixed", "few"))
    strings = ["version: STSv1", "mode: enforce", "mx: mx.mixed.quiet.test", "max_age: 604800"]
    teller.send(datagrams.session(fine), 5)
    teller.send(datagrams.session(mixed, "sts", strings=strings), 4)
    teller.send(datagrams.session(mixed, "sts", "certificate-expired", strings=strings, address="2001:db8::25"), 2)
    teller.send(datagrams.session(few, "sts", "certificate-expired", strings=strings), 2)
    trial.wait("all to be counted", lambda: reporter.counted()["sessions"] >= 13, 10)
    trial.wait("all to be written", lambda: reporter.counted()["waiting"] == 0, 5)
    preview = reporter.rows("report", "preview", "--day", str(today()), mixed)
    reporter.pass_time(until_due())
    reporter.send_day()
    trial.wait("the report", lambda: taking.posted, 20)
    taking.stop()
    trial.same("reports", [post.domain for post in taking.posted], [mixed])
    report = taking.posted[0].report()
    trial.same("its sessions", report["policies"][0]["summary"], {"total-successful-session-count": 4, "total-failure-session-count": 2})
    trial.same("what a preview said before", preview[0]["report"]["policies"], report["policies"])
    trial.same("the receiving address", report["policies"][0]["failure-details"][0]["receiving-ip"], "2001:db8::25")
    trial.same("the days", (report["date-range"]["start-datetime"], report["date-range"]["end-datetime"]), (f"{today()}T00:00:00Z", f"{today()}T23:59:59Z"))


@case("a dry run writes the reports to a folder, and sends nothing", "quiet")
def dry_run(trial: Trial) -> None:
    taking, folder = endpoint(trial, f"in.{QUIET}"), trial.world.folder / "written"
    reporter = trial.world.reporter("dry", deliver=f'dry-run = "{folder}"')
    reporter.start()
    reporter.teller().send(datagrams.session(f"dry.{QUIET}"), 2)
    trial.wait("all to be counted", lambda: reporter.counted()["sessions"] >= 2, 10)
    trial.wait("them to be written", lambda: reporter.counted()["waiting"] == 0, 5)
    reporter.pass_time(until_due())
    reporter.send_day()
    trial.wait("files", lambda: folder.exists() and len(list(folder.iterdir())) == 2, 20)
    names = sorted(path.suffixes[-1] for path in folder.iterdir())
    trial.same("files", names, [".gz", ".json"])
    report = json.loads(next(folder.glob("*.json")).read_text())
    trial.same("the sessions in it", report["policies"][0]["summary"]["total-successful-session-count"], 2)
    trial.same("reports filed and posted", (reporter.outbox(), taking.posted), ([], []))
    reporter.text = reporter.text.replace("dry-run =", "copy-to = \"\" #")
    reporter.stop()
    reporter.start()
    reporter.pass_time(until_due() + 6 * HOUR)  # beyond the look of the dry run
    trial.wait("the report, once it is no dry run", lambda: [d["state"] for d in reporter.deliveries(f"dry.{QUIET}").values()] == ["sent"], 20)


def by_others(trial: Trial, name: str, results: dict[str, int]) -> None:
    """The mail, as Debian's opendkim and Python's parser read it; the report against the schema."""
    host = trial.far.hosts[f"mx.{name}"]
    trial.wait("the mail", lambda: host.mails, 20)
    raw = host.mails[0].text
    verified = subprocess.run(net.inside("far", "opendkim-testmsg"), input=raw, capture_output=True, check=False)
    trial.same("opendkim's exit status and words", (verified.returncode, verified.stderr.decode()[-300:]), (0, ""))
    spoiled = subprocess.run(net.inside("far", "opendkim-testmsg"), input=raw.replace(b"TLS-Report-Domain: ", b"TLS-Report-Domain: x"),
                             capture_output=True, check=False)
    trial.true(spoiled.returncode != 0, "opendkim takes a changed mail, so it proves nothing")
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    trial.same("defects", [mail.defects, *(part.defects for part in mail.walk())], [[]] * (1 + len(list(mail.walk()))))
    trial.same("kind", (mail.get_content_type(), mail.get_param("report-type")), ("multipart/report", "tlsrpt"))
    trial.same("fields", (mail["TLS-Report-Domain"], mail["TLS-Report-Submitter"], mail["TLS-Required"], mail["Auto-Submitted"]),
               (name, "sender.test", "No", "auto-generated"))
    trial.has(str(mail["From"]), CONTACT)
    text, body = list(mail.iter_parts())
    trial.same("parts", (text.get_content_type(), body.get_content_type()), ("text/plain", "application/tlsrpt+gzip"))
    trial.has(body.get_filename() or "", "sender.test!", f"!{name}!", ".json.gz")
    report = json.loads(gzip.decompress(body.get_content()))
    jsonschema.Draft7Validator.check_schema(json.loads(SCHEMA.read_text()))
    problems = [error.message for error in jsonschema.Draft7Validator(json.loads(SCHEMA.read_text())).iter_errors(report)]
    trial.same("what the schema says", problems, [])
    told = {d["result-type"]: d["failed-session-count"] for p in report["policies"] for d in p.get("failure-details", [])}
    trial.same("results in it", told, results)
    # Our own reader has nothing to say of it.
    file = trial.world.folder / "ours.eml"
    file.write_bytes(raw)
    read = json.loads(subprocess.run([str(trial.world.binary), "report", "read", "--json", str(file)], capture_output=True, text=True, check=False).stdout)
    trial.same("warnings of our reader", read.get("warnings"), [])
