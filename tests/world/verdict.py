"""What must be true after a crash, whatever crashed: the judgement of the
tests and of the campaigns."""

import signal
from collections import Counter

from pysceau import envelope
from world.attack import acks
from world.demo import mark, stripped

CRASHED = (75, -signal.SIGKILL)


def crash(member, point, *words, **more):
    """Run with a SIGKILL at that point; somebody must have died of it."""
    got = member.sceau(*words, SCEAU_FAULT=f"{point}:kill", **more)
    died = (b"signal=9", b"event=process.died")
    assert any(d in got.stderr for d in died) or \
        got.code == -signal.SIGKILL, \
        f"{point} was never passed: {got.text()}"
    return got


def settle(member):
    """As cron would: until a pass has nothing to complain of.  What a crash
    put off is hurried."""
    for row in member.ok("queue", "list", "--json").json():
        member.ok("queue", "retry", row["id"])
    for _ in range(4):
        if (got := member.sceau("poll")).code == 0:
            return
    raise AssertionError(got.text())


def shown_once(member, mails, of=stripped):
    """Each mail once as new; another showing only with a flag.  of: what of
    a delivered mail is compared."""
    new, again = Counter(), Counter()
    for p in member.documents():
        data = p.read_bytes()
        flagged = "possible-duplicate" in mark(data).get("flags", "")
        (again if flagged else new)[of(data)] += 1
    lost = [m for m in mails if not new[m] and not again[m]]
    assert not lost, f"{len(lost)} lost"
    assert max(new.values(), default=1) == 1, "shown twice as new"
    assert not set(new) & set(again), "shown as new and again"
    assert set(new) | set(again) == set(mails)
    left = list((member.inbox / "tmp").glob("*"))
    assert left == [], "temporary files were not swept"


def received(demo, forger, member, mails, envs):
    shown_once(member, mails)
    assert member.mail() == [] and member.held() == []
    told = {}
    for a in acks(demo, demo.labo, forger):
        told.setdefault(a["T"], set()).add((a["state"], a["D"]))
    assert told == {
        envelope.parse_header(e).T: {(2, envelope.digest_of(m))}
        for e, m in zip(envs, mails)}
