"""The gateway at work for an association: for whom, and how much a day."""

import contextlib
import re
import sqlite3
import time

import pytest

from world.follow import DAY, clock

# petit's key is in nobody's ring but the gateway's
NOON = (int(time.time()) // DAY + 1) * DAY + 12 * 3600


def through(demo, text, sender, when=NOON):
    data = demo.send(text, demo.petit, sender=sender, **{})
    sender.ok("poll", **clock(when))
    return data


def relay(demo, when=NOON, code=0):
    got = demo.hub.sceau("poll", **clock(when))
    assert got.code == code, got.text()
    demo.petit.ok("poll", **clock(when))
    return sorted(demo.petit.shown())


def limits(demo, when=NOON):
    rows = demo.hub.ok("status", "--json", **clock(when)).json()
    return [r["subject"] for r in rows
            if r["type"] == "alarm" and r["rule"] == "limit"]


def test_over_the_limit_a_message_waits_sealed_for_the_next_day(demo):
    demo.hub.configure(top={"hub_messages": 2})
    of_labo = [through(demo, f"INR {n}", demo.labo) for n in range(3)]
    of_durand = through(demo, "INR", demo.durand)
    got = relay(demo)
    assert got == sorted(of_labo[:2] + [of_durand])
    assert limits(demo) == [demo.labo.name] and demo.hub.held() == []
    # no pass of the day lets it through, nor his next one
    of_labo.append(through(demo, "INR 4", demo.labo))
    assert relay(demo, NOON + 3600) == got
    demo.labo.ok("poll", **clock(NOON + 3600))
    states = [r["state"] for r in demo.labo.ok(
        "status", "--json", **clock(NOON + 3600)).json()
        if r["type"] == "sent"]
    assert sorted(states) == ["received", "received", "sent", "sent"]
    # at midnight UTC the rest goes
    later = NOON + 13 * 3600
    assert relay(demo, later) == sorted(of_labo + [of_durand])
    assert relay(demo, later) == sorted(of_labo + [of_durand])
    assert limits(demo, later) == []
    assert demo.hub.mail() == [] and demo.labo.held() == []


def test_by_size_and_a_large_one_is_not_opened_in_vain(demo):
    demo.hub.configure(top={"hub_size": "100 kB"})
    first = through(demo, "x" * 200_000, demo.labo)
    second = through(demo, "y" * 400_000, demo.labo)
    small = through(demo, "z", demo.labo)
    assert relay(demo) == [first]
    assert limits(demo) == [demo.labo.name]
    assert relay(demo, NOON + DAY) == sorted([first, second])
    assert relay(demo, NOON + 2 * DAY) == sorted([first, second, small])


def test_for_those_who_are_named_alone(demo):
    demo.hub.configure(top={
        "hub_members": f"{demo.durand.address}, {demo.dr.name}"})
    through(demo, "INR 1", demo.labo)
    got = [through(demo, "INR 2", demo.durand), through(demo, "INR 3",
                                                        demo.dr)]
    assert relay(demo) == sorted(got)
    demo.labo.sceau("poll", **clock(NOON))
    assert demo.labo.states() == {demo.petit.name: "refused"}
    assert demo.hub.held() == [] and limits(demo) == []


def bodies(member):
    """(all bodies of the store, those that are kept)"""
    with contextlib.closing(sqlite3.connect(
            f"file:{member.state}/sceau.db?mode=ro", uri=True)) as db:
        return (db.execute("SELECT count(*) FROM body").fetchone()[0],
                db.execute("SELECT count(*) FROM kept "
                           "WHERE body IS NOT NULL").fetchone()[0])


def number(member):
    """Of the last mail that it relayed."""
    return re.findall(r"hub\.relayed.*? t=([0-9a-f]{20}) from=(\S+) ",
                      member.ok("log").stdout.decode())[-1]


def finish(demo, when):
    """The practice's acknowledgement is back: nothing is under way."""
    demo.petit.ok("poll", **clock(when + 600))
    demo.hub.ok("poll", **clock(when + 900))


def test_without_a_word_of_it_nothing_is_kept(demo):
    through(demo, "INR 2,1", demo.labo)
    relay(demo)
    finish(demo, NOON)
    assert bodies(demo.hub) == (0, 0)
    got = demo.hub.sceau("refile", "--days", "9", **clock(NOON))
    assert got.code == 65 and b"has no archive: hub_archive is 0" in got.stderr, \
        got.text()


def test_the_archive_shows_what_was_relayed_and_relays_nothing(demo):
    """By the sender's number, and by the recipient's."""
    demo.hub.configure(top={"hub_archive": "30 days"})
    first = through(demo, "INR two point one", demo.labo)
    assert relay(demo) == [first]
    finish(demo, NOON)
    assert bodies(demo.hub) == (1, 1)
    for p in demo.hub.state.rglob("*"):         # sealed, as it came
        assert not p.is_file() or b"point one" not in p.read_bytes(), p
    shown, = demo.petit.documents()
    theirs = re.search(r"[0-9a-f]{20}", shown.name).group()
    ours, sender = number(demo.hub)
    assert ours != theirs and sender.startswith(demo.labo.name)
    for n, t in enumerate((ours, theirs[:8]), 1):
        assert b"1 message is filed once more" in \
            demo.hub.ok("refile", t, **clock(NOON + 1000)).stdout
        got = relay(demo, NOON + 1000 * n)
        assert got == [first]                   # once, as before
        assert demo.hub.shown() == n * [first]
        assert bodies(demo.hub) == (1, 1)
    copy = demo.hub.documents()[0]
    assert ours in copy.name
    assert b"flags=filed-again" in copy.read_bytes()
    demo.labo.ok("poll", **clock(NOON + 3000))
    assert demo.labo.states() == {demo.petit.name: "received"}
    assert demo.labo.mail() == [] and demo.petit.mail() == []


def test_the_archive_ends_when_it_was_agreed(demo):
    demo.hub.configure(top={"hub_archive": "3 days"})
    through(demo, "INR 2,1", demo.labo)
    relay(demo)
    finish(demo, NOON)
    demo.hub.ok("poll", **clock(NOON + 2 * DAY))
    assert bodies(demo.hub) == (1, 1)
    demo.hub.ok("poll", **clock(NOON + 4 * DAY))
    assert bodies(demo.hub) == (0, 0)


def test_what_was_refused_is_not_kept(demo):
    demo.hub.configure(top={"hub_archive": "3 days",
                            "hub_members": demo.dr.name})
    through(demo, "INR 2,1", demo.labo)
    relay(demo)
    assert bodies(demo.hub)[1] == 0


def test_a_full_day_does_not_close_the_archive(demo):
    """hub_size is of what is relayed; of a large message it is asked first."""
    demo.hub.configure(top={"hub_archive": "3 days", "hub_size": "100 kB"})
    data = through(demo, "x" * 400_000, demo.labo)
    assert relay(demo) == [data]
    demo.hub.ok("refile", number(demo.hub)[0], **clock(NOON))
    assert relay(demo, NOON + 60) == [data] and demo.hub.shown() == [data]
    assert limits(demo) == []


@pytest.mark.parametrize("after", [False, True])
def test_killed_while_it_shows_one(demo, after):
    demo.hub.configure(top={"hub_archive": "3 days"})
    first = through(demo, "INR 2,1", demo.labo)
    relay(demo)
    finish(demo, NOON)
    demo.hub.ok("refile", "--days", "2", **clock(NOON + 900))
    point = "keeper.refiled." + ("after" if after else "before")
    got = demo.hub.sceau("poll", SCEAU_FAULT=f"{point}:kill",
                         **clock(NOON + 900))
    assert got.code == 75, got.text()
    assert relay(demo, NOON + 1000) == [first]
    assert demo.hub.shown() == [first] and bodies(demo.hub) == (1, 1)
