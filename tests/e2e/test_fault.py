"""The preloaded library counts in every process, confined or not, and what
it is told to do happens: else the campaigns below would prove nothing."""

import errno
import signal

import pytest

from world.fault import Calls


@pytest.fixture
def calls(demo):
    return Calls(demo.labo.folder)


def posted(demo):
    """Three mails that wait for the practice."""
    sent = [demo.send(f"INR 2,{n}", demo.dr) for n in range(3)]
    demo.labo.ok("poll")
    return sent


@pytest.mark.main
def test_it_counts_in_every_process(demo, calls):
    posted(demo)
    demo.dr.ok("poll", **calls.env())
    got = calls.counts()
    assert {"starter", "keeper", "vault", "clerk", "fetch", "relay"} <= \
        set(got), got
    assert got["fetch"]["net"] > 10 and got["relay"]["net"] > 5
    assert got["keeper"]["write"] > 5 and got["keeper"]["sync"] > 2
    assert got["clerk"]["rename"] >= 3 and got["clerk"]["sync"] >= 1
    assert all(row["alloc"] > 0 and row["ipc"] > 0 for row in got.values())
    assert "net" not in got["vault"] and "net" not in got["keeper"]
    assert "write" not in got["vault"] and "write" not in got["fetch"]


@pytest.mark.parametrize("part", ("keeper", "vault", "clerk", "fetch"))
def test_one_process_dies(demo, calls, part):
    sent = posted(demo)
    got = demo.dr.sceau("poll", **calls.env("ipc", 3, part=part))
    assert calls.fired, "that part made no such call"
    assert b"process.died" in got.stderr or b"signal=9" in got.stderr, \
        got.text()
    assert got.code == 75
    demo.dr.ok("poll")
    assert sorted(demo.dr.shown()) == sorted(sent)


def test_the_whole_run_dies(demo, calls):
    sent = posted(demo)
    got = demo.dr.sceau("poll", **calls.env("sync", 2, "killall"))
    assert calls.fired and got.code == -signal.SIGKILL, got.text()
    demo.dr.ok("poll")
    assert sorted(demo.dr.shown()) == sorted(sent)


def test_a_full_disk(demo, calls):
    """From the first write on, in the process that stores."""
    sent = posted(demo)
    got = demo.dr.sceau("poll", **calls.env(
        "write", 1, errno.ENOSPC, part="keeper", after=True))
    assert calls.fired and got.code != 0, got.text()
    assert len(demo.dr.mail()) == 3 and demo.dr.documents() == []
    demo.dr.ok("poll")
    assert sorted(demo.dr.shown()) == sorted(sent)
