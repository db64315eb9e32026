# SPDX-License-Identifier: Apache-2.0
"""A domain from nothing to enforce, its mail servers moved, and out again, in one sitting: years of policy time, and real
time for all that a peer judges. Senders of both kinds send all along; what they could not deliver is the judgement."""

from __future__ import annotations


from publish.case import Trial, case
from publish.person import Person
from publish.publisher import Publisher
from publish.senders import Conforming, Strict, receiving
from publish.watcher import Watcher
from sending import net

DAY = 86400


def reporting(domain: str, address: str) -> str:
    """Sections for a daemon that gets its reports from a mail server beside it."""
    return f"""[reports]
domains = ["{domain}"]
mailboxes = ["tls-reports@{domain}"]
[lmtp]
listen = ["{address}:24"]
"""


class Sitting:
    """A domain with one mail server, who looks after it, and who judges."""

    def __init__(self, trial: Trial, domain: str, number: int, *, conforming: bool = True, **publisher):
        self.trial, self.domain, world = trial, domain, trial.world
        self.number = number
        address = world.address()
        self.mx1 = self._mail_server("mx1", 2 * number)
        world.names.put(domain, "MX", f"10 mx1.{domain}.")
        self.publisher: Publisher = world.publisher(domain.split(".")[0], address=address, more=reporting(domain, address), **publisher)
        self.publisher.start()
        self.person = Person(trial, self.publisher, domain, {"add-mx": self._add, "remove-mx": self._remove})
        self.strict = Strict(domain, world.names, world.pebble.trust, self.person.now, self.person.turn)
        self.conforming = None
        if conforming:
            source = f"10.64.1.{20 + number}"
            net.command(*net.inside("out", "ip", "addr", "add", f"{source}/24", "dev", "wire0"))
            self.conforming = Conforming(world.binary, world.build, world.folder / f"sender-{number}", domain, world.pebble.trust,
                                         f"to-{domain.split('.')[0]}", source)
            self.person.moved.append(self.conforming.service)
        self.watcher = Watcher(trial, domain)

    def _mail_server(self, label: str, number: int):
        world, name = self.trial.world, f"{label}.{self.domain}"
        made = receiving(name, self.domain, f"10.64.26.{200 + number}", world.authority.leaf("good", [name]), world.authority.key_file)
        world.at_end(made.stop)
        world.names.put(name, "A", made.address)
        return made

    def start(self) -> "Sitting":
        self.strict.start()
        self.watcher.start()
        if self.conforming:
            self.conforming.start()
            self.trial.world.at_end(self.conforming.stop)
        return self

    # --- the person moves the mail servers as the plan says

    def _mx(self) -> list[str]:
        return self.trial.names.everywhere(self.domain, "MX")[0]

    def _add(self, step: dict) -> None:
        self.trial.names.put_and_wait(self.domain, "MX", *(f"{row}." for row in self._mx()), f"20 {step['host']}.")

    def _remove(self, step: dict) -> None:
        self.trial.names.put_and_wait(self.domain, "MX", *(f"{row}." for row in self._mx() if not row.endswith(" " + step["host"])))

    def judge(self, enforced: bool = True) -> None:
        """Everybody stops; what they could not deliver."""
        trial = self.trial
        self.watcher.stop()
        self.strict.stop()
        trial.same(f"{self.domain}: deferred by senders that ignore ids", self.strict.deferred[:3], [])
        trial.true(not enforced or self.strict.enforced > 20, f"{self.domain}: only {self.strict.enforced} mails under an enforced policy")
        trial.same(f"{self.domain}: seen by who looks all the time", self.watcher.wrong[:3], [])
        if self.conforming:
            refused, waiting = self.conforming.end()
            trial.same(f"{self.domain}: refused for good", refused, [])
            trial.same(f"{self.domain}: still in the queue of the conforming sender", waiting, [])
            trial.true(len(self.conforming.sent) > 5, f"{self.domain}: only {len(self.conforming.sent)} mails were sent")
            trial.true(set(self.conforming.sent) <= self.conforming.delivered(), f"not delivered: {set(self.conforming.sent) - self.conforming.delivered()}")


def first_publication(sitting: Sitting, *words: str) -> None:
    trial, person, publisher, domain = sitting.trial, sitting.person, sitting.publisher, sitting.domain
    publisher.say("domain", "add", domain, "--mode", "testing", "--rua", f"mailto:tls-reports@{domain}", *words)
    trial.same("the first step", person.plan()["steps"][0]["kind"], "report-way")
    if not person.finished("testing", 40):
        raise RuntimeError("the first publication does not end")
    came = sitting.watcher.came
    trial.wait("the watcher to have seen all", lambda: "record" in came and "policy" in came, 5)
    trial.true(came[:1] == ["tlsrpt"] and came[-1:] == ["record"], f"in this order: {came}")
    status, fields, body = publisher.fetch(domain, trial.pebble.trust)
    trial.same("the policy", (status, fields.get("content-type", "").split(";")[0]), (200, "text/plain"))
    trial.same("its text", body.decode(), f"version: STSv1\r\nmode: testing\r\nmx: mx1.{domain}\r\nmax_age: 604800\r\n")
    trial.wait("the record in every cache", lambda: trial.names.look_up(f"_mta-sts.{domain}", "TXT"), 5)
    record = trial.names.look_up(f"_mta-sts.{domain}", "TXT")
    trial.same("records at every server", trial.names.everywhere(f"_mta-sts.{domain}", "TXT"), [record, record])


def to_enforce(sitting: Sitting) -> None:
    trial, person, publisher, domain = sitting.trial, sitting.person, sitting.publisher, sitting.domain
    before = trial.names.look_up(f"_mta-sts.{domain}", "TXT")
    publisher.say("domain", "set", domain, "--mode", "enforce", "--leave", "all")
    trial.same("enforce without evidence", [s["kind"] for s in person.plan()["steps"] if s["kind"] == "evidence" and s["state"] != "done"], ["evidence"])
    served: list[int] = []

    def climbed(plan: dict) -> bool:
        body = publisher.fetch(domain, trial.pebble.trust)[2].decode()
        if "mode: enforce" in body and (age := int(body.split("max_age:")[1])) not in served:
            served.append(age)
        return plan["finished"]
    if not person.until("enforce", climbed, 90):
        raise RuntimeError("enforce is not reached")
    trial.same("max_age, rung by rung", served, [86400, 604800, 1209600])
    trial.true("evidence" in person.asked, "nobody asked for reports")
    trial.true(trial.names.look_up(f"_mta-sts.{domain}", "TXT") != before, "the id is as it was in testing")


def move(sitting: Sitting) -> None:
    """A new mail server comes, the old one goes."""
    trial, person, publisher, domain = sitting.trial, sitting.person, sitting.publisher, sitting.domain
    sitting._mail_server("mx2", 2 * sitting.number + 1)
    new, old = f"mx2.{domain}", f"mx1.{domain}"
    publisher.say("plan", domain, "--add-mx", new, "--remove-mx", old, "--do")
    began = person.now()
    if not person.until("the move", lambda plan: plan["finished"] and sitting._mx() == [f"20 {new}"], 60):
        raise RuntimeError("the move does not end")
    trial.same("what the person did", [kind for kind in person.asked if kind.endswith("-mx")], ["add-mx", "remove-mx"])
    trial.true(person.now() - began > 14 * DAY, f"it took {(person.now() - began) / DAY:.1f} days, and a policy of 14 days stood")
    trial.same("the policy in the end", publisher.fetch(domain, trial.pebble.trust)[2].decode().split("\r\n")[2:-2], [f"mx: {new}"])


def out_again(sitting: Sitting, *words: str) -> None:
    trial, person, publisher, domain = sitting.trial, sitting.person, sitting.publisher, sitting.domain
    publisher.say("plan", domain, "--to", "off", *words, "--do")
    began = person.now()
    if not person.finished("removal", 60):
        raise RuntimeError("the removal does not end")
    trial.true(person.now() - began > 14 * DAY, f"it took {(person.now() - began) / DAY:.1f} days, and a policy of 14 days stood")
    gone(trial, publisher, domain)


def gone(trial: Trial, publisher: Publisher, domain: str) -> None:
    """Nothing is left behind."""
    left = {key: rows for key, rows in trial.names.all_names(domain).items() if key[0].startswith(("_mta-sts.", "mta-sts."))}
    trial.same("records left behind", left, {})
    trial.wait("the handshake to be refused", lambda: publisher.certificate(domain) is None, 5)
    trial.same("certificates kept", [c for c in publisher.rows("certificate", "list") if c.get("name") == f"mta-sts.{domain}"], [])


@case("from nothing to enforce, the mail servers moved, and out again (Knot)", "rise",
      proves=["8461-8.3-a", "8461-2-a"])
def rise_knot(trial: Trial) -> None:
    sitting = Sitting(trial, "rise.test", 0).start()
    first_publication(sitting, "--dns", "update:knot", "--leave", "records")
    to_enforce(sitting)
    move(sitting)
    out_again(sitting, "--by", "none")
    sitting.judge()
    trial.same("modes that senders saw", sitting.strict.modes, ["testing", "enforce", "none"])


@case("the same with BIND", "rise-bind")
def rise_bind(trial: Trial) -> None:
    sitting = Sitting(trial, "bound.test", 1, conforming=False).start()
    first_publication(sitting, "--dns", "update:bind", "--leave", "all")
    to_enforce(sitting)
    if trial.world.full:
        move(sitting)
    out_again(sitting, "--by", "expiry")
    sitting.judge()
    trial.same("modes that senders saw", sitting.strict.modes, ["testing", "enforce"])
