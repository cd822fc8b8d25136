"""Each vector of tests/vectors, recomputed by pysceau; no C is needed."""

import io
import json
import os

import pytest

from pysceau import argon2, code, envelope, kdf, records
from pysceau.errors import SceauError

VECTORS = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                       "..", "vectors")


def load(name):
    with open(os.path.join(VECTORS, name + ".json"), encoding="utf-8") as f:
        return json.load(f)


def each(name, *ops):
    """One test for each vector of a file (of those operations)."""
    rows = [v for v in load(name) if not ops or v["op"] in ops]
    assert rows
    return pytest.mark.parametrize("v", rows, ids=[v["name"] for v in rows])


def unhex(v, key):
    return bytes.fromhex(v[key + "_hex"])


@each("kat", "kdf")
def test_kdf(v):
    got = kdf.kdf(unhex(v, "key"), v["label"], unhex(v, "data"), v["n"])
    assert got.hex() == v["expect_hex"]


@each("kat", "code")
def test_code(v):
    assert code.format(unhex(v, "code")) == v["expect"]
    assert code.parse(v["expect"]) == unhex(v, "code")


@each("kat", "argon2id")
def test_argon2id(v):
    if argon2.library() is None:
        pytest.skip("libargon2 is not installed; plain Python takes minutes")
    got = kdf.passphrase_key(v["level"], v["passphrase"].encode(),
                             unhex(v, "salt"))
    assert got.hex() == v["expect_hex"]


@each("kat", "seal")
def test_seal(v):
    channel, want, mail = unhex(v, "channel"), v["expect"], v["mail"].encode()
    env, info = envelope.sealed(
        channel, v["year"], v["sender"].encode(), v["recipient"].encode(),
        [records.meta(**v["meta"])], mail, rnd=unhex(v, "rnd"))
    assert info.salt.hex() == want["salt_hex"]
    assert info.T.hex() == want["T_hex"]
    assert info.D.hex() == want["D_hex"]
    assert len(env) == want["envelope_octets"]
    assert kdf.b2sum(env).hex() == want["envelope_b2sum_hex"]
    _, p = envelope.opened(env, channel)
    assert p.mail == mail and p.fields == [(records.META, v["meta"])]


def test_argon2id_of_rfc_9106():
    got = argon2.argon2id_plain(b"\1" * 32, b"\2" * 16, 3, 32, 4, 32,
                                b"\3" * 8, b"\4" * 12)
    assert got.hex() == ("0d640df58d78766c08c037a34a8b53c9"
                         "d01ef0452d75b65eb52520e96b01e659")


def test_argon2id_plain_is_the_library():
    if argon2.library() is None:
        pytest.skip("libargon2 is not installed")
    for kib in (8, 64, 200):
        args = (b"correct cheval agrafe", bytes(range(16)), 2, kib, 1, 32)
        assert argon2.argon2id_plain(*args) == argon2.argon2id(*args)
