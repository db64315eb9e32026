# SPDX-License-Identifier: Apache-2.0
"""What the misbehaving servers share: TLS contexts of every age, and a main that serves what a JSON file lists."""

from __future__ import annotations

import asyncio
import asyncio.sslproto
import json
import ssl
import sys


def _send_alerts() -> None:
    """asyncio drops the alert that OpenSSL wrote when a handshake fails; real servers send it, so ours must too."""
    complete = asyncio.sslproto.SSLProtocol._on_handshake_complete

    def complete_after_alert(self, failure) -> None:
        if failure is not None and self._transport is not None:
            self._process_outgoing()
        complete(self, failure)

    asyncio.sslproto.SSLProtocol._on_handshake_complete = complete_after_alert


_send_alerts()


def tls_context(chain: str, key: str, oldest_only: str = "") -> ssl.SSLContext:
    """A server context; `oldest_only` ("TLSv1" or "TLSv1_1") speaks nothing newer than that."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    if oldest_only:
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = getattr(ssl.TLSVersion, oldest_only)
    return context


def require_sni(context: ssl.SSLContext) -> None:
    """Ends the handshake with an alert where the client names no server."""
    def callback(_connection, name, _context):
        return None if name else ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
    context.sni_callback = callback


def main(start) -> None:
    """`server.py CONFIG READY`: starts every entry of CONFIG, writes READY, serves until it is killed."""
    async def run() -> None:
        with open(sys.argv[1], encoding="utf-8") as file:
            entries = json.load(file)
        for entry in entries:
            await start(entry)
        with open(sys.argv[2], "w", encoding="utf-8") as file:
            file.write("ready\n")
        await asyncio.Event().wait()
    asyncio.run(run())
