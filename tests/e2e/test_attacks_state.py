"""Rows of ATTACKS about delivery and state: D1, D2, D3, D7, D8, M12.  Those
that crash need a build with --enable-fault."""

import base64
import os
import shutil
import signal
import time

import pytest

from pysceau import envelope, kdf, mail, records
from test_attacks_keys import second
from test_crash import faults       # a fixture
from test_watch import believes
from world.attack import acks, t_of
from world.demo import YEAR, mark, stripped
from world.fault import stopped
from world.memory import tree
from world.small import mounted
from world.verdict import settle, shown_once

__all__ = ["faults"]


def sent(demo, forger, text="INR 2,1"):
    """A mail for dr at his server; and what is in it."""
    data = demo.mail_of(text, demo.dr)
    demo.post(demo.dr, forger.mail(demo.labo, demo.dr, data))
    return data


def machine_dies(member, point):
    """All of its processes at once, when one comes to that point."""
    process = member.start("poll", SCEAU_FAULT=f"{point}:stop")
    member.world.wait_until(
        lambda: any(map(stopped, tree(process.pid))), what=point)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)


# D1, P18: said to be on disk, and it is

FILED = ["clerk.sync.before", "keeper.intent.before", "keeper.intent.after",
         "drop.name.before", "drop.name.after", "keeper.delivered.before",
         "keeper.delivered.after", "keeper.ack.before"]


@pytest.mark.parametrize("point", FILED)
def test_P18_D1_no_acknowledgement_before_the_disk(demo, faults, forger, point):
    """Dead at each step: no word of it to labo while it has not its name; in
    the end one, and it is true."""
    data = sent(demo, forger)
    machine_dies(demo.dr, point)
    on_disk = demo.dr.new() != []
    assert on_disk == (FILED.index(point) > FILED.index("drop.name.before"))
    if not on_disk:
        # Without its store nobody knows of it, so nobody can speak of it.
        assert demo.labo.mail() == []
        queue = demo.dr.sceau("queue", "list", "--json")
        assert queue.code == 0 and queue.json() == []
    assert acks(demo, demo.labo, forger) == []
    settle(demo.dr)
    shown_once(demo.dr, [data])
    assert [a["state"] for a in acks(demo, demo.labo, forger)] == [
        records.RECEIVED]


def test_D1_no_room_no_acknowledgement(demo, forger):
    """The disk is full where it is filed, pass after pass."""
    data = sent(demo, forger)
    with mounted(demo.dr.inbox, 0):
        for _ in range(2):
            assert demo.dr.sceau("poll").code == 75
            assert acks(demo, demo.labo, forger) == []
    settle(demo.dr)
    assert demo.dr.shown() == [data]
    assert len(acks(demo, demo.labo, forger)) == 1


# D2, P18: deleted last

DELETED = ["fetch.mail.end", "keeper.fetched.after", "keeper.intent.after",
           "drop.name.after", "keeper.delivered.after", "fetch.release.before"]


@pytest.mark.parametrize("who", ["dr", "durand"])
@pytest.mark.parametrize("point", DELETED)
def test_D2_the_server_keeps_it_to_the_last(demo, faults, forger, who, point):
    """By POP3 and by IMAP: a machine that burns at any of these steps has
    cost nobody his mail."""
    member = getattr(demo, who)
    data = demo.mail_of("INR 2,1", member)
    demo.post(member, forger.mail(demo.labo, member, data))
    machine_dies(member, point)
    assert len(member.mail()) == 1
    for folder in (member.state, member.inbox):
        shutil.rmtree(folder)
        folder.mkdir(mode=0o700)
    member.ok("poll")
    assert member.shown() == [data] and member.mail() == []


# D3, P18: between the name and the journal

@pytest.mark.parametrize("point", ["drop.name.after",
                                   "keeper.delivered.before"])
@pytest.mark.parametrize("taken", [False, True])
def test_D3_a_second_showing_has_a_flag(demo, faults, forger, point, taken):
    """The file found under its name made of T is not made again; when the
    practice has taken it meanwhile, it is shown once more, flagged."""
    data = sent(demo, forger)
    machine_dies(demo.dr, point)
    (path,) = demo.dr.documents()
    first = path.name
    if taken:
        path.unlink()
    time.sleep(1.1)             # names of files are made of the second, too
    settle(demo.dr)
    (path,) = demo.dr.documents()
    assert stripped(path.read_bytes()) == data
    flags = mark(path.read_bytes()).get("flags", "")
    assert ("possible-duplicate" in flags) == taken
    assert taken or path.name == first
    assert t_of(demo.dr, path.name) == t_of(demo.dr, first)
    assert len({a["T"] for a in acks(demo, demo.labo, forger)}) == 1


# D7, P20: what was said once is said again

def test_P20_D7_old_grants_and_bars_said_again_change_nothing(demo, forger):
    """Recorded when they were true, and repeated by the network after."""
    dr, durand = demo.dr, demo.durand
    watch = demo.watch.identity

    def bulletin(number, *bars):
        return forger.wrap(demo.watch, dr, forger.seal(
            watch, dr, None, control=[records.bulletin(number), *bars]))

    old = [bulletin(1), forger.mail(demo.labo, dr, demo.mail_of("1", dr))]
    demo.post(dr, *old)
    dr.ok("poll")
    assert believes(demo, forger, durand, dr)
    demo.post(dr, bulletin(2, records.bar(255, durand.name.encode())),
              forger.wrap(demo.labo, dr, forger.seal(
                  second(demo.labo), dr, demo.mail_of("2", dr))))
    dr.ok("poll")
    shown = len(dr.shown())
    for _ in range(2):
        demo.post(dr, *old)
        dr.sceau("poll")
        for victim in (durand, demo.labo):
            assert not believes(demo, forger, victim, dr)
    assert len(dr.shown()) == shown and set(dr.classes()) == {"BARRED"}
    # What he writes to labo is for the second key, as before.
    demo.empty(demo.labo)
    demo.send("x", demo.labo, sender=dr)
    dr.ok("poll")
    headers = [mail.find(m) for m in demo.labo.mail()]
    assert headers and all(second(demo.labo) in h[:200] for h in headers)


# D8, P18: a key to answer with

def test_D8_a_stranger_is_answered_by_the_key_he_brought(demo, forger):
    """dr's ring holds nothing for beta's Dr Noir; with his first mail it does,
    so he hears that it came.  Without that key, nobody is written to."""
    noir = b"beta/labo.central@labo.example#1"      # whose route we can read
    k = forger.all.K(demo.dr.identity.encode(), YEAR)
    theirs = kdf.channel_key(bytes(range(32, 64)), demo.dr.identity.encode())
    for n, grant in enumerate(([], [records.grant(YEAR, theirs, noir)])):
        data = demo.mail_of(f"INR {n}", demo.dr)
        demo.post(demo.dr, forger.wrap(demo.labo, demo.dr, forger.seal(
            noir, demo.dr, data, grant=False, control=grant,
            key=kdf.channel_key(k, noir))))
        demo.dr.sceau("poll")
        assert demo.dr.shown()[n:] == [data]
        got = [mail.find(m) for m in demo.labo.mail()]
        assert len(got) == n
    header, payload = envelope.opened(got[0], theirs, records.LIMIT_MAIL)
    assert header.recipient == noir
    assert {a["state"] for a in payload.all(records.ACK)} == {
        records.RECEIVED}


# M12: no second, weaker format

def test_M12_a_signed_mail_in_clear_is_nobodys(demo, forger):
    """Signed, with a witness, with our own field before it: it is not sealed,
    so it is ordinary mail, whoever it says it is from."""
    data = demo.mail_of("INR 9,8", demo.dr)
    witness = base64.b64encode(bytes(32)).decode()
    signed = (f"X-Sceau: sender={demo.labo.identity}; path=direct\r\n"
              f"X-Sceau-Witness: {witness}\r\n").encode() + data
    parts = (b"From: " + demo.labo.address.encode() + b"\r\nTo: x\r\n"
             b'Content-Type: multipart/signed; protocol="application/'
             b'vnd.sceau"; boundary=b\r\n\r\n--b\r\n' + data +
             b"\r\n--b\r\nContent-Type: application/vnd.sceau\r\n\r\n" +
             base64.encodebytes(bytes(64)) + b"\r\n--b--\r\n")
    demo.post(demo.dr, signed, parts)
    demo.dr.ok("poll")
    assert demo.dr.documents() == [] and demo.dr.held() == []
    assert len(demo.dr.mail()) == 2
    # A filter opens none of it, and no command makes or checks such a thing.
    for octets in (signed, parts, data):
        got = demo.dr.sceau("open", input=octets)
        assert got.code == 65 and got.stdout == b""
    for word in ("sign", "verify"):
        assert demo.dr.sceau(word).code == 64
