"""A name server on loopback that answers what it is told.

    with NameServer({("_imaps._tcp.x.fr", SRV): [srv(993, "imap.x.fr")]}) as s:
        s.port; s.asked
"""

import socket
import struct
import threading

MX, SRV = 15, 33


def name(text):
    """A name as RFC 1035 3.1 writes it."""
    labels = [t.encode() for t in text.split(".") if t]
    return b"".join(bytes([len(t)]) + t for t in labels) + b"\0"


def srv(port, host, priority=0, weight=0):
    return struct.pack(">3H", priority, weight, port) + name(host)


def mx(host, preference=10):
    return struct.pack(">H", preference) + name(host)


class NameServer:
    """records: {(name, type): [data]}; octets for a whole answer, after its
    identifier."""

    def __init__(self, records=None):
        self.records, self.asked = records or {}, []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def _answer(self, query):
        at, labels = 12, []
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += 1 + query[at]
        kind = struct.unpack(">H", query[at + 1:at + 3])[0]
        key = (".".join(labels).lower(), kind)
        self.asked.append(key)
        found = self.records.get(key, [])
        if isinstance(found, bytes):
            return query[:2] + found
        answers = b"".join(
            b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60, len(d)) + d
            for d in found)
        flags = 0x8180 if found else 0x8183     # no such name
        return query[:2] + struct.pack(
            ">5H", flags, 1, len(found), 0, 0) + query[12:at + 5] + answers

    def _serve(self):
        while True:
            query, peer = self._socket.recvfrom(4096)
            if len(query) < 17:
                return
            self._socket.sendto(self._answer(query), peer)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join()
        self._socket.close()
