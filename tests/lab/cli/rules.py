# SPDX-License-Identifier: Apache-2.0
"""Rules of the standards that show only in what the whole program does."""

from cli.case import case
from table import POSTFIX


@case("rules.owner_names_of_both_records", proves=["8461-3.1-a", "8460-3-a"])
def _(t):
    # However the domain is typed, the records are those of its A-labels in lower case, without a final dot.
    for typed in ("b\u00fccher.test", "xn--bcher-kva.test", "B\u00dcCHER.TEST.", "postmaster@b\u00fccher.test"):
        done = t.run("check", "--json", typed)
        t.ends(done, 0)
        document = done.json()
        t.same(f"{typed}: verdict", (document["domain"], document["verdict"]), ("xn--bcher-kva.test", "protected"))
        t.same(f"{typed}: names", [r["name"] for r in document["suggestion"]["records"] if r["type"] == "TXT"],
               ["_smtp._tls.xn--bcher-kva.test", "_mta-sts.xn--bcher-kva.test"])
    t.same("example.com.", [r["name"] for r in t.run("dns", "--json", "ABSENT.test.").json()["records"]],
           ["_smtp._tls.absent.test", "mta-sts.absent.test", "_mta-sts.absent.test"])


@case("rules.policy_host_shows_the_right_chain_or_none", proves=["8461-7.1-e"])
def _(t):
    wrong = t.run("check", "--json", "host-wrong-name.test").json()
    t.same("a certificate of another name", ([f["code"] for f in wrong["findings"]], wrong["policy"]["mode"]),
           (["policy-host.cert-name-mismatch"], None))
    t.has(wrong["findings"][0]["evidence"], "mta-sts.host-wrong-name.test")
    t.same("the right one", t.run("check", "--json", "healthy.test").json()["findings"], [])


@case("rules.media_type_of_a_policy", proves=["A9"])
def _(t):
    html = t.run("check", "--json", "host-html.test").json()
    t.same("text/html", ([f["code"] for f in html["findings"]], html["verdict"]), (["policy-host.content-type"], "broken"))
    t.same("a parameter", t.run("check", "--json", "host-charset.test").json()["findings"], [])
    none = t.run("check", "--json", "host-no-type.test").json()
    t.same("no type", ([f["code"] for f in none["findings"]], none["verdict"]), (["policy-host.content-type"], "broken"))


@case("rules.a_slow_policy_host_is_a_warning", proves=["A11"])
def _(t):
    slow = t.run("check", "--json", "host-slow.test").json()
    t.same("three seconds", [(f["code"], f["severity"]) for f in slow["findings"]], [("policy-host.slow", "warning")])
    t.same("and still a policy", (slow["verdict"], slow["policy"]["mode"]), ("protected", "enforce"))
    took = slow["policy"]["addresses"][0]["milliseconds"]
    t.true(took > 2000, f"{took} ms is under the two seconds that are comfortable")


@case("rules.the_domain_itself_is_its_mail_server", proves=["A15"])
def _(t):
    found = t.run("check", "--json", "mx-none.test").json()
    t.same("the host", [(m["host"], m["in_policy"], m["addresses"][0]["starttls"]) for m in found["mx"]],
           [("mx-none.test", True, True)])
    null = t.run("check", "--json", "mx-null.test").json()
    t.same("null MX", (null["mx"], "mx.null" in [f["code"] for f in null["findings"]]), ([], True))


@case("rules.names_of_mx_records_are_what_counts", proves=["A16", "A18"])
def _(t):
    alias = t.run("check", "--json", "mx-cname.test").json()
    t.same("an alias", [(m["host"], m["in_policy"]) for m in alias["mx"]], [("mx.mx-cname.test", True)])
    t.same("is an error of its own", [(f["code"], f["severity"]) for f in alias["findings"]], [("mx.is-cname", "error")])
    t.same("its certificate is for the name in the MX record",
           {c["name"]: c["state"] for c in alias["mx"][0]["criteria"]}["the certificate names the MX host"], "pass")
    literal = t.run("check", "--json", "mx-address.test").json()
    t.same("an address matches nothing", [(m["host"], m["in_policy"]) for m in literal["mx"]],
           [(POSTFIX, True), ("127.0.25.2", False)])
    t.same("and is said", [f["code"] for f in literal["findings"]], ["mx.is-address"])


@case("rules.patterns_choose_hosts_and_certificates_name_them", proves=["A17"])
def _(t):
    found = t.run("check", "--json", "mx-sibling-name.test").json()
    t.same("admitted", [(m["host"], m["in_policy"], m["admitted_by"]) for m in found["mx"]],
           [("mx1.mx-sibling-name.test", True, "*.mx-sibling-name.test")])
    t.same("and still refused", [f["code"] for f in found["findings"] if f["severity"] == "error"],
           ["mx.cert-name-mismatch"])
    t.same("by its certificate", found["mx"][0]["addresses"][0]["certificate"]["names"], ["mx2.mx-sibling-name.test"])


@case("rules.a_wildcard_in_dns_is_information", proves=["A47"])
def _(t):
    found = t.run("check", "--json", "sts-wildcard.test").json()
    t.same("finding", [(f["code"], f["severity"]) for f in found["findings"]], [("sts-record.wildcard", "info")])
    t.same("verdict", found["verdict"], "protected")
    # The evidence is a name that nobody made: another one each time.
    again = t.run("check", "--json", "sts-wildcard.test").json()
    t.true(found["findings"][0]["evidence"] != again["findings"][0]["evidence"], "the sibling asked for is always the same")


@case("rules.a_record_without_a_file_is_a_failed_fetch", proves=["A50"])
def _(t):
    for domain, code in (("host-404.test", "policy-host.http-status"), ("host-no-address.test", "policy-host.no-address")):
        found = t.run("check", "--json", domain).json()
        t.same(domain, ([f["code"] for f in found["findings"]], found["verdict"], found["sts_record"]["id"] is not None),
               ([code], "broken", True))


@case("rules.the_form_of_tlsa_records_to_publish", proves=["7672-3.1-a"])
def _(t):
    found = t.run("check", "--json", "dane-invalid.test").json()["findings"]
    t.same("finding", [f["code"] for f in found], ["dane.invalid"])
    t.has(found[0]["fix"], "of the form 3 1 1 with the SHA-256 digest of the public key of mx.dane-invalid.test")


@case("rules.a_lifetime_of_nought_is_an_error", proves=["A5"])
def _(t):
    head, tail = b"version: STSv1\r\nmode: enforce\r\nmx: mx.example.com\r\n", b"max_age: 0\r\n"
    done = t.run("policy", "lint", "--json", stdin=head + tail)
    t.ends(done, 1)
    t.same("grammatical", done.json()["valid"], True)
    t.same("and an error", [(f["code"], f["severity"]) for f in done.json()["findings"]], [("policy.max-age-short", "error")])
    none = t.run("policy", "lint", "--json", stdin=b"version: STSv1\r\nmode: none\r\n" + tail)
    t.ends(none, 0)
    t.same("but not in mode none", [f["code"] for f in none.json()["findings"]], ["policy.mode-none"])
