"""Many messages of all kinds on their way at once: whatever process dies
meanwhile, the end is that of one calm pass."""

import os
import random
import signal
import time
from collections import Counter

import pytest

from pysceau import mail
from world.attack import acks, spoiled
from world.demo import stripped
from world.fault import children
from world.verdict import crash

MANY = 300


def forged(env, other):
    """The header of one, the body of another: T is the first one's."""
    n = len(env) - len(env) // 3
    return env[:n] + other[n:] if len(other) >= len(env) else \
        env[:n] + bytes(len(env) - n)


def mixture(demo, forger, to, how_many=MANY):
    """Mails as they lie on the server, in an order of chance."""
    rng = random.Random(20261127)
    out, good = [], []
    for n in range(how_many * 2 // 3):
        big = b"x" * 70 + b"\r\n"
        data = demo.mail_of(f"INR {n}", to)
        if n in (40, 120):
            data += big * (5 * (1 << 20) // len(big))
        elif n % 9 == 0:
            data += big * rng.randrange(2000)
        env = forger.seal(demo.labo, to, data)
        good.append(env)
        out.append(env)
    for n in range(how_many // 12):
        env = rng.choice(good)
        out.append(env)                             # again
        env = rng.choice(good[1:30])
        out.append(forged(env, good[0]))            # damaged
        bad = bytearray(rng.choice(good))
        bad[30 + rng.randrange(20)] ^= 1
        out.append(bytes(bad))                      # a header of nobody's
        env = rng.choice(good)
        out.append(env[:len(env) // 2])             # cut
    rng.shuffle(out)
    return [forger.wrap(demo.labo, to, e) for e in out]


def end_of(demo, forger, member):
    """What is to be the same: shown, held, left, told.  A damaged copy is held
    or known, as it is opened before the intact one was delivered or after."""
    held = Counter(member.classes())
    del held["BODY"]
    return {"shown": Counter(stripped(p.read_bytes())
                             for p in member.documents()),
            "held": held, "left": len(member.mail()),
            "received": {(a["T"], a["D"])
                         for a in acks(demo, demo.labo, forger)
                         if a["state"] == 2}}


def same(a, b):
    assert a["left"] == b["left"] and a["held"] == b["held"]
    assert a["shown"] == b["shown"], "lost, doubled or changed"
    assert a["received"] == b["received"], "other acknowledgements"


def post(demo, to, mails):
    demo.fresh()
    demo.post(to, *mails)


def calm(demo, forger, to, mails):
    post(demo, to, mails)
    assert to.sceau("poll").code == 65
    assert to.sceau("poll").code == 0
    return end_of(demo, forger, to)


@pytest.fixture(scope="module")
def world(_servers, forger):
    _servers.fresh()
    to = _servers.dr
    mails = mixture(_servers, forger, to)
    wanted = calm(_servers, forger, to, mails)
    assert max(wanted["shown"].values()) == 1
    assert len(wanted["shown"]) == len(wanted["received"]) == MANY * 2 // 3
    return to, mails, wanted


def quiet(member):
    """Until a pass is done with all of it, whatever it has to say."""
    for _ in range(12):
        if (got := member.sceau("poll")).code == 0:
            return
        assert got.code in (65, 75), got.text()
    raise AssertionError(got.text())


def shot(member, rng, times):
    """Passes in which one of the processes is killed at some moment."""
    for _ in range(times):
        p = member.start("poll")
        time.sleep(rng.uniform(0.1, 1.5))
        try:
            victims = children(p.pid)
            if victims:
                os.kill(rng.choice(victims), signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError):
            pass
        p.communicate(timeout=120)
        assert p.returncode in (0, 65, 75), p.returncode


@pytest.mark.parametrize("seed", range(int(os.environ.get("SEEDS", "3"))))
def test_any_process_killed_at_any_moment(demo, forger, world, seed):
    to, mails, wanted = world
    rng = random.Random(seed)
    post(demo, to, mails)
    shot(to, rng, 6)
    quiet(to)
    same(end_of(demo, forger, to), wanted)


@pytest.mark.parametrize("point", [
    "clerk.sync.after", "drop.name.after#70", "keeper.intent.after",
    "keeper.delivered.before", "keeper.delivered.after"])
def test_killed_with_a_batch_on_its_way(demo, forger, world, point):
    to, mails, wanted = world
    post(demo, to, mails)
    crash(to, point, "poll")
    quiet(to)
    same(end_of(demo, forger, to), wanted)


def test_copies_leave_nothing_in_locked_memory(demo, forger):
    """Those of what was delivered are not opened: what the vault took to
    read a header is free before the next one."""
    one = forger.mail(demo.labo, demo.dr, demo.mail_of("INR", demo.dr))
    demo.post(demo.dr, one)
    demo.dr.ok("poll")
    demo.post(demo.dr, *[one] * 256)
    got = demo.dr.ok("poll", memory=True)
    assert len(demo.dr.documents()) == 1 and demo.dr.mail() == []
    assert got.memory.peak_kb < 10000, got.memory.by_pid


def test_mails_of_a_batch_leave_the_memory_of_the_clerk(demo, forger):
    """In it one by one, until the files of each are written."""
    demo.post(demo.dr, *(forger.mail(
        demo.labo, demo.dr, demo.mail_of(f"INR {n}", demo.dr) +
        (b"x" * 70 + b"\r\n") * 550) for n in range(200)))
    got = demo.dr.ok("poll", memory=True)
    assert len(demo.dr.documents()) == 200
    # The keeper's is what it fetched.
    most = sorted(m["private"] for m in got.memory.by_pid.values())[-2]
    assert most < 5000, got.memory.by_pid


@pytest.fixture(scope="module")
def to_relay(_servers, forger):
    """What lies before the gateway: to be relayed, again, spoiled, its own."""
    demo, rng = _servers, random.Random(20261128)
    demo.fresh()
    mails = [demo.mail_of(f"INR {n}", demo.petit) for n in range(60)]
    for m in mails:
        demo.labo.ok("send", demo.petit.address, input=m)
    demo.labo.ok("poll")
    sealed = demo.hub.mail()
    assert len(sealed) == len(mails)
    own = [demo.mail_of(f"to the gateway {n}", demo.hub) for n in range(10)]
    sealed += [forger.mail(demo.labo, demo.hub, m) for m in own]
    sealed += [rng.choice(sealed) for _ in range(20)]
    sealed += [spoiled(rng.choice(sealed), 400 + n) for n in range(10)]
    rng.shuffle(sealed)
    return sealed, mails, own


def test_a_copy_of_what_was_relayed_a_moment_ago(demo, to_relay):
    """By an earlier commit of the same batch: what was learnt of others behind
    it is kept all the same, in one pass."""
    demo.post(demo.hub, *to_relay[0])
    got = demo.hub.sceau("poll")
    assert got.code == 65 and b"pass.failed" not in got.stderr, got.text()
    assert demo.hub.mail() == [] and demo.hub.classes() == ["BODY"] * 10


@pytest.mark.parametrize("point", [
    None, "keeper.relay.before", "keeper.relay.after",
    "keeper.delivered.before", "keeper.delivered.after"])
def test_a_gateway_killed_with_a_batch_on_its_way(demo, forger, to_relay,
                                                  point):
    sealed, mails, own = to_relay
    demo.post(demo.hub, *sealed)
    if point:
        crash(demo.hub, point, "poll")
    else:
        shot(demo.hub, random.Random(1), 4)
    quiet(demo.hub)
    for row in demo.hub.ok("queue", "list", "--json").json():
        demo.hub.ok("queue", "retry", row["id"])
    quiet(demo.hub)
    # The very same twice where a relay had no time to say that it was taken.
    assert len({mail.find(m) for m in demo.petit.mail()}) == len(mails)
    quiet(demo.petit)
    assert Counter(demo.petit.shown()) == Counter(mails)
    assert Counter(demo.hub.shown()) == Counter(own)


def test_full_envelopes_of_acknowledgements_go_at_once(demo, forger):
    """200 fill one: it is sealed while others wait to be opened, so that the
    relay need not wait for all; a death at it says none twice or never."""
    n = 520
    demo.post(demo.dr, *(forger.mail(
        demo.labo, demo.dr, demo.mail_of(f"INR {i}", demo.dr))
        for i in range(n)))
    crash(demo.dr, "keeper.ack.before", "poll")
    assert 200 <= len(demo.dr.documents()) < n
    quiet(demo.dr)
    assert len(demo.dr.documents()) == n and demo.dr.mail() == []
    told = Counter(a["T"] for a in acks(demo, demo.labo, forger))
    assert len(told) == n and max(told.values()) == 1
    assert len(demo.labo.mail()) == 3
