"""sceau refile: what was filed is filed once more, from what is kept sealed;
nobody else hears of it, and nothing is done twice."""

import contextlib
import re
import signal
import sqlite3
import time

import pytest

from world.follow import clock

TOKEN = re.compile(r"-([0-9a-f]{20})(-\d+)?(?=\.|$)")
DAY = 86400


@pytest.fixture
def practice(demo):
    """dr files into a folder, with the remarks beside."""
    demo.dr.configure(kind="folder")
    return demo


def filed(member):
    """[(name without its token, number of the filing, octets)]"""
    found = []
    for p in sorted(member.inbox.iterdir()):
        if p.is_file() and p.name[0] != ".":    # left by one that died
            number = TOKEN.search(p.name).group(2) or ""
            found.append((TOKEN.sub("", p.name), number, p.read_bytes()))
    return found


def tokens(member):
    return {TOKEN.search(p.name).group(1) for p in member.inbox.iterdir()
            if p.is_file()}


def carry(demo, *texts):
    for text in texts:
        demo.send(text, demo.dr)
    demo.labo.ok("poll")
    demo.dr.ok("poll")
    told(demo, "received")


def told(demo, state):
    demo.dr.ok("poll")
    demo.dr.ok("poll", **clock(time.time() + 600))
    demo.labo.ok("poll")
    assert demo.labo.states() == {demo.dr.name: state}


def quiet(demo, member, **env):
    """A pass after which the sender has heard nothing."""
    got = member.ok("poll", **env)
    later = member.ok("poll", **clock(time.time() + 600))
    assert demo.labo.mail() == []
    return got.text() + later.text()


@contextlib.contextmanager
def store(member):
    db = sqlite3.connect(member.state / "sceau.db")
    with contextlib.closing(db), db:
        yield db


def bodies(member):
    with store(member) as db:
        return (db.execute("SELECT count(*) FROM body").fetchone()[0],
                db.execute("SELECT count(*) FROM kept "
                           "WHERE body IS NOT NULL").fetchone()[0])


def test_the_software_lost_them(practice):
    carry(practice, "INR 2,1", "INR 3,4")
    dr = practice.dr
    first = filed(dr)
    token = sorted(tokens(dr))[0]
    for p in dr.inbox.iterdir():
        if p.is_file():
            p.unlink()
    told(practice, "opened")
    assert b"1 message is filed once more" in \
        dr.ok("refile", token).stdout
    assert "in.refiled" not in quiet(practice, dr)
    assert f"t={token}".encode() in dr.ok("log").stdout
    again = filed(dr)
    assert [(n, d) for n, _, d in again] == \
        [(n, d) for n, _, d in first if d == again[0][2]]
    assert again[0][1] == "-2" and tokens(dr) == {token}
    text = (dr.inbox / "sceau" / f"sceau-{token}-2.txt").read_text()
    assert "filed once more because somebody here asked for it" in text
    quiet(practice, dr)
    assert filed(dr) == again


def test_all_of_some_days_beside_what_is_there(practice):
    """Nothing is replaced, and no name is used again."""
    carry(practice, "INR 2,1", "INR 3,4")
    dr = practice.dr
    first = filed(dr)
    day = time.strftime("%Y-%m-%d", time.localtime(time.time() - DAY))
    for n, words in enumerate([("--days", "2"), ("--since", day)]):
        assert b"2 messages are filed once more" in \
            dr.ok("refile", *words).stdout
        dr.ok("refile", *words)         # asked twice, done once
        quiet(practice, dr)
        assert len(filed(dr)) == 2 * (n + 2)
    assert sorted(filed(dr)) == sorted(
        (name, number, data) for name, _, data in first
        for number in ("", "-2", "-3")), filed(dr)
    assert bodies(dr) == (2, 2)


def test_into_a_maildir_flagged(demo):
    carry(demo, "INR 2,1")
    first, = demo.dr.documents()
    token = re.search(r"[0-9a-f]{20}", first.name).group()
    demo.dr.ok("refile", token)
    quiet(demo, demo.dr)
    one, two = demo.dr.documents()
    assert b"flags=filed-again\r\n" in two.read_bytes()
    assert demo.dr.shown()[0] == demo.dr.shown()[1]


def test_an_old_one_is_not_late(practice):
    """It was not when it came."""
    carry(practice, "INR 2,1")
    later = clock(time.time() + 10 * DAY)
    practice.dr.ok("refile", *tokens(practice.dr))
    practice.dr.ok("poll", **later)
    text = "".join(p.read_text()
                   for p in (practice.dr.inbox / "sceau").iterdir())
    assert "asked for it" in text and "long ago" not in text


def test_sealed_for_as_long_as_it_is_kept(practice):
    dr = practice.dr
    dr.configure(kind="folder", top={"keep_filed": "3 days"})
    carry(practice, "INR two point one")
    token, = tokens(dr)
    for p in dr.state.rglob("*"):
        assert not p.is_file() or b"point one" not in p.read_bytes()
    assert bodies(dr) == (1, 1)
    dr.ok("poll", **clock(time.time() + 2 * DAY))
    assert bodies(dr) == (1, 1)
    dr.ok("poll", **clock(time.time() + 4 * DAY))
    assert bodies(dr) == (0, 0)
    got = dr.sceau("refile", token)
    assert got.code == 65 and b"filed too long ago" in got.stderr


def test_run_forgets_too(practice):
    """What stays for months keeps house every hour; here six seconds."""
    dr = practice.dr
    dr.configure(kind="folder", top={"keep_filed": "3 days"})
    carry(practice, "INR 2,1")
    with store(dr) as db:
        db.execute("UPDATE kept SET until = ?", (int(time.time()) + 1800,))
    process = dr.start("run", SCEAU_FAULT_CLOCK=f"@{int(time.time())}*600")
    practice.wait_until(lambda: bodies(dr) == (0, 0), 60, "an empty store")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)


def test_nothing_is_kept_when_told_so(practice):
    practice.dr.configure(kind="folder", top={"keep_filed": "0"})
    carry(practice, "INR 2,1")
    assert bodies(practice.dr) == (0, 0)
    got = practice.dr.sceau("refile", "--days", "3")
    assert got.code == 65 and b"keep_filed is 0" in got.stderr


def test_what_is_asked_must_be_said(practice):
    dr = practice.dr
    for words, code, why in [((), 64, b"usage"), (("--days", "x"), 78, b"x"),
                             (("--days", "2", "12345678"), 64, b"usage"),
                             (("--since", "yesterday"), 78, b"not a date"),
                             (("--since", "31/02/2026"), 78, b"no such day"),
                             (("--days", "9" * 18), 78, b"not a number"),
                             (("--days", "30000"), 65, b"in these days"),
                             (("--since", "1970-01-01"), 65, b"in these"),
                             (("1234567",), 78, b"first 8 to 64 digits"),
                             (("12345678",), 65, b"12345678: no message"),
                             (("--days", "2"), 65, b"in these days")]:
        got = dr.sceau("refile", *words)
        assert (got.code, why in got.stderr) == (code, True), got.text()


def test_dry_run_changes_nothing(practice):
    carry(practice, "INR 2,1")
    before = filed(practice.dr)
    got = practice.dr.ok("refile", "--dry-run", "--days", "2")
    assert b"would be filed" in got.stdout
    quiet(practice, practice.dr)
    assert filed(practice.dr) == before


def test_what_is_damaged_is_told_and_nobody_else_hears(practice):
    """The sender was told that it is received: it must not be told that it
    came damaged."""
    carry(practice, "INR 2,1", "INR 3,4")
    dr = practice.dr
    with store(dr) as db:
        (id_, data), = db.execute("SELECT id, data FROM body_part LIMIT 1")
        db.execute("UPDATE body_part SET data = ?2 WHERE id = ?1",
                   (id_, data[:-9] + bytes(9)))
    dr.ok("refile", "--days", "2")
    got = dr.sceau("poll")
    assert got.code == 65 and b"in.not_refiled" in got.stderr
    assert b"in.refiled" in dr.ok("log").stdout
    assert len(filed(dr)) == 3 and dr.held() == []
    assert bodies(dr) == (2, 2)
    quiet(practice, dr)
    assert practice.labo.states() == {practice.dr.name: "received"}


@pytest.mark.parametrize("kind", ["folder", "maildir"])
@pytest.mark.parametrize("point", [
    "clerk.mail", "clerk.sync.after", "keeper.refiled.before",
    "keeper.refiled.after", "store.refiled.before"])
def test_a_crash_neither_forgets_nor_doubles(demo, kind, point):
    demo.dr.configure(kind=kind)
    carry(demo, "INR 2,1")
    before = len(demo.dr.documents())
    demo.dr.ok("refile", "--days", "2")
    got = demo.dr.sceau("poll", SCEAU_FAULT=f"{point}:kill")
    assert got.code != 0 or point == "clerk.mail", got.text()
    quiet(demo, demo.dr)
    extra = 2 if kind == "folder" else 1        # its remark
    assert len(demo.dr.documents()) == before + extra
    assert bodies(demo.dr) == (1, 1)


@pytest.mark.parametrize("part", ("clerk", "vault"))
def test_one_that_kills_is_not_tried_for_ever(practice, forger, part):
    """The others are filed, and it is kept as it was."""
    dr = practice.dr
    sealed = [practice.sealed(f"INR 2,{n}") for n in range(3)]
    practice.post(dr, *sealed)
    dr.ok("poll")
    t = sorted(tokens(dr))[1]
    dr.ok("refile", "--days", "2")
    token = f"{t}-2" if part == "clerk" else t
    env = {"SCEAU_FAULT": f"{part}.mail@{token}:kill"}
    got = dr.sceau("poll", **env)
    assert b"in.not_refiled" in got.stderr
    assert len(filed(dr)) == 3 + 2
    assert bodies(dr) == (3, 3)
    assert dr.sceau("poll", **env).code == 0
    dr.ok("refile", t)
    dr.ok("poll")
    assert len(filed(dr)) == 3 + 3


def test_a_copy_that_comes_meanwhile_is_known(practice, forger):
    """The refiling says nothing to the journal: what comes again from the
    server is still a duplicate."""
    dr, sealed = practice.dr, practice.sealed("INR 2,1")
    practice.post(dr, sealed)
    dr.ok("poll")
    practice.post(dr, sealed)
    dr.ok("refile", "--days", "2")
    dr.ok("poll")
    assert [n for _, n, _ in filed(dr)].count("-2") == 1
    assert len(filed(dr)) == 2
