# SPDX-License-Identifier: Apache-2.0
"""After the change: `check --wait` until it is seen, `check --changed` every day. The lab's files really change here."""

import calendar
import re
import threading
import time

from cli.case import case, scenario
from table import STS_ID

_FILE = "/run/lab/policies/{}.0.txt"
_ZONE = "/run/lab/knot/zones/{}.zone"


def _serve(t, domain: str, body: bytes) -> None:
    """Replaces the file that the lab's nginx serves."""
    t.inside("sh", "-c", f"cat > {_FILE.format(domain)}", stdin=body)


def _publish(t, domain: str, old: str, new: str) -> None:
    """Replaces a text in the zone, with a new serial, and has the lab's knot load it."""
    zone = _ZONE.format(domain)
    t.inside("sh", "-c", f"sed -i -e 's/{old}/{new}/' -e '/ SOA /s/ [0-9]* 3600 600 / {int(time.time())} 3600 600 /' {zone}"
                         f" && knotc -s /run/lab/knot/knot.sock zone-reload {domain}")


@case("guide.wait_says_which_server_shows_the_old_value", proves=["G2-30", "G2-33", "G3-48", "G3-59"])
def _(t):
    absent = t.run("check", "--wait", "--wait-limit", "1s", "bare.test")
    t.ends(absent, 1)
    t.has(absent.flat, "waiting _smtp._tls at ns1.nic.test (127.0.53.1)", "waiting _mta-sts at ns2.nic.test (127.0.53.2)",
          "waiting _mta-sts at the resolver", "waiting policy host mta-sts.bare.test: no address", "up to 24 h")
    old = t.run("check", "--wait", "--wait-limit", "1s", "--id", "20300101000000", "--rua", "new@healthy.test", "healthy.test")
    t.ends(old, 1)
    t.has(old.flat, f"waiting _mta-sts at ns1.nic.test (127.0.53.1): still id={STS_ID}",
          f"waiting _mta-sts at the resolver: still id={STS_ID}",
          "waiting _smtp._tls at ns2.nic.test (127.0.53.2): without mailto:new@healthy.test", "right policy from 127.0.80.1",
          "caches can keep the old answer for another 5 min", "up to 24 h")
    t.has(old.err, "the limit passed")
    for bad in (["--id", "a-b"], ["--rua", "http://healthy.test/"], ["other.test"]):
        t.ends(t.run("check", "--wait", "--wait-limit", "1s", *bad, "healthy.test"), 2)


@case("guide.wait_ends_when_all_is_set_up", proves=["G2-31"])
def _(t):
    file = t.file("mta-sts.txt", scenario("healthy.test").policy_bytes())
    done = t.run("check", "--wait", "--wait-limit", "5s", "--id", STS_ID, "--rua", "tls-reports@healthy.test", "--policy",
                 file, "healthy.test")
    t.ends(done, 0)
    t.has(done.out, "All is as it should be.")
    t.lacks(done.out, "waiting")
    document = t.run("check", "--wait", "--wait-limit", "5s", "--json", "healthy.test").json()
    t.same("done", (document["domain"], document["done"], {i["right"] for i in document["items"]}),
           ("healthy.test", True, {True}))
    t.same("the parts", set(t.run("check", "--json", "healthy.test").json()["parts"].values()), {"valid"})


@case("guide.wait_and_changed_see_a_new_file", proves=["G1-15", "G2-28", "G2-31", "G3-20"])
def _(t):
    domain, before = "moving.test", scenario("moving.test").policy_bytes()
    after = before.replace(b"mode: testing", b"mode: enforce").replace(b"604800", b"2419200")
    file = t.file("mta-sts.txt", after)
    t.ends(t.run("check", "--changed", domain), 0)  # the first run has nothing to compare with
    same = t.run("check", "--changed", domain)
    t.ends(same, 0)
    t.lacks(same.err, "changed")
    try:
        timer = threading.Timer(2.0, _serve, (t, domain, after))
        timer.start()
        began = time.monotonic()
        done = t.run("check", "--wait", "--wait-limit", "30s", "--wait-interval", "1s", "--policy", file, domain)
        timer.join()
        t.ends(done, 0)
        t.true(time.monotonic() - began >= 2, "it ended before the file was there")
        t.has(done.flat, "waiting policy from 127.0.80.1: another file is served", "right policy from 127.0.80.1: served as wanted")
        changed = t.run("check", "--changed", domain)
        t.ends(changed, 1)
        t.has(changed.err, "the policy changed, its id did not: publish a new id, or senders keep the old policy")
    finally:
        _serve(t, domain, before)


@case("guide.a_change_is_seen_when_the_ttl_has_ended", proves=["G2-32", "G2-33", "G3-59"])
def _(t):
    domain, new = "entering.test", "20261231235959"
    t.ends(t.run("check", "--changed", "--no-smtp", domain), 3)  # brings the old value into the resolver's cache
    try:
        _publish(t, domain, STS_ID, new)
        done = t.run("check", "--wait", "--wait-limit", "1s", "--id", new, domain)
        t.ends(done, 1)
        t.has(done.flat, f"right _mta-sts at ns1.nic.test (127.0.53.1): id={new}",
              f"right _mta-sts at ns2.nic.test (127.0.53.2): id={new}", f"waiting _mta-sts at the resolver: still id={STS_ID}",
              "every server has it; resolvers see it at the latest at ")
        found = re.search(r"at the latest at (\S+)Z \(remaining TTL", done.flat)
        latest = calendar.timegm(time.strptime(found[1], "%Y-%m-%dT%H:%M:%S")) if found else 0
        t.true(0 < latest - time.time() <= 301, f"{found and found[0]!r} is not within the record's TTL of 300 seconds")
    finally:
        _publish(t, domain, new, STS_ID)
