"""The only hash, and every key that is made with it."""

import hashlib
import struct

ZERO = bytes(32)


def kdf(key, label, data, n=32):
    """Keyed BLAKE2b: the label stands in the personalisation field."""
    assert len(key) == 32 and len(label) <= 16
    return hashlib.blake2b(data, key=key, digest_size=n,
                           person=label.encode("ascii")).digest()


def b2sum(data=b""):
    """BLAKE2b-256 without a key: what `b2sum -l 256` prints."""
    return hashlib.blake2b(data, digest_size=32).digest()


def hasher():
    """The same, for what is read piece by piece."""
    return hashlib.blake2b(digest_size=32)


def year2(year):
    return struct.pack(">H", year)


def member_key(root, year, identity):
    return kdf(root, "sceau1.member", year2(year) + identity)


def channel_key(recipient_key, sender):
    """C(sender -> holder of recipient_key)."""
    return kdf(recipient_key, "sceau1.channel", sender)


def message_keys(channel, header):
    """(T, P): what is shown, and what seals the body."""
    both = kdf(channel, "sceau1.message", header, 64)
    return both[:32], both[32:]


def hedged_salt(channel, rnd, prefix, digest):
    """A salt that repeats only if the payload does.

    prefix: the payload up to and with the length of MAIL, or through END;
    digest: D, of nothing when there is no MAIL.
    """
    assert len(rnd) == 32
    return kdf(channel, "sceau1.salt", rnd + b2sum(prefix + digest))


def code_key(year, code):
    assert len(code) == 15
    return kdf(ZERO, "sceau1.code", year2(year) + code)


def renewal_key(old_key, year, code):
    """old_key: K of the same identity, year - 1."""
    assert len(code) == 15
    return kdf(old_key, "sceau1.code", year2(year) + code)


def witness_key(member):
    return kdf(member, "sceau1.witness", b"")


def witness(key, time, recipient, digest):
    """What the association can check, and the recipient cannot make."""
    return kdf(key, "sceau1.proof",
               struct.pack(">Q", time) + recipient + digest)


def code_check(code):
    """The 25th symbol of a code: a number from 0 to 31."""
    return kdf(ZERO, "sceau1.check", code)[0] >> 3


def root_check(root):
    return kdf(root, "sceau1.rootck", b"")[:12]


ARGON2_LEVELS = {1: (2, 64 * 1024), 2: (3, 256 * 1024), 3: (4, 1024 * 1024)}


def passphrase_key(level, phrase, salt):
    """Argon2id 1.3, one lane; salt: the first 16 octets of the header's."""
    from . import argon2
    passes, kib = ARGON2_LEVELS[level]
    return argon2.argon2id(phrase, salt[:16], passes, kib, 1, 32)
