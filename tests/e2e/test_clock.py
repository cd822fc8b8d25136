"""A clock that is wrong for a pass or a week (ATTACKS D11): nothing is given
up, forgotten or put off by it.  Needs a build with --enable-fault."""

import datetime
import time

import pytest

from world.demo import mark


def at(year):
    """The injected clock, in the middle of that year."""
    when = datetime.datetime(year, 7, 1, tzinfo=datetime.timezone.utc)
    return {"SCEAU_FAULT_CLOCK": f"@{int(when.timestamp())}"}


def ahead(days):
    return {"SCEAU_FAULT_CLOCK": f"+{days * 86400}"}


@pytest.fixture
def told(demo):
    """A member's clock has been seen once, as it is."""
    for member in (demo.labo, demo.dr):
        member.ok("poll")
    return demo


@pytest.mark.parametrize("year", [2036, 2040])
def test_a_replay_after_a_leap_is_still_known(told, forger, year):
    demo = told
    sealed = demo.sealed()
    demo.post(demo.dr, sealed)
    demo.dr.ok("poll")
    assert len(demo.dr.new()) == 1
    got = demo.dr.sceau("poll", "--debug", **at(year))
    assert b"event=clock.leapt" in got.stderr, got.text()
    for days in range(0, 28, 7):        # and the clock stays so
        later = int(at(year)["SCEAU_FAULT_CLOCK"][1:]) + days * 86400
        demo.dr.sceau("poll", SCEAU_FAULT_CLOCK=f"@{later}")
    demo.post(demo.dr, sealed)
    demo.dr.sceau("poll")
    demo.post(demo.dr, sealed)
    demo.dr.sceau("poll", SCEAU_FAULT_CLOCK=f"@{later}")
    assert len(demo.dr.new()) == 1, "shown again as new"
    assert demo.dr.mail() == []


def test_a_leap_gives_up_no_message(told):
    demo = told
    data = demo.mail_of("waits for a relay", demo.dr)
    demo.labo.ok("send", "-t", input=data)
    demo.labo.configure(relay_port=1)               # nobody listens there
    assert demo.labo.sceau("poll", **at(2040)).code == 75
    assert demo.labo.states() == {demo.dr.name: "queued"}
    demo.labo.configure()
    for _ in range(2):          # the leap back; and what was put off is due
        demo.labo.ok("poll")
    demo.dr.ok("poll")
    assert demo.dr.shown() == [data]


def test_what_a_clock_that_is_steady_says_is_too_old_is_given_up(told):
    demo = told
    data = demo.mail_of("never", demo.dr)
    demo.labo.configure(relay_port=1)
    demo.labo.ok("send", "-t", input=data)
    demo.labo.sceau("poll", **ahead(6))
    assert demo.labo.states() == {demo.dr.name: "failed"}


def test_an_acknowledgement_put_off_by_a_wrong_clock_goes_out(told):
    demo = told
    demo.labo.ok("send", "-t", input=demo.mail_of("x", demo.dr))
    demo.labo.ok("poll")
    demo.dr.configure(top={"ack_delay": "60 s"})
    demo.dr.ok("poll", **ahead(20))
    assert demo.labo.mail() == []
    demo.dr.configure(top={"ack_delay": "0 s"})
    demo.dr.ok("poll")
    demo.labo.ok("poll")
    assert demo.labo.states() == {demo.dr.name: "received"}


def test_a_queue_put_off_by_a_wrong_clock_goes_out(told):
    demo = told
    data = demo.mail_of("x", demo.dr)
    demo.labo.ok("send", "-t", input=data)
    demo.labo.configure(relay_port=1)
    demo.labo.sceau("poll", **ahead(3))
    demo.labo.configure()
    began = time.monotonic()
    demo.labo.ok("poll")
    demo.dr.ok("poll")
    assert demo.dr.shown() == [data], time.monotonic() - began
    assert "late" not in mark(demo.dr.documents()[0].read_bytes()).get(
        "flags", "")


def test_a_relay_that_stays_down_is_tried_more_and_more_seldom(told):
    """5 minutes, then 10, an eighth more or less: the second failure does not
    forget the first."""
    demo = told
    demo.labo.ok("send", "-t", input=demo.mail_of("x", demo.dr))
    demo.labo.configure(relay_port=1)
    for minutes, code in ((0, 75), (6, 75), (13, 0), (18, 75)):
        got = demo.labo.sceau(
            "poll", SCEAU_FAULT_CLOCK=f"+{minutes * 60}")
        assert got.code == code, (minutes, got.text())
