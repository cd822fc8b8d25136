"""ATTACKS D11, D12, P19: reading and sending by a clock of 1970, of 2036, of
2040 (test_clock: what is put off and forgotten); a year whose key comes late.
Needs a build with --enable-fault (SCEAU_FAULT_CLOCK)."""

import calendar
import time

import pytest

from pysceau import association, kdf, records
from test_restore import with_key_file
from world.demo import YEAR, mark, stripped

DAY = 86400


def at(year, day=1):
    return {"SCEAU_FAULT_CLOCK": f"@{calendar.timegm((year, 1, day, 1, 0, 0))}"}


CLOCKS = [1970, 2036, 2040]


def flags(member):
    return [mark(p.read_bytes()).get("flags", "") for p in member.documents()]


def keys(member, **env):
    rows = member.ok("key", "list", "--json", **env).json()
    return sorted((r["identity"], r["year"]) for r in rows)


@pytest.mark.parametrize("year", CLOCKS)
def test_D11_a_wrong_clock_reads_and_flags_and_keeps(demo, forger, year):
    """Its mail is opened, shown and acknowledged; old mail is flagged by any
    clock, mail of today by one that runs ahead; no key goes."""
    wrong = at(year)
    before = keys(demo.dr)
    today = demo.mail_of("of today", demo.dr)
    old = demo.mail_of("of last week", demo.dr)
    for data, days in ((today, 0), (old, 7)):
        demo.post(demo.dr, forger.mail(demo.labo, demo.dr, data,
                                       now=int(time.time()) - days * DAY))
    demo.dr.ok("poll", **wrong)
    shown = {stripped(p.read_bytes()): mark(p.read_bytes()).get("flags", "")
             for p in demo.dr.documents()}
    assert shown == {today: "" if year == 1970 else "late", old: "late"}
    assert demo.dr.mail() == [] and demo.dr.held() == []
    assert keys(demo.dr, **wrong) == before == keys(demo.dr)
    # The clock is set right: it goes on, and nothing comes again.
    demo.dr.ok("poll")
    new = demo.mail_of("after", demo.dr)
    demo.post(demo.dr, forger.mail(demo.labo, demo.dr, new))
    demo.dr.ok("poll")
    assert len(demo.dr.new()) == 3
    assert flags(demo.dr)[-1] == ""


@pytest.mark.parametrize("who", ["dr", "durand"])       # by POP3, by IMAP
def test_D11_what_a_wrong_clock_filed_leaves_the_server(demo, forger, who):
    """The machine stopped before it deleted; the clock is set back since."""
    member = getattr(demo, who)
    demo.post(member, forger.mail(demo.labo, member,
                                  demo.mail_of("INR", member)))
    assert member.sceau("poll", SCEAU_FAULT="fetch.release.before:kill",
                        **at(2036)).code
    assert len(member.new()) == 1 and len(member.mail()) == 1
    member.ok("poll")
    assert member.mail() == [] and len(member.new()) == 1


@pytest.mark.parametrize("year", CLOCKS)
def test_D11_a_sender_with_a_wrong_clock_is_read_and_flagged(demo, year):
    """What it seals says 1970 or 2040; it is shown, with a flag, and
    acknowledged."""
    data = demo.mail_of("INR 2,1", demo.dr)
    demo.labo.ok("send", "-t", input=data, **at(year))
    demo.labo.ok("poll", **at(year))
    demo.dr.ok("poll")
    assert demo.dr.shown() == [data]
    assert flags(demo.dr) == ["late" if year == 1970 else "dated-ahead"]
    demo.labo.ok("poll", **at(year))
    sent = demo.labo.ok("status", "--json", **at(year)).json()
    assert [r["state"] for r in sent if r["type"] == "sent"] == ["received"]


def test_D11_check_says_that_the_clock_is_wrong(demo):
    rows = demo.dr.sceau("check", "--json", **at(1970)).json()
    clock = [r for r in rows if "clock" in r.values()]
    assert len(clock) == 1 and clock[0] != [
        r for r in demo.dr.sceau("check", "--json").json()
        if "clock" in r.values()][0]
    text = demo.dr.sceau("check", **at(1970)).text()
    assert "earlier than this program" in text


# D12: the key of a year comes late

def two_years(forger):
    return association.Association(
        {YEAR: bytes(range(32)), YEAR + 1: kdf.b2sum(b"next year")},
        forger.all.gen, issuer=forger.all.issuer, watch=forger.all.watch,
        hub=forger.all.hub)


def of_next_year(forger, both, demo, text):
    """labo holds the new key already and writes with it."""
    a, b = (m.identity.encode() for m in (demo.labo, demo.dr))
    data = demo.mail_of(text, demo.dr)
    return data, forger.mail(
        demo.labo, demo.dr, data, key=both.C(a, b, YEAR + 1), year=YEAR + 1,
        grant=False, control=[records.grant(YEAR + 1, both.C(b, a, YEAR + 1),
                                            a)])


def test_D12_a_years_key_that_comes_late(demo, forger):
    """Pending, said once, kept sealed; opened by the poll after the import,
    unflagged, acknowledged; the old year's mail goes on all the time."""
    both = two_years(forger)
    with_key_file(demo, forger, demo.dr)
    first, sealed = of_next_year(forger, both, demo, "of next year")
    demo.post(demo.dr, sealed)
    assert demo.dr.sceau("poll").code == 65
    assert demo.dr.classes() == ["NOKEY"]
    assert demo.dr.sceau("poll").code == 0
    now = demo.mail_of("of this year", demo.dr)
    demo.post(demo.dr, forger.mail(demo.labo, demo.dr, now,
                                   now=int(time.time()) + 5))
    demo.dr.ok("poll")
    assert demo.dr.shown() == [now]
    got = with_key_file(demo, forger, demo.dr, YEAR + 1, both)
    assert b"1 message waited for this key" in got.stdout
    demo.dr.ok("poll")
    assert sorted(demo.dr.shown()) == sorted([now, first])
    assert demo.dr.held() == [] and demo.dr.mail() == []
    assert len(demo.labo.mail()) == 2       # both acknowledged
    assert [y for _, y in keys(demo.dr)] == [YEAR, YEAR + 1]


@pytest.mark.parametrize("year", CLOCKS)
def test_D11_a_key_with_an_end_reads_by_any_clock(demo, forger, year):
    """The key of one year, with its dates: by a clock far past its end it
    still reads, and it is not erased by it."""
    with_key_file(demo, forger, demo.dr)
    held = keys(demo.dr)
    data = demo.mail_of("INR 2,1", demo.dr)
    demo.post(demo.dr, forger.mail(demo.labo, demo.dr, data))
    demo.dr.ok("poll", **at(year))
    assert demo.dr.shown() == [data] and demo.dr.held() == []
    demo.dr.ok("poll", **at(year))          # an empty mailbox, past the end
    assert keys(demo.dr) == held
    again = demo.mail_of("INR 3,1", demo.dr)
    demo.post(demo.dr, forger.mail(demo.labo, demo.dr, again))
    demo.dr.ok("poll")
    assert len(demo.dr.shown()) == 2


@pytest.mark.parametrize("year", CLOCKS)
def test_D11_sending_by_a_wrong_clock(demo, forger, year):
    """Past the end of every key nothing is sealed, and the clock is asked
    for; a clock before the program's date counts as that date."""
    with_key_file(demo, forger, demo.labo)
    data = demo.mail_of("INR 2,1", demo.dr)
    got = demo.labo.sceau("send", "-t", input=data, **at(year))
    queued = demo.labo.ok("queue", "list", "--json").json()
    if year == 1970:
        assert got.code == 0 and len(queued) == 1
    else:
        assert got.code == 78 and queued == [], got.text()
        assert "is the clock of this machine wrong" in got.text()
    demo.labo.ok("poll")
    demo.dr.ok("poll")
    assert demo.dr.shown() == [data] * (year == 1970)


@pytest.mark.parametrize("year", CLOCKS)
def test_D11_the_queue_of_a_wrong_clock_goes_when_it_is_set_right(demo, year):
    """Neither given up as too old, nor waiting for that year to come; the
    relay was down, and acknowledgements waited, under the wrong clock."""
    data = demo.mail_of("INR 2,1", demo.dr)
    ack = demo.mail_of("to be acknowledged", demo.labo, sender=demo.dr)
    demo.labo.configure(relay_port=1, top={"ack_delay": "120 s"})
    demo.labo.ok("send", "-t", input=data, **at(year))
    demo.dr.ok("send", "-t", input=ack)
    demo.dr.ok("poll")
    assert demo.labo.sceau("poll", **at(year)).code == 75
    assert demo.labo.shown() == [ack]
    demo.labo.configure(top={"ack_delay": "0 s"})
    demo.labo.ok("poll")
    demo.labo.ok("poll")
    demo.dr.ok("poll")
    assert demo.dr.shown() == [data]
    assert demo.dr.states() == {demo.labo.name: "received"}
