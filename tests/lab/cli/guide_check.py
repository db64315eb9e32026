# SPDX-License-Identifier: Apache-2.0
"""What the administrator guides say about looking at a domain, done with `check`."""

import json

from cli.case import case, scenario
from table import EXIM, POSTFIX

_ENCRYPTED = ["accepts mail over TLS", "TLS 1.2 or later"]
_AUTHENTIC = ["the certificate names the MX host", "chain to a public root", "not expired"]


def _states(t, domain: str) -> dict[str, str]:
    document = t.run("check", "--json", domain).json()
    return {c["name"]: c["state"] for c in document["mx"][0]["criteria"]}


@case("guide.the_present_configuration_and_the_way_from_there", proves=["G0-13", "G3-14", "G1-10", "G3-15", "G3-16"])
def _(t):
    rows = [("bare.test", ("missing", "missing", "missing", "valid"), "absent", 1),
            ("absent.test", ("missing", "missing", "valid", "valid"), "absent", 1),
            ("healthy.test", ("valid", "valid", "valid", "valid"), "protected", 0),
            ("sts-multiple.test", ("invalid", "valid", "valid", "valid"), "broken", 1),
            ("text-mode-missing.test", ("valid", "invalid", "valid", "valid"), "broken", 1),
            ("host-404.test", ("valid", "missing", "valid", "valid"), "broken", 1),
            ("tlsrpt-no-rua.test", ("valid", "valid", "invalid", "valid"), "protected", 1),
            ("mx-expired.test", ("valid", "valid", "valid", "invalid"), "broken", 1)]
    for domain, parts, verdict, status in rows:
        done = t.run("check", "--json", domain)
        t.ends(done, status)
        found = done.json()
        t.same(f"the parts of {domain}",
               tuple(found["parts"][k] for k in ("sts_record", "policy_file", "tlsrpt_record", "mail_servers")), parts)
        t.same(f"the verdict on {domain}", found["verdict"], verdict)
    said = t.run("check", "bare.test").flat
    t.true(said.startswith("bare.test: ABSENT"), f"the first line is {said[:60]!r}")
    order = [said.find(word) for word in ("To publish, in this order", "1. _smtp._tls.bare.test TXT",
                                          "2. mta-sts.bare.test", "3. https://mta-sts.bare.test/.well-known/mta-sts.txt",
                                          "4. _mta-sts.bare.test TXT", "mailtight dns bare.test")]
    t.true(-1 < order[0] and order == sorted(order), f"the way stands at {order}")


@case("guide.two_conditions_of_a_connection", proves=["G0-6", "G3-5", "G1-3", "G1-4", "G4-16", "G4-20"])
def _(t):
    t.same("a good server", _states(t, "mx-good.test"), dict.fromkeys([*_ENCRYPTED, *_AUTHENTIC], "pass"))
    rows = {"mx-no-starttls": _ENCRYPTED[0], "mx-tls10": _ENCRYPTED[1], "mx-tls11": _ENCRYPTED[1],
            "mx-wrong-name": _AUTHENTIC[0], "mx-domain-name": _AUTHENTIC[0], "mx-other-root": _AUTHENTIC[1],
            "mx-self-signed": _AUTHENTIC[1], "mx-no-chain": _AUTHENTIC[1], "mx-expired": _AUTHENTIC[2]}
    for domain, criterion in rows.items():
        states = _states(t, f"{domain}.test")
        t.same(f"what {domain} fails", [name for name, state in states.items() if state == "fail"], [criterion])
    said = t.run("check", "mx-expired.test").flat
    t.has(said, "FAIL not expired: ", "pass accepts mail over TLS; TLS 1.2 or later; the certificate names the MX host;")


@case("guide.strict_senders_deliver_only_when_both_hold", proves=["G0-7", "G1-5", "G1-23", "G3-2", "G3-3"])
def _(t):
    for domain in ("mx-no-starttls", "mx-tls10", "mx-wrong-name", "mx-other-root", "mx-expired"):
        done = t.run("check", "--json", f"{domain}.test")
        t.ends(done, 1)
        found = done.json()["findings"]
        t.same(f"{domain}: how grave", [f["severity"] for f in found], ["error"])
        t.has(found[0]["consequence"], "With a policy in enforce, Gmail, Outlook and other strict senders do not deliver")
    clear = t.run("check", "--json", "mx-no-starttls.test").json()["findings"][0]["consequence"]
    t.has(clear, "deliver in clear text, which anybody on the way can read and change")
    retired = t.run("check", "--json", "mx-retired.test").json()
    t.same("in mode none nothing is refused", [f for f in retired["findings"] if f["severity"] == "error"], [])


@case("guide.reports_are_asked_for_in_enforce_too", proves=["G1-24", "G4-4", "G4-19", "G4-23", "G4-24"])
def _(t):
    done = t.run("check", "--json", "tlsrpt-absent.test")
    t.ends(done, 0)  # reporting is another thing than MTA-STS: without it the domain is protected all the same
    found = done.json()
    t.same("verdict and mode", (found["verdict"], found["mode"]), ("protected", "enforce"))
    t.same("finding", [(f["code"], f["severity"]) for f in found["findings"]], [("tlsrpt.absent", "warning")])
    t.has(found["findings"][0]["consequence"], "nobody tells you when mail cannot be delivered securely")
    t.same("the parts", (found["parts"]["policy_file"], found["parts"]["tlsrpt_record"]), ("valid", "missing"))
    t.same("what is to publish", [r["name"] for r in found["suggestion"]["records"] if not r["already_right"]],
           ["_smtp._tls.tlsrpt-absent.test"])


@case("guide.mail_servers_are_listed_by_mx_record", proves=["G1-32", "G3-17", "G1-27"])
def _(t):
    found = t.run("check", "--json", "healthy.test").json()
    t.same("hosts", [(m["preference"], m["host"], m["in_policy"], m["admitted_by"]) for m in found["mx"]],
           [(10, POSTFIX, True, POSTFIX), (20, EXIM, True, EXIM)])
    t.has(t.run("check", "healthy.test").flat, f"{POSTFIX} (preference 10), in the policy",
          f"{EXIM} (preference 20), in the policy")
    half = t.run("check", "--json", "mx-not-in-policy.test").json()
    t.same("a host that was forgotten", [(m["host"], m["in_policy"]) for m in half["mx"]], [(POSTFIX, True), (EXIM, False)])
    t.same("the host that is named", [f["subject"] for f in half["findings"]], [EXIM])


@case("guide.both_families_are_looked_at_by_themselves", proves=["G4-5", "G4-12", "G4-14"])
def _(t):
    dead = t.run("check", "--json", "host-v6-dead.test").json()
    t.same("a dead IPv6 address", [(f["code"], f["severity"]) for f in dead["findings"]],
           [("policy-host.ipv6-unreachable", "warning")])
    outcomes = {a["ip"]: a["outcome"] for a in dead["policy"]["addresses"]}
    t.same("families seen", sorted((":" in ip, outcome == "fetched") for ip, outcome in outcomes.items()),
           [(False, True), (True, False)])
    both = t.run("check", "--json", "host-v6.test").json()
    t.same("two living addresses", both["findings"], [])
    t.same("families fetched", sorted({":" in a["ip"] for a in both["policy"]["addresses"] if a["outcome"] == "fetched"}),
           [False, True])
    t.same("an MX with IPv6 alone", t.run("check", "--json", "mx-v6.test").json()["verdict"], "protected")


@case("guide.many_domains_are_looked_at_together", proves=["G3-15"])
def _(t):
    done = t.run("check", "--json", "healthy.test", "bare.test", "mx-expired.test", "retiring.test")
    t.ends(done, 1)
    rows = [json.loads(line) for line in done.out.splitlines()]  # NDJSON: one document a line, as each is done
    t.same("the verdicts", {r["domain"]: r["verdict"] for r in rows},
           {d: scenario(d).verdict for d in ("healthy.test", "bare.test", "mx-expired.test", "retiring.test")})
    people = t.run("check", "retiring.test", "healthy.test", "bare.test")
    places = [people.out.find(word) for word in ("retiring.test: ", "healthy.test: PROTECTED", "bare.test: ABSENT")]
    t.true(places[0] == 0 and places == sorted(places), f"not in the order given: {places}")
