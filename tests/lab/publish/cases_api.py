# SPDX-License-Identifier: Apache-2.0
"""A domain from nothing to testing through the API alone, as the pages lead there: every step is asked for, and what the
table of all domains says is what is so."""

from __future__ import annotations

import time

from publish.case import Trial, case
from publish.publisher import Publisher


class Pages:
    """What a page asks of the daemon."""

    def __init__(self, trial: Trial, publisher: Publisher, domain: str):
        self.trial, self.publisher, self.domain = trial, publisher, domain

    def ask(self, wanted: int, method: str, path: str, body: object = None) -> dict:
        """Where the domain is in hand, or busy, it is asked again."""
        end = time.monotonic() + 60
        while True:
            status, document = self.publisher.api(method, path, body)
            if status != 503 or wanted == 503 or time.monotonic() > end:
                break
            time.sleep(0.5)
        self.trial.same(f"{method} {path}: its status ({str(document)[:300]})", status, wanted)
        return document

    def of(self, path: str = "", wanted: int = 200) -> dict:
        return self.ask(wanted, "GET", f"/domains/{self.domain}{path}")

    def row(self) -> dict:
        rows = self.ask(200, "GET", f"/overview?contains={self.domain}")["rows"]
        return rows[0] if rows else {}

    def step(self, **what) -> dict:
        return self.ask(200, "POST", f"/domains/{self.domain}/steps", what)


@case("from POST /domains to testing through the API alone; who was late, and what must stay, is told", "api")
def through_the_api(trial: Trial) -> None:
    domain, names, world = "pages.test", trial.names, trial.world
    world.mail_host(f"mx1.{domain}")
    names.put(domain, "MX", f"10 mx1.{domain}.")
    publisher = world.publisher("pages")
    publisher.start()
    pages = Pages(trial, publisher, domain)

    pages.of(wanted=404)
    wish = {"domain": domain.upper(), "dns": "update", "dns_server": "knot", "rua": [f"mailto:tls@{domain}"], "leave": "nothing",
            "labels": ["lab"], "why": "the lab wants it"}
    trial.has(pages.ask(422, "POST", "/domains", {**wish, "dns_server": "nobody"})["detail"], "dns", "knows")
    added = pages.ask(200, "POST", "/domains", wish)
    trial.same("what is wanted", [added["wish"][key] for key in ("domain", "host", "aim", "revision")], [domain, "here", "testing", 1])
    pages.ask(409, "POST", "/domains", wish)
    trial.wait("the domain in the table", lambda: pages.row().get("domain") == domain, 4)

    # Nothing is left to the daemon: each step is done because a page asks for it.
    plan = pages.of("/plan?look=1")
    trial.same("nothing is done yet", names.everywhere(f"_mta-sts.{domain}", "TXT")[0], [])
    trial.true("publish-record" in [step["kind"] for step in plan["steps"]], f"steps: {[step['kind'] for step in plan['steps']]}")
    trial.has(pages.of("/records?format=bind")["text"], "_smtp._tls")
    pages.step(said="report-way", why="somebody reads it")
    did, end = [], time.monotonic() + 120
    while time.monotonic() < end and pages.row().get("verdict") != "testing":
        done = pages.step(do=True)
        if done["did"]:
            did.append(done["did"])
        time.sleep(0.5)
    trial.true(len(did) >= 4, f"so few steps: {did}")
    row = pages.row()
    trial.same("the row in the end", [row.get(key) for key in ("verdict", "mode", "light")], ["testing", "testing", "attention"])
    trial.same("its parts", set(row["parts"].values()), {"valid"})
    trial.true(bool(row["changed"]), "what changed is not told")
    trial.has(publisher.fetch(domain, trial.pebble.trust)[2].decode(), "mode: testing", f"mx: mx1.{domain}")
    trial.has(" ".join(names.everywhere(f"_mta-sts.{domain}", "TXT")[0]), "v=STSv1;")
    shown = pages.of()
    trial.same("the document of the last look", (shown["look"]["verdict"], shown["look"]["domain"]), ("testing", domain))

    # Who is late is told; what was done stands in the history with who did it.
    revision = shown["wish"]["revision"]
    changed = pages.ask(200, "PATCH", f"/domains/{domain}", {"revision": revision, "aim": "enforce", "why": "soon"})
    trial.same("the new revision", changed["wish"]["revision"], revision + 1)
    pages.ask(409, "PATCH", f"/domains/{domain}", {"revision": revision, "aim": "off"})
    trial.same("ready for enforce", pages.of("/readiness")["ready"] is True, False)
    past = pages.of("/history")
    trial.true(any(each["what"] == "served policy" for each in past["changes"]), f"changes: {[each['what'] for each in past['changes']]}")
    trial.true(any(each["why"] == "soon" for each in past["changes"]), "the reason is not kept")
    trial.same("policies served", [(each["mode"], each["ours"]) for each in past["served"]], [("testing", True)])
    trial.has(pages.ask(409, "DELETE", f"/domains/{domain}")["detail"], "senders may hold")
    pages.ask(422, "DELETE", f"/domains/{domain}?force=1")
    trial.same("the CSV of the command says the same", [row["state"] for row in publisher.rows("domain", "list")], ["testing"])
