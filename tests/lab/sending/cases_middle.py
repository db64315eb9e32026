# SPDX-License-Identifier: Apache-2.0
"""Somebody in the middle strips STARTTLS, forges MX answers and takes the record away. With a cached policy no mail
crosses in clear; that the attack would work without one is shown beside it, and both by what is on the wire."""

from __future__ import annotations

import time

from sending import net
from sending.case import Trial, case
from sending.far import NAME_SERVERS
from sending.mail_hosts import MailHost
from sending.middle import ADDRESS, EVIL_HOST, Liar, imposter
from sending.places import SENDERS, domain
from sending.net import Wire

WATCHED, UNWATCHED = [domain("watched", s) for s in SENDERS], [domain("unwatched", s) for s in SENDERS]


def send_all(trial: Trial, word: str) -> None:
    for name in SENDERS:
        getattr(trial.world, name).send(f"{word}@{domain('watched', name)}", f"{word}@{domain('unwatched', name)}")


def all_wait(trial: Trial, word: str, fakes: list[MailHost]) -> None:
    """Mail to the watched domains waits, that to the others is in the hands of the one in the middle."""
    for name in SENDERS:
        trial.wait(f"{name}: {word} to the domain without a policy at the one in the middle",
                   lambda n=name: [m for f in fakes for m in f.mails if m.recipient == f"{word}@{domain('unwatched', n)}"]
                   or getattr(trial.world, n).retry(), 20)
        trial.wait(f"{name}: {word} to the domain with a policy waits",
                   lambda n=name: getattr(trial.world, n).queue().get(f"{word}@{domain('watched', n)}"), 20)
    caught = [m.recipient for f in fakes for m in f.mails if m.recipient.split("@")[1] in WATCHED]
    trial.same(f"{word}: mail to a domain with a policy at the one in the middle", caught, [])


@case("with a cached policy nothing crosses in clear, whatever is done in the middle", "middle",
      proves=["8461-5-a", "8461-3.1-q", "8461-3.3-p", "8461-10-a", "3207-4-a"])
def middle(trial: Trial) -> None:
    far, world = trial.far, trial.world
    world.ensure_postfix()
    # It stays in DNS when the lies end: a mail server that has the forged MX still cached then finds a host that does not
    # answer, and waits, instead of none at all, which would be final.
    far.record(EVIL_HOST, "A", ADDRESS)
    send_all(trial, "before")
    for name in [*WATCHED, *UNWATCHED]:
        trial.wait(f"the policy of {name} cached by a first mail", lambda n=name: far.mails(f"before@{n}"), 20)
    wire, liar, taken, fakes = Wire(), Liar(), [], []
    try:
        # STARTTLS is stripped.
        for name in [*WATCHED, *UNWATCHED]:
            true = far.hosts[f"mx.{name}"]
            fakes.append(imposter(true))
            taken.append(true.address)
        send_all(trial, "stripped")
        all_wait(trial, "stripped", fakes)
        for address in taken:
            net.give_back(address)
        taken.clear()
        # The record is gone, and the MX is a host of the attacker, with a certificate that everybody trusts.
        evil = MailHost(EVIL_HOST, ADDRESS, str(far.authority.key_file), str(far.authority.leaf("good", [EVIL_HOST])), space="middle")
        fakes.append(evil.start())
        liar.lies[EVIL_HOST, "A"] = ADDRESS
        for name in [*WATCHED, *UNWATCHED]:
            liar.lies[name, "MX"] = (10, EVIL_HOST)
            liar.lies[f"_mta-sts.{name}", "TXT"] = None
            liar.lies[f"mta-sts.{name}", "A"] = ADDRESS
        for address in [ADDRESS, *NAME_SERVERS.values()]:
            net.take_over(address)
            taken.append(address)
        time.sleep(1.2)  # until the true answers have left the caches
        for name in WATCHED:  # even a look for something newer finds what it must not believe
            # Until the resolver has found the name servers anew, a look that fails leaves the hosts as they were.
            trial.wait(f"{name}: the forged host is known, and not admitted",
                       lambda n=name: trial.daemon.refresh(n) and trial.daemon.ask(n).startswith("TEMP "), 35)
            trial.has(trial.daemon.ask(name), "TEMP ", EVIL_HOST)
            trial.same(f"{name}: the policy", trial.daemon.ask(name, "QUERY"), f"OK secure match=mx.{name} servername=hostname")
        send_all(trial, "forged")
        all_wait(trial, "forged", fakes)
        trial.true(liar.told > 0, "the liar was asked nothing")
    finally:
        for address in taken:
            net.give_back(address)
        liar.stop()
        wire.close()
    for name in SENDERS:
        clear = b"".join(b"".join(wire.sent(a)) for a in [ADDRESS, *(f.address for f in fakes)])
        trial.true(f"The secret of stripped@{domain('unwatched', name)}".encode() in clear,
                   f"{name}: the wire does not show what crosses in clear, so it proves nothing")
        for word in ("stripped", "forged"):
            trial.true(f"{word}@{domain('watched', name)}".encode() not in clear, f"{name}: {word} crossed in clear")
    # Once it is over, everything goes out as it should.
    time.sleep(1.2)
    for name in SENDERS:
        server = getattr(world, name)
        for word in ("stripped", "forged"):
            def out(s=server, r=f"{word}@{domain('watched', name)}"):
                if not far.mails(r):
                    s.retry()
                return far.mails(r)
            trial.wait(f"{name}: {word} goes out afterwards", out, 40)
            trial.true(all(m.tls for m in out()), f"{name}: {word} went out in clear")
        trial.same(f"{name}: returned to their sender", server.bounced(), [])
    for fake in fakes:
        fake.stop()
