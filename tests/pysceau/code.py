"""Codes on paper: 15 octets as 25 symbols; and the parts of a root."""

from . import kdf
from .errors import SceauError

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def format(code):
    """208H4-4RM2M-B1E60-S38DH-R78Y9"""
    assert len(code) == 15
    n = int.from_bytes(code, "big") << 5 | kdf.code_check(code)
    s = "".join(ALPHABET[n >> 5 * i & 31] for i in range(24, -1, -1))
    return "-".join(s[i:i + 5] for i in range(0, 25, 5))


def parse(text):
    """The 15 octets; O is 0, I and L are 1, case and dashes count not."""
    if not text.isascii():
        raise SceauError("FORMAT", "a code has 25 symbols")
    s = text.upper().replace("-", "")
    s = s.replace("O", "0").replace("I", "1").replace("L", "1")
    if len(s) != 25 or any(c not in ALPHABET for c in s):
        raise SceauError("FORMAT", "a code has 25 symbols")
    n = 0
    for c in s:
        n = n << 5 | ALPHABET.index(c)
    code = (n >> 5).to_bytes(15, "big")
    if kdf.code_check(code) != n & 31:
        raise SceauError("FORMAT", "the check symbol is wrong")
    return code


def root_split(root, p1, p2):
    """The three parts; custodian x is given the two that are not part x."""
    p3 = bytes(a ^ b ^ c for a, b, c in zip(root, p1, p2))
    check = kdf.root_check(root)
    return [part_format(p, i, check) for i, p in enumerate((p1, p2, p3), 1)]


def part_format(part, number, check):
    whole = part + bytes([number]) + check
    return [format(whole[i:i + 15]) for i in (0, 15, 30)]


def part_parse(codes):
    whole = b"".join(parse(c) for c in codes)
    return whole[:32], whole[32], whole[33:]


def root_join(parts):
    """The root, from the three parts in any order."""
    got = [part_parse(p) for p in parts]
    if sorted(n for _, n, _ in got) != [1, 2, 3]:
        raise SceauError("FORMAT", "parts 1, 2 and 3 are needed")
    root = bytes(a ^ b ^ c for a, b, c in zip(*(p for p, _, _ in got)))
    if any(check != kdf.root_check(root) for _, _, check in got):
        raise SceauError("FORMAT", "the parts are not of one root")
    return root
