# SPDX-License-Identifier: Apache-2.0
"""What the pages ask of reports, through the API on the control socket: real files up, figures, causes and mutes down."""

from __future__ import annotations

import gzip
import http.client
import io
import json
import socket
import zipfile
from urllib.parse import quote

from reporters import Report, failure, policy
from reports.case import Shop, case

OURS = "healthy.test"


class Api(http.client.HTTPConnection):
    """The API of a daemon, as its administrator."""

    def __init__(self, place: str):
        super().__init__("localhost", timeout=60)
        self.place = place

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(60)
        self.sock.connect(self.place)

    def ask(self, method: str, path: str, body: bytes | dict | None = None) -> tuple[int, dict]:
        """Status and document."""
        raw = json.dumps(body).encode() if isinstance(body, dict) else body
        self.request(method, "/api/v1" + path, raw)
        answer = self.getresponse()
        return answer.status, json.loads(answer.read() or b"{}")


def _zip(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


@case("what the pages ask: a file read, taken in, summed up, its failures silenced", ("sqlite", "postgres"))
def pages(shop: Shop) -> None:
    daemon = shop.daemon()
    api = Api(f"{daemon.folder}/control.sock")
    bad = Report("reporter-one.test", OURS, 2, [policy(OURS, 90, [failure("certificate-expired", 10)])], "bad")
    fine = Report("reporter-two.test", OURS, 3, [policy(OURS, 50)], "fine")
    to = "tls-report@reports.test"

    # Read and explained: each form, several in an archive, and what is no report is said, not thrown away.
    archive = _zip({"a.json": bad.json(), "b.json": fine.json(), "notes.txt": b"no report"})
    for name, content, reports in (("a.json", bad.json(), 1), ("a.json.gz", bad.gzip(), 1), ("all.zip", archive, 2),
                                   ("a.eml", bad.signed(to, shop.keys), 1),
                                   ("box", b"From x@y Thu Jan  1 00:00:00 2026\n" + bad.mail(to).replace(b"\r\n", b"\n")
                                    + b"\nFrom x@y Thu Jan  1 00:00:00 2026\n" + fine.mail(to).replace(b"\r\n", b"\n"), 2)):
        status, said = api.ask("POST", f"/reports/read?name={quote(name)}", content)
        shop.same(f"{name}: status", status, 200)
        shop.same(f"{name}: reports", len(said["reports"]), reports)
        shop.same(f"{name}: the first", said["reports"][0]["headline"], {"success": 90, "failure": 10})
        details = said["reports"][0]["policies"][0]["details"]
        shop.true(bool(details and details[0]["diagnosis"]["fix"]), f"{name}: no fix")
    errors = api.ask("POST", "/reports/read", b"hello")[1]["errors"]
    shop.true(len(errors) == 1 and errors[0]["error"]["code"] in ("not-json", "not-a-report"), f"no report: {errors}")
    bomb = gzip.compress(b"{" + b" " * 40_000_000)
    shop.same("a bomb", [e["error"]["code"] for e in api.ask("POST", "/reports/read", bomb)[1]["errors"]], ["bomb"])
    shop.same("nothing is stored", api.ask("GET", "/reports?what=all")[1]["reports"], [])

    # Into the store, once.
    status, said = api.ask("POST", "/reports?name=all.zip", archive)
    shop.same("taken in", (status, said["added"], said["duplicates"]), (200, 2, 0))
    shop.same("again", api.ask("POST", "/reports", bad.gzip())[1]["duplicates"], 1)
    listed = api.ask("GET", f"/reports?domain={OURS}&failures=1")[1]["reports"]
    shop.same("the command lists the same", [row for row in daemon.json("report", "list") if row["failure"]], listed)
    number = listed[0]["number"]
    shown = api.ask("GET", f"/reports/{number}")[1]
    command = daemon.json("report", "show", str(number))[0]
    shop.same("the command shows the same", {k: v for k, v in shown.items() if k != "left_out"}, command)
    shop.same("as it came", api.ask("GET", f"/reports/{number}/raw")[1], json.loads(bad.json()))
    shop.same("no such report", api.ask("GET", "/reports/4711")[0], 404)

    summary = api.ask("GET", f"/report-summary?domain={OURS}")[1]
    theirs = daemon.json("report", "summary", "--domain", OURS)[0]
    shop.same("the command sums up the same", {k: summary[k] for k in theirs}, theirs)
    shop.same("all domains", api.ask("GET", "/report-summary")[1]["headline"], {"success": 140, "failure": 10})
    shop.true(OURS not in [one["domain"] for one in summary["silence"]], "it is not silent")
    silent = [one["domain"] for one in api.ask("GET", "/report-summary")[1]["silence"]]
    shop.true("moving.test" in silent, f"silent: {silent}")

    groups = api.ask("GET", "/failures")[1]["groups"]
    shop.same("one kind", [(g["domain"], g["result_type"], g["count"], g["last_report"]) for g in groups],
              [(OURS, "certificate-expired", 10, number)])
    status, mute = api.ask("POST", "/mutes", {"domain": OURS, "result_type": groups[0]["result_type"], "mx": groups[0]["mx"],
                                              "why": "being replaced"})
    shop.same("muted", (status, mute["domain"], mute["until"]), (200, OURS, None))
    shop.same("and shown so", api.ask("GET", "/failures")[1]["groups"][0]["muted"]["why"], "being replaced")
    shop.same("the command knows", [m["key"] for m in daemon.json("report", "mutes")], [mute["key"]])
    shop.same("ended", api.ask("DELETE", f"/mutes/{mute['name']}")[0], 200)
    shop.same("all speak again", api.ask("GET", "/mutes")[1]["mutes"], [])
    shop.same("a mute for nothing", api.ask("POST", "/mutes", {"why": "x"})[0], 422)

    status = api.ask("GET", "/status")[1]
    shop.same("the daemon's status", status["reports"]["added"], 2)
    shop.same("nothing is sent from here", api.ask("GET", "/sending")[1]["parts"],
              {"policies": False, "results": False, "reports": False})
