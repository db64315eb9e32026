# SPDX-License-Identifier: Apache-2.0
"""`protect` as a person types at it, on a terminal; and what `dns push` says where the server, the key or the zone is in
the way."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import time

from publish.case import Trial, case
from publish.publisher import Publisher
from sending import net

PROMPT = re.compile(r"\[[^\]\n]*\] ?$")


class Terminal:
    """A command on a pseudo terminal; `answers`: what is in a question -> what is typed (else Enter)."""

    def __init__(self, publisher: Publisher, *words: str, answers: dict[str, str]):
        self.said, self.asked, self.answers = "", [], answers
        pid, self.handle = pty.fork()
        if pid == 0:
            line = net.inside("far", str(publisher.binary), *words, "--config", str(publisher.config))
            os.execvp(line[0], line)
        self.pid = pid

    def run(self, limit: float = 90.0) -> int | None:
        """Until it ends: its status."""
        end, mark = time.monotonic() + limit, 0
        while time.monotonic() < end:
            if not select.select([self.handle], [], [], 0.3)[0]:
                question = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.said[mark:]).rstrip("\r")
                if PROMPT.search(question):
                    last = question.strip().splitlines()[-1]
                    self.asked.append(last)
                    mark = len(self.said)
                    typed = next((answer for part, answer in self.answers.items() if part in last), "")
                    os.write(self.handle, typed.encode() + b"\n")
                continue
            try:
                part = os.read(self.handle, 65536)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            self.said += part.decode("utf-8", "replace")
        else:
            os.kill(self.pid, signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        os.close(self.handle)
        return os.waitstatus_to_exitcode(status)


@case("protect on a terminal, from nothing to the date to come back; --print changes nothing", "guided")
def guided(trial: Trial) -> None:
    domain, names, world = "guided.test", trial.names, trial.world
    world.mail_host(f"mx1.{domain}")
    names.put(domain, "MX", f"10 mx1.{domain}.")
    publisher = world.publisher("guide")
    publisher.start()
    before = names.all_names(domain)
    printed = publisher.command("protect", domain, "--print")
    trial.same("--print: its status", printed.returncode, 0)
    trial.has(printed.stdout, "_mta-sts", domain)
    trial.same("--print: what changed in DNS", names.all_names(domain), before)
    trial.same("--print: domains looked after", publisher.rows("domain", "list"), [])
    # Left at the first question, then taken up again.
    left = Terminal(publisher, "protect", domain, answers={"Which?": "q"})
    trial.same("left at once: its status", left.run(), 0)
    trial.same("left at once: domains looked after", publisher.rows("domain", "list"), [])
    first = Terminal(publisher, "protect", domain, answers={"mailbox or endpoint": "q"})
    trial.same("left in between: its status", first.run(), 0)
    trial.same("left in between: domains looked after", [row["domain"] for row in publisher.rows("domain", "list")], [domain])
    # With a daemon beside it: what was not said yes to is not done.
    asked = Terminal(publisher, "protect", domain, answers={"mailbox or endpoint": "y", "Do this now?": "q"})
    trial.same("left at the first step: its status", asked.run(), 0)
    time.sleep(3)
    trial.same("left at the first step: what changed in DNS", names.all_names(domain), before)
    again = Terminal(publisher, "protect", domain, answers={})
    trial.same("to the end: its status", again.run(), 0)
    trial.true(not any("Which?" in question for question in again.asked), f"asked anew: {again.asked}")
    trial.true(re.search(r"ome back|Not before", again.said) is not None, f"no date to come back: {again.said[-900:]}")
    trial.has(again.said, "_mta-sts")
    if not trial.wait("one record for resolvers", lambda: [text[:8] for text in names.look_up(f"_mta-sts.{domain}", "TXT")] == ["v=STSv1;"], 10):
        trial.differences[-1] += f"; said: {again.said[-900:]}"
    trial.has(publisher.fetch(domain, trial.pebble.trust)[2].decode(), "mode: testing", f"mx: mx1.{domain}")
    trial.same("left to the daemon in the end", publisher.rows("domain", "show", domain, "--no-look")[0]["leave"], "records")


def push(publisher: Publisher, domain: str, *words: str) -> dict:
    done = publisher.command("dns", "push", domain, "--json", *words)
    return {**(json.loads(done.stdout) if done.stdout.strip() else {}), "status": done.returncode, "stderr": done.stderr}


def pushes(trial: Trial, kind: str, domain: str) -> None:
    names, world = trial.names, trial.world
    world.mail_host(f"mx1.{domain}")
    names.put(domain, "MX", f"10 mx1.{domain}.")
    names.put(f"_smtp._tls.{domain}", "TXT", '"words of somebody else"')
    publisher = world.publisher(f"push-{kind}", publish='leave = "nothing"')
    publisher.config.write_text(publisher.text)  # no daemon is needed for that
    publisher.say("domain", "add", domain, "--dns", f"update:{kind}", "--rua", f"mailto:tls@{domain}", "--leave", "nothing")
    publisher.say("plan", domain, "--said", "report-way")
    # With a key that the server does not know, and with no server there: nothing happens, and it is said why.
    before = names.all_names(domain)
    key = next(publisher.folder.glob("update.key"))
    right = key.read_text()
    key.write_text(right.replace(names.secret, "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="))
    wrong = push(publisher, domain)
    trial.same("with the wrong key", (wrong["status"], wrong.get("fate")), (3, "refused"))
    trial.has(wrong.get("words", "") + wrong["stderr"], "key")
    trial.same("what the wrong key wrote", names.all_names(domain), before)
    key.write_text(right)
    # Dry: nothing. In earnest: the record, beside the foreign one.
    trial.same("a dry run", push(publisher, domain, "--dry-run")["status"], 0)
    trial.same("what a dry run wrote", names.all_names(domain), before)
    done = push(publisher, domain)
    trial.same("a push", (done["status"], done.get("fate")), (0, "done"))
    texts = names.ask(f"10.64.53.{1 if kind == 'knot' else 4}", f"_smtp._tls.{domain}", "TXT")
    trial.same("TLSRPT beside what was there", texts, sorted([f"v=TLSRPTv1; rua=mailto:tls@{domain}", "words of somebody else"]))
    # A record of the same kind that is not ours is in the way.
    other = f"other.{domain}"
    names.put(other, "MX", f"10 mx1.{domain}.")
    names.put_and_wait(f"_mta-sts.{other}", "TXT", '"v=STSv1; id=theirs"')
    publisher.say("domain", "add", other, "--dns", f"update:{kind}", "--rua", f"mailto:tls@{domain}", "--leave", "nothing")
    publisher.say("plan", other, "--said", "report-way")
    push(publisher, other)
    trial.same("what was theirs", names.everywhere(f"_mta-sts.{other}", "TXT")[0], ["v=STSv1; id=theirs"])


@case("dns push to Knot: key, foreign records, dry run", "push-knot")
def push_knot(trial: Trial) -> None:
    pushes(trial, "knot", "updates.test")


@case("dns push to BIND: key, foreign records, dry run", "push-bind")
def push_bind(trial: Trial) -> None:
    pushes(trial, "bind", "bupdates.test")
