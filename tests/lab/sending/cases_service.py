# SPDX-License-Identifier: Apache-2.0
"""The policy service under its mail servers: policy hosts that hang, changes, kills, reloads, a shared database."""

from __future__ import annotations

import threading
import time

import database
from sending.case import Trial, case
from sending.daemon import Client
from sending.far import HANGS
from sending.places import ARRIVE, SENDERS, domain

BUDGET = 5.0  # seconds that an answer may take (A11)
KNOWN = [domain(place.kind, sender) for place in ARRIVE for sender in SENDERS]


@case("a policy host that hangs holds up no mail", "hangs", proves=["8461-3.3-m", "8461-3.3-o", "A11"])
def hangs(trial: Trial) -> None:
    answers: dict[str, tuple[str, float]] = {}

    def ask(name: str) -> None:
        began = time.monotonic()
        answers[name] = trial.daemon.ask(name), time.monotonic() - began
    names = [f"hang-{stage}.others.test" for stage in HANGS] + ["slow.others.test"]
    threads = [threading.Thread(target=ask, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name in names:
        trial.same(f"{name}: the answer", answers.get(name, ("", 0))[0], "NOTFOUND ")
        trial.true(answers[name][1] < BUDGET + 1.0, f"{name}: the answer took {answers[name][1]:.1f} s")
    began = time.monotonic()
    trial.same("the next answer", trial.daemon.ask(names[0]), "NOTFOUND ")
    trial.true(time.monotonic() - began < BUDGET + 1.0, "the next answer took longer")
    # The one that is only slow: its policy comes while nobody waits, and then holds.
    trial.wait("the slow policy", lambda: trial.daemon.ask("slow.others.test").startswith(("OK ", "TEMP ")), 20)


@case("Postfix: mail goes on while a policy host hangs", "hangs", proves=["8461-3.3-o"])
def mail_while_it_hangs(trial: Trial) -> None:
    trial.world.ensure_postfix()
    to = "somebody@patient.others.test"
    trial.world.postfix.send(to)
    began = time.monotonic()
    trial.wait("the mail", lambda: trial.far.mails(to), 30)
    trial.true(time.monotonic() - began < 2 * BUDGET + 4, f"it took {time.monotonic() - began:.1f} s")


@case("a new id brings the new policy, without a restart", "service",
      proves=["8461-3-b", "8461-3.1-f", "8461-5.1-a", "8461-3.3-j"])
def new_id(trial: Trial) -> None:
    name, far, ask = "moving.others.test", trial.far, lambda: trial.daemon.ask("moving.others.test", "QUERY")
    trial.same("the first answer", ask(), f"OK secure match=mx.{name} servername=hostname")
    for _ in range(4):  # the record is looked at again and again, and says the same
        ask()
        time.sleep(0.5)
    trial.same("fetches while the id is the same", far.fetches(name), 1)
    far.publish(name, [f"mx.{name}"], mode="testing")
    # The record is looked at once a minute at most, while somebody asks.
    trial.wait("what the new policy says", lambda: ask() == "NOTFOUND ", 80)
    trial.same("fetches", far.fetches(name), 2)


@case("reloaded while it is asked, no connection is dropped", "service")
def reload(trial: Trial) -> None:
    daemon = trial.world.another()
    daemon.start()
    clients = [Client(daemon.socket) for _ in range(8)]
    first = [client.ask(KNOWN[0]) for client in clients]
    trial.true(first[0].startswith("OK secure"), first[0])
    for number in range(30):
        if number % 10 == 5:
            daemon.text = daemon.text.replace('mta-dane = "yes"', f'mta-dane = "yes"\nprefetch = ["{KNOWN[number]}"]', 1) \
                if number == 5 else daemon.text
            daemon.config.write_text(daemon.text)
            daemon.hang_up()
        trial.same("the answers", [client.ask(KNOWN[0]) for client in clients], first)
        time.sleep(0.03)
    fresh = Client(daemon.socket)
    trial.same("a new connection", fresh.ask(KNOWN[0]), first[0])
    trial.same("it lives", daemon.process.poll() if daemon.process else 0, None)
    for client in [*clients, fresh]:
        client.close()
    daemon.stop()


@case("killed under load, it answers from its store within a second", "service", proves=["8461-3.3-p"])
def killed(trial: Trial) -> None:
    daemon = trial.world.another()
    daemon.start()
    before = {name: daemon.ask(name, "QUERY") for name in KNOWN}
    trial.true(sum(answer.startswith("OK secure") for answer in before.values()) >= 12, f"few policies: {before}")
    fetched = sum(trial.far.fetches(name) for name in KNOWN)
    asked, stop = [0], threading.Event()

    def load() -> None:
        while not stop.is_set():
            try:
                client = Client(daemon.socket, 5)
                while not stop.is_set():
                    client.send(*(f"QUERY {name}" for name in KNOWN[:8]))
                    for _ in range(8):
                        client.read()
                        asked[0] += 1
            except OSError:
                time.sleep(0.01)
    threads = [threading.Thread(target=load, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        time.sleep(0.4)
        daemon.kill()
        seconds = daemon.start()
        trial.true(seconds < 1.0, f"it answered after {seconds:.2f} s")
        after = {name: daemon.ask(name, "QUERY") for name in KNOWN}
        trial.same("the answers", after, before)
    stop.set()
    for thread in threads:
        thread.join()
    trial.true(asked[0] > 200, f"there was no load: {asked[0]} answers")
    trial.same("fetches after the kills", sum(trial.far.fetches(name) for name in KNOWN), fetched)
    daemon.stop()


@case("two machines on one database fetch once, and go on without it", "shared")
def shared(trial: Trial) -> None:
    cluster = database.Cluster("sending-postgres", 5434)
    away = False
    try:
        one = trial.world.another(store=cluster.address(), more='machine-name = "one"')
        two = trial.world.another(store=cluster.address(), more='machine-name = "two"')
        one.start()
        two.start()
        name = "shared.others.test"
        answer = one.ask(name)
        trial.true(answer.startswith("OK secure"), answer)
        time.sleep(1.5)
        trial.same("the other's answer", two.ask(name), answer)
        trial.same("fetches of both", trial.far.fetches(name), 1)
        cluster.stop()
        away = True
        for daemon in (one, two):
            trial.same("with the database away", daemon.ask(name), answer)
            other = daemon.ask("load.others.test")
            trial.true(other.startswith("OK secure"), f"a new domain with the database away: {other}")
        cluster.start()
        away = False
        trial.wait("both go on", lambda: all(d.ask(name) == answer for d in (one, two)), 20)
        for daemon in (one, two):
            trial.same("it ends as it should", daemon.stop(), 0)
    finally:
        if not away:
            cluster.stop()


@case("postmap gets what each dialect says", "service")
def dialects(trial: Trial) -> None:
    trial.world.ensure_postfix()
    postfix, name = trial.world.postfix, domain("wildcard", "postfix")
    plain = f"secure match=mx.{name} servername=hostname"
    loose = f"secure match=.{name} servername=hostname"
    table = f"socketmap:unix:{postfix.policy_socket}:"
    for key in (name, name.upper(), name + "."):
        trial.same(f"postfix {key}", postfix.ask(table + "postfix", key), plain)
    trial.same("postfix-legacy", postfix.ask(table + "postfix-legacy", name), f"secure match=mx.{name}")
    trial.same("QUERY", postfix.ask(table + "QUERY", name), loose)
    trial.same("sts", postfix.ask(table + "sts", name), loose)
    for known in ("postfix-3.10", "QUERYwithTLSRPT"):
        said = postfix.ask(table + known, name)
        trial.has(said, "policy_type=sts", f"policy_domain={name}", f"mx_host_pattern=*.{name}", "{ policy_string = version: STSv1 }")
        trial.true("policy_ttl" not in said, f"{known}: {said}")
    trial.same("tcp_table", postfix.ask(f"tcp:127.0.0.1:{trial.daemon.tcp_port}", name), plain)
    for nothing in ("[127.0.0.1]", "localhost", f".{name}", domain("testing", "postfix"), "nowhere.others.test"):
        trial.same(f"nothing for {nothing}", postfix.ask(table + "postfix", nothing), "")
