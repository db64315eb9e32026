# SPDX-License-Identifier: Apache-2.0
"""Faults of the policy's text, served by a real nginx."""

from table import EXIM, POSTFIX, Mx, Rec, Scenario as S

_HEAD = b"version: STSv1\r\nmode: enforce\r\n"
_MX = f"mx: {POSTFIX}\r\nmx: {EXIM}\r\n".encode()
_AGE = b"max_age: 2419200\r\n"
_FILE = _HEAD + _MX + _AGE


def _broken(code: str, why: str, body: bytes, name: str = "", **more) -> S:
    return S(f"text-{name or code}.test", {f"policy.{code}"}, "broken", 1, why, policy=body, **more)


def _told(code: str, why: str, body: bytes, name: str = "", **more) -> S:
    return S(f"text-{name or code}.test", {f"policy.{code}"}, "protected", 0, why, policy=body, **more)


SCENARIOS = [
    S("text-no-record.test", {"policy.absent-without-record"}, "absent", 1,
      "a file, and no record that announces it", sts=[]),
    _broken("not-a-policy", "a web page", b"<!DOCTYPE html>\n<html><body>Welcome</body></html>\n"),
    _broken("not-a-policy", "an empty file", b"", "empty"),
    _broken("encoding", "bytes that are no UTF-8", _FILE + b"x-note: \xff\xfe\r\n"),
    _broken("bom", "a byte order mark first", b"\xef\xbb\xbf" + _FILE),
    _broken("line-ending", "bare CR", _FILE.replace(b"\r\n", b"\r")),
    S("text-lf.test", set(), "protected", 0, "LF alone is right", policy=_FILE.replace(b"\r\n", b"\n")),
    S("text-no-final.test", set(), "protected", 0, "no line end after the last line", policy=_FILE[:-2]),
    _broken("syntax", "a line that is no field", _HEAD + b"this is a comment\r\n" + _MX + _AGE),
    _broken("version-missing", "no version", b"mode: enforce\r\n" + _MX + _AGE),
    _told("version-not-first", "the version comes last", b"mode: enforce\r\n" + _MX + _AGE + b"version: STSv1\r\n"),
    _broken("mode-missing", "no mode", b"version: STSv1\r\n" + _MX + _AGE),
    _broken("mode-invalid", "mode: report, of an old draft", _FILE.replace(b"enforce", b"report")),
    _broken("max-age-missing", "no max_age", _HEAD + _MX),
    _broken("max-age-invalid", "a unit after the number", _HEAD + _MX + b"max_age: 28d\r\n"),
    _broken("max-age-too-large", "two years", _HEAD + _MX + b"max_age: 63072000\r\n"),
    _told("max-age-short", "an hour", _HEAD + _MX + b"max_age: 3600\r\n"),
    S("text-max-age-testing.test", {"policy.max-age-testing"}, "testing", 0, "a day in testing", mode="testing",
      max_age=86400),
    _told("shared", "the host is an alias of another domain's policy host", _FILE, without=[("mta-sts", "A")],
          records=[Rec("mta-sts.text-shared.test", "CNAME", "mta-sts.healthy.test")]),
    _broken("mx-missing", "enforce without mx", _HEAD + _AGE),
    _broken("mx-syntax", "a list in one line", _HEAD + f"mx: {POSTFIX}, {EXIM}\r\n".encode() + _AGE),
    _broken("mx-syntax", "a final dot", _HEAD + f"mx: {POSTFIX}.\r\nmx: {EXIM}\r\n".encode() + _AGE, "mx-dot"),
    _broken("mx-null", "a null MX leaked into the policy", _HEAD + _MX + b"mx: .\r\n" + _AGE),
    _broken("mx-unicode", "a U-label", _HEAD + _MX + "mx: mx.b\u00fccher.test\r\n".encode() + _AGE),
    _told("duplicate-field", "two modes", _HEAD + b"mode: none\r\n" + _MX + _AGE),
    _told("unknown-field", "an extension", _FILE + b"x-contact: postmaster\r\n"),
    S("text-wildcard-depth.test", {"policy.wildcard-never-matches"}, "broken", 1,
      "a wildcard covers one label, the MX has two below it", mx=[Mx("mx.eu.mail")],
      policy_mx=["*.mail.text-wildcard-depth.test"]),
    S("text-wildcard-idle.test", {"policy.wildcard-never-matches"}, "protected", 0,
      "the same, but the host stands in the policy too", mx=[Mx("mx.eu.mail")],
      policy_mx=["mx.eu.mail.text-wildcard-idle.test", "*.mail.text-wildcard-idle.test"]),
    S("text-wildcard-broad.test", {"policy.wildcard-too-broad"}, "broken", 1, "a whole top-level domain",
      mx=[Mx("")], policy_mx=["*.test"]),
]
