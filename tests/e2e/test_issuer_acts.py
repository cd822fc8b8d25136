"""What an association does in the course of its year, after the first batch:
thefts, departures, newcomers, enrolments, the new year."""

import calendar
import json
import os
import re

import pytest

from pysceau import code as paper
from pysceau import envelope, keyfile, mail
from pysceau.errors import SceauError
from test_issuer import (HEAD, HUB, LOCALS, PEOPLE, POST, YEAR, Desk, Machine,
                         codes_in)
from world.member import Member
from world.world import World

MARTIN = "dr.martin@cabinet.example"
NAME = f"essai/{MARTIN}"
PRINTED = ("out/counterfoil.html", "out/counterfoil.txt",
           "out/letters/print-001.html")


def at(year, month, day):
    """Noon of that day, for SCEAU_FAULT_CLOCK."""
    return f"@{calendar.timegm((year, month, day, 12, 0, 0))}"


class Acts(Desk):
    """The desk, with the files of later generations and years."""

    def pair(self, local, gen=1, year=YEAR):
        name = f"{local}.{year}" + (f"-{gen}" if gen > 1 else "")
        letter = (self.out / "letters" / f"{name}.txt").read_text()
        (code,) = codes_in(letter)
        return self.out / "keys" / f"{name}.cle", code

    def read(self, local, gen=1, year=YEAR, old=()):
        path, code = self.pair(local, gen, year)
        return keyfile.read(path.read_bytes(), paper.parse(code), old)

    def custodians(self, years="*"):
        """Two of each year bring their sheets."""
        return [word for path in sorted((self.folder / "custodians").glob(
            f"custodian-[12].{years}.txt")) for word in ("--custodian", path)]

    def act(self, what, *words, **more):
        if what != "leave":
            words += (*self.custodians(),)
        return self.run(what, self.folder, *words, **more)

    def reissue(self, name=MARTIN, *words, **more):
        return self.act("reissue", name, "--out", self.out, *words, **more)

    def newcomers(self, table, *words, **more):
        path = self.top / "newcomers.csv"
        path.write_text(table)
        return self.act("newcomer", path, "--out", self.out, *words, **more)

    def again(self, name, *years):
        """All rings made anew, into a folder of their own."""
        other = Acts(self.sceau_, self.top)
        other.out = self.top / name
        for year in years or (YEAR,):
            other.batch("--year", year, *self.custodians(year), custodians=())
        return other


@pytest.fixture
def desk(sceau, tmp_path):
    return Acts(sceau, tmp_path)


@pytest.fixture
def made(desk):
    desk.init(*HUB)
    desk.add()
    desk.batch()
    return desk


@pytest.fixture
def machine(sceau, tmp_path):
    def import_(name, desk, local, gen=1, year=YEAR):
        m = Machine(sceau, tmp_path / f"machine-{name}")
        got = m.import_(*desk.pair(local, gen, year))
        assert got.returncode == 0, got.stderr.decode()
        return m
    return import_


class Town(World):
    """Members whose keys come from the desk, at their mailboxes."""

    PEOPLE = {"labo": ("labo.central", "labo.example", "labo"),
              "dr": ("dr.martin", "cabinet.example", "martin"),
              "leroy": ("cab.leroy", POST, "cab.leroy"),
              "hub": ("passerelle", "asso.example", "passerelle")}

    def __init__(self, desk):
        super().__init__(postfix=False)
        self.desk = desk
        for key, (local, domain, user) in self.PEOPLE.items():
            member = Issued(self, local, domain)
            member.user = user
            self.members[key] = member
            setattr(self, key, member)

    def start(self):
        super().start()
        self.hub.configure(top={"hub": True})
        return self

    def equip(self, key, gen=1, year=YEAR):
        """What a member does with his letter and his key file."""
        member = self.members[key]
        path, code = self.desk.pair(member.local, gen, year)
        got = member.import_file(path, code)
        assert got.code == 0, got.text()
        return member

    def send(self, sender, recipient, text):
        """True when it comes directly, False when the gateway has it."""
        to = {m: len(m.mail()) for m in (recipient, self.hub)}
        sender.ok("send", "-t", input=(
            f"From: {sender.address}\r\nTo: {recipient.address}\r\n"
            f"Subject: essai\r\n\r\n{text}\r\n").encode())
        sender.ok("poll")
        self.wait_until(lambda: any(len(m.mail()) > n for m, n in to.items()),
                        what="the mail")
        return len(recipient.mail()) > to[recipient]

    def delivers(self, sender, recipient, text):
        """Directly, and it is shown."""
        assert self.send(sender, recipient, text)
        recipient.ok("poll")
        assert text in self.shown(recipient)[-1]

    def relays(self, sender, recipient, text):
        """The same, through the gateway."""
        assert not self.send(sender, recipient, text)
        self.hub.ok("poll")
        self.wait_until(recipient.mail, what="what the gateway relays")
        recipient.ok("poll")
        assert text in self.shown(recipient)[-1]

    def shown(self, member):
        return [p.read_bytes().decode() for p in member.documents()]


class Issued(Member):
    def import_file(self, path, code):
        return self.sceau("key", "import", path, "--code-file",
                          self.secret("code", code + "\n"))


@pytest.fixture
def town(made):
    """Those of the first batch have imported their keys."""
    with Town(made) as t:
        t.start()
        for key in ("labo", "dr", "hub"):
            t.equip(key)
        yield t


def bars(file):
    return [(b["generation"], b["name"].decode()) for b in file.bars]


def seals(sender, recipient, name, text=b"x" * 99):
    """What comes out at the recipient's of what the sender seals for him."""
    sealed = sender.run("seal", "--to", name, input=text)
    assert sealed.returncode == 0, sealed.stderr.decode()
    return recipient.run("open", input=sealed.stdout)


# -- theft --------------------------------------------------------------------

def test_reissue_refuses(desk):
    desk.init(*HUB)
    desk.add()
    before = desk.files()
    assert b"no key of this year yet" in desk.reissue(check=65).stderr
    desk.batch()
    batch = desk.files()
    for who, why in (("nobody@cabinet.example", b"no member's address"),
                     ("dr.martin", b"no member's address"),
                     (f"autre/{MARTIN}", b"no member's address"),
                     ("association@asso.example", b"no key of its own")):
        assert why in desk.reissue(who, check=65).stderr
    desk.act("reissue", check=64)
    got = desk.reissue(MARTIN, "--dry-run")
    assert b"would have a new key: " + NAME.encode() + b"#2" in got.stdout
    assert desk.files() == batch != before


def test_reissue_makes_his_pair_alone(made):
    before = made.files()
    got = made.reissue(MARTIN.upper())
    for word in (b"sceau bar " + NAME.encode(), b"different ways",
                 b"sceau issuer enrol"):
        assert word in got.stdout
    after = made.files()
    new = f"dr.martin.{YEAR}-2"
    assert {n for n in after if after[n] != before.get(n)} == {
        "desk/register", "desk/acts", f"out/keys/{new}.cle",
        f"out/letters/{new}.txt", *PRINTED}
    assert set(before) <= set(after)
    file = made.read("dr.martin", 2)
    assert file.self["identity"] == f"{NAME}#2".encode()
    assert file.self["key"] != made.read("dr.martin").self["key"]
    assert len(file.grants) == len(LOCALS) - 1 and file.bars == []
    row = json.loads(made.reissue(MARTIN, "--json").stdout)
    assert row["identity"] == f"{NAME}#3" and row["made"] is True
    assert codes_in(json.dumps(row)) == []
    # the gateway cannot be barred by the watch desk
    assert b"1. At once: run sceau issuer enrol" in made.reissue(
        "passerelle@asso.example").stdout


@pytest.mark.parametrize("point", ["batch.letter.before", "batch.letter.after",
                                   "batch.key.before", "batch.key.after"])
def test_reissue_killed(made, point):
    """One generation, whatever the moment, and a pair that fits."""
    before = made.files()["desk/register"]
    got = made.reissue(check=None, SCEAU_FAULT=f"{point}:kill")
    if got.returncode == 0:
        pytest.skip("built without --enable-fault")
    assert made.files()["desk/register"] == before
    made.reissue()
    register = made.files()["desk/register"].decode()
    assert f"{NAME}#2" in register
    assert made.read("dr.martin", 2).self["identity"] == f"{NAME}#2".encode()
    assert not [p for p in made.out.rglob("*.tmp*")]


def test_rings_made_later_bar_the_thief(made, machine):
    thief = machine("thief", made, "dr.martin")
    made.reissue()
    victim = machine("victim", made, "dr.martin", 2)
    later = made.again("later")
    for local in set(LOCALS) - {"dr.martin"}:
        file = later.read(local)
        assert bars(file) == [(2, NAME)]
        assert f"{NAME}#2".encode() in [g["identity"] for g in file.grants]
        assert f"{NAME}#1".encode() not in [g["identity"]
                                            for g in file.grants]
    labo = machine("labo", later, "labo.central")
    to = "essai/labo.central@labo.example"
    got = seals(thief, labo, to)
    assert got.returncode == 65 and got.stdout == b""
    assert b"in the hands of a thief" in got.stderr
    got = seals(victim, labo, to)
    assert got.returncode == 0 and got.stdout == b"x" * 99
    got = seals(labo, victim, NAME)
    assert got.returncode == 0 and got.stdout == b"x" * 99
    sealed = labo.run("seal", "--to", NAME, input=b"x" * 99).stdout
    assert thief.run("open", input=sealed).stdout == b""


# -- leaving ------------------------------------------------------------------

def test_leave_refuses(made):
    before = made.files()
    for who, why in (("nobody@x.example", b"no member's address"),
                     ("association@asso.example", b"no key of its own"),
                     ("veille@asso.example", b"in office (watch)"),
                     ("passerelle@asso.example", b"in office (hub)")):
        assert why in made.act("leave", who, check=65).stderr
    assert b"would leave" in made.act("leave", MARTIN, "--dry-run").stdout
    assert made.files() == before
    made.act("leave", MARTIN)
    before = made.files()
    assert b"left already" in made.act("leave", MARTIN, check=65).stderr
    assert b"left already" in made.reissue(check=65).stderr
    # and never comes back under that name
    assert b"who has left" in made.add(PEOPLE, check=65).stderr
    assert {n: d for n, d in made.files().items()
            if n != "members.csv"} == {n: d for n, d in before.items()
                                       if n != "members.csv"}


def test_who_left_is_in_no_ring(made, machine):
    left = machine("left", made, "dr.martin")
    got = made.act("leave", NAME)
    assert b"sceau bar " + NAME.encode() in got.stdout
    got = json.loads(made.act("leave", "dr.durand@durand.example",
                              "--json").stdout)
    assert got["type"] == "left"
    later = made.again("later")
    assert not list(later.out.rglob("dr.martin*"))
    assert not list(later.out.rglob("dr.durand*"))
    file = later.read("labo.central")
    assert bars(file) == [(255, NAME),
                          (255, "essai/dr.durand@durand.example")]
    for rec in file.grants + file.entries:
        assert not re.search(rb"martin|durand", rec["identity"])
    labo = machine("labo", later, "labo.central")
    got = seals(left, labo, "essai/labo.central@labo.example")
    assert got.returncode == 65 and got.stdout == b""
    assert labo.run("seal", "--to", NAME, input=b"x").returncode == 67


# -- newcomers ----------------------------------------------------------------

# His address is his mailbox: who has not heard of him knows no other.
LEROY = f"cab.leroy@{POST},cab.leroy@{POST},Cabinet Leroy,practice,\n"


def test_newcomer_refuses(made):
    before = made.files()
    for table, why in ((HEAD + LEROY + LEROY.replace("cab.leroy", "cab-leroy"),
                        b"too like that of cab.leroy@"),
                       (LEROY, b"is no column")):
        assert why in made.newcomers(table, check=65).stderr
    got = made.newcomers(HEAD + LEROY, "--year", YEAR + 1, check=78)
    assert b"no root" in got.stderr
    got = made.newcomers(HEAD + LEROY, "--dry-run")
    assert b"1 newcomer would be entered" in got.stdout
    assert b"1 pair of key file and letter would be made" in got.stdout
    after = made.files()
    after.pop("newcomers.csv")
    assert after == before


def test_newcomer_makes_his_pair_alone(made):
    # entered, not equipped, and not in the table: none of its business
    made.add(HEAD + f"sf.nord@nord.example,nord@{POST},SF Nord,other,\n")
    before = made.files()
    made.newcomers(HEAD + LEROY)
    after = made.files()
    new = f"cab.leroy.{YEAR}"
    assert {n for n in after if after[n] != before.get(n)} == {
        "newcomers.csv", "desk/register", "desk/acts",
        f"out/keys/{new}.cle", f"out/letters/{new}.txt", *PRINTED}
    # not nord, who could open nothing; enrol tells it when he has a key
    assert len(made.read("cab.leroy").grants) == len(LOCALS)
    # once printed and destroyed, a letter is not made again
    (made.out / "letters" / f"{new}.txt").unlink()
    before = made.files()
    got = made.newcomers(PEOPLE + LEROY)
    assert b"0 newcomers entered (in the register already: 5).\n0 pairs" in \
        got.stdout
    after = made.files()
    after.pop("newcomers.csv")
    before.pop("newcomers.csv")
    assert after == before
    row = json.loads(made.newcomers(
        HEAD + f"sf.nord@nord.example,nord@{POST},SF Nord,other,\n",
        "--json").stdout)
    assert row["made"] is True and row["peers"] == len(LOCALS) + 1


@pytest.mark.parametrize("point", ["batch.letter.before", "batch.letter.after",
                                   "batch.letter.after#2"])
def test_newcomer_killed(made, point):
    table = HEAD + LEROY + f"sf.nord@nord.example,nord@{POST},SF,other,\n"
    got = made.newcomers(table, check=None, SCEAU_FAULT=f"{point}:kill")
    if got.returncode == 0:
        pytest.skip("built without --enable-fault")
    made.newcomers(table)
    for local in ("cab.leroy", "sf.nord"):
        assert len(made.read(local).grants) == len(LOCALS) + 1


def test_newcomer_writes_at_once_and_is_answered(town):
    """Nobody else has heard of him; real mail, and never the gateway."""
    desk, labo, dr = town.desk, town.labo, town.dr
    desk.newcomers(HEAD + LEROY)
    leroy = town.equip("leroy")
    town.delivers(leroy, labo, "bonjour")
    assert town.hub.mail() == []
    town.delivers(labo, leroy, "INR 2,1")
    assert town.hub.mail() == []
    # dr.martin has not heard of him at all
    got = dr.sceau("send", "-t", input=(
        f"From: {dr.address}\r\nTo: {leroy.address}\r\n\r\nx\r\n").encode())
    assert got.code == 67


# -- the new year -------------------------------------------------------------

NEXT = YEAR + 1


@pytest.fixture
def date(monkeypatch, desk):
    """date(year, month, day): it is that day, everywhere."""
    def set_(*day):
        monkeypatch.setenv("SCEAU_FAULT_CLOCK", at(*day))
    set_(YEAR - 3, 1, 15)
    if desk.init("--dry-run", check=None).returncode == 0:
        pytest.skip("built without --enable-fault")
    set_(YEAR, 1, 15)
    return set_


def renew(desk, *words, **more):
    return desk.act("renew", "--year", NEXT, "--out", desk.out, *words,
                    **more)


def test_renew_refuses(date, made):
    before = made.files()
    made.act("renew", check=64)
    assert b"from 15 November " in renew(made, check=78).stderr
    date(YEAR, 11, 20)
    for year, why in ((YEAR + 2, f"from 15 November {NEXT}"),
                      (YEAR - 1, f"newest root here is of {YEAR}")):
        got = made.act("renew", "--year", year, check=78)
        assert why.encode() in got.stderr
    assert b"6 pairs of key file and letter would be made" in \
        renew(made, "--dry-run").stdout
    assert made.files() == before


def test_renewal_files(date, made):
    """Under the old key and the code both; first ones for who had no key."""
    made.add(HEAD + LEROY)
    date(YEAR, 11, 20)
    got = made.act("renew", "--year", NEXT, "--out", made.out, "--json",
                   SCEAU_FAULT="batch.letter.after#3:kill", check=None)
    assert got.returncode != 0
    made.act("leave", "infirmiere.petit@petit.example")
    rows = [json.loads(x) for x in renew(made, "--json").stdout.splitlines()]
    old = {n: made.read(n).self["key"] for n in LOCALS}
    assert {r["identity"].split("/")[1].split("@")[0]: r["renewal"]
            for r in rows} == {
        **{n: True for n in LOCALS[:-1]}, "cab.leroy": False}
    assert [r["made"] for r in rows] == [False] * 3 + [True] * 3
    for n in LOCALS[:-1]:
        path, code = made.pair(n, year=NEXT)
        data, code = path.read_bytes(), paper.parse(code)
        file = keyfile.read(data, code, [old[n]])
        assert file.header.source == envelope.RENEWAL
        assert file.self["year"] == NEXT and file.self["key"] != old[n]
        assert file.self["from"] == calendar.timegm((NEXT, 1, 1, 0, 0, 0))
        assert file.self["send_until"] == calendar.timegm(
            (NEXT + 1, 2, 1, 0, 0, 0))
        assert file.self["read_until"] == calendar.timegm(
            (NEXT + 1, 4, 1, 0, 0, 0))
        other = next(x for x in LOCALS if x != n)
        for key, c in ((old[other], code), (old[n], bytes(15)),
                       (bytes(32), code)):
            with pytest.raises(SceauError) as e:
                keyfile.read(data, c, [key])
            assert e.value.cls == "HEADER"
    assert made.read("cab.leroy", year=NEXT).header.source == envelope.CODE
    # nothing is made twice, also when the letters have gone to the post
    for path in (made.out / "letters").iterdir():
        path.unlink()
    before = made.files()
    assert b"0 pairs" in renew(made).stdout
    assert made.files() == before


def test_no_second_root_of_a_year(date, made):
    """Two roots would be two keys for one name and year; the next year begins
    all the same, with files that need no older key."""
    made.act("destroy", "--year", YEAR, "--early")
    date(YEAR, 11, 20)
    before = made.files()
    got = made.act("renew", "--year", YEAR, check=78)
    assert b"never a second one" in got.stderr
    (made.folder / f"witness.{YEAR}").rename(made.top / "moved")
    got = made.act("renew", "--year", YEAR, check=78)
    assert b"never a second one" in got.stderr
    (made.top / "moved").rename(made.folder / f"witness.{YEAR}")
    assert made.files() == before
    assert b"as first ones: 6." in renew(made).stdout
    assert made.read("dr.martin", year=NEXT).header.source == envelope.CODE


def test_renew_cut_off_before_its_root_is_noted(date, made):
    date(YEAR, 11, 20)
    words = ("renew", made.folder, "--year", NEXT, "--out", made.out,
             *made.custodians(YEAR))
    made.run(*words, check=-9, SCEAU_FAULT="file.rename.before#4:kill")
    assert b"delete the sheets" in made.run(*words, check=78).stderr
    for path in (made.folder / "custodians").glob(f"*{NEXT}*"):
        path.unlink()
    made.run(*words, check=-9, SCEAU_FAULT="batch.letter.before:kill")
    assert b"6 pairs" in renew(made).stdout


def test_stolen_in_december(date, made, machine):
    """A new key for both years; the renewal of the old one is worth nothing
    to who knows the new bars."""
    date(YEAR, 11, 20)
    renew(made)
    date(YEAR, 12, 5)
    thief = machine("thief", made, "dr.martin")
    assert thief.import_(*made.pair("dr.martin", year=NEXT)).returncode == 0
    made.reissue()
    for year in (YEAR, NEXT):
        file = made.read("dr.martin", 2, year)
        assert file.header.source == envelope.CODE
        assert file.self["identity"] == f"{NAME}#2".encode()
    victim = machine("victim", made, "dr.martin", 2)
    assert victim.import_(*made.pair("dr.martin", 2, NEXT)).returncode == 0
    later = made.again("later", YEAR, NEXT)
    labo = machine("labo", later, "labo.central")
    assert labo.import_(*later.pair("labo.central", year=NEXT)).returncode == 0
    to = "essai/labo.central@labo.example"
    for day in ((YEAR, 12, 6), (NEXT, 1, 5), (NEXT, 2, 2)):
        date(*day)
        got = seals(thief, labo, to)
        assert got.returncode == 65 and b"hands of a thief" in got.stderr
        assert seals(victim, labo, to).returncode == 0


def test_the_year_turns(date, made, town):
    """Real mail over the new year: who renewed in time and who is late."""
    labo, dr = town.labo, town.dr

    def year_of(member):
        return envelope.parse_header(mail.find(member.mail()[-1])).year

    date(YEAR, 11, 20)
    renew(made)
    path, code = made.pair("labo.central", year=NEXT)
    wrong = paper.format(bytes(range(15)))
    got = labo.import_file(path, wrong)
    assert got.code == 65 and b"the code does not open this file" in got.stderr
    got = labo.import_file(path, made.pair("labo.central")[1])
    assert got.code == 65 and b"the code does not open this file" in got.stderr
    got = town.leroy.import_file(path, code)    # a machine without the old key
    assert got.code == 65 and b"renews the key" in got.stderr
    town.equip("labo", year=NEXT)
    date(NEXT, 1, 10)
    assert town.send(labo, dr, "late")      # under the key that dr has
    assert year_of(dr) == YEAR
    dr.ok("poll")
    town.equip("dr", year=NEXT)
    assert town.send(dr, labo, "renewed")   # labo has shown the new year
    assert year_of(labo) == NEXT
    labo.ok("poll")
    assert town.send(labo, dr, "both")
    assert year_of(dr) == NEXT
    dr.ok("poll")
    assert [t.split("\r\n")[-2] for t in town.shown(dr)] == ["late", "both"]
    assert "renewed" in town.shown(labo)[0]
