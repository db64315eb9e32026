#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""fetch.py METHOD URL [Name:value...] [=BODY]: one HTTP request over a fresh connection, from inside the lab. Prints one
JSON document: status, fields, body, and how long after the request each line came. Trusts whatever certificate it meets: that
is not what its cases look at."""

import http.client
import json
import ssl
import sys
import time
import urllib.parse

method, url, *more = sys.argv[1:]
parts = urllib.parse.urlsplit(url)
fields = dict(word.split(":", 1) for word in more if not word.startswith("="))
body = next((word[1:] for word in more if word.startswith("=")), None)
if parts.scheme == "https":
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=90, context=trusting)
else:
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=90)
began = time.monotonic()
connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), body, fields)
reply = connection.getresponse()
lines, times = [], []
for line in reply:
    lines.append(line)
    times.append(round(time.monotonic() - began, 3))
print(json.dumps({"status": reply.status, "fields": {name.lower(): value for name, value in reply.getheaders()},
                  "body": b"".join(lines).decode("latin-1"), "times": times}))
