# SPDX-License-Identifier: Apache-2.0
"""`report read` and its kin as a person types them: nothing is stored, everything is explained."""

from __future__ import annotations

import base64
import gzip
import io
import json
import zipfile

import compare
from cli.case import Tool, case
from reporters import Keys, Report, failure, policy

KEYS = {"source", "format", "organization_name", "contact_info", "report_id", "start", "end", "submitter",
        "report_domain", "dkim", "trust", "warnings", "headline", "policies"}
POLICY = {"type", "domain", "inferred", "strings", "mx_patterns", "success", "failure", "details"}
DETAIL = {"result_type", "count", "sending_mta_ip", "receiving_mx", "receiving_mx_helo", "receiving_ip",
          "additional_information", "reason_code", "diagnosis"}
RESULTS = ["starttls-not-supported", "certificate-host-mismatch", "certificate-not-trusted", "certificate-expired",
           "validation-failure", "sts-policy-fetch-error", "sts-policy-invalid", "sts-webpki-invalid", "tlsa-invalid",
           "dnssec-invalid", "dane-required"]
BAD = Report("reporter-one.test", "healthy.test", 1,
             [policy("healthy.test", 90, [failure("certificate-expired", 9, "mx2.hosting.test")])])


@case("report.one_line_of_JSON_a_report", proves=["G0-10", "G1-8", "G2-5", "G3-11", "8460-5.6-a"])
def json_lines(tool: Tool) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("../../etc/report.json", BAD.json())
    mail = BAD.signed("tls-report@reports.test", Keys(compare.REPO / "build" / "lab" / "ca"))
    files = [tool.file("r.json", BAD.json()), tool.file("r.json.gz", BAD.gzip()), tool.file("r.zip", packed.getvalue()),
             tool.file("r.eml", mail), tool.file("lies.zip", BAD.gzip()), tool.file("none.txt", b"no report")]
    done = tool.run("report", "read", "--json", *files)
    tool.ends(done, 1)  # one source is no report
    documents = [json.loads(line) for line in done.out.splitlines()]
    tool.same("the number of lines", len(documents), 6)
    tool.same("the formats", [d.get("format") for d in documents[:5]], ["json", "gzip", "zip", "mail", "gzip"])
    for document in documents[:5]:
        tool.true(KEYS <= document.keys(), f"missing keys: {KEYS - document.keys()}")
        tool.same("the headline", document["headline"], {"success": 90, "failure": 9})
        entry = document["policies"][0]
        tool.true(POLICY <= entry.keys() and DETAIL <= entry["details"][0].keys(), f"missing keys in {entry}")
        tool.true(entry["details"][0]["diagnosis"]["cause"] != "", "no cause")
        tool.true(entry["details"][0]["diagnosis"]["fix"] != "", "no fix")
    tool.same("trust of a file", documents[0]["trust"], "unverified")
    tool.same("DKIM of a file", documents[0]["dkim"], None)
    tool.same("trust of the mail", documents[3]["trust"], "verified")
    tool.same("DKIM of the mail", documents[3]["dkim"]["result"], "pass")
    tool.same("what is no report", documents[5]["error"]["code"] != "", True)
    tool.true(not tool.exists("store.db"), "report read stored something")


@case("report.the_first_sentence_says_whether_anything_is_to_be_done",
      proves=["G4-2", "G4-7", "G4-10", "G4-18", "G4-20", "G4-23", "G4-3", "G4-15", "G0-11", "G1-9", "G3-10"])
def sentences(tool: Tool) -> None:
    fine = Report("reporter-one.test", "healthy.test", 1, [policy("healthy.test", 1204)])
    done = tool.run("report", "read", tool.file("fine.json", fine.json()))
    tool.ends(done, 0)
    tool.has(done.flat, "Reporter One: 1,204 sessions on ", "all as your policy asks. Nothing to do.")
    done = tool.run("report", "read", tool.file("bad.json", BAD.json()))
    tool.has(done.flat, "9 of them failed", "held back", "What to fix:", "The certificate has expired", "mx2.hosting.test",
             "Sessions are not messages", "mailtight check healthy.test")
    hostile = Report("reporter-one.test", "healthy.test", 1, [policy("healthy.test", 1, [
        failure("certificate-expired", 1, "mx\x1b[31m<script>.test", "\x07=cmd()")])])
    done = tool.run("report", "read", tool.file("hostile.json", hostile.json()))
    tool.lacks(done.out, "\x1b", "\x07")


@case("report.the_example_has_every_result_type_explained", proves=["G2-6"])
def example(tool: Tool) -> None:
    done = tool.run("report", "read", "--example")
    tool.ends(done, 0)
    tool.has(done.out, "organization-name", "policy-string", "total-failure-session-count", *RESULTS)
    report = json.loads(tool.run("report", "read", "--example", "--json").out)  # as a sender would write it
    tool.same("the result types", sorted({d["result-type"] for p in report["policies"]
                                          for d in p.get("failure-details", [])}), sorted(RESULTS))
    back = tool.run("report", "read", "--json", tool.file("example.json", json.dumps(report).encode())).json()
    tool.same("warnings", back["warnings"], [])


@case("report.bombs_and_floods_are_refused_in_words", proves=["8460-7-b", "8460-6.3-a"])
def bombs(tool: Tool) -> None:
    bomb = gzip.compress(b'{"policies":[' + b" " * 100_000_000)
    deep = b'{"policies":' + b"[" * 200_000 + b"]" * 200_000 + b"}"
    nested = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(20_000))
    many = base64.b64encode(gzip.compress(json.dumps({"policies": [{"policy": {}}] * 200_000}).encode()))
    flood = (b"From: a@b.test\r\nTLS-Report-Domain: healthy.test\r\nContent-Type: application/tlsrpt+gzip\r\n"
             b"Content-Transfer-Encoding: base64\r\n\r\n" + many)
    for name, content in (("bomb.gz", bomb), ("deep.json", deep), ("nested.eml", nested), ("flood.eml", flood)):
        done = tool.run("report", "read", "--json", tool.file(name, content))
        tool.true(done.status in (0, 1), f"{name}: status {done.status}: {done.err[-300:]}")
        document = json.loads(done.out.splitlines()[0])
        tool.true("error" in document or document["truncated"] or document["warnings"], f"{name}: {str(document)[:300]}")
