# SPDX-License-Identifier: Apache-2.0
"""`resolve` and `cache` beside a running daemon, as a person types them and as a script reads them."""

from __future__ import annotations

import json
import time

from cli.shapes import unfit
from sending.case import Trial, case
from sending.places import domain

_TIME = [str, None]
RESOLVE = {
    "domain": str, "decision": ["enforce", "testing", "none", "dane", "no-policy", "unknown"],
    "source": ["live", "cache", "override", "dane", "key"], "id": [str, None], "fetched_at": _TIME, "expires_at": _TIME,
    "next_check_at": _TIME, "mx": [[{"host": str, "admitted_by": str}]],
    "replies": {"postfix": str, "postfix-legacy": str, "postfix-3.10": str, "sendmail": str}, "errors": [[{"code": str, "message": str}]],
}


def rows(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines() if line.strip()]


@case("resolve: one document, the decision of every kind of destination", "commands",
      proves=["8461-3.4-a", "8461-3.4-b", "8461-3.3-o"])
def resolve(trial: Trial) -> None:
    name = domain("right", "postfix")
    expected = {
        name: ("enforce", f"secure match=mx.{name} servername=hostname"),
        name.upper() + ".": ("enforce", f"secure match=mx.{name} servername=hostname"),
        f"[{domain('smart', 'postfix')}]:587": ("enforce", f"secure match={domain('smart', 'postfix')} servername=hostname"),
        domain("testing", "postfix"): ("testing", "NOTFOUND"), domain("retired", "postfix"): ("none", "NOTFOUND"),
        domain("lone.child", "postfix"): ("no-policy", "NOTFOUND"), domain("dane-right", "postfix"): ("dane", "dane-only"),
    }
    for key, (decision, reply) in expected.items():
        done = trial.daemon.command("resolve", "--json", key)
        found = rows(done.stdout)
        trial.same(f"{key}: documents", len(found), 1)
        trial.same(f"{key}: what is not as the contract says", unfit(found[0], RESOLVE), [])
        trial.same(f"{key}: the decision", (found[0]["decision"], found[0]["replies"]["postfix"]), (decision, reply))
        trial.same(f"{key}: the status", done.returncode, 0)
    for key, why in (("[192.0.2.1]", "an address"), ("localhost", "without a dot"), (f".{name}", "parent")):
        done = trial.daemon.command("resolve", key)
        trial.same(f"{key}: the status", done.returncode, 2)
        trial.has(done.stderr, key, why)
    people = " ".join(trial.daemon.command("resolve", name).stdout.split())
    trial.has(people, name, "enforce", f"mx.{name}", f"secure match=mx.{name} servername=hostname")
    bad = trial.daemon.command("resolve", "--explain", "outside.postfix.test").stdout
    trial.true("\x1b" not in bad, "colour where there is no terminal")


@case("cache: list, show, refresh, purge, export, import", "commands", proves=["8461-10.5-a"])
def cache(trial: Trial) -> None:
    name, far = "typed.others.test", trial.far
    daemon = trial.world.another()
    daemon.start()
    trial.has(daemon.ask(name), f"OK secure match=mx.{name}")
    listed = {row["domain"]: row for row in rows(daemon.command("cache", "list", "--json").stdout)}
    trial.true(name in listed, f"not in the list: {listed}")
    trial.has(daemon.command("cache", "list").stdout, name, "enforce")
    shown = rows(daemon.command("cache", "show", "--json", name).stdout)
    trial.same("show: documents and domain", (len(shown), shown[0].get("domain")), (1, name))
    trial.has(daemon.command("cache", "show", name).stdout, name, "enforce")
    # A mended domain is looked at when somebody says so, and holds from then on; yet not at every stroke of a key.
    far.publish(name, [f"*.{name}"], mode="testing")
    trial.wait("the refresh", lambda: "Not looked" not in daemon.command("cache", "refresh", name).stdout, 10)
    looked = time.monotonic()
    trial.same("after the refresh", daemon.ask(name), "NOTFOUND ")
    held_back = daemon.command("cache", "refresh", name)
    if time.monotonic() - looked < 2.5:
        trial.same("a refresh right behind a look", (held_back.returncode, held_back.stdout.split(":")[0]), (0, "Not looked"))
    # Forgotten, and looked for at the next use.
    far.publish(name, [f"mx.{name}"])
    before = far.fetches(name)
    trial.same("purge", daemon.command("cache", "purge", name).returncode, 0)
    trial.true(name not in daemon.command("cache", "list", "--json").stdout, "it is listed after its purge")
    trial.has(daemon.ask(name), f"OK secure match=mx.{name}")
    trial.same("fetches by the next use", far.fetches(name) - before, 1)
    # To another machine.
    exported = daemon.command("cache", "export").stdout
    trial.true(any(name in line for line in exported.splitlines()), f"not exported: {exported[:300]}")
    file = daemon.folder / "policies.ndjson"
    file.write_text(exported)
    other, before = trial.world.another(), far.fetches(name)
    other.start()
    done = other.command("cache", "import", str(file))
    trial.same("import", done.returncode, 0)
    trial.has(other.ask(name), f"OK secure match=mx.{name}")
    trial.same("fetches after an import", far.fetches(name) - before, 0)
    other.stop()
    daemon.stop()


@case("cache override: an exception holds at once, and says so", "commands")
def overrides(trial: Trial) -> None:
    name, without = domain("right", "sendmail"), domain("lone.child", "sendmail")
    daemon = trial.world.another()
    daemon.start()
    answer = daemon.ask(name)
    trial.has(answer, "OK secure")

    def override(*words: str) -> None:
        done = daemon.command("cache", "override", *words)
        trial.same(f"override {' '.join(words)}", (done.returncode, done.stderr if done.returncode else ""), (0, ""))
    override(name, "--as", "exempt", "--why", "their certificate ran out")
    trial.true("secure" not in daemon.ask(name), f"exempt: {daemon.ask(name)}")
    shown = rows(daemon.command("resolve", "--json", name).stdout)[0]
    trial.same("the source", shown["source"], "override")
    trial.has(json.dumps(shown), "their certificate ran out")
    trial.has(" ".join(daemon.command("resolve", name).stdout.split()), "their certificate ran out")
    override(name, "--as", "testing", "--why", "for a while")
    trial.same("testing", daemon.ask(name), "NOTFOUND ")
    override(without, "--as", "require", "--why", "contract")
    trial.has(daemon.ask(without), "TEMP ")
    override(without, "--as", "pin", "--mx", f"mx.{without}", "--why", "agreed by telephone")
    trial.same("pinned", daemon.ask(without), f"OK secure match=mx.{without} servername=hostname")
    trial.has(daemon.command("cache", "overrides").stdout, name, without, "agreed by telephone")
    daemon.kill()
    daemon.start()
    trial.same("it outlives a kill", daemon.ask(without), f"OK secure match=mx.{without} servername=hostname")
    override(name, "--remove")
    trial.same("removed", daemon.ask(name), answer)
    trial.true(daemon.command("cache", "override", name, "--as", "nonsense", "--why", "x").returncode == 2, "nonsense is taken")
    daemon.stop()
