# SPDX-License-Identifier: Apache-2.0
"""What the administrator guides say about the two TXT records, done with `dns` and `record lint`."""

import re
import time

from cli.case import case
from table import STS_ID


@case("guide.dns_prints_reports_first_and_mta_sts_last",
      proves=["G0-16", "G1-10", "G2-1", "G2-12", "G2-16", "G3-35", "G3-39", "G3-40", "G3-43"])
def _(t):
    done = t.run("dns", "--json", "bare.test")
    t.ends(done, 0)
    records = done.json()["records"]
    t.same("the records in order", [(r["step"], r["name"], r["type"]) for r in records],
           [(1, "_smtp._tls.bare.test", "TXT"), (2, "mta-sts.bare.test", "CNAME"), (4, "_mta-sts.bare.test", "TXT")])
    zone = t.run("dns", "--format", "bind", "bare.test")
    order = [zone.out.find(name) for name in ("_smtp._tls.bare.test. ", "mta-sts.bare.test. ", "_mta-sts.bare.test. ")]
    t.true(-1 < order[0] < order[1] < order[2], f"the zone file's order: {zone.out!r}")
    people = t.run("dns", "bare.test").flat
    places = [people.find(word) for word in ("1. TXT", "2. CNAME", "3. Now put this policy", "4. TXT")]
    t.true(-1 < places[0] < places[1] < places[2] < places[3], f"the steps stand at {places}")


@case("guide.dns_says_which_id_and_why_it_is_new", proves=["G2-24", "G2-25", "G2-27", "G2-29", "G3-44", "G3-46", "G3-47", "G3-58"])
def _(t):
    before = time.strftime("%Y%m%d%H%M%S", time.gmtime())
    value = t.run("dns", "--json", "absent.test").json()["records"][-1]["value"]
    after = time.strftime("%Y%m%d%H%M%S", time.gmtime(time.time() + 1))
    found = re.fullmatch(r"v=STSv1; id=([0-9]{14})", value)
    t.true(found is not None and before <= found[1] <= after, f"{value!r} is not the time of the change")
    # A changed policy has a new id, an unchanged one keeps its own.
    changed = t.run("dns", "--json", "--mode", "none", "healthy.test").json()["records"][-1]
    t.true(changed["value"] != f"v=STSv1; id={STS_ID}" and not changed["already_right"], f"{changed}: not a new id")
    kept = t.run("dns", "--json", "healthy.test").json()["records"][-1]
    t.same("the id of an unchanged policy", (kept["value"], kept["already_right"]), (f"v=STSv1; id={STS_ID}", True))
    given = t.run("dns", "--json", "--id", "20190425085700", "absent.test").json()["records"][-1]
    t.same("the id that was asked for", given["value"], "v=STSv1; id=20190425085700")
    for bad in ("2019-04-25", "1" * 33, "a b"):
        t.ends(t.run("dns", "--id", bad, "absent.test"), 2)


@case("guide.a_record_that_is_there_is_changed_and_not_doubled", proves=["G2-27", "G3-58"])
def _(t):
    old = f"TXT v=STSv1; id={STS_ID}"
    words = f"Change the record that is there, and do not add a second one, since senders count two as none: {old}"
    t.has(t.run("dns", "--mode", "none", "healthy.test").flat, words)
    for form in ("bind", "cloudflare", "route53", "dnscontrol", "octodns", "terraform"):
        done = t.run("dns", "--mode", "none", "--format", form, "healthy.test")
        t.has(done.err, f"_mta-sts.healthy.test: {words}")
        t.lacks(done.out, STS_ID)
    update = t.run("dns", "--mode", "none", "--format", "nsupdate", "healthy.test")
    t.has(update.out, f'update delete _mta-sts.healthy.test. TXT "v=STSv1; id={STS_ID}"')
    t.lacks(update.err, "second one")
    moved = t.run("dns", "--json", "--policy-host", "web.hosting.test", "healthy.test").json()["records"][1]
    t.same("what gives way to the alias", [each["type"] for each in moved["replaces"]], ["A"])


@case("plan.a_mail_server_to_be_added_does_not_end_enforce")
def _(t):
    done = t.run("plan", "--json", "--add-mx", "new.hosting.test", "healthy.test")
    t.ends(done, 0)
    serve = next(step for step in done.json()["steps"] if step["kind"] == "serve-policy")
    t.has(serve["policy"], "mode: enforce", "mx: new.hosting.test")
    t.ends(t.run("policy", "export", "healthy.test", str(t.folder / "web")), 0)
    t.has((t.folder / "web/.well-known/mta-sts.txt").read_text(), "mode: enforce")
    t.same("where a domain in testing goes", t.run("plan", "--json", "testing.test").json()["to"], "testing")
    t.same("what is asked for", t.run("plan", "--json", "--to", "testing", "healthy.test").json()["to"], "testing")


@case("guide.a_mailbox_is_created_first", proves=["G2-4", "G2-7", "G2-9", "G3-38"])
def _(t):
    t.has(t.run("dns", "bare.test").flat, "Value: v=TLSRPTv1; rua=mailto:tls-report@bare.test",
          "create the mailbox tls-report@bare.test first")
    t.has(t.run("check", "bare.test").flat, "Create a mailbox such as tls-report@bare.test, then publish")


@case("guide.several_addresses_go_into_one_record", proves=["G2-8", "G2-10", "G2-21", "G3-41", "G3-42"])
def _(t):
    rows = [(["tls@healthy.test"], "mailto:tls@healthy.test"),
            (["mailto:a@healthy.test", "b@healthy.test"], "mailto:a@healthy.test,mailto:b@healthy.test"),
            (["https://mta-sts.healthy.test/v1/reports", "a@healthy.test"],
             "https://mta-sts.healthy.test/v1/reports,mailto:a@healthy.test")]
    for typed, rua in rows:
        words = [word for address in typed for word in ("--rua", address)]
        record = t.run("dns", "--json", *words, "bare.test").json()["records"][0]
        t.same(f"the record of {typed}", record["value"], f"v=TLSRPTv1; rua={rua}")
        t.ends(t.run("record", "lint", record["value"]), 0)
    for bad in ("http://healthy.test/reports", "nobody", "mailto:"):
        t.ends(t.run("dns", "--rua", bad, "bare.test"), 2)


@case("guide.dns_says_where_records_are_entered", proves=["G2-14", "G2-15", "G2-17", "G2-32", "G2-34", "G3-37", "8460-7-e"])
def _(t):
    said = t.run("dns", "bare.test").flat
    t.has(said, "where the zone bare.test is kept, at your DNS provider", "ns1.nic.test",
          "not in the console of your mail provider", "TTL: 3600", "TTL: 300", "24 hours")
    t.lacks(said, "example.com")


@case("guide.a_sub_domain_is_entered_in_its_parents_zone", proves=["G2-18"])
def _(t):
    document = t.run("dns", "--json", "sub.parent.test").json()
    t.same("the zone", document["zone"], "parent.test")
    t.same("the last record", document["records"][-1]["name"], "_mta-sts.sub.parent.test")
    t.has(t.run("dns", "sub.parent.test").flat, "sub.parent.test has no zone of its own: its records belong to parent.test",
          "Name: mta-sts.sub ", "Name: _mta-sts.sub ")


@case("guide.what_is_right_already_is_left_out", proves=["G2-1", "G3-36"])
def _(t):
    done = t.run("dns", "healthy.test")
    t.ends(done, 0)
    t.same("what is to publish", done.out, "")
    t.has(done.err, "every record of healthy.test is correct already")
    t.has(t.run("dns", "--all", "healthy.test").out, "_smtp._tls", "_mta-sts")
    every = t.run("dns", "--all", "--json", "healthy.test").json()["records"]
    t.same("what is published is called so with --all too", [r["already_right"] for r in every], [True] * len(every))
    half = t.run("dns", "--format", "bind", "tlsrpt-absent.test")
    t.same("the one record that is missing", half.out,
           '_smtp._tls.tlsrpt-absent.test. 3600 IN TXT "v=TLSRPTv1; rua=mailto:tls-report@tlsrpt-absent.test"\n')


@case("guide.the_policy_host_is_named_or_an_address", proves=["G3-31"])
def _(t):
    def host(given):
        return [r for r in t.run("dns", "--json", "--policy-host", given, "bare.test").json()["records"] if r["step"] == 2]
    for given, kind in (("web.example.com", "CNAME"), ("203.0.113.7", "A"), ("2001:db8::7", "AAAA")):
        t.same(f"the record of {given}", [(r["name"], r["type"], r["value"]) for r in host(given)],
               [("mta-sts.bare.test", kind, given)])
    t.same("what is left to fill in", t.run("dns", "--json", "--policy-host", "web.example.com", "bare.test").json()["needs"],
           [])
    t.same("what is left to fill in", t.run("dns", "--json", "bare.test").json()["needs"], ["YOUR-POLICY-HOST"])
    t.ends(t.run("dns", "--policy-host", "no host", "bare.test"), 2)


@case("guide.record_lint_of_the_examples", proves=["G2-20", "G2-24", "G2-25", "G2-26", "G3-41", "G3-42", "G3-44", "G3-45"])
def _(t):
    rows = [("v=STSv1; id=20190425085700", "sts", set(), 0), ("v=STSv1; id=20190425085700Z", "sts", set(), 0),
            ("v=TLSRPTv1; rua=mailto:tls-report@solarmora.com", "tlsrpt", set(), 0),
            ("v=TLSRPTv1; rua=mailto:a@solarmora.com,mailto:b@solarmora.com", "tlsrpt", {"tlsrpt.rua-many"}, 0),
            ("v=STSv1; id=" + "1" * 33, "sts", {"sts-record.id-invalid"}, 1),
            ("v=STSv1; version=1", "sts", {"sts-record.id-missing"}, 1),
            ("v=TLSRPTv1; rua=http://solarmora.com/", "tlsrpt", {"tlsrpt.rua-scheme"}, 1)]
    for text, kind, codes, status in rows:
        done = t.run("record", "lint", "--json", text)
        t.ends(done, status)
        judged = done.json()
        t.same(f"{text}: kind", judged["kind"], kind)
        t.same(f"{text}: valid", judged["valid"], status == 0)
        t.same(f"{text}: codes", {f["code"] for f in judged["findings"]}, codes)
    # Without an id nobody learns that the domain has a policy: the domain is as good as without one.
    missing = t.run("check", "--json", "sts-id-missing.test").json()
    t.same("a domain whose record has no id", (missing["verdict"], missing["sts_record"]["id"]), ("broken", None))
