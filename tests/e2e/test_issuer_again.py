"""Acts of the desk that are done again, and several on one day."""

import shutil
import time

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


def test_two_acts_of_a_day_keep_both_counterfoils(made):
    """Letters are destroyed once they are printed; what was handed over, and
    signed for, stands on a counterfoil all the same."""
    day = made.folder / time.strftime("%Y-%m-%d", time.gmtime())

    def foil(folder):
        return (folder / "counterfoil.txt").read_text()
    made.run("reissue", made.folder, MARTIN, *made.custodians())
    made.run("reissue", made.folder, "dr.durand@durand.example",
             *made.custodians())
    assert "dr.martin" in foil(day) and "dr.durand" in foil(day)
    for path in (day / "letters").iterdir():
        path.unlink()
    first = foil(day)
    path = made.top / "newcomers.csv"
    path.write_text(HEAD + LEROY)
    got = made.run("newcomer", made.folder, path, *made.custodians())
    second = day.with_name(day.name + "-2")
    assert str(second).encode() in got.stdout
    assert foil(day) == first and "cab.leroy" in foil(second)
    made.run("reissue", made.folder, f"cab.leroy@{POST}", *made.custodians())
    assert not day.with_name(day.name + "-3").exists()
    got = made.run("destroy", made.folder, "--year", YEAR, "--early",
                   *made.custodians())
    for folder in (day, second):
        assert f"of {YEAR} in {folder}\n".encode() in got.stdout
