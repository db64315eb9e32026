# SPDX-License-Identifier: Apache-2.0
"""A policy host that misbehaves in one named way on each of its addresses."""

from __future__ import annotations

import asyncio
import gzip
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from servers.common import main, tls_context  # noqa: E402

HEAD_LIMIT = 65536


def head(status: str, fields: dict[str, object]) -> bytes:
    lines = [f"HTTP/1.1 {status}"] + [f"{name}: {value}" for name, value in fields.items() if value is not None]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def plain(body: bytes, content_type: str = "text/plain", **more) -> bytes:
    fields = {"Content-Type": content_type, "Content-Length": len(body), "Connection": "close", **more}
    return head("200 OK", fields) + body


async def read_request(reader: asyncio.StreamReader) -> dict[str, str]:
    request = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    fields = {"": request[0]}
    for line in request[1:]:
        name, _, value = line.partition(":")
        fields[name.strip().lower()] = value.strip()
    return fields


async def answer(entry: dict, request: dict[str, str], reader, writer) -> None:
    behaviour, options = entry["behaviour"], entry.get("options", {})
    with open(entry["body_file"], "rb") as file:
        body = file.read()
    if behaviour == "good":
        writer.write(plain(body))
    elif behaviour == "redirect":
        writer.write(head("301 Moved Permanently", {"Location": options.get("to", "https://www.example.test/"),
                                                    "Content-Length": 0, "Connection": "close"}))
    elif behaviour == "status":
        text = b"<html>no</html>"
        writer.write(head(options["status"], {"Content-Type": "text/html", "Content-Length": len(text),
                                              "Connection": "close"}) + text)
    elif behaviour == "content-type":
        writer.write(plain(body, options.get("type", "text/html")))
    elif behaviour == "slow":
        await asyncio.sleep(options.get("seconds", 3))
        writer.write(plain(body))
    elif behaviour == "silent":
        await reader.read()  # never answers; ends when the client leaves
    elif behaviour == "drip":
        writer.write(head("200 OK", {"Content-Type": "text/plain", "Content-Length": 60000}))
        while not writer.is_closing():
            writer.write(b"#")
            await writer.drain()
            await asyncio.sleep(0.5)
    elif behaviour == "drip-head":
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while not writer.is_closing():
            writer.write(b"X-More: and more\r\n")
            await writer.drain()
            await asyncio.sleep(0.2)
    elif behaviour == "huge-head":
        writer.write(b"HTTP/1.1 200 OK\r\n" + b"X-Long: " + b"a" * 400_000 + b"\r\n\r\n")
    elif behaviour == "endless":
        writer.write(head("200 OK", {"Content-Type": "text/plain", "Connection": "close"}))
        while not writer.is_closing():
            writer.write(b"x" * 65536)
            await writer.drain()
            await asyncio.sleep(0.02)  # endless, but the other addresses need the processor too
    elif behaviour == "too-large":
        padding = b"x-padding: " + b"a" * (65537 - len(body) - 13) + b"\r\n"
        writer.write(plain(body + padding))
    elif behaviour == "lies-long":  # promises more than it sends
        writer.write(head("200 OK", {"Content-Type": "text/plain", "Content-Length": len(body) + 500}) + body)
    elif behaviour == "compressed":
        packed = gzip.compress(body)
        writer.write(plain(packed, **{"Content-Encoding": "gzip"}))
    elif behaviour == "per-agent":  # a wall against robots: only a client that calls itself the usual gets the file
        wanted = options.get("agent", "mailtight")
        if wanted in request.get("user-agent", "").lower():
            writer.write(plain(body))
        else:
            writer.write(head("403 Forbidden", {"Content-Type": "text/html", "Content-Length": 0,
                                                "Connection": "close"}))
    elif behaviour == "not-http":
        writer.write(b"\x00\x01\x02 this is no HTTP\n" * 20)
    else:
        raise ValueError(f"no such behaviour: {behaviour}")
    await writer.drain()


async def start(entry: dict) -> None:
    if entry["behaviour"] == "closed":
        return
    oldest = {"tls1.0": "TLSv1", "tls1.1": "TLSv1_1"}.get(entry["behaviour"], "")
    context = tls_context(entry["chain"], entry["key"], oldest)
    if oldest:
        entry = dict(entry, behaviour="good")

    async def serve(reader, writer) -> None:
        try:
            request = await asyncio.wait_for(read_request(reader), 60)
            await answer(entry, request, reader, writer)
        except (OSError, EOFError, asyncio.TimeoutError, asyncio.LimitOverrunError):
            pass  # the client left, which is its right
        finally:
            writer.close()

    if entry["behaviour"] == "no-handshake":  # accepts and says nothing, ever
        async def mute(reader, writer) -> None:
            try:
                while await reader.read(4096):
                    pass
            except OSError:
                pass
            writer.close()
        await asyncio.start_server(mute, entry["address"], 443, limit=HEAD_LIMIT)
        return
    if entry["behaviour"] == "not-tls":
        async def babble(_reader, writer) -> None:
            writer.write(b"220 this is no TLS\r\n")
            writer.close()
        await asyncio.start_server(babble, entry["address"], 443, limit=HEAD_LIMIT)
        return
    await asyncio.start_server(serve, entry["address"], 443, ssl=context, limit=HEAD_LIMIT)


if __name__ == "__main__":
    main(start)
