#!/usr/bin/env python3
"""Writes every file of vectors but kat.json, which is typed in by hand.

What is accepted and what is refused is said here, by hand, case by case;
octets and digests come from tests/pysceau.  tests/py/test_vectors.py checks
that the files are what this makes, and that pysceau agrees with each.
"""

import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
sys.dont_write_bytecode = True

from make_rules import bulletins, key_choice, minimums, sending_year  # noqa
from make_text import codes, finder, from_, identities, inner  # noqa
from make_wire import (authority, envelopes, keyfiles, padding, payloads,  # noqa
                       relay, seals)

FILES = {
    "padding": padding, "payload": payloads, "envelope": envelopes,
    "seal": seals, "keyfile": keyfiles, "relay": relay,
    "authority": authority, "identity": identities, "code": codes,
    "from": from_, "inner": inner, "finder": finder,
    "sending-year": sending_year, "key-choice": key_choice,
    "bulletins": bulletins, "minimums": minimums}


def octets_as_hex(value):
    """Octets anywhere in a vector become hexadecimal, their key _hex."""
    if isinstance(value, dict):
        return {k + "_hex" if isinstance(v, bytes) else k: octets_as_hex(v)
                for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [octets_as_hex(v) for v in value]
    return value.hex() if isinstance(value, bytes) else value


def text_of(name):
    rows = [octets_as_hex(v) for v in FILES[name]()]
    names = [v["name"] for v in rows]
    assert len(set(names)) == len(names), name
    lines = [" " + json.dumps(v, ensure_ascii=True) for v in rows]
    text = "[\n" + ",\n".join(lines) + "\n]\n"
    assert len(text) < 300000, name
    return text


def main():
    for name in FILES:
        with open(os.path.join(HERE, name + ".json"), "w") as f:
            f.write(text_of(name))


if __name__ == "__main__":
    main()
