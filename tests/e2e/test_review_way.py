"""The way of a message once more: nothing is dropped, left or given up in
silence, and one message's trouble is not another's."""

import base64
import contextlib
import os
import pathlib
import signal
import sqlite3
import time

import pytest

from pysceau import records
from world import fault
from world.demo import mark

DAY = 86400

PDF = b"%PDF-1.4 a result\n"


def part(kind, body, *fields):
    return b"\r\n".join([b"Content-Type: " + kind, *fields, b"", body])


def multi(kind, boundary, *parts):
    mark = b"--" + boundary
    return part(b"multipart/" + kind + b'; boundary="' + boundary + b'"',
                b"".join(mark + b"\r\n" + p + b"\r\n" for p in parts) +
                mark + b"--\r\n")


def pdf(*fields):
    return part(b'application/pdf; name="inr.pdf"', base64.b64encode(PDF),
                b"Content-Transfer-Encoding: base64", *fields)


def arrive(demo, body, *fields):
    """A mail of these parts, sent and filed in a folder: its documents."""
    head = [f"From: {demo.labo.address}", f"To: {demo.dr.address}",
            "Subject: INR", "MIME-Version: 1.0", *fields]
    data = "\r\n".join(head).encode() + b"\r\n" + body
    demo.dr.configure(kind="folder")
    demo.labo.ok("send", "-t", input=data)
    demo.labo.ok("poll")
    demo.dr.ok("poll")
    return [p.read_bytes() for p in demo.dr.documents()]


TEXT = part(b"text/plain; charset=us-ascii", b"See the result.")
HTML = part(b"text/html; charset=us-ascii", b"<p>See the result.</p>")


@pytest.mark.parametrize("other", (
    pdf(), multi(b"mixed", b"two", HTML, pdf(), HTML),
    multi(b"related", b"two", HTML, pdf(b"Content-ID: <a@b>")),
    multi(b"mixed", b"two", multi(b"alternative", b"three", TEXT, pdf()))),
    ids=("pdf", "apple", "related", "deep"))
def test_a_document_among_alternatives(demo, other):
    """Apple's Mail puts attachments beside the HTML, inside the alternative
    to the plain text."""
    got = arrive(demo, multi(b"alternative", b"one", TEXT, other))
    assert got.count(PDF) == 1, got


@pytest.mark.parametrize("body", (
    b"Content-Type: multipart/mixed; boundary=\"x\"\r\n\r\nINR 2,1\r\n",
    b"Content-Type: multipart/mixed\r\n\r\nINR 2,1\r\n",
    b"Content-Type: multipart/alternative; boundary=\"x\"\r\n\r\n"
    b"INR 2,1\r\n--x--\r\n"))
def test_a_mail_without_a_part_is_filed_as_it_is(demo, body):
    """What is acknowledged lies somewhere."""
    got = arrive(demo, body)
    assert any(b"INR 2,1" in d for d in got), got


def test_kept_so_many_days(demo):
    """And no longer: a mailbox that is full takes no more results."""
    demo.dr.configure(account={"after": "keep", "keep_days": 3})
    demo.send("INR 2,1", demo.dr)
    demo.labo.ok("poll")
    demo.dr.ok("poll")
    assert len(demo.dr.mail()) == 1
    demo.dr.ok("poll", SCEAU_FAULT_CLOCK=f"+{4 * DAY}")
    assert demo.dr.mail() == []


@contextlib.contextmanager
def store(member):
    with contextlib.closing(sqlite3.connect(
            member.state / "sceau.db")) as db, db:
        yield db


def test_given_up_is_said(demo):
    """A pass that gives mails up does not pass for success."""
    demo.labo.configure(top={"give_up": "2 days"}, relay_port=9)
    demo.send("INR 2,1", demo.dr)
    assert demo.labo.sceau("poll").code == 75
    got = demo.labo.sceau("poll", SCEAU_FAULT_CLOCK=f"+{3 * DAY}")
    assert got.code == 69, got.text()
    assert b"event=out.given_up" in got.stderr
    assert b"event=out.notice" in got.stderr
    assert demo.labo.sceau("poll", SCEAU_FAULT_CLOCK=f"+{3 * DAY}").code == 0
    assert demo.labo.states() == {demo.dr.name: "failed"}


def test_given_up_after_a_try_is_said(demo):
    """It was young enough when the pass began."""
    demo.labo.configure(top={"give_up": "2 days"})
    demo.send("INR 2,1", demo.dr)
    process = demo.labo.start("poll", SCEAU_FAULT="relay.mail.begin:stop")
    for _ in range(2):
        demo.wait_until(lambda: stopped_relay(process))
        with store(demo.labo) as db:
            db.execute("UPDATE queue SET since = since - ?", (2 * DAY,))
        os.kill(stopped_relay(process), signal.SIGKILL)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 75
    assert b"event=out.given_up" in err and b"event=out.notice" in err
    assert demo.labo.states() == {demo.dr.name: "failed"}


def stopped_relay(process):
    for pid in fault.children(process.pid):
        with contextlib.suppress(FileNotFoundError):
            comm = pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
            if comm == "sceau:relay" and fault.stopped(pid):
                return pid
    return None


def test_a_route_that_is_no_address(demo, forger):
    """What the directory says of one member stops nobody else's mail."""
    entry = records.entry(2, demo.durand.identity.encode(), b"a..b@x.example",
                          "Durand")
    demo.post(demo.labo, forger.mail(demo.issuer, demo.labo, None,
                                     control=[entry]))
    demo.labo.ok("poll")
    demo.send("INR 2,1", demo.durand)
    data = demo.send("INR 2,2", demo.dr)
    got = demo.labo.sceau("poll")
    assert got.code == 69, got.text()
    demo.dr.ok("poll")
    assert demo.dr.shown() == [data]
    assert demo.labo.states()[demo.durand.name] == "failed"


def test_the_intent_of_a_copy_that_is_lost(demo):
    """As after the mending of a damaged store: the journal knows of a copy
    that is not there any more.  The server's is fetched, and shown."""
    data = demo.send("INR 2,1", demo.dr)
    demo.labo.ok("poll")
    demo.dr.sceau("poll", SCEAU_FAULT="keeper.intent.after:kill")
    with store(demo.dr) as db:
        assert db.execute("DELETE FROM incoming").rowcount == 1
    demo.dr.ok("poll")
    assert demo.dr.shown() == [data]
    (document,) = demo.dr.documents()
    assert mark(document.read_bytes())["flags"] == "possible-duplicate"
    assert demo.dr.mail() == []


@pytest.mark.parametrize("n", (10, 4096))
def test_a_bulletin_of_any_length(demo, forger, n):
    """All that a desk may say at once is heard: else the thief of one of
    those keys would be believed."""
    bars = [records.bar(2, b"demo/x%d@of.some.practice.example" % i)
            for i in range(n)]
    bars.append(records.bar(255, demo.durand.name.encode()))
    demo.post(demo.dr, forger.mail(demo.watch, demo.dr, None,
                                   control=[records.bulletin(7), *bars]))
    demo.dr.ok("poll")
    demo.send("not any more", demo.dr, sender=demo.durand)
    demo.durand.ok("poll")
    assert demo.dr.sceau("poll").code == 65
    assert demo.dr.classes() == ["BARRED"]


def test_processes_out_of_step_end_no_pass(demo):
    """A gateway whose operator forgot "hub = yes": the clerk has a mail that
    the keeper does not ask it for, and its answers are late by one."""
    demo.hub.configure(top={"hub": False})
    relayed = demo.send("INR 2,1", demo.petit)
    own = [demo.send(f"to the gateway, {n}", demo.hub) for n in range(2)]
    demo.labo.ok("poll")
    demo.hub.sceau("poll")
    demo.petit.ok("poll")
    assert demo.petit.shown() == [relayed]
    assert sorted(demo.hub.shown()) == sorted(own)


def test_a_command_takes_no_mail_again_for_another(demo):
    """It leaves nothing by which a mail could be known to be taken: of
    several, only that at which the pass was cut is given to it twice."""
    demo.dr.configure(sections=f"""
deliver "software" {{
    kind = pipe
    command = "cat >>{demo.dr.home}/taken"
}}
""")
    for n in range(5):
        demo.send(f"INR 2,{n}", demo.dr)
    demo.labo.ok("poll")
    demo.dr.sceau("poll", SCEAU_FAULT="keeper.delivered.before:kill")
    demo.dr.ok("poll")
    taken = (demo.dr.home / "taken").read_bytes()
    assert taken.count(b"X-Sceau:") == 6
    assert taken.count(b"possible-duplicate") == 1


def test_an_id_promises_a_mail_once(demo):
    """The answer to the first was not heard; another mail under the same id
    is another mail."""
    one, two = (demo.mail_of(f"INR 2,{n}", demo.dr) for n in range(2))
    words = ("send", "-t", "--id", "order 17")
    assert demo.labo.sceau(*words, input=one, SCEAU_FAULT=
                           "keeper.submit.after:kill").code == 75
    got = demo.labo.ok(*words, "--json", input=one).json()
    assert got == [{"schema": 1, "submission": 1, "repeated": True}]
    demo.labo.ok(*words, input=two)
    demo.labo.ok("send", "--id", "order 17", "--", demo.durand.address,
                 input=one)
    demo.labo.ok("poll")
    demo.dr.ok("poll")
    demo.durand.ok("poll")
    assert sorted(demo.dr.shown()) == sorted([one, two])
    assert demo.durand.shown() == [one]


def test_a_relay_that_stays_away_is_asked_less_often(demo):
    """A session that ends under a mail does not begin the count anew."""
    demo.labo.configure(relay_port=9)
    demo.send("INR 2,1", demo.dr)
    for hours in range(4):
        assert demo.labo.sceau("poll", SCEAU_FAULT_CLOCK=f"+{hours * 3600}"
                               ).code == 75
    with store(demo.labo) as db:
        assert db.execute("SELECT tries FROM relay").fetchall() == [(4,)]


def cpu_ticks(pid):
    """Of its own time so far; a hundred make a second."""
    with open(f"/proc/{pid}/stat") as f:
        return sum(map(int, f.read().rpartition(")")[2].split()[11:13]))


def test_who_waits_for_a_relay_does_not_turn(demo):
    """All accounts are done, and a relay takes longer than the time after
    which `run` would look into them again: nothing is to be done until it
    says something."""
    demo.labo.configure(account={"every": "10 s"})
    demo.send("INR 2,1", demo.dr)
    process = demo.labo.start("poll", SCEAU_FAULT="relay.mail.begin:stop")
    demo.wait_until(lambda: any(map(fault.stopped,
                                    fault.children(process.pid))),
                    what="a relay that stands still")
    began = time.monotonic()
    demo.wait_until(lambda: time.monotonic() > began + 12)
    keeper = fault.children(process.pid)[0]
    used = [cpu_ticks(keeper)]
    demo.wait_until(lambda: time.monotonic() > began + 13)
    used.append(cpu_ticks(keeper))
    for pid in fault.children(process.pid):
        os.kill(pid, signal.SIGCONT)
    assert process.wait(60) == 0
    assert used[1] - used[0] <= 5, used     # of 100 a second
