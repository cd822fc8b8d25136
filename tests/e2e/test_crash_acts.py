"""kill -9 at what the day of the crash campaign does not come by: before it is
done, or behind it.  Nothing is half done, and done again it is done once.
tests/fault/crash.py names these (ELSEWHERE).  Needs --enable-fault."""

import pytest

from hostile.servers import Mailserver, half
from test_follow import MON_17, at, check_row, labo, send  # noqa: F401 (labo)
from test_gateway import DAY, NOON, limits, relay, through
from test_watch import later, listed, mails
from world.attack import spoiled
from world.follow import clock
from world.outbox import Box, report
from world.verdict import crash, settle, shown_once

WHEN = pytest.mark.parametrize("when", ["before", "after"])


@WHEN
def test_a_held_mail_is_thrown_away(demo, when):
    demo.post(demo.dr, spoiled(demo.sealed(), 400))
    assert demo.dr.sceau("poll").code == 65
    row, = demo.dr.held()
    crash(demo.dr, f"store.held.drop.{when}", "held", "drop", row["id"])
    again = demo.dr.sceau("held", "drop", row["id"])
    assert (again.code == 0) == (when == "before"), again.text()
    demo.dr.ok("poll")
    assert demo.dr.held() == demo.dr.shown() == demo.dr.mail() == []


@WHEN
def test_a_queued_mail_is_thrown_away(demo, when):
    kept, gone = (demo.send(text, demo.dr) for text in ("INR 1", "INR 2"))
    first, second = demo.labo.ok("queue", "list", "--json").json()
    crash(demo.labo, f"store.out.drop.{when}", "queue", "drop", second["id"])
    again = demo.labo.sceau("queue", "drop", second["id"])
    assert (again.code == 0) == (when == "before"), again.text()
    assert [r["id"] for r in demo.labo.ok(
        "queue", "list", "--json").json()] == [first["id"]]
    settle(demo.labo)
    settle(demo.dr)
    shown_once(demo.dr, [kept])
    assert gone not in demo.dr.shown()


@WHEN
def test_too_old(demo, when):
    """It is told once, and goes when it is tried again."""
    demo.labo.configure(top={"give_up": "2 days"}, relay_port=9)
    data = demo.send("INR 2,1", demo.dr)
    assert demo.labo.sceau("poll").code == 75
    later = {"SCEAU_FAULT_CLOCK": f"+{3 * DAY}"}
    crash(demo.labo, f"store.out.overdue.{when}", "poll", **later)
    demo.labo.sceau("poll", **later)
    demo.labo.ok("poll", **later)
    assert demo.labo.states() == {demo.dr.name: "failed"}
    notice, = demo.labo.documents()
    assert demo.dr.name.encode() in notice.read_bytes()
    demo.labo.configure()
    row, = (r for r in demo.labo.ok("status", "--json").json()
            if r["type"] == "sent")
    demo.labo.ok("queue", "retry", row["id"])
    settle(demo.labo)
    settle(demo.dr)
    shown_once(demo.dr, [data])


@WHEN
def test_too_much_for_a_day(demo, when):
    demo.hub.configure(top={"hub_messages": 1})
    mails = [through(demo, f"INR {n}", demo.labo) for n in range(2)]
    crash(demo.hub, f"store.hub.over.{when}", "poll", **clock(NOON))
    assert relay(demo, NOON + 60) == mails[:1]
    assert limits(demo, NOON + 60) == [demo.labo.name]
    assert relay(demo, NOON + DAY) == sorted(mails)
    assert relay(demo, NOON + DAY + 60) == sorted(mails)


@WHEN
def test_what_a_wrong_clock_has_put_off(demo, when):
    """It is due again when the clock is right again, not in years."""
    demo.labo.ok("poll")
    data = demo.send("INR 2,1", demo.dr)
    demo.labo.configure(relay_port=1)
    assert demo.labo.sceau("poll", SCEAU_FAULT_CLOCK=f"+{9999 * DAY}"
                           ).code == 75
    demo.labo.configure()
    crash(demo.labo, f"store.overdue.{when}", "poll")
    for _ in range(2):
        demo.labo.ok("poll")
    settle(demo.dr)
    shown_once(demo.dr, [data])


@WHEN
def test_a_mail_of_ours_that_came_back(demo, when):
    """It is no mail for us, nor held; the other has it all the same."""
    data = demo.send("INR 2,1", demo.dr)
    demo.labo.ok("poll")
    demo.post(demo.labo, *demo.dr.mail())
    crash(demo.labo, f"store.out.bounced.{when}", "poll")
    settle(demo.labo)
    assert demo.labo.held() == demo.labo.mail() == demo.labo.shown() == []
    settle(demo.dr)
    shown_once(demo.dr, [data])


@WHEN
def test_nobody_to_acknowledge_to(demo, forger, when):
    """Its peer's key is not here yet."""
    data = demo.mail_of("INR", demo.petit, sender=demo.durand)
    demo.post(demo.petit, forger.mail(demo.durand, demo.petit, data,
                                      grant=False))
    crash(demo.petit, f"store.ack.defer.{when}", "poll")
    settle(demo.petit)
    shown_once(demo.petit, [data])
    assert demo.petit.mail() == []


@WHEN
def test_what_is_left_of_a_large_mail(demo, when):
    """Thrown away; what remains of it is cleared away another time."""
    demo.send("0123456789\r\n" * 500_000, demo.dr)
    row, = demo.labo.ok("queue", "list", "--json").json()
    crash(demo.labo, f"store.body.reap.{when}", "queue", "drop", row["id"])
    assert demo.labo.ok("queue", "list", "--json").json() == []
    data = demo.send("INR", demo.dr)
    settle(demo.labo)
    settle(demo.dr)
    shown_once(demo.dr, [data])


@WHEN
def test_half_of_a_large_mail(demo, forger, when):
    """The server goes in the middle of it; the whole comes once."""
    durand = demo.durand
    data = demo.mail_of("0123456789\r\n" * 300_000, durand)
    with Mailserver("imap", demo.cert,
                    [forger.mail(demo.labo, durand, data)]) as server:
        server.at["UID FETCH"] = half
        durand.configure(port=server.port)
        crash(durand, f"store.body.abandon.{when}", "poll")
        server.behave()
        settle(durand)
        assert server.box == {}
    shown_once(durand, [data])


@WHEN
def test_after_a_death_what_it_held_is_free(demo, forger, when):
    data = demo.mail_of("INR", demo.dr)
    demo.post(demo.dr, forger.mail(demo.labo, demo.dr, data))
    crash(demo.dr, "keeper.delivered.before", "poll")
    crash(demo.dr, f"store.sweep.{when}", "poll")
    settle(demo.dr)
    shown_once(demo.dr, [data])


@WHEN
def test_a_file_that_was_queued_before_a_death(demo, when):
    """It is known when it is looked at again, and does not go twice."""
    box = Box(demo)
    box.drop("r.hpr", report())
    crash(box.labo, "outbox.queue.after", "poll")
    crash(box.labo, f"store.outbox.seen.{when}", "poll",
          SCEAU_FAULT_CLOCK="+60")
    settle(box.labo)
    assert not list(box.path.glob("*.hpr"))
    assert [d for _, d in box.arrived()] == [report()]


@WHEN
def test_a_file_that_somebody_else_took_away(demo, when):
    """What is known of it is forgotten at the next look that finds any."""
    box = Box(demo)
    box.drop("r.hpr", report())
    crash(box.labo, "outbox.queue.after", "poll")
    (box.path / "r.hpr").unlink()
    box.drop("s.hpr", report(line_9="2"))
    crash(box.labo, f"store.outbox.sweep.{when}", "poll",
          SCEAU_FAULT_CLOCK="+9000")
    settle(box.labo)
    assert sorted(d for _, d in box.arrived()) == sorted(
        [report(), report(line_9="2")])


@WHEN
@pytest.mark.parametrize("act", ["store.bar", "store.desk.begin",
                                 "store.desk.sealed"])
def test_a_member_is_barred(demo, act, when):
    """Noted or not; then told to each, once."""
    durand = demo.durand
    crash(demo.watch, f"{act}.{when}", "bar", durand.address)
    if not listed(demo):
        demo.watch.ok("bar", durand.address)
    for _ in range(2):
        demo.watch.ok("poll")
    assert listed(demo) == {durand.name: 2} and mails(demo) == [1] * 6


@WHEN
def test_a_watch_desk_learns_that_it_is_one(demo, when):
    """A day later, at most: its keys are looked at once a day."""
    demo.watch.ok("poll")
    crash(demo.watch, f"store.desk.is.{when}", "poll", **later(1, 1))
    for hours in (2, 25, 26):
        demo.watch.ok("poll", **later(1, hours))
    assert mails(demo) == [1] * 6


@WHEN
def test_an_account_is_down_and_up_again(demo, labo, when):  # noqa: F811
    def dies(minutes):
        crash(demo.labo, f"store.down.{when}", "poll",
              **clock(at(0, 9, minutes)))
    labo.poll(at(0, 9))
    labo.configure(port=1)
    dies(10)
    labo.poll(at(0, 9, 15), 75)
    labo.configure()
    dies(20)
    labo.poll(at(0, 9, 25))
    assert check_row(demo, at(0, 9, 30), "alertes") == ("fine", "aucune")


@pytest.mark.parametrize("point", [
    "alarm.told.before", "store.alarm.told.before", "store.alarm.told.after"])
def test_an_alarm_is_told(demo, labo, point):  # noqa: F811
    """Once more, when its success was not noted."""
    send(demo, MON_17, demo.dr)
    crash(demo.labo, point, "poll", **clock(at(1, 10)))
    labo.poll(at(1, 10, 5))
    assert labo.news().count("Nouvelles :") == 1 + point.endswith("before")
