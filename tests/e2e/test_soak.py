"""The soak takes hours (make soak): here, that its judge sees what is wrong,
and that those who stay are killed, weighed and ended as it thinks."""

import collections
import random
import signal

import pytest

from soak.soak import Soak
from soak.staying import Stayer, weighed
from world.memory import name_of, tree


@pytest.mark.parametrize("new, again, state, words", [
    (1, 0, "received", ()), (0, 1, "opened", ()), (0, 2, "received", ()),
    (0, 0, "failed", ()), (0, 0, "sent", ("lost",)),
    (0, 0, "received", ("lost", "a false acknowledgement")),
    (2, 0, "received", ("shown 2 times as new",)),
    (1, 1, "received", ("shown 1 times as new",)),
    (1, 0, "sent", ("shown, and its sender does not know",)),
    (0, 1, "failed", ("shown, and its sender does not know",))])
def test_its_judge(new, again, state, words):
    soak = Soak.__new__(Soak)
    soak.wrong, soak.count = [], collections.Counter()
    soak.judge((bytes(64), "dr"), new, again, state)
    assert len(soak.wrong) == len(words), soak.wrong
    assert all(w in said for w, said in zip(words, soak.wrong)), soak.wrong


def test_memory_that_grew():
    soak = Soak.__new__(Soak)
    soak.wrong = []
    soak.grown({"sceau:keeper": 100, "sceau": 10},
               {"sceau:keeper": 151, "sceau": 15, "sceau:relay": 9})
    assert len(soak.wrong) == 1 and "keeper" in soak.wrong[0]


def test_one_that_stays(demo):
    """While it stands still mail comes; it is weighed while it takes it."""
    rng, stayer = random.Random(1), Stayer(demo.durand, lasting=True)
    assert not stayer.running
    stayer.start()
    try:
        demo.wait_until(lambda: any("fetch" in name_of(p) for p in
                                    tree(stayer.process.pid)), 20, "fetch")
        stayer.signal(signal.SIGSTOP)
        sent = [demo.send(f"INR {n}", demo.durand) for n in range(3)]
        demo.labo.ok("poll")
        most, done = weighed([stayer], lambda: len(demo.durand.new()) == 3 and
                             demo.durand.mail() == [], 30)
        assert done and {"sceau", "sceau:keeper", "sceau:vault",
                         "sceau:clerk", "sceau:fetch"} <= set(most), most
        assert all(kb > 0 for kb in most.values())
        keeper, = (p for p in tree(stayer.process.pid)
                   if "keeper" in name_of(p))
        demo.wait_until(lambda: stayer.strike(rng) == "one", 20, "a victim")
        sent.append(demo.send("INR 9", demo.durand))
        demo.labo.ok("poll")
        demo.durand.ok("poll")
        assert keeper in tree(stayer.process.pid)
    finally:
        assert stayer.end()
    assert stayer.code in (0, 75), stayer.said
    demo.durand.ok("poll")
    assert sorted(demo.durand.shown()) == sorted(sent)


def test_one_that_does_not_last(demo):
    rng, stayer = random.Random(1), Stayer(demo.dr, lasting=False)
    stayer.start()
    while (what := stayer.strike(rng)) != "whole":
        if not stayer.running:
            stayer.start()
    stayer.thread.join(30)
    assert what == "whole" and stayer.code == -signal.SIGKILL
    assert stayer.end() and not stayer.running
