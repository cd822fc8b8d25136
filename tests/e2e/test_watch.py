"""The watch desk: thefts and exclusions told to everybody, whatever is lost
(PROTOCOL 2.8, 2.19.22 to 25, .37; ATTACKS K1, D6, P20)."""

import time

import pytest

from pysceau import mail, records
from test_keys_travel import OTHER, Bench
from world.demo import YEAR
from world.follow import DAY, Follower

HOUR = 3600


def later(days=0, hours=0):
    return {"SCEAU_FAULT_CLOCK": f"+{days * DAY + hours * HOUR}",
            "TZ": "Europe/Paris"}


def when(days=0, hours=0):
    return int(time.time()) + days * DAY + hours * HOUR


def listed(demo):
    """{name: minimum generation} in each bulletin, 255: excluded."""
    rows = demo.watch.ok("bar", "--list", "--json").json()
    return {r["name"]: 255 if r["excluded"] else r["generation"]
            for r in rows}


def events(member, name, **env):
    rows = member.ok("log", "--days", "30", "--json", **env).json()
    return [e["text"] for e in rows if e["event"] == name]


def begun(demo, **env):
    """The numbers of the bulletins so far."""
    return [int(t.partition("=")[2])
            for t in events(demo.watch, "bulletin.begun", **env)]


def believes(demo, forger, victim, to, **env):
    """Does `to` take what a thief of victim's first key writes?"""
    held, shown = len(to.held()), len(to.shown())
    demo.post(to, forger.mail(victim, to, demo.mail_of(
        f"{time.time_ns()}", to, sender=victim)))
    to.sceau("poll", **env)
    got = len(to.held()) - held, len(to.shown()) - shown
    assert got in ((1, 0), (0, 1)), got
    return got == (0, 1)


def everybody(demo):
    return [m for m in demo.members.values() if m is not demo.watch]


def mails(demo):
    return [len(m.mail()) for m in everybody(demo)]


# ---- a theft ---------------------------------------------------------------

def test_P6_a_theft_is_told_to_everybody_at_once(demo, forger):
    assert believes(demo, forger, demo.durand, demo.dr)
    demo.dr.sceau("poll")
    demo.empty(demo.durand)
    got = demo.watch.ok("bar", demo.durand.address, "--reason", "vol du PC")
    assert b"keys before generation 2 are void" in got.stdout
    row, = demo.watch.ok("bar", "--list", "--json").json()
    assert (row["name"], row["generation"], row["excluded"], row["reason"],
            row["by"]) == (demo.durand.name, 2, False, "vol du PC", "watch")
    # by this one command, to each, the victim among them
    assert mails(demo) == [1] * 6
    for m in (demo.dr, demo.labo, demo.petit):
        m.ok("poll")
        assert not believes(demo, forger, demo.durand, m)
        assert m.classes() == ["BARRED"]
    data = demo.send("INR 2,1", demo.dr)        # others are as they were
    demo.labo.sceau("poll")
    demo.dr.sceau("poll")
    assert data in demo.dr.shown()
    # the victim's new key is good
    new = demo.mail_of("INR", demo.dr, sender=demo.durand)
    demo.post(demo.dr, forger.wrap(demo.durand, demo.dr, forger.seal(
        demo.durand.name + "#2", demo.dr, new)))
    demo.dr.sceau("poll")
    assert new in demo.dr.shown()


def test_a_lost_bulletin_does_no_harm_when_another_comes(demo, forger):
    demo.watch.ok("bar", demo.durand.address)
    demo.empty(demo.dr)                         # the network drops it
    assert believes(demo, forger, demo.durand, demo.dr)
    demo.watch.ok("bar", demo.petit.address, "--excluded")
    assert listed(demo) == {demo.durand.name: 2, demo.petit.name: 255}
    demo.dr.ok("poll")
    assert not believes(demo, forger, demo.durand, demo.dr)
    assert not believes(demo, forger, demo.petit, demo.dr)
    first, second = begun(demo)
    assert first < second


def test_one_each_week_by_itself(demo):
    """And without any bar: that nobody was robbed is news too."""
    demo.watch.ok("poll")
    demo.watch.ok("poll", **later(1, 1))        # its keys are looked at
    demo.watch.ok("poll", **later(1, 2))
    assert mails(demo) == [1] * 6
    for env in (later(1, 3), later(8, 1)):
        demo.watch.ok("poll", **env)
    assert mails(demo) == [1] * 6
    demo.watch.ok("poll", **later(8, 3))
    assert mails(demo) == [2] * 6
    assert demo.watch.ok("bar", "--list").stdout == b"nobody is barred\n"
    a, b = begun(demo, **later(8, 4))
    assert (b - a) * 60 in range(7 * DAY, 7 * DAY + 2 * HOUR)


def enrols(demo, forger, to, *people):
    """The issuer's mail to a member: a key for writing to each of those."""
    demo.post(to, forger.mail(
        "demo/association@demo.example", to, None, grant=False, control=[
            *(records.grant(YEAR, forger.key(to, who), who.encode())
              for who, _ in people),
            *(records.entry(1, who.encode(), route.encode(), "Dr X")
              for who, route in people)]))


def test_who_is_enrolled_gets_one_at_once(demo, forger):
    """A newcomer, and whoever has another key, hears of what was barred before
    the week is over: one bulletin for all that an enrolment brings."""
    demo.watch.ok("bar", demo.petit.address, "--excluded")
    assert mails(demo) == [1] * 6 and len(begun(demo)) == 1
    again = demo.durand.name + "#2", demo.durand.route
    new = "demo/dr.neuf@neuf.example#1", demo.hub.route
    enrols(demo, forger, demo.watch, again, new)
    demo.watch.ok("poll")
    assert len(begun(demo)) == 2
    got = dict(zip((m.local for m in everybody(demo)), mails(demo)))
    assert got.pop("passerelle") == 3 and set(got.values()) == {2}
    to = [forger.open(mail.find(m)) for m in demo.hub.mail()[1:] +
          demo.durand.mail()[1:]]
    assert {h.recipient.decode() for h, _ in to} == {
        again[0], new[0], demo.hub.identity}
    for _, p in to:
        (bar,) = p.all(records.BAR)
        assert (bar["generation"], bar["name"]) == (
            255, demo.petit.name.encode())
    # what is no news makes none: the same again, an entry alone, a return key
    enrols(demo, forger, demo.watch, again, new)
    demo.post(demo.watch, forger.mail(
        "demo/association@demo.example", demo.watch, None,
        control=[records.entry(1, new[0].encode(), b"x@y.example", "Dr Y")]))
    demo.post(demo.watch, forger.wrap(demo.labo, demo.watch, forger.seal(
        demo.labo.name + "#2", demo.watch, None)))
    demo.watch.ok("poll")
    demo.watch.ok("poll")
    assert len(begun(demo)) == 2


def test_an_enrolment_makes_nobody_else_a_desk(demo, forger):
    who = "demo/dr.neuf@neuf.example#1"
    enrols(demo, forger, demo.dr, (who, demo.hub.route))
    demo.dr.ok("poll")
    demo.dr.ok("poll")
    assert events(demo.dr, "bulletin.begun") == []
    assert mails(demo) == [0] * 6


@pytest.mark.parametrize("where, least", [
    ("keeper.bulletin.begin", 0), ("store.desk.begin.after", 0),
    ("keeper.bulletin.before", 0), ("keeper.bulletin.after", 6)])
def test_a_crash_on_the_way_loses_no_bulletin(demo, where, least):
    got = demo.watch.sceau("bar", demo.durand.address,
                           SCEAU_FAULT=f"{where}:kill")
    assert got.code == 0 and b"It is noted" in got.stdout
    assert mails(demo) == [0] * 6
    if least:
        assert len(demo.watch.ok("queue", "list", "--json").json()) == least
    demo.watch.ok("poll")
    assert mails(demo) == [1] * 6
    demo.watch.ok("poll")
    assert mails(demo) == [1] * 6


# ---- who may, and whom -----------------------------------------------------

@pytest.mark.parametrize("who, words, code, why", [
    ("labo", ["{durand}"], 78, "not that of the watch desk"),
    ("labo", ["--list"], 78, "not that of the watch desk"),
    ("watch", ["{hub}"], 67, "holds an office"),
    ("watch", ["{issuer}", "--excluded"], 67, "holds an office"),
    ("watch", ["{watch}"], 67, "is this watch desk itself"),
    ("watch", ["nobody@cabinet.example"], 67, "no member has the address"),
    ("watch", ["{durand}", "--generation", "3"], 67, "may be 2 at most"),
    ("watch", ["{durand}", "--generation", "1"], 64, "from 2 to 254"),
    ("watch", ["{durand}", "--generation", "255"], 64, "from 2 to 254"),
    ("watch", ["{durand}", "--generation", "2", "--excluded"], 64, "usage"),
    ("watch", ["{durand}", "--reason", "two\nlines"], 64, "one line"),
    ("watch", [], 64, "usage"), ("watch", ["{durand}", "--list"], 64, "usage"),
])
def test_refused_with_a_sentence(demo, who, words, code, why):
    member = getattr(demo, who)
    names = {n: getattr(demo, n).address
             for n in ("durand", "hub", "issuer", "watch")}
    got = member.sceau("bar", *(w.format(**names) for w in words))
    assert got.code == code and why in got.text(), got.text()
    assert mails(demo) == [0] * 6


def test_dry_run_changes_nothing(demo):
    got = demo.watch.ok("bar", demo.durand.address, "--dry-run", "--json")
    row, = got.json()
    assert row["generation"] == 2 and row["dry_run"]
    demo.watch.ok("poll")
    assert listed(demo) == {} and mails(demo) == [0] * 6


def test_a_new_key_is_not_barred_for_the_old_ones_sake(demo, forger):
    """The desk has met the new key: it must be said which one is meant."""
    demo.post(demo.watch, forger.wrap(demo.durand, demo.watch, forger.seal(
        demo.durand.name + "#2", demo.watch, None)))
    demo.watch.ok("poll")
    got = demo.watch.sceau("bar", demo.durand.address)
    assert got.code == 67 and "--generation 2 if the newest is still good" \
        in got.text()
    demo.watch.ok("bar", demo.durand.address, "--generation", "2")
    assert listed(demo) == {demo.durand.name: 2}
    got = demo.watch.ok("bar", demo.durand.address, "--generation", "2")
    assert b"was so already" in got.stdout
    demo.watch.ok("bar", demo.durand.address, "--generation", "3")
    demo.watch.ok("bar", demo.durand.address, "--generation", "2")
    assert listed(demo) == {demo.durand.name: 3}    # it only rises


# ---- a desk that is stolen -------------------------------------------------

def test_a_stolen_desk_can_only_exclude_and_a_new_one_repairs_it(demo,
                                                                 forger):
    desk, new = demo.watch.name + "#1", demo.watch.name + "#2"

    def says(who, number, *bars, more=()):
        demo.post(demo.dr, forger.wrap(demo.watch, demo.dr, forger.seal(
            who, demo.dr, None, control=[
                *more, records.bulletin(number),
                *(records.bar(255, m.name.encode()) for m in bars)])))
        demo.dr.sceau("poll")
    says(desk, 2 ** 32 - 1, demo.petit)
    assert not believes(demo, forger, demo.petit, demo.dr)
    assert events(demo.dr, "barred") == [f"who={demo.petit.name}"]  # seen
    for more in (records.entry(0, demo.petit.identity.encode()),
                 records.role(2, desk.encode()),
                 records.grant(YEAR, bytes(32), demo.labo.identity.encode())):
        before = demo.dr.classes().count("AUTHORITY")
        says(desk, 2 ** 32 - 1, more=[more])
        assert demo.dr.classes().count("AUTHORITY") == before + 1
    says(new, 1, demo.durand)
    assert believes(demo, forger, demo.petit, demo.dr)
    assert not believes(demo, forger, demo.durand, demo.dr)
    before = demo.dr.classes().count("BARRED")
    says(desk, 2 ** 32 - 1, demo.petit, demo.labo)
    assert demo.dr.classes().count("BARRED") == before + 1
    assert believes(demo, forger, demo.petit, demo.dr)
    assert believes(demo, forger, demo.labo, demo.dr)


@pytest.mark.parametrize("named", ["address", "name"])
def test_on_another_computer_its_new_key_ends_the_thiefs_word(demo, forger,
                                                              named):
    """As sceau-association(7) has it typed: all at once, by one command."""
    old = demo.watch
    maker = forger.maker()
    maker.reissue(old.name.encode())
    del maker.bars[old.name.encode()]       # the issuer bars none of its own
    desk = Bench(old.elsewhere(), maker)
    got = desk.take(desk.make(code=OTHER), OTHER)
    assert got.code == 0, got.text()
    old.ok("bar", demo.petit.address, "--excluded")
    demo.dr.ok("poll")
    assert not believes(demo, forger, demo.petit, demo.dr)
    for m in everybody(demo):
        demo.empty(m)
    got = desk.member.ok("bar", getattr(old, named))
    assert b"keys before generation 2 are void" in got.stdout
    assert b"is it spelt" not in got.stdout
    row, = desk.member.ok("bar", "--list", "--json").json()
    assert (row["name"], row["generation"]) == (old.name, 2)
    assert mails(demo) == [1] * 6 and old.mail() == []
    demo.dr.ok("poll")
    assert believes(demo, forger, demo.petit, demo.dr)
    demo.empty(demo.dr)
    before = demo.dr.classes().count("BARRED")
    old.ok("bar", demo.labo.address, "--excluded")
    assert demo.dr.sceau("poll").code == 65
    assert demo.dr.classes().count("BARRED") == before + 1
    assert believes(demo, forger, demo.labo, demo.dr)
    assert desk.member.ok("bar", getattr(old, named)).code == 0  # once more
    for words in (["--excluded"], ["--generation", 3]):
        got = desk.member.sceau("bar", getattr(old, named), *words)
        assert got.code == 67 and "is this watch desk itself" in got.text()


# ---- P20 -------------------------------------------------------------------

def test_P20_in_any_order_and_however_often(demo, forger):
    """All orders are in test_gate_apply; here some by the whole program."""
    made = [forger.mail(demo.watch, demo.dr, None, control=[
        records.bulletin(n), *bars]) for n, bars in (
            (1, [records.bar(2, demo.durand.name.encode())]),
            (2, [records.bar(3, demo.durand.name.encode()),
                 records.bar(2, demo.petit.name.encode())]),
            (3, [records.bar(2, demo.durand.name.encode())]))]
    for order in ((0, 1, 2), (2, 1, 2, 0)):
        demo.dr.fresh()
        for n in order:
            demo.post(demo.dr, made[n])
            demo.dr.ok("poll")
        assert not believes(demo, forger, demo.petit, demo.dr)
        demo.post(demo.dr, forger.wrap(demo.durand, demo.dr, forger.seal(
            demo.durand.name + "#2", demo.dr, demo.mail_of(
                "x", demo.dr, sender=demo.durand))))
        demo.dr.sceau("poll")
        assert demo.dr.classes() == ["BARRED", "BARRED"]


# ---- what is told ----------------------------------------------------------

@pytest.fixture
def dr(demo):
    return Follower(demo.dr)


def test_D6_one_that_others_have_is_told_until_it_comes(demo, forger, dr):
    demo.post(demo.dr, forger.mail(
        demo.labo, demo.dr, demo.mail_of("INR", demo.dr),
        meta=records.meta(when(), 9, YEAR, 1)))
    dr.poll(when())
    dr.poll(when(hours=5))
    assert dr.rules(when(hours=5)) == [] and dr.news() == ""
    dr.poll(when(hours=7))
    news = dr.news()
    assert "Un bulletin sur les clés volées n’est pas arrivé ici : " \
        "labo.central@labo.example l’avait le" in news
    assert "Appeler l’association" in news
    assert dr.rules(when(hours=7)) == ["bulletin"]

    def comes(number):
        demo.post(demo.dr, forger.mail(demo.watch, demo.dr, None, control=[
            records.bulletin(number)]))
        dr.poll(when(hours=8))
    comes(8)
    assert dr.rules(when(hours=8)) == ["bulletin"]
    comes(9)
    assert dr.rules(when(hours=8)) == []
    assert "a pris fin" in dr.news()


def test_D6_fifteen_days_without_any(demo, forger, dr):
    demo.post(demo.dr, forger.mail(demo.watch, demo.dr, None, control=[
        records.bulletin(9)]))
    dr.poll(when())
    dr.poll(when(days=14))
    assert dr.rules(when(days=14)) == []
    dr.poll(when(days=16))
    assert "Aucun bulletin sur les clés volées" in dr.news()
    assert dr.rules(when(days=16)) == ["bulletin-silence"]
    demo.post(demo.dr, forger.mail(demo.watch, demo.dr, None, control=[
        records.bulletin(9)]))      # the old one once more is none
    dr.poll(when(days=16))
    assert dr.rules(when(days=16)) == ["bulletin-silence"]
    demo.post(demo.dr, forger.mail(demo.watch, demo.dr, None, control=[
        records.bulletin(10)]))
    dr.poll(when(days=16))
    assert dr.rules(when(days=16)) == []


def test_who_is_barred_himself_hears_of_it_and_goes_on_reading(demo, forger,
                                                               dr):
    demo.watch.ok("bar", demo.dr.address)
    dr.poll(when())
    assert ("barred", demo.dr.name) in dr.alarms(when())
    assert "L’association a révoqué la clé de dr.martin@cabinet.example" in \
        dr.news()
    got = demo.dr.sceau("send", "-t", input=demo.mail_of(
        "INR", demo.labo, sender=demo.dr))
    assert got.code == 78 and demo.labo.name not in demo.dr.states()
    data = demo.send("INR 2,1", demo.dr)
    demo.labo.ok("poll")
    dr.poll(when())
    assert data in demo.dr.shown()
