"""sceau and the independent reader and writer open one another's envelopes,
of every size that has an edge in it."""

import io
import os
import random

import pytest

from pysceau import envelope, identity, kdf, records
from world.demo import YEAR

SIZES = (0, 1, 65_535, 65_536, 65_537, 1 << 22, 5_000_000)
BIG = 100_000_000


def content(size):
    return random.Random(size).randbytes(size)


def filters(demo, member):
    """The program with a key store and no configuration at all."""
    def run(*words, input, **more):
        return member.sceau("--store", member.keystore, *words, input=input,
                            **more)
    return run


@pytest.mark.parametrize("size", SIZES)
def test_E5_sealed_by_sceau_opened_by_pysceau(demo, forger, size):
    data = content(size)
    got = filters(demo, demo.labo)("seal", "--to", demo.dr.name, input=data)
    assert got.code == 0, got.text()
    header, payload = forger.open(got.stdout)
    assert payload.mail == data
    assert header.source == envelope.CHANNEL and header.year == YEAR
    assert header.sender == demo.labo.identity.encode()
    assert header.recipient == demo.dr.identity.encode()


@pytest.mark.parametrize("size", SIZES)
def test_sealed_by_pysceau_opened_by_sceau(demo, forger, size):
    data = content(size)
    env = forger.seal(demo.labo, demo.dr, data)
    got = filters(demo, demo.dr)("open", input=env)
    assert got.code == 0, got.text()
    assert got.stdout == data
    assert demo.labo.identity.encode() in got.stderr


def test_the_envelope_is_bare_to_the_octet(demo, forger):
    """What stands on stdout is the envelope of the specification: rebuilt
    from its own salt by the other implementation, it is the same octets."""
    data = demo.mail_of("INR 2,1", demo.dr)
    env = filters(demo, demo.labo)("seal", "--to", demo.dr.name,
                                   input=data).stdout
    header, payload = forger.open(env)
    assert env.startswith(b"SCEAU\x01\x01\x00\x07\xea")
    assert [t for t, _ in payload.records] == [
        records.META, records.GRANT, records.WITNESS]
    me, to = (m.identity.encode() for m in (demo.labo, demo.dr))
    assert payload.one(records.GRANT) == {
        "year": YEAR, "identity": me, "key": forger.key(demo.dr, demo.labo)}
    witness = kdf.witness(kdf.witness_key(forger.all.K(me, YEAR)),
                          payload.one(records.META)["time"], to,
                          envelope.digest_of(data))
    assert payload.one(records.WITNESS)["witness"] == witness
    again, _ = envelope.sealed(forger.key(demo.labo, demo.dr), YEAR, me, to,
                               payload.records, data, salt=header.salt)
    assert again == env


def test_to_whom(demo, forger):
    """A key: directly.  A full name without one: to the gateway, with a
    ROUTE.  A plain address that nobody has: 67 and nothing."""
    seal = filters(demo, demo.labo)
    for name in (demo.dr.name, demo.dr.address, demo.dr.address.upper()):
        got = seal("seal", "--to", name, input=b"x")
        assert got.code == 0, got.text()
        assert forger.open(got.stdout)[0].recipient.decode() == \
            demo.dr.identity
    for name in (demo.petit.name, demo.petit.address):
        header, payload = forger.open(
            seal("seal", "--to", name, input=b"x").stdout)
        assert header.recipient.decode() == demo.hub.identity
        assert payload.one(records.ROUTE)["name"].decode() == demo.petit.name
    got = seal("seal", "--to", "dr.nobody@cabinet.example", input=b"x")
    assert got.code == 67 and got.stdout == b""


@pytest.mark.parametrize("size", [200_000, 5_000_000])
def test_open_prints_nothing_unless_all_is_authentic(demo, forger, size):
    """Damages of an envelope of some chunks, held in memory or too large for
    that: nothing on stdout."""
    env = forger.seal(demo.labo, demo.dr, content(size))
    open_ = filters(demo, demo.dr)
    rng = random.Random(2)
    last = len(env) - 1
    places = [0, 5, 6, 7, 9, 10, 11, len(env) - 1] + \
        [rng.randrange(len(env)) for _ in range(12)]
    cuts = [0, 1, 9, 100, last, len(env) - 17, 65_552 + 150, 131_104 + 100]
    bad = [env[:n] + bytes([env[n] ^ 0x40]) + env[n + 1:] for n in places]
    bad += [env[:n] for n in cuts] + [env + b"\0", env + env]
    for data in bad:
        got = open_("open", input=data)
        assert got.stdout == b"", "octets of a refused envelope"
        assert got.code == 65, (got.code, got.text())


def test_others_cannot_open_it(demo, forger):
    env = forger.seal(demo.labo, demo.dr, b"for the doctor only")
    for member in (demo.labo, demo.durand, demo.hub):
        got = filters(demo, member)("open", input=env)
        assert got.code == 65 and got.stdout == b""


@pytest.mark.slow
def test_a_hundred_megabytes_both_ways(demo, forger, tmp_path):
    path = tmp_path / "big"
    with open(path, "wb") as f:
        for n in range(100):
            f.write(random.Random(n).randbytes(BIG // 100))
    sealed = tmp_path / "sealed"
    seal = demo.labo.start("--store", demo.labo.keystore, "seal", "--to",
                           demo.dr.name, stdin=open(path, "rb"))
    digest = kdf.hasher()
    out = seal.stdout.read()
    assert seal.wait() == 0
    reader = envelope.Reader(io.BytesIO(out)).key(
        forger.key(demo.labo, demo.dr))
    payload = reader.payload(sink=_Digest(digest))
    assert payload.mail_size == BIG
    assert digest.digest() == envelope.digest_of(path)
    with open(sealed, "wb") as f:
        envelope.seal(f, forger.key(demo.labo, demo.dr), YEAR,
                      demo.labo.identity.encode(), demo.dr.identity.encode(),
                      [records.meta(1_790_000_000, 0, YEAR, 1)], str(path))
    del out
    opened = demo.dr.start("--store", demo.dr.keystore, "open",
                           stdin=open(sealed, "rb"))
    digest = kdf.hasher()
    while piece := opened.stdout.read(1 << 20):
        digest.update(piece)
    assert opened.wait() == 0
    assert digest.digest() == envelope.digest_of(path)
    assert os.path.getsize(sealed) > BIG
    assert identity.name_of(demo.dr.identity.encode()) == \
        demo.dr.name.encode()


class _Digest:
    def __init__(self, digest):
        self.write = digest.update
