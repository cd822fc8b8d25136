"""The power fails: what was promised is there, whatever the disk had not yet
written.  tests/fault/cut.py is the campaign; this is its short form."""

import random

import pytest

from fault.cut import Cut, chosen, cuts
from fault.day import Day
from world.demo import Demo
from world.power import Disk


@pytest.fixture(scope="module")
def day(sceau):
    with Demo(postfix=False) as demo:
        demo.start()
        day = Day(demo)
        day.seen = day.survey()
        yield day


@pytest.mark.parametrize("step", ["small", "pop3", "told"])
def test_the_record_is_whole(day, step):
    """All that was written is in it, or every verdict below is worth
    nothing."""
    cut = Cut(day, step, "end", 0)
    assert cut.disk.open
    assert cut.image("all") == Disk(cut.disk.folder).image([])


@pytest.mark.parametrize("step, how", [
    ("large", "lost"), ("pop3", "names"), ("imap", "lost")])
def test_it_fails_when_all_is_done(day, step, how):
    """Sent with exit 0, told to the sender, deleted on the server: the first
    document into a new Maildir, too."""
    cut = Cut(day, step, "end", 0)
    row = cut.judged(how, cut.image(how))
    assert row["verdict"] == "ok", row


@pytest.mark.parametrize("deaf, step, how", [
    ("files", "imap", "names"), ("folders", "imap", "octets")])
def test_without_its_syncs_something_is_lost(day, deaf, step, how):
    """So the judge would see one that is missing."""
    cut = Cut(day, step, "end", 0, deaf)
    assert cut.judged(how, cut.image(how))["verdict"] != "ok"


def test_it_fails_at_any_moment(day):
    rng = random.Random(1)
    for where in chosen(list(cuts(day.seen)), rng, 1)[:5]:
        cut = Cut(day, *where)
        how, image = rng.choice(list(cut.images(rng)))
        row = cut.judged(how, image)
        assert row["verdict"] == "ok", row
