# SPDX-License-Identifier: Apache-2.0
"""--help: every command has an example, and each example runs. Exit statuses of a wrong command line."""

from __future__ import annotations

import os
import subprocess

from cli.case import Done, case

_COMMANDS = [["check"], ["scan"], ["dns"], ["policy", "lint"], ["policy", "new"], ["policy", "match"], ["record", "lint"],
             ["doctor"]]
# The examples' own names and files, as the lab has them.
_NAMES = {"web.example.com": "web.hosting.test", "mail.example.com": "mx1.hosting.test",
          "mx1.example.com": "mx1.hosting.test", "mx2.example.com": "mx2.hosting.test", "example.com": "healthy.test",
          "example.org": "testing.test"}
# The lab's host may have a name without a dot; one domain of the list has no MTA-STS.
_STATUS = {"mailtight doctor": {0, 1}, "mailtight scan": {0, 1}}
_ALONE = {"mailtight check": {2}}  # here no domain is looked after, so there is no table


def examples(text: str) -> list[str]:
    """The command lines below "Example:" or "Examples:"."""
    below = text[text.index("\nExample"):].splitlines()[2:]
    return [line.strip() for line in below if line.strip()]


def _shell(t, line: str) -> Done:
    """Runs one example line as a shell would, with a `mailtight` on the path that looks at the lab."""
    tools = t.folder / "bin"
    tools.mkdir(parents=True, exist_ok=True)
    options = " ".join(f"'{word}'" for word in t.world(("check",)))
    config = t.file("lab.toml", b'[doctor]\nsigned-name = "danehost.test"\nforged-name = "mta-sts.dead-bogus.test"\n')
    (tools / "mailtight").write_text(
        f"#!/bin/sh\ncase $1-$2 in check-*|scan-*|dns-*|policy-new) exec {t.binary} \"$@\" {options} ;;\n"
        f"doctor-*) exec {t.binary} \"$@\" --config {config} {options} ;; *) exec {t.binary} \"$@\" ;; esac\n")
    # The examples show what jq can do with a document; whether it is installed is not the question here.
    (tools / "jq").write_text("#!/usr/bin/python3\nimport json, sys\nfor line in sys.stdin:\n"
                              "    print(json.loads(line)[sys.argv[1].lstrip('.')])\n")
    for name in ("mailtight", "jq"):
        (tools / name).chmod(0o755)
    t.file("domains.txt", b"healthy.test\nbare.test\n")
    t.file("top-1m.csv", b"1,healthy.test\n2,bare.test\n")
    t.file("mta-sts.txt", b"version: STSv1\r\nmode: testing\r\nmx: *.hosting.test\r\nmax_age: 604800\r\n")
    for name, ours in _NAMES.items():
        line = line.replace(name, ours)
    path = f"{tools}:{os.environ.get('PATH', '/usr/bin:/bin')}"
    done = subprocess.run(t.lab.enter(["env", f"PATH={path}", "bash", "-c", f"cd {t.folder} && set -o pipefail && {line}"]),
                          capture_output=True, timeout=60, check=False, stdin=subprocess.DEVNULL)
    return Done(line, done.returncode, done.stdout, done.stderr.decode("utf-8", "replace"))


@case("help.every_example_runs")
def _(t):
    for command in _COMMANDS:
        said = t.run(*command, "--help")
        t.ends(said, 0)
        lines = examples(said.out)
        t.true(lines and all("mailtight " in line for line in lines), f"{command}: examples {lines}")
        for line in lines:
            done = _shell(t, line)
            allowed = _ALONE.get(line) or next((status for words, status in _STATUS.items() if words in line), {0})
            t.true(done.status in allowed, f"{done.words}: status {done.status}: {(done.err or done.out)[-300:]}")
    written = (t.folder / "results.csv").read_text()
    t.has(written, "healthy.test", "bare.test")
    t.same("two domains scanned once", len((t.folder / "results.ndjson").read_text().splitlines()), 2)


@case("help.groups_the_commands")
def _(t):
    said = t.run("--help")
    t.ends(said, 0)
    t.true(-1 < said.out.find("Your domains:") < said.out.find("This machine:"), "the groups are not there")
    t.has(said.out, *(f"\n  {command[0]} " for command in _COMMANDS))
    t.has(t.run("--version").out, "mailtight ")


@case("help.a_wrong_command_line_is_status_2")
def _(t):
    unknown = t.file("unknown.toml", b"[dns]\nserver = []\n")
    rows = [(["--nonsense"], "--nonsense"), (["nonsense"], "nonsense"), (["check", "--nonsense", "healthy.test"], "--nonsense"),
            (["check"], "which domain"), (["check", "not a domain"], "not a domain"), (["policy"], "needs a command behind it: lint, new"),
            (["record", "lint"], "mailtight record lint needs TEXT; for example: mailtight record lint"),
            (["dns", "--format", "excel", "absent.test"], "excel"),
            (["check", "--dns-timeout", "soon", "healthy.test"], "--dns-timeout"),
            (["check", "--config", unknown, "healthy.test"], "did you mean servers?"),
            (["check", "--config", "/does/not/exist", "healthy.test"], "/does/not/exist"),
            (["check", "--allow-net", "127.0.0.0/99", "healthy.test"], "127.0.0.0/99"),
            (["check", "--resolver", "localhost", "healthy.test"], "localhost"),
            (["check", "--dns-mode", "guess", "healthy.test"], "guess")]
    for words, says in rows:
        done = t.run(*words)
        t.ends(done, 2)
        t.has(done.err, says)
        t.same(f"{words}: stdout", done.out, "")
    t.ends(t.run("policy", "lint", "/does/not/exist"), 3)
    t.ends(t.run("check", "--json", "dead-servfail.test"), 3)
