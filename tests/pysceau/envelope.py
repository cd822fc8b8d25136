"""The envelope: header, T, and a body of chunks; written and read as streams."""

import hmac
import io
import os
import struct
from collections import namedtuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from . import identity as ident
from . import kdf, records
from .errors import SceauError

MAGIC = b"SCEAU"
VERSION = SUITE = 1
CHUNK = 65536
TAG = 16
CHANNEL, CODE, RENEWAL = 0x00, 0x01, 0x02
PASSPHRASE = {1: 0x11, 2: 0x12, 3: 0x13}
SOURCES = (0x00, 0x01, 0x02, 0x11, 0x12, 0x13)

Header = namedtuple("Header", "source year sender recipient salt T raw")
Sealed = namedtuple("Sealed", "T D salt")


def header_bytes(source, year, sender, recipient, salt,
                 version=VERSION, suite=SUITE):
    """H: everything before T.  Checks nothing: forgers use it too."""
    return (MAGIC + bytes([version, suite, source]) +
            struct.pack(">H", year) + bytes([len(sender)]) + sender +
            bytes([len(recipient)]) + recipient + salt)


def parse_header(data):
    """The header at the start of data; len(raw) + 32 octets of it."""
    return read_header(io.BytesIO(data))


def _take(f, n):
    data = _read(f, n)
    if len(data) < n:
        raise SceauError("FORMAT", "the header is cut")
    return data


def _read(f, n):
    """n octets, or fewer at the end only (a pipe may give less)."""
    data = f.read(n)
    while data and len(data) < n:
        more = f.read(n - len(data))
        if not more:
            break
        data += more
    return data


def read_header(f):
    head = _take(f, 5)
    if head != MAGIC:
        raise SceauError("FORMAT", "no magic")
    two = _take(f, 1)
    if two[0] != VERSION:
        raise SceauError("VERSION", f"version {two[0]}")
    two += _take(f, 1)
    if two[1] != SUITE:
        raise SceauError("VERSION", f"suite {two[1]}")
    rest = _take(f, 3)
    if rest[0] not in SOURCES:
        raise SceauError("FORMAT", f"source {rest[0]:#x}")
    raw = head + two + rest
    who = []
    for _ in range(2):
        n = _take(f, 1)
        if not ident.MIN <= n[0] <= ident.MAX:
            raise SceauError("FORMAT", f"identity of {n[0]} octets")
        name = _take(f, n[0])
        ident.parse(name)
        who.append(name)
        raw += n + name
    salt = _take(f, 32)
    return Header(rest[0], struct.unpack(">H", rest[1:])[0], who[0], who[1],
                  salt, _take(f, 32), raw + salt)


def _nonce(n):
    return struct.pack(">IQ", 0, n)


class Writer:
    """Cuts what is written into chunks; close() writes the short last one."""

    def __init__(self, out, body_key):
        self.out = out
        self.aead = ChaCha20Poly1305(body_key)
        self.n = 0
        self.buf = bytearray()

    def write(self, data):
        self.buf += data
        while len(self.buf) >= CHUNK:
            self._seal(bytes(self.buf[:CHUNK]))
            del self.buf[:CHUNK]

    def _seal(self, chunk):
        self.out.write(self.aead.encrypt(_nonce(self.n), chunk, None))
        self.n += 1

    def close(self):
        self._seal(bytes(self.buf))
        self.buf.clear()


def _source_of(mail):
    """(open stream, length) of octets, of a path or of a seekable file."""
    if isinstance(mail, (bytes, bytearray)):
        return io.BytesIO(mail), len(mail)
    if isinstance(mail, (str, os.PathLike)):
        return open(mail, "rb"), os.stat(mail).st_size
    end = mail.seek(0, 2)
    mail.seek(0)
    return mail, end


def _blocks(f, n=CHUNK):
    while True:
        block = f.read(n)
        if not block:
            return
        yield block


def digest_of(mail):
    """D, from octets, a path or a seekable file; None counts as nothing."""
    h = kdf.hasher()
    if mail is not None:
        for block in _blocks(_source_of(mail)[0]):
            h.update(block)
    return h.digest()


def payload(recs, mail=None):
    """The octets of a payload: records, MAIL, END, zeros; piece by piece."""
    prefix, size = records.prefix(recs, mail), 0
    n = len(prefix)
    yield prefix
    if mail is not None:
        f, size = _source_of(mail)
        yield from _blocks(f)
        n += size + 1
        yield b"\0"
    zeros = records.padded(n) - n
    while zeros > 0:
        yield bytes(min(zeros, CHUNK))
        zeros -= CHUNK


def seal(out, channel, year, sender, recipient, recs, mail=None,
         source=CHANNEL, rnd=None, salt=None):
    """Seal records and a mail: two passes, any size.  Sealed(T, D, salt).

    channel: C, or a passphrase (octets) for the three levels of Argon2id;
    recs: (type, value) pairs in order, without MAIL and END;
    mail: octets, path, seekable file, or None;
    rnd: 32 octets, random if not given; salt: only for attacks.
    """
    digest = digest_of(mail)
    phrase = source in PASSPHRASE.values()
    if salt is None:
        salt = kdf.hedged_salt(kdf.ZERO if phrase else channel,
                               rnd or os.urandom(32),
                               records.prefix_of(recs, mail), digest)
    if phrase:
        channel = kdf.passphrase_key(source & 3, channel, salt)
    T = seal_raw(out, channel, year, sender, recipient, salt,
                 payload(recs, mail), source)
    return Sealed(T, digest, salt)


def seal_raw(out, channel, year, sender, recipient, salt, pieces,
             source=CHANNEL, version=VERSION, suite=SUITE):
    """Seal any octets at all as a payload: what a forger with a key can do."""
    head = header_bytes(source, year, sender, recipient, salt, version, suite)
    T, body_key = kdf.message_keys(channel, head)
    out.write(head + T)
    w = Writer(out, body_key)
    for piece in pieces:
        w.write(piece)
    w.close()
    return T


def sealed(*args, **kw):
    """seal() into octets: (envelope, Sealed)."""
    out = io.BytesIO()
    info = seal(out, *args, **kw)
    return out.getvalue(), info


class Reader:
    """Reads an envelope from a file object: header, then key(), then chunks().

    Nothing that chunks() yields may be used before it has come to its end.
    """

    def __init__(self, f):
        self.f = f
        self.header = read_header(f)

    def key(self, channel):
        """channel: C, or the passphrase.  HEADER if T does not say so."""
        h = self.header
        if h.source in PASSPHRASE.values():
            channel = kdf.passphrase_key(h.source & 3, channel, h.salt)
        T, body_key = kdf.message_keys(channel, h.raw)
        if not hmac.compare_digest(T, h.T):
            raise SceauError("HEADER", "forged, damaged, or another key")
        self.aead = ChaCha20Poly1305(body_key)
        return self

    def chunks(self):
        n = 0
        while True:
            box = _read(self.f, CHUNK + TAG)
            if len(box) < TAG:
                raise SceauError("TRUNCATED", f"at chunk {n}")
            try:
                yield self.aead.decrypt(_nonce(n), box, None)
            except InvalidTag:
                raise SceauError("BODY", f"chunk {n}") from None
            if len(box) < CHUNK + TAG:
                return
            n += 1

    def payload(self, limit=records.LIMIT_MAIL, sink=None, kind="mail"):
        """All the chunks, then the records: a records.Payload."""
        p = records.Parser(limit, sink, kind)
        try:
            for chunk in self.chunks():
                p.feed(chunk)
        except SceauError as e:
            e.has_mail = p.out.has_mail
            raise
        return p.finish()


def opened(envelope, channel, limit=records.LIMIT_MAIL, kind="mail"):
    """(Header, Payload with .mail) of an envelope held as octets."""
    r = Reader(io.BytesIO(envelope)).key(channel)
    sink = io.BytesIO()
    p = r.payload(limit, sink, kind)
    p.mail = sink.getvalue() if p.has_mail else None
    return r.header, p
