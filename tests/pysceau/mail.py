"""An envelope on the wire: wrapped in a mail, and found again."""

import base64
import io
import os
import time as clock
from email.utils import formatdate

from .errors import NotSealed, SceauError

START = b"U0NFQVU"                  # any version; octet 5 decides
ALPHABET = (b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
            b"0123456789+/")
_VALUE = {c: i for i, c in enumerate(ALPHABET)}

TEXT = (b"Ce message est scell\xc3\xa9 : ouvrez-le avec sceau.\r\n"
        b"This message is sealed: open it with sceau.\r\n")


class Decoder:
    """Strict base64 of one envelope; blanks are the caller's to drop."""

    def __init__(self, sink):
        self.sink = sink
        self.quad = b""
        self.pad = None             # '=' still allowed, once one was seen

    def line(self, text):
        if self.pad is None:
            body, eq, rest = text.partition(b"=")
            self._symbols(body)
            if not eq:
                return
            self.pad = {2: 2, 3: 1}.get(len(self.quad), 0)
            text = eq + rest
        if text.strip(b"=") or len(text) > self.pad:
            raise SceauError("FORMAT", "data after the padding")
        self.pad -= len(text)

    def _symbols(self, body):
        if body.translate(None, ALPHABET):
            raise SceauError("FORMAT", "a foreign character")
        body = self.quad + body
        whole = len(body) // 4 * 4
        self.sink.write(base64.b64decode(body[:whole]))
        self.quad = body[whole:]

    def end(self):
        n = len(self.quad)
        if n == 1:
            raise SceauError("FORMAT", "one symbol is too many")
        if n == 0:
            return
        if _VALUE[self.quad[-1]] & (0x0F if n == 2 else 0x03):
            raise SceauError("FORMAT", "bits that mean nothing are set")
        tail = base64.b64decode(self.quad + b"A" * (4 - n))
        self.sink.write(tail[:n - 1])


class Finder:
    """Looks for the one envelope in the raw octets of a mail, line by line.

    feed() takes pieces of any size; finish() raises NotSealed when there was
    none and FORMAT when there were two or more, or one that is damaged.  The
    octets of the first go to sink as they come.
    """

    def __init__(self, sink):
        self.sink = sink
        self.rest = b""
        self.found = 0
        self.inside = None
        self.error = None

    def feed(self, piece):
        self.rest += piece
        *lines, self.rest = self.rest.split(b"\n")
        for line in lines:
            self._line(line)

    def _line(self, line):
        if self.inside is None:
            if not line.startswith(START):
                return
            self.found += 1
            self.inside = Decoder(self.sink if self.found == 1
                                  else io.BytesIO())
        text = line.translate(None, b" \t\r")
        if not text or line.startswith(b"--"):
            return self._guard(self.inside.end, True)
        self._guard(lambda: self.inside.line(text), False)

    def _guard(self, step, last):
        if self.error is None:
            try:
                step()
            except SceauError as e:
                self.error = e
        if last:
            self.inside = None

    def finish(self):
        if self.rest:
            self._line(self.rest)
        if self.inside is not None:
            self._guard(self.inside.end, True)
        if self.found == 0:
            raise NotSealed()
        if self.found > 1:
            raise SceauError("FORMAT", f"{self.found} envelopes in one mail")
        if self.error is not None:
            raise self.error


def find(data):
    """The envelope in a mail held as octets."""
    sink = io.BytesIO()
    f = Finder(sink)
    f.feed(data)
    f.finish()
    return sink.getvalue()


def base64_lines(f, columns=76, eol=b"\r\n"):
    """The text of an envelope read from f, piece by piece."""
    n = columns * 3 // 4
    while True:
        piece = f.read(n * 1000)
        if not piece:
            return
        lines = [base64.b64encode(piece[i:i + n]) for i in
                 range(0, len(piece), n)]
        yield eol.join(lines) + eol


def wrap_to(out, env, route_from, route_to, date=None, message_id=None,
            boundary=None):
    """The mail that carries an envelope (octets or file object)."""
    f = io.BytesIO(env) if isinstance(env, bytes) else env
    boundary = boundary or "=_" + os.urandom(12).hex()
    if message_id is None:
        message_id = "<%s@%s>" % (os.urandom(16).hex(),
                                  route_from.rpartition("@")[2])
    if date is None:
        date = formatdate(clock.time())
    head = (
        f"From: <{route_from}>\r\nTo: <{route_to}>\r\n"
        "Subject: Message scelle\r\n"
        f"Date: {date}\r\nMessage-ID: {message_id}\r\n"
        "MIME-Version: 1.0\r\n"
        f"Content-Type: multipart/mixed; boundary=\"{boundary}\"\r\n\r\n"
        f"--{boundary}\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n")
    out.write(head.encode())
    out.write(TEXT.replace(b"\xc3\xa9", b"=C3=A9"))
    out.write(
        f"\r\n--{boundary}\r\n"
        "Content-Type: application/vnd.sceau; name=\"message.sceau\"\r\n"
        "Content-Transfer-Encoding: base64\r\n"
        "Content-Disposition: attachment; filename=\"message.sceau\"\r\n\r\n"
        .encode())
    for lines in base64_lines(f):
        out.write(lines)
    out.write(f"\r\n--{boundary}--\r\n".encode())


def wrap(env, route_from, route_to, **kw):
    out = io.BytesIO()
    wrap_to(out, env, route_from, route_to, **kw)
    return out.getvalue()
