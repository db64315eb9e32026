# SPDX-License-Identifier: Apache-2.0
"""Sudden deaths: of the one machine at any moment of a publication, and of one of three that share a database. It goes
on, and nothing half done is to be seen."""

from __future__ import annotations

import contextlib
import http.client
import random
import threading
import time

import database
from publish.case import Trial, case
from publish.publisher import Publisher
from publish.watcher import Watcher


def add(publisher: Publisher, domain: str, *words: str) -> None:
    publisher.say("domain", "add", domain, "--mode", "testing", "--rua", "mailto:tls@killed.test", "--dns", "update:knot", "--leave", "records", *words)
    publisher.say("plan", domain, "--said", "report-way")


def published(trial: Trial, domain: str) -> bool:
    return any(text.startswith("v=STSv1") for text in trial.names.everywhere(f"_mta-sts.{domain}", "TXT")[0])


def goes_on(publisher: Publisher, done: bool) -> bool:
    """What failed is tried again after half a minute and more, which pass here."""
    if not done:
        publisher.pass_days(20 / 86400)
    return done


@case("killed at any moment of a publication it goes on, and nothing half done is to be seen", "killed")
def killed(trial: Trial) -> None:
    world, zone, count = trial.world, "killed.test", 50 if trial.world.full else 12
    world.mail_host(f"mx.{zone}")
    publisher = world.publisher("killed")
    publisher.start()
    dice, watchers = random.Random(7), []
    for number in range(count):
        domain = f"k{number}.{zone}"
        trial.names.put(domain, "MX", f"10 mx.{zone}.")
        watchers.append(Watcher(trial, domain).start())
        watchers[-1].fetchable = False  # the host itself dies here
        add(publisher, domain)
        time.sleep(dice.uniform(0.0, 1.5))
        publisher.kill()
        publisher.start()
        if number % 4 == 3:
            trial.wait(f"{domain} and those before", lambda n=number: goes_on(publisher, all(published(trial, f"k{i}.{zone}") for i in range(n + 1))), 60)
    for number, watcher in enumerate(watchers):
        domain = watcher.domain
        trial.wait(f"the record of {domain}", lambda d=domain: goes_on(publisher, published(trial, d)), 30)
        status, _fields, _body = publisher.fetch(domain, trial.pebble.trust)
        trial.same(f"{domain}: its policy", status, 200)
        trial.same(f"{domain}: records", len(trial.names.everywhere(f"_mta-sts.{domain}", "TXT")[0]), 1)
        watcher.stop()
        trial.same(f"{domain}: seen by who looks all the time", watcher.wrong[:2], [])
        came = [what for what in watcher.came if what != "policy"]
        trial.true(came[:1] == ["tlsrpt"] and came[-1:] == ["record"], f"{domain}: in this order: {watcher.came}")
        shown = publisher.rows("domain", "show", domain, "--no-look", "--limit", "200")[0]
        trial.same(f"{domain}: policies served", len(shown["served"]), 1)
    certificates = [row["name"] for row in publisher.rows("certificate", "list")]
    trial.same("certificates", sorted(certificates), sorted(f"mta-sts.k{n}.{zone}" for n in range(count)))


class Machines:
    """Three on one database; the name of the policy host has the addresses of all."""

    def __init__(self, trial: Trial, zone: str):
        world = trial.world
        self.cluster = database.Cluster("publishing", 5440)
        world.at_end(self.cluster.stop)
        key = world.folder / "shared.key"
        addresses = [world.address() for _ in range(3)]
        self.pool = f"pool.{zone}"
        trial.names.put(self.pool, "A", *addresses)
        listed = ", ".join(f'"{a}"' for a in addresses)
        self.all = [world.publisher(f"machine{n}", address=address, store=self.cluster.address(), key_file=key,
                                    publish=f"addresses = [{listed}]", more=f'[resolve]\nmachine-name = "machine{n}"') for n, address in enumerate(addresses)]
        for machine in self.all:
            machine.text = machine.text.replace(f'policy-host = "{machine.address}"', f'policy-host = "{self.pool}"')
            machine.start()
        self.turn = threading.Lock()
        self.trial = trial

    def replace(self, number: int, pause: float) -> None:
        """One dies at once and comes again after a while."""
        self.all[number].kill()
        time.sleep(pause)
        with self.turn:
            self.all[number].start()

    def pass_seconds(self, span: float) -> None:
        """At all of them; who is dead just now hears of it when it starts."""
        with self.turn:
            for machine in self.all:
                machine.ahead += int(span)
                with contextlib.suppress(OSError, http.client.HTTPException):
                    machine.pass_time(machine.ahead)

    def until(self, what: str, done, limit: float = 60.0) -> bool:
        """What failed since a machine died is tried again after half a minute and more, which pass here."""
        def goes_on() -> bool:
            if done():
                return True
            self.pass_seconds(10)
            time.sleep(0.4)
            return False
        return self.trial.wait(what, goes_on, limit)


@case("three machines on one database, one killed at random: each answers, and each thing is done once", "machines")
def machines(trial: Trial) -> None:
    world, zone, count = trial.world, "nodes.test", 30 if trial.world.full else 8
    world.mail_host(f"mx.{zone}")
    three = Machines(trial, zone)
    dice, ending = random.Random(11), threading.Event()
    victims: list[int] = []
    domains = [f"n{number}.{zone}" for number in range(count)]
    for domain in domains:
        trial.names.put(domain, "MX", f"10 mx.{zone}.")
    table = world.folder / "nodes.csv"
    table.write_text("domain,mode,rua,dns,leave\n" + "".join(f"{d},testing,mailto:tls@{zone},update:knot,records\n" for d in domains))
    first = three.all[0]
    first.say("domain", "add", "--csv", str(table))
    for domain in domains:
        first.say("plan", domain, "--said", "report-way")

    def reaper() -> None:
        while not ending.wait(dice.uniform(0.6, 1.6)) and len(victims) < (30 if world.full else 6):
            victim = dice.randrange(3)
            victims.append(victim)
            three.replace(victim, dice.uniform(0.2, 0.8))
    thread = threading.Thread(target=reaper)
    thread.start()
    try:
        for domain in domains:
            three.until(f"the record of {domain}", lambda d=domain: published(trial, d), 90)
    finally:
        ending.set()
        thread.join()
    trial.true(len(victims) > 0, "nobody was killed")
    for domain in domains:
        bodies = {machine.fetch(domain, trial.pebble.trust)[2] for machine in three.all}
        trial.same(f"{domain}: bodies at the three", len(bodies), 1)
        trial.same(f"{domain}: certificates at the three", len({machine.certificate(domain) for machine in three.all}), 1)
        shown = first.rows("domain", "show", domain, "--no-look", "--limit", "200")[0]
        trial.same(f"{domain}: policies served", len(shown["served"]), 1)
        trial.same(f"{domain}: records", len(trial.names.everywhere(f"_mta-sts.{domain}", "TXT")[0]), 1)
    # With all three up: a new domain's certificate is at each within a second of the first.
    domain = f"last.{zone}"
    trial.names.put(domain, "MX", f"10 mx.{zone}.")
    add(first, domain)
    seen: dict[int, float] = {}
    begun = passed = time.monotonic()
    while len(seen) < 3 and time.monotonic() < begun + 60:
        if not seen and time.monotonic() > passed + 0.5:  # what is tried again is so after policy time
            three.pass_seconds(10)
            passed = time.monotonic()
        for number, machine in enumerate(three.all):
            if number not in seen and machine.certificate(domain) is not None:
                seen[number] = time.monotonic()
        time.sleep(0.02)
    trial.same("machines with the new certificate", sorted(seen), [0, 1, 2])
    if len(seen) == 3:
        trial.true(max(seen.values()) - min(seen.values()) < 1.2, f"the certificate took {max(seen.values()) - min(seen.values()):.2f} s to all")
    three.until(f"the record of {domain}", lambda: published(trial, domain), 40)
