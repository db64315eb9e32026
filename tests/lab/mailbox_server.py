# SPDX-License-Identifier: Apache-2.0
"""Dovecot: a mailbox that reports are fetched from by IMAP, with a password and with OAuth2 (the lab's own token
server says which tokens are good)."""

from __future__ import annotations

import os
from pathlib import Path

from daemons import USERS
from world import DOVECOT_IP, World

USER, PASSWORD = "tls-reports@mailbox.test", "a pass word"
OAUTH_USER = "oauth@mailbox.test"
TOKEN_SERVER = ("127.0.25.6", 8080)  # started by the test; Dovecot asks it whether a token is good
MAIL = Path("/var/vmail")


def dovecot(world: World, run: Path) -> list[str]:
    MAIL.mkdir(parents=True, exist_ok=True)
    os.chown(MAIL, USERS["vmail"], USERS["vmail"])
    oauth = run / "dovecot-oauth2.conf"
    oauth.write_text(f"""introspection_mode = post
introspection_url = http://{TOKEN_SERVER[0]}:{TOKEN_SERVER[1]}/introspect
username_attribute = username
active_attribute = active
active_value = true
""")
    passwords = run / "dovecot-users"
    passwords.write_text(f"{USER}:{{PLAIN}}{PASSWORD}::::::\n")
    passwords.chmod(0o644)
    config = run / "dovecot.conf"
    config.write_text(f"""protocols = imap
listen = {DOVECOT_IP}
base_dir = /run/dovecot
log_path = /dev/stderr
ssl = required
ssl_cert = <{world.dovecot_chain}
ssl_key = <{world.key_file}
auth_mechanisms = plain login xoauth2 oauthbearer
auth_failure_delay = 0
mail_location = maildir:{MAIL}/%u
mail_max_userip_connections = 100
first_valid_uid = 1
default_login_user = dovenull
default_internal_user = dovecot
default_internal_group = dovecot
passdb {{
  driver = passwd-file
  args = username_format=%u {passwords}
}}
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {oauth}
}}
userdb {{
  driver = static
  args = uid=vmail gid=vmail home={MAIL}/%u
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
service imap-login {{
  inet_listener imap {{
    port = 143
  }}
  inet_listener imaps {{
    port = 993
    ssl = yes
  }}
}}
""")
    return ["dovecot", "-F", "-c", str(config)]
