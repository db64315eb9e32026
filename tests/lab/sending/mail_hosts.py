# SPDX-License-Identifier: Apache-2.0
"""MX hosts that take mail and remember every line of it, and whether it came under TLS. How each behaves may be
changed while it runs, as an administrator would repair it."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from sending import net


@dataclass
class Mail:
    host: str
    recipient: str
    tls: bool
    server_name: str | None
    text: bytes


@dataclass
class MailHost:
    """`lines`: every command that came in clear, and that came under TLS; `greeted`: who said hello, once a session."""
    name: str
    address: str
    key: str
    chain: str
    starttls: bool = True
    space: str = "far"
    address6: str = ""
    refuse: dict[str, str] = field(default_factory=dict)  # "4" or "6", the family a mail came by -> the reply to it
    onward: Callable[[Mail], None] | None = None          # what is done with a mail besides keeping it
    greeted: list[str] = field(default_factory=list)
    families: list[str] = field(default_factory=list)     # of these sessions
    mails: list[Mail] = field(default_factory=list)
    lines: list[tuple[bool, bytes]] = field(default_factory=list)
    sockets: list[socket.socket] = field(default_factory=list)

    def start(self) -> "MailHost":
        for address in filter(None, (self.address, self.address6)):
            self.open(address)
        return self

    def open(self, address: str) -> None:
        server = net.listen(self.space, address, 25)
        self.sockets.append(server)
        threading.Thread(target=self._accept, args=(server,), daemon=True).start()

    def close(self, address: str) -> None:
        """Nobody answers there any more."""
        for server in [one for one in self.sockets if one.getsockname()[0] == address]:
            self.sockets.remove(server)
            server.shutdown(socket.SHUT_RDWR)  # closing alone leaves a waiting accept() as it is
            server.close()

    def sessions(self, sender: str = "sender.test") -> int:
        """Of this sender: who looks at a policy in testing comes too, and carries no mail."""
        return self.greeted.count(sender)

    def stop(self) -> None:
        for one in self.sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)  # or the accept() that waits keeps the port
            one.close()
        self.sockets.clear()

    def _accept(self, server: socket.socket) -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(60)
        try:
            self._converse(connection)
        except (OSError, ValueError):
            pass  # the sender left, as it may
        finally:
            connection.close()

    def _converse(self, connection: socket.socket) -> None:
        inside, asked, recipients, counted = False, None, [], False
        family = "6" if connection.family == socket.AF_INET6 else "4"
        stream = connection.makefile("rb")

        def say(text: str) -> None:
            connection.sendall(text.encode() + b"\r\n")
        say(f"220 {self.name} ESMTP")
        while line := stream.readline(4096):
            self.lines.append((inside, line.strip()))
            verb = line.strip().upper()
            if verb.startswith(b"EHLO"):
                if not counted:
                    self.greeted.append(line.split()[-1].decode().lower())
                    self.families.append(family)
                counted = True
                offers = [self.name, *(["STARTTLS"] if self.starttls and not inside else []), "8BITMIME"]
                for offer in offers[:-1]:
                    say(f"250-{offer}")
                say(f"250 {offers[-1]}")
            elif verb == b"STARTTLS" and self.starttls and not inside:
                say("220 go ahead")
                names: list[str | None] = []
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(self.chain, self.key)
                context.sni_callback = lambda _c, name, _x: names.append(name)
                connection = context.wrap_socket(connection, server_side=True)
                stream = connection.makefile("rb")
                inside, asked, recipients = True, names[0] if names else None, []
            elif verb.startswith(b"MAIL"):
                recipients = []
                say(self.refuse.get(family, "250 ok"))
            elif verb.startswith(b"RCPT"):
                recipients.append(line.split(b"<")[1].split(b">")[0].decode())
                say("250 ok")
            elif verb == b"DATA":
                say("354 go on")
                text = b""
                while (line := stream.readline(65536)) not in (b".\r\n", b""):
                    text += line
                for recipient in recipients:
                    self.mails.append(Mail(self.name, recipient, inside, asked, text))
                    if self.onward:
                        self.onward(self.mails[-1])
                say("250 taken")
            elif verb == b"QUIT":
                say("221 bye")
                return
            elif verb.startswith((b"RSET", b"NOOP", b"HELO")):
                say("250 ok")
            else:
                say("502 not here")
