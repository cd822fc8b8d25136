"""The payload: one list of records, then padding."""

import io
import os
import struct

from . import identity as ident
from . import kdf
from .errors import SceauError

END = 0x00
META, GRANT, ACK, ASK, DENY, BULLETIN, BAR, ENTRY, SELF, ROLE = range(1, 11)
RELAYED, ROUTE, RELAYED_ACK, MAIL, WITNESS = 0x0B, 0x0C, 0x0D, 0x20, 0x81

NAMES = {
    END: "END", META: "META", GRANT: "GRANT", ACK: "ACK", ASK: "ASK",
    DENY: "DENY", BULLETIN: "BULLETIN", BAR: "BAR", ENTRY: "ENTRY",
    SELF: "SELF", ROLE: "ROLE", RELAYED: "RELAYED", ROUTE: "ROUTE",
    RELAYED_ACK: "RELAYED-ACK", MAIL: "MAIL", WITNESS: "WITNESS"}
TYPES = {name: t for t, name in NAMES.items()}

LIMIT_MAIL = 65536                  # control records, before MAIL
LIMIT_DESK = 1024 * 1024            # from the issuer or the watch desk
LIMIT_KEY = 64 * 1024 * 1024        # key files
FOREVER = 2 ** 63 - 1

RELAYED_BY_HUB, RECEIVED, OPENED, REFUSED, DAMAGED = 1, 2, 3, 0x10, 0x11
ACK_STATES = (1, 2, 3, 0x10, 0x11)
ISSUER, HUB, WATCH = 1, 2, 3
EXCLUDED = 255


# -- sizes

def padded(n):
    """How long a payload of n octets, END included, is made."""
    if n <= 4096:
        return 4096
    e = n.bit_length() - 1
    if n <= 65536:
        return n if n == 1 << e else 2 << e
    s = e.bit_length()              # floor(log2 e) + 1
    step = 1 << (e - s)
    return (n + step - 1) // step * step


def pack(type_, value):
    return bytes([type_]) + struct.pack(">I", len(value)) + value


def size_of(mail):
    if isinstance(mail, (bytes, bytearray)):
        return len(mail)
    if isinstance(mail, (str, os.PathLike)):
        return os.stat(mail).st_size
    return mail.seek(0, 2)


def prefix(recs, mail):
    """All that stands before the octets of MAIL; through END without one."""
    head = b"".join(pack(t, v) for t, v in recs)
    if mail is None:
        return head + b"\0"
    return head + bytes([MAIL]) + struct.pack(">I", size_of(mail))


prefix_of = prefix


# -- values: one maker and one reader each

def meta(time, bulletin=0, year=0, version=1):
    return META, struct.pack(">QIHB", time, bulletin, year, version)


def grant(year, key, peer):
    return GRANT, struct.pack(">H", year) + key + peer


def ack(T, state, time, digest=kdf.ZERO):
    return ACK, T + bytes([state]) + struct.pack(">Q", time) + digest


def ask(name):
    return ASK, name


def deny(reason, name):
    return DENY, bytes([reason]) + name


def bulletin(number):
    return BULLETIN, struct.pack(">I", number)


def bar(generation, name):
    return BAR, bytes([generation]) + name


def entry(flags, who, route=b"", display=""):
    if isinstance(display, str):
        display = display.encode()
    return ENTRY, (bytes([flags, len(who)]) + who + bytes([len(route)]) +
                   route + display)


def self_(year, from_, send_until, read_until, key, who):
    return SELF, struct.pack(">HQQQ", year, from_, send_until,
                             read_until) + key + who


def role(number, who):
    return ROLE, bytes([number]) + who


def relayed(T, time, who):
    return RELAYED, T + struct.pack(">Q", time) + who


def route(name):
    return ROUTE, name


def relayed_ack(T, state, time, digest, name):
    return RELAYED_ACK, (T + bytes([state]) + struct.pack(">Q", time) +
                         digest + name)


def witness(value):
    return WITNESS, value


def _bad(text):
    raise SceauError("RECORD", text)


class _Fields:
    """Takes a value apart from the left; what is over is an error."""

    def __init__(self, value):
        self.v = value

    def take(self, n):
        if len(self.v) < n:
            _bad("a value is too short")
        part, self.v = self.v[:n], self.v[n:]
        return part

    def number(self, n):
        return int.from_bytes(self.take(n), "big")

    def time(self):
        t = self.number(8)
        if t > FOREVER:
            _bad("a date beyond the end of time")
        return t

    def rest(self):
        part, self.v = self.v, b""
        return part

    def identity(self):
        who = self.rest()
        ident.parse(who, "RECORD")
        return who

    def name(self):
        name = self.rest()
        if not ident.valid_name(name):
            _bad("not a name")
        return name

    def one_of(self, values):
        n = self.number(1)
        if n not in values:
            _bad(f"{n} is no such value")
        return n


def _entry(f):
    flags = f.one_of((0, 1, 2, 3, 4))
    who = f.take(f.number(1))
    ident.parse(who, "RECORD")
    where = f.take(f.number(1))
    if len(where) > 254 or not _is_route(where):
        _bad("not a route")
    shown = f.rest()
    try:
        text = shown.decode("utf-8")
    except UnicodeDecodeError:
        _bad("a display name that is not UTF-8")
    if len(shown) > 200 or any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0
                               for c in text):
        _bad("display name")
    return {"flags": flags, "identity": who, "route": where,
            "display": text}


def _is_route(where):
    """Empty, or an addr-spec of printable ASCII."""
    local, at, domain = where.rpartition(b"@")
    return not where or (bool(local and at and domain) and
                         all(32 < c < 127 for c in where))


_READERS = {
    META: lambda f: {"time": f.time(), "bulletin": f.number(4),
                     "year": f.number(2), "version": f.number(1)},
    GRANT: lambda f: {"year": f.number(2), "key": f.take(32),
                      "identity": f.identity()},
    ACK: lambda f: {"T": f.take(32), "state": f.one_of(ACK_STATES),
                    "time": f.time(), "D": f.take(32)},
    ASK: lambda f: {"name": f.name()},
    DENY: lambda f: {"reason": f.one_of((1, 2, 3)), "name": f.name()},
    BULLETIN: lambda f: {"number": f.number(4)},
    BAR: lambda f: {"generation": f.one_of(range(1, 256)),
                    "name": f.name()},
    ENTRY: _entry,
    SELF: lambda f: {"year": f.number(2), "from": f.time(),
                     "send_until": f.time(), "read_until": f.time(),
                     "key": f.take(32), "identity": f.identity()},
    ROLE: lambda f: {"role": f.one_of((1, 2, 3)), "identity": f.identity()},
    RELAYED: lambda f: {"T": f.take(32), "time": f.time(),
                        "identity": f.identity()},
    ROUTE: lambda f: {"name": f.name()},
    RELAYED_ACK: lambda f: {"T": f.take(32), "state": f.one_of(ACK_STATES),
                            "time": f.time(), "D": f.take(32),
                            "name": f.name()},
    WITNESS: lambda f: {"witness": f.take(32)},
}


def read(type_, value):
    """The fields of a record as a dict; RECORD if its grammar is wrong."""
    f = _Fields(bytes(value))
    fields = _READERS[type_](f)
    if f.v:
        _bad(f"{NAMES[type_]} is too long")
    return fields


# -- the order of records

_RANK = {META: 0, GRANT: 1, ROUTE: 3, WITNESS: 3, RELAYED: 4, MAIL: 5}


class Parser:
    """Reads a payload fed in pieces of any size.

    The first error is kept and raised by finish(), after the last chunk: a
    damaged body has precedence over a bad record.  The octets of MAIL go to
    sink as they come.
    """

    def __init__(self, limit=LIMIT_MAIL, sink=None, kind="mail"):
        self.limit = limit
        self.sink = sink
        self.kind = kind
        self.out = Payload()
        self.error = None
        self.buf = bytearray()
        self.n = 0                  # octets of the payload so far
        self.content = None         # octets through END
        self.control = 0
        self.left = None            # octets of MAIL still to come
        self.hash = kdf.hasher()
        self.rank = -1

    def feed(self, piece):
        self.n += len(piece)
        if self.error is not None:
            return
        try:
            self._feed(piece)
        except SceauError as e:
            self.error = e

    def _feed(self, piece):
        piece = self._mail(piece)
        if self.content is not None:
            return self._zeros(piece)
        self.buf += piece
        while self.buf and self.content is None and not self.left:
            if not self._record():
                return

    def _mail(self, piece):
        if not self.left:
            return piece
        part = piece[:self.left]
        self.hash.update(part)
        if self.sink is not None:
            self.sink.write(part)
        self.left -= len(part)
        return piece[len(part):]

    def _zeros(self, piece):
        if piece.strip(b"\0"):
            _bad("something after END")

    def _record(self):
        """One record from the buffer; False when it is not all there."""
        t = self.buf[0]
        if t == END:
            return self._end()
        if self.out.has_mail:
            _bad("a record after MAIL")
        self._known(t)
        if len(self.buf) < 5:
            return False
        size = struct.unpack(">I", self.buf[1:5])[0]
        if t == MAIL:
            return self._begin_mail(size)
        if self.control + 5 + size > self.limit:
            _bad("too many control records")
        if len(self.buf) < 5 + size:
            return False
        self.control += 5 + size
        self._one(t, bytes(self.buf[5:5 + size]))
        del self.buf[:5 + size]
        return True

    def _known(self, t):
        if t == 0xFF or t < 0x80 and t not in NAMES:
            _bad(f"type {t:#04x}")
        if self.rank < 0 and t != META:
            _bad("META is not first")

    def _one(self, t, value):
        if t not in NAMES:
            self.out.skipped.append((t, value))
            return
        self._order(t)
        self.out.records.append((t, value))
        self.out.fields.append((t, read(t, value)))

    def _order(self, t):
        if t == META and self.rank >= 0:
            _bad("a second META")
        rank = _RANK.get(t, 2)
        if self.kind != "mail" and t != META:
            rank = 2                # key files keep an order of their own
        if rank < self.rank or rank == self.rank == 4:
            _bad(f"{NAMES[t]} out of order")
        if self.rank == 4 and t != MAIL:
            _bad("RELAYED without MAIL")
        self.rank = rank

    def _begin_mail(self, size):
        self._order(MAIL)
        self.out.has_mail = True
        self.out.mail_size = self.left = size
        rest = bytes(self.buf[5:])
        self.buf.clear()
        self.buf += self._mail(rest)
        return True

    def _end(self):
        if self.rank < 0:
            _bad("no META")
        if self.rank == 4:
            _bad("RELAYED without MAIL")
        self.content = self.n - len(self.buf) + 1
        self._zeros(bytes(self.buf[1:]))
        self.buf.clear()
        return True

    def finish(self):
        if self.error is None:
            try:
                self._finish()
            except SceauError as e:
                self.error = e
        if self.error is not None:
            self.error.has_mail = self.out.has_mail
            raise self.error
        self.out.D = self.hash.digest()
        return self.out

    def _finish(self):
        if self.content is None:
            _bad("the payload ends before END")
        if self.n != padded(self.content):
            _bad(f"{self.n} octets instead of {padded(self.content)}")
        if self.kind == "key":
            if [t for t, _ in self.out.records].count(SELF) != 1:
                _bad("a key file has one SELF")


class Payload:
    """What was found: records as octets and as fields, D, size of MAIL."""

    def __init__(self):
        self.records = []           # (type, value)
        self.fields = []            # (type, dict)
        self.skipped = []           # unknown ones from 0x80 to 0xFE
        self.has_mail = False
        self.mail_size = None
        self.mail = None
        self.D = None

    def all(self, type_):
        return [f for t, f in self.fields if t == type_]

    def one(self, type_):
        found = self.all(type_)
        return found[0] if found else None


def parse(payload, limit=LIMIT_MAIL, kind="mail"):
    """A payload held as octets."""
    sink = io.BytesIO()
    p = Parser(limit, sink, kind)
    p.feed(payload)
    out = p.finish()
    out.mail = sink.getvalue() if out.has_mail else None
    return out
