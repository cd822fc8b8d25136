"""Whose reports went out: keyed digests in the register, found again by the
name that somebody types, and by nobody without the key store."""

import re
import sqlite3

import pytest

from world import hprim
from world.outbox import PDF, Box, report

WHO = re.compile(r"patient:[0-9a-f]{32}")


def someone(family, given, birth):
    p = hprim.Patient()
    p.header[1], p.header[2], p.header[6] = family, given, birth
    return p


ANNE = someone("LE GOFF", "Jean-François", "12/05/1961")
HUGO = someone("O'BRIEN née MARTIN", "ZOË", "01/02/1980")
NAMES = (b"GOFF", b"Jean-Fran", b"JEANFRAN", b"BRIEN", "ZOË".encode(),
         b"1961-05-12", b"12/05/1961", b"1980-02-01")


@pytest.fixture
def box(demo):
    return Box(demo)


def on(box, word="yes", **more):
    """Like Box.want(), with the setting."""
    lines = "\n".join(f'    {k} = "{v}"' for k, v in (
        {"ready": "rename", "to": box.dr.address} | more).items())
    box.labo.configure(
        top={"language": "en", "register_patients": word},
        sections=f'outbox "lis" {{\n    path = "{box.path}"\n{lines}\n}}')


def rows(box, *more):
    return box.labo.ok("register", "list", *more, "--json").json()


def patients(box):
    """All of their entries, [(t, who)]."""
    return [(r["t"], r["who"]) for r in rows(box) if r["event"] == "patient"]


def found(box, name):
    """The messages in which that patient is."""
    return {r["t"] for r in rows(box, "--patient", name)}


def verify(box, code=0):
    got = box.labo.sceau("register", "verify", "--json")
    assert got.code == code, got.text()
    return got.json()[0]


@pytest.fixture
def two(box):
    """Two patients in two messages, both with the practice."""
    on(box)
    box.drop("a.hpr", hprim.encode([ANNE]))
    box.poll()
    box.drop("b.hpr", hprim.encode([HUGO, HUGO], "cp850"))
    box.poll()
    box.dr.ok("poll")
    box.poll()
    return box


def test_two_in_two_messages(two):
    (t1, who1), (t2, who2) = patients(two)
    assert t1 != t2 and who1 != who2
    assert WHO.fullmatch(who1) and WHO.fullmatch(who2)
    row, = [r for r in rows(two) if r["who"] == who1]
    queued, = [r for r in rows(two) if r["t"] == t1
               and r["event"] == "queued"]
    assert row["way"] == "out"
    for what in ("digest", "at"):
        assert row[what] == queued[what]
    assert verify(two)["broken"] == 0


@pytest.mark.parametrize("name", [
    "LE GOFF Jean-François 1961-05-12", "Le Goff Jean François 12/05/1961",
    "legoff JEAN-FRANCOIS 1961-05-12", "  Legoff  jeanfrançois 12/05/1961 "])
def test_found_in_another_spelling(two, name):
    (t1, _), (t2, _) = patients(two)
    assert found(two, name) == {t1}
    assert found(two, "O Brien Zoé 1980-02-01") == {t2}
    assert found(two, "O’BRIEN zoe 1/2/1980") == {t2}


def test_what_became_of_it_and_nobody_else(two):
    (t1, who1), _ = patients(two)
    got = rows(two, "--patient", "Le Goff Jean François 12/05/1961")
    assert [r["event"] for r in got] == ["queued", "patient", "sent",
                                         "received"]
    assert {r["t"] for r in got} == {t1}
    text = two.labo.ok("register", "list", "--patient",
                       "Le Goff Jean François 12/05/1961").text()
    assert "a report of this patient is in it" in text and who1 in text


def test_everything_of_a_patient_not_the_last_days(two):
    """The list of all shows a week; of a patient, what there is."""
    db = sqlite3.connect(two.labo.state / "sceau.db")
    db.execute("DROP TRIGGER register_fixed")
    with db:
        db.execute("UPDATE register SET at = at - 400 * 86400")
    db.close()
    name = "Le Goff Jean François 12/05/1961"
    assert rows(two) == [] != rows(two, "--patient", name)
    assert rows(two, "--patient", name, "--days", "30") == []


@pytest.mark.parametrize("name", [
    "LE GOFF Jean-François 1961-05-13", "LE GOFF Jean-François",
    "GOFF Jean-François 1961-05-12", "LE GOFF Jean 1961-05-12",
    "Jean-François 1961-05-12", "MARTIN ZOE 1980-02-01"])
def test_another_one_is_not_found(two, name):
    assert found(two, name) == set()
    assert "nothing of that patient" in two.labo.ok(
        "register", "list", "--patient", name).text()


@pytest.mark.parametrize("name", [
    "", "  ", "1961-05-12", "LE GOFF Anne 12/05/61", "LE GOFF Anne 1961",
    "LE GOFF Anne 31/02/1961", "x " * 40])
def test_what_is_no_name_or_no_date(two, name):
    assert two.labo.sceau("register", "list", "--patient", name).code == 78


def test_without_a_birth_date_by_the_name_alone(box):
    on(box)
    box.drop("a.hpr", hprim.encode([someone("DURAND", "Léa", "")]))
    box.poll()
    (t, _), = patients(box)
    assert found(box, "Durand LEA") == {t}
    assert found(box, "Durand Léa 1961-05-12") == set()


def test_one_message_with_several_and_attachments(box):
    """All reports of a group count, each patient once; what is shown of a
    message is not who else is in it."""
    on(box)
    box.drop("r.pdf", PDF)
    box.drop("r.hpm", hprim.encode([HUGO]))
    box.drop("r.hpr", hprim.encode([ANNE, ANNE, HUGO]))
    box.poll()
    box.poll()
    got = patients(box)
    assert len(got) == len(set(got))
    for name in ("Le Goff Jean-François 1961-05-12",
                 "O'Brien Zoë 1980-02-01"):
        t, = found(box, name)
        assert len({r["who"] for r in rows(box, "--patient", name)
                    if r["event"] == "patient"}) == 1
    text = box.labo.ok("register", "prove", t).text()
    assert "2 entries say, by keyed digests, whose reports are in it" in text


def test_split_puts_each_with_his_own_message(box):
    on(box, split="yes")
    box.drop("day.hpr", hprim.encode([ANNE, HUGO]))
    box.poll()
    assert len(patients(box)) == 2
    a, = found(box, "Le Goff Jean-François 1961-05-12")
    b, = found(box, "O'Brien Zoë 1980-02-01")
    assert a != b


def test_behind_the_gateway_too(box):
    on(box, to=box.demo.petit.address)
    box.drop("a.hpr", hprim.encode([ANNE]))
    box.poll()
    t, = found(box, "Le Goff Jean-François 1961-05-12")
    queued = [r for r in rows(box) if r["event"] == "queued"]
    assert {r["t"] for r in queued} == {t}
    assert len(patients(box)) == 1


def test_off_unless_asked_for(box):
    for word in (None, "no"):
        if word is not None:
            on(box, word)
        box.drop("a.hpr", hprim.encode([ANNE]) + b" " * (word is None))
        box.poll()
    assert [r["event"] for r in rows(box)].count("queued") == 2
    assert patients(box) == []
    assert found(box, "Le Goff Jean-François 1961-05-12") == set()


def test_what_is_no_report_and_what_send_sends_has_none(box):
    on(box)
    box.drop("a.pdf", PDF)
    box.drop("b.txt", b"LE GOFF Jean, bonjour")
    box.poll()
    box.demo.send(report().decode("latin-1"), box.dr)
    assert patients(box) == []


def test_nothing_in_clear(two):
    for p in two.labo.state.rglob("*"):
        if p.is_file():
            data = p.read_bytes()
            assert not [n for n in NAMES if n in data], p
    for what in (("log",), ("register", "list"), ("status",)):
        text = two.labo.ok(*what).stdout
        assert not [n for n in NAMES if n in text], what


def test_another_key_store_makes_other_digests(two):
    """The same names at another member: nothing in common."""
    ours = {who for _, who in patients(two)}
    for name in ("LE GOFF Jean-François 1961-05-12",):
        db = sqlite3.connect(two.dr.state / "sceau.db")
        with db:
            db.executemany(
                "INSERT INTO register (at, way, event, t, d, who) VALUES "
                "(1, 'out', 'patient', zeroblob(32), zeroblob(32), ?)",
                [(who.encode(),) for who in ours])
        db.close()
        assert two.dr.ok("register", "list", "--patient", name,
                         "--json").json() == []


@pytest.mark.parametrize("change", ["DELETE FROM register WHERE id = 2",
                                    "UPDATE register SET who = "
                                    "CAST('patient:00' AS BLOB) "
                                    "WHERE id = 2"])
def test_an_entry_that_is_taken_out_or_changed_is_found(two, change):
    assert [r["event"] for r in rows(two) if r["id"] == 2] == ["patient"]
    assert verify(two)["broken"] == 0
    db = sqlite3.connect(two.labo.state / "sceau.db")
    for name in ("register_kept", "register_fixed"):
        db.execute(f"DROP TRIGGER {name}")
    with db:
        db.execute(change)
    db.close()
    assert verify(two, 65)["broken"] in (2, 3)


def test_a_refused_file_leaves_none(box):
    on(box)
    bad = someone("LE GOFF", "Jean-François", "12/05/2961")
    box.drop("a.hpr", hprim.encode([ANNE, bad]))
    box.poll(65)
    assert "a.hpr" in box.refusals()
    assert rows(box) == []


@pytest.mark.parametrize("point", ["outbox.queue.before",
                                   "outbox.queue.after",
                                   "store.out.submit.before",
                                   "store.out.submit.after",
                                   "outbox.pulled"])
def test_a_crash_and_a_retry_never_double(box, point):
    on(box)
    box.drop("a.hpr", hprim.encode([ANNE]))
    box.labo.sceau("poll", SCEAU_FAULT=f"{point}:kill")
    for _ in range(3):
        box.poll()
    (t, _), = patients(box)
    assert [r["event"] for r in rows(box)].count("queued") == 1
    box.labo.sceau("queue", "retry", t[:20])
    box.poll()
    assert len(patients(box)) == 1
    assert verify(box)["broken"] == 0
