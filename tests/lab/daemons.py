# SPDX-License-Identifier: Apache-2.0
"""Configuration of the servers that behave: nginx, Postfix, Exim."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from world import EXIM_IP, NGINX_IP, NGINX_IP6, POSTFIX_IP, REPORTS, SERVE_IP, World
from table import EXIM, POSTFIX

# Users of the lab's servers, known in its own /etc/passwd alone.
USERS = {"postfix": 7001, "Debian-exim": 7002, "unbound": 7003, "knot": 7004, "dovecot": 7005, "dovenull": 7006, "vmail": 7007,
         "postgres": 7008, "mailtight": 7009}
GROUPS = {**USERS, "postdrop": 7011}


def add_users(etc: Path) -> None:
    """Appends the users to passwd and group below `etc` (the lab's own copy)."""
    for file, rows in ((etc / "passwd", [f"{n}:x:{i}:{i}::/nonexistent:/usr/sbin/nologin" for n, i in USERS.items()]),
                       (etc / "group", [f"{n}:x:{i}:" for n, i in GROUPS.items()])):
        kept = [row for row in file.read_text().splitlines() if row.split(":")[0] not in GROUPS]
        file.write_text("\n".join(kept + rows) + "\n")


def nginx(world: World, run: Path) -> list[str]:
    names: dict[str, dict] = {site["name"]: site for site in world.sites}
    servers = [f"""    server {{
        listen {NGINX_IP}:443 ssl; listen [{NGINX_IP6}]:443 ssl;
        server_name {site['name']};
        ssl_certificate {site['chain']}; ssl_certificate_key {world.key_file};
        location = /.well-known/mta-sts.txt {{ alias {site['body_file']}; }}
        location / {{ return 404; }}
    }}
""" for site in names.values()]
    config = run / "nginx.conf"
    config.write_text(f"""daemon off;
user root;
worker_processes 1;
pid {run}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    types {{ }}
    default_type text/plain;
    server_names_hash_bucket_size 128;
    server_names_hash_max_size 8192;
    client_body_temp_path {run}/nginx-tmp; proxy_temp_path {run}/nginx-tmp; fastcgi_temp_path {run}/nginx-tmp;
    uwsgi_temp_path {run}/nginx-tmp; scgi_temp_path {run}/nginx-tmp;
    ssl_protocols TLSv1.2 TLSv1.3;
    server {{
        listen {NGINX_IP}:443 ssl default_server; listen [{NGINX_IP6}]:443 ssl default_server;
        ssl_reject_handshake on;
    }}
{''.join(servers)}}}
""")
    (run / "nginx-tmp").mkdir(exist_ok=True)
    return ["nginx", "-c", str(config), "-e", "stderr"]


def postfix(world: World) -> list[str]:
    etc, spool, data = Path("/etc/postfix"), Path("/var/spool/postfix"), Path("/var/lib/postfix")
    etc.mkdir(exist_ok=True)
    (etc / "main.cf").write_text(f"""compatibility_level = 3.6
myhostname = {POSTFIX}
mydestination =
inet_interfaces = {POSTFIX_IP}
inet_protocols = ipv4
relay_domains = test
relay_transport = discard
transport_maps = inline:{{ {REPORTS}=lmtp:inet:[{SERVE_IP}]:24 }}
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
lmtp_destination_concurrency_limit = 20
local_recipient_maps =
local_transport = discard
smtpd_tls_security_level = may
smtpd_tls_chain_files = {world.key_file}, {world.postfix_chain}
smtpd_relay_restrictions = reject_unauth_destination
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_peername_lookup = no
default_process_limit = 30
maillog_file = /var/log/postfix-lab.log
alias_maps =
alias_database =
""")
    (etc / "master.cf").write_text("""smtp inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
discard unix - - n - - discard
lmtp unix - - n - - lmtp
error unix - - n - - error
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
""")
    (etc / "dynamicmaps.cf").write_text("")
    user, drop = USERS["postfix"], GROUPS["postdrop"]
    for name in ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved",
                 "trace"):
        _owned(spool / name, user, 0, 0o700)
    _owned(spool / "pid", 0, 0, 0o755)
    _owned(spool / "maildrop", user, drop, 0o1730)
    _owned(spool / "public", user, drop, 0o2710)
    _owned(data, user, user, 0o700)
    return ["/usr/lib/postfix/sbin/master", "-c", str(etc)]


def _owned(path: Path, user: int, group: int, mode: int) -> None:
    path.mkdir(parents=True, exist_ok=True)
    os.chown(path, user, group)
    path.chmod(mode)


def exim(world: World) -> list[str]:
    spool, log = Path("/var/spool/exim4"), Path("/var/log/exim4")
    for folder in (spool, spool / "db", spool / "input", spool / "msglog", log):
        _owned(folder, USERS["Debian-exim"], USERS["Debian-exim"], 0o750)
    etc = Path("/etc/exim4")
    etc.mkdir(exist_ok=True)
    config = etc / "exim4.conf"
    config.write_text(f"""primary_hostname = {EXIM}
local_interfaces = {EXIM_IP}
daemon_smtp_ports = 25
disable_ipv6 = true
host_lookup =
rfc1413_hosts =
dns_dnssec_ok = 0
smtp_accept_max = 200
smtp_accept_reserve = 0
tls_advertise_hosts = *
tls_certificate = {world.exim_chain}
tls_privatekey = {world.key_file}
acl_smtp_rcpt = acl_rcpt
acl_smtp_data = acl_data
never_users = root
begin acl
acl_rcpt:
  accept domains = *.test
  deny
acl_data:
  accept
begin routers
nowhere:
  driver = accept
  transport = nowhere
begin transports
nowhere:
  driver = appendfile
  file = /dev/null
  user = Debian-exim
""")
    config.chmod(0o644)
    shutil.rmtree("/run/exim4", ignore_errors=True)
    _owned(Path("/run/exim4"), USERS["Debian-exim"], USERS["Debian-exim"], 0o755)
    return ["exim4", "-bdf", "-oX", f"{EXIM_IP}"]
