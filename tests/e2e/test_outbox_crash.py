"""A laboratory's outbox and SIGKILL at each step: what was dropped goes once,
and what is changed or replaced meanwhile is neither lost nor sent in part."""

import errno
import os
import pathlib
import signal

import pytest

from world.fault import Calls
from world.memory import tree
from world.outbox import PDF, Box, report
from world.verdict import CRASHED, crash


@pytest.fixture
def box(demo):
    return Box(demo)


POINTS = [("outbox.read", False), ("outbox.pull", False),
          ("outbox.pulled", False), ("outbox.pull#2", False),
          ("outbox.queue.before", False), ("keeper.submit.before", False),
          ("keeper.submit.after", True), ("outbox.queue.after", True),
          ("outbox.away.before", True), ("outbox.away.hidden", True),
          ("outbox.away.hidden#2", True), ("outbox.away.after", True),
          ("store.outbox.forget.before", True)]


@pytest.mark.parametrize("point, queued, after", [
    *((*p, "delete") for p in POINTS),
    *((*p, "move") for p in POINTS if "away" in p[0])])
def test_killed_anywhere_it_goes_once(box, point, queued, after):
    box.want(to=box.dr.address, ready="rename", after=after)
    box.drop("r.hpr", report())
    box.drop("r.pdf", PDF)
    got = crash(box.labo, point, "poll")
    assert got.code in CRASHED, got.text()
    rows = box.labo.ok("queue", "list", "--json").json()
    # A clerk that dies alone is started anew in the same pass.
    assert len(rows) + len(box.labo.states()) >= queued
    for _ in range(3):
        for row in box.labo.ok("queue", "list", "--json").json():
            box.labo.ok("queue", "retry", row["id"])
        box.labo.sceau("poll")
    assert [p.name for p in box.path.iterdir() if p.is_file()] == []
    assert sorted(d for _, d in box.arrived()) == sorted([report(), PDF])
    if after == "move":
        assert sorted(p.name for p in (box.path / "sent").iterdir()) == [
            "r.hpr", "r.pdf"]


@pytest.mark.parametrize("point", ["outbox.refuse.noted",
                                   "outbox.away.hidden",
                                   "outbox.away.after"])
def test_killed_while_refusing(box, point):
    box.drop("r.hpr", report(line_7="never"))
    crash(box.labo, point, "poll")
    box.labo.sceau("poll")
    box.poll()
    kept = box.refusals()
    assert [n for n, d in kept.items() if d == report(line_7="never")]
    for name in kept:
        assert name.endswith(".txt") or f"{name}.txt" in kept
    assert box.labo.states() == {}


@pytest.mark.parametrize("first", ["a.hpr", "a.PDF"])
@pytest.mark.parametrize("point", ["outbox.refuse.noted",
                                   *(f"outbox.away.{at}#{n}"
                                     for at in ("before", "hidden", "after")
                                     for n in (1, 2))])
def test_killed_while_refusing_nothing_goes_without_what_is_wrong(
        box, point, first):
    """The other file could go by itself: it has a recipient."""
    box.want(to=box.dr.address, ready="rename")
    wrong = report(line_7="never")
    files = {"a.hpr": wrong, "a.PDF": PDF} if first == "a.hpr" else {
        "a.PDF": b"", "a.hpr": report()}
    for name, data in files.items():
        box.drop(name, data)
    crash(box.labo, point, "poll")
    for _ in range(2):
        box.labo.sceau("poll")
    assert box.labo.states() == {} and box.arrived() == []
    kept = [d for n, d in box.refusals().items() if not n.endswith(".txt")]
    assert sorted(kept) == sorted(files.values())


def test_more_than_a_message_takes_are_refused_together(box):
    """And none of them goes by itself."""
    box.want(to=box.dr.address, ready="rename")
    for n in range(70):
        box.drop(f"a.{n}", PDF)
    for _ in range(2):
        box.labo.sceau("poll")
    assert box.labo.states() == {} and box.arrived() == []
    assert len([n for n in box.refusals() if not n.endswith(".txt")]) == 70


def test_replaced_behind_a_crash_it_goes_too(box):
    box.drop("r.hpr", report())
    crash(box.labo, "outbox.queue.after", "poll")
    box.drop("r.hpr", report(line_9="2"))
    box.poll()
    assert sorted(d for _, d in box.arrived()) == sorted(
        [report(), report(line_9="2")])


def stopped(pid):
    """The process below pid that stands still."""
    return next((p for p in tree(pid) if pathlib.Path(
        f"/proc/{p}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T"),
        None)


def test_replaced_just_before_it_goes_it_stays(box):
    box.drop("r.hpr", report())
    process = box.labo.start("poll", SCEAU_FAULT="outbox.away.before:stop")
    box.demo.wait_until(lambda: stopped(process.pid), what="the clerk")
    box.drop("r.hpr", report(line_9="2"))
    os.kill(stopped(process.pid), signal.SIGCONT)
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert (box.path / "r.hpr").read_bytes() == report(line_9="2")
    box.poll()
    assert sorted(d for _, d in box.arrived()) == sorted(
        [report(), report(line_9="2")])


@pytest.mark.parametrize("time", [1, 2])
def test_changed_while_it_is_read_it_waits(box, time):
    """Between the two readings, and behind the second."""
    box.drop("r.pdf", PDF)
    process = box.labo.start("poll", SCEAU_FAULT=f"outbox.pulled#{time}:stop")
    box.demo.wait_until(lambda: stopped(process.pid), what="the clerk")
    with open(box.path / "r.pdf", "r+b") as f:
        f.write(b"%PDX")
    os.kill(stopped(process.pid), signal.SIGCONT)
    process.communicate(timeout=60)
    assert process.returncode == 75
    assert box.labo.states() == {} and box.left() == ["r.pdf"]
    box.poll()
    assert box.arrived() == [("r.pdf", b"%PDX" + PDF[4:])]


BAD = report(line_7="never")


def dropped(box):
    """Two groups that go, and a file that is refused."""
    box.demo.fresh()
    fresh = Box(box.demo)
    fresh.drop("r.hpr", report())
    fresh.drop("r.pdf", PDF)
    fresh.drop("s.hpr", report(line_9="2"))
    fresh.drop("t.hpr", BAD)
    return fresh


def judge(box):
    """After the next passes: each once, nothing left, nothing half done."""
    for _ in range(4):
        for row in box.labo.ok("queue", "list", "--json").json():
            box.labo.ok("queue", "retry", row["id"])
        if box.labo.sceau("poll").code == 0 and box.left() == []:
            break
    assert box.left() == []
    assert sorted(d for _, d in box.arrived()) == sorted(
        [report(), PDF, report(line_9="2")])
    kept = box.refusals()
    assert [d for n, d in kept.items() if f"{n}.txt" in kept] == [BAD]


@pytest.mark.slow
@pytest.mark.parametrize("what, action, part", [
    *((w, "killall", None) for w in ("write", "sync", "rename")),
    *((w, "kill", p) for w in ("rename", "ipc", "open")
      for p in ("clerk", "vault", "keeper")),
    *((w, errno.EIO, None) for w in ("sync", "rename", "read", "open")),
    ("write", errno.ENOSPC, None)])
def test_killed_or_failing_at_a_call(box, what, action, part):
    """At a dozen of each kind, from the first to the last."""
    calls = Calls(box.demo.top)
    box = dropped(box)
    assert box.labo.sceau("poll", **calls.env()).code == 65
    last = calls.total(what, part)
    for n in range(1, last + 1, max(1, last // 12)):
        box = dropped(box)
        box.labo.sceau("poll", **calls.env(what, n, action, part=part))
        judge(box)
