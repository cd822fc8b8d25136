"""Damage on the way (P1): whatever octet is flipped and wherever it is cut,
nothing is shown, the right class is held, and cron is told once."""

import random

from pysceau import mail, records
from world.attack import spoiled

HEADER = 124            # of an envelope from labo to dr: H, then T, then body
SAMPLE = 200


def flipped(env, at, bit=1):
    return env[:at] + bytes([env[at] ^ bit]) + env[at + 1:]


def posted(demo, forger, member, envelopes, sender=None):
    demo.post(member, *(forger.wrap(sender or demo.labo, member, e)
                        for e in envelopes))


def envelope_4252(demo, forger):
    env = forger.seal(demo.labo, demo.dr, demo.mail_of("INR 2,1", demo.dr))
    assert len(env) == 4252
    return env


def class_of_flip(env, at, demo):
    """What the specification says of one flipped bit."""
    h = 44 + len(demo.labo.identity) + len(demo.dr.identity)
    to = 12 + len(demo.labo.identity)
    if at in (5, 6):
        return "VERSION"
    if at < 7 or at == 10 or at == to - 1:
        return None             # FORMAT, or the lengths do not fit
    if at < 10:
        return None             # source and year: several
    if at < h + 32:
        return None if at < h - 32 else "HEADER"
    return "BODY"


def test_P1_each_flipped_octet_is_refused(demo, forger):
    """200 of the 4252 positions, all of the header among them, through the
    mailbox; tests/unit flips each one."""
    env = envelope_4252(demo, forger)
    rng = random.Random(1)
    body = 76 + len(demo.labo.identity) + len(demo.dr.identity)
    places = sorted({*range(0, 13), *range(20, body, 3), body, body + 1,
                     len(env) - 17, len(env) - 1,
                     *rng.sample(range(body, len(env)), SAMPLE - 60)})
    assert len(places) >= SAMPLE - 40
    posted(demo, forger, demo.dr, [flipped(env, n) for n in places])
    first = demo.dr.sceau("poll")
    assert first.code == 65, first.text()
    assert demo.dr.new() == [] and demo.dr.documents() == []
    held = demo.dr.held()
    kinds = {"BODY": 0, "HEADER": 0, "VERSION": 0}
    for h in held:
        kinds[h["class"]] = kinds.get(h["class"], 0) + 1
    wanted = [class_of_flip(env, n, demo) for n in places]
    for name in ("BODY", "HEADER", "VERSION"):
        assert kinds[name] >= wanted.count(name), (name, kinds)
    assert kinds["BODY"] == wanted.count("BODY")
    assert set(kinds) <= {"BODY", "HEADER", "VERSION", "NOTFORME", "FORMAT",
                          "NOKEY", "EXPIRED"}, kinds
    # Each is held or, without a readable header, left on the server.
    assert len(held) + len(demo.dr.mail()) >= len(places)
    again = demo.dr.sceau("poll")
    assert again.code == 0, again.text()
    assert demo.dr.new() == []
    posted(demo, forger, demo.dr, [env])
    demo.dr.ok("poll")
    assert len(demo.dr.new()) == 1, "the intact one must still arrive"


def test_each_kind_of_truncation_is_refused(demo, forger):
    """Cut in each part of the envelope, at each edge of a chunk too."""
    mail_ = demo.mail_of("x" * 140_000, demo.dr)
    env = forger.seal(demo.labo, demo.dr, mail_)
    head = 76 + len(demo.labo.identity) + len(demo.dr.identity)
    box = 65_536 + 16
    edges = [head, head + 15, head + 16, head + 17, head + box - 1,
             head + box, head + box + 1, head + box + 15, head + box + 16,
             head + 2 * box, head + 2 * box + 16, len(env) - 16,
             len(env) - 1]
    cuts = [8, 10, 11, 12, 40, head - 33, head - 1, *edges]
    posted(demo, forger, demo.dr, [env[:n] for n in cuts])
    got = demo.dr.sceau("poll")
    assert got.code == 65, got.text()
    assert demo.dr.new() == [] and demo.dr.documents() == []
    assert set(demo.dr.classes()) <= {"TRUNCATED", "BODY", "FORMAT",
                                      "HEADER"}
    classes = demo.dr.classes()
    assert classes.count("TRUNCATED") >= 5 and classes.count("BODY") >= 4
    assert demo.dr.sceau("poll").code == 0


def test_E4_cut_at_the_edge_of_a_chunk_is_truncated(demo, forger):
    """The case for which the last chunk is always short."""
    env = forger.seal(demo.labo, demo.dr, demo.mail_of("x" * 140_000,
                                                       demo.dr))
    head = 76 + len(demo.labo.identity) + len(demo.dr.identity)
    for n in (1, 2):
        demo.fresh()
        posted(demo, forger, demo.dr, [env[:head + n * 65_552]])
        assert demo.dr.sceau("poll").code == 65
        assert demo.dr.classes() == ["TRUNCATED"]
        assert demo.dr.new() == []


def test_E4_chunks_exchanged_or_repeated(demo, forger):
    env = forger.seal(demo.labo, demo.dr, demo.mail_of("x" * 200_000,
                                                       demo.dr))
    head = 76 + len(demo.labo.identity) + len(demo.dr.identity)
    box = 65_552
    a, b = env[head:head + box], env[head + box:head + 2 * box]
    rest = env[head + 2 * box:]
    bad = [env[:head] + b + a + rest, env[:head] + a + a + b + rest,
           env[:head] + b + rest, env + b"\0", env + env[head:]]
    posted(demo, forger, demo.dr, bad)
    assert demo.dr.sceau("poll").code == 65
    assert demo.dr.new() == []
    assert set(demo.dr.classes()) == {"BODY"}
    assert len(demo.dr.held()) == len(bad)


def sent_to(demo, member):
    """What a member's program has mailed since: the envelopes' payloads."""
    return [mail.find(m) for m in member.mail()]


def test_damage_is_told_when_mail_was_seen(demo, forger):
    """0x11 for a mail whose MAIL record was read; nothing for one whose
    authenticated part showed none (2.19.2); once, however often it comes."""
    long_ = forger.seal(demo.labo, demo.dr, demo.mail_of("x" * 140_000,
                                                         demo.dr))
    posted(demo, forger, demo.dr, [flipped(long_, len(long_) - 100)])
    assert demo.dr.sceau("poll").code == 65
    assert demo.dr.classes() == ["BODY"]
    told = sent_to(demo, demo.labo)
    assert len(told) == 1
    _, payload = forger.open(told[0])
    ack = payload.one(records.ACK)
    assert ack["state"] == records.DAMAGED and ack["D"] == bytes(32)
    posted(demo, forger, demo.dr, [flipped(long_, len(long_) - 100)])
    demo.dr.sceau("poll")
    assert len(demo.labo.mail()) == 1, "told twice"


def test_damage_of_what_may_be_no_mail_is_not_told(demo, forger):
    short = envelope_4252(demo, forger)
    posted(demo, forger, demo.dr, [flipped(short, len(short) - 100)])
    assert demo.dr.sceau("poll").code == 65
    assert demo.dr.classes() == ["BODY"]
    assert demo.labo.mail() == []


def test_the_intact_copy_of_a_damaged_mail_is_shown(demo, forger):
    """Damaged, asked for again, sent again by the same envelope: delivered
    without a flag, and the sender knows."""
    data = demo.send("x" * 140_000, demo.dr)
    demo.labo.ok("poll")
    intact, = demo.dr.mail()
    demo.empty(demo.dr)
    demo.post(demo.dr, spoiled(intact, 150_000))
    assert demo.dr.sceau("poll").code == 65
    assert demo.dr.classes() == ["BODY"]
    demo.labo.ok("poll")            # hears 0x11, sends the same again
    if not demo.dr.mail():
        demo.labo.ok("poll")
    assert len(demo.dr.mail()) == 1
    assert mail.find(demo.dr.mail()[0]) == mail.find(intact)
    demo.dr.ok("poll")
    assert demo.dr.shown() == [data]
    assert b"duplicate" not in demo.dr.documents()[0].read_bytes()[:300]
    demo.labo.ok("poll")
    assert demo.labo.states() == {demo.dr.name: "received"}
