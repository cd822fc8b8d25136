"""pysceau as members of a small association; as a program; as a thief."""

import io
import os
import subprocess
import sys

import pytest

from pysceau import association, envelope, gate, identity, kdf, records
from pysceau import mail as outer
from pysceau.errors import SceauError

ROOTS = {2026: bytes(range(32)), 2027: bytes(range(32, 64))}
LABO, DR = b"demo/labo.central@labo.example", b"demo/dr.martin@cabinet.example"
DURAND = b"demo/dr.durand@cabinet.example"
NOW = 1767250800
MAIL = b"From: labo.central@labo.example\r\nSubject: INR\r\n\r\nINR 2,1\r\n"
HERE = os.path.dirname(os.path.abspath(__file__))


@pytest.fixture
def asso():
    a = association.small(ROOTS[2026], 2026, NOW)
    a.roots = ROOTS
    return a


def member(asso, name, *years):
    return gate.Gate.of(asso, name, *(years or (2026,)))


def test_there_and_back(asso):
    labo, dr = member(asso, LABO), member(asso, DR)
    r = dr.receive(labo.send(DR, MAIL, NOW), NOW)
    assert (r.cls, r.mail, r.flags, r.notes) == (None, MAIL, [], [])
    back = labo.receive(dr.acknowledge(r, NOW), NOW)
    assert back.cls is None and labo.outbox[r.T]["state"] == 2


def test_twice_is_a_duplicate_and_acknowledged_again(asso):
    labo, dr = member(asso, LABO), member(asso, DR)
    env = labo.send(DR, MAIL, NOW)
    first, again = dr.receive(env, NOW), dr.receive(env, NOW)
    assert (first.cls, again.cls) == (None, "DUPLICATE")
    assert again.acks == first.acks


def test_an_acknowledgement_is_not_acknowledged(asso):
    labo, dr = member(asso, LABO), member(asso, DR)
    r = dr.receive(labo.send(DR, MAIL, NOW), NOW)
    assert labo.receive(dr.acknowledge(r, NOW), NOW).acks == []


def test_late(asso):
    labo, dr = member(asso, LABO), member(asso, DR)
    env = labo.send(DR, MAIL, NOW)
    assert dr.receive(env, NOW + 5 * 86400).flags == ["late"]
    ahead = labo.send(DR, MAIL + b"x", NOW + 5 * 86400)
    assert dr.receive(ahead, NOW).flags == ["dated-ahead"]


def test_the_newcomer_is_answerable_at_once(asso):
    labo = member(asso, LABO)
    asso.gen[b"demo/dr.neuf@cabinet.example"] = 1
    new = member(asso, b"demo/dr.neuf@cabinet.example")
    letter = MAIL.replace(b"labo.central@labo", b"dr.neuf@cabinet")
    assert labo.receive(new.send(LABO, letter, NOW), NOW).cls is None
    r = new.receive(labo.send(new.me, MAIL, NOW), NOW)
    assert (r.cls, r.mail) == (None, MAIL)


def test_the_thief_writes_until_the_bulletin(asso):
    dr, labo = member(asso, DR), member(asso, LABO)
    watch = member(asso, association.WATCH)
    before = dr.receive(labo.send(DR, MAIL, NOW), NOW)
    assert before.cls is None
    asso.reissue(LABO)
    notice = watch.send(DR, None, NOW, [records.bulletin(1),
                                        records.bar(2, LABO)])
    assert dr.receive(notice, NOW).cls is None
    assert dr.receive(labo.send(DR, MAIL, NOW), NOW).cls == "BARRED"
    again = member(asso, LABO)
    r = dr.receive(again.send(DR, MAIL, NOW), NOW)
    assert (r.cls, r.sender) == (None, LABO + b"#2")


def test_a_message_of_the_new_generation_ends_the_old(asso):
    dr, thief = member(asso, DR), member(asso, LABO)
    asso.reissue(LABO)
    assert dr.receive(member(asso, LABO).send(DR, MAIL, NOW)).cls is None
    assert dr.receive(thief.send(DR, MAIL, NOW)).cls == "BARRED"


def test_to_an_old_generation_of_mine_only_mail_counts(asso):
    labo = member(asso, LABO)
    old = member(asso, DR)
    asso.reissue(DR)
    new = member(asso, DR)
    new.selfs.update(old.selfs)
    new.roles.update(old.roles)
    ring = dict(new.ring)
    r = new.receive(labo.send(old.me, MAIL, NOW), NOW)
    assert (r.cls, r.flags, r.mail) == (None, ["replaced-key"], MAIL)
    assert new.ring == ring and r.acks[0][1] == 2


def test_an_old_generation_whose_key_is_gone(asso):
    labo, old = member(asso, LABO), member(asso, DR)
    env = labo.send(old.me, MAIL, NOW)
    asso.reissue(DR)
    assert member(asso, DR).receive(env).cls == "EXPIRED"


def test_years_that_are_not_held(asso):
    old, both = member(asso, DR), member(asso, DR, 2026, 2027)
    labo = member(asso, LABO, 2026, 2027)
    labo.shown[DR] = 2027
    env = labo.send(DR, MAIL, 1798800000)
    assert envelope.parse_header(env).year == 2027
    assert old.receive(env).cls == "NOKEY"
    assert both.receive(env).cls is None
    early = labo.send(DR, MAIL, NOW)
    del both.selfs[both.me, 2026]
    assert both.receive(early).cls == "EXPIRED"


def test_not_for_me(asso):
    labo, dr, durand = (member(asso, n) for n in (LABO, DR, DURAND))
    env = labo.send(DR, MAIL, NOW)
    assert durand.receive(env).cls == "NOTFORME"
    r = labo.receive(env)
    assert r.cls == "NOTFORME" and r.returned


def test_nothing_moves_for_a_wrong_T(asso):
    labo, dr = member(asso, LABO), member(asso, DR)
    env = bytearray(labo.send(DR, MAIL, NOW))
    env[100] ^= 1
    r = dr.receive(bytes(env), NOW)
    assert (r.cls, r.acks) == ("HEADER", [])


def test_damage_is_told_to_the_sender(asso):
    labo, dr = member(asso, LABO), member(asso, DR)
    env = labo.send(DR, MAIL, NOW)
    big = labo.send(DR, MAIL + bytes(70000), NOW)
    r = dr.receive(big[:-1], NOW)
    assert r.cls == "BODY" and r.acks[0][1] == 0x11
    # The only chunk is damaged: nothing showed a mail, nothing is said.
    r = dr.receive(env[:-1], NOW)
    assert (r.cls, r.acks) == ("BODY", [])


def forged(asso, sender, recs, to=DR, mail=None):
    return envelope.sealed(asso.C(sender, to, 2026), 2026, asso.id(sender),
                           asso.id(to), [records.meta(NOW, 0, 2026)] + recs,
                           mail)[0]


def test_authority_is_refused_whole(asso):
    dr = member(asso, DR)
    env = forged(asso, LABO, [records.bar(255, DURAND)], mail=MAIL)
    r = dr.receive(env, NOW)
    assert r.cls == "AUTHORITY" and r.mail is None
    assert r.acks[0][1] == 0x10 and dr.min.of(DURAND) == 1


def test_ack_of_another_member(asso):
    labo, dr = member(asso, LABO), member(asso, DR)
    r = dr.receive(labo.send(DR, MAIL, NOW), NOW)
    env = forged(asso, DURAND, [records.ack(r.T, 2, NOW, r.D)], LABO)
    assert labo.receive(env).cls == "AUTHORITY"
    assert labo.outbox[r.T]["state"] is None


def test_unknown_things_are_ignored_and_the_mail_is_delivered(asso):
    dr = member(asso, DR)
    env = forged(asso, LABO, [records.ack(bytes(32), 2, NOW)], mail=MAIL)
    r = dr.receive(env, NOW)
    assert (r.cls, r.mail) == (None, MAIL) and r.notes


def test_a_conflicting_grant_is_skipped(asso):
    labo, dr = member(asso, LABO), member(asso, DR)
    key = dr.ring[dr.me, labo.me, 2026]
    env = forged(asso, LABO, [records.grant(2026, bytes(32), labo.me)],
                 mail=MAIL)
    r = dr.receive(env, NOW)
    assert r.cls is None and r.notes[0].startswith("ALARM")
    assert dr.ring[dr.me, labo.me, 2026] == key


def test_the_mail_of_another_is_not_shown(asso):
    dr = member(asso, DR)
    r = dr.receive(forged(asso, DURAND, [], mail=MAIL), NOW)
    assert (r.cls, r.mail, r.acks[0][1]) == ("INNER", None, 0x10)


def test_through_the_hub(asso):
    hub = member(asso, association.HUB)
    labo, dr = member(asso, LABO), member(asso, DR)
    r = hub.receive(labo.send(association.HUB, MAIL, NOW, routes=[DR]), NOW)
    got = dr.receive(hub.relay(r, DR, NOW), NOW)
    assert (got.cls, got.sender, got.relayed) == (None, labo.me, hub.me)
    assert dr.receive(hub.relay(r, DR, NOW), NOW).cls == "DUPLICATE"
    dr.min.raise_to(LABO, 2)
    assert dr.receive(hub.relay(r, DR, NOW), NOW).cls == "BARRED"


@pytest.mark.parametrize("routes", [
    [DR, DR], [LABO], [association.HUB],
    [b"demo/m%d@x.example" % n for n in range(101)]])
def test_wrong_routes(asso, routes):
    hub, labo = member(asso, association.HUB), member(asso, LABO)
    env = labo.send(association.HUB, MAIL, NOW, routes=routes)
    assert hub.receive(env).cls == "RECORD"


def test_key_files_of_another_issuer(asso):
    dr = member(asso, DR)
    other = association.Association(
        ROOTS, asso.gen, issuer=LABO, watch=None, hub=None)
    data = other.key_file(DR, 2026, bytes(15))
    with pytest.raises(SceauError, match="AUTHORITY"):
        dr.import_key(data, association.paper.format(bytes(15)))


def program(*args, data=b"", ok=0):
    p = subprocess.run([sys.executable, "-B", "-m", "pysceau", *args],
                       input=data, capture_output=True,
                       cwd=os.path.dirname(HERE))
    assert p.returncode == ok, p.stderr
    return p.stdout


def test_the_program(asso, tmp_path):
    k = asso.K(DR, 2026).hex()
    ids = ("--from", asso.id(LABO).decode(), "--to", asso.id(DR).decode())
    env = program("seal", "--member-key", k, *ids, "--year", "2026",
                  data=MAIL)
    text = program("wrap", "--route-from", "a@b.example", "--route-to",
                   "c@d.example", data=env)
    assert program("find", data=text) == env
    assert program("open", "--member-key", k, data=env) == MAIL
    bad = env[:-1] + bytes([env[-1] ^ 1])
    assert program("open", "--member-key", k, data=bad, ok=65) == b""
    folder = tmp_path / "a"
    program("association", str(folder), "--root", ROOTS[2026].hex(),
            "--year", "2026")
    assert len(os.listdir(folder)) == 7


def test_wrap_is_ascii_in_short_lines(asso):
    env = member(asso, LABO).send(DR, MAIL, NOW)
    text = outer.wrap(env, "a@b.example", "c@d.example", boundary="=_x")
    assert text.isascii() and text.count(b"\n") == text.count(b"\r\n")
    assert max(map(len, text.split(b"\r\n"))) <= 76
    assert outer.find(text) == env


def test_the_salt_repeats_only_with_the_payload(asso):
    c, ids = asso.C(LABO, DR, 2026), (asso.id(LABO), asso.id(DR))
    meta = [records.meta(NOW)]
    one, two, three = (
        envelope.sealed(c, 2026, *ids, meta, m, rnd=bytes(32))[1].salt
        for m in (b"a", b"b", b"a"))
    assert one == three != two


def test_a_stream_is_not_held(asso):
    """64 MB go through in pieces: no write is larger than a chunk."""
    class Zeros(io.RawIOBase):
        at, end, widest = 0, 64 << 20, 0

        def seek(self, to, whence=0):
            self.at = self.end if whence == 2 else to
            return self.at

        def read(self, n):
            n = min(n, self.end - self.at)
            self.at += n
            return bytes(n)

        def write(self, data):
            self.widest = max(self.widest, len(data))
    z = Zeros()
    envelope.seal(z, bytes(32), 2026, asso.id(LABO), asso.id(DR),
                  [records.meta(NOW)], z)
    assert z.widest == 65536 + 16


def test_names():
    assert identity.name_of(b"a/b@c.de#12") == b"a/b@c.de"
    assert identity.address_of(b"a/b@c.de#12") == b"b@c.de"
    assert kdf.b2sum(b"").hex()[:8] == "0e5751c0"
