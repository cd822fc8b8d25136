"""Acts of the desk that are done again, and several on one day."""

import re
import shutil
import time

import pytest

from test_issuer import HEAD, POST, YEAR
from test_issuer_acts import LEROY, MARTIN, NAME, desk, made   # fixtures too

__all__ = ["desk", "made"]


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
