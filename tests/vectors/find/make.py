#!/usr/bin/env python3
"""Write the finder's vectors: NAME.eml and NAME.want, beside this file.

The envelope is the known answer of PROTOCOL 2.18, built here again from the
text alone.  NAME.want: "none", "one SHA-256-of-the-envelope" or "FORMAT".
Source: PROTOCOL 2.9, 2.19.19; P13 and P16.
"""
import base64
import hashlib
import os
import struct

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

HERE = os.path.dirname(os.path.abspath(__file__))
LABO = b"demo/labo.central@labo.example#1"
DR = b"demo/dr.martin@cabinet.example#1"


def kdf(key, label, data, n=32):
    return hashlib.blake2b(data, key=key, digest_size=n,
                           person=label.encode()).digest()


def envelope(version=1):
    year = struct.pack(">H", 2026)
    k = kdf(bytes(range(32)), "sceau1.member", year + DR)
    c = kdf(k, "sceau1.channel", LABO)
    mail = (b"From: labo.central@labo.example\r\n"
            b"To: dr.martin@cabinet.example\r\nSubject: INR\r\n"
            b"Date: Thu, 1 Jan 2026 08:00:00 +0100\r\n\r\nINR 2,1\r\n")
    meta = struct.pack(">QIHB", 1767250800, 0, 2026, 1)
    p0 = (b"\x01" + struct.pack(">I", len(meta)) + meta +
          b"\x20" + struct.pack(">I", len(mail)))
    payload = (p0 + mail + b"\0").ljust(4096, b"\0")
    digest = hashlib.blake2b(mail, digest_size=32).digest()
    rnd = bytes(range(0xa0, 0xc0))
    salt = kdf(c, "sceau1.salt",
               rnd + hashlib.blake2b(p0 + digest, digest_size=32).digest())
    head = (b"SCEAU" + bytes([version, 1, 0]) + year +
            bytes([len(LABO)]) + LABO + bytes([len(DR)]) + DR + salt)
    tp = kdf(c, "sceau1.message", head, 64)
    body = ChaCha20Poly1305(tp[32:]).encrypt(bytes(12), payload, b"")
    return head + tp[:32] + body


ENV = envelope()
assert hashlib.blake2b(ENV, digest_size=32).hexdigest() == (
    "b9c60e1f4bf0199f279f914d8adc691cc9094e6c5c03d2b2ebcd4b1864a5ef17")
ONE = "one " + hashlib.sha256(ENV).hexdigest()
HEAD = (b"From: <labo@transport.example>\r\nTo: <dr@transport.example>\r\n"
        b"Subject: Message scelle\r\nDate: Thu, 01 Jan 2026 08:00:00 +0000\r\n"
        b"Message-ID: <0011@transport.example>\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/mixed; boundary="B"\r\n\r\n')
TEXT = (b"--B\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
        b"Ce message est scelle.\r\nThis message is sealed.\r\n")
PART = (b"--B\r\nContent-Type: application/vnd.sceau\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n")
TAIL = b"\r\n--B--\r\n"


def text(data=ENV, cols=76, eol=b"\r\n", blanks=b"", pad=True):
    t = base64.b64encode(data)
    if not pad:
        t = t.rstrip(b"=")
    return b"".join(t[i:i + cols] + blanks + eol
                    for i in range(0, len(t), cols))


def mail(body, part=PART, tail=TAIL, before=TEXT):
    return HEAD + before + part + body + tail


def nested():
    inner = mail(text()).replace(b'"B"', b'"C"').replace(b"--B", b"--C")
    return mail(inner, part=b"--B\r\nContent-Type: message/rfc822\r\n\r\n")


def swap(t, at, c):
    return t[:at] + c + t[at + 1:]


def vectors():
    t = text()
    short = ENV[:4249]  # 4249 = 3 * 1416 + 1: two "=" of padding
    pads = "one " + hashlib.sha256(short).hexdigest()
    s = text(short)
    cut = len(t) // 2
    yield "plain", mail(t), ONE
    yield "cols60", mail(text(cols=60)), ONE
    yield "cols998", mail(text(cols=998)), ONE
    yield "oneline", mail(text(cols=10 ** 6)), ONE
    yield "cols7", mail(text(cols=7)), ONE
    yield "lf", mail(t).replace(b"\r\n", b"\n"), ONE
    yield "mixed-ends", mail(t.replace(b"\r\n", b"\n", 20)), ONE
    yield "trailing-blanks", mail(text(blanks=b" \t ")), ONE
    yield "inner-blanks", mail(swap(t, 30, b" " + t[30:31] + b"\t")), ONE
    yield "leading-blanks", mail(t.replace(b"\r\n", b"\r\n \t", 9)), ONE
    yield "footer-part", mail(t, tail=b"\r\n--B\r\nContent-Type: text/plain"
                              b"\r\n\r\nSent by a provider.\r\n--B--\r\n"), ONE
    yield "boundary-at-once", mail(t, tail=b"--B--\r\n"), ONE
    yield "blank-line-of-tabs", mail(t, tail=b"\t \t\r\nA footer.\r\n"), ONE
    yield "nested-rfc822", nested(), ONE
    yield "part-order", mail(t, before=b"", tail=b"\r\n" + TEXT + TAIL), ONE
    yield "html-around", mail(
        t, before=b"--B\r\nContent-Type: text/html\r\n\r\n"
        b'<img src="http://evil.example/\r\n',
        tail=b'\r\n--B\r\nContent-Type: text/html\r\n\r\n">\r\n--B--\r\n'), ONE
    yield "no-mime", (b"From: x@y.example\r\nSubject: z\r\n\r\n" + t), ONE
    yield "bare", t, ONE
    yield "no-newline", mail(t.rstrip(b"\r\n"), tail=b""), ONE
    yield "no-end", mail(t, tail=b""), ONE
    yield "version2", mail(text(envelope(2))), (
        "one " + hashlib.sha256(envelope(2)).hexdigest())
    yield "padded", mail(s), pads
    yield "missing-padding", mail(text(short, pad=False)), pads
    yield "half-padding", mail(s.replace(b"==", b"=")), pads
    yield "magic-inside", mail(text(ENV + b"\0" * 45 + ENV[:15])), (
        "one " + hashlib.sha256(ENV + b"\0" * 45 + ENV[:15]).hexdigest())
    yield "quoted-reply", mail(t.replace(b"\r\n", b"\r\n> ").join(
        [b"> ", b"\r\n"])), "none"
    yield "not-sealed", mail(b"SGVsbG8K\r\n"), "none"
    yield "magic-after-blank", mail(b" " + t), "none"
    yield "magic-in-line", mail(b"envelope: " + t), "none"
    yield "six-characters", mail(b"U0NFQV\r\nUBAQ\r\n"), "none"
    yield "lower-case", mail(t.swapcase()), "none"
    yield "empty", b"", "none"
    yield "header-only", HEAD, "none"
    yield "long-line", mail(b"x" * 200000 + b"\r\n" + t), ONE
    yield "two", mail(t, tail=b"\r\n" + PART + t + TAIL), "FORMAT"
    yield "two-short", mail(t, tail=b"\r\nU0NFQVU"), "FORMAT"
    yield "nested-twice", nested() + b"\r\n" + t, "FORMAT"
    yield "adjacent", mail(s + t), "FORMAT"
    yield "trailing-bits", mail(s.replace(b"==", b"").rstrip()[:-1] +
                                b"B==\r\n"), "FORMAT"
    yield "after-padding", mail(s + b"AAAA\r\n"), "FORMAT"
    yield "third-padding", mail(s.replace(b"==", b"===")), "FORMAT"
    yield "padding-inside", mail(swap(t, 100, b"=")), "FORMAT"
    yield "foreign", mail(swap(t, 100, b"*")), "FORMAT"
    yield "foreign-nul", mail(swap(t, 100, b"\0")), "FORMAT"
    yield "foreign-8bit", mail(swap(t, 100, b"\xe9")), "FORMAT"
    yield "url-alphabet", mail(swap(t, 100, b"-")), "FORMAT"
    yield "one-dash", mail(t[:780] + b"-\r\n" + t[780:]), "FORMAT"
    yield "footer-glued", mail(t, tail=b"Sent by a provider.\r\n"), "FORMAT"
    yield "header-line-inside", mail(t[:cut] + b"\r\nX-A: b\r\n" +
                                     t[cut:]), "FORMAT"
    yield "one-symbol-left", mail(b"U0NFQVUBA\r\n"), "FORMAT"
    yield "prose", mail(b"U0NFQVU is how an envelope begins.\r\n"), "FORMAT"


def main():
    for name, eml, want in vectors():
        with open(os.path.join(HERE, name + ".eml"), "wb") as f:
            f.write(eml)
        with open(os.path.join(HERE, name + ".want"), "w") as f:
            f.write(want + "\n")


main()
