# SPDX-License-Identifier: Apache-2.0
"""The pages with a certificate that the daemon gets for them, judged by curl, which trusts nobody but the authority's root."""

from __future__ import annotations

import json
from pathlib import Path

from publish.case import Trial, case
from publish.pebble import DIRECTORY
from publish.publisher import Publisher, run_inside

ZONE = "own.test"


class Browser:
    """Asks the API as a program elsewhere does: by name, over TLS."""

    def __init__(self, trial: Trial, publisher: Publisher, name: str, port: int):
        self.trial, self.publisher, self.name, self.port = trial, publisher, name, port

    def get(self, path: str, scheme: str = "https") -> tuple[int, str]:
        """Status, and what came; (0, why) where nothing did."""
        token = (Path(self.publisher.store).parent / "administrator.token").read_text().strip()
        port = self.port if scheme == "https" else 80
        done = run_inside("curl", "-sS", "-m", "10", "--cacert", str(self.trial.pebble.trust), "--resolve", f"{self.name}:{port}:{self.publisher.address}",
                          "-H", f"Authorization: Bearer {token}", "-w", "\n%{http_code} %{redirect_url}", f"{scheme}://{self.name}:{port}{path}")
        body, _, last = done.stdout.rpartition("\n")
        code, _, to = last.partition(" ")
        return (int(code), to or body) if done.returncode == 0 else (0, done.stderr)

    def row(self) -> dict:
        """As `certificate list` has it."""
        return next((row for row in self.publisher.rows("certificate", "list") if row["name"] == self.name), {})


@case("the pages get a certificate on their own port 443, without a policy host; it is renewed while they answer", "pages-tls")
def alone(trial: Trial) -> None:
    name, address = f"web.{ZONE}", trial.world.address()
    publisher = trial.world.publisher("pages-alone", address=address, hosts=False,
                                      web=f'listen = ["{address}:443"]\nhosts = ["{name}"]\nacme = true\nhttp-listen = ["{address}:80"]')
    publisher.start()
    browser = Browser(trial, publisher, name, 443)
    # It has no address yet: nothing is ordered, nothing is served, and it is said why.
    trial.wait("what is in the way", lambda: "has no address yet" in publisher.say("status"), 60)
    trial.same("what is served before", browser.get("/api/v1/session")[0], 0)
    trial.has(publisher.say("status"), "WAITS", name)
    trial.names.put_and_wait(name, "A", address)
    publisher.say("certificate", "renew", name)
    trial.wait("a certificate", lambda: browser.row().get("in_use"), 90)
    status, body = browser.get("/api/v1/session")
    trial.same(f"the session ({body[:200]})", status, 200)
    trial.same("whose it is", json.loads(body).get("role"), "administrator")
    trial.same("where plain HTTP leads", browser.get("/domains?x=1", "http"), (301, f"https://{name}/domains?x=1"))

    first, answered, refused = browser.row()["not_after"], 0, []
    publisher.say("certificate", "renew", name)

    def renewed() -> bool:
        nonlocal answered
        came = browser.get("/api/v1/session")
        answered += came[0] == 200
        if came[0] != 200:
            refused.append(came)
        return browser.row()["not_after"] != first and browser.row()["in_use"]

    trial.wait("the new one", renewed, 90)
    trial.same("refused meanwhile", refused, [])
    trial.true(answered > 0, "nobody asked meanwhile")
    publisher.stop()
    publisher.start()
    trial.same("after a restart", browser.get("/api/v1/session")[0], 200)


@case("the pages beside a policy host get theirs by a record in DNS", "pages-tls")
def by_a_record(trial: Trial) -> None:
    name, address = f"beside.{ZONE}", trial.world.address()
    trial.names.put_and_wait(name, "A", address)
    publisher = trial.world.publisher(
        "pages-beside", address=address, web=f'listen = ["{address}:8443"]\nhosts = ["{name}"]\nacme = true', updates=None,
        certificates=f'directory = "{DIRECTORY}"\nagree-to-terms = true\nchallenges = ["dns-01"]')
    publisher.start()
    browser = Browser(trial, publisher, name, 8443)
    # Two servers may be written to, and neither is said to have this zone: nobody guesses.
    trial.wait("that no way is known", lambda: "none of certificates.challenges can succeed" in publisher.say("status"), 60)
    publisher.stop()
    publisher.text = with_zone(publisher.text)
    publisher.start()
    publisher.say("certificate", "renew", name)
    trial.wait("a certificate", lambda: browser.row().get("in_use"), 120)
    trial.same("the session", browser.get("/api/v1/session")[0], 200)
    trial.same("what is left of the challenge", trial.names.everywhere(f"_acme-challenge.{name}", "TXT")[0], [])


def with_zone(text: str) -> str:
    """The configuration in which the server of our zone is said to have it."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if line.startswith("servers = ") and "key=" in line:
            servers = [each + (f" zone={ZONE}" if each.startswith("knot ") else "") for each in json.loads(line.partition("=")[2])]
            lines[number] = f"servers = {json.dumps(servers)}"
    return "\n".join(lines) + "\n"
