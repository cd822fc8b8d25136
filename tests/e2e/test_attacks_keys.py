"""ATTACKS K and E: each row, through a real mailbox."""

import time

import pytest

from pysceau import association, envelope, identity, kdf, mail, records
from world.attack import acks, refused
from world.demo import YEAR
from world.world import TOP

EVE = b"demo/eve@eve.example#1"


def second(member):
    """The next generation of a member."""
    return (member.name + "#2").encode()


def deliver(demo, member, *messages):
    demo.post(member, *messages)
    return member.ok("poll")


# K1, P6: a stolen ring after the re-issue

def test_K1_a_replaced_generation_is_barred(demo, forger):
    """dr has seen labo#2: what the thief seals as labo#1 is held."""
    new = demo.mail_of("INR 2,1", demo.dr)
    deliver(demo, demo.dr, forger.wrap(demo.labo, demo.dr, forger.seal(
        second(demo.labo), demo.dr, new)))
    assert demo.dr.shown() == [new]
    stolen = forger.seal(demo.labo, demo.dr, demo.mail_of("9,8", demo.dr))
    demo.empty(demo.labo)
    refused(demo, demo.dr, forger.wrap(demo.labo, demo.dr, stolen), "BARRED")


def test_K1_the_watch_desks_bulletin_bars(demo, forger):
    watch = b"demo/veille@demo.example#1"
    notice = forger.seal(watch, demo.dr, None, control=[
        records.bulletin(7), records.bar(2, demo.labo.name.encode())])
    deliver(demo, demo.dr, forger.wrap(demo.labo, demo.dr, notice))
    assert demo.dr.new() == []
    stolen = forger.seal(demo.labo, demo.dr, demo.mail_of("9,8", demo.dr))
    refused(demo, demo.dr, forger.wrap(demo.labo, demo.dr, stolen), "BARRED")
    new = demo.mail_of("INR 2,1", demo.dr)
    deliver(demo, demo.dr, forger.wrap(demo.labo, demo.dr, forger.seal(
        second(demo.labo), demo.dr, new)))
    assert demo.dr.shown() == [new]


def test_K1_an_excluded_name_is_barred_and_not_written_to(demo, forger):
    watch = b"demo/veille@demo.example#1"
    deliver(demo, demo.labo, forger.wrap(demo.dr, demo.labo, forger.seal(
        watch, demo.labo, None, control=[
            records.bulletin(1), records.bar(255, demo.dr.name.encode())])))
    got = demo.labo.sceau("send", demo.dr.address,
                          input=demo.mail_of("INR", demo.dr))
    assert got.code == 67, got.text()
    refused(demo, demo.labo, forger.mail(
        demo.dr, demo.labo, demo.mail_of("x", demo.labo, sender=demo.dr)),
        "BARRED")


# K3: a key travels in an envelope of its own year only

def test_K3_a_grant_of_another_year(demo, forger):
    refused(demo, demo.dr, forger.mail(
        demo.labo, demo.dr, demo.mail_of("INR", demo.dr), grant=False,
        control=[records.grant(YEAR + 1, bytes(32),
                               demo.labo.identity.encode())]),
        "AUTHORITY", records.REFUSED, forger)


# K4, P9: who may say what; each forbidden pair of the table

def forbidden(demo):
    """record, and everybody who may not send it to dr."""
    who = {"labo": demo.labo.identity.encode(),
           "hub": demo.hub.identity.encode(),
           "watch": b"demo/veille@demo.example#1",
           "issuer": b"demo/association@demo.example#1"}
    other = demo.durand.identity.encode()
    name = demo.durand.name.encode()
    T = bytes(range(32))
    rows = [
        (records.grant(YEAR, bytes(32), other), "labo hub watch"),
        (records.ack(T, 1, 1_790_000_000), "labo watch issuer"),
        (records.bulletin(9), "labo hub issuer"),
        (records.bar(9, name), "labo hub"),
        (records.entry(1, other, b"x@evil.example", "Dr X"),
         "labo hub watch"),
        (records.deny(1, name), "labo hub watch"),
        (records.relayed(T, 1_790_000_000, other), "labo watch issuer"),
        (records.relayed_ack(T, 2, 1_790_000_000, bytes(32), name),
         "labo watch issuer"),
        (records.route(name), "labo hub watch issuer"),
        (records.ask(name), "labo hub watch issuer"),
        (records.self_(YEAR, 0, 1, 2, bytes(32), demo.dr.identity.encode()),
         "labo hub watch issuer"),
        (records.role(1, who["labo"]), "labo hub watch issuer"),
    ]
    return [(record, who[name]) for record, names in rows
            for name in names.split()]


def test_K4_each_forbidden_record_is_refused(demo, forger):
    """Every pair in one poll: AUTHORITY, nothing shown, 0x10 for each."""
    pairs = forbidden(demo)
    for record, sender in pairs:
        address = identity.address_of(sender).decode()
        inner = f"From: {address}\r\n\r\n{record[0]} {sender}\r\n".encode()
        env = forger.seal(sender, demo.dr, inner, control=[record])
        demo.post(demo.dr, mail.wrap(env, address, demo.dr.route))
    assert demo.dr.sceau("poll").code == 65
    assert demo.dr.new() == []
    assert demo.dr.classes() == ["AUTHORITY"] * len(pairs)
    assert len(pairs) > 35
    for member in (demo.labo, demo.hub, demo.watch, demo.issuer):
        told = [a["state"] for a in acks(demo, member, forger)]
        assert told == [records.REFUSED] * sum(
            s == member.identity.encode() for _, s in pairs)


def test_K4_a_desk_may_not_be_barred_by_the_watch(demo, forger):
    watch = b"demo/veille@demo.example#1"
    demo.post(demo.dr, forger.wrap(demo.hub, demo.dr, forger.seal(
        watch, demo.dr, None, control=[
            records.bulletin(3), records.bar(9, demo.hub.name.encode())])))
    demo.dr.sceau("poll")
    assert demo.dr.new() == []
    held = demo.dr.classes()
    data = demo.mail_of("INR 2,1", demo.dr, sender=demo.petit)
    deliver(demo, demo.dr, forger.mail(demo.hub, demo.dr, data, control=[
        records.relayed(bytes(32), int(time.time()),
                        demo.petit.identity.encode())]))
    assert demo.dr.shown() == [data]
    assert demo.dr.classes() == held
    # The same of a member counts.
    demo.post(demo.dr, forger.wrap(demo.hub, demo.dr, forger.seal(
        watch, demo.dr, None, control=[
            records.bulletin(4), records.bar(9, demo.petit.name.encode())])))
    demo.dr.ok("poll")
    demo.post(demo.dr, forger.mail(
        demo.petit, demo.dr, demo.mail_of("x", demo.dr, sender=demo.petit)))
    assert demo.dr.sceau("poll").code == 65
    assert demo.dr.classes() == held + ["BARRED"]
    assert demo.dr.shown() == [data]


# K6, K7, P3, P5: sender and recipient bound, one spelling

def test_K6_reflection(demo, forger):
    """What dr sealed, given back to dr; and under its own name."""
    back = forger.seal(demo.dr, demo.labo, demo.mail_of("x", demo.labo,
                                                        sender=demo.dr))
    refused(demo, demo.dr, forger.wrap(demo.labo, demo.dr, back), "NOTFORME")
    demo.fresh()
    own = forger.seal(demo.dr, demo.dr, demo.mail_of("x", demo.dr,
                                                     sender=demo.dr),
                      key=forger.key(demo.dr, demo.dr), grant=False)
    refused(demo, demo.dr, forger.wrap(demo.labo, demo.dr, own), "NOTFORME")


def test_P3_a_key_opens_only_what_it_is_for(demo, forger):
    """Sealed under another pair's key, another direction's, generation's or
    year's, or under one's name with another's key: HEADER, all of them."""
    data = demo.mail_of("INR", demo.dr)
    labo, dr = demo.labo.identity.encode(), demo.dr.identity.encode()
    k = forger.all.K(dr, YEAR)
    wrong = [
        kdf.channel_key(k, EVE), kdf.channel_key(k, second(demo.labo)),
        kdf.channel_key(k, demo.durand.identity.encode()),
        forger.key(demo.dr, demo.labo), forger.key(demo.labo, demo.durand),
        kdf.channel_key(kdf.member_key(bytes(range(32)), YEAR + 1, dr), labo),
        kdf.channel_key(kdf.member_key(bytes(range(32)), YEAR,
                                       second(demo.dr)), labo),
        k, kdf.witness_key(k), bytes(32),
    ]
    for key in wrong:
        demo.post(demo.dr, forger.mail(demo.labo, demo.dr, data, key=key))
    assert demo.dr.sceau("poll").code == 65
    assert demo.dr.classes() == ["HEADER"] * len(wrong)
    assert demo.dr.new() == []
    assert all(m.mail() == [] for m in demo.members.values())


SPELLINGS = [
    b"Demo/labo.central@labo.example#1", b"demo/Labo.central@labo.example#1",
    b"demo/labo.central@LABO.example#1", b"demo/labo.central@labo.example#01",
    b"demo/labo.central@labo.example#0", b"demo/labo.central@labo.example#255",
    b"demo/labo.central@labo.example", b"demo/labo.central@labo.example#",
    b"labo.central@labo.example#1", b"/labo.central@labo.example#1",
    b"demo/labo..central@labo.example#1", b"demo/.labo@labo.example#1",
    b"demo/labo.@labo.example#1", b"demo/labo+x@labo.example#1",
    b"demo/labo.central@labo#1", b"demo/labo.central@-labo.example#1",
    b"demo/labo.central@labo-.example#1", b"demo/labo.central@labo.example.#1",
    b"demo/labo.central@labo..example#1", b"1emo/labo.central@labo.example#1",
    b"demo/labo.central @labo.example#1", b"demo/labo.central@labo.example#1\0",
    "demo/labo.c\u0435ntral@labo.example#1".encode(),
]


def test_K7_other_spellings_of_an_identity(demo, forger):
    """FORMAT before any key is used, even with a right T."""
    dr = demo.dr.identity.encode()
    k = forger.all.K(dr, YEAR)
    for bad in SPELLINGS:
        env, _ = envelope.sealed(kdf.channel_key(k, bad), YEAR, bad, dr,
                                 [records.meta(1_790_000_000, 0, YEAR, 1)],
                                 demo.mail_of("INR", demo.dr))
        demo.post(demo.dr, forger.wrap(demo.labo, demo.dr, env))
    assert demo.dr.sceau("poll").code == 65
    assert demo.dr.new() == []
    assert len(demo.dr.mail()) + len(demo.dr.held()) == len(SPELLINGS)
    assert set(demo.dr.classes()) <= {"FORMAT"}
    assert demo.dr.sceau("poll").code == 0


# K8

def test_K8_a_grant_of_anothers_key(demo, forger):
    """labo gives dr "the key for durand": refused, and dr still writes to
    durand under the right one."""
    refused(demo, demo.dr, forger.mail(
        demo.labo, demo.dr, demo.mail_of("INR", demo.dr), control=[
            records.grant(YEAR, bytes(32), demo.durand.identity.encode())]),
        "AUTHORITY", records.REFUSED, forger)
    demo.empty(demo.labo)
    data = demo.send("x", demo.durand, sender=demo.dr)
    demo.dr.ok("poll")
    demo.durand.ok("poll")
    assert demo.durand.shown() == [data]


def test_K8_a_grant_that_contradicts_is_skipped(demo, forger):
    """Another key for the sender himself: the mail is shown, the alarm is
    raised, the key held before stays."""
    data = demo.mail_of("INR", demo.dr)
    deliver(demo, demo.dr, forger.mail(
        demo.labo, demo.dr, data, grant=False, control=[
            records.grant(YEAR, bytes(32), demo.labo.identity.encode())]))
    assert demo.dr.shown() == [data]
    events = [e["event"] for e in demo.dr.ok("log", "--json").json()]
    assert "grant_conflict" in events
    _, payload = forger.open(mail.find(demo.labo.mail()[0]))
    assert payload.one(records.ACK)["state"] == records.RECEIVED


# K14

@pytest.mark.parametrize("source", [0x01, 0x02, 0x11, 0x12, 0x13, 0x14])
def test_K14_E8_no_code_or_passphrase_is_tried_in_mail(demo, forger, source):
    """Key files and Argon2 levels by mail: refused at once."""
    dr, labo = demo.dr.identity.encode(), demo.labo.identity.encode()
    env, _ = envelope.sealed(forger.key(demo.labo, demo.dr), YEAR, labo, dr,
                             [records.meta(1_790_000_000, 0, YEAR, 1)],
                             demo.mail_of("INR", demo.dr))
    env = env[:7] + bytes([source]) + env[8:]
    demo.post(demo.dr, forger.wrap(demo.labo, demo.dr, env))
    got = demo.dr.sceau("poll")
    assert got.code == 65 and got.seconds < 5
    assert demo.dr.new() == []
    # A key file is kept until somebody imports it.
    assert demo.dr.classes() == (["NOKEY"] if source in (1, 2) else
                                 demo.dr.classes())
    assert set(demo.dr.classes()) <= {"FORMAT", "NOKEY"}
    assert demo.dr.sceau("poll").code == 0


# E1, P2

def salamander():
    lines = (TOP / "tests/vectors/vault-salamander.txt").read_text()
    return {name: bytes.fromhex(value) for name, _, value in
            (line.partition(" = ") for line in lines.splitlines()
             if " = " in line)}


def test_E1_P2_two_keys_open_the_body_but_not_the_envelope(demo, forger):
    """One ciphertext, two keys, two texts on the raw cipher; as an envelope
    it opens under the key of its T alone."""
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
    s = salamander()
    for key in ("key 1", "key 2"):
        ChaCha20Poly1305(s[key]).decrypt(bytes(12), s["body"], None)
    assert s["envelope"].endswith(s["body"])
    refused(demo, demo.dr, forger.wrap(demo.labo, demo.dr, s["envelope"]),
            "HEADER")


# E6

def test_E6_an_acknowledgement_is_no_mail(demo, forger):
    """Control records alone show nothing; nothing answers them (no loop)."""
    for n in range(3):
        demo.post(demo.dr, forger.wrap(demo.labo, demo.dr, forger.seal(
            demo.labo, demo.dr, None, control=[
                records.ack(bytes([n]) * 32, 2, 1_790_000_000)])))
    demo.dr.ok("poll")
    assert demo.dr.new() == [] and demo.dr.held() == []
    assert demo.labo.mail() == []


def test_E6_bad_payloads_are_refused(demo, forger):
    """Grammar of records, END, padding: held as RECORD."""
    data = demo.mail_of("INR", demo.dr)
    meta = records.pack(*records.meta(1_790_000_000, 0, YEAR, 1))
    m = records.pack(records.MAIL, data)

    def pad(content):
        return content + bytes(records.padded(len(content)) - len(content))
    good = meta + m + b"\0"
    fill = data + bytes(4096 - len(meta) - 5 - len(data))
    no_end = meta + records.pack(records.MAIL, fill)
    bad = [pad(m + b"\0"), pad(meta + meta + m + b"\0"),
           pad(meta + m + m + b"\0"), no_end, pad(good + b"\1"),
           good, pad(good) + bytes(4096),
           pad(meta + records.pack(0x30, b"x") + m + b"\0"),
           pad(meta + records.pack(0xFF, b"x") + m + b"\0"),
           pad(meta + b"\x20\xff\xff\xff\xff" + data),
           pad(meta + records.pack(records.WITNESS, bytes(31)) + m + b"\0"),
           pad(m + meta + b"\0")]
    for payload in bad:
        demo.post(demo.dr, forger.wrap(demo.labo, demo.dr, forger.seal_raw(
            demo.labo, demo.dr, payload)))
    ok = forger.seal_raw(demo.labo, demo.dr, pad(
        meta + records.pack(0xFE, b"of a later version") + m + b"\0"))
    demo.post(demo.dr, forger.wrap(demo.labo, demo.dr, ok))
    assert demo.dr.sceau("poll").code == 65
    assert demo.dr.classes() == ["RECORD"] * len(bad)
    assert demo.dr.shown() == [data]


# E7

@pytest.mark.parametrize("at", [5, 6])
def test_E7_no_downgrade(demo, forger, at):
    env = bytearray(forger.seal(demo.labo, demo.dr,
                                demo.mail_of("INR", demo.dr)))
    env[at] = 0 if at == 6 else 2
    refused(demo, demo.dr, forger.wrap(demo.labo, demo.dr, bytes(env)),
            "VERSION")


# E9

def test_E9_sizes_tell_little(demo):
    """600 octets, 3 KB and an acknowledgement: one length on the wire."""
    sizes = set()
    for n in (1, 600, 3000):
        demo.send("x" * n, demo.dr)
    demo.labo.ok("poll")
    sizes |= {len(mail.find(m)) for m in demo.dr.mail()}
    demo.dr.ok("poll")
    sizes |= {len(mail.find(m)) for m in demo.labo.mail()}
    assert len(sizes) == 1, sizes
    lengths = set()
    for n in (6_000, 12_000, 24_000, 30_000):
        demo.send("x" * n, demo.durand)
    demo.labo.ok("poll")
    lengths = {len(mail.find(m)) for m in demo.durand.mail()}
    assert len(lengths) == 3


# Attacks on the gateway

def test_hub_relays_for_nobody_but_members(demo, forger):
    """A mail to relay, sealed by one whose key nobody gave."""
    env = forger.seal(demo.labo, demo.hub, demo.mail_of("INR", demo.petit),
                      key=bytes(32), control=[
                          records.route(demo.petit.name.encode())])
    refused(demo, demo.hub, forger.wrap(demo.labo, demo.hub, env), "HEADER")


def test_hub_relays_no_spoofed_sender(demo, forger):
    """From in the mail to relay is another member's."""
    said = demo.mail_of("9,8", demo.petit, sender=demo.dr)
    env = forger.seal(demo.labo, demo.hub, said, control=[
        records.route(demo.petit.name.encode())])
    demo.post(demo.hub, forger.wrap(demo.labo, demo.hub, env))
    assert demo.hub.sceau("poll").code == 65
    assert demo.hub.classes() == ["INNER"]
    assert demo.petit.mail() == []


def test_hub_too_many_or_wrong_routes(demo, forger):
    names = [b"demo/x%d@y.example" % n for n in range(101)]
    petit, labo = demo.petit.name.encode(), demo.labo.name.encode()
    for routes in (names, [petit, petit], [labo],
                   [demo.hub.name.encode()]):
        env = forger.seal(demo.labo, demo.hub,
                          demo.mail_of("INR", demo.petit),
                          control=[records.route(n) for n in routes])
        demo.post(demo.hub, forger.wrap(demo.labo, demo.hub, env))
    assert demo.hub.sceau("poll").code == 65
    assert demo.hub.classes() == ["RECORD"] * 4
    assert demo.petit.mail() == []


def test_hub_answers_for_an_unknown_or_barred_recipient(demo, forger):
    """RELAYED-ACK 0x10 at once; the known one is served."""
    env = forger.seal(demo.labo, demo.hub, demo.mail_of("INR", demo.petit),
                      control=[records.route(b"demo/nobody@y.example"),
                               records.route(demo.petit.name.encode())])
    demo.post(demo.hub, forger.wrap(demo.labo, demo.hub, env))
    demo.hub.ok("poll")
    assert len(demo.petit.mail()) == 1
    told = acks(demo, demo.labo, forger)
    assert {(a.get("name"), a["state"]) for a in told} == {
        (None, 1), (b"demo/nobody@y.example", 0x10)}


def test_a_relayed_mail_is_never_shown_as_direct(demo, forger):
    """The hub may relay under labo's name; it is shown by whom.  Twice the
    same original, under two envelopes: once."""
    said = demo.mail_of("INR", demo.petit)
    for _ in range(2):
        env = forger.seal(demo.hub, demo.petit, said, control=[
            records.relayed(bytes(32), 1_790_000_000,
                            demo.labo.identity.encode())])
        demo.post(demo.petit, forger.wrap(demo.hub, demo.petit, env))
    demo.petit.ok("poll")
    assert demo.petit.shown() == [said]
    env = forger.seal(demo.hub, demo.petit, said, control=[
        records.relayed(bytes(32), 1_790_000_000,
                        demo.labo.identity.encode())])
    deliver(demo, demo.petit, forger.wrap(demo.hub, demo.petit, env))
    assert demo.petit.shown() == [said]
    assert b"path=relayed" in demo.petit.documents()[0].read_bytes()[:200]


def test_the_association_of_the_tests_is_the_real_one(forger):
    """The forger's keys are those of keys/demo."""
    assert isinstance(forger.all, association.Association)
    assert forger.all.K(b"demo/dr.martin@cabinet.example", YEAR).hex() == \
        "6b5c5ab192f1275ec0fb5cfd2182ff21d46d063f7affab6b069ac93ded2c4b74"
