# SPDX-License-Identifier: Apache-2.0
"""An MX that misbehaves in one named way on each of its addresses."""

from __future__ import annotations

import asyncio
import os
import ssl
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from servers.common import main, require_sni, tls_context  # noqa: E402


async def converse(entry: dict, context: ssl.SSLContext, reader, writer) -> None:
    behaviour = entry["behaviour"]
    host = entry["host"]

    async def say(text: str) -> None:
        writer.write(text.encode("latin-1") + b"\r\n")
        await writer.drain()

    if behaviour in ("greet-421", "greet-554"):
        await say("421 4.3.2 too busy" if behaviour == "greet-421" else "554 5.7.1 go away")
        await reader.readline()
        return
    if behaviour == "hang-up":
        return
    if behaviour == "silent":
        await reader.read()
        return
    if behaviour == "tarpit":
        while True:
            writer.write(b"2")
            await writer.drain()
            await asyncio.sleep(2)
    if behaviour == "flood":
        while True:
            writer.write(b"220-" + b"a" * 60000 + b"\r\n")
            await writer.drain()
            await asyncio.sleep(0.02)  # without an end, but the other addresses need the processor too
    if behaviour == "endless-lines":
        while True:
            writer.write(b"220-more\r\n" * 1000)
            await writer.drain()
            await asyncio.sleep(0.02)
    if behaviour == "nul":
        writer.write(b"220 mx\0\0\0\0 ESMTP\0\r\n" + b"\0" * 8192)
        await writer.drain()
        await reader.readline()
        return
    if behaviour == "not-smtp":
        await say("HTTP/1.1 400 Bad Request\r\nServer: nothing of mail\r\n")
        await reader.readline()
        return
    if behaviour == "slow-greeting":
        await asyncio.sleep(2)
    await say(f"220 {host} ESMTP")
    inside = False
    while True:
        line = (await reader.readline()).decode("latin-1")
        if not line:
            return
        verb = line.split(" ")[0].strip().upper()
        if verb == "EHLO":
            offers = [host, "PIPELINING", "SIZE 10240000"]
            if not inside and behaviour != "no-starttls":
                offers.append("STARTTLS")
            offers.append("8BITMIME")
            for at, text in enumerate(offers):
                await say(("250 " if at == len(offers) - 1 else "250-") + text)
        elif verb == "STARTTLS" and not inside and behaviour != "no-starttls":
            if behaviour == "starttls-454":
                await say("454 4.7.0 TLS not available due to temporary reason")
                continue
            if behaviour == "injected":
                writer.write(b"220 go ahead\r\n250-" + host.encode() + b"\r\n250 X-INJECTED\r\n")
                await writer.drain()
            else:
                await say("220 go ahead")
            if behaviour == "starttls-hang-up":
                return
            if behaviour == "starttls-babble":
                await say("this is no TLS")
                return
            await writer.start_tls(context, ssl_handshake_timeout=20)
            inside = True
        elif verb == "QUIT":
            await say("221 bye")
            return
        elif verb in ("NOOP", "RSET", "HELO"):
            await say("250 ok")
        else:
            await say("502 5.5.2 not here")


async def start(entry: dict) -> None:
    if entry["behaviour"] == "closed":
        return
    oldest = {"tls1.0": "TLSv1", "tls1.1": "TLSv1_1"}.get(entry["behaviour"], "")
    context = tls_context(entry["chain"], entry["key"], oldest)
    if entry["behaviour"] == "requires-sni":
        require_sni(context)

    async def serve(reader, writer) -> None:
        try:
            await asyncio.wait_for(converse(entry, context, reader, writer), 120)
        except (OSError, EOFError, ValueError, asyncio.TimeoutError):
            pass  # the client left, or the handshake failed as it should
        finally:
            writer.close()

    await asyncio.start_server(serve, entry["address"], 25)


if __name__ == "__main__":
    main(start)
