"""More mails than go through a pass together: those behind are begun before
the ones in front are done with."""

import contextlib
import os
import signal
import sqlite3

import pytest

from pysceau import envelope
from world.fault import children, stopped

TOGETHER = 256      # BATCH_MAX, flow/opening.h


def count(member, where):
    with contextlib.closing(sqlite3.connect(
            member.state / "sceau.db", timeout=20)) as db:
        return db.execute("SELECT count(*) FROM incoming WHERE "
                          f"{where}").fetchone()[0]


def one_stopped(process):
    """Some child has come to the point; others come and go."""
    for pid in children(process.pid):
        with contextlib.suppress(FileNotFoundError):
            if stopped(pid):
                return True
    return False


def kill(process):
    for pid in (*children(process.pid), process.pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.communicate()


def stored(demo, forger, to, n):
    """n mails of the laboratory, fetched and not one of them opened: (what is
    in each, its T)."""
    mails = [demo.mail_of(f"INR {i}", to) for i in range(n)]
    sealed = [forger.seal(demo.labo, to, m) for m in mails]
    demo.post(to, *(forger.wrap(demo.labo, to, e) for e in sealed))
    process = to.start("poll", SCEAU_FAULT="vault.mail@*:stop")
    demo.wait_until(lambda: (to.state / "sceau.db").exists() and
                    one_stopped(process) and
                    count(to, "state <= 2") == n, 60, "all are fetched")
    kill(process)
    return mails, [envelope.parse_header(e).T.hex()[:20] for e in sealed]


@pytest.mark.parametrize("part", ("clerk", "vault"))
def test_who_kills_from_behind_leaves_those_in_front(demo, forger, part):
    """They were files already: none of them is opened again, or marked as one
    that may be there twice."""
    mails, ts = stored(demo, forger, demo.dr, TOGETHER + 20)
    killer = TOGETHER + 3
    log = demo.dr.folder / f"passed.{part}"
    env = {"SCEAU_FAULT": f"{part}.mail@{ts[killer]}:kill",
           "SCEAU_FAULT_LOG": str(log)}
    assert demo.dr.sceau("poll", **env).code == 75
    assert sorted(demo.dr.shown()) == \
        sorted(mails[:killer] + mails[killer + 1:])
    assert demo.dr.classes() == ["POLICY"]
    assert demo.dr.sceau("poll", **env).code == 0
    # In front: once for all.  Behind: one by one, and none for who kills.
    passed = log.read_text().split()
    assert passed.count("keeper.intent.after") == 1 + 19


@pytest.mark.parametrize("point", (
    "keeper.delivered.before", "keeper.delivered.before#2",
    "keeper.delivered.after", "keeper.intent.before#2",
    "keeper.intent.after#2", "drop.name.after#300"))
def test_a_death_with_two_on_their_way(demo, forger, point):
    mails, _ = stored(demo, forger, demo.dr, TOGETHER * 2 + 10)
    demo.dr.sceau("poll", SCEAU_FAULT=f"{point}:kill")
    for _ in range(2):
        demo.dr.sceau("poll")
    assert sorted(demo.dr.shown()) == sorted(mails)
    assert demo.dr.mail() == []
    demo.labo.ok("poll")


def test_a_copy_behind_is_known(demo, forger):
    """The same envelope again, behind many others: one document."""
    data = demo.mail_of("INR 2,1", demo.dr)
    sealed = forger.seal(demo.labo, demo.dr, data)
    others = [demo.mail_of(f"INR {i}", demo.dr) for i in range(TOGETHER)]
    wrapped = [forger.wrap(demo.labo, demo.dr, e) for e in (
        sealed, *(forger.seal(demo.labo, demo.dr, m) for m in others),
        sealed, sealed)]
    demo.post(demo.dr, *wrapped)
    demo.dr.ok("poll")
    assert sorted(demo.dr.shown()) == sorted([data, *others])
    assert demo.dr.mail() == []


def test_the_server_hears_of_many_before_the_last_is_opened(demo, forger):
    """IMAP, more than a thousand: what is delivered leaves the mailbox, and
    nothing else; all of it in the end."""
    n = 5 * TOGETHER + 10
    mails, _ = stored(demo, forger, demo.durand, n)
    process = demo.durand.start(
        "poll", SCEAU_FAULT="keeper.delivered.before#5:stop")
    try:
        demo.wait_until(lambda: one_stopped(process), 60,
                        "the fifth batch")
        box = demo.dovecot.maildir(demo.durand.user)
        demo.wait_until(lambda: sum(
            1 for part in ("new", "cur") for _ in (box / part).iterdir()) ==
            n - 4 * TOGETHER, 20, "the mailbox")
    finally:
        kill(process)
    demo.durand.ok("poll")
    assert sorted(demo.durand.shown()) == sorted(mails)
    assert demo.durand.mail() == []
