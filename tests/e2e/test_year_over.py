"""The end of a year (PROTOCOL 2.8, 2.19.10; P7): its keys go once its time to
read is over, a later year's are held and the mailbox is drained; nothing of
them is left in the state folder, which is read here as a thief reads it.
Needs a build with --enable-fault (SCEAU_FAULT_CLOCK)."""

import calendar
import io
import os
import signal
import time

import pytest

from pysceau import envelope, records
from test_keys_travel import NEXT_CODE, Bench
from world.demo import YEAR
from world.fault import stopped
from world.memory import tree
from world.scripted import Scripted
from world.small import mounted

NEXT = YEAR + 1
POINTS = ["erase.rolled", "erase.renewed", "keystore.roll.written",
          "keystore.roll.key", "keystore.roll.written#2",
          "keystore.roll.key#2", "store.row.before", "store.row.after",
          "store.erased.before", "store.erased.after"]


def at(month, day, year=NEXT):
    """That day by the injected clock, at noon."""
    return {"SCEAU_FAULT_CLOCK":
            f"@{calendar.timegm((year, month, day, 12, 0, 0))}"}


def files(member):
    return {str(p.relative_to(member.state)): p.read_bytes()
            for p in member.state.rglob("*") if p.is_file()}


def opened(member):
    """The key store as who has the whole folder reads it."""
    state = member.state
    r = envelope.Reader(io.BytesIO((state / "keystore").read_bytes()))
    return b"".join(r.key((state / "keystore.key").read_bytes()).chunks())


def local_key(plain):
    """LOCAL (0x70) follows META: since, number of keys, the key of rows."""
    n = int.from_bytes(plain[1:5], "big")
    assert plain[0] == records.META and plain[5 + n] == 0x70
    size = int.from_bytes(plain[6 + n:10 + n], "big")
    return plain[22 + n:54 + n], size > 44      # has it the former one too?


class Year(Bench):
    """Both years are held; labo has written in the first, and the watch desk
    has barred durand; so rows hold keys and facts."""

    def __init__(self, demo, maker):
        super().__init__(demo.dr, maker)
        self.demo = demo

    def lived(self, forger):
        demo, dr = self.demo, self.member
        self.hold()
        self.first = demo.mail_of("of the old year", dr)
        self.envelope = forger.mail(demo.labo, dr, self.first)
        demo.post(dr, self.envelope, forger.mail(demo.watch, dr, None, control=[
            records.bulletin(1), records.bar(255, demo.durand.name.encode())]))
        dr.ok("poll")
        assert dr.shown() == [self.first]
        self.hold_next()
        return self

    def hold_next(self):
        got = self.take(self.make(NEXT, NEXT_CODE, renewal=True), NEXT_CODE)
        assert got.code == 0, got.text()

    def keys_of(self, year):
        """K and the ring of that year, as octets."""
        me = self.member.name.encode()
        return [self.maker.K(me, year)] + [c for _, c in
                                           self.maker.ring(me, year)]

    def secrets(self):
        """What opens anything of the old year: keys of the machine and of
        rows; the rest is sealed under them."""
        return [(self.member.state / "keystore.key").read_bytes(),
                local_key(opened(self.member))[0]]

    def spring(self, day=11):
        """The clock leaps to April and is believed a week later."""
        self.member.sceau("poll", **at(4, day - 8))
        return self.member.sceau("poll", **at(4, day))

    def events(self):
        return [e["event"] for e in
                self.member.ok("log", "--json", "--days", "3000",
                               **at(12, 1)).json()]

    def erased(self, secrets):
        """Nothing of the old year is left, and the new one is whole."""
        plain = opened(self.member)
        assert not local_key(plain)[1], "the former key of rows is kept"
        for key in self.keys_of(YEAR) + secrets:
            assert key not in plain
            for name, octets in files(self.member).items():
                assert key not in octets, name
        for key in self.keys_of(NEXT):
            assert key in plain
        assert not list(self.member.state.glob("*.new"))
        return True


@pytest.fixture
def year(demo, forger):
    return Year(demo, forger.maker(NEXT))


def mail_of_next(year, sender, text):
    demo, maker = year.demo, year.maker
    data = demo.mail_of(text, demo.dr, sender=sender)
    a, b = sender.name.encode(), demo.dr.name.encode()
    env, _ = envelope.sealed(
        maker.C(a, b, NEXT), NEXT, maker.id(a), maker.id(b),
        [records.meta(calendar.timegm((NEXT, 4, 11, 12, 0, 0)), 1, NEXT, 1),
         records.grant(NEXT, maker.C(b, a, NEXT), maker.id(a))], data)
    return data, env


def test_P7_nothing_of_the_old_year_is_left(year, forger):
    year.lived(forger)
    demo, dr = year.demo, year.member
    secrets, plain = year.secrets(), opened(dr)
    for key in year.keys_of(YEAR) + year.keys_of(NEXT):
        assert key in plain             # a thief would have found them
    assert secrets[0] in b"".join(files(dr).values())
    assert year.spring().code == 0
    assert year.years() == [NEXT] and year.erased(secrets)
    assert "key.erased" in year.events()
    # What the rows knew is known still, under the new key.
    data, sealed = mail_of_next(year, demo.labo, "of the new year")
    barred = mail_of_next(year, demo.durand, "barred")[1]
    demo.post(dr, *(forger.wrap(s, dr, env) for s, env in
                    ((demo.labo, sealed), (demo.durand, barred))))
    dr.sceau("poll", **at(4, 11))
    assert dr.shown() == [year.first, data]
    assert dr.classes() == ["BARRED"]
    # Mail of the old year: once it was shown it is known, new it is held.
    late = demo.mail_of("too late", dr)
    demo.post(dr, year.envelope, forger.mail(demo.labo, dr, late))
    dr.sceau("poll", **at(4, 12))
    assert dr.shown() == [year.first, data]
    assert set(dr.classes()) == {"BARRED", "EXPIRED"}


def test_a_key_that_comes_during_a_pass(year, forger):
    """The vault at work does not know it, and holds what was not held yet
    when the key woke what was."""
    demo, dr = year.demo, year.member
    year.hold()
    before, first = (demo.mail_of(text, dr) for text in ("before",
                                                         "meanwhile"))
    demo.post(dr, forger.mail(demo.labo, dr, before))
    dr.ok("poll")
    data, sealed = mail_of_next(year, demo.labo, "of the new year")
    demo.post(dr, forger.mail(demo.labo, dr, first),
              forger.wrap(demo.labo, dr, sealed))
    process = dr.start("poll", SCEAU_FAULT="keeper.delivered.before:stop")
    dr.world.wait_until(lambda: any(map(stopped, tree(process.pid))),
                        what="the pass at work")
    year.hold_next()
    for pid in tree(process.pid):
        os.kill(pid, signal.SIGCONT)
    assert process.wait(60) == 65 and dr.shown() == [before, first]
    dr.ok("poll")
    assert dr.shown() == [before, first, data] and dr.classes() == []


@pytest.mark.parametrize("why", ["in time", "no later year", "mailbox down",
                                 "mail not given", "clock not believed"])
def test_keys_that_are_kept(year, forger, why):
    year.lived(forger) if why != "no later year" else year.hold()
    dr = year.member
    if why == "in time":
        dr.sceau("poll", **at(3, 22))
        dr.sceau("poll", **at(4, 1))
    elif why == "clock not believed":
        dr.sceau("poll", **at(4, 11))
    elif why == "mailbox down":
        dr.configure(top=year.store(), port=1)
        year.spring()
    elif why == "mail not given":
        with Scripted("imap", year.demo.cert, messages=[b"x"], answers={
                "UID FETCH": lambda rest: b"%TAG% OK done\r\n",
                "UID SEARCH": lambda rest:
                b"* SEARCH 1\r\n%TAG% OK done\r\n"}) as server:
            dr.configure(top=year.store(), protocol="imap", port=server.port)
            assert year.spring().code == 75
    else:
        year.spring()
    assert YEAR in year.years() and year.keys_of(YEAR)[0] in opened(dr)
    if why == "no later year":
        return
    # Once that is over, they go.
    dr.configure(top=year.store())
    secrets = year.secrets()
    dr.ok("poll", **at(4, 18))
    assert dr.ok("poll", **at(4, 25)).code == 0
    assert year.years() == [NEXT] and year.erased(secrets)


def test_the_first_clock_of_a_state_folder_erases_nothing(year):
    """A machine that is new, or whose battery is dead, says 2036, or April;
    nobody can tell before it has gone its way for a week."""
    year.hold()
    year.hold_next()
    for day in (3, 4, 9):
        year.member.sceau("poll", **at(4, day))
        assert year.years() == [YEAR, NEXT]
    assert year.keys_of(YEAR)[0] in opened(year.member)
    secrets = year.secrets()
    assert year.member.sceau("poll", **at(4, 10)).code == 0
    assert year.years() == [NEXT] and year.erased(secrets)


def test_mail_that_waits_in_the_store_keeps_its_key(year, forger):
    """It is fetched and cannot be filed: the mailbox is empty, and the mail is
    in nobody's hands yet."""
    year.lived(forger)
    demo, dr = year.demo, year.member
    late = demo.mail_of("late, and no room for it", dr)
    demo.post(dr, forger.mail(demo.labo, dr, late))
    secrets = year.secrets()
    with mounted(dr.inbox, 0):
        assert year.spring().code == 75
        assert dr.sceau("poll", **at(4, 13)).code == 75
    assert YEAR in year.years()
    dr.ok("poll", **at(4, 15))
    assert dr.shown() == [year.first, late]
    dr.ok("poll", **at(4, 17))
    assert year.years() == [NEXT] and year.erased(secrets)


def test_a_clock_that_leaps_during_the_pass(year, forger):
    """Right when the pass begins, a season ahead when it ends."""
    year.lived(forger)
    dr, now = year.member, int(time.time())
    days = [calendar.timegm(d) for d in ((NEXT, 3, 20, 12, 0, 0),
                                         (YEAR, 11, 20, 12, 0, 0))]
    begins = max(days, key=lambda day: abs(now - day))
    for back in (16, 8, 0):
        dr.ok("poll", SCEAU_FAULT_CLOCK=f"@{begins - back * 86400}")
    # Each second takes it as far on as we are from that day: two months or
    # more.
    far = int(time.time()) + 3 - begins
    env = {"SCEAU_FAULT_CLOCK": f"@{begins + far + (1 if far > 0 else -1)}"
           f"*{abs(far) + 1}"}
    dr.world.wait_until(lambda: time.time() >= begins + far,
                        what="the second of that day")
    process = dr.start("poll", SCEAU_FAULT="fetch.*:stop", **env)
    dr.world.wait_until(lambda: any(map(stopped, tree(process.pid))),
                        what="the pass at work")
    dr.world.wait_until(lambda: time.time() >= begins + far + 4,
                        what="the leap")
    for pid in tree(process.pid):
        os.kill(pid, signal.SIGCONT)
    assert process.wait(60) == 0
    assert YEAR in year.years()


@pytest.mark.parametrize("point", POINTS)
def test_an_erasure_that_dies_goes_on(year, forger, point):
    year.lived(forger)
    secrets = year.secrets()
    year.member.sceau("poll", **at(4, 3))
    year.member.sceau("poll", SCEAU_FAULT=f"{point}:kill", **at(4, 11))
    assert "key.erase_failed" in year.events()
    assert NEXT in year.years()
    year.member.ok("poll", **at(4, 13))
    assert year.years() == [NEXT] and year.erased(secrets)


def test_P7_what_a_death_left_goes_too(year, forger):
    """Of a key and of a store: together they open the old year."""
    year.lived(forger)
    state, secrets = year.member.state, year.secrets()
    (state / "keystore.tmpAbCdEf").write_bytes(
        (state / "keystore").read_bytes())
    (state / "keystore.key.tmpAbCdEf").write_bytes(secrets[0])
    assert year.spring().code == 0
    assert year.years() == [NEXT] and year.erased(secrets)
    assert sorted(p.name for p in state.glob("keystore*")) == [
        "keystore", "keystore.key", "keystore.lock"]


def test_a_store_that_is_lent_is_not_written_to(year, forger):
    year.lived(forger)
    lent = ["--store", year.member.state / "keystore"]
    before = year.kept()
    year.member.sceau("poll", *lent, **at(4, 3))
    year.member.sceau("poll", *lent, **at(4, 11))
    assert year.kept() == before
