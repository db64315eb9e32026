# SPDX-License-Identifier: Apache-2.0
"""Other ways to the same: records by a command of the operator's, and everything by hand on a web server of one's own."""

from __future__ import annotations

import shutil
from pathlib import Path

from publish.case import Trial, case
from publish.cases_rise import Sitting, gone
from publish.dns_side import KEY, KNOT
from publish.person import Person
from publish.senders import Strict
from publish.watcher import Watcher
from publish.web_servers import Nginx

DAY = 86400


def hook_script(folder: Path, secret: str, zone: str) -> Path:
    """As an operator writes it for a provider that it knows: add|remove NAME TYPE TTL VALUE."""
    script = folder / "hook.sh"
    script.write_text(f"""#!/bin/sh
echo "$*" >>{folder}/hook.log
case $1 in add) word=add ttl=$4 ;; remove) word=delete ttl= ;; *) exit 2 ;; esac
printf 'server {KNOT}\\nzone {zone}.\\nkey hmac-sha256:{KEY} {secret}\\nupdate %s %s. %s %s %s\\nsend\\n' \\
  "$word" "$2" "$ttl" "$3" "$(if [ "$3" = TXT ]; then printf '"%s"' "$5"; else printf %s "$5"; fi)" | knsupdate
""")
    script.chmod(0o755)
    return script


@case("records by a command of the operator's, and a foreign record stays", "hook")
def by_hook(trial: Trial) -> None:
    domain, names, world = "hooked.test", trial.names, trial.world
    folder = world.folder / "hook"
    folder.mkdir()
    script = hook_script(folder, names.secret, domain)
    sitting = Sitting(trial, domain, 2, conforming=False, updates=f'hook = ["{script}"]')
    sitting.watcher.one_at_a_time = True
    sitting.start()
    names.put(f"_mta-sts.{domain}", "TXT", '"somebody else\'s words"')
    publisher, person = sitting.publisher, sitting.person
    publisher.say("domain", "add", domain, "--mode", "testing", "--rua", f"mailto:tls-reports@{domain}", "--dns", "hook", "--leave", "all")
    if not person.finished("testing", 40):
        return
    foreign = "somebody else's words"
    trial.wait("our record beside the foreign one, for resolvers",
               lambda: sorted(text[:8] for text in names.look_up(f"_mta-sts.{domain}", "TXT")) == [foreign[:8], "v=STSv1;"], 10)
    calls = (folder / "hook.log").read_text().splitlines()
    trial.same("calls, in order", [call.split()[:2] for call in calls],
               [["add", f"_smtp._tls.{domain}"], ["add", f"mta-sts.{domain}"], ["add", f"_mta-sts.{domain}"]])
    publisher.say("plan", domain, "--to", "off", "--do")
    person.finished("removal", 40)
    trial.wait("what was there before, alone", lambda: names.look_up(f"_mta-sts.{domain}", "TXT") == [foreign], 10)
    sitting.judge(enforced=False)


@case("a web server of one's own, records by hand: each step is verified, to enforce and out by Option 1", "byhand")
def by_hand(trial: Trial) -> None:
    domain, names, world = "byhand.test", trial.names, trial.world
    world.mail_host(f"mx1.{domain}")
    names.put(domain, "MX", f"10 mx1.{domain}.")
    folder = world.folder / "own-site"
    site = folder / "site"
    (site / ".well-known").mkdir(parents=True)
    web = Nginx(folder, world.address())
    web.serve_folder(f"mta-sts.{domain}", site, world.authority.leaf("good", [f"mta-sts.{domain}"]), world.authority.key_file)
    world.at_end(web.stop)
    publisher = world.publisher("adviser", publish='carry-out = "yes"')
    publisher.start()

    def host(_step: dict) -> None:
        names.put_and_wait(f"mta-sts.{domain}", "A", web.address)

    def upload(step: dict) -> None:
        target = folder / "exported"
        shutil.rmtree(target, ignore_errors=True)
        publisher.say("policy", "export", domain, str(target))
        trial.has((target / "STEPS.txt").read_text(), "mta-sts.txt")
        trial.same("the exported file", (target / ".well-known" / "mta-sts.txt").read_bytes().decode(), step["policy"])
        shutil.copy(target / ".well-known" / "mta-sts.txt", site / ".well-known" / "mta-sts.txt")

    def withdraw(_step: dict) -> None:
        (site / ".well-known" / "mta-sts.txt").unlink()

    def remove_host(_step: dict) -> None:
        names.put_and_wait(f"mta-sts.{domain}", "A")
    person = Person(trial, publisher, domain, {"point-host": host, "serve-policy": upload, "stop-serving": withdraw, "remove-host": remove_host,
                                               "certificate": lambda _s: None, "remove-certificate": lambda _s: None})
    strict = Strict(domain, names, trial.pebble.trust, person.now, person.turn).start()
    watcher = Watcher(trial, domain).start()
    publisher.say("domain", "add", domain, "--mode", "testing", "--hosting", "elsewhere", "--rua", f"mailto:tls-reports@{domain}")
    if not person.finished("testing", 60):
        return
    trial.true(watcher.came[-1:] == ["record"], f"in this order: {watcher.came}")
    publisher.say("plan", domain, "--to", "enforce", "--force", "--why", "the reports go elsewhere", "--do")
    if not person.finished("enforce", 90):
        return
    trial.has((site / ".well-known" / "mta-sts.txt").read_text(), "mode: enforce")
    trial.has(publisher.say("domain", "show", domain, "--no-look"), "the reports go elsewhere")
    before, began = (site / ".well-known" / "mta-sts.txt").read_text(), person.now()
    publisher.say("plan", domain, "--to", "off", "--by", "none", "--do")
    body: list[str] = []

    def without(plan: dict) -> bool:
        file = site / ".well-known" / "mta-sts.txt"
        if file.exists() and file.read_text() != before:
            body.append(file.read_bytes().decode())
        return plan["finished"]
    person.until("removal", without, 60)
    trial.same("the file in between", body[:1], ["version: STSv1\r\nmode: none\r\nmax_age: 86400\r\n"])
    age = int(before.split("max_age:")[1])
    trial.true(person.now() - began > age, f"it took {(person.now() - began) / DAY:.1f} days, and a policy of {age / DAY:.1f} days stood")
    left = [key for key in names.all_names(domain) if key[0].startswith("_mta-sts.")]  # the host's name may have other uses
    trial.same("records left behind", left, [])
    watcher.stop()
    strict.stop()
    trial.same("deferred by senders that ignore ids", strict.deferred[:3], [])
    trial.same("seen by who looks all the time", watcher.wrong[:3], [])


@case("removal by expiry: the record goes first, and senders are waited for", "expiry")
def by_expiry(trial: Trial) -> None:
    domain = "expiry.test"
    sitting = Sitting(trial, domain, 3, conforming=False)
    sitting.start()
    publisher, person = sitting.publisher, sitting.person
    publisher.say("domain", "add", domain, "--mode", "testing", "--max-age", "2419200", "--rua", f"mailto:tls-reports@{domain}", "--dns", "update:knot",
                  "--leave", "all")
    if not person.finished("testing", 40):
        return
    trial.wait("a sender that saw testing", lambda: sitting.strict.modes == ["testing"], 20)
    publisher.say("plan", domain, "--to", "enforce", "--force", "--why", "in the lab", "--do")
    if not person.finished("enforce", 40):
        return
    trial.wait("a sender that saw enforce", lambda: sitting.strict.modes[-1:] == ["enforce"], 20)
    preview = publisher.plan(domain, "--to", "off", "--by", "expiry")
    trial.has(" ".join(preview["warnings"]), "none")  # over 14 days: the other way is advised
    trial.same("a preview changes nothing", publisher.rows("domain", "show", domain, "--no-look")[0]["mode"], "enforce")
    began = person.now()
    publisher.say("plan", domain, "--to", "off", "--by", "expiry", "--do")
    if not person.finished("removal", 40):
        return
    trial.true(person.now() - began > 2419200, f"it took {(person.now() - began) / DAY:.1f} days, and a policy of 28 days stood")
    gone(trial, publisher, domain)
    sitting.judge()
    trial.same("modes that senders saw", sitting.strict.modes, ["testing", "enforce"])
