"""Argon2id version 1.3 (RFC 9106), in plain Python.

Slow, and meant so: it is here to be independent of every library.  Where
libargon2 is installed it is used instead for the real levels, and checked
against this file on small ones.
"""

import ctypes
import ctypes.util
import hashlib
import struct

MASK = (1 << 64) - 1
LOW = (1 << 32) - 1


def h_prime(n, data):
    """The variable-length hash of RFC 9106, 3.3."""
    data = struct.pack("<I", n) + data
    if n <= 64:
        return hashlib.blake2b(data, digest_size=n).digest()
    v = hashlib.blake2b(data).digest()
    out = v[:32]
    while n - len(out) > 64:
        v = hashlib.blake2b(v).digest()
        out += v[:32]
    return out + hashlib.blake2b(v, digest_size=n - len(out)).digest()


def _mix(v, a, b, c, d):
    x, y, z, w = v[a], v[b], v[c], v[d]
    for r1, r2 in ((32, 24), (16, 63)):
        x = (x + y + 2 * (x & LOW) * (y & LOW)) & MASK
        w ^= x
        w = (w >> r1 | w << (64 - r1)) & MASK
        z = (z + w + 2 * (z & LOW) * (w & LOW)) & MASK
        y ^= z
        y = (y >> r2 | y << (64 - r2)) & MASK
    v[a], v[b], v[c], v[d] = x, y, z, w


_QUADS = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
          (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))
_ROWS = [[16 * i + j for j in range(16)] for i in range(8)]
_COLS = [[2 * i + 16 * (j // 2) + j % 2 for j in range(16)]
         for i in range(8)]


def _compress(x, y):
    """G of RFC 9106, 3.5: two blocks of 128 words in, one out."""
    r = [a ^ b for a, b in zip(x, y)]
    v = list(r)
    for lanes in (_ROWS, _COLS):
        for at in lanes:
            for q in _QUADS:
                _mix(v, at[q[0]], at[q[1]], at[q[2]], at[q[3]])
    return [a ^ b for a, b in zip(r, v)]


def _words(octets):
    return list(struct.unpack("<128Q", octets))


class _Addresses:
    """The independent addressing of Argon2i, one block of 128 at a time."""

    def __init__(self, *head):
        self.zero = [0] * 128
        self.input = list(head) + [0] * (128 - len(head))
        self.block = None

    def at(self, i):
        if self.block is None or i % 128 == 0:
            self.input[6] += 1
            self.block = _compress(self.zero, _compress(self.zero,
                                                        self.input))
        return self.block[i % 128]


def _reference(word, t, s, i, q, seg, lane, lanes):
    """The block that block i of a segment takes in (RFC 9106, 3.4)."""
    j1, j2 = word & LOW, word >> 32
    ref_lane = lane if t == 0 and s == 0 else j2 % lanes
    here = ref_lane == lane
    area = s * seg if t == 0 else q - seg
    area += i - 1 if here else (-1 if i == 0 else 0)
    rel = area - 1 - (area * (j1 * j1 >> 32) >> 32)
    start = 0 if t == 0 or s == 3 else (s + 1) * seg
    return ref_lane, (start + rel) % q


def argon2id_plain(phrase, salt, passes, kib, lanes, n, secret=b"", ad=b""):
    h0 = hashlib.blake2b(struct.pack("<6I", lanes, n, kib, passes, 0x13, 2))
    for part in (phrase, salt, secret, ad):
        h0.update(struct.pack("<I", len(part)) + part)
    h0 = h0.digest()
    seg = kib // (4 * lanes)
    q = 4 * seg
    mem = [[None] * q for _ in range(lanes)]
    for lane in range(lanes):
        for i in (0, 1):
            mem[lane][i] = _words(
                h_prime(1024, h0 + struct.pack("<2I", i, lane)))
    for t in range(passes):
        for s in range(4):
            for lane in range(lanes):
                _segment(mem, t, s, lane, lanes, q, seg, passes)
    last = mem[0][q - 1]
    for lane in range(1, lanes):
        last = [a ^ b for a, b in zip(last, mem[lane][q - 1])]
    return h_prime(n, struct.pack("<128Q", *last))


def _segment(mem, t, s, lane, lanes, q, seg, passes):
    still = t == 0 and s < 2        # the part that is Argon2i
    pick = _Addresses(t, lane, s, q * lanes, passes, 2, 0)
    for i in range(2 if t == 0 and s == 0 else 0, seg):
        j = s * seg + i
        prev = mem[lane][j - 1]
        word = pick.at(i) if still else prev[0]
        ref_lane, ref = _reference(word, t, s, i, q, seg, lane, lanes)
        new = _compress(prev, mem[ref_lane][ref])
        if t > 0:
            new = [a ^ b for a, b in zip(new, mem[lane][j])]
        mem[lane][j] = new


def library():
    """libargon2, or None."""
    name = ctypes.util.find_library("argon2")
    if name is None:
        return None
    try:
        return ctypes.CDLL(name)
    except OSError:
        return None


def argon2id(phrase, salt, passes, kib, lanes, n):
    lib = library()
    if lib is None:
        return argon2id_plain(phrase, salt, passes, kib, lanes, n)
    out = ctypes.create_string_buffer(n)
    rc = lib.argon2id_hash_raw(
        ctypes.c_uint32(passes), ctypes.c_uint32(kib), ctypes.c_uint32(lanes),
        phrase, ctypes.c_size_t(len(phrase)), salt,
        ctypes.c_size_t(len(salt)), out, ctypes.c_size_t(n))
    if rc != 0:
        raise MemoryError(f"argon2id: {rc}")
    return out.raw
