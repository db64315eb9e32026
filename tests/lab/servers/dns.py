# SPDX-License-Identifier: Apache-2.0
"""An authoritative DNS server that misbehaves in one named way on each of its addresses.

It knows just enough of the wire format for the lab: it answers from a list of records, or lies.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from servers.common import main  # noqa: E402

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "MX": 15, "TXT": 16, "AAAA": 28, "TLSA": 52, "CAA": 257}
NAMES = {number: name for name, number in TYPES.items()}
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, REFUSED = 0, 1, 2, 3, 5


def wire_name(name: str) -> bytes:
    labels = [label for label in name.split(".") if label]
    return b"".join(bytes([len(label)]) + label.encode("latin-1") for label in labels) + b"\0"


def wire_data(kind: str, value) -> bytes:
    if kind == "A":
        return ipaddress.IPv4Address(value).packed
    if kind == "AAAA":
        return ipaddress.IPv6Address(value).packed
    if kind in ("NS", "CNAME"):
        return wire_name(value)
    if kind == "MX":
        return struct.pack("!H", value[0]) + wire_name(value[1])
    if kind == "TXT":
        raw = bytes.fromhex(value["hex"])
        parts = [raw[at:at + 255] for at in range(0, len(raw), 255)] or [b""]
        return b"".join(bytes([len(part)]) + part for part in parts)
    if kind == "SOA":
        return wire_name("ns1.nic.test") + wire_name("hostmaster.nic.test") + struct.pack("!5I", 1, 3600, 600, 86400, 60)
    raise ValueError(f"no wire form for {kind}")


def record(name: str, kind: str, value, ttl: int = 300) -> bytes:
    data = wire_data(kind, value)
    return wire_name(name) + struct.pack("!HHIH", TYPES[kind], 1, ttl, len(data)) + data


class Question:
    def __init__(self, message: bytes):
        self.id, self.flags, count = struct.unpack("!HHH", message[:6])
        if count != 1:
            raise ValueError("one question, please")
        labels, at = [], 12
        while message[at]:
            labels.append(message[at + 1:at + 1 + message[at]].decode("latin-1"))
            at += 1 + message[at]
        self.name = ".".join(labels).lower()
        self.type = struct.unpack("!H", message[at + 1:at + 3])[0]
        self.section = message[12:at + 5]


def reply(question: Question, code: int, answers: list[bytes], authority: list[bytes] = (), *, authoritative=True,
          truncated=False, identifier: int | None = None, section: bytes | None = None) -> bytes:
    flags = 0x8000 | (0x0400 if authoritative else 0) | (0x0200 if truncated else 0) | (question.flags & 0x0100) | code
    identifier = question.id if identifier is None else identifier
    return (struct.pack("!6H", identifier, flags, 1, len(answers), len(authority), 0)
            + (question.section if section is None else section) + b"".join(answers) + b"".join(authority))


def honest(entry: dict, question: Question, tcp: bool) -> bytes:
    """As a good server would answer from its list, CNAMEs included, DNSSEC not."""
    zone = entry["zone"]
    kind = NAMES.get(question.type, "")
    if question.name != zone and not question.name.endswith("." + zone):
        return reply(question, REFUSED, [], authoritative=False)
    here = [r for r in entry["records"] if r[0] == question.name]
    below = any(r[0].endswith("." + question.name) for r in entry["records"])
    found = [r for r in here if r[1] == kind] or [r for r in here if r[1] == "CNAME"]
    answers = [record(*r) for r in found]
    soa = [record(zone, "SOA", None, 60)]
    if found:
        message = reply(question, NOERROR, answers)
        return message if tcp or len(message) <= 1232 else reply(question, NOERROR, [], truncated=True)
    return reply(question, NOERROR if here or below or question.name == zone else NXDOMAIN, [], soa)


def respond(entry: dict, message: bytes, tcp: bool) -> bytes | None:
    """The bytes to send back, or nothing for silence."""
    question = Question(message)
    behaviour = entry["behaviour"]
    only = entry.get("options", {}).get("only", "")  # misbehave for names that begin so, be honest otherwise
    if behaviour == "answer" or (only and not question.name.startswith(only)):
        return honest(entry, question, tcp)
    if behaviour == "silent":
        return None
    if behaviour == "servfail":
        return reply(question, SERVFAIL, [], authoritative=False)
    if behaviour == "lame":
        return reply(question, REFUSED, [], authoritative=False)
    if behaviour == "huge":
        if not tcp:
            return reply(question, NOERROR, [], truncated=True)
        texts = [record(question.name, "TXT", {"hex": (b"x" * 4000).hex()}) for _ in range(15)]
        return reply(question, NOERROR, texts)
    if behaviour == "loop":  # every name is an alias of a longer one, for ever
        return reply(question, NOERROR, [record(question.name, "CNAME", "x." + question.name[:200])])
    if behaviour == "wrong-id":
        return reply(question, NOERROR, [], identifier=question.id ^ 0x5555)
    if behaviour == "wrong-question":
        return reply(question, NOERROR, [record("elsewhere.test", "TXT", {"hex": b"v=STSv1; id=666".hex()})],
                     section=wire_name("elsewhere.test") + struct.pack("!HH", question.type, 1))
    if behaviour == "pointer-loop":
        return reply(question, NOERROR, [b"\xc0\x0c\x00\x10\x00\x01\x00\x00\x01\x2c\x00\x02\xc0\x2a" * 3])
    if behaviour == "garbage":
        return struct.pack("!H", question.id) + b"\x84\x00" + b"\xff" * 40
    raise ValueError(f"no such behaviour: {behaviour}")


class Datagrams(asyncio.DatagramProtocol):
    def __init__(self, entry: dict):
        self.entry = entry

    def connection_made(self, transport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, address) -> None:
        try:
            answer = respond(self.entry, data, tcp=False)
        except (ValueError, IndexError, struct.error):
            return
        if answer is not None:
            self.transport.sendto(answer, address)


async def start(entry: dict) -> None:
    async def serve(reader, writer) -> None:
        try:
            while True:
                size = struct.unpack("!H", await reader.readexactly(2))[0]
                answer = respond(entry, await reader.readexactly(size), tcp=True)
                if answer is None:
                    await reader.read()
                    break
                writer.write(struct.pack("!H", len(answer)) + answer)
                await writer.drain()
        except (OSError, EOFError, ValueError, IndexError, struct.error):
            pass
        finally:
            writer.close()

    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(lambda: Datagrams(entry), local_addr=(entry["address"], 53))
    await asyncio.start_server(serve, entry["address"], 53)


if __name__ == "__main__":
    main(start)
