# SPDX-License-Identifier: Apache-2.0
"""A new certificate that senders would refuse never takes the place of one that they take."""

from __future__ import annotations

from publish.case import Trial, case
from publish.pebble import DIRECTORY, OTHER_ADDRESS, OTHER_DIRECTORY, OTHER_HOST, Pebble
from publish.publisher import Publisher

DOMAIN = "refused.test"


def row(publisher: Publisher) -> dict:
    found = [row for row in publisher.rows("certificate", "list") if row["name"] == f"mta-sts.{DOMAIN}"]
    return found[0] if found else {}


def fetched(trial: Trial, publisher: Publisher) -> bool:
    """Whether senders that trust the first authority get the policy."""
    try:
        return publisher.fetch(DOMAIN, trial.pebble.trust)[0] == 200
    except OSError:
        return False


def other_authority(publisher: Publisher, before: str, after: str) -> None:
    publisher.stop()
    publisher.text = publisher.text.replace(before, after)
    publisher.start()


@case("a new certificate of an authority that nobody trusts is put away, and the one before it is served again", "refused")
def refused(trial: Trial) -> None:
    world = trial.world
    world.mail_host(f"mx.{DOMAIN}")
    trial.names.put_and_wait(DOMAIN, "MX", f"10 mx.{DOMAIN}.")
    publisher = world.publisher("refused")
    publisher.start()
    publisher.say("domain", "add", DOMAIN, "--dns", "update", "--rua", f"mailto:tls@{DOMAIN}")
    publisher.say("plan", DOMAIN, "--said", "report-way")
    trial.wait("the policy", lambda: fetched(trial, publisher), 60)
    trial.wait("the certificate proven", lambda: row(publisher).get("in_use"), 40)
    first = publisher.certificate(DOMAIN)
    # The same thing from an authority whose root is in nobody's store.
    other = Pebble(world.folder / "other-pebble", world.authority, world.build / "ca.pem", host=OTHER_HOST, address=OTHER_ADDRESS)
    other.start()
    world.at_end(other.stop)
    other_authority(publisher, DIRECTORY, OTHER_DIRECTORY)
    publisher.say("certificate", "renew", DOMAIN)
    trial.wait("the refusal told", lambda: row(publisher).get("trouble"), 60)
    trial.wait("the certificate before it served again", lambda: publisher.certificate(DOMAIN) == first, 20)
    trial.has(str(row(publisher).get("trouble")), "refuse")
    trial.same("it is in use", row(publisher).get("in_use"), True)
    trial.true(fetched(trial, publisher), "senders get the policy no more")
    # And back to one that is trusted.
    other_authority(publisher, OTHER_DIRECTORY, DIRECTORY)
    publisher.say("certificate", "renew", DOMAIN)
    trial.wait("a new certificate", lambda: publisher.certificate(DOMAIN) not in (first, None) and row(publisher).get("in_use"), 60)
    trial.true(fetched(trial, publisher), "senders do not get the policy with the new one")
