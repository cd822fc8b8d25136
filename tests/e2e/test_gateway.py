"""The gateway at work for an association: for whom, and how much a day."""

import time

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
