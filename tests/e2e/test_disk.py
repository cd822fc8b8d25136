"""The disk fails: a page of the store is damaged, there is no room, nothing
can be written.  tests/fault/disk.py is the campaign; this is its short form,
and what sceau restored does about a damaged store."""

import errno
import os
import random
import signal
import subprocess

import pytest

from fault.commands import CASES
from fault.disk import Trial, lived, log_damaged, log_left
from world.demo import YEAR, mark
from world.fault import Calls, children, state, stopped
from world.small import PAGE, STORE, damage
from world.verdict import settle


def kept(member):
    return list(member.state.glob("sceau.db.damaged-*"))


def store_row(member):
    row, = (r for r in member.sceau("check", "--json").json()
            if r["what"] == "store")
    return row


@pytest.fixture
def queued(demo):
    """One mail is on its way, one is not yet."""
    first = demo.send("INR 2,1", demo.dr)
    demo.labo.ok("poll")
    return [first, demo.send("INR 3,0", demo.dr)]


def arrived(demo, mails):
    settle(demo.labo)
    settle(demo.dr)
    assert sorted(demo.dr.shown()) == sorted(mails)


def test_a_damaged_index_costs_nothing(demo, queued):
    damage(demo.labo, "queue_due")
    got = demo.labo.sceau("poll")
    assert got.code == 78 and b"sceau restored" in got.stderr, got.text()
    row = store_row(demo.labo)
    assert row["result"] == "wrong" and "restored" in row["detail"]
    before = (demo.labo.state / STORE).read_bytes()
    got, = demo.labo.ok("restored", "--json").json()
    assert got["damaged"] == "whole" and got["lost"] == 0
    assert [p.read_bytes() for p in kept(demo.labo)] == [before]
    assert store_row(demo.labo)["result"] == "fine"
    assert not (demo.labo.state / "mend").exists()
    arrived(demo, queued)


def test_the_keeper_left_before_it_was_answered(demo, queued):
    """What it said on leaving is what cron hears, not that it left."""
    damage(demo.labo, "queue_due")
    process = demo.labo.start("run",
                              SCEAU_FAULT="starter.started.before:stop")
    demo.wait_until(lambda: stopped(process.pid))
    keeper = children(process.pid)[0]
    demo.wait_until(lambda: state(keeper) == "Z")
    os.kill(process.pid, signal.SIGCONT)
    out, err = process.communicate()
    assert process.returncode == 78 and b"sceau restored" in err, err


def test_what_was_to_be_sent_and_is_lost_is_named(demo, queued):
    damage(demo.labo, "body_part")
    text = demo.labo.ok("restored", "--lang", "fr").stdout.decode()
    assert "octets sont perdus : 1" in text and "envoyez-les" in text
    event, = (e for e in demo.labo.ok("log", "--json").json()
              if e["event"] == "store.lost")
    assert demo.dr.identity in event["text"]
    assert " queued=20" in event["text"]
    assert demo.labo.ok("queue", "list", "--json").json() == []
    arrived(demo, queued[:1])


def test_a_lost_table_is_said(demo, queued):
    damage(demo.labo, "queue", bytes(range(256)) * 16)
    text = demo.labo.ok("restored").stdout.decode()
    assert "Not all could be read" in text
    arrived(demo, queued[:1])


def test_the_memory_of_what_was_shown_is_lost(demo, forger):
    """Then it may come again, and bears the flag."""
    data = demo.mail_of("INR 2,1", demo.dr)
    sealed = forger.mail(demo.labo, demo.dr, data)
    demo.post(demo.dr, sealed)
    demo.dr.ok("poll")
    shown, = demo.dr.documents()
    shown.unlink()
    damage(demo.dr, "journal")
    demo.dr.ok("restored", SCEAU_FAULT_CLOCK="+5")
    demo.post(demo.dr, sealed)
    demo.dr.ok("poll")
    again, = demo.dr.documents()
    assert "possible-duplicate" in mark(again.read_bytes())["flags"]


def test_nothing_can_be_read(demo, queued):
    """The file's first page: it stays as it is, and it is said."""
    path = demo.labo.state / STORE
    path.write_bytes(bytes(PAGE) + path.read_bytes()[PAGE:])
    before = path.read_bytes()
    assert demo.labo.sceau("send", "-t", input=queued[0]).code == 78
    got = demo.labo.sceau("restored")
    assert got.code == 78 and b"move it away" in got.stderr, got.text()
    assert path.read_bytes() == before and kept(demo.labo) == []
    path.unlink()
    demo.labo.ok("restored")
    assert demo.labo.sceau("poll").code == 0


def test_dry_run_changes_nothing(demo, queued):
    damage(demo.labo, "queue_due")
    before = demo.labo.snapshot()
    got = demo.labo.ok("restored", "--dry-run").stdout.decode()
    assert "would go into a new one" in got
    assert demo.labo.snapshot() == before


@pytest.mark.parametrize("point", (
    "store.mend.before", "store.mend.after", "store.restored.before",
    "store.restored.after", "store.exchange.before",
    "store.exchange.after"))
def test_a_death_while_mending(demo, queued, point):
    """Until the very end the damaged one is in its place, and refused; the
    new one knows that something may have been lost."""
    damage(demo.labo, "queue_due")
    got = demo.labo.sceau("restored", SCEAU_FAULT=f"{point}:kill")
    assert got.code != 0, got.text()
    done = point == "store.exchange.after"
    assert demo.labo.sceau("poll").code == (0 if done else 78)
    events = [e["event"] for e in demo.labo.sceau("log", "--json").json()]
    assert ("restored" in events) == done
    demo.labo.ok("restored")
    assert len(kept(demo.labo)) == 1
    arrived(demo, queued)


def test_without_keys_yet(demo, forger):
    """The store was put back without its two files, and is damaged: neither
    command waits for the other."""
    path, slip = demo.dr.key_file(forger.all, YEAR)
    demo.dr.ok("key", "import", "--code-file", slip, path)
    demo.dr.ok("poll")
    for name in ("keystore", "keystore.key"):
        (demo.dr.state / name).unlink()
    damage(demo.dr, "row")
    got = demo.dr.sceau("restored")
    assert got.code == 78 and b"no key store" in got.stderr, got.text()
    assert len(kept(demo.dr)) == 1
    demo.dr.ok("key", "import", "--code-file", slip, path)
    assert store_row(demo.dr)["result"] == "fine"


@pytest.mark.parametrize("what", ("send", "poll, receiving",
                                  "poll, gateway"))
@pytest.mark.parametrize("kind", ("zeros", "noise", "bit"))
def test_what_the_log_has_lost_is_said(demo, forger, what, kind):
    """SQLite reads it up to the damage, and says nothing."""
    row = Trial(CASES[what](demo, forger, lived)).logged(0, kind,
                                                         random.Random(1))
    assert row["code"] == 0 and row["seen"] and row["lost"], row


def test_a_lost_promise_as_people_see_it(demo):
    """A mail that was taken with exit 0 is gone from the queue."""
    demo.send("INR 2,1", demo.dr)
    with log_left(demo.labo) as log:
        mail = demo.send("INR 3,0", demo.dr)
    assert log.stat().st_size > PAGE
    demo.save("log")
    log_damaged(log, 0, "zeros", None)
    for command in ("poll",), ("send", "-t"):
        got = demo.labo.sceau(*command, "--lang", "fr", input=mail)
        assert got.code == 78 and b"sceau restored" in got.stderr, got.text()
    row = store_row(demo.labo)
    assert row["result"] == "wrong" and "has lost what was" in row["detail"]
    assert len(demo.labo.ok("queue", "list", "--json").json()) == 1
    got = demo.labo.ok("restored", "--dry-run").stdout.decode()
    assert "has lost what was" in got and store_row(demo.labo) == row
    text = demo.labo.ok("restored", "--lang", "fr").stdout.decode()
    assert "a perdu ce qui" in text and "envoyez" in text
    assert store_row(demo.labo)["result"] == "fine"
    demo.labo.ok("poll")
    # And without damage, nothing is said.
    demo.load("log")
    assert store_row(demo.labo)["result"] == "fine"
    assert len(demo.labo.ok("queue", "list", "--json").json()) == 2
    demo.labo.ok("poll")


def test_a_store_that_has_lost_something_and_its_keys(demo, forger):
    """Neither command waits for the other."""
    path, slip = demo.dr.key_file(forger.all, YEAR)
    words = "key", "import", "--code-file", slip, path
    demo.dr.ok(*words)
    with log_left(demo.dr) as log:
        demo.send("INR", demo.labo, sender=demo.dr)
    log.unlink()
    for name in ("keystore", "keystore.key"):
        (demo.dr.state / name).unlink()
    assert demo.dr.sceau("restored").code == 78
    demo.dr.ok(*words)
    got = demo.dr.sceau("poll")
    assert got.code == 78 and b"sceau restored" in got.stderr, got.text()
    demo.dr.ok("restored")
    demo.dr.ok("poll")


def test_the_new_one_holds_what_its_journal_held(demo, forger):
    """That is folded into it as it is closed: where a read fails then, it
    said 0, and the new store forgot the moment, or was torn."""
    case = CASES["restored, lost journal"](demo, forger)
    calls, codes = Calls(demo.top), []
    case.begin()
    case.run(**calls.env())
    for n in range(calls.total("read"), 0, -2):
        case.begin()
        got = case.run(**calls.env("read", n, str(errno.EIO)))
        assert calls.fired
        case.judge(got)
        codes.append(got.code)
        if len(codes) > 12:
            break
    assert {0} < set(codes), codes


def test_what_an_earlier_try_left_is_removed(demo, queued):
    """Also when the exchange had been made by then."""
    damage(demo.labo, "queue_due")
    demo.labo.sceau("restored", SCEAU_FAULT="store.exchange.after:kill")
    assert (demo.labo.state / "mend").exists()
    before = demo.labo.snapshot()
    demo.labo.ok("restored", "--dry-run")
    assert demo.labo.snapshot() == before
    demo.labo.ok("restored")
    assert not (demo.labo.state / "mend").exists()
    arrived(demo, queued)


def test_nobody_else_writes_meanwhile(demo, queued):
    """A program that has the store open would go on in the old file."""
    damage(demo.labo, "journal_forget")
    process = demo.labo.start("send", "-t", stdin=subprocess.PIPE,
                              SCEAU_FAULT="store.out.submit.before:stop")
    process.stdin.write(queued[0])
    process.stdin.close()
    demo.wait_until(lambda: any(map(stopped, children(process.pid))))
    got = demo.labo.sceau("restored")
    assert got.code == 75 and b"busy" in got.stderr, got.text()
    assert kept(demo.labo) == []
    for pid in children(process.pid):
        os.kill(pid, signal.SIGCONT)
    assert process.wait() == 0
    demo.labo.ok("restored")
    arrived(demo, [*queued, queued[0]])


@pytest.mark.parametrize("what", ("poll, receiving", "send",
                                  "poll, gateway"))
@pytest.mark.parametrize("folder, left", (
    ("state", 0), ("state", 6), ("state", 24), ("state", None),
    ("inbox", 0), ("inbox", None)))
def test_a_disk_that_takes_no_more(demo, forger, what, folder, left):
    row = Trial(CASES[what](demo, forger, lived)).short(folder, left)
    if folder == "state" and left in (0, None):
        assert row["code"] in (71, 73, 74, 75, 77, 78), row


@pytest.mark.parametrize("folder", ("outbox", "outbox/refused",
                                    "outbox/sent"))
@pytest.mark.parametrize("left", (0, None))
def test_an_outbox_that_takes_no_more(demo, forger, folder, left):
    """What was sent and cannot be taken away is not sent again."""
    case = CASES["poll, outbox that keeps"](demo, forger, lived)
    assert Trial(case).short(folder, left)["code"] in (75, 78)
