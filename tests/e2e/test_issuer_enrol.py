"""The monthly enrolment: mails that tell the members what is new."""

import io
import json
import pathlib
import re

import pytest

from pysceau import envelope, kdf, mail, records
from test_issuer import DOMAIN, HEAD, HUB, LOCALS, PEOPLE, POST, YEAR, Issued
from test_issuer_acts import (  # fixtures among them
    LEROY, MARTIN, NAME, NEXT, bars, date, desk, machine, made, renew, town)
from world.world import World

__all__ = ["date", "desk", "machine", "made", "town"]
PETIT = "Mme Petit,other,"


def enrol(desk, *words, **more):
    return desk.act("enrol", "--out", desk.out, *words, **more)


def mails(desk):
    return sorted((desk.out / "mails").glob("*.eml"))


def enrolment(desk, path, local, year=YEAR):
    """What stands in a mail for that member; its header and its records."""
    r = envelope.Reader(io.BytesIO(mail.find(path.read_bytes())))
    r.key(kdf.channel_key(desk.read(local, year=year).self["key"],
                          r.header.sender))
    return r.header, r.payload(records.LIMIT_DESK)


def test_enrol_refuses(made):
    before = made.files()
    made.act("enrol", check=64)
    made.act("enrol", "--out", made.out, "--since", "yesterday", check=78)
    assert b"Nobody has anything to learn" in enrol(made).stdout
    made.add(HEAD + LEROY)
    added = made.files()
    assert b"6 mails would be made" in enrol(made, "--dry-run").stdout
    assert made.files() == added
    assert {n for n in added if before.get(n) != added[n]} == {
        "desk/acts", "desk/register", "members.csv"}


def test_enrolment_mails(made):
    made.newcomers(HEAD + LEROY)
    made.act("leave", "infirmiere.petit@petit.example")
    rows = [json.loads(x) for x in enrol(made, "--json").stdout.splitlines()]
    assert [pathlib.Path(r["mail"]) for r in rows] and \
        {pathlib.Path(r["mail"]) for r in rows} == set(mails(made))
    assert [(r["peers"], r["entries"], r["bars"]) for r in rows] == \
        [(1, 1, 1)] * 5 + [(0, 0, 1)]
    path = next(p for p in mails(made) if p.name.startswith("dr.martin."))
    text = path.read_text()
    assert f"To: martin@{POST}" in text.replace("<", "").replace(">", "")
    assert "Subject: Message scelle" in text and "leroy" not in text
    assert path.stat().st_mode & 0o777 == 0o600
    header, p = enrolment(made, path, "dr.martin")
    assert (header.source, header.year) == (envelope.CHANNEL, YEAR)
    assert header.sender == b"essai/association@asso.example#1"
    assert header.recipient == f"{NAME}#1".encode()
    (grant,) = p.all(records.GRANT)
    assert grant["year"] == YEAR and grant["key"] == kdf.channel_key(
        made.read("cab.leroy").self["key"], header.recipient)
    (entry,) = p.all(records.ENTRY)
    assert entry["route"] == f"cab.leroy@{POST}".encode()
    assert bars(Bars(p)) == [(255, "essai/infirmiere.petit@petit.example")]
    # told once; again when asked; and a mail not sent yet is not replaced
    before = made.files()
    assert b"Nobody has anything" in enrol(made).stdout
    made.reissue()
    enrol(made)
    assert len(mails(made)) == 6 + 5
    assert set(before) < set(made.files())
    made.out = made.top / "again"
    enrol(made, "--since", "2020-01-01")
    assert len(mails(made)) == 6
    enrol(made, "--since", "2038-01-01")
    assert len(mails(made)) == 6


class Bars:
    def __init__(self, payload):
        self.bars = payload.all(records.BAR)


@pytest.fixture
def listed(desk):
    """Keys by list; Mme Petit is on none."""
    desk.init(*HUB)
    desk.add()
    desk.batch("--policy", "list")
    return desk


def test_on_more_lists(listed):
    """A laboratory asks for a correspondent: nobody else's key is given."""
    more = PEOPLE.replace(PETIT, PETIT + "biologie")
    before = listed.files()
    said = listed.add(more, "--dry-run").stdout
    assert b"On more lists than before, of these: 1." in said
    assert {k: v for k, v in listed.files().items() if k in before and
            k != "members.csv"} == {k: v for k, v in before.items()
                                    if k != "members.csv"}
    assert b"the gateway carries" in listed.add(more).stdout
    assert "added=0 moved=0 joined=1 held=3 members=7" in \
        (listed.folder / "acts").read_text()
    enrol(listed)
    got = {}
    for path in mails(listed):
        local = path.name.split(f".{YEAR}")[0]
        header, p = enrolment(listed, path, local)
        got[local] = p.all(records.GRANT)
        for g in got[local]:
            peer = g["identity"].split(b"/")[1].split(b"@")[0].decode()
            assert g["key"] == kdf.channel_key(
                listed.read(peer).self["key"], header.recipient)
    petit = b"essai/infirmiere.petit@petit.example#1"
    near = {"veille", "passerelle", "labo.central", "dr.martin"}
    assert set(got) - {"dr.durand"} == near | {"infirmiere.petit"}
    for local in near:
        assert [g["identity"] for g in got[local]] == [petit]
    assert not got.get("dr.durand")
    assert {g["identity"].split(b"/")[1].split(b"@")[0].decode()
            for g in got["infirmiere.petit"]} == near
    assert b"Nobody has anything" in enrol(listed).stdout
    # the same again is no news; taken off a list is nobody
    assert b"more lists" not in listed.add(more).stdout
    assert b"without a list that it is on" in listed.add(check=65).stderr


def test_the_gateway_carries_it_until_then(listed):
    with World(postfix=False) as world:
        labo, petit, hub = people = [
            Issued(world, user, domain) for user, domain in (
                ("labo", "labo.example"), ("petit", "petit.example"),
                ("passerelle", DOMAIN))]
        for m in people:
            world.members[m.user] = m
        world.start()
        for m, name in zip(people, ("labo.central", "infirmiere.petit",
                                    "passerelle")):
            m.configure(top={"hub": m is hub})
            m.import_(listed, name)

        def send(text, via):
            labo.ok("send", "-t", input=b"From: labo.central@labo.example\r\n"
                    b"To: infirmiere.petit@petit.example\r\nSubject: INR\r\n"
                    b"\r\n%s\r\n" % text)
            labo.ok("poll")
            world.wait_until(via.mail, what="mail")
            if via is hub:
                hub.ok("poll")
                world.wait_until(petit.mail, what="mail at the practice")
            else:
                assert not hub.mail()
            petit.ok("poll")
            assert any(text in p.read_bytes() for p in petit.documents())
        send(b"INR 2,1", hub)
        for m in people:
            m.ok("poll")        # acknowledgements
        listed.add(PEOPLE.replace(PETIT, PETIT + "biologie"))
        enrol(listed)
        for path in mails(listed):
            for m, name in ((labo, "labo.central"),
                            (petit, "infirmiere.petit")):
                if path.name.startswith(name):
                    world.dovecot.put(m.user, path.read_bytes())
        labo.ok("poll")
        petit.ok("poll")
        send(b"INR 3,4", petit)


@pytest.mark.parametrize("point", ["drop.name.before#3",
                                   "drop.name.after#3"])
def test_enrol_killed(made, point):
    made.newcomers(HEAD + LEROY)
    got = enrol(made, check=None, SCEAU_FAULT=f"{point}:kill")
    if got.returncode == 0:
        pytest.skip("built without --enable-fault")
    enrol(made)
    assert [p.name.split(f".{YEAR}")[0] for p in mails(made)] == \
        sorted(LOCALS)
    for path, local in zip(mails(made), sorted(LOCALS)):
        assert len(enrolment(made, path, local)[1].all(records.GRANT)) == 1


def test_enrolment_of_two_years(date, made):
    """No key of one year travels in an envelope of another (K3)."""
    date(YEAR, 11, 20)
    renew(made)
    date(YEAR, 12, 1)
    made.newcomers(HEAD + LEROY)
    enrol(made)
    seen = set()
    for path in mails(made):
        local, year = re.match(r"(.*)\.(\d{4})\.\d{8}T", path.name).groups()
        year = int(year)
        old = [made.read(local).self["key"]]
        key = made.read(local, year=year, old=old).self["key"]
        r = envelope.Reader(io.BytesIO(mail.find(path.read_bytes())))
        r.key(kdf.channel_key(key, r.header.sender))
        assert r.header.year == year
        (grant,) = r.payload(records.LIMIT_DESK).all(records.GRANT)
        assert grant["year"] == year
        seen.add((local, year))
    assert seen == {(n, y) for n in LOCALS for y in (YEAR, NEXT)}


def test_no_key_is_given_of_a_year_that_a_member_lacks(date, made):
    """Entered in December, first key of the next year: what came under a key
    of this year he could never open; until he gets one of it after all."""
    made.add(HEAD + LEROY)
    date(YEAR, 11, 20)
    enrol(made)
    renew(made)
    made.newcomers(HEAD + LEROY.replace("leroy", "retif"), "--year", NEXT)
    enrol(made)
    for path in mails(made):
        local, year = re.match(r"(.*)\.(\d{4})\.\d{8}T", path.name).groups()
        if int(year) == YEAR:
            assert not enrolment(made, path, local)[1].all(records.GRANT)
    made.reissue()      # nor by a ring that is made anew
    assert b"leroy" not in b"".join(
        g["identity"] for g in made.read("dr.martin", 2).grants)
    for path in mails(made):
        path.unlink()
    made.newcomers(HEAD + LEROY)
    assert made.read("cab.leroy").self["year"] == YEAR
    enrol(made)
    told = [enrolment(made, p, "labo.central")[1].all(records.GRANT)
            for p in mails(made) if p.name.startswith(f"labo.central.{YEAR}")]
    assert [g["identity"].split(b"/")[1].split(b"@")[0] for g in told[0]] == \
        [b"dr.martin", b"cab.leroy"]


def test_what_is_told_again_replaces_no_mail(date, made):
    for month, who in ((2, "leroy"), (3, "retif")):
        date(YEAR, month, 1)
        made.newcomers(HEAD + LEROY.replace("leroy", who))
    enrol(made)
    unsent = {p: p.read_bytes() for p in mails(made)}
    date(YEAR, 3, 2)
    enrol(made, "--since", f"{YEAR}-03-01")
    assert len(mails(made)) > len(unsent)
    assert all(p.read_bytes() == data for p, data in unsent.items())


def hand_out(town, desk, *keys):
    """The mails of those members, as any relay would bring them."""
    for key in keys:
        member = town.members[key]
        for path in mails(desk):
            if path.name.startswith(member.local + "."):
                town.post(None, member, path.read_bytes())


def test_old_members_write_to_the_newcomer(town):
    """Directly, and at his route, once the enrolment came; lost or late it
    does no harm."""
    desk, labo, dr = town.desk, town.labo, town.dr
    table = LEROY.replace("cab.leroy@" + POST, "cab.leroy@leroy.example", 1)
    desk.newcomers(HEAD + table)
    town.leroy.domain = "leroy.example"
    leroy = town.equip("leroy")
    enrol(desk)
    hand_out(town, desk, "labo")
    labo.ok("poll")
    town.delivers(labo, leroy, "to the newcomer")
    assert town.hub.mail() == []
    # that of dr.martin was lost: he knows no such address; once more, twice
    got = dr.sceau("send", "-t", input=(
        f"From: {dr.address}\r\nTo: {leroy.address}\r\n\r\nx\r\n").encode())
    assert got.code == 67
    desk.out = desk.top / "once-more"
    enrol(desk, "--since", f"{YEAR}-01-01")
    hand_out(town, desk, "dr", "dr", "labo")
    dr.ok("poll")
    labo.ok("poll")
    town.delivers(dr, leroy, "at last")
    town.delivers(labo, leroy, "still")


def test_a_mailbox_that_moves(town):
    """PROTOCOL 2.2: once the enrolment has told it, and not before; keys and
    name are as they were."""
    desk, labo, dr = town.desk, town.labo, town.dr
    line, = (x for x in PEOPLE.splitlines() if MARTIN in x)
    moved = line.replace(f"martin@{POST}", f"cab.leroy@{POST}")
    assert moved != line
    got = desk.add(HEAD + moved + "\n")
    assert b"members.csv:2: warning: another route than before" in got.stderr
    assert b"sceau issuer enrol tells the others" in got.stdout
    assert b"rerouted=1 " in desk.run("audit", desk.folder).stdout
    assert town.send(labo, dr, "to the former one")
    enrol(desk)
    hand_out(town, desk, "labo")
    labo.ok("poll")
    before = len(dr.mail())
    labo.ok("send", "-t", input=(
        f"From: {labo.address}\r\nTo: {dr.address}\r\nSubject: x\r\n\r\n"
        "to the new one\r\n").encode())
    labo.ok("poll")
    town.wait_until(town.leroy.mail, what="the mail")
    assert len(dr.mail()) == before and town.hub.mail() == []
    town.post(None, dr, town.leroy.mail()[-1])      # his own, all the same
    dr.ok("poll")
    assert "to the new one" in town.shown(dr)[-1]
    # nothing more to tell, and no other word of his may change so
    assert b"Nobody has anything to learn" in enrol(desk).stdout
    desk.add(HEAD + moved + "\n")
    assert b"Nobody has anything to learn" in enrol(desk).stdout
    desk.add(HEAD + moved.replace("practice", "other") + "\n", check=65)


def shown(member, address):
    return [k["name"] for k in member.ok("key", "list", address,
                                         "--json").json()]


def test_a_name_that_changes(town):
    """PROTOCOL 2.19.35: a practice that is called otherwise keeps its address
    and its keys; the others read the new name once the enrolment told it."""
    desk, labo, dr = town.desk, town.labo, town.dr
    line, = (x for x in PEOPLE.splitlines() if MARTIN in x)
    called = HEAD + line.replace("Dr Léa Martin", "Cabinet des Lilas") + "\n"
    before = desk.files()
    got = desk.add(called, "--dry-run")
    assert ('members.csv:2: warning: another name than before: "Dr Léa Martin"'
            ' becomes "Cabinet des Lilas"') in got.stderr.decode()
    got = desk.add(called, "--dry-run", "--lang", "fr")
    assert ("un autre nom qu’avant\u00a0: «\u00a0Dr Léa Martin\u00a0» devient "
            "«\u00a0Cabinet des Lilas\u00a0»") in got.stderr.decode()
    after = desk.files()
    assert {n for n in after if before.get(n) != after[n]} == {"members.csv"}
    got = json.loads(desk.add(called, "--json").stdout)
    assert (got["added"], got["held"], got["renamed"], got["rerouted"],
            got["warnings"]) == (0, 0, 1, 0, 1)
    assert b"renamed=1 " in desk.run("audit", desk.folder).stdout
    assert set(shown(labo, MARTIN)) == {"Dr Léa Martin"}
    enrol(desk)
    hand_out(town, desk, "labo")
    labo.ok("poll")
    assert set(shown(labo, MARTIN)) == {"Cabinet des Lilas"}
    town.delivers(labo, dr, "as ever")
    town.delivers(dr, labo, "as ever, too")
    # told once; and what people know him by is not all that may change
    assert b"there already: 1" in desk.add(called).stdout
    assert b"Nobody has anything to learn" in enrol(desk).stdout
    got = desk.add(called.replace("dr.martin", "drmartin"), check=65)
    assert b"too like that of dr.martin@cabinet.example" in got.stderr
    got = desk.add(called.replace("Lilas", "Roses").replace(
        f"martin@{POST}", f"roses@{POST}"), check=65)
    assert b"with another name and another route: an address is never given" \
        in got.stderr
    got = desk.add(called.replace("practice", "other"), check=65)
    assert b"that of Cabinet des Lilas, of another kind" in got.stderr


def test_theft(town, machine):
    """The thief holds the whole store of dr.martin, the first key."""
    desk, labo, dr = town.desk, town.labo, town.dr
    thief = machine("thief", desk, "dr.martin")
    to = f"essai/{labo.address}"

    def forged(text):
        inner = (f"From: {MARTIN}\r\nTo: {labo.address}\r\n"
                 f"Date: Thu, 1 Jan 2026 08:00:00 +0000\r\n"
                 f"Message-ID: <{text}@x.example>\r\nSubject: x\r\n\r\n"
                 f"{text}\r\n")
        sealed = thief.run("seal", "--to", to, input=inner.encode())
        assert sealed.returncode == 0, sealed.stderr
        return mail.wrap(sealed.stdout, f"martin@{POST}", labo.route)

    town.post(None, labo, forged("before"))     # the window of the protocol
    assert labo.ok("poll") and "before" in town.shown(labo)[-1]
    desk.reissue()
    enrol(desk)
    hand_out(town, desk, "labo")
    labo.sceau("poll")
    town.post(None, labo, forged("after"))
    got = labo.sceau("poll")
    assert got.code == 65
    assert not any("after" in text for text in town.shown(labo))
    town.equip("dr", 2)
    town.delivers(dr, labo, "the victim is back")
    town.delivers(labo, dr, "to the new key")
    opened = thief.run("open", input=mail.find(
        labo_mail(town, labo, dr, "not for the thief")))
    assert opened.returncode != 0 and opened.stdout == b""


def labo_mail(town, labo, dr, text):
    assert town.send(labo, dr, text)
    return dr.mail()[-1]


def test_who_left_is_believed_no_more(town, machine):
    desk, labo, dr = town.desk, town.labo, town.dr
    desk.act("leave", MARTIN)
    enrol(desk)
    assert not [p for p in mails(desk) if p.name.startswith("dr.martin.")]
    hand_out(town, desk, "labo")
    labo.sceau("poll")
    assert town.send(dr, labo, "still me")
    assert labo.sceau("poll").code == 65
    assert not town.shown(labo)
    got = labo.sceau("send", "-t", input=(
        f"From: {labo.address}\r\nTo: {MARTIN}\r\n\r\nx\r\n").encode())
    assert got.code == 67
