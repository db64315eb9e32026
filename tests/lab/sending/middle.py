# SPDX-License-Identifier: Apache-2.0
"""The one in the middle: mail servers in the place of the true ones, and a name server that lies where it pays."""

from __future__ import annotations

import socket
import threading

from sending import net
from sending.far import HIDDEN_DNS, NAME_SERVERS
from sending.mail_hosts import MailHost
from servers import dns

ADDRESS = "10.64.90.1"  # of all that the one in the middle runs under names of its own
EVIL_HOST = "mx.evil.others.test"


class Liar:
    """Sits at the name servers' addresses: `lies` are answered as they say (None: no such name), the rest is passed on."""

    def __init__(self) -> None:
        self.lies: dict[tuple[str, str], object] = {}
        self.told = 0
        self.sockets = []
        for address in NAME_SERVERS.values():
            with net.entered("middle"):
                made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                made.setsockopt(socket.SOL_IP, 15, 1)  # IP_FREEBIND
                made.bind((address, 53))
            self.sockets.append(made)
            threading.Thread(target=self._serve, args=(made,), daemon=True).start()

    def _serve(self, here: socket.socket) -> None:
        while True:
            try:
                data, sender = here.recvfrom(65536)
            except OSError:
                return
            threading.Thread(target=self._answer, args=(here, data, sender), daemon=True).start()

    def _answer(self, here: socket.socket, data: bytes, sender) -> None:
        question = dns.Question(data)
        kind = dns.NAMES.get(question.type, "")
        if (question.name, kind) in self.lies:
            self.told += 1
            lie = self.lies[question.name, kind]
            soa = [dns.record(".".join(question.name.split(".")[-2:]), "SOA", None, 1)]
            here.sendto(dns.reply(question, dns.NXDOMAIN, [], soa) if lie is None
                        else dns.reply(question, dns.NOERROR, [dns.record(question.name, kind, lie, 1)]), sender)
            return
        with net.entered("middle"), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as onward:
            onward.settimeout(3)
            onward.sendto(data, (HIDDEN_DNS, 53))
            try:
                here.sendto(onward.recv(65536), sender)
            except OSError:
                pass  # as a lost packet

    def stop(self) -> None:
        for one in self.sockets:
            one.close()


def imposter(true: MailHost) -> MailHost:
    """In the place of this host, without STARTTLS, taking any mail."""
    made = MailHost(true.name, true.address, true.key, true.chain, starttls=False, space="middle").start()
    net.take_over(true.address)
    return made
