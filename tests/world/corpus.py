"""Mails that others wrote, and mails that break readers.

Corpora of Debian packages (see tests/tools/packages): the email tests of
Python, and the returned mails of flufl.bounce.  ours() gives each the one
From that a member may write, and what the rules want; the rest stays.
"""

import pathlib
import random
import re

PLACES = ("/usr/lib/python3.11/test/test_email/data/msg_*.txt",
          "/usr/lib/python3/dist-packages/flufl/bounce/tests/data/*.txt")
ONCE = (b"from", b"subject", b"date", b"message-id", b"to", b"cc",
        b"reply-to")
FIELD = re.compile(rb"([\x21-\x39\x3b-\x7e]+):(.*)", re.S)


def real():
    """(name, octets) of each mail of the corpora, as the file has it."""
    found = []
    for place in PLACES:
        folder, _, pattern = place.rpartition("/")
        found += sorted(pathlib.Path(folder).glob(pattern))
    return [(p.name, p.read_bytes()) for p in found if p.stat().st_size]


def _fields(head):
    """The fields, folds kept; what is no field is left out."""
    out = []
    for line in head.split(b"\r\n"):
        if line[:1] in b" \t":
            if out and line.strip():
                out[-1][1] += b"\r\n" + line
        elif m := FIELD.fullmatch(line):
            out.append([m[1], m[2]])
    return out


def ours(data, address, number):
    """That mail as a member may send it: CRLF, From of ours, each field
    that may stand once only once, Date and Message-ID."""
    data = re.sub(rb"\r?\n", b"\r\n", data.replace(b"\r\n", b"\n"))
    head, empty, body = data.partition(b"\r\n\r\n")
    if not empty:
        head, body = b"", data
    kept, seen = [b"From: " + address.encode()], {b"from"}
    for name, value in _fields(head):
        low = name.lower()
        if low in seen and low in ONCE or low == b"bcc" or \
                low.startswith(b"x-sceau") or b"\0" in value or \
                b"\r" in value.replace(b"\r\n", b""):
            continue
        seen.add(low)
        kept.append(name + b":" + value)
    if b"date" not in seen:
        kept.append(b"Date: Mon, 23 Nov 2026 08:00:00 +0100")
    if b"message-id" not in seen:
        kept.append(b"Message-ID: <%d@labo.example>" % number)
    return b"\r\n".join(kept) + b"\r\n\r\n" + body


def made(head):
    """(name, octets): bodies that break readers, after that header."""
    rng = random.Random(3)
    octets = bytes(range(256))
    bodies = {
        "nothing": b"", "one octet": b"x", "one line end": b"\r\n",
        "no line end": b"INR 2,1", "NUL": b"a\0b\r\n\0\0\r\n",
        "8 bit": octets * 4, "8 bit, lines": b"\r\n".join(
            octets[32:] for _ in range(9)) + b"\r\n",
        "Latin-1": "Créatinine élevée\r\n".encode("latin-1"),
        "MacRoman": "Créatinine élevée\r\n".encode("mac-roman"),
        "UTF-16": "Créatinine\r\n".encode("utf-16"),
        "bare CR": b"a\rb\r\nc\r", "bare LF": b"a\nb\r\nc\n\nd",
        "CR CR LF": b"a\r\r\nb\r\n", "LF CR": b"a\n\rb\r\n",
        "mixed": b"\r\n\n\r\r\n\n\n\r\r\r\n", "dots": b".\r\n..\r\n.a\r\n.",
        "a dot": b".\r\n", "dot and LF": b"a\n.\nb\r\n.\r\n",
        "SMTP": b"\r\n.\r\nQUIT\r\n", "From ": b"From me\r\n>From you\r\n",
        "long line": b"x" * 200_000 + b"\r\n",
        "long line, no end": b"y" * 200_000, "999": b"z" * 999 + b"\r\n",
        "64 KiB": b"k" * 65_536, "noise": rng.randbytes(300_000),
        "blank lines": b"\r\n" * 5000, "tabs": b"\t \r\n\t\r\n ",
        "looks sealed": b"U0NFQVUBAQAA\r\nU0NFQVUB\r\n",
        "looks like a header": b"From: a@b.example\r\nX-Sceau: x\r\n\r\n",
        "boundary": b"--b\r\n--b--\r\n", "IMAP literal": b"{5}\r\nA1 OK\r\n",
        "POP3 end": b"\r\n.\r\n+OK\r\n", "percent": b"%s%n%d\r\n",
    }
    out = [(name, head(name) + body) for name, body in bodies.items()]
    for n in range(20):
        size = rng.randrange(1, 90_000)
        out.append((f"noise {n}", head(f"noise {n}") + rng.randbytes(size)))
    return out
