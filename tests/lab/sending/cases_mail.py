# SPDX-License-Identifier: Apache-2.0
"""A real Postfix, Sendmail and Exim send mail: what is right arrives, what is wrong waits with the reason and goes out
at the next try after the domain was repaired."""

from __future__ import annotations

from sending import places
from sending.case import FIRST, Trial, case
from sending.places import domain

# What each says of a mail that waits.
REASONS = {
    "postfix": {"wrong-name": "not verified", "expired": "not verified", "self-signed": "not verified",
                "plain": "TLS is required, but was not offered", "outside": "TLS", "dane-wrong": "not verified"},
    "sendmail": {"wrong-name": "not listed in SANs", "expired": "authentication failed", "self-signed": "authentication failed",
                 "plain": "does not support STARTTLS", "outside": "not found in"},
    "exim": {"wrong-name": "certificate verification failed", "expired": "certificate verification failed",
             "self-signed": "certificate verification failed", "plain": "did not offer TLS support",
             "outside": "not admitted by the MTA-STS policy", "dane-wrong": "DANE"},
}
# The host that takes the mail, where it is not the only one.
TAKEN_BY = {"second": "mx2", "outsider": "mx2", "half-dead": "mx2"}


def to(kind: str, sender: str) -> str:
    return f"{kind}@{domain(kind, sender)}"


def arrives(trial: Trial, name: str, kinds: list[places.Place]) -> None:
    trial.world.ensure_postfix()
    server = getattr(trial.world, name)
    server.send(*(to(p.kind, name) for p in kinds))
    for place in kinds:
        recipient = to(place.kind, name)
        if not trial.wait(f"{recipient} ({place.why})", lambda r=recipient: trial.far.mails(r), 20):
            trial.differences[-1] += f"; the queue says: {server.queue().get(recipient)!r}"
            continue
        mails = trial.far.mails(recipient)
        trial.same(f"{recipient}: copies", len(mails), 1)
        host = f"{TAKEN_BY.get(place.kind, place.hosts[0].label)}.{domain(place.kind, name)}".lstrip(".")
        if place.kind == "half-dead":
            host = f"mx2.{domain(place.kind, name)}"
        trial.same(f"{recipient}: taken by", mails[0].host, host)
        if place.kind == "second":
            first = trial.far.hosts[f"mx1.{domain(place.kind, name)}"]
            trial.true(bool(first.lines), f"{recipient}: the host that comes first was passed over")
        if place.mode == "enforce" and not place.signed:
            trial.same(f"{recipient}: under TLS, asking for", (mails[0].tls, mails[0].server_name), (True, host))
    trial.same("returned to their sender", server.bounced(), [])


def waits(trial: Trial, name: str, kinds: list[places.Place]) -> None:
    trial.world.ensure_postfix()
    server = getattr(trial.world, name)
    server.send(*(to(p.kind, name) for p in kinds))
    for place in kinds:
        recipient, reason = to(place.kind, name), REASONS[name][place.kind]
        if not trial.wait(f"{recipient}: {reason!r}", lambda r=recipient, w=reason: w in server.queue().get(r, ""), 20):
            trial.differences[-1] += f"; the queue says: {server.queue().get(recipient)!r}"
        trial.same(f"{recipient}: delivered ({place.why})", trial.far.mails(recipient), [])
    trial.same("returned to their sender", server.bounced(), [])


def repairs(trial: Trial, name: str) -> None:
    """Each administrator mends the fault; somebody tells the policy service of the one that changed its policy."""
    far, server = trial.far, getattr(trial.world, name)
    for place in places.WAIT:
        far.repair(f"mx.{domain(place.kind, name)}")
    outside = domain("outside", name)
    far.publish(outside, [f"mx.{outside}"])
    trial.same("the look at it showed a change", trial.daemon.refresh(outside).get("changed"), True)
    for place in places.WAIT:
        recipient = to(place.kind, name)
        if not trial.wait(f"{recipient} after its repair", lambda r=recipient: far.mails(r) or server.retry(), 20):
            trial.differences[-1] += f"; the queue says: {server.queue().get(recipient)!r}"
        trial.true(all(mail.tls for mail in far.mails(recipient)), f"{recipient} came in clear")
    trial.wait("an empty queue", lambda: not {to(p.kind, name) for p in places.WAIT} & server.queue().keys(), 10)
    trial.same("returned to their sender", server.bounced(), [])


@case("Postfix: the lines that doctor prints are all it needs", FIRST)
def postfix_lines(trial: Trial) -> None:
    # As Debian sets it up, and nothing else; then the lines of doctor, and nothing else.
    postfix = trial.world.postfix
    postfix.prepare(lines=["smtp_tls_security_level = may"])
    postfix.start()
    postfix.send(f"before@{domain('right', 'postfix')}")
    trial.wait("mail without the service", lambda: trial.far.mails(f"before@{domain('right', 'postfix')}"), 20)
    trial.true("Verified TLS connection" not in postfix.said(), "it verifies without being told to")
    lines = postfix.lines_of_doctor(trial.daemon)
    trial.same("the lines", sorted(lines), sorted(postfix.lines))
    postfix.prepare(lines=lines or postfix.lines)  # in place of what begins so
    postfix.reload()
    postfix.send(f"after@{domain('right', 'postfix')}")
    trial.wait("mail with the service", lambda: trial.far.mails(f"after@{domain('right', 'postfix')}"), 20)
    trial.wait("Verified TLS connection",
               lambda: f"Verified TLS connection established to mx.{domain('right', 'postfix')}" in postfix.said(), 5)
    trial.same("the lines once they stand there", postfix.lines_of_doctor(trial.daemon), [])


@case("Postfix: what is as its policy wants it arrives", "postfix",
      proves=["G0-8", "G1-6", "G3-7", "8461-5.1-b", "8461-5-b", "8461-5-c", "8461-4-a", "8461-4.1-b", "8461-7.1-c", "8461-8.4-a", "7672-2.1.2-b"])
def postfix_arrives(trial: Trial) -> None:
    arrives(trial, "postfix", places.ARRIVE)
    said = trial.world.postfix.said()
    for place in places.ARRIVE:
        if place.mode == "enforce":
            host = f"{TAKEN_BY.get(place.kind, 'mx')}.{domain(place.kind, 'postfix')}"
            trial.true(f"Verified TLS connection established to {host}" in said, f"no verified connection to {host}")


@case("Postfix: what is wrong waits, and goes out once it is mended", "postfix",
      proves=["8461-5-a", "8461-5-d", "8461-5-e", "8461-5.1-c", "8461-5.1-d", "8461-4.1-a"])
def postfix_waits(trial: Trial) -> None:
    waits(trial, "postfix", places.WAIT)
    reason = f"MTA-STS policy of {domain('outside', 'postfix')} is enforced and admits none of its MX hosts"
    trial.true(reason in trial.world.postfix.said(), "the log does not say why no host was tried")
    repairs(trial, "postfix")


@case("Postfix: DANE decides where there is DANE", "postfix", proves=["8461-2-a", "7672-3.2-a", "7672-8.1-a"])
def postfix_dane(trial: Trial) -> None:
    waits(trial, "postfix", [places.DANE_WAITS])
    arrives(trial, "postfix", [places.DANE_ARRIVES])


@case("Postfix: a smart host has the policy of its own name", "postfix", proves=["8461-3.4-a"])
def postfix_smart_host(trial: Trial) -> None:
    trial.world.ensure_postfix()
    postfix, good, bad = trial.world.postfix, domain("smart", "postfix"), domain("smart-bad", "postfix")
    postfix.route({"by-smart.test": f"[{good}]", "by-bad.test": f"[{bad}]:25"})
    postfix.send("somebody@by-smart.test", "somebody@by-bad.test")
    trial.wait("mail by the smart host", lambda: trial.far.mails("somebody@by-smart.test"), 20)
    trial.wait("Verified TLS connection", lambda: f"Verified TLS connection established to {good}" in postfix.said(), 5)
    trial.wait("the other waits", lambda: "not verified" in postfix.queue().get("somebody@by-bad.test", ""), 20)
    trial.same("mail by the wrong one", trial.far.mails("somebody@by-bad.test"), [])


@case("Postfix: a domain does not have its parent's policy", "postfix", proves=["8461-3.4-c"])
def postfix_parent(trial: Trial) -> None:
    child, parent = domain("lone.child", "postfix"), domain("child", "postfix")
    trial.has(trial.daemon.ask(parent), "TEMP ", parent)  # the parent's policy admits none of its hosts
    trial.same("the child", trial.daemon.ask(child), "NOTFOUND ")
    trial.same("what Postfix asks next", trial.daemon.ask(f".{parent}"), "NOTFOUND ")
    arrives(trial, "postfix", [places.ODD[0]])


@case("Sendmail: what is as its policy wants it arrives", "sendmail",
      proves=["8461-5.1-b", "8461-5-b", "8461-5-c", "8461-4-a", "8461-7.1-a", "8461-7.1-c"])
def sendmail_arrives(trial: Trial) -> None:
    arrives(trial, "sendmail", places.ARRIVE)
    name = domain("right", "sendmail")
    trial.has(trial.world.sendmail.map_lookup(name), f"secure match=mx.{name} servername=hostname (0)")


@case("Sendmail: what is wrong waits, and goes out once it is mended", "sendmail", proves=["8461-5-a", "8461-5-d", "8461-5-e"])
def sendmail_waits(trial: Trial) -> None:
    waits(trial, "sendmail", places.WAIT)
    repairs(trial, "sendmail")


@case("Exim: what is as its policy wants it arrives", "exim",
      proves=["8461-5.1-b", "8461-5-b", "8461-5-c", "8461-4-a", "8461-7.1-a", "8461-7.1-c"])
def exim_arrives(trial: Trial) -> None:
    arrives(trial, "exim", places.ARRIVE)
    name = domain("right", "exim")
    asked = trial.world.exim.expand(f"${{readsocket{{{trial.daemon.lines}}}{{MX {name} mx.{name}\\n}}}}")
    trial.same("readsocket", asked.strip(), "allow-sts")


@case("Exim: what is wrong waits, and goes out once it is mended", "exim", proves=["8461-5-a", "8461-5-d", "8461-5-e"])
def exim_waits(trial: Trial) -> None:
    waits(trial, "exim", places.WAIT)
    repairs(trial, "exim")


@case("Exim: DANE decides where there is DANE", "exim", proves=["8461-2-a"])
def exim_dane(trial: Trial) -> None:
    waits(trial, "exim", [places.DANE_WAITS])
    arrives(trial, "exim", [places.DANE_ARRIVES])


@case("a domain that moves its mail server gets its mail at the next try after a failure was told", "mover",
      proves=["8461-5-d", "8461-5.1-c"])
def mover(trial: Trial) -> None:
    trial.world.ensure_postfix()
    name, far, postfix = "mover.others.test", trial.far, trial.world.postfix
    far.record(name, "MX", f"10 old.{name}.")
    postfix.send(f"first@{name}")
    trial.wait("the first mail", lambda: far.mails(f"first@{name}"), 20)
    far.record(name, "MX", f"10 new.{name}.")
    postfix.send(f"second@{name}")
    # Postfix goes to the new host, and the service still names the old one.
    trial.wait("the second waits", lambda: "not verified" in postfix.queue().get(f"second@{name}", ""), 20)
    trial.wait("a look after the failure", lambda: trial.daemon.api(
        "POST", f"/policy/{name}/failed", {"words": "certificate verification failed"})[1].get("looked"), 40)
    trial.wait("the second mail", lambda: far.mails(f"second@{name}"), 40)
    trial.same("its host", [mail.host for mail in far.mails(f"second@{name}")], [f"new.{name}"])
