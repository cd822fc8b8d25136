"""Each vector of tests/vectors, recomputed by pysceau; no C is needed."""

import base64
import hashlib
import io
import json
import os
import sys

import pytest

from pysceau import (argon2, code, envelope, gate, identity, inner, kdf,
                     keyfile, mail, records, rules)
from pysceau.errors import NotSealed, SceauError

VECTORS = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                       "..", "vectors")
sys.path.insert(0, VECTORS)

import make  # noqa: E402
import make_wire  # noqa: E402


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
    channel, want, text = unhex(v, "channel"), v["expect"], v["mail"].encode()
    env, info = envelope.sealed(
        channel, v["year"], v["sender"].encode(), v["recipient"].encode(),
        [records.meta(**v["meta"])], text, rnd=unhex(v, "rnd"))
    assert info.salt.hex() == want["salt_hex"]
    assert info.T.hex() == want["T_hex"]
    assert info.D.hex() == want["D_hex"]
    assert len(env) == want["envelope_octets"]
    assert kdf.b2sum(env).hex() == want["envelope_b2sum_hex"]
    _, p = envelope.opened(env, channel)
    assert p.mail == text and p.fields == [(records.META, v["meta"])]


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


def verdict(call, *args, **kw):
    """'ok', or the class of the refusal."""
    try:
        call(*args, **kw)
    except SceauError as e:
        return e.cls
    return "ok"


def test_the_files_are_what_the_maker_makes():
    files = {f[:-5] for f in os.listdir(VECTORS) if f.endswith(".json")}
    assert files == set(make.FILES) | {"kat"}
    for name in make.FILES:
        with open(os.path.join(VECTORS, name + ".json")) as f:
            assert f.read() == make.text_of(name), name


@each("padding")
def test_padding(v):
    assert records.padded(v["content"]) == v["expect"]


def in_pieces(v):
    out = b""
    for p in v["payload"]:
        out += bytes.fromhex(p) if isinstance(p, str) else (
            bytes.fromhex(p[0]) * p[1])
    return out


@each("payload")
def test_payload(v):
    data = in_pieces(v)
    assert verdict(records.parse, data, v["limit"]) == v["expect"]
    if len(data) < 10000:
        p = records.Parser(v["limit"])
        for i in range(len(data)):
            p.feed(data[i:i + 1])
        assert verdict(p.finish) == v["expect"]


@pytest.fixture(scope="module")
def bases():
    out = {}
    for v in load("envelope"):
        if "channel_hex" in v:
            text = v["mail"].encode() if "mail" in v else bytes(v["zeros"])
            env, _ = envelope.sealed(
                unhex(v, "channel"), 2026,
                b"demo/labo.central@labo.example#1",
                b"demo/dr.martin@cabinet.example#1",
                [records.meta(1767250800, 0, 2026, 1)], text,
                rnd=bytes(range(0xA0, 0xC0)))
            assert len(env) == v["octets"]
            assert kdf.b2sum(env).hex() == v["b2sum_hex"]
            out[v["base"]] = unhex(v, "channel"), env
    return out


def edited(env, steps):
    for what, *args in steps:
        if what == "put":
            new = bytes.fromhex(args[1])
            assert env[args[0]:args[0] + len(new)] != new
            env = env[:args[0]] + new + env[args[0] + len(new):]
        elif what == "cut":
            env = env[:args[0]]
        elif what == "add":
            env += bytes.fromhex(args[0])
        elif what == "move":
            env = env[:args[1]] + env[args[0]:]
    return env


@each("envelope")
def test_envelope(v, bases):
    channel, env = bases[v["base"]]
    env = edited(env, v["edit"])
    assert verdict(envelope.opened, env, channel) == v["expect"]


@each("seal")
def test_seal_sizes(v):
    body = None if v["zeros"] is None else bytes(v["zeros"])
    channel, want = unhex(v, "channel"), v["expect"]
    env, info = envelope.sealed(
        channel, v["year"], v["sender"].encode(), v["recipient"].encode(),
        [records.meta(**v["meta"])], body, rnd=unhex(v, "rnd"))
    assert (info.salt.hex(), info.T.hex(), info.D.hex()) == (
        want["salt_hex"], want["T_hex"], want["D_hex"])
    assert (len(env), kdf.b2sum(env).hex()) == (want["octets"],
                                                want["b2sum_hex"])
    assert envelope.opened(env, channel)[1].mail == body


@each("keyfile")
def test_keyfile(v):
    data = base64.b64decode(v["file_base64"])
    args = (data, code.parse(v["code"]),
            [bytes.fromhex(k) for k in v["old_keys_hex"]])
    assert keyfile.paper_digits(data) == v["paper"]
    if isinstance(v["expect"], str):
        assert verdict(keyfile.read, *args) == v["expect"]
    else:
        got = keyfile.read(*args)
        assert make.octets_as_hex(
            make_wire.fields_text(got.payload)) == v["expect"]


@each("relay")
def test_relay(v):
    if "witness_key_hex" in v:
        got = [kdf.witness(unhex(v, "witness_key"), v["time"], n.encode(),
                           unhex(v, "D")).hex() for n in v["names"]]
        assert got == v["expect_hex"]
        return
    h, p = envelope.opened(base64.b64decode(v["envelope_base64"]),
                           unhex(v, "channel"))
    roles = {int(n): i.encode() for n, i in v["roles"].items()}
    assert rules.authority(p, h, roles) is None
    want = v["expect"]
    assert (h.sender.decode(), h.recipient.decode(), h.T.hex(),
            p.D.hex()) == (want["sender"], want["recipient"], want["T_hex"],
                           want["D_hex"])
    assert make.octets_as_hex(make_wire.fields_text(p)) == want["records"]
    text = None if p.mail is None else p.mail.decode()
    assert text == want["mail"]


@each("authority")
def test_authority(v):
    content = unhex(v, "content")
    p = records.parse(content + bytes(records.padded(len(content)) -
                                      len(content)))
    h = envelope.Header(0, v["year"], v["sender"].encode(),
                        v["recipient"].encode(), b"", b"", b"")
    roles = {int(n): i.encode() for n, i in v["roles"].items()}
    got = rules.authority(p, h, roles)
    assert ("ok" if got is None else "AUTHORITY") == v["expect"], got


@each("identity")
def test_identity(v):
    assert verdict(identity.parse, v["identity"].encode()) == v["expect"]


@each("code")
def test_codes(v):
    if v["op"] == "format":
        assert code.format(unhex(v, "code")) == v["expect"]
    elif v["op"] == "root":
        assert kdf.root_check(unhex(v, "root")) == unhex(v, "check")
        assert code.root_split(unhex(v, "root"), unhex(v, "part1"),
                               unhex(v, "part2")) == v["expect"]
        assert code.root_join(v["expect"]) == unhex(v, "root")
    elif "expect_hex" in v:
        assert code.parse(v["text"]) == unhex(v, "expect")
    else:
        assert verdict(code.parse, v["text"]) == v["expect"]


@each("from")
def test_from(v):
    text = b"From:" + v["value"].encode() + b"\r\n\r\n"
    assert verdict(inner.check, text, v["address"].encode()) == v["expect"]


@each("inner")
def test_inner(v):
    got = verdict(inner.check, v["mail"].encode(), v["address"].encode())
    assert got == v["expect"]


def found(data, size):
    """What the finder says of a mail given in pieces of a size."""
    sink = io.BytesIO()
    f = mail.Finder(sink)
    for i in range(0, len(data), size):
        f.feed(data[i:i + size])
    try:
        f.finish()
    except NotSealed:
        return "NOTSEALED"
    except SceauError as e:
        return e.cls
    got = sink.getvalue()
    return {"octets": len(got), "b2sum_hex": kdf.b2sum(got).hex()}


@each("finder")
def test_finder(v):
    data = unhex(v, "mail") if "mail_hex" in v else v["mail"].encode()
    for size in (len(data) or 1, 1, 7):
        assert found(data, size) == v["expect"]


@each("sending-year")
def test_sending_year(v):
    years = {int(y): d for y, d in v["years"].items()}
    got = rules.sending_year(years, v["shown"], v["now"], v["mail"])
    assert got == v["expect"]


@each("key-choice")
def test_key_choice(v):
    g, me, peer = gate.Gate(), b"demo/labo@labo.example#1", v["peer"].encode()
    for year in (2026, 2027):
        names = ("from", "send_until", "read_until")
        g.selfs[me, year] = dict(zip(names, keyfile.year_dates(year)))
    for who, year in v["ring"]:
        g.ring[me, who.encode(), year] = b""
    g.min.raise_to(peer, v["minimum"])
    g.shown[peer] = v["shown"]
    got = g.key_for(peer, v["now"])
    assert (got and [got[1].decode(), got[0]]) == v["expect"]


def stepped(v):
    """The minimums after the steps of a vector, and what each said."""
    m, said = rules.Minimums(), []
    for s in v["steps"]:
        if "issuer_bar" in s:
            m.raise_to(s["issuer_bar"][1].encode(), s["issuer_bar"][0])
        elif "proved" in s:
            m.proved(s["proved"].encode())
        else:
            said.append(m.bulletin(s["desk"], s["number"],
                                   [(g, n.encode()) for g, n in s["bars"]]))
    return m, said


@each("bulletins")
def test_bulletins(v):
    m, said = stepped(v)
    want = v["expect"]
    assert (list(m.desk), said) == (want["latest"], want["newer"])
    assert {n: m.of(n.encode()) for n in want["minimums"]} == want["minimums"]


@each("minimums")
def test_minimums(v):
    m, _ = stepped(v)
    assert {n: m.of(n.encode()) for n in v["expect"]} == v["expect"]


FIND = os.path.join(VECTORS, "find")


@pytest.mark.parametrize("name", sorted(
    f[:-4] for f in os.listdir(FIND) if f.endswith(".eml")))
def test_find_files(name):
    with open(os.path.join(FIND, name + ".eml"), "rb") as f:
        data = f.read()
    with open(os.path.join(FIND, name + ".want")) as f:
        want = f.read().split()
    try:
        got = ["one", hashlib.sha256(mail.find(data)).hexdigest()]
    except NotSealed:
        got = ["none"]
    except SceauError as e:
        got = [e.cls]
    assert got == want
