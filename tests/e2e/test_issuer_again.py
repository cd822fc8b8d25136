"""Acts of the desk that are done again, and several on one day."""

import re
import shutil
import time

import pytest

from test_issuer import DOMAIN, HEAD, POST, YEAR
from test_issuer_acts import (   # fixtures among them
    LEROY, MARTIN, NAME, NEXT, date, desk, machine, made, renew)

__all__ = ["date", "desk", "machine", "made"]
HUB = f"essai/passerelle@{DOMAIN}"


def test_reissue_that_fails_anywhere_is_done_once(made, tmp_path):
    """Killed before and after each change of a name, and repeated: never a
    third generation; a day later it is another theft."""
    before, n, late = tmp_path / "before", 0, 0
    words = ("reissue", made.folder, MARTIN, "--out", made.out,
             *made.custodians())
    shutil.copytree(made.folder, before)
    for when in ("before", "after"):
        for n in range(1, 40):
            shutil.rmtree(made.folder)
            shutil.rmtree(made.out)
            shutil.copytree(before, made.folder)
            got = made.run(*words, check=None,
                           SCEAU_FAULT=f"file.rename.{when}#{n}:kill")
            if got.returncode == 0:
                break
            late += f"{NAME}#2" in made.files()["desk/register"].decode()
            made.run(*words)
            register = made.files()["desk/register"].decode()
            assert f"{NAME}#2" in register, (when, n)
            assert made.read("dr.martin", 2).self["identity"] == \
                f"{NAME}#2".encode()
            assert len(list(made.out.rglob("*.cle"))) == 1
            assert not (made.folder / "reissuing").exists()
    assert n > 2 and late > 0, "no fault points, or none behind the register"
    assert f"{NAME}#2" in made.files()["desk/register"].decode()
    shutil.rmtree(made.folder)
    shutil.copytree(before, made.folder)
    (made.folder / "reissuing").write_text(
        f"{NAME}#1\t2001-01-01T00:00:00Z\nessai/x@y.example#2\t\n")
    (made.folder / "reissuing").chmod(0o600)
    made.run(*words)
    assert f"{NAME}#2" in made.files()["desk/register"].decode()


def rows(path):
    """Of a counterfoil to be printed: number, name and identity, digits."""
    return re.findall(r"<tr><td>(\d+)</td><td><b>(.*?)</b><br/>(.*?)</td>"
                      r"<td class=\"digits\">([^<]+)</td>", path.read_text())


@pytest.mark.parametrize("named", [False, True])
def test_acts_in_one_folder_keep_the_counterfoil(made, named):
    """Letters are destroyed once they are printed; what was handed over, and
    signed for, stands on a counterfoil all the same."""
    day = made.top / "theft" if named else \
        made.folder / time.strftime("%Y-%m-%d", time.gmtime())
    more = ["--out", day] if named else []

    def lines():
        return (day / "counterfoil.txt").read_text().splitlines()[1:]
    made.run("reissue", made.folder, MARTIN, *made.custodians(), *more)
    made.run("reissue", made.folder, "dr.durand@durand.example",
             *made.custodians(), *more)
    assert [n in line for n, line in zip(("durand", "martin"), sorted(
        lines(), key=lambda x: x.split("\t")[2]))] == [True, True]
    for path in (day / "letters").iterdir():
        path.unlink()
    # what was handed over is written into it
    foil = day / "counterfoil.txt"
    foil.write_text(foil.read_text().replace("\t\n", "\t5 mars\n"))
    first = lines()
    path = made.top / "newcomers.csv"
    path.write_text(HEAD + LEROY)
    got = made.run("newcomer", made.folder, path, *made.custodians(), *more)
    assert f"Folder: {day}\n".encode() in got.stdout
    assert len(lines()) == 3 and set(first) < set(lines())
    assert all(line.endswith("\t5 mars") for line in first)
    html = rows(day / "counterfoil.html")
    assert [r[0] for r in html] == ["1", "2", "3"]
    assert [(r[2], r[3]) for r in html] == [
        (line.split("\t")[2], line.split("\t")[0]) for line in lines()]
    # a letter made anew has one line, that of its own digits
    made.run("reissue", made.folder, f"cab.leroy@{POST}", *made.custodians(),
             *more)
    assert len(lines()) == 4 and set(first) < set(lines())
    got = made.run("destroy", made.folder, "--year", YEAR, "--early",
                   *made.custodians())
    assert named or f"of {YEAR} in {day}\n".encode() in got.stdout


def handed(made, *words):
    """Dr Martin's new letter, in a folder of its own; its counterfoil."""
    made.run("reissue", made.folder, MARTIN, "--out", made.top / "theft",
             *made.custodians(), *words)
    return made.top / "theft/counterfoil.txt"


@pytest.mark.parametrize("edit", [
    lambda t: t.replace("\n", "\r\n"),        # a spreadsheet's
    lambda t: t[:-1],                           # no end of line at the end
    lambda t: t.split("\n", 1)[1],              # the heading removed
    lambda t: "\ufeff" + t,
    lambda t: t.split("\n", 1)[1][:-1],
    lambda t: t.replace("\t\n", "\n"),         # an empty cell cut off
    lambda t: t.replace("\tletter of", "\tdate"),
])
def test_a_counterfoil_edited_by_hand_loses_nothing(made, edit):
    foil = handed(made)
    line = foil.read_text().splitlines()[1]
    foil.write_bytes(edit(foil.read_text()).encode())
    for path in (foil.parent / "letters").iterdir():
        path.unlink()
    made.run("reissue", made.folder, "dr.durand@durand.example", "--out",
             foil.parent, *made.custodians())
    got = foil.read_bytes().decode()
    assert "\r" not in got and "\ufeff" not in got
    lines = got.splitlines()
    assert lines[0].startswith("empreinte\t") and len(lines) == 3
    assert lines[2].rstrip("\t") == line.rstrip("\t")
    html = rows(foil.with_name("counterfoil.html"))
    assert [(r[0], r[2], r[3]) for r in html] == [
        (str(n + 1), x.split("\t")[2], x.split("\t")[0])
        for n, x in enumerate(lines[1:])]


@pytest.mark.parametrize("encoding", ["utf-16", "mac"])
def test_a_counterfoil_that_cannot_be_read_is_kept(made, encoding):
    """A spreadsheet's Unicode text has NULs, that of an old Mac CR alone."""
    foil = handed(made)
    text = foil.read_text()
    foil.write_bytes(text.encode("utf-16") if encoding == "utf-16" else
                     text.replace("\n", "\r").encode())
    before = {p: p.read_bytes() for p in (foil, foil.with_name(
        "counterfoil.html"))}
    words = ("reissue", made.folder, "dr.durand@durand.example", "--out",
             foil.parent, *made.custodians())
    got = made.run(*words, check=78)
    assert b"counterfoil.txt" in got.stderr
    assert {p: p.read_bytes() for p in before} == before
    foil.rename(foil.with_name("kept.txt"))
    made.run(*words)
    assert "dr.durand" in foil.read_text()


def test_what_was_written_into_a_counterfoil_stays(made):
    """Also while the letter is still there, and a second act comes."""
    foil = handed(made)
    foil.write_text(foil.read_text().replace("\t\n", "\t5 mars\n"))
    line = foil.read_text().splitlines()[1]
    made.run("reissue", made.folder, "dr.durand@durand.example", "--out",
             foil.parent, *made.custodians())
    assert line.endswith("\t5 mars")
    assert foil.read_text().splitlines().count(line) == 1
    assert len(foil.read_text().splitlines()) == 3


def test_letters_of_two_years_have_each_their_line(date, made):
    """In one folder: one handed over and destroyed, the other still there."""
    date(YEAR, 11, 20)
    renew(made)
    foil = handed(made)
    lines = foil.read_text().splitlines()[1:]
    assert len(lines) == 2
    letter, = (foil.parent / "letters").glob(f"dr.martin*{YEAR}*.txt")
    letter.unlink()
    made.run("reissue", made.folder, "dr.durand@durand.example", "--out",
             foil.parent, *made.custodians())
    got = foil.read_text().splitlines()[1:]
    assert len(got) == 4 and set(lines) < set(got)


def test_a_gateway_that_comes_later(date, desk, machine):
    """It is entered like a newcomer; who got his keys before learns of it by
    the next year's, or by another pair of this one, of the same key."""
    def hubs(m):
        return {k["year"]: k["hub"].split("#")[0] for k in m.keys()}

    def takes(m, pair):
        got = m.import_(*pair)
        assert got.returncode == 0, got.stderr.decode()
        return hubs(m)
    desk.init()
    desk.add()
    desk.batch()
    dr = machine("dr", desk, "dr.martin")
    labo = machine("labo", desk, "labo.central")
    desk.newcomers(HEAD + f"passerelle@{DOMAIN},passerelle@{POST},"
                   "Passerelle,hub,\n")
    machine("hub", desk, "passerelle")
    desk.reissue("dr.durand@durand.example")
    assert hubs(machine("durand", desk, "dr.durand", 2)) == {YEAR: HUB}
    assert hubs(dr) == hubs(labo) == {YEAR: ""}
    desk.newcomers(HEAD + f"passerelle2@{DOMAIN},passerelle@{POST},"
                   "Une autre,hub,\n", check=65)
    again = desk.again("again")
    assert takes(labo, again.pair("labo.central")) == {YEAR: HUB}
    assert again.read("labo.central").self["key"] == \
        desk.read("labo.central").self["key"]
    date(YEAR, 11, 20)
    renew(desk)
    assert takes(dr, desk.pair("dr.martin", year=NEXT)) == {
        YEAR: "", NEXT: HUB}
