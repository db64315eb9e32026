# SPDX-License-Identifier: Apache-2.0
"""The policy host as others judge it: testssl, openssl, certbot's and lego's folders, and a thousand domains."""

from __future__ import annotations

import json
import re
import time

from publish.case import Trial, case
from publish.publisher import Publisher, run_inside

ZONE = "host.test"
SCANNED = "scanned.test"


def folders(trial: Trial, names: list[str]):
    """Certificates as certbot (live/NAME/fullchain.pem) and lego (certificates/NAME.crt) lay them down, one a name."""
    top, authority = trial.world.folder / "kept", trial.world.authority
    key = authority.key_file.read_bytes()
    for number, name in enumerate(names):
        put_certificate(top, name, number % 2 == 0, authority.leaf("good", [name]).read_bytes(), key)
    return top


def put_certificate(top, name: str, certbot: bool, chain: bytes, key: bytes) -> None:
    if certbot:
        folder = top / "live" / name
        places = (folder / "fullchain.pem", folder / "privkey.pem")
    else:
        folder = top / "certificates"
        places = (folder / f"{name}.crt", folder / f"{name}.key")
    folder.mkdir(parents=True, exist_ok=True)
    for path, data in zip(places, (chain, key), strict=True):
        fresh = path.with_suffix(path.suffix + ".new")
        fresh.write_bytes(data)
        fresh.chmod(0o600)
        fresh.rename(path)


def handshake(publisher: Publisher, name: str | None, *words: str) -> str:
    """What openssl s_client says."""
    asked = ["-servername", name] if name else ["-noservername"]
    done = run_inside("openssl", "s_client", "-connect", f"{publisher.address}:443", *asked, *words)
    return done.stdout + done.stderr


@case("a thousand domains from a table, each with a certificate of its own from a folder; who fetched is counted", "host",
      proves=["8461-3.3-a"])
def thousand(trial: Trial) -> None:
    world, count = trial.world, 1000
    world.mail_host(f"mx.{ZONE}")
    publisher = world.publisher("host")
    domains = [f"d{number}.{ZONE}" for number in range(count)]
    top = folders(trial, [f"mta-sts.{d}" for d in domains])
    publisher.text = re.sub(r'directory = "[^"]*"', f'folder = "{top}"', publisher.text)
    trial.names.put(f"*.{ZONE}", "A", publisher.address)
    publisher.start()
    table = world.folder / "thousand.csv"
    table.write_text("domain,mode,mx,rua,dns,labels\r\n" + "".join(f'{d},testing,"mx.{ZONE} mx2.{ZONE}",mailto:tls@{ZONE},update:knot,lab\r\n' for d in domains))
    began = time.monotonic()
    trial.has(publisher.say("domain", "add", "--csv", str(table)), "1000 domains added")
    trial.same("added twice", publisher.say("domain", "add", "--csv", str(table)).split()[0], "0")
    trial.same("in the list", len(publisher.rows("domain", "list", "--label", "lab")), count)
    trial.true(time.monotonic() - began < 30, f"a table of {count} took {time.monotonic() - began:.1f} s")
    for domain in domains[:3]:  # the others wait for somebody to say where their reports go
        trial.names.put(domain, "MX", f"10 mx.{ZONE}.")
        publisher.say("plan", domain, "--said", "report-way")
    for domain in domains[:3]:
        trial.wait(f"the policy of {domain}", lambda d=domain: fetched(publisher, d, trial.pebble.trust), 60)
    counted(trial, publisher, domains[0])
    renewed(trial, publisher, top, domains[0])


def fetched(publisher: Publisher, domain: str, trust) -> bool:
    try:
        return publisher.fetch(domain, trust)[0] == 200
    except OSError:
        return False


def counted(trial: Trial, publisher: Publisher, domain: str) -> None:
    for _ in range(5):
        publisher.fetch(domain, trial.pebble.trust)
    trial.same("its end", publisher.stop(), 0)  # what was counted is written then at the latest
    rows = publisher.rows("domain", "show", domain, "--no-look")[0]["fetches"]
    trial.true(sum(row["count"] for row in rows if row["agent"].startswith("Lab")) >= 5, f"counted: {rows}")
    publisher.start()


def renewed(trial: Trial, publisher: Publisher, top, domain: str) -> None:
    """A new certificate in the folder is served within seconds, and no connection sees anything else."""
    before = publisher.certificate(domain)
    name = f"mta-sts.{domain}"
    put_certificate(top, name, True, trial.world.authority.leaf("expires-soon", [name]).read_bytes(), trial.world.authority.key_file.read_bytes())
    trial.wait("the new certificate", lambda: publisher.certificate(domain) not in (before, None), 40)


@case("openssl and testssl judge the policy host, with and without a server name", "scanned",
      proves=["8461-7.1-e", "8461-3.3-b"])
def scanned(trial: Trial) -> None:
    world, domains = trial.world, [f"s1.{SCANNED}", f"s2.{SCANNED}"]
    world.mail_host(f"mx.{SCANNED}")
    publisher = world.publisher("scanned")
    publisher.start()
    for domain in domains:
        trial.names.put(domain, "MX", f"10 mx.{SCANNED}.")
        publisher.say("domain", "add", domain, "--dns", "update", "--rua", f"mailto:tls@{SCANNED}")
        publisher.say("plan", domain, "--said", "report-way")
    for domain in domains:
        trial.wait(f"the policy of {domain}", lambda d=domain: fetched(publisher, d, trial.pebble.trust), 60)
    domain = domains[0]
    name = f"mta-sts.{domain}"
    trust = ["-CAfile", str(trial.pebble.trust), "-verify_return_error"]
    good = handshake(publisher, name, *trust, "-verify_hostname", name)
    trial.has(good, "Verify return code: 0 (ok)", "TLSv1.3")
    trial.has(handshake(publisher, name, "-tls1_2", *trust), "Verify return code: 0 (ok)", "TLSv1.2", "Secure Renegotiation IS supported")
    for old in ("-tls1", "-tls1_1"):
        said = handshake(publisher, name, old, "-cipher", "ALL:@SECLEVEL=0")
        trial.true("Cipher is (NONE)" in said, f"{old}: {said[-300:]}")
    trial.has(handshake(publisher, f"mta-sts.nobody.{SCANNED}"), "unrecognized name")
    trial.has(handshake(publisher, None), "alert")
    trial.true("BEGIN CERTIFICATE" not in handshake(publisher, None), "a certificate for who asks for none")
    trial.has(handshake(publisher, name, "-alpn", "http/1.1"), "ALPN protocol: http/1.1")
    http(trial, publisher, domain)
    testssl(trial, publisher, name)


def http(trial: Trial, publisher: Publisher, domain: str) -> None:
    trust, name = trial.pebble.trust, f"mta-sts.{domain}"
    status, fields, body = publisher.fetch(domain, trust)
    trial.same("GET", (status, fields["content-type"].split(";")[0], len(body) > 40), (200, "text/plain", True))
    trial.same("HEAD", publisher.fetch(domain, trust, method="HEAD")[::2], (200, b""))
    trial.same("another path", publisher.fetch(domain, trust, path="/")[0], 404)
    trial.same("another method", publisher.fetch(domain, trust, method="POST")[0], 405)
    trial.true(publisher.fetch(domain, trust, host=f"mta-sts.s2.{SCANNED}")[0] in (404, 421), "another domain's policy under this certificate")
    trial.true("location" not in fields and "content-encoding" not in fields, f"{fields}")
    said = run_inside("curl", "-sS", "-i", "--max-time", "5", f"http://{publisher.address}/.well-known/mta-sts.txt", "-H", f"Host: {name}").stdout
    trial.true(said.startswith("HTTP/1.1 404"), f"port 80 says {said[:200]!r}")


def testssl(trial: Trial, publisher: Publisher, name: str) -> None:
    found = trial.world.folder / "testssl.json"
    what = [] if trial.world.full else ["--protocols", "--server-defaults", "--fs"]
    # Without the tables of its package it says hello without a cipher.
    tables = trial.world.build / "root" / "etc" / "testssl"
    done = run_inside("env", f"TESTSSL_INSTALL_DIR={tables}", "testssl", "--warnings", "off", "--color", "0", "--quiet", "--nodns", "min", "--add-ca", str(trial.pebble.trust), "--ip", publisher.address,
                      *what, "--jsonfile", str(found), f"{name}:443", limit=600)
    trial.true(found.exists(), f"testssl says {done.stdout[-500:]} {done.stderr[-300:]}")
    rows = json.loads(found.read_text())
    bad = [(row["id"], row["severity"], row["finding"]) for row in rows if row["severity"] in ("MEDIUM", "HIGH", "CRITICAL", "WARN", "FATAL")
           and row["id"] not in NOT_OF_OURS]
    trial.same("what testssl minds", bad, [])
    said = {row["id"]: row["finding"] for row in rows}
    trial.same("protocols", {k: (said.get(k, "").split() or [""])[0] for k in ("SSLv3", "TLS1", "TLS1_1", "TLS1_2", "TLS1_3")},
               {"SSLv3": "not", "TLS1": "not", "TLS1_1": "not", "TLS1_2": "offered", "TLS1_3": "offered"})
    trial.same("forward secrecy", (said.get("PFS", said.get("FS", "")).split() or [""])[0], "offered")


# What the lab's authority leaves out: revocation, transparency, and its certificates' age; which ciphers of a country
# testssl's own OpenSSL lacks; header fields for browsers, which fetch no policy; and renegotiation, which it asks about
# without a server name, so that it is refused.
NOT_OF_OURS = {"security_headers", "cert_validityPeriod", "secure_renego", "cert_revocation", "OCSP_stapling", "certificate_transparency", "cert_caIssuers", "DNS_CAArecord", "cert_chain_of_trust", "overall_grade", "engine_problem"}
