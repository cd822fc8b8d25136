"""When sheets of custodians are lost: new ones, or the end of the year."""

import re

import pytest

from pysceau import code as paper
from pysceau import keyfile
from test_issuer import YEAR
from test_issuer_acts import MARTIN, NEXT, at, desk, made   # fixtures too

__all__ = ["desk", "made"]
LATE = {"SCEAU_FAULT_CLOCK": at(YEAR, 11, 20)}


def sheets(desk, *words, custodians=(1, 2), year=YEAR, **more):
    return desk.run("sheets", desk.folder, "--year", year, *words, *(
        w for n in custodians for w in ("--custodian", desk.sheet(n, year))),
        **more)


def acts(desk):
    return [line.split("\t")[1:3] for line in (desk.folder / "acts")
            .read_text().splitlines()]


def test_new_sheets_are_the_same_root(made):
    """Keys made with them are those made with the old ones; one of each kind
    is nothing."""
    before = made.files()
    got = sheets(made, "--sheets", "new", "--lang", "fr")
    for word in ("brûle", "dans new, de", f"racine de {YEAR}"):
        assert word in got.stdout.decode()
    new = [made.top / f"new/custodian-{n}.{YEAR}.txt" for n in (1, 2, 3)]
    assert all(p.stat().st_mode & 0o777 == 0o600 for p in new)
    assert {n for n, text in made.files().items()
            if before.get(n) != text} == {
        "desk/acts", *(str(p.relative_to(made.top)) for p in new)}
    codes = [re.findall(r"(?:[0-9A-Z]{5}-){4}[0-9A-Z]{5}", p.read_text())
             for p in (*new, *(made.sheet(n) for n in (1, 2, 3)))]
    assert [len(c) for c in codes] == [6] * 6
    assert not set(sum(codes[:3], [])) & set(sum(codes[3:], []))

    def reissue(*papers, check=0):
        return made.run(
            "reissue", made.folder, MARTIN, "--out", made.out, *(
                w for p in papers for w in ("--custodian", p)), check=check)
    before = made.files()
    for old in (1, 2, 3):
        for p in new:
            got = reissue(made.sheet(old), p, check=65)
            assert b"custodian" in got.stderr or b"sheet" in got.stderr
    got = reissue(made.sheet(1), new[1], check=65)
    assert b"older than the new sheets" in got.stderr
    assert made.files() == before
    old = {n: made.read(n) for n in ("dr.martin", "labo.central")}
    made.out = made.top / "again"
    made.batch(custodians=(), *(
        w for p in (new[2], new[0]) for w in ("--custodian", p)))
    for local, was in old.items():
        assert made.read(local).self["key"] == was.self["key"]
        assert made.read(local).grants == was.grants


def test_a_sheet_says_of_when_and_of_which_set_it_is(made):
    """A custodian with two papers sees which is newer, and two custodians
    whether theirs go together."""
    now = {"SCEAU_FAULT_CLOCK": at(YEAR, 6, 1), "TZ": "XST-14"}
    sheets(made, "--sheets", "new", **now)
    sheets(made, "--sheets", "english", "--lang", "en", **now)
    marks = []
    for folder, day in (("desk/custodians", r"\S+ \S+ \d{4}"),
                        ("new", f"2 juin {YEAR}"),
                        ("english", f"2 June {YEAR}")):
        texts = [(made.top / f"{folder}/custodian-{n}.{YEAR}.txt").read_text()
                 for n in (1, 2, 3)]
        found = {re.search(rf"(?:du|of) {day}, (?:jeu|set) ([0-9A-Z]{{4}})\n",
                           text)[1] for text in texts}
        assert len(found) == 1
        marks += found
    assert len(set(marks)) == 3


@pytest.mark.parametrize("words, said, code", [
    ((), b"is there, and is kept", 78),
    (("--year", "2001"), b"no root for 2001", 78),
    (("--sheets", "new", "--custodian", "nothing"), b"nothing", 78),
    (("--sheets", "new", "--early"), b"", 64)])
def test_refusals(made, words, said, code):
    before = made.files()
    got = sheets(made, *words, check=code)
    assert said in got.stderr and made.files() == before


def test_one_custodian_is_not_enough(made):
    before = made.files()
    sheets(made, "--sheets", "new", custodians=(1, 1), check=65)
    got = sheets(made, "--sheets", "new", "--dry-run", custodians=())
    assert b"would be made in new" in got.stdout
    assert made.files() == before


@pytest.mark.parametrize("n", range(1, 7))
def test_cut_off(made, n):
    """Killed at any change of a name: the old sheets are the root still, and
    the same command into another folder ends well."""
    for when in ("before", "after"):
        folder = f"new-{when}"
        got = sheets(made, "--sheets", folder, check=None,
                     SCEAU_FAULT=f"file.rename.{when}#{n}:kill")
        if got.returncode == 0:
            assert n > 3
        made.act("reissue", MARTIN, "--out", made.out)
    sheets(made, "--sheets", "again")
    made.run("reissue", made.folder, MARTIN, "--out", made.out, *(
        w for i in (1, 3)
        for w in ("--custodian", made.top / f"again/custodian-{i}.{YEAR}.txt")))


def test_the_end_without_sheets(made):
    """Nobody can bring two: the year ends, and the next one's keys open with
    their letters."""
    made.act("destroy", "--year", YEAR, check=78)
    before = made.files()
    got = made.run("destroy", made.folder, "--year", YEAR, "--lost",
                   "--dry-run")
    assert b"no witness key kept" in got.stdout and made.files() == before
    # one word does not end a year
    for words in ((), ("--json",)):
        got = made.run("destroy", made.folder, "--year", YEAR, "--lost",
                       *words, check=78)
        assert b"--lost --really" in got.stderr
        assert (b"no witness key kept" in got.stdout) == (not words)
        assert made.files() == before
    made.run("destroy", made.folder, "--year", YEAR, "--early", "--really",
             check=64)
    assert made.files() == before
    got = made.run("destroy", made.folder, "--year", YEAR, "--lost",
                   "--really", "--lang", "fr").stdout.decode()
    for word in (f"issuer renew --year {NEXT}", "contrefait",
                 f"custodian-3.{YEAR}.txt"):
        assert word in got
    assert not (made.folder / f"witness.{YEAR}").exists()
    assert ["destroy", f"year={YEAR} sheets=lost"] in acts(made)
    for what in ("reissue", "newcomer"):
        got = made.act(what, MARTIN if what == "reissue" else
                       made.top / "members.csv", "--out", made.out, check=78)
        assert b"no root" in got.stderr
    # never a second root of that year
    made.run("renew", made.folder, "--year", YEAR, "--out", made.out,
             check=78)
    made.run("renew", made.folder, "--year", NEXT, "--out", made.out, **LATE)
    path, code = made.pair("dr.martin", year=NEXT)
    got = keyfile.read(path.read_bytes(), paper.parse(code), ())
    assert got.self["year"] == NEXT


def test_sheets_that_are_there_are_not_lost(made):
    """Who brings two need not give the witness keys up."""
    before = made.files()
    got = made.run("destroy", made.folder, "--year", YEAR, "--lost",
                   *made.custodians(), check=78)
    assert b"leave --lost out" in got.stderr and made.files() == before
