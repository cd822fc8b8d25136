"""The power fails, or somebody dies: what was promised is there, whatever the
disk had not yet written.  tests/fault/cut.py and crash.py are the campaigns;
this is their short form."""

import random
import sqlite3

import pytest

from fault import crash, cut, lives, tried
from fault.alike import Picture, transmission
from fault.cut import Cut
from fault.day import Day
from pysceau.mail import START
from world.demo import Demo
from world.dovecot import free_ports
from world.power import Disk, Record


@pytest.fixture(scope="module")
def day(sceau):
    with Demo(postfix=False) as demo:
        demo.start()
        day = Day(demo)
        day.seen = day.survey()
        yield day


@pytest.mark.parametrize("step", ["small", "receives", "told"])
def test_the_record_is_whole(day, step):
    """All that was written is in it, or every verdict below is worth
    nothing."""
    here = Cut(day, step, "end", 0)
    assert here.disk.open
    assert here.image("all") == Disk(here.disk.folder).image([])


@pytest.mark.parametrize("step, how", [
    ("large", "lost"), ("receives", "names"), ("imap", "lost"),
    ("behind", "grown"), ("given", "lost")])
def test_it_fails_when_all_is_done(day, step, how):
    """Sent with exit 0, told to the sender, deleted on the server: the first
    document into a new Maildir, too; and no temporary file comes back."""
    here = Cut(day, step, "end", 0)
    row = here.judged(how, here.image(how))
    assert row["verdict"] == "ok", row


def test_a_file_that_is_back_in_its_outbox_is_not_sent_again(day):
    """Two clerks have died, so that none knows all that was taken away; then
    the power fails, and one of those files is there again."""
    here = Cut(day, "no relay", "outbox.away.after", 2)
    row = here.judged("lost", here.image("lost"))
    assert row["verdict"] == "ok", row


@pytest.mark.parametrize("deaf, step, how", [
    ("files", "imap", "names"), ("folders", "imap", "octets"),
    ("files", "given", "lost")])
def test_without_its_syncs_something_is_lost(day, deaf, step, how):
    """So the judge would see one that is missing."""
    here = Cut(day, step, "end", 0, deaf)
    assert here.judged(how, here.image(how))["verdict"] != "ok"


def test_what_a_mail_server_has_forgotten_is_missed(day):
    """Exit 0 is believed, and the mail not given again; with 75 it is."""
    assert day.end(day.from_step("given"), 75) == {"flagged": 0}
    with pytest.raises(AssertionError, match="lost"):
        day.end(day.from_step("given"), 0)


@pytest.mark.parametrize("point", (
    "keeper.fetched.before", "keeper.fetched.after", "clerk.sync.before",
    "keeper.delivered.after"))
def test_a_death_while_a_mail_server_delivers(day, point):
    row = crash.one(day, "given", "point", point, 1)
    assert row["died"] and row["verdict"] == "ok", row


def test_it_fails_at_any_moment(day):
    rng = random.Random(1)
    for where in rng.sample(list(cut.cuts(day.seen)), 4):
        here = Cut(day, *where)
        how, image = rng.choice(list(here.images(rng)))
        row = here.judged(how, image)
        assert row["verdict"] == "ok", row


def test_only_what_is_alike_is_judged_alike(day):
    """Of a death that leaves what another left no more is lived."""
    durand = day.demo.durand

    def left(point, change=lambda: None):
        got = day.step(day.from_step("refile"), SCEAU_FAULT=f"{point}:kill")
        change()
        day.pictures.touched.add(durand)
        return day.left({"refile": got.code})

    def other_text():
        path = next(day.taken.glob("*.hpr"))
        path.write_bytes(path.read_bytes().replace(b"mmol", b"umol"))

    def other_row():
        with sqlite3.connect(durand.state / "sceau.db") as db:
            assert db.execute("UPDATE kept SET filings = 9").rowcount
        db.close()

    def other_index():
        """Torn, and all rows are there."""
        path = durand.state / "sceau.db"
        with sqlite3.connect(path) as db:
            page, = db.execute("SELECT rootpage FROM sqlite_schema "
                               "WHERE name = 'queue_due'").fetchone()
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()
        with open(path, "r+b") as f:
            f.seek((page - 1) * 4096)
            f.write(b"\x0a" + bytes(4095))

    def one_mail_more():
        day.demo.post(durand, b"A: b\r\n\r\n")

    def other_transmission():
        """As large, but none that the sender knows."""
        path, = (p for box in ("new", "cur") for p in (
            day.demo.dovecot.maildir(day.demo.hub.user) / box).iterdir())
        t, data = transmission(path), path.read_bytes()
        other = path.rename(path.with_name("1.M1.other"))
        for at in range(data.index(b"\n" + START) + 8, len(data)):
            other.write_bytes(data[:at] + b"A" + data[at + 1:])
            if transmission(other) not in (None, t):
                return
        raise AssertionError("no header")

    there = left("store.refile.after")
    assert there and there == left("store.refile.after")
    changes = (other_text, other_row, other_index, one_mail_more,
               other_transmission)
    assert len({there, left("store.refile.before"), *(
        left("store.refile.after", change) for change in changes)}) == 7


def test_ports_and_the_hour_make_nothing_unlike():
    def said(text):
        picture = Picture.__new__(Picture)
        picture.ids = {}
        return picture._value(text)

    one, other = (
        f"imap a@localhost:{port}/INBOX {date} 5f{token}{'0' * 16}"
        for port, date, token in (
            (50977, "Fri, 27 Nov 2026 19:52:40 +0000", "ab"),
            (3, "Sat, 28 Nov 2026 00:00:01 +0100", "ba")))
    assert said(one) == said(other) != said(one.replace("a@", "b@"))
    assert said(1795888830) == said(1795888831) != said(-1795888830)
    assert said(-1795888830) == said(-1795888831) and said(8) != said(9)


def test_what_another_has_lived_is_not_lived_again(day, tmp_path, monkeypatch):
    """Neither what has left the same, nor what comes to it later."""
    monkeypatch.setattr(lives, "AGAIN", 10 ** 9)
    mine, others = (lives.Rows(tmp_path / "rows", crash.name)
                    for _ in range(2))
    for rows in mine, others:
        rows.look()
        rows.add(crash.one(day, "acks", "point", "main", 1, rows=rows))
    mine.look()
    first, second = mine.all
    assert "alike" not in first and second["alike"] == "acks"
    mine.known = {k: r for k, r in mine.known.items() if k[0] == "told"}
    mine.add(crash.one(day, "acks", "point", "main", 1, rows=mine))
    third = mine.all[-1]
    assert third["alike"] == "told" and third["left"] == first["left"]
    assert first["verdict"] == second["verdict"] == third["verdict"] == "ok"
    assert third["way"] == [["acks", first["left"]]]


def test_a_verdict_is_that_of_one_program(day, tmp_path, monkeypatch):
    row = {"step": "told", "kind": "all", "what": "net", "n": 3,
           "left": "a", "way": [["told", "a"]], "verdict": "ok"}
    lives.Rows(tmp_path / "rows", crash.name).add(row)
    assert lives.Rows(tmp_path / "rows", crash.name).known
    monkeypatch.setattr(tried, "program", lambda: tmp_path / "rows")
    assert not lives.Rows(tmp_path / "rows", crash.name).known


def test_figures_of_other_machines_are_added(tmp_path, monkeypatch):
    out, results = tmp_path / "rows", tmp_path / "RESULTS.md"
    results.write_text("""
## Power cuts

| 2026-01-01 | 0123456789ab | 100 | 10 | 1 |

## Crash campaign

| 2026-01-02 | 0123456789ab | 7 | 5 | 0 |
| | all | 7 | 5 | 0 |
""")
    monkeypatch.setattr(tried, "RESULTS", results)
    rows = lives.Rows(out, crash.name)
    for n, more in enumerate(({"verdict": "ok"}, {"verdict": "WRONG"},
                              {"verdict": "ok", "alike": "told"})):
        rows.add({"step": "told", "kind": "all", "what": "net", "n": n,
                  "left": "", "way": [], **more})
    tried.forget_wrong(out)
    rows = lives.Rows(out, crash.name)
    told = list(tried.campaigns("Crash campaign", out, rows.all))
    assert [t.split(" | ", 2)[2] for t in told[2:]] == [
        "7 | 5 | 0 |", "3 | 2 | 1 |", "10 | 7 | 1 |"]
    results.write_text("\n## Crash campaign\n\n" + "\n".join(told))
    assert told == list(tried.campaigns("Crash campaign", out, rows.all))


def test_what_lies_between_two_alike_comes_last(tmp_path):
    rows = lives.Rows(tmp_path / "rows", crash.name)
    for n, left in ((1, "a"), (5, "a"), (9, "b"), (12, ""), (14, "")):
        rows.add({"step": "told", "kind": "all", "what": "net", "n": n,
                  "left": left, "way": [], "verdict": "ok"})
    assert [n for n in range(16) if rows.between(("told", "all", "net", n))
            and n not in (1, 5, 9, 12, 14)] == [2, 3, 4]
    assert not rows.between(("told", "all", "write", 3))


def test_a_part_of_a_campaign_is_spread_over_all_of_it():
    every = [(line, n) for line in "abc" for n in range(1, 90)]
    order = lives.chosen(every, random.Random(1), 1)
    assert sorted(order) == every
    assert sorted(order[:9]) == [(line, n) for line in "abc"
                                 for n in (1, 65, 89)]
    gaps = sorted(n for line, n in order[:60] if line == "b")
    assert max(b - a for a, b in zip(gaps, gaps[1:])) <= 8


def test_the_day_comes_by_every_transition(day):
    """Or crash.py says who dies there instead."""
    seen = [(point, step) for step, (points, _) in day.seen.items()
            for point in points]
    assert [t for t in crash.MATRIX if t not in crash.ELSEWHERE and not any(
        crash.stands(t, *where) for where in seen)] == []


def test_a_day_with_another_engine(day, monkeypatch, tmp_path):
    monkeypatch.setattr(day, "relay", {"engine": "sceau"})
    day.begin()
    for who in day.demo.labo, day.demo.hub:
        assert 'engine = "sceau"' in who.conf.read_text()
    lives.Rows(tmp_path / "rows", crash.name).add(
        {"step": "told", "kind": "all", "what": "net", "n": 3, "left": "a",
         "way": [["told", "a"]], "verdict": "ok"})
    assert not lives.Rows(tmp_path / "rows", crash.name, "sceau").known


def test_a_death_at_any_moment(day):
    rng = random.Random(1)
    for death in rng.sample(list(crash.deaths(day.seen)), 4):
        row = crash.one(day, *death)
        assert row["verdict"] == "ok", row


def lived(day, who, at, *faults):
    """That step, once for each fault, and then the cut: nothing that was not
    synced is there.  The last code."""
    record, disk = Record(day.demo.top), Disk(who.folder)
    for fault in faults:
        env = {"SCEAU_FAULT": fault} if fault else {}
        code = day.step(at, **record.env(**env)).code
        disk.play(record)
    assert who.mail() == []
    disk.put(disk.image([]))
    return code


def test_a_death_and_then_a_cut(day):
    """The file has its name, not yet durably, when the clerk dies; who finds
    it there says delivered, and the power fails."""
    at = day.from_step("imap")
    code = lived(day, day.demo.durand, at, "drop.name.after:kill", None)
    assert code == 0
    assert day.end(at, 0) == {"flagged": 0}


def test_what_the_server_has_deleted_is_in_the_store(day):
    """Durably, and not only once the store is closed: the gateway has sealed
    again what no relay has taken yet."""
    at, hub = day.from_step("gateway"), day.demo.hub
    hub.configure(relay_port=free_ports(1)[0])
    code = lived(day, hub, at, "store.released.before:kill")
    assert code == 75
    hub.configure()
    assert day.end(at, code) == {"flagged": 0}
