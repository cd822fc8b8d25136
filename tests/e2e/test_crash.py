"""kill -9 at chosen instants, and of each process alone: after the next pass
nothing is lost, nothing is shown twice as new, what is acknowledged is true,
and so are the exit codes (P18).  Needs a build with --enable-fault."""

import contextlib
import errno
import os
import signal
import time
from collections import Counter

import pytest

from pysceau import envelope, mail, records
from world import documents
from world.attack import acks
from world.demo import YEAR
from world.fault import Calls, state
from world.memory import name_of, tree
from world.verdict import CRASHED, crash, received, settle, shown_once

N = 3
RECEIVING = [
    "fetch.open.before", "fetch.mail.begin#2", "fetch.mail.end#3",
    "keeper.fetched.before", "keeper.fetched.after", "clerk.sync.before",
    "keeper.intent.before", "keeper.intent.after", "drop.name.before#2",
    "drop.name.after#2", "keeper.delivered.before", "keeper.delivered.after",
    "fetch.release.before", "fetch.release.after", "keeper.ack.before",
    "keeper.ack.after", "relay.mail.begin", "relay.mail.end",
    "keeper.sent.before", "keeper.sent.after",
]
SENDING = ["keeper.submit.before", "keeper.submit.after", "relay.mail.begin",
           "relay.mail.end", "relay.mail.done", "keeper.sent.before",
           "keeper.sent.after"]
GATEWAY = ["keeper.fetched.after", "keeper.relay.before",
           "keeper.relay.after", "relay.mail.end", "keeper.sent.before",
           "fetch.release.after"]


@pytest.fixture(scope="session")
def faults(_servers):
    """The build must know them: a test that never crashes proves nothing."""
    log = _servers.labo.folder / "points"
    _servers.fresh()
    got = _servers.labo.sceau("poll", SCEAU_FAULT_LOG=str(log))
    if not log.exists():
        pytest.skip("no fault points in this build")
    return got


@pytest.fixture(scope="session")
def three(_servers, forger):
    mails = [_servers.mail_of(f"INR {n}", _servers.dr) for n in range(N)]
    return mails, [forger.seal(_servers.labo, _servers.dr, m) for m in mails]


def receive_and_crash(demo, forger, three, point):
    mails, envs = three
    demo.post(demo.dr, *(forger.wrap(demo.labo, demo.dr, e) for e in envs))
    got = crash(demo.dr, point, "poll")
    assert got.code in CRASHED, f"exit {got.code}: {got.text()}"
    time.sleep(1.1)         # names of files are made of the second, too
    settle(demo.dr)
    received(demo, forger, demo.dr, mails, envs)


@pytest.mark.parametrize("point", RECEIVING)
def test_killed_while_receiving(demo, faults, forger, three, point):
    receive_and_crash(demo, forger, three, point)


@pytest.mark.parametrize("point", [
    "fetch.open.before", "fetch.mail.end#2", "keeper.fetched.after",
    "keeper.delivered.after", "fetch.release.before", "fetch.release.after"])
def test_killed_while_receiving_by_imap(demo, faults, forger, point):
    mails = [demo.mail_of(f"INR {n}", demo.durand) for n in range(N)]
    envs = [forger.seal(demo.labo, demo.durand, m) for m in mails]
    demo.post(demo.durand, *(forger.wrap(demo.labo, demo.durand, e)
                             for e in envs))
    got = crash(demo.durand, point, "poll")
    assert got.code in CRASHED, f"exit {got.code}: {got.text()}"
    settle(demo.durand)
    received(demo, forger, demo.durand, mails, envs)


@pytest.mark.slow
def test_killed_at_every_point_of_receiving(demo, faults, forger, three):
    """Those that a pass really goes by, first and second time."""
    mails, envs = three
    demo.post(demo.dr, *(forger.wrap(demo.labo, demo.dr, e) for e in envs))
    log = demo.dr.folder / "points"
    log.unlink(missing_ok=True)
    demo.dr.ok("poll", SCEAU_FAULT_LOG=str(log))
    points = Counter(log.read_text().split())
    assert len(points) > 20
    for name, times in sorted(points.items()):
        for n in {1, min(times, 2)}:
            demo.fresh()
            demo.post(demo.dr, *(forger.wrap(demo.labo, demo.dr, e)
                                 for e in envs))
            demo.dr.sceau("poll", SCEAU_FAULT=f"{name}#{n}:kill")
            time.sleep(1.1)
            settle(demo.dr)
            received(demo, forger, demo.dr, mails, envs)


@pytest.mark.parametrize("point", SENDING)
def test_killed_while_sending(demo, faults, forger, point):
    """What send promised arrives; what it did not, may not be half kept."""
    data = demo.mail_of("INR 1", demo.dr)
    if "submit" in point:
        got = crash(demo.labo, point, "send", demo.dr.address, input=data)
        assert got.code in CRASHED, got.text()
        promised = point.endswith("after")
    else:
        demo.labo.ok("send", demo.dr.address, input=data)
        got = crash(demo.labo, point, "poll")
        assert got.code in CRASHED, f"exit {got.code}: {got.text()}"
        promised = True
    settle(demo.labo)
    # A lease of the killed relay must lapse first.
    queued = demo.labo.ok("queue", "list", "--json").json()
    for row in queued:
        demo.labo.ok("queue", "retry", row["id"])
    settle(demo.labo)
    found = {mail.find(m) for m in demo.dr.mail()}
    assert len(found) == (1 if promised else 0)
    settle(demo.dr)
    if promised:
        shown_once(demo.dr, [data])
        settle(demo.labo)
        assert demo.labo.states() == {demo.dr.name: "received"}


@pytest.mark.parametrize("point", GATEWAY)
def test_killed_while_relaying(demo, faults, forger, point):
    data = demo.mail_of("INR 1", demo.petit)
    demo.labo.ok("send", demo.petit.address, input=data)
    demo.labo.ok("poll")
    got = crash(demo.hub, point, "poll")
    assert got.code in CRASHED, f"exit {got.code}: {got.text()}"
    settle(demo.hub)
    for row in demo.hub.ok("queue", "list", "--json").json():
        demo.hub.ok("queue", "retry", row["id"])
    settle(demo.hub)
    settle(demo.petit)
    shown_once(demo.petit, [data])
    assert demo.hub.mail() != [] or demo.petit.mail() == []
    settle(demo.hub)
    settle(demo.labo)
    assert demo.labo.states() == {demo.petit.name: "received"}


@pytest.mark.parametrize("point", [
    "file.rename.before", "file.rename.after", "store.held.retry.before#2"])
def test_killed_while_a_key_is_taken_in(demo, faults, forger, point):
    """The mail that waited for it is opened, if the key is there: nobody asks
    for it a second time."""
    dr, maker = demo.dr, forger.maker(YEAR + 1)
    path, slip = dr.key_file(forger.all, YEAR)
    dr.ok("key", "import", "--code-file", slip, path)
    data = demo.mail_of("INR 1", dr)
    demo.post(dr, forger.mail(
        demo.labo, dr, data, now=int(time.time()) + 1, year=YEAR + 1,
        grant=False, key=maker.C(forger.who(demo.labo), forger.who(dr),
                                 YEAR + 1)))
    assert dr.sceau("poll").code == 65 and dr.classes() == ["NOKEY"]
    path, slip = dr.key_file(maker, YEAR + 1)
    crash(dr, point, "key", "import", "--code-file", slip, path)
    dr.ok("poll")
    if len(dr.ok("key", "list", "--json").json()) == 1:
        assert dr.classes() == ["NOKEY"]
        dr.ok("key", "import", "--code-file", slip, path)
        dr.ok("poll")
    shown_once(dr, [data])


def test_held_after_it_was_filed_it_comes_back_flagged(demo, faults, forger):
    """A process ends on it each time, behind the names of its two documents;
    a person has it opened once more, when the practice has taken them."""
    dr = demo.dr
    dr.configure(kind="folder")
    two = documents.mail(demo.labo.address, [dr.address], "INR", "INR 2",
                         "r.pdf", documents.pdf(1000), "application/pdf")
    demo.post(dr, *(forger.mail(demo.labo, dr, m)
                    for m in (demo.mail_of("INR 1", dr), two)))
    crash(dr, "drop.name.after#2", "poll")
    (row,) = dr.held()
    assert row["class"] == "POLICY"
    filed = [p.name for p in dr.documents()]
    assert len(filed) == 3
    for path in dr.documents():
        path.unlink()
    dr.ok("held", "release", row["id"])
    dr.ok("poll")
    again = [p.name for p in dr.documents() if p.parent == dr.inbox]
    assert len(again) == 2 and set(again) < set(filed)
    assert dr.ok("inbox", "--json").json()[-1]["possible_duplicate"]


# In the middle of its work; another in its place has less to do.
MIDDLE = {"keeper": "keeper.delivered.before", "vault": "keeper.intent.before",
          "clerk": "drop.name.before#70", "fetch": "fetch.mail.end#60",
          "starter": "keeper.delivered.before"}


def is_in(pid, letters):
    """One of these states of proc(5); it may have left meanwhile."""
    try:
        return state(pid) in letters
    except OSError:
        return False


def killed_alone(demo, process, which, point):
    """That one, where it or another stands still; the others go on."""
    demo.wait_until(lambda: any(is_in(p, "T") for p in tree(process.pid)),
                    what=point)
    everybody = tree(process.pid)
    pid = process.pid if which == "starter" else next(
        p for p in everybody if which in name_of(p))
    os.kill(pid, signal.SIGKILL)
    for other in everybody:
        if other != pid:
            with contextlib.suppress(ProcessLookupError):   # it left since
                os.kill(other, signal.SIGCONT)
    return everybody


def hundred(demo, forger):
    mails = [demo.mail_of(f"INR {n}", demo.dr) for n in range(100)]
    envs = [forger.seal(demo.labo, demo.dr, m) for m in mails]
    demo.post(demo.dr, *(forger.wrap(demo.labo, demo.dr, e) for e in envs))
    return mails, envs


@pytest.mark.parametrize("which", MIDDLE)
def test_each_process_killed_alone(demo, forger, which):
    """In the middle of a hundred."""
    mails, envs = hundred(demo, forger)
    process = demo.dr.start("poll", SCEAU_FAULT=f"{MIDDLE[which]}:stop")
    killed_alone(demo, process, which, MIDDLE[which])
    process.communicate(timeout=60)
    assert process.returncode in CRASHED
    settle(demo.dr)
    received(demo, forger, demo.dr, mails, envs)


def ended(process):
    """By SIGTERM, in good order; its code."""
    assert process.poll() is None, process.communicate()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    return process.returncode


@pytest.mark.parametrize("which", MIDDLE)
def test_each_process_of_run_killed_alone(demo, forger, which):
    """It goes on by itself, and says at its end what it has met; without the
    one that writes the store, or the first, it ends, and whoever watches over
    it starts another."""
    mails, envs = hundred(demo, forger)
    demo.dr.configure(account={"every": "10 s"})
    process = demo.dr.start("run", SCEAU_FAULT=f"{MIDDLE[which]}:stop")
    everybody = killed_alone(demo, process, which, MIDDLE[which])
    code = 75
    if which in ("starter", "keeper"):
        process.communicate(timeout=60)
        assert process.returncode == (
            75 if which == "keeper" else -signal.SIGKILL)
        demo.wait_until(lambda: not any(is_in(p, "RSDT") for p in everybody),
                        30, "all of them to leave")
        process, code = demo.dr.start("run"), 0
    demo.wait_until(
        lambda: len(demo.dr.new()) >= 100 and
        not demo.dovecot.count(demo.dr.user) and
        len(acks(demo, demo.labo, forger)) >= 100, 60, "all of them")
    assert ended(process) == code
    received(demo, forger, demo.dr, mails, envs)


def relayed(demo, texts):
    """Each shown once, and the laboratory knows."""
    settle(demo.dr)
    shown_once(demo.dr, [demo.mail_of(t, demo.dr) for t in texts])
    settle(demo.labo)
    states = {r["state"] for r in demo.labo.ok("status", "--json").json()
              if r["type"] == "sent"}
    assert states == {"received"}


def test_the_relay_process_killed_alone(demo):
    for n in range(30):
        demo.send(f"INR {n}", demo.dr)
    process = demo.labo.start("poll")
    demo.wait_until(lambda: demo.dr.mail(), what="the first mail")
    pid = next((p for p in tree(process.pid) if "relay" in name_of(p)), None)
    if pid:
        os.kill(pid, signal.SIGKILL)
    process.communicate(timeout=60)
    assert process.returncode == (75 if pid else 0)
    settle(demo.labo)
    for row in demo.labo.ok("queue", "list", "--json").json():
        demo.labo.ok("queue", "retry", row["id"])
    settle(demo.labo)
    relayed(demo, [f"INR {n}" for n in range(30)])


def test_the_relay_process_of_run_killed_alone(demo):
    """At the twentieth of thirty: the next one has fewer."""
    for n in range(30):
        demo.send(f"INR {n}", demo.dr)
    demo.labo.configure(relay={"sessions": 1})
    process = demo.labo.start("run", SCEAU_FAULT="relay.mail.begin#20:stop")
    killed_alone(demo, process, "relay", "relay.mail.begin")
    demo.wait_until(lambda: len({mail.find(m) for m in demo.dr.mail()}) == 30
                    and not demo.labo.ok("queue", "list", "--json").json(),
                    60, "all of them")
    assert ended(process) == 75
    relayed(demo, [f"INR {n}" for n in range(30)])


def test_records_of_acknowledgement_are_those_of_the_protocol():
    assert (records.RECEIVED, records.REFUSED) == (2, 0x10)


@pytest.mark.parametrize("n", range(2, 6))
def test_a_line_that_is_not_handed_over_is_closed(demo, n):
    """Or who has its other end waits for it until it is ended."""
    demo.post(demo.dr, demo.sealed())
    calls = Calls(demo.top)
    got = demo.dr.sceau("poll", **calls.env("ipc", n, errno.EPIPE,
                                            "starter"))
    assert calls.fired and got.code == 75, got.text()
    assert b"signal=9" not in got.stderr
