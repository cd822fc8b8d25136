#!/usr/bin/env python3
"""One ciphertext that two keys open (PROTOCOL P2), as vault-salamander.txt.

Poly1305 is linear in its blocks: two free blocks are solved for so that the
tags under both body keys are one.  The header is sealed with the first key.
"""
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms  # noqa
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305  # noqa
from pysceau import kdf  # noqa: E402

P = 2 ** 130 - 5
HIGH = 2 ** 128
BLOCKS = 8                      # the last two are free
NONCE = bytes(12)               # chunk 0


def stream(key, counter, n):
    full = struct.pack("<I", counter) + NONCE
    c = Cipher(algorithms.ChaCha20(key, full), None).encryptor()
    return c.update(bytes(n))


def poly_key(key):
    raw = stream(key, 0, 32)
    r = int.from_bytes(raw[:16], "little") & 0x0ffffffc0ffffffc0ffffffc0fffffff
    return r, int.from_bytes(raw[16:], "little")


def solve(keys, text, tag):
    """The two last blocks, or None when they do not fit in 128 bits."""
    rows = []
    for key in keys:
        r, s = poly_key(key)
        n = BLOCKS + 1
        want = (tag - s) % HIGH
        for i in range(BLOCKS - 2):
            block = int.from_bytes(text[16 * i:16 * i + 16], "little") + HIGH
            want -= block * pow(r, n - i, P)
        length = int.from_bytes(struct.pack("<QQ", 0, 16 * BLOCKS), "little")
        want -= (length + HIGH) * r
        rows.append((pow(r, 3, P), pow(r, 2, P), want % P))
    (a, b, u), (c, d, v) = rows
    inv = pow(a * d - b * c, -1, P)
    x, y = (u * d - b * v) * inv % P, (a * v - u * c) * inv % P
    if not all(HIGH <= z < 2 * HIGH for z in (x, y)):
        return None
    return b"".join((z - HIGH).to_bytes(16, "little") for z in (x, y))


def main():
    channels = [bytes([i]) * 32 for i in (1, 2)]
    who = b"demo/labo.central@labo.example#1", b"demo/dr.martin@cabinet.example#1"
    head = (b"SCEAU\1\1\0" + struct.pack(">H", 2026) + bytes([len(who[0])]) +
            who[0] + bytes([len(who[1])]) + who[1] + bytes(range(32)))
    (tag1, key1), (_, key2) = (kdf.message_keys(c, head) for c in channels)
    said = b"INR = 2,1 ... poursuivre".ljust(48), b"INR = 9,8 ARRET IMMEDIAT".ljust(48)
    # The first 48 octets are said[0] under key1; the next 48 said[1] under key2.
    text = bytes(a ^ b for a, b in zip(stream(key1, 1, 48), said[0]))
    text += bytes(a ^ b for a, b in zip(stream(key2, 1, 96)[48:], said[1]))
    for tag in range(2 ** 16):
        free = solve((key1, key2), text, tag)
        if free:
            break
    body = text + free + tag.to_bytes(16, "little")
    for key in key1, key2:
        ChaCha20Poly1305(key).decrypt(NONCE, body, None)
    print("# made by make-salamander.py")
    for name, value in (("channel 1", channels[0]), ("channel 2", channels[1]),
                        ("key 1", key1), ("key 2", key2), ("body", body),
                        ("envelope", head + tag1 + body)):
        print(f"{name} = {value.hex()}")


main()
