# SPDX-License-Identifier: Apache-2.0
"""What `policy export` writes is used as it stands by the servers that it is for: byte for byte the policy, and nothing
but the policy. Each runs in a network of its own, on the port that the configuration says."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from publish.case import Trial, case

DOMAIN = "exported.hosts.test"
NAME = f"mta-sts.{DOMAIN}"


def certificate_in_place(trial: Trial) -> None:
    """Where certbot puts it, in the lab's own /etc."""
    live = Path("/etc/letsencrypt/live") / NAME
    live.mkdir(parents=True, exist_ok=True)
    shutil.copy(trial.world.authority.leaf("good", [NAME]), live / "fullchain.pem")
    shutil.copy(trial.world.authority.key_file, live / "privkey.pem")


def asked_alone(trial: Trial, folder: Path, server: list[str]) -> dict[str, tuple[str, bytes]]:
    """The server in a network of its own; what it answers to each request: head and body."""
    requests = {"get": [], "head": ["-I"], "other": [], "slash": []}
    paths = {"other": "/index.html", "slash": "/.well-known/mta-sts.txt/"}
    script = ["ip link set lo up", f"{' '.join(server)} >{folder}/server.log 2>&1 & server=$!",
              f"for i in $(seq 200); do curl -s -o /dev/null --cacert {trial.world.build}/ca.pem --resolve {NAME}:443:127.0.0.1 https://{NAME}/ && break; sleep 0.05; done"]
    for what, more in requests.items():
        script.append(f"curl -s {' '.join(more)} -D {folder}/{what}.head -o {folder}/{what}.body -H 'Accept-Encoding: gzip' --cacert {trial.world.build}/ca.pem "
                      f"--resolve {NAME}:443:127.0.0.1 https://{NAME}{paths.get(what, '/.well-known/mta-sts.txt')}")
    script.append("kill $server; wait $server")
    subprocess.run(["unshare", "--net", "sh", "-c", "\n".join(script)], check=False, timeout=60, stdin=subprocess.DEVNULL, capture_output=True)
    return {what: ((folder / f"{what}.head").read_text() if (folder / f"{what}.head").exists() else (folder / "server.log").read_text()[-400:],
                   (folder / f"{what}.body").read_bytes() if (folder / f"{what}.body").exists() else b"") for what in requests}


def judge(trial: Trial, form: str, said: dict[str, tuple[str, bytes]], body: bytes) -> None:
    head, got = said["get"]
    lines = [line.lower() for line in head.splitlines()]
    trial.true(bool(lines) and " 200" in lines[0], f"{form}: GET says {head[:300]!r}")
    trial.true(any(line.startswith("content-type: text/plain") for line in lines), f"{form}: {head[:300]!r}")
    trial.true(not any(line.startswith(("location:", "content-encoding:")) for line in lines), f"{form}: {head[:300]!r}")
    trial.same(f"{form}: the body", got, body)
    trial.true(" 200" in said["head"][0].splitlines()[0], f"{form}: HEAD says {said['head'][0][:200]!r}")
    for what in ("other", "slash"):
        trial.true(" 404" in (said[what][0].splitlines() or [""])[0], f"{form}: {what} says {said[what][0][:100]!r}")


@case("an exported configuration is served as it stands by nginx, Apache and Caddy, byte for byte the policy", "export")
def exported(trial: Trial) -> None:
    world, names = trial.world, trial.names
    world.mail_host(f"mx1.{DOMAIN}")
    names.put_and_wait(DOMAIN, "MX", f"10 mx1.{DOMAIN}.")
    publisher = world.publisher("exporter")
    publisher.config.write_text(publisher.text)
    certificate_in_place(trial)
    folders = {}
    for form in ("directory", "nginx", "apache", "caddy", "worker"):
        folders[form] = world.folder / f"export-{form}"
        publisher.say("policy", "export", DOMAIN, str(folders[form]), "--form", form)
        steps = (folders[form] / "STEPS.txt").read_text()
        trial.has(steps, "1. ", f"_mta-sts.{DOMAIN}", "v=STSv1; id=")
    body = (folders["directory"] / ".well-known" / "mta-sts.txt").read_bytes()
    trial.same("the policy", body.decode(), f"version: STSv1\r\nmode: testing\r\nmx: mx1.{DOMAIN}\r\nmax_age: 604800\r\n")
    nginx(trial, folders["nginx"], body)
    apache(trial, folders["apache"], body)
    caddy(trial, folders["caddy"], body)
    worker(trial, folders["worker"], body)


def nginx(trial: Trial, folder: Path, body: bytes) -> None:
    temporary = " ".join(f"{kind}_temp_path {folder}/tmp;" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "nginx.conf").write_text(f"""daemon off;
user root;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ }}
http {{ gzip on; gzip_min_length 1; gzip_types text/plain; access_log off; {temporary} include {folder}/{NAME}.conf; }}
""")
    judge(trial, "nginx", asked_alone(trial, folder, ["nginx", "-c", f"{folder}/nginx.conf", "-e", "stderr"]), body)


def apache(trial: Trial, folder: Path, body: bytes) -> None:
    root = Path("/var/www") / NAME
    (root / ".well-known").mkdir(parents=True, exist_ok=True)
    shutil.copy(folder / ".well-known" / "mta-sts.txt", root / ".well-known" / "mta-sts.txt")
    (root / "index.html").write_text("a site")
    modules = "".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n" for name in (
        "mpm_event", "authz_core", "ssl", "socache_shmcb", "alias", "headers", "setenvif", "env", "mime", "dir", "deflate", "filter"))
    (folder / "mime.types").write_text("")
    (folder / "apache.conf").write_text(f"""{modules}ServerName localhost
Listen 443
PidFile {folder}/apache.pid
ErrorLog {folder}/error.log
TypesConfig {folder}/mime.types
User www-data
Group www-data
AddOutputFilterByType DEFLATE text/plain
Include {folder}/{NAME}.conf
""")
    judge(trial, "Apache", asked_alone(trial, folder, ["apache2", "-f", f"{folder}/apache.conf", "-DFOREGROUND"]), body)


def caddy(trial: Trial, folder: Path, body: bytes) -> None:
    """It would get the certificate by itself; here it is told where one is."""
    text = (folder / "Caddyfile").read_text()
    live = f"/etc/letsencrypt/live/{NAME}"
    with_certificate = text.replace(f"{NAME} {{\n", f"{NAME} {{\n\ttls {live}/fullchain.pem {live}/privkey.pem\n", 1)
    trial.true(with_certificate != text, f"no site in {text[:200]!r}")
    (folder / "Caddyfile").write_bytes(("{\n\tadmin off\n\tstorage file_system " + str(folder) + "\n\tauto_https disable_redirects\n}\n" + with_certificate).encode())
    judge(trial, "Caddy", asked_alone(trial, folder, ["env", f"HOME={folder}", "caddy", "run", "--config", f"{folder}/Caddyfile", "--adapter", "caddyfile"]), body)


def worker(trial: Trial, folder: Path, body: bytes) -> None:
    """In Node, where the machine has one: it knows the same Request and Response."""
    node = shutil.which("node")
    trial.has((folder / "worker.js").read_text(), NAME, "mta-sts.txt")
    if node is None:
        return
    shutil.copy(folder / "worker.js", folder / "worker.mjs")
    (folder / "ask.mjs").write_text(f"""import worker from "./worker.mjs";
const ask = async (path, host, more) => {{
  const said = await worker.fetch(new Request(`https://${{host}}${{path}}`, more));
  return [said.status, said.headers.get("content-type"), Buffer.from(await said.arrayBuffer()).toString("hex")].join(" ");
}};
console.log(await ask("/.well-known/mta-sts.txt", "{NAME}"));
console.log(await ask("/", "{NAME}"));
console.log(await ask("/.well-known/mta-sts.txt", "mta-sts.other.test"));
console.log(await ask("/.well-known/mta-sts.txt", "{NAME}", {{ method: "POST" }}));
""")
    rows = subprocess.run([node, str(folder / "ask.mjs")], capture_output=True, text=True, check=False, timeout=30).stdout.splitlines()
    trial.same("the Worker: statuses", [row.split()[0] for row in rows], ["200", "404", "404", "405"])
    trial.true(bool(rows) and rows[0].split()[1].startswith("text/plain") and rows[0].split()[-1] == body.hex(), f"the Worker's body: {rows[:1]}")
