"""What people do in a day: dry runs, a gateway that stays, an MTA that hands
mail over, a relay that refuses."""

import hashlib
import signal
import time

import pytest

from world.attack import spoiled
from world.demo import mark, stripped
from world.dovecot import wait_until

PLAIN = b"From: somebody@x.example\r\nSubject: hello\r\n\r\nin clear\r\n"


def snapshot(*folders):
    """Every file there with its octets, but for the lock."""
    return {str(p): hashlib.sha256(p.read_bytes()).hexdigest()
            for folder in folders for p in folder.rglob("*")
            if p.is_file() and p.name != "lock"}


def test_a_dry_poll_opens_in_memory_and_changes_nothing(demo, forger):
    sealed = demo.sealed()
    flipped = sealed.replace(b"U0NFQVUB", b"U0NFQVUC", 1)
    demo.post(demo.dr, sealed, flipped, PLAIN)
    before = snapshot(demo.dr.state, demo.dr.inbox), demo.dr.mail()
    got = demo.dr.ok("poll", "--dry-run", "--debug")
    assert got.stderr.count(b"event=in.would_open") == 1
    assert got.stderr.count(b"event=in.would_hold") == 1
    assert b"class=VERSION" in got.stderr
    assert (snapshot(demo.dr.state, demo.dr.inbox), demo.dr.mail()) == before
    assert demo.dr.sceau("poll").code == 65     # and now for good
    assert len(demo.dr.new()) == 1 and demo.dr.classes() == ["VERSION"]


def test_a_dry_send_keeps_nothing(demo):
    data = demo.mail_of("x", demo.dr)
    got = demo.labo.ok("send", "-t", "--dry-run", "--json", input=data)
    assert [r["to"] for r in got.json()] == [demo.dr.name]
    assert demo.labo.ok("queue", "list", "--json").json() == []


@pytest.mark.parametrize("protocol", ["imap"])
def test_run_delivers_by_idle_and_leaves_in_good_order(demo, protocol):
    assert demo.labo.protocol == protocol
    running = demo.labo.start("run")
    try:
        wait_until(lambda: (demo.labo.state / "sceau.db").exists(),
                   10, "the store")
        assert demo.labo.ok("poll").stderr == b""   # it has the lock
        demo.send("by idle", demo.labo, sender=demo.hub)
        demo.hub.ok("poll")
        wait_until(lambda: len(demo.labo.new()) == 1, 20, "the mail")
        # the acknowledgement goes out by the same process
        wait_until(lambda: len(demo.hub.mail()) == 1, 20, "its answer")
    finally:
        running.send_signal(signal.SIGTERM)
        began = time.monotonic()
        running.communicate(timeout=30)
    assert running.returncode == 0 and time.monotonic() - began < 10
    demo.labo.ok("poll")        # the lock is free, nothing comes twice
    assert len(demo.labo.new()) == 1


def test_mda_says_0_only_for_what_it_keeps(demo):
    sealed = demo.sealed()
    assert demo.dr.sceau("open", "--mda", input=sealed).code == 0
    assert len(demo.dr.new()) == 1
    # the same once more: a duplicate is kept track of, not shown
    assert demo.dr.sceau("open", "--mda", input=sealed).code == 0
    assert len(demo.dr.new()) == 1
    assert demo.dr.sceau("open", "--mda", input=PLAIN).code == 75
    assert demo.dr.sceau("open", "--mda", input=b"").code == 75
    demo.dr.fresh()
    assert demo.dr.sceau("open", "--mda", input=spoiled(sealed, 400)).code == 0
    assert demo.dr.new() == [] and len(demo.dr.held()) == 1


def test_mda_beside_a_poll_only_stores(demo):
    """While another pass holds the lock the mail waits in the store."""
    sealed = demo.sealed()
    running = demo.dr.start("run")
    try:
        wait_until(lambda: (demo.dr.state / "sceau.db").exists(),
                   10, "the store")
        assert demo.dr.sceau("open", "--mda", input=sealed).code == 0
        assert demo.dr.new() == []
    finally:
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=30)
    demo.dr.ok("poll")
    assert len(demo.dr.new()) == 1


def test_what_an_mda_delivers_for_a_pass_that_died_leaves_the_server(demo):
    """By the account it came from, not by its own, which keeps all."""
    given = demo.sealed("given")
    demo.send("fetched", demo.dr)
    demo.labo.ok("poll")
    died = demo.dr.sceau("poll", SCEAU_FAULT="drop.name.before#1:kill")
    assert died.code == 75 and demo.dr.new() == []
    assert demo.dr.sceau("open", "--mda", input=given).code == 0
    assert len(demo.dr.new()) == 2 and len(demo.dr.mail()) == 1
    demo.dr.ok("poll")
    assert len(demo.dr.new()) == 2 and demo.dr.mail() == []


def test_what_the_relay_refuses_is_told_once_without_content(demo):
    marker = "unutterable"
    data = demo.mail_of(marker, demo.dr)
    demo.relay.aliases.pop(demo.dr.route)
    try:
        demo.labo.ok("send", "-t", input=data)
        assert demo.labo.sceau("poll").code == 69
    finally:
        demo.relay.aliases[demo.dr.route] = demo.dr.user
    assert demo.labo.states() == {demo.dr.name: "failed"}
    (notice,) = [p.read_bytes() for p in demo.labo.documents()]
    assert b"550 5.1.1" in notice and marker.encode() not in notice
    assert demo.dr.name.encode() in notice
    demo.labo.ok("poll")
    assert len(demo.labo.documents()) == 1      # never again
    (row,) = [r for r in demo.labo.ok("status", "--json").json()
              if r["type"] == "sent"]
    demo.labo.ok("queue", "retry", row["id"])
    demo.labo.ok("poll")
    demo.dr.ok("poll")
    assert demo.dr.shown() == [data]


def test_lines_of_one_day_say_who_by_whose_word(demo):
    """Direct and relayed: state and word in status, path in X-Sceau."""
    demo.send("to all", demo.dr, demo.petit)
    for member in (demo.labo, demo.hub, demo.dr, demo.petit, demo.hub,
                   demo.labo):
        member.ok("poll")
    rows = {r["to"].partition("#")[0]: r
            for r in demo.labo.ok("status", "--json").json()
            if r["type"] == "sent"}
    assert rows[demo.dr.name]["state"] == "received"
    assert rows[demo.dr.name]["word"] == "recipient"
    assert rows[demo.petit.name]["state"] == "received"
    assert rows[demo.petit.name]["word"] == "gateway"
    (direct,) = demo.dr.documents()
    (relayed,) = demo.petit.documents()
    assert mark(direct.read_bytes())["path"] == "direct"
    assert mark(relayed.read_bytes())["path"] == "relayed"
    assert stripped(direct.read_bytes()) == stripped(relayed.read_bytes())
