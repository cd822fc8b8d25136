"""A call fails while a file with a secret is made: it is there and told, or it
is not there, under no name.  The campaign is tests/fault/fail.py."""

import errno
import shutil

import pytest

from fault.cases import leftovers
from test_issuer_acts import NEXT, YEAR, date, desk, made, renew
from test_issuer_desk import root_of
from test_key_export import Office
from pysceau import kdf
from world.fault import Calls
from world.member import Result

__all__ = ["date", "desk", "made"]


def trials(calls, what, run):
    """The command once for each call of that class, which fails."""
    run(**calls.env())
    for n in range(1, calls.total(what) + 1):
        yield run(**calls.env(what, n, str(errno.EIO)))
        assert calls.fired


@pytest.mark.parametrize("what", ["sync", "rename"])
def test_no_sheet_of_a_root_that_is_not_known(date, made, tmp_path, what):
    """All three, of the root that the desk knows; or none, and the next run
    makes them."""
    date(YEAR, 11, 20)
    good = shutil.copytree(made.folder, tmp_path / "good")
    sheets = made.folder / "custodians"

    def run(**env):
        shutil.rmtree(made.folder)
        shutil.rmtree(made.out, ignore_errors=True)
        shutil.copytree(good, made.folder)
        got = renew(made, check=None, **env)
        return Result(got.returncode, got.stdout, got.stderr, 0)

    seen = []
    for first in trials(Calls(tmp_path), what, run):
        made_ = sorted(sheets.glob(f"custodian-?.{NEXT}.txt"))
        years = (made.folder / "years").read_text()
        assert len(made_) == (3 if str(NEXT) in years else 0), first.text()
        assert leftovers(sheets.iterdir(), first) == [], first.text()
        if made_:
            assert kdf.root_check(root_of(made, NEXT)).hex() in years
        seen.append(len(made_))
        if seen.count(3) == 3:          # the root is made
            break
    assert seen.count(0) > 3


@pytest.mark.parametrize("what", ["sync", "rename"])
def test_an_export_that_failed_is_not_there(demo, forger, what):
    office = Office(demo.dr, forger.maker(NEXT)).hold()
    path = office.home / "move.sceau"

    def run(**env):
        path.unlink(missing_ok=True)
        return office.export(**env)

    got = list(trials(Calls(demo.dr.folder), what, run))
    assert [first.code for first in got] == [75] * 2
    assert not path.exists()
    for first in got:
        assert leftovers([p for p in office.home.iterdir()
                          if p.name.encode() in first.stderr], first) == []
    assert leftovers(office.home.iterdir(), got[-1]) == []
