"""Several connections to a relay at once: what waits goes over all of them,
each mail over one; a relay that takes only one costs no mail its turn."""

import collections
import contextlib
import shutil
import sqlite3
import threading
import time

import pytest

from world.dovecot import wait_until
from world.smtp_script import DROP, Script

N = 84      # more than four sessions claim at once


@pytest.fixture(scope="session")
def waiting(_servers, tmp_path_factory):
    """The laboratory's store, where N mails wait."""
    _servers.fresh()
    for number in range(N // 2):
        _servers.send(f"INR {number}", _servers.dr, _servers.durand)
    saved = tmp_path_factory.mktemp("waiting") / "state"
    shutil.copytree(_servers.labo.state, saved)
    return saved


@pytest.fixture(params=["esmtp", "curl", "sceau"])
def labo(demo, waiting, request):
    shutil.rmtree(demo.labo.state)
    shutil.copytree(waiting, demo.labo.state)
    demo.labo.engine = request.param
    return demo.labo


@pytest.fixture
def relay(demo):
    with Script(demo.cert, starttls=True,
                users={demo.relay.user: demo.relay.password}) as server:
        yield server


def polled(labo, server, **more):
    labo.configure(relay_port=server.port,
                   relay={"engine": labo.engine, **more})
    got = labo.sceau("poll")
    server.settle()
    return got


def taken(server):
    """How often each mail was taken."""
    return collections.Counter(
        line for _, _, octets in server.mails
        for line in octets.split(b"\r\n\r\n")[0].split(b"\r\n")
        if line.lower().startswith(b"message-id:"))


def all_once(labo, server):
    times = taken(server)
    assert len(times) == N and set(times.values()) == {1}, times
    assert not labo.ok("queue", "list", "--json").json()


def beside(reply):
    """That to a connection while an older one is open."""
    def say(session):
        server = session.server
        older = server.threads[:server.sessions.index(session)]
        return reply if any(t.is_alive() for t in older) else None
    return say


def until_two(session):
    """The third mail is not answered before there is a second connection."""
    if len(session.server.given) > 2:
        wait_until(lambda: len(session.server.sessions) > 1, 60,
                   "another connection")


def test_four_connections_share_what_waits(labo, relay):
    """The third mail of the first waits until all four have one."""
    at_work, all_there = set(), threading.Event()

    def hold(session):
        at_work.add(id(session))
        if len(at_work) == 4:
            all_there.set()
        if session is not relay.sessions[0] or len(relay.mails) > 2:
            assert all_there.wait(60), "there are no four connections"
    relay.script["DATA"] = [hold]
    got = polled(labo, relay)
    assert got.code == 0, got.text()
    all_once(labo, relay)
    assert len(relay.sessions) == 4
    assert all(s.mail for s in relay.sessions)


def test_few_mails_take_one_connection(labo, relay):
    for row in labo.ok("queue", "list", "--json").json()[16:]:
        labo.ok("queue", "drop", row["id"])
    assert polled(labo, relay).code == 0
    assert len(relay.sessions) == 1 and len(relay.mails) == 16


def test_sessions_is_the_most(labo, relay):
    assert polled(labo, relay, sessions=1).code == 0
    all_once(labo, relay)
    assert len(relay.sessions) == 1


@pytest.mark.parametrize("verb, reply", [
    ("GREETING", "421 4.7.0 too many connections"), ("GREETING", DROP),
    ("EHLO", "451 4.7.1 try later"), ("MAIL", "421 4.7.0 too many"),
    ("RCPT", DROP), ("DATA", DROP)])
def test_a_relay_that_wants_one_gets_one(labo, relay, verb, reply):
    """No mail waits for it, and cron hears nothing."""
    relay.script.update({verb: [beside(reply)], ".": [until_two]})
    got = polled(labo, relay)
    assert got.code == 0, got.text()
    assert not got.stderr, got.text()
    all_once(labo, relay)
    assert len(relay.sessions) > 1


@pytest.mark.parametrize("verb", ["MAIL", "RCPT"])
def test_who_takes_one_is_asked_once(labo, relay, verb):
    """Though it goes on with the connection that was one too many."""
    def slow(session):
        until_two(session)
        if len(relay.given) == 3:
            time.sleep(4)
    relay.script.update({verb: [beside("421 4.7.0 too many")], ".": [slow]})
    assert polled(labo, relay).code == 0
    all_once(labo, relay)
    assert 1 < len(relay.sessions) <= 4


def test_no_session_takes_what_another_has(labo, relay):
    """Also when the clock says that claims have lapsed: the first is slow, or
    the machine slept."""
    def late(session):
        until_two(session)
        with contextlib.closing(sqlite3.connect(
                labo.state / "sceau.db", timeout=60)) as db, db:
            db.execute("UPDATE queue SET claim_until = 1 WHERE state = 3")
    relay.script["."] = [late]
    assert polled(labo, relay).code == 0
    all_once(labo, relay)
    assert len(relay.sessions) > 1


def test_no_answer_on_one_of_them(labo, relay):
    """It may have been taken: it waits, the others go."""
    def answer(session):
        until_two(session)
        return beside(DROP)(session)
    relay.script["."] = [answer]
    got = polled(labo, relay)
    assert got.code == 75, got.text()
    waits = labo.ok("queue", "list", "--json").json()
    assert 1 <= len(waits) <= 3
    assert len(taken(relay)) == len(relay.mails) == N - len(waits)
    del relay.script["."]
    for row in waits:
        labo.ok("queue", "retry", row["id"])
    assert polled(labo, relay).code == 0
    all_once(labo, relay)


def test_the_first_that_fails_speaks_for_the_relay(labo, relay):
    """A helper's success does not hide it."""
    def answer(session):
        until_two(session)
        first = session is relay.sessions[0]
        return "421 4.3.2 closing" if first and len(relay.mails) > 2 else None
    relay.script["."] = [answer]
    got = polled(labo, relay)
    assert got.code == 75, got.text()
    assert set(taken(relay).values()) == {1}
    del relay.script["."]
    for row in labo.ok("queue", "list", "--json").json():
        labo.ok("queue", "retry", row["id"])
    assert polled(labo, relay).code == 0
    all_once(labo, relay)


@pytest.mark.parametrize("octets", [0, 6 << 20])
def test_what_has_arrived_meanwhile_is_left(demo, relay, octets):
    """Tried again by an impatient operator, while the recipient's word is on
    its way: the pass goes on without what is not needed any more."""
    labo, dr = demo.labo, demo.dr
    for n in range(1 if octets else 6):
        demo.send(f"INR {n}" + "\r\nx" * (octets // 3), dr)
    labo.ok("poll")
    dr.ok("poll")
    dr.ok("poll")
    labo.ok("queue", "retry", "--to", dr.address)
    assert labo.mail() and labo.ok("queue", "list", "--json").json()
    relay.script["DATA"] = [lambda session: wait_until(
        lambda: not labo.mail(), 60, "the acknowledgements")]
    got = labo.configure(relay_port=relay.port).sceau("poll")
    relay.settle()
    assert got.code == 0 and b"level=error" not in got.stderr, got.text()
    assert not labo.ok("queue", "list", "--json").json()
    assert labo.states() == {dr.name: "received"}
    # Small ones may lie with the session already, three at most.
    assert len(relay.mails) <= (0 if octets else 3)
