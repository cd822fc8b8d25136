"""Never the wrong patient: the same name with another birth date, a corrected
result, a report for somebody else; what the practice is told of them in the
folder of remarks and by sceau inbox, and what its store knows of anybody."""

import contextlib
import email.message
import email.policy
import re
import sqlite3
import time

import pytest

from world import fault, hprim, traces
from world.attack import spoiled
from world.follow import clock, plain
from world.verdict import CRASHED, crash

DAY = 86400
TOKEN = re.compile(r"[0-9a-f]{20}")
BEFORE = "the same name has come with another date of birth before: make " \
    "sure whose report this is"
KEYS = ("other_birth", "corrected", "recipient", "remarks", "not_compared",
        "possible_duplicate", "filed_again", "late", "dated_ahead",
        "replaced_key", "relayed_though_direct")


@pytest.fixture
def practice(demo):
    """dr files into a folder, with the remarks beside."""
    demo.dr.configure(kind="folder")
    return demo


def report(family="DURAND", given="CAMILLE", birth="12/05/1961", **more):
    p = hprim.Patient(**more)
    p.header[1:3] = family, given
    p.header[6], p.header[7] = birth, ""
    return p


def mail_of(demo, *files):
    """A mail of labo; each of files: the reports in one."""
    m = email.message.EmailMessage(policy=email.policy.SMTP)
    m["From"], m["To"] = demo.labo.address, demo.dr.address
    m["Subject"], m["Message-ID"] = "Résultats", f"<{id(m)}@labo.example>"
    for n, file in enumerate(files):
        data = file if isinstance(file, bytes) else hprim.encode(file)
        m.add_attachment(data, "application", "octet-stream",
                         filename=f"r{n}.hpr")
    return m.as_bytes()


def carry(demo, *files, env=None):
    """One mail, sent and fetched."""
    demo.labo.ok("send", "-t", input=mail_of(demo, *files))
    demo.labo.ok("poll")
    return demo.dr.ok("poll", **(env or {}))


def inbox(member, *words, **env):
    return member.ok("inbox", "--json", *words, **env).json()


def flags(row):
    return [k for k in KEYS if row[k]]


def told(member):
    """{token: text of the folder of remarks}"""
    return {TOKEN.search(p.name).group(): p.read_text("utf-8")
            for p in (member.inbox / "sceau").iterdir()}


def files(member):
    return [p for p in member.inbox.iterdir()
            if p.is_file() and p.name[0] != "."]


@contextlib.contextmanager
def store(member):
    db = sqlite3.connect(member.state / "sceau.db")
    with contextlib.closing(db), db:
        yield db


# ---- what is told -----------------------------------------------------------

def test_the_same_name_with_another_birth_date(practice):
    """Filed all the same; said of it, and only of it."""
    dr = practice.dr
    carry(practice, [report()])
    carry(practice, [report("Durand", "Camille")])
    assert told(dr) == {}
    carry(practice, [report(birth="13/05/1961")])
    assert len(files(dr)) == 3
    (token, text), = told(dr).items()
    assert text.splitlines()[2:] == [f"r0-1-{token}.hpr: line 1: {BEFORE}"]
    rows = inbox(dr)
    assert [flags(r) for r in rows] == [[], [], ["other_birth"]]
    assert rows[2]["token"] == token and rows[2]["t"].startswith(token)
    assert {r["from"] for r in rows} == {practice.labo.name + "#1"}
    assert {(r["schema"], r["type"], r["reports"], r["places"])
            for r in rows} == {(1, "filed", 1, "inbox")}
    assert inbox(dr, "--flagged") == rows[2:]
    # Both are known now.
    carry(practice, [report(birth="13/05/1961")], [report()])
    assert len(told(dr)) == 1 and len(inbox(dr, "--flagged")) == 1


def test_filed_twice_and_odd_both_are_told(practice):
    """Killed between files and commit, the software took them meanwhile: the
    text that the first filing left does not keep the second from being told.
    """
    dr = practice.dr
    carry(practice, [report()])
    practice.labo.ok("send", "-t", input=mail_of(
        practice, [report(birth="13/05/1961")]))
    practice.labo.ok("poll")
    crash(dr, "keeper.delivered.before", "poll")
    for path in files(dr):
        path.unlink()
    dr.ok("poll")
    (text,) = told(dr).values()
    assert BEFORE in text and "may have been filed before" in text
    assert flags(inbox(dr)[-1]) == ["other_birth", "possible_duplicate"]


def test_a_name_is_the_same_however_it_is_written(practice):
    carry(practice, [report("NOËL-PÂRIS", "Jean François")])
    carry(practice, hprim.encode(
        [report("Noel Pâris", "JEAN-FRANÇOIS", "12 MAI 1961")], "mac_roman"))
    assert told(practice.dr) == {}
    carry(practice, hprim.encode(
        [report("NOEL PARIS née LŒB", "Jean-François", "1962-05-12")],
        "utf-8", "\n"))
    assert BEFORE in "".join(told(practice.dr).values())


def test_a_birth_date_that_is_not_there(practice):
    carry(practice, [report()])
    for _ in range(2):
        carry(practice, [report(birth="")])
    carry(practice, [report("", "", "12/05/1962")])
    carry(practice, [report("SEUL", "JEAN", "")])
    assert [flags(r) for r in inbox(practice.dr)] == [
        [], ["other_birth"], ["other_birth"], ["remarks"], []]


def test_one_of_several_in_a_mail(practice):
    """The line of that one; the others are not spoken of."""
    people = [report("UN", "A"), report("DEUX", "B"), report("TROIS", "C")]
    carry(practice, people)
    people[1].header[6] = "01/01/1970"
    carry(practice, [report("QUATRE")], people, [report("CINQ")])
    (token, text), = told(practice.dr).items()
    assert text.splitlines()[2:] == [
        f"r1-2-{token}.hpr: line {1 + len(people[0].lines())}: {BEFORE}"]
    row, = inbox(practice.dr, "--flagged")
    assert row["reports"] == 5 and flags(row) == ["other_birth"]


def test_two_of_one_batch_meet(practice):
    """A pass that opens both at once."""
    for birth in ("12/05/1961", "13/05/1961"):
        practice.labo.ok("send", "-t", input=mail_of(
            practice, [report(birth=birth)]))
    practice.labo.ok("poll")
    practice.dr.ok("poll")
    assert [flags(r) for r in inbox(practice.dr)] == [[], ["other_birth"]]
    assert len(told(practice.dr)) == 1


def test_corrected(practice):
    carry(practice, [report(coded=["RES|Sodium|NA|N|139|mmol/l|136|145||C"])])
    assert [flags(r) for r in inbox(practice.dr)] == [["corrected"]]
    assert "corrects one that was sent before" in \
        "".join(told(practice.dr).values())


def test_the_wrong_header_and_a_text_too_large(practice):
    carry(practice, [report(birth="31/02/1961")],
          b"a" * (5 << 20) + b"\r\n")
    row, = inbox(practice.dr)
    assert flags(row) == ["remarks", "not_compared"]


def test_more_reports_than_are_compared(practice):
    """All are filed, the first 1,024 compared, and it is said."""
    carry(practice, [report("ZOLA", "EMILE"), report("HUGO", "VICTOR")])
    many = [report(f"NOM{n}") for n in range(1023)]
    carry(practice, many + [report("ZOLA", "EMILE", "02/04/1940"),
                            report("HUGO", "VICTOR", "26/02/1902")])
    row = inbox(practice.dr)[1]
    assert row["reports"] == 1025
    assert flags(row) == ["other_birth", "not_compared"]
    text, = told(practice.dr).values()
    assert text.count(BEFORE) == 1


def test_nothing_is_compared_when_told_so(practice):
    practice.dr.configure(kind="folder", top={"keep_patients": "0"})
    carry(practice, [report()])
    carry(practice, [report(birth="13/05/1961")])
    assert [flags(r) for r in inbox(practice.dr)] == [[], []]
    with store(practice.dr) as db:
        assert db.execute("SELECT count(*) FROM patient").fetchone() == (0,)


def test_into_a_maildir(demo):
    """There is no folder of remarks; the inbox says it."""
    carry(demo, [report()], [report("DUPRE")])
    carry(demo, [report(birth="13/05/1961")])
    rows = inbox(demo.dr)
    assert [flags(r) for r in rows] == [[], ["other_birth"]]
    assert [r["reports"] for r in rows] == [2, 1]
    assert len(demo.dr.documents()) == 2


def test_a_maildir_takes_a_text_too_large(demo, tmp_path):
    """It is not copied, to be looked at and found too large."""
    text = f"From: {demo.labo.address}\r\nTo: {demo.dr.address}\r\n" \
        "Subject: INR\r\n\r\n" + "INR 2,1\r\n" * 600_000
    demo.labo.ok("send", "-t", input=text.encode())
    demo.labo.ok("poll")
    calls = fault.Calls(tmp_path)
    demo.dr.ok("poll", **calls.env())
    assert len(demo.dr.shown()[0]) > len(text)
    assert [flags(r) for r in inbox(demo.dr)] == [["not_compared"]]
    assert calls.total("write", "clerk") < 150


def test_a_maildir_takes_what_cannot_be_taken_apart(demo):
    """Deeper than any document is looked for: whole, and not compared."""
    m = email.message.EmailMessage(policy=email.policy.SMTP)
    m["From"], m["To"] = demo.labo.address, demo.dr.address
    m["Subject"] = "Résultats"
    m["Content-Type"] = "multipart/mixed; boundary=b0"
    text = m.as_bytes().partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    for n in range(1, 12):
        text += b"--b%d\r\nContent-Type: multipart/mixed; boundary=b%d" \
            b"\r\n\r\n" % (n - 1, n)
    demo.labo.ok("send", "-t", input=text + b"--b11\r\n\r\nINR 2,1\r\n")
    demo.labo.ok("poll")
    demo.dr.ok("poll")
    assert b"INR 2,1" in demo.dr.shown()[0]
    assert [flags(r) for r in inbox(demo.dr)] == [["not_compared"]]


def test_a_group_practice(practice):
    """Said where the report lies, and nowhere else."""
    dr = practice.dr
    martin, levy = dr.folder / "martin", dr.folder / "levy"
    text = 'deliver "%s" {\n kind = folder\n path = "%s"\n to = "%s"\n' \
        ' file_per = patient\n}\n'
    dr.configure(kind="folder", deliver={"otherwise": True}, sections=text % (
        "martin", martin, "CAB000001") + text % ("levy", levy, "CAB000002"))

    def both(birth):
        a, b = report("UN", "A"), report("DEUX", "B", birth)
        a.header[11], b.header[11] = "CAB000001  DR M", "CAB000002  DR L"
        return [a, b]
    carry(practice, both("01/01/1970"))
    carry(practice, both("02/01/1970"))
    assert list((martin / "sceau").iterdir()) == []
    one, = (levy / "sceau").iterdir()
    assert BEFORE in one.read_text()
    rows = inbox(dr)
    assert [r["places"] for r in rows] == ["martin levy"] * 2
    assert flags(rows[1]) == ["other_birth"]
    # Line 12 names nobody for whom there is a folder.
    c = report("TROIS", "C")
    c.header[11] = "CAB000009  DR AILLEURS"
    carry(practice, [c])
    row = inbox(dr)[2]
    assert flags(row) == ["recipient"] and row["places"] == "inbox"


# ---- once, and the same each time -------------------------------------------

def test_filed_once_more_is_no_other_patient(practice):
    dr = practice.dr
    carry(practice, [report()])
    carry(practice, [report(birth="13/05/1961")])
    for p in (dr.inbox / "sceau").iterdir():
        p.unlink()
    dr.ok("refile", "--days", "2")
    dr.ok("poll")
    rows = inbox(dr)
    assert [flags(r) for r in rows] == [
        [], ["other_birth"], ["filed_again"], ["other_birth", "filed_again"]]
    assert [r["token"][20:] for r in rows] == ["", "", "-2", "-2"]
    # What was said of the report when it came is said again.
    assert sorted(BEFORE in t for t in told(dr).values()) == [False, True]


def test_the_same_mail_twice_is_one(practice):
    """A copy of the very envelope warns of nothing, and makes no row."""
    practice.labo.ok("send", "-t", input=mail_of(practice, [report()]))
    practice.labo.ok("poll")
    mail, = practice.dr.mail()
    practice.dr.ok("poll")
    practice.post(practice.dr, bytes(mail))
    practice.dr.ok("poll")
    assert [flags(r) for r in inbox(practice.dr)] == [[]]


@pytest.mark.parametrize("at", [150, 900])
def test_what_is_not_authentic_makes_no_row(practice, at):
    """Forged or damaged: neither filed, nor anybody's name remembered."""
    practice.labo.ok("send", "-t", input=mail_of(practice, [report()]))
    practice.labo.ok("poll")
    mail, = practice.dr.mail()
    practice.empty(practice.dr)
    practice.post(practice.dr, spoiled(mail, at))
    assert practice.dr.sceau("poll").code == 65
    assert inbox(practice.dr) == [] and files(practice.dr) == []
    with store(practice.dr) as db:
        assert db.execute("SELECT count(*) FROM patient").fetchone() == (0,)


@pytest.mark.parametrize("point", [
    "keeper.intent.before", "store.in.intent.before",
    "store.in.intent.after", "keeper.intent.after", "clerk.sync.before",
    "clerk.sync.after", "drop.name.before", "drop.name.after",
    "drop.name.before#2", "drop.name.after#2", "keeper.delivered.before",
    "store.in.delivered.before", "store.in.delivered.after"])
def test_a_death_changes_no_answer(practice, point):
    """Neither lost, nor doubled, nor said of the wrong one."""
    dr = practice.dr
    carry(practice, [report("UN"), report("DEUX")])
    practice.labo.ok("send", "-t", input=mail_of(practice, [
        report("TROIS"), report("DEUX", birth="01/01/1970")]))
    practice.labo.ok("poll")
    got = crash(dr, point, "poll")
    assert got.code in CRASHED, got.text()
    time.sleep(1.1)
    practice.wait_until(lambda: dr.sceau("poll").code == 0, 30, "a quiet pass")
    rows = inbox(dr)
    assert len(rows) == 2 and rows[1]["other_birth"], rows
    text = "".join(told(dr).values())
    assert text.count(BEFORE) == 1
    assert f": line {1 + len(report('TROIS').lines())}: {BEFORE}" in text
    carry(practice, [report("TROIS"), report("DEUX")])
    assert flags(inbox(dr)[2]) == []


# ---- what the store knows ---------------------------------------------------

def test_no_name_in_the_store_or_the_log(practice):
    """Nor what the keeper could say: it has seen digests alone."""
    name = "INDICIBLE-PATRONYME"
    first, second = (report(name, "CAMILLE", birth)
                     for birth in ("12/05/1961", "13/05/1961"))
    for p in (first, second):
        carry(practice, [p], env={})
    said = practice.dr.ok("poll", "--debug").text() + \
        practice.dr.ok("log").text() + practice.dr.ok("inbox").text()
    assert inbox(practice.dr, "--flagged")
    for marker in (name, "INDICIBLEPATR", "INDICIBLE-PA"):
        marker = marker.encode()
        assert not traces.in_folders(marker, practice.dr.state)
        assert not traces.in_bytes(marker, said.encode())
    with store(practice.dr) as db:
        rows = db.execute("SELECT name, birth FROM patient").fetchall()
    assert len(rows) == 2 and rows[0][0] == rows[1][0]
    assert {len(b) for row in rows for b in row} == {16}
    assert len({b for row in rows for b in row}) == 3


def test_digests_are_of_one_store(practice):
    """The same patient at two practices: nothing to compare."""
    mail = mail_of(practice, [report()]).replace(
        practice.dr.address.encode(), f"{practice.dr.address}, "
        f"{practice.durand.address}".encode(), 1)
    practice.labo.ok("send", "-t", input=mail)
    practice.labo.ok("poll")
    found = []
    for member in (practice.dr, practice.durand):
        member.ok("poll")
        with store(member) as db:
            found += db.execute("SELECT name, birth FROM patient").fetchall()
    assert len(found) == 2 and len({b for row in found for b in row}) == 4


def test_forgotten_when_nobody_comes(practice):
    dr = practice.dr
    dr.configure(kind="folder", top={"keep_patients": "10 days"})
    now = time.time()
    carry(practice, [report()])
    with store(dr) as db:
        db.execute("UPDATE patient SET last_at = ?", (int(now - 11 * DAY),))
        db.execute("UPDATE inbox SET at = ?", (int(now - 367 * DAY),))
    dr.ok("poll")
    with store(dr) as db:
        assert db.execute("SELECT count(*) FROM patient").fetchone() == (0,)
        assert db.execute("SELECT count(*) FROM inbox").fetchone() == (0,)
    carry(practice, [report(birth="13/05/1961")])
    assert [flags(r) for r in inbox(dr)] == [[]]


def test_a_mended_store_still_knows(practice):
    dr = practice.dr
    carry(practice, [report()])
    with open(dr.state / "sceau.db", "r+b") as f:
        f.seek(28)
        pages = int.from_bytes(f.read(4), "big")
    with store(dr) as db:
        size = db.execute("PRAGMA page_size").fetchone()[0]
        root = db.execute("SELECT rootpage FROM sqlite_schema "
                          "WHERE name = 'event'").fetchone()[0]
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert root <= pages
    with open(dr.state / "sceau.db", "r+b") as f:
        f.seek((root - 1) * size)
        f.write(b"\xff" * 100)
    dr.ok("restored")
    assert len(inbox(dr)) == 1
    carry(practice, [report(birth="13/05/1961")])
    assert inbox(dr)[1]["other_birth"]


# ---- the command ------------------------------------------------------------

def test_words(practice):
    dr = practice.dr
    got = dr.ok("inbox")
    assert got.stdout == b"nothing was filed in these days\n"
    assert b"nothing to be looked at" in dr.ok("inbox", "--flagged").stdout
    assert inbox(dr) == []
    carry(practice, [report()])
    carry(practice, [report(birth="", coded=[
        "RES|Sodium|NA|N|139|mmol/l|136|145||C"])])
    assert b"another date of birth, corrected result\n" in \
        dr.ok("inbox").stdout
    text = plain(dr.ok("inbox", "--lang", "fr", "--flagged").stdout.decode())
    head, row = text.splitlines()
    assert head.split("  ")[0] == "déposé" and "à regarder" in head
    assert row.endswith("autre date de naissance, résultat corrigé")
    assert f" {practice.labo.address} " in row
    later = clock(time.time() + 8 * DAY)
    assert inbox(dr, **later) == []
    assert len(inbox(dr, "--days", "9", **later)) == 2
    for words, code in [(("--days", "x"), 78), (("word",), 64),
                        (("--no",), 64)]:
        assert dr.sceau("inbox", *words).code == code
