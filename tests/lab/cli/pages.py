# SPDX-License-Identifier: Apache-2.0
"""The pages and the API as `serve` gives them: what a browser is told, who is let in, a look at a domain as it goes, TLS."""

from __future__ import annotations

import contextlib
import gzip
import json
import re
import subprocess
import time
from pathlib import Path

import world
from cli.case import case
from table import POSTFIX

_FETCH = str(Path(__file__).with_name("fetch.py"))
_PORTS = iter(range(18460, 18560))


class _Pages:
    def __init__(self, t, port: int, scheme: str):
        self.t, self.base = t, f"{scheme}://127.0.0.1:{port}"

    def fetch(self, method: str, path: str, *more: str) -> dict:
        return json.loads(self.t.inside("python3", _FETCH, method, self.base + path, *more))

    def token(self) -> str:
        file = self.t.folder / "administrator.token"
        for _ in range(200):
            if file.exists() and file.read_text().strip():
                return file.read_text().strip()
            time.sleep(0.05)
        raise RuntimeError("the first start left no token")


@contextlib.contextmanager
def _daemon(t, web: str = "", scheme: str = "http"):
    port = next(_PORTS)
    config = t.file("serve.toml", f"""
[dns]
servers = ["{world.RESOLVER}"]
[network]
ca-file = "{t.build}/ca.pem"
allow-net = ["127.0.0.0/8", "fd00::/8"]
[check]
smtp-control = "{POSTFIX}"
[store]
where = "{t.folder}/store.db"
[serve]
control-socket = "{t.folder}/control.sock"
[web]
listen = ["127.0.0.1:{port}"]
{web}
""".encode())
    log = (t.folder / "serve.log").open("wb")
    process = subprocess.Popen(t.lab.enter(["sh", "-c", 'echo $$ >"$1"; exec "$2" serve --config "$3"', "sh", f"{t.folder}/pid",
                                            str(t.binary), config]), stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 30
        while "serve.ready" not in (t.folder / "serve.log").read_text():
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError((t.folder / "serve.log").read_text()[-800:])
            time.sleep(0.05)
        yield _Pages(t, port, scheme)
    finally:
        if process.poll() is None:
            t.inside("kill", (t.folder / "pid").read_text().strip())
        process.wait(30)
        log.close()


@case("pages.are_served_with_what_protects_them_and_kept_as_long_as_they_last")
def _(t):
    with _daemon(t) as pages:
        index = pages.fetch("GET", "/domains/healthy.test")
        t.same("a page's status", index["status"], 200)
        fields = index["fields"]
        t.has(fields.get("content-security-policy", ""), "default-src 'none'", "script-src 'self'", "frame-ancestors 'none'")
        t.lacks(fields.get("content-security-policy", ""), "unsafe", "http")
        for name, value in (("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer"), ("cache-control", "no-cache"),
                            ("cross-origin-opener-policy", "same-origin"), ("cross-origin-resource-policy", "same-origin")):
            t.same(name, fields.get(name), value)
        t.same("seen before", pages.fetch("GET", "/", f"If-None-Match:{fields['etag']}")["status"], 304)
        for script in re.findall(r'"(/assets/[^"]+)"', index["body"]):
            asset = pages.fetch("GET", script, "Accept-Encoding:gzip")
            t.same(script, (asset["status"], asset["fields"].get("cache-control")), (200, "public, max-age=31536000, immutable"))
            body = asset["body"].encode("latin-1")
            if asset["fields"].get("content-encoding") == "gzip":
                t.true(len(gzip.decompress(body)) > len(body), f"{script}: compressed beforehand")
        t.same("a file that is not there", pages.fetch("GET", "/assets/gone-12345678.js")["status"], 404)
        t.same("a name of somebody else's", pages.fetch("GET", "/", "Host:evil.test")["status"], 421)


@case("pages.the_api_lets_in_whom_it_knows_and_a_link_works_once")
def _(t):
    with _daemon(t) as pages:
        t.same("a stranger", pages.fetch("GET", "/api/v1/session")["status"], 401)
        bearer = f"Authorization:Bearer {pages.token()}"
        session = pages.fetch("GET", "/api/v1/session", bearer)
        t.same("the administrator", json.loads(session["body"]).get("role"), "administrator")
        t.has((t.folder / "serve.log").read_text(), "web.first-start", f"{pages.base}/login#")
        secret = re.search(r"/login#([\w-]+)", (t.folder / "serve.log").read_text())[1]
        shown = ("=" + json.dumps({"link": secret}), "Content-Type:application/json", "Sec-Fetch-Site:same-origin", f"Origin:{pages.base}")
        entered = pages.fetch("POST", "/api/v1/session", *shown)
        t.same("the link", entered["status"], 200)
        t.has(entered["fields"].get("set-cookie", ""), "HttpOnly", "SameSite=Strict")
        t.same("the link again", pages.fetch("POST", "/api/v1/session", *shown)["status"], 401)


@case("pages.a_look_is_told_stage_by_stage_and_says_what_check_says")
def _(t):
    with _daemon(t) as pages:
        bearer = f"Authorization:Bearer {pages.token()}"
        for domain in ("healthy.test", "mx-expired.test"):
            said = pages.fetch("GET", f"/api/v1/look/{domain}", bearer, "Accept:text/event-stream")
            t.same(f"{domain}: type", said["fields"].get("content-type"), "text/event-stream")
            t.same(f"{domain}: not kept", said["fields"].get("cache-control"), "no-store")
            events = [(event.split("\n")[0], json.loads(event.split("\ndata: ", 1)[1]))
                      for event in said["body"].split("\n\n") if event.startswith("event: ")]
            t.same(f"{domain}: first and last", (events[0][0], events[-1][0]), ("event: stage", "event: check"))
            stages = [(row["stage"], row["state"]) for name, row in events if name == "event: stage"]
            for stage in ("dns", "policy", "tlsrpt", "mail-server", "judge"):
                t.true((stage, "done") in stages, f"{domain}: {stage} is never done: {stages}")
            t.same(f"{domain}: what comes first", stages[0], ("dns", "begun"))
            checked = t.run("check", "--json", domain).json()
            told = events[-1][1]
            t.same(f"{domain}: verdict", told["verdict"], checked["verdict"])
            t.same(f"{domain}: findings", sorted(f["code"] for f in told["findings"]), sorted(f["code"] for f in checked["findings"]))
            again = pages.fetch("GET", f"/api/v1/look/{domain}", bearer)
            t.same(f"{domain}: the last minute's look is shared", json.loads(again["body"]), told)
        t.same("what is no domain", pages.fetch("GET", "/api/v1/look/a%20b", bearer)["status"], 422)


@case("pages.over_tls_they_say_that_it_stays_so_and_beyond_this_machine_nothing_else_is_offered")
def _(t):
    chain = t.inside("sh", "-c", f"ls {t.build}/*.pem")
    t.has(chain, "ca.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=pages.test", "-addext", "subjectAltName=DNS:pages.test", "-keyout", f"{t.folder}/key.pem",
                    "-out", f"{t.folder}/chain.pem"], check=True, capture_output=True)
    tls = f'tls-certificates = ["{t.folder}/chain.pem {t.folder}/key.pem"]'
    with _daemon(t, tls, "https") as pages:
        index = pages.fetch("GET", "/")
        t.same("status", index["status"], 200)
        t.same("HSTS", index["fields"].get("strict-transport-security"), "max-age=31536000")
    refused = t.run("serve", "--config", t.file("open.toml", f"""
[store]
where = "{t.folder}/open.db"
[web]
listen = ["0.0.0.0:18599"]
""".encode()))
    t.ends(refused, 3)
    t.has(refused.err, "web.listen", "tls-certificates", "ssh -L")
