"""The program and pysceau, each other's sealer and opener.

pysceau was written from sceau-protocol(7) alone, so what the two agree on is
what the page says.  Every wrong envelope is sealed with the right key: only
the rule under test can refuse it.
"""

import io
import json
import os
import pathlib
import subprocess
import sys

import pytest

from pysceau import association, envelope, kdf, records

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
VECTORS = TOP / "tests" / "vectors"
sys.path.insert(0, str(VECTORS))

import make_wire  # noqa: E402

ROOT, YEAR = bytes(range(32)), 2026
LABO, DR = b"demo/labo.central@labo.example", b"demo/dr.martin@cabinet.example"
ISSUER, WATCH, HUB = (b"demo/association@demo.example",
                      b"demo/veille@demo.example",
                      b"demo/passerelle@demo.example")
DURAND = b"demo/cabinet.durand@durand.example"
STORES = {DR: "dr.martin", LABO: "labo.central", HUB: "passerelle",
          ISSUER: "association", WATCH: "veille"}
META = records.meta(1767250800, 0, YEAR, 1)
SIZES = (0, 1, 4070, 4071, 65510, 65511, 65512, 131046, 1000000)


def member_key(name):
    return kdf.member_key(ROOT, YEAR, name + b"#1")


def channel(sender, recipient):
    return kdf.channel_key(member_key(recipient), sender + b"#1")


def sealed(payload, sender=LABO, recipient=DR):
    """Any octets as the payload of an envelope that opens."""
    out = io.BytesIO()
    envelope.seal_raw(out, channel(sender, recipient), YEAR, sender + b"#1",
                      recipient + b"#1", os.urandom(32), [payload])
    return out.getvalue()


@pytest.fixture
def filters(sceau):
    """filters(name, words...): sceau with that member's store."""
    def call(name, *words, data=b""):
        store = TOP / "keys" / "demo" / (STORES[name] + ".store")
        return subprocess.run([sceau, "--store", store, *words], input=data,
                              capture_output=True, timeout=120)
    return call


@pytest.fixture
def judge(filters):
    """judge(envelope, name): 'ok' or 'refused'; never something between."""
    def call(env, name=DR):
        p = filters(name, "open", data=env)
        if p.returncode == 0:
            return "ok"
        assert (p.returncode, p.stdout) == (65, b""), p.stderr
        return "refused"
    return call


def load(name):
    return json.loads((VECTORS / (name + ".json")).read_text("utf-8"))


@pytest.mark.main
@pytest.mark.parametrize("size", SIZES)
def test_sealed_by_the_program(filters, size):
    mail = os.urandom(size)
    p = filters(LABO, "seal", "--to", DR.decode(), data=mail)
    assert p.returncode == 0, p.stderr
    h, got = envelope.opened(p.stdout, channel(LABO, DR))
    assert (h.sender, h.recipient) == (LABO + b"#1", DR + b"#1")
    assert got.mail == mail
    assert [t for t, _ in got.records] == [records.META, records.GRANT,
                                           records.WITNESS]
    grant, meta = got.one(records.GRANT), got.one(records.META)
    assert grant == {"year": YEAR, "identity": LABO + b"#1",
                     "key": channel(DR, LABO)}
    assert got.one(records.WITNESS)["witness"] == kdf.witness(
        kdf.witness_key(member_key(LABO)), meta["time"], DR + b"#1", got.D)


@pytest.mark.main
@pytest.mark.parametrize("size", SIZES)
def test_sealed_by_pysceau(filters, size):
    mail = os.urandom(size)
    env, _ = envelope.sealed(channel(LABO, DR), YEAR, LABO + b"#1",
                             DR + b"#1", [META], mail)
    p = filters(DR, "open", data=env)
    assert (p.returncode, p.stdout) == (0, mail), p.stderr


def test_payloads(judge):
    """vectors/payload.json; what is right but not labo's to say is below."""
    wrong = []
    for v in load("payload"):
        if v["limit"] != records.LIMIT_MAIL or v["name"] in OTHERS_WORDS:
            continue
        data = b"".join(bytes.fromhex(p) if isinstance(p, str)
                        else bytes.fromhex(p[0]) * p[1]
                        for p in v["payload"])
        want = "ok" if v["expect"] == "ok" else "refused"
        if judge(sealed(data)) != want:
            wrong.append(v["name"])
    assert not wrong


OTHERS_WORDS = {
    "to the hub: ROUTEs, then WITNESSes", "ROUTE and WITNESS in turn",
    "from the hub", "bulletin", "enrolment", "ASK and DENY", "BULLETIN 0",
    "BAR generation 1", "ENTRY without route or display name",
    "ENTRY with a display name of 200 octets", "ENTRY with a route of 254"}


def test_what_only_others_may_say(judge):
    """The same payloads from those who may."""
    who = {"bulletin": WATCH, "BULLETIN 0": WATCH,
           "BAR generation 1": WATCH,
           "ENTRY without route or display name": ISSUER,
           "ENTRY with a display name of 200 octets": ISSUER,
           "ENTRY with a route of 254": ISSUER}
    peer = LABO + b"#1"
    rows = {
        "bulletin": [records.bulletin(7), records.bar(2, DURAND),
                     records.bar(255, DURAND)],
        "BULLETIN 0": [records.bulletin(0)],
        "BAR generation 1": [records.bar(1, DURAND)],
        "ENTRY without route or display name": [records.entry(0, peer)],
        "ENTRY with a display name of 200 octets": [
            records.entry(0, peer, b"", "\u00e9" * 100)],
        "ENTRY with a route of 254": [
            records.entry(0, peer, b"a" * 248 + b"@b.com")]}
    wrong = []
    for name, recs in rows.items():
        for sender, want in ((who[name], "ok"), (LABO, "refused")):
            back = records.grant(YEAR, channel(DR, sender), sender + b"#1")
            data = make_wire.rec(META, back, *recs)
            data += bytes(records.padded(len(data)) - len(data))
            if judge(sealed(data, sender)) != want:
                wrong.append((name, sender))
    assert not wrong


def test_edits(judge):
    """vectors/envelope.json: each damage is refused, and nothing printed."""
    bases, wrong = {}, []
    for v in load("envelope"):
        if "channel_hex" in v:
            mail = v["mail"].encode() if "mail" in v else bytes(v["zeros"])
            bases[v["base"]], _ = envelope.sealed(
                bytes.fromhex(v["channel_hex"]), YEAR, LABO + b"#1",
                DR + b"#1", [META], mail, rnd=bytes(range(0xA0, 0xC0)))
        env = bases[v["base"]]
        for what, *args in v["edit"]:
            if what == "put":
                new = bytes.fromhex(args[1])
                env = env[:args[0]] + new + env[args[0] + len(new):]
            elif what == "cut":
                env = env[:args[0]]
            elif what == "add":
                env += bytes.fromhex(args[0])
            else:
                env = env[:args[1]] + env[args[0]:]
        want = "ok" if v["expect"] == "ok" else "refused"
        if judge(env) != want:
            wrong.append(v["name"])
    assert not wrong


@pytest.fixture
def demo_rows(monkeypatch):
    """The rows of the table of authority, with the demonstration's names."""
    a = association.Association(
        {YEAR: ROOT}, {LABO: 1, DR: 1, DURAND: 1}, ISSUER, WATCH, HUB)
    for name, value in (("asso", lambda: a), ("ISSUER", ISSUER),
                        ("WATCH", WATCH), ("HUB", HUB), ("DURAND", DURAND)):
        monkeypatch.setattr(make_wire, name, value)
    return [r for r in make_wire.authority()
            if "no watch desk" not in r["name"]]


# They raise the minimum of their own sender.
OWN = ("GRANT of the own name, other generation, from " + ISSUER.decode(),
       "BAR of the issuer, from " + ISSUER.decode(),
       "BAR of the watch desk, from " + WATCH.decode())


def disagreements(judge, rows):
    wrong = []
    for r in rows:
        sender, recipient = (r[k].encode()[:-2]
                             for k in ("sender", "recipient"))
        data = r["content"]
        data += bytes(records.padded(len(data)) - len(data))
        want = "ok" if r["expect"] == "ok" else "refused"
        if judge(sealed(data, sender, recipient), recipient) != want:
            wrong.append((r["name"], want))
    return wrong


def test_authority(judge, demo_rows):
    rows = [r for r in demo_rows if not r["name"].startswith(OWN)]
    assert not disagreements(judge, rows)


def test_a_notice_that_ends_its_own_sender(judge, demo_rows):
    """It is judged by what was known before it came (2.11, step 6)."""
    rows = [r for r in demo_rows if r["name"].startswith(OWN)]
    assert len(rows) == 3 and not disagreements(judge, rows)


@pytest.mark.parametrize("what", ["sender", "recipient", "key", "me"])
def test_misbound(judge, what):
    """The right form under the wrong key or name: never opened."""
    c, s, r = channel(LABO, DR), LABO + b"#1", DR + b"#1"
    if what == "sender":
        s = DURAND + b"#1"
    elif what == "recipient":
        r = DURAND + b"#1"
    elif what == "key":
        c = channel(DR, LABO)
    else:
        s, c = DR + b"#1", channel(DR, DR)
    env, _ = envelope.sealed(c, YEAR, s, r, [META], b"a")
    assert judge(env) == "refused"
