"""The laboratory's outbox: what its system drops is sealed and sent, once,
or refused with the reason beside it."""

import email
import email.policy
import os
import pathlib
import time

import pytest

from world import hprim
from world.outbox import PDF, Box, in_memory, report


@pytest.fixture
def box(demo):
    return Box(demo)


def test_a_report_goes_and_arrives_byte_for_byte(box):
    data = report()
    box.drop("r.hpr", data)
    got = box.poll()
    assert b"outbox" not in got.stderr      # cron would mail it
    assert "outbox.queued" in box.labo.ok("log").text()
    assert box.left() == []
    assert box.arrived() == [("r.hpr", data)]
    assert box.refusals() == {}
    box.poll()
    assert box.arrived() == [("r.hpr", data)]


# ---- when a file is whole ------------------------------------------------

def test_a_temporary_name_is_left_alone(box):
    for name in ("r.hpr.tmp", "r.hpr.part", ".r.hpr", "r.hpr~"):
        (box.path / name).write_bytes(report())
    box.poll()
    assert len(box.left()) == 4
    (box.path / "r.hpr.tmp").rename(box.path / "s.hpr")
    box.poll()
    assert [n for n, _ in box.arrived()] == ["s.hpr"]


def test_what_another_sceau_files_there_is_left_alone(box):
    """A folder of one member's deliveries may be the outbox of another."""
    (box.path / ".sceau-aB3dE9").write_bytes(report()[:300])
    box.poll()
    assert box.left() == [".sceau-aB3dE9"] and box.arrived() == []


def test_quiet_waits_until_nobody_writes(box):
    box.want(to=box.dr.address, quiet="3 s")
    data = report()
    with open(box.path / "r.hpr", "wb", buffering=0) as f:
        f.write(data[:300])
        box.poll()
        assert box.left() == ["r.hpr"]
        f.write(data[300:])
    ended = time.time()
    os.utime(box.path / "r.hpr", (1, 1))        # as cp -p does
    box.poll()
    assert box.left() == ["r.hpr"]
    box.demo.wait_until(lambda: time.time() > ended + 4, what="quiet")
    box.poll()
    assert box.arrived() == [("r.hpr", data)]


def test_ok_vouches_for_what_is_not_younger(box):
    box.want(to=box.dr.address, ready="ok")
    data = report()
    for name in ("a.hpr", "a.pdf", "b.hpr", "c.hpr"):
        (box.path / name).write_bytes(data)
    (box.path / "c.ok").touch()
    os.utime(box.path / "c.ok", (1, 1))
    box.poll()
    assert len(box.left()) == 5
    (box.path / "a.ok").touch()
    (box.path / "b.hpr.OK").touch()
    box.poll()
    assert box.left() == ["c.hpr", "c.ok"]
    (box.path / "c.ok").touch()
    box.poll()
    assert box.left() == []
    assert [n for n, _ in box.arrived()] == ["a.hpr", "a.pdf", "b.hpr",
                                             "c.hpr"]


def test_a_group_waits_for_the_one_that_is_written(box):
    (box.path / "r.pdf.tmp").write_bytes(PDF)
    box.drop("r.hpr", report())
    box.poll()
    assert box.left() == ["r.hpr", "r.pdf.tmp"]
    (box.path / "r.pdf.tmp").rename(box.path / "r.pdf")
    box.poll()
    assert box.labo.states() == {box.dr.name: "sent"}
    assert box.arrived() == [("r.hpr", report()), ("r.pdf", PDF)]


# ---- for whom ------------------------------------------------------------

ALIASES = """\
# nos correspondants
CAB000001 = dr.martin@cabinet.example
Cabinet Médical des Lilas = demo/cabinet.durand@durand.example
DURAND = cabinet.durand@durand.example
"""


def line12(text):
    return report(line_12=text)


@pytest.mark.parametrize("text", [
    "CAB000001  QUELQU'UN", "cab000001", ".          Dr MARTIN",
    ".          Dr. Martin", "LABO99999  dr.martin@cabinet.example",
    "CAB000001  Dr Martin <dr.martin@cabinet.example>", "DR MARTIN"])
def test_line_12_by_code_name_or_address(box, text):
    (box.labo.folder / "aliases").write_text(ALIASES)
    box.want(route="hprim", ready="rename",
             aliases=box.labo.folder / "aliases")
    box.drop("r.hpr", line12(text))
    box.poll()
    assert box.labo.states() == {box.dr.name: "sent"}, box.refusals()


def test_line_12_by_the_name_of_the_table(box):
    (box.labo.folder / "aliases").write_bytes(ALIASES.encode("latin-1"))
    box.want(route="hprim", ready="rename",
             aliases=box.labo.folder / "aliases")
    box.drop("r.hpr", line12("X000000000 CABINET MEDICAL DES LILAS"))
    box.poll()
    assert box.labo.states() == {box.demo.durand.name: "sent"}


def test_a_folder_for_each_recipient(box):
    (box.labo.folder / "aliases").write_text(ALIASES)
    box.want(ready="rename", aliases=box.labo.folder / "aliases")
    box.drop("a.hpr", report(), "dr.martin@cabinet.example")
    box.drop("b.pdf", PDF, "DURAND")
    box.drop("c.txt", b"Bonjour", "Mme Petit, infirmière")
    (box.path / "DURAND" / "below").mkdir()
    (box.path / "DURAND" / "below" / "d.hpr").write_bytes(report())
    box.drop("e.hpr", report())
    box.poll(65)
    assert box.labo.states() == {m.name: "sent" for m in (
        box.dr, box.demo.durand, box.demo.petit)}
    assert box.left() == ["DURAND/below/d.hpr"]
    assert b"it lies in no recipient's folder" in \
        box.refusals()["e.hpr.txt"]


def test_split_gives_each_patient_a_message(box):
    people = [hprim.Patient() for _ in range(3)]
    for n, p in enumerate(people):
        p.header[0] = f"P{n}"
        p.header[11] = "X000000000 Dr Martin"
    people[1].header[11] = "X000000000 Cabinet Durand"
    box.want(route="hprim", ready="rename", split="yes")
    box.drop("day.hpr", hprim.encode(people, "cp850"))
    box.poll()
    rows = [r for r in box.labo.ok("status", "--json").json()
            if r["type"] == "sent"]
    assert sorted(r["to"].split("#")[0] for r in rows) == sorted(
        [box.dr.name, box.dr.name, box.demo.durand.name])
    assert box.arrived() == [
        ("day.hpr", hprim.encode([p], "cp850")) for p in people[::2]]
    box.demo.durand.configure(kind="folder")
    assert box.arrived(box.demo.durand) == [
        ("day.hpr", hprim.encode([people[1]], "cp850"))]


def test_more_recipients_than_one_frame_holds(box):
    """The file is refused, and those beside it go."""
    people = [hprim.Patient() for _ in range(4096)]
    for n, p in enumerate(people):
        p.header[0] = f"P{n}"
        p.header[11] = "X000000000 " + "N" * 230
    box.want(route="hprim", ready="rename", split="yes")
    box.drop("long.hpr", hprim.encode(people))
    box.drop("one.hpr", report())
    box.poll(65)
    assert box.labo.states() == {box.dr.name: "sent"}
    assert b"make several files of it" in box.refusals()["long.hpr.txt"]
    assert [n for n, _ in box.arrived()] == ["one.hpr"]


# ---- what is passed whole ------------------------------------------------

def test_attachments_and_other_formats_byte_for_byte(box):
    files = {"r.hpr": report(), "r.pdf": PDF, "IHE_XDM.ZIP": b"PK\3\4" + PDF,
             "r-1.hl7": b"MSH|^~\\&|LABO||CAB||2026||ORU^R01|1|P|2.5\r",
             "s.hpr": b"H|~^\\&|1||LABO|ORU||||||P|H2.2|2026\rP|1\rL|1\r",
             "t.xml": "<?xml version='1.0'?><é/>".encode(),
             "u.hpr": hprim.encode([hprim.Patient()], "utf-16-le")}
    files["u.hpr"] = b"\xff\xfe" + files["u.hpr"]
    for name, data in files.items():
        box.drop(name, data)
    box.poll()
    box.demo.wait_until(lambda: box.left() == [], what="all taken")
    got = box.arrived()
    assert {d for _, d in got} == set(files.values())
    assert len(got) == len(files)


def test_names_of_any_kind(box):
    names = ["a b.pdf", "é.pdf", "x\ny.pdf", "-rf.pdf", "'\";$(x).pdf",
             "%s%n.pdf", "n" * 251 + ".pdf"]
    for name in names:
        (box.path / name).write_bytes(PDF + name.encode())
    (box.path / os.fsdecode(b"\xe9.pdf")).write_bytes(PDF)
    box.poll()
    assert box.left() == []
    got = box.arrived()
    assert {d for _, d in got} == {PDF, *(PDF + n.encode() for n in names)}


# ---- what is refused -----------------------------------------------------

def test_refused_in_english(box):
    box.drop("r.hpr", report(line_7="31/02/1961"))
    box.drop("good.hpr", report())
    got = box.poll(65)
    assert b"event=outbox.refused" in got.stderr
    assert b"line=7 code=birth.bad" in got.stderr
    assert box.left() == []
    assert [n for n, _ in box.arrived()] == ["good.hpr"]
    kept = box.refusals()
    assert kept["r.hpr"] == report(line_7="31/02/1961")
    assert kept["r.hpr.txt"].decode() == f"""\
This file was not sent: r.hpr

line 7: the date of birth is no date: write dd/mm/yyyy

Nothing of it has left. Correct it and drop it again into {box.path}
"""
    box.poll()


def test_refused_in_french(box):
    box.want(language="fr", route="hprim", ready="rename")
    box.drop("r.hpr", report(line_12="X000000000 Dr Inconnu"))
    box.drop("s.pdf", PDF)
    box.poll(65)
    kept = {n: d.decode().replace("\u00a0", " ")
            for n, d in box.refusals().items() if n.endswith(".txt")}
    assert kept["r.hpr.txt"] == f"""\
Ce fichier n’a pas été envoyé : r.hpr

ligne 12 : aucun membre ne s’appelle « Dr Inconnu » dans l’annuaire

Rien n’en est parti. Corrigez-le et remettez-le dans {box.path}
"""
    assert kept["s.pdf.txt"] == f"""\
Ce fichier n’a pas été envoyé : s.pdf

aucun compte rendu HPRIM de ce nom ne dit pour qui il est ; donnez-lui le \
nom de son compte rendu, à la fin près

Rien n’en est parti. Corrigez-le et remettez-le dans {box.path}
"""


def two(first, second):
    people = [hprim.Patient(), hprim.Patient()]
    people[0].header[11], people[1].header[11] = first, second
    return hprim.encode(people)


REFUSED = {
    "nobody": ("r.hpr", report(line_12=""), "line 12: it says nobody"),
    "several": ("r.hpr", line12("CAB000001  DURAND"),
                "line 12: code, name and address"),
    "unknown": ("r.hpr", line12("X000000000 nobody@cabinet.example"),
                "line 12: no member has the address"),
    "two": ("r.hpr", two("CAB000001  X", "X000000000 Cabinet Durand"),
            "line 36: it is for another recipient than the first"),
    "text": ("r.hpr", b"nothing of that kind", "this is no HPRIM"),
    "empty": ("r.hpr", b"", "the file is empty"),
    "large": ("r.pdf", b"%PDF" + bytes(3 << 20), "larger than max_send"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_and_why(box, case):
    name, data, said = REFUSED[case]
    (box.labo.folder / "aliases").write_text(ALIASES)
    box.want(route="hprim", ready="rename",
             aliases=box.labo.folder / "aliases")
    box.labo.conf.write_text("max_send = \"2 MB\"\n" +
                             box.labo.conf.read_text())
    box.drop(name, data)
    box.poll(65)
    assert said in box.refusals()[f"{name}.txt"].decode()
    assert box.refusals()[name] == data
    box.poll()


def test_a_group_is_refused_as_one(box):
    box.drop("r.pdf", PDF)
    box.drop("r.hpr", report(line_7="never"))
    box.poll(65)
    kept = box.refusals()
    assert sorted(kept) == ["r.hpr", "r.hpr.txt", "r.pdf"]
    assert b"These files were not sent: r.hpr, r.pdf\n" in kept["r.hpr.txt"]
    assert b"\nr.hpr, line 7: " in kept["r.hpr.txt"]


def test_what_is_no_file_is_never_followed(box):
    secret = box.labo.folder / "secret"
    secret.write_bytes(PDF)
    (box.path / "link.pdf").symlink_to(secret)
    os.mkfifo(box.path / "pipe.pdf")
    (box.path / "dir.pdf").mkdir()
    (box.path / "dir.pdf" / "x.pdf").write_bytes(PDF)
    box.poll(65)
    assert sorted(p.name for p in box.refused.iterdir()) == [
        "link.pdf", "link.pdf.txt", "pipe.pdf", "pipe.pdf.txt"]
    assert os.readlink(box.refused / "link.pdf") == str(secret)
    assert box.left() == ["dir.pdf/x.pdf"]
    assert box.labo.states() == {}


def test_refused_again_keeps_both(box):
    for data in (report(line_7="never"), report(line_7="soon")):
        box.drop("r.hpr", data)
        box.poll(65)
    kept = box.refusals()
    assert len(kept) == 4
    assert {d for n, d in kept.items() if n.endswith(".hpr")} == {
        report(line_7="never"), report(line_7="soon")}


def test_oddities_go_and_are_told_or_are_refused(box):
    odd = report(line_2="Durand")
    box.drop("r.hpr", odd)
    got = box.poll()
    assert b"event=outbox.odd" in got.stderr
    assert b"line=2 code=name.case" in got.stderr
    box.want(to=box.dr.address, ready="rename", oddities="refuse")
    box.drop("s.hpr", odd)
    box.poll(65)
    assert b"line 2: " in box.refusals()["s.hpr.txt"]


# ---- after, and trouble --------------------------------------------------

def test_after_move(box):
    box.want(ready="rename", after="move")
    for data in (report(), report(line_9="2")):
        box.drop("r.hpr", data, "dr.martin@cabinet.example")
        box.poll()
    sent = box.path / "sent" / "dr.martin@cabinet.example"
    assert {p.read_bytes() for p in sent.iterdir()} == {
        report(), report(line_9="2")}
    box.poll()
    assert len(box.arrived()) == 2


def test_trouble_of_ours_leaves_the_file(box):
    box.labo.configure(
        top={"keystore": str(box.labo.folder / "none")},
        sections=f'outbox "lis" {{ path = "{box.path}"\n'
                 f'to = "{box.dr.address}"\nready = rename }}')
    box.drop("r.hpr", report())
    box.poll(78)
    assert box.left() == ["r.hpr"]
    box.want(to=box.dr.address, ready="rename")
    box.poll()
    assert len(box.arrived()) == 1


def test_a_folder_that_is_not_there_stops_no_other(box):
    more = box.labo.folder / "more"
    box.labo.configure(sections="".join(
        f'outbox "{n}" {{ path = "{p}"\nto = "{box.dr.address}"\n'
        'ready = rename }\n'
        for n, p in (("gone", more), ("lis", box.path))))
    box.drop("r.hpr", report())
    got = box.poll(78)
    assert b"event=outbox.trouble" in got.stderr
    assert len(box.arrived()) == 1 and not more.exists()


def test_dry_run_says_and_does_nothing(box):
    box.poll()
    box.drop("r.hpr", report())
    box.drop("s.hpr", report(line_7="never"))
    got = box.labo.sceau("poll", "--dry-run")
    assert got.code == 65
    assert b"event=outbox.would_send" in got.stderr
    assert f"to={box.dr.name}".encode() in got.stderr
    assert b"event=outbox.would_refuse" in got.stderr
    assert box.left() == ["r.hpr", "s.hpr"] and box.refusals() == {}
    assert box.labo.states() == {}


def test_status_and_check_count(box):
    box.drop("bad.hpr", report(line_7="never"))
    box.poll(65)
    row = next(r for r in box.labo.ok("status", "--json").json()
               if r["type"] == "outbox")
    assert (row["name"], row["waiting"], row["refused"]) == ("lis", 0, 1)
    (box.path / "wait.hpr.tmp").write_bytes(report())
    text = box.labo.ok("status").text()
    assert "files refused" in text and str(box.refused) in text

    def checked():
        got = box.labo.sceau("check", "--json")
        return got.code, next(r for r in got.json()
                              if r["what"] == "outbox lis")
    code, row = checked()
    assert code == 0 and row["result"] == "look"
    assert row["detail"] == "files waiting: 1, refused: 1"
    box.want(aliases=box.labo.folder / "aliases")
    (box.labo.folder / "aliases").write_text("one\n")
    code, row = checked()
    assert code == 78 and "aliases: line 1: write code or name" in \
        row["detail"]


def test_a_wrong_table_of_aliases_stops_its_outbox_alone(box):
    (box.labo.folder / "aliases").write_text("A = x@y.example\na = z@y\n")
    more = box.labo.folder / "more"
    more.mkdir()
    box.labo.configure(sections=f"""
outbox "lis" {{ path = "{box.path}"
    ready = rename
    aliases = "{box.labo.folder}/aliases" }}
outbox "more" {{ path = "{more}"
    ready = rename
    to = "{box.dr.address}" }}""")
    box.drop("r.hpr", report(), box.dr.address)
    (more / "s.hpr").write_bytes(report())
    got = box.poll(78)
    assert b"lines 1 and 2: the same name" in got.stderr
    assert box.left() == [f"{box.dr.address}/r.hpr"]
    assert box.labo.states() == {box.dr.name: "sent"}


def test_no_key_yet_leaves_the_file(box):
    """A newcomer of whom only his address is known."""
    box.want(to="demo/nouveau@cabinet.example", ready="rename")
    conf = box.labo.conf.read_text()
    box.drop("r.hpr", report())
    box.poll()              # through the gateway
    box.labo.fresh()
    box.labo.conf.write_text(conf.replace("labo.central.store",
                                          "passerelle.store"))
    (box.path / "r.hpr").write_bytes(report())
    got = box.poll(75)
    assert b"event=outbox.left" in got.stderr
    assert b"no key for demo/nouveau" in got.stderr
    assert box.left() == ["r.hpr"] and box.refusals() == {}


def test_no_name_of_a_patient_in_log_or_store(box):
    box.drop("DURAND-CAMILLE.hpr", report())
    box.drop("DUPONT-JEANNE.hpr", report(line_7="never"))
    box.drop("DUVAL-PAULINE.pdf", PDF)
    got = box.poll(65)
    for name in (b"DURAND-CAMILLE", b"DUPONT-JEANNE", b"DUVAL-PAULINE"):
        assert name not in got.stderr + got.stdout
        assert box.demo.leaks(name, box.labo.state) == []


def test_ten_thousand_that_wait_are_cheap(box):
    """In memory, where making them takes no time."""
    with in_memory() as folder:
        box.path = pathlib.Path(folder)
        box.want(to=box.dr.address, quiet="1 h")
        for n in range(10000):
            (box.path / f"{n}.hpr").touch()
        got = box.labo.ok("poll")
        assert got.seconds < 3, got.seconds
        assert len(list(box.path.glob("*.hpr"))) == 10000


def test_run_takes_what_comes(box):
    process = box.labo.start("run")
    try:
        box.drop("r.hpr", report())
        box.demo.wait_until(lambda: box.left() == [], what="the first taken")
        box.drop("s.hpr", report(line_9="2"))
        box.demo.wait_until(lambda: len(box.dr.mail()) == 2, what="both")
    finally:
        process.terminate()
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert [n for n, _ in box.arrived()] == ["r.hpr", "s.hpr"]


def test_the_mail_says_nothing_of_its_content(box):
    box.dr.configure(kind="maildir")
    box.want(language="fr", to=box.dr.address, ready="rename")
    box.drop("r.hpr", report())
    box.poll()
    box.dr.ok("poll")
    m = email.message_from_bytes(box.dr.shown()[0],
                                 policy=email.policy.default)
    assert m["Subject"] == "Résultats"
    assert m["From"] == box.labo.address and m["To"] == box.dr.address
    part = next(m.iter_attachments())
    assert part.get_content_type() == "text/plain"
    assert part.get_content_charset() == "iso-8859-1"
    assert part.get_filename() == "r.hpr"
