# SPDX-License-Identifier: Apache-2.0
"""`doctor` beside resolvers that validate, that do not, and that are not there."""

from __future__ import annotations

import contextlib
import subprocess
import time

from cli.case import case
from table import POSTFIX

_PLAIN_RESOLVER = "127.0.0.54"
_UNBOUND = """server:
    interface: {address}
    access-control: 127.0.0.0/8 allow
    do-daemonize: no
    chroot: ""
    username: ""
    directory: "/run/lab"
    pidfile: ""
    use-syslog: no
    module-config: "iterator"
    root-hints: "{build}/root.hints"
    do-not-query-localhost: no
    local-zone: "test." nodefault
    do-ip6: no
remote-control:
    control-enable: no
"""


@contextlib.contextmanager
def _resolver_that_does_not_validate(t):
    config = t.file("unbound.conf", _UNBOUND.format(address=_PLAIN_RESOLVER, build=t.build).encode())
    process = subprocess.Popen(t.lab.enter(["unbound", "-d", "-c", config]), stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    try:
        for _ in range(100):
            if "SOA" in t.inside("sh", "-c", f"kdig @{_PLAIN_RESOLVER} +timeout=1 +retry=0 danehost.test SOA || true"):
                break
            time.sleep(0.1)
        yield _PLAIN_RESOLVER
    finally:
        process.terminate()
        process.wait(10)


def _doctor(t, resolver: str | None = None, config: str = "", words: tuple[str, ...] = ()):
    file = t.file("mailtight.toml", ('[network]\nehlo-name = "lab.test"\n[doctor]\nsigned-name = "danehost.test"\n'
                                     f'forged-name = "mta-sts.dead-bogus.test"\n{config}').encode())
    return t.run("doctor", "--json", "--config", file, *words, resolver=resolver)


def _rows(done) -> dict[str, str]:
    return {row["check"]: row["state"] for row in done.json()["checks"]}


@case("doctor.finds_nothing_where_all_is_well", proves=["8461-3.3-d"])
def _(t):
    done = _doctor(t)
    t.ends(done, 0)
    t.same("what it says", _rows(done), {
        "trusted roots": "ok", "resolver answers": "ok", "answers are validated (DNSSEC)": "ok",
        "port 25 is open to the outside": "ok", "the name given in EHLO": "ok",
        # Mail servers are found; that nothing is set up for what they send is no problem by itself.
        "Postfix": "ok", "Postfix reaches the policy service": "unknown", "Postfix asks for policies": "unknown",
        "Postfix knows trusted roots": "unknown", "Exim": "ok", "Exim reaches the policy service": "unknown",
        "Postfix tells its results": "unknown", "Exim tells its results": "unknown"})
    t.has(str(done.json()), "3.7.11, queue /var/spool/postfix", "4.96", "lines-listen = ",
          "socketmap-listen = [\"unix:/var/spool/postfix/mailtight/policy.sock,mode=0666\"]")
    t.has(str(done.json()), f"{POSTFIX} answers at 127.0.25.1", "127.0.0.53:53", "lab.test")


@case("doctor.says_when_the_resolver_does_not_validate")
def _(t):
    with _resolver_that_does_not_validate(t) as resolver:
        done = _doctor(t, resolver)
        t.ends(done, 1)
        t.same("resolver", _rows(done)["resolver answers"], "ok")
        t.same("validation", _rows(done)["answers are validated (DNSSEC)"], "problem")
        t.has(str(done.json()), "a signed name came back as insecure", "run a validating resolver on this host")
        # A resolver that nobody needs to trust: what it passes on is validated here.
        own = _doctor(t, resolver, words=("--dns-mode", "validating", "--trust-anchor", f"{t.build}/root.key"))
        t.same("validated here", (own.status, _rows(own)["answers are validated (DNSSEC)"]), (0, "ok"))


@case("doctor.says_when_a_forged_name_is_accepted")
def _(t):
    # As if the forged name were an honest one: it has an address, and so it was not refused.
    file = t.file("other.toml", b'[network]\nehlo-name = "lab.test"\n[doctor]\nsigned-name = "danehost.test"\n'
                                b'forged-name = "mta-sts.healthy.test"\n')
    done = t.run("doctor", "--json", "--config", file)
    t.ends(done, 1)
    row = next(r for r in done.json()["checks"] if r["check"] == "answers are validated (DNSSEC)")
    t.same("validation", (row["state"], row["seen"]), ("problem", "a forged name was accepted"))


@case("doctor.says_when_the_resolver_is_not_there")
def _(t):
    done = _doctor(t, "127.0.0.99", words=("--dns-timeout", "1s"))
    t.ends(done, 1)
    rows = _rows(done)
    t.same("resolver", rows["resolver answers"], "problem")
    t.same("validation", rows["answers are validated (DNSSEC)"], "unknown")
    t.same("port 25", rows["port 25 is open to the outside"], "unknown")


@case("doctor.says_when_port_25_is_closed")
def _(t):
    done = _doctor(t, words=("--smtp-control", "mx.mx-closed.test"))
    t.ends(done, 1)
    t.same("port 25", _rows(done)["port 25 is open to the outside"], "problem")
    none = _doctor(t, words=("--smtp-control", "none"))
    t.same("port 25, no host to ask", (none.status, _rows(none)["port 25 is open to the outside"]), (0, "unknown"))


@case("doctor.speaks_to_people")
def _(t):
    file = t.file("people.toml", b'[network]\nehlo-name = "short"\n[doctor]\nsigned-name = "danehost.test"\n'
                                 b'forged-name = "mta-sts.dead-bogus.test"\n')
    done = t.run("doctor", "--config", file)
    t.ends(done, 1)
    t.has(done.flat, "ok resolver answers: 127.0.0.53:53", "problem the name given in EHLO: short",
          "set network.ehlo-name to this host's full name")
