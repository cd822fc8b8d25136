"""What an association does in the course of its year, after the first batch:
thefts, departures, newcomers, enrolments, the new year."""

import json
import re

import pytest

from pysceau import code as paper
from pysceau import keyfile
from test_issuer import (HUB, LOCALS, PEOPLE, YEAR, Desk, Machine, codes_in)

MARTIN = "dr.martin@cabinet.example"
NAME = f"essai/{MARTIN}"


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

    def again(self, name):
        """All rings made anew, into a folder of their own."""
        other = Acts(self.sceau_, self.top)
        other.out = self.top / name
        other.batch()
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
    def import_(name, desk, local, gen=1):
        m = Machine(sceau, tmp_path / f"machine-{name}")
        got = m.import_(*desk.pair(local, gen))
        assert got.returncode == 0, got.stderr.decode()
        return m
    return import_


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
        "desk/register", "desk/acts", f"out/keys/{new}.cle", f"out/letters/{new}.txt"}
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
                                   "file.rename.before#2"])
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
