"""A small association's two years, with each kind of event at least once
(make check-years tells those of 200 members): what anybody can read and write
is what the closure of keys says."""

import sys

import pytest

from world.world import TOP

sys.path[:0] = [str(TOP / "tests/years"), str(TOP / "tests/model")]
import history   # noqa: E402
import years   # noqa: E402
from town import Town   # noqa: E402

SEED = 1


@pytest.fixture(scope="module")
def lived(sceau):
    with Town() as town:
        s, ends = years.lived(town, 12, SEED, short=True)
        yield s, ends, years.mutants(town)


def test_what_happens_is_what_the_model_says(lived):
    s = lived[0]
    assert s.town.past.wrong == []
    assert sum(s.town.past.asked.values()) > 500


def test_each_mail_once_or_its_sender_sees(lived):
    ends = lived[1]
    assert None not in ends
    assert ends["shown once"] > 50


@pytest.mark.parametrize("flag", history.MUTANTS.values())
def test_without_this_rule_the_model_is_contradicted(lived, flag):
    act = lived[2][flag]
    assert (act is None) == (flag in years.UNSEEN), act
