"""The issuer's desk: its journal."""

import hashlib
import json

import pytest

from test_issuer import HUB, PEOPLE, YEAR, Desk


@pytest.fixture
def desk(sceau, tmp_path):
    return Desk(sceau, tmp_path)


@pytest.fixture
def made(desk):
    desk.init(*HUB)
    desk.add()
    desk.batch()
    return desk


def acts(desk, check=0):
    """The acts of the journal, and what is said of the whole."""
    *rows, last = map(json.loads, desk.run(
        "audit", desk.folder, "--json", check=check).stdout.splitlines())
    return rows, last


# -- the journal --------------------------------------------------------------

def test_acts_are_noted(made):
    """Those that change something; by the hash that the manual tells."""
    made.add()
    made.batch()
    made.add(PEOPLE + "x@x.example,nowhere,X,other,\n", check=65)
    made.batch("--dry-run")
    made.add(PEOPLE + "n@n.example,n@poste.example,N,practice,\n")
    rows, last = acts(made)
    assert [(r["act"], r["what"]) for r in rows] == [
        ("init", f"assoc=essai year={YEAR}"),
        ("add", "added=4 held=0 members=7"),
        ("batch", f"year={YEAR} make=6 policy=full directory=all"),
        ("add", "added=1 held=4 members=8")]
    assert all(r["whole"] for r in rows)
    assert (last["lines"], last["broken"]) == (4, 0)
    before = "0" * 64
    for line in (made.folder / "acts").read_text().splitlines():
        text, _, digest = line.rpartition("\t")
        before = hashlib.blake2b(f"{before}\n{text}\n".encode(),
                                 digest_size=32).hexdigest()
        assert digest == before
    assert last["hash"] == before
    said = made.run("audit", made.folder).stdout.decode()
    assert "whole: 4 lines" in said and before in said
    assert "members entered" in said and "added=1 held=4 members=8" in said


def test_a_changed_journal_is_told(made):
    path = made.folder / "acts"
    path.write_text(path.read_text().replace("added=4", "added=3"))
    rows, last = acts(made, check=65)
    assert [r["whole"] for r in rows] == [True, False, True]
    assert last["broken"] == 2
    said = made.run("audit", made.folder, check=65).stdout.decode()
    assert "broken at line 2" in said and "added=3" in said


def test_a_batch_that_is_killed_is_noted(desk):
    desk.init(*HUB)
    desk.add()
    got = desk.batch(check=None, SCEAU_FAULT="batch.letter.before#3:kill")
    if got.returncode == 0:
        pytest.skip("built without --enable-fault")
    desk.batch()
    rows, last = acts(desk)
    assert [r["what"].split()[1] for r in rows if r["act"] == "batch"] == \
        ["make=6", "make=4"]
    assert last["broken"] == 0


def test_nothing_is_done_unnoted(made):
    """Without its journal the desk does nothing."""
    (made.folder / "acts").unlink()
    made.add(PEOPLE + "n@n.example,n@poste.example,N,practice,\n", check=78)
    assert "n@n.example" not in (made.folder / "register").read_text()
    made.run("audit", made.folder, check=78)
