# SPDX-License-Identifier: Apache-2.0
"""What the administrator guides say about the policy file, done with `policy new`, `policy match` and `policy lint`."""

from cli.case import case, scenario
from table import EXIM, POSTFIX

_TESTING = [b"version: STSv1", b"mode: testing", f"mx: {POSTFIX}".encode(), f"mx: {EXIM}".encode()]
_GUIDE_1 = (b"version: STSv1\r\nmode: testing\r\nmx: mail.example.com\r\nmx: *.example.net\r\nmx: backupmx.example.com\r\n"
            b"max_age: 604800\r\n")
_NONE = b"version: STSv1\r\nmode: none\r\nmax_age: 86400\r\n"


@case("guide.policy_new_prints_the_file_alone", proves=["G1-16", "G1-20", "G1-27", "G1-28", "G3-25", "G3-28", "G1-36"])
def _(t):
    done = t.run("policy", "new", "absent.test")
    t.ends(done, 0)
    lines = done.raw.split(b"\r\n")
    t.same("the lines before max_age", lines[:4], _TESTING)
    t.same("the end of the file", lines[5:], [b""])
    key, age = lines[4].split(b": ")
    t.same("the last key", key, b"max_age")
    t.true(604800 <= int(age) <= 1209600, f"max_age {age} is not within what the guides recommend for testing")
    judged = t.run("policy", "lint", "--json", t.file("mta-sts.txt", done.raw))
    t.ends(judged, 0)
    t.same("what lint finds in it", (judged.json()["valid"], judged.json()["findings"]), (True, []))


@case("guide.policy_new_says_where_the_file_must_be_reachable",
      proves=["G0-14", "G0-15", "G1-14", "G3-31", "G3-32", "G3-33", "G3-34"])
def _(t):
    done = t.run("policy", "new", "absent.test")
    t.has(done.err, "https://mta-sts.absent.test/.well-known/mta-sts.txt", "text/plain", "without a redirect",
          "a certificate for mta-sts.absent.test", "next: mailtight dns absent.test")
    t.lacks(done.out, "http", "mailtight")
    t.same("where check looks", t.run("check", "--json", "healthy.test").json()["policy"]["url"],
           "https://mta-sts.healthy.test/.well-known/mta-sts.txt")


@case("guide.the_three_lines_of_mode_none", proves=["G1-26", "G3-49", "G3-51", "G3-53", "G3-54", "G3-55", "G3-56"])
def _(t):
    # A domain in order, one in trouble, and one whose mail servers are given: the same three lines.
    for words in (["healthy.test"], ["mx-expired.test"], ["example.com", "--mx", "mail.example.com"]):
        done = t.run("policy", "new", "--mode", "none", *words)
        t.ends(done, 0)
        t.same(f"the file of {words[0]}", done.raw, _NONE)


@case("guide.mode_none_with_mx_lines_on_request", proves=["A8"])
def _(t):
    done = t.run("policy", "new", "--mode", "none", "--keep-mx", "healthy.test")
    t.ends(done, 0)
    t.same("the file", done.raw,
           f"version: STSv1\r\nmode: none\r\nmx: {POSTFIX}\r\nmx: {EXIM}\r\nmax_age: 86400\r\n".encode())
    for form in (done.raw, _NONE):
        t.ends(t.run("policy", "lint", stdin=form), 0)


@case("guide.authentication_and_encryption_are_asked_for_when_every_server_has_them",
      proves=["G0-1", "G3-4", "G3-12", "G3-13", "G4-25", "G4-26"])
def _(t):
    good = t.run("policy", "new", "healthy.test")
    t.has(good.out, "mode: enforce\r\n", f"mx: {POSTFIX}\r\n", f"mx: {EXIM}\r\n")
    for domain in ("mx-expired", "mx-wrong-name", "mx-other-root", "mx-no-starttls", "mx-tls10"):
        done = t.run("policy", "new", f"{domain}.test")
        t.ends(done, 0)
        t.has(done.out, "mode: testing\r\n")
        t.has(done.err, f"mx.{domain}.test")  # the server that stands in the way is named


@case("guide.what_is_asked_for_is_kept_to", proves=["G1-30", "G1-33", "G3-24", "G3-26"])
def _(t):
    done = t.run("policy", "new", "example.com", "--mx", "Mail.Example.com.", "--mx", "*.example.net", "--mode", "enforce",
                 "--max-age", "1209600")
    t.ends(done, 0)
    t.same("the file", done.raw, b"version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\n"
                                 b"max_age: 1209600\r\n")
    value = t.run("policy", "lint", "--json", stdin=done.raw).json()["value"]
    t.same("the lifetime in seconds", value["max_age"], 14 * 24 * 3600)
    for bad in (["--mode", "report"], ["--max-age", "31557601"], ["--mx", "*.*.example.com"], ["--mx", "mail example"]):
        t.ends(t.run("policy", "new", "example.com", "--mx", "mail.example.com", *bad), 2)


@case("guide.the_examples_are_without_error_and_warning",
      proves=["G1-18", "G1-19", "G3-21", "G3-29", "G3-56", "G1-35", "G3-27"])
def _(t):
    three = _GUIDE_1.replace(b"*.example.net", b"clone.example.net")
    for body in (three, _GUIDE_1, _GUIDE_1.replace(b"\r\n", b"\n"), _NONE):
        done = t.run("policy", "lint", "--json", "-", stdin=body)
        t.ends(done, 0)
        judged = done.json()
        t.same("valid", judged["valid"], True)
        t.same("errors and warnings", [f for f in judged["findings"] if f["severity"] in ("error", "warning")], [])
    bounds = {86399: ({"policy.max-age-short"}, 0), 86400: ({"policy.max-age-testing"}, 0), 604800: (set(), 0),
              1209600: (set(), 0), 1209601: ({"policy.max-age-testing"}, 0),
              31557600: ({"policy.max-age-testing"}, 0), 31557601: ({"policy.max-age-too-large"}, 1)}
    for age, (codes, status) in bounds.items():
        done = t.run("policy", "lint", "--json", stdin=_GUIDE_1.replace(b"604800", str(age).encode()))
        t.same(f"codes of max_age {age}", {f["code"] for f in done.json()["findings"]}, codes)
        t.ends(done, status)


@case("guide.match_says_which_pattern_admits_a_server", proves=["G1-30", "G1-31", "G3-17", "G3-26"])
def _(t):
    file = t.file("mta-sts.txt", _GUIDE_1)
    done = t.run("policy", "match", "--json", file, "mail.example.com", "a.example.net", "a.b.example.net", "example.net")
    t.ends(done, 1)
    t.same("the answer", [(r["host"], r["admitted"], r["pattern"]) for r in done.json()["hosts"]],
           [("mail.example.com", True, "mail.example.com"), ("a.example.net", True, "*.example.net"),
            ("a.b.example.net", False, None), ("example.net", False, None)])
    people = t.run("policy", "match", file, "MAIL.example.com", "A.example.net")
    t.ends(people, 0)
    t.has(people.flat, "admitted by mail.example.com", "admitted by *.example.net")
    t.ends(t.run("policy", "match", "/does/not/exist", "mail.example.com"), 3)


@case("guide.each_domain_has_its_own_file", proves=["G3-18"])
def _(t):
    # healthy.test and text-lf.test have files that say the same, each below its own name: right.
    one, other = (t.run("check", "--json", d).json() for d in ("healthy.test", "text-lf.test"))
    t.same("what both files say", [one["policy"][k] for k in ("mode", "max_age", "mx")],
           [other["policy"][k] for k in ("mode", "max_age", "mx")])
    t.true(one["policy"]["url"] != other["policy"]["url"], "both have the same address")
    t.same("findings", one["findings"] + other["findings"], [])
    shared = t.run("check", "--json", "text-shared.test").json()["findings"]
    t.same("one file for two domains", [(f["code"], f["severity"]) for f in shared], [("policy.shared", "info")])


@case("guide.the_present_file_can_be_taken_from_its_address", proves=["G3-52", "G3-62"])
def _(t):
    for domain in ("healthy.test", "testing.test", "text-lf.test"):
        policy = t.run("check", "--json", domain).json()["policy"]
        t.same(f"the file of {domain}", policy["text"].encode(), scenario(domain).policy_bytes())
        t.true(f"max_age: {policy['max_age']}" in policy["text"], f"max_age {policy['max_age']} is not the file's")
    t.has(t.run("check", "healthy.test").flat, "max_age 2419200 (28 days)")
