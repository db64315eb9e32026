# SPDX-License-Identifier: Apache-2.0
"""The JSON that scripts hold on to: every key that the contract names, its type, and which values it may have."""

from __future__ import annotations

import json

from cli.case import case

_SEVERITIES = ["error", "warning", "info", "ok"]
_FINDING = {"code": str, "severity": _SEVERITIES, "subject": str, "message": str, "evidence": str, "consequence": str,
            "fix": str, "reference": str}
_CERTIFICATE = {"names": [[str]], "issuer": str, "not_after": str, "trusted": bool}
_RECORD = {"step": int, "name": str, "type": ["TXT", "CNAME", "A", "AAAA"], "value": str, "ttl": int, "already_right": bool}
_PART = ["valid", "invalid", "missing", "not-tested"]
_SUGGESTION = {"policy": str, "needs": [[str]], "records": [[_RECORD]]}
CHECK = {
    "domain": str, "checked_at": str, "mode": ["testing", "enforce", "none", None], "ready_to_enforce": [bool, None],
    "verdict": ["protected", "testing", "unverified", "retiring", "broken", "absent", "unreachable"],
    "findings": [[_FINDING]],
    "sts_record": {"texts": [[str]], "id": [str, None], "ttl": int},
    "policy": [None, {"url": str, "mode": ["testing", "enforce", "none", None], "max_age": [int, None], "mx": [[str]],
                      "text": str, "addresses": [[{"ip": str, "outcome": str, "certificate": [_CERTIFICATE, None]}]]}],
    "mx": [[{"host": str, "preference": int, "in_policy": [bool, None], "dane": [str, None],
             "addresses": [[{"ip": str, "starttls": [bool, None], "tls": [str, None],
                             "certificate": [_CERTIFICATE, None]}]],
             "criteria": [[{"name": str, "state": ["pass", "fail", "not-tested"], "why": str}]]}]],
    "tlsrpt_record": {"texts": [[str]], "rua": [[str]], "ttl": int},
    "suggestion": _SUGGESTION,
    "parts": {"sts_record": _PART, "policy_file": _PART, "tlsrpt_record": _PART, "mail_servers": _PART},
}
_LINT = {"valid": bool, "kind": ["sts", "tlsrpt", "policy"], "value": [None, {}], "findings": [[_FINDING]]}


def unfit(value, shape, path: str = "") -> list[str]:
    """How a value differs from its shape: a type; a dict of keys that must be there; [shape, ...] for one of several
    (a constant stands for itself); [[shape]] for a list of them."""
    if isinstance(shape, list) and len(shape) == 1 and isinstance(shape[0], list):
        if not isinstance(value, list):
            return [f"{path} is {value!r} and no list"]
        return [wrong for i, one in enumerate(value) for wrong in unfit(one, shape[0][0], f"{path}[{i}]")]
    if isinstance(shape, list):
        tried = [unfit(value, one, path) for one in shape]
        return [] if [] in tried else min(tried, key=len)
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return [f"{path} is {value!r} and no object"]
        missing = [f"{path}.{key} is missing" for key in shape if key not in value]
        return missing + [wrong for key in shape if key in value for wrong in unfit(value[key], shape[key], f"{path}.{key}")]
    if isinstance(shape, type):
        return [] if type(value) is shape else [f"{path} is {value!r} and no {shape.__name__}"]
    return [] if type(value) is type(shape) and value == shape else [f"{path} is {value!r} and not {shape!r}"]


@case("json.the_shape_notices_what_is_wrong")
def _(t):
    # The measure is measured first: it must see a missing key, a wrong type, a value that is not allowed.
    good = {"code": "a.b", "severity": "error", "subject": "", "message": "", "evidence": "", "consequence": "", "fix": "",
            "reference": ""}
    t.same("a good finding", unfit(good, _FINDING), [])
    t.same("a missing key", unfit({k: v for k, v in good.items() if k != "fix"}, _FINDING), [".fix is missing"])
    t.true(unfit({**good, "severity": "bad"}, _FINDING) != [], "an unknown severity passes")
    t.true(unfit({**good, "code": None}, _FINDING) != [], "null passes for a text")
    t.true(unfit([good, 1], [[_FINDING]]) != [], "a number passes for a finding")
    t.true(unfit(1, bool) != [] and unfit(True, int) != [], "numbers and truth values are taken for each other")


@case("json.check_keeps_its_contract")
def _(t):
    domains = ["healthy.test", "testing.test", "retiring.test", "absent.test", "bare.test", "no-mail.test",
               "dead-servfail.test", "dane-healthy.test", "dane-mismatch.test", "mx-expired.test", "mx-no-starttls.test",
               "mx-closed.test", "mx-cname.test", "mx-address.test", "mx-none.test", "text-not-a-policy.test",
               "text-encoding.test", "host-404.test", "host-closed.test", "host-wrong-name.test", "sts-multiple.test",
               "sts-id-missing.test", "tlsrpt-multiple.test", "sub.parent.test"]
    for domain in domains:
        done = t.run("check", "--json", domain)
        document = done.json()
        t.same(f"{domain}: what is not as the contract says", unfit(document, CHECK), [])
        t.same(f"{domain}: domain", document["domain"], domain)
        t.true(len(document["checked_at"]) == 20 and document["checked_at"].endswith("Z"), document["checked_at"])
        t.true(all(f["code"] and f["message"] and f["consequence"] and f["fix"] and f["reference"].strip()
                   for f in document["findings"]), f"{domain}: a finding leaves something out")
        steps = [r["step"] for r in document["suggestion"]["records"]]
        t.true(steps == sorted(steps) and set(steps) <= {1, 2, 4}, f"{domain}: steps {steps}")
        for need in document["suggestion"]["needs"]:
            t.true(need == need.upper() and need in str(document["suggestion"]), f"{domain}: {need} is needed nowhere")
        t.same(f"{domain}: stderr", done.err, "")


@case("json.unverified_is_not_ready_and_not_unready")
def _(t):
    document = t.run("check", "--json", "--no-smtp", "healthy.test")
    t.ends(document, 3)
    found = document.json()
    t.same("what is not as the contract says", unfit(found, CHECK), [])
    t.same("verdict", (found["verdict"], found["ready_to_enforce"], found["parts"]["mail_servers"]),
           ("unverified", None, "not-tested"))
    people = t.run("check", "--no-smtp", "healthy.test").out.splitlines()
    t.has(" ".join(people[:4]), "NOT tested")


@case("json.many_domains_are_one_document_a_line")
def _(t):
    domains = ["healthy.test", "bare.test", "mx-expired.test"]
    done = t.run("check", "--json", *domains)
    rows = [json.loads(line) for line in done.out.splitlines()]
    t.same("the domains", sorted(r["domain"] for r in rows), sorted(domains))
    t.same("what is not as the contract says", [wrong for r in rows for wrong in unfit(r, CHECK)], [])
    scanned = t.run("scan", "--dns-only", "-", stdin="\n".join(domains).encode())
    rows = [json.loads(line) for line in scanned.out.splitlines()]
    t.same("scan: one line a domain", sorted(r["domain"] for r in rows), sorted(domains))


@case("json.lints_keep_their_contract")
def _(t):
    for words, body in ((["record", "lint", "v=STSv1; id=1"], b""), (["record", "lint", "v=STSv1;"], b""),
                        (["record", "lint", "v=TLSRPTv1; rua=mailto:a@healthy.test"], b""),
                        (["record", "lint", "v=TLSRPTv1;"], b""), (["record", "lint", "hello"], b""),
                        (["record", "lint", "v=STSv1; id=1", "v=STSv1; id=2"], b""),
                        (["policy", "lint"], b"version: STSv1\r\nmode: none\r\nmax_age: 86400\r\n"),
                        (["policy", "lint"], b""), (["policy", "lint"], b"\xff\x00" * 50)):
        done = t.run(*words, "--json", stdin=body)
        document = done.json()
        t.same(f"{words}: what is not as the contract says", unfit(document, _LINT), [])
        grave = not document["valid"] or any(f["severity"] == "error" for f in document["findings"])
        t.ends(done, 1 if grave else 0)


@case("json.other_commands_print_one_document")
def _(t):
    dns = t.run("dns", "--json", "bare.test").json()
    t.same("dns", unfit(dns, {**_SUGGESTION, "domain": str, "zone": str}), [])
    new = t.run("policy", "new", "--json", "bare.test").json()
    t.same("policy new", unfit(new, _SUGGESTION), [])
    match = t.run("policy", "match", "--json", t.file("p.txt", new["policy"].encode()), "mx1.hosting.test").json()
    t.same("policy match", unfit(match, {"mode": str, "hosts": [[{"host": str, "admitted": bool, "pattern": [str, None]}]]}), [])
    wait = t.run("check", "--wait", "--wait-limit", "1s", "--json", "bare.test").json()
    t.same("check --wait", unfit(wait, {"domain": str, "done": bool,
                                        "items": [[{"what": str, "right": bool, "state": str, "ttl": int}]]}), [])
