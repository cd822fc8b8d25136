"""A practice's documents as its software wants them: characters, line ends,
one file per patient or message, headers, names, folders, remarks."""

import email.message
import email.policy
import re
import shutil
import time

import pytest

from world import hprim

SETS = {"utf-8": "utf-8", "iso-8859-1": "iso-8859-1",
        "windows-1252": "cp1252", "cp850": "cp850", "macroman": "mac_roman"}
ENDS = {"lf": "\n", "crlf": "\r\n", "cr": "\r"}
TOKEN = re.compile(r"-[0-9a-f]{20}(?=\.)")
PDF = b"%PDF-1.4\r\n\x00\xff\n.\r\n\r\n" * 50


@pytest.fixture
def practice(demo):
    """dr files into a folder; demo.want(...) says how; it is poured out."""
    def want(top=None, sections="", **deliver):
        demo.dr.configure(kind="folder", top=top, deliver=deliver,
                          sections=sections)
    demo.want = want
    want()
    return demo


def mail_of(demo, documents, text=None):
    """A mail of labo with (name, octets, declared set or None)."""
    m = email.message.EmailMessage(policy=email.policy.SMTP)
    m["From"], m["To"] = demo.labo.address, demo.dr.address
    m["Subject"], m["Message-ID"] = "Résultats", f"<{id(m)}@labo.example>"
    if text is not None:
        m.set_content(text)
    for name, data, declared in documents:
        if declared:
            m.add_attachment(data, "text", "plain", filename=name,
                             params={"charset": declared})
        else:
            m.add_attachment(data, "application", "octet-stream",
                             filename=name)
    return m.as_bytes()


def carry(demo, documents, text=None, code=0):
    """Sent, relayed, fetched; {name without its token: octets}."""
    demo.labo.ok("send", "-t", input=mail_of(demo, documents, text))
    demo.labo.ok("poll")
    assert demo.dr.sceau("poll").code == code
    return filed(demo.dr.inbox)


def filed(folder):
    return {TOKEN.sub("", p.name): p.read_bytes()
            for p in folder.iterdir() if p.is_file()}


def remarks(member):
    """The one text of the folder of remarks; its name has the token."""
    files = list((member.inbox / "sceau").iterdir())
    names = [p.name for p in member.inbox.iterdir() if p.is_file()]
    token = re.fullmatch(r"sceau-([0-9a-f]{20})\.txt", files[0].name).group(1)
    assert len(files) == 1 and all(token in n for n in names), (files, names)
    return files[0].read_text("utf-8")


def report(text=None, **more):
    p = hprim.Patient(**more)
    if text:
        p.text = [text]
    return p


def test_byte_for_byte_unless_asked(practice):
    data = hprim.encode([report(), report()], "cp850", "\r")
    got = carry(practice, [("a.hpr", data, None), ("b.pdf", PDF, None),
                           ("IHE_XDM.ZIP", b"PK\x03\x04" + PDF, None)])
    assert got == {"a-1.hpr": data, "b-2.pdf": PDF,
                   "IHE_XDM-3.zip": b"PK\x03\x04" + PDF}
    assert list((practice.dr.inbox / "sceau").iterdir()) == []


@pytest.mark.parametrize("charset", SETS)
def test_any_set_arrives_in_any(practice, charset):
    practice.want(charset=charset, line_ends="lf")
    sent, expected = [], {}
    for n, (name, codec) in enumerate(SETS.items()):
        for declared in (None, {"cp850": "IBM850", "macroman": "macintosh"}
                         .get(name, name)):
            i = len(sent) + 1
            text = hprim.encode([report("Créatinine à jeun : 80 µmol/l, "
                                        f"prélevé le {n}")], codec)
            sent.append((f"r{i}.hpr", text, declared))
            expected[f"r{i}-{i}.hpr"] = text.decode(codec) \
                .replace("\r\n", "\n").encode(SETS[charset])
    assert carry(practice, sent) == expected
    assert list((practice.dr.inbox / "sceau").iterdir()) == []


def test_line_ends(practice):
    for end, chars in ENDS.items():
        practice.dr.fresh()
        practice.want(line_ends=end)
        got = carry(practice, [
            (f"{was}.txt", hprim.encode([report()], eol=eol), None)
            for was, eol in ENDS.items()])
        assert set(got.values()) == {hprim.encode([report()], eol=chars)}


def test_what_cannot_be_written_is_told(practice):
    practice.want(top={"language": "fr"}, charset="iso-8859-1")
    text = "L’œdème : 5 € ≤ 6, 山"
    got = carry(practice, [("r.hpr", hprim.encode([report(text)], "utf-8"),
                            "utf-8")])
    assert "L'oedème : 5 EUR <= 6, ?".encode("latin-1") in got["r-1.hpr"]
    assert remarks(practice.dr) == """\
De labo.central@labo.example. Sceau a déposé quand même les documents de ce \
message ; veuillez lire :

r-1-TOKEN.hpr : ligne 14 : 1 caractère que ISO-8859-1 n’a pas est remplacé \
par « ? »
r-1-TOKEN.hpr : ligne 14 : 4 caractères que ISO-8859-1 n’a pas sont écrits \
autrement
""".replace("-TOKEN", TOKEN.search(next(
        p.name for p in practice.dr.inbox.iterdir() if p.is_file()))[0])


def people():
    a, b = report("Sodium 139"), report("Potassium 4,1")
    b.header[1:3] = ["DUPRÉ-LÉVY", "ÉLODIE"]
    b.header[6], b.header[7] = "01/02/1970", hprim.nir("2700235000001")
    return a, b


def test_a_file_per_patient(practice):
    a, b = people()
    practice.want(file_per="patient", names="%f_%g %b")
    got = carry(practice, [("jour.hpr", hprim.encode([a, b]), None),
                           ("seul.hpr", hprim.encode([a]), None),
                           ("x.pdf", PDF, None)], text="Bonjour,\r\n")
    assert got == {
        "texte-1.txt": b"Bonjour,\r\n",
        "DURAND_CAMILLE-1961-05-12-2.1.hpr": hprim.encode([a]),
        "DUPRE-LEVY_ELODIE-1970-02-01-2.2.hpr": hprim.encode([b]),
        "DURAND_CAMILLE-1961-05-12-3.hpr": hprim.encode([a]),
        "x-4.pdf": PDF}


def test_a_file_per_message(practice):
    a, b = people()
    practice.want(file_per="message", charset="windows-1252")
    got = carry(practice, [("un.hpr", hprim.encode([a]), None),
                           ("x.pdf", PDF, None),
                           ("deux.hpr", hprim.encode([b, a], "utf-8", "\n"),
                            None)])
    assert got == {"un-1.hpr": hprim.encode([a, b, a], "cp1252"),
                   "x-2.pdf": PDF}


def test_a_whole_header(practice):
    p = report()
    wanted = report()
    p.header[3], p.header[9] = " 3 rue des Lilas   ", "2026-11-23"
    p.header[6] = "12 MAI 1961"
    p.header[10] = p.header[11] = ""
    p.blank = False
    wanted.header[10] = ".          " + practice.labo.address
    wanted.header[11] = ".          " + practice.dr.address
    practice.want(header="whole")
    got = carry(practice, [("r.hpr", hprim.encode([p]), None)])
    assert got == {"r-1.hpr": hprim.encode([wanted])}


def test_names_hold_what_is_asked_for(practice):
    p = report()
    p.header[0], p.header[8] = "../P 1", "26/11\\0042"
    practice.want(names="%s %n %c %o %e 100%%")
    got = carry(practice, [("../../r.1.hpr", hprim.encode([p]), None)])
    assert list(got) == [
        "labo.central-r.1-..-P-1-26-11-0042-2026-11-23-100-1.hpr"], got


def test_attachments_apart(practice):
    apart = practice.dr.folder / "apart"
    practice.want(attachments=str(apart))
    data = hprim.encode([report()])
    got = carry(practice, [("r.hpr", data, None), ("r.pdf", PDF, None)])
    assert got == {"r-1.hpr": data}
    assert filed(apart) == {"r-2.pdf": PDF}


def wrong():
    """What is wrong, and what the practice is told of it."""
    p = report()
    p.header[6] = "31/02/1961"
    yield hprim.encode([p]), "ligne 7 : la date de naissance"
    p = report()
    del p.header[4]
    yield hprim.encode([report(), p]), "ligne "
    yield hprim.encode([report(fin="")], end=()), "ligne "
    p = report(coded=["RES|Sodium|NA|N|139,5|mmol/l|136|145||C"])
    yield hprim.encode([p]), "ligne 1 : ce compte rendu en corrige un autre"


def test_what_is_wrong_is_filed_and_told(practice):
    for data, said in wrong():
        practice.dr.fresh()
        practice.want(top={"language": "fr"}, file_per="patient")
        got = carry(practice, [("r.hpr", data, None), ("x.pdf", PDF, None)])
        assert got == {"r-1.hpr": data, "x-2.pdf": PDF}
        assert said in remarks(practice.dr), remarks(practice.dr)


def test_a_replayed_one_is_told(practice):
    data = hprim.encode([report()])
    practice.labo.ok("send", "-t", input=mail_of(
        practice, [("r.hpr", data, None)]))
    practice.labo.ok("poll")
    sealed = int(time.time())
    practice.wait_until(lambda: time.time() >= sealed + 1)
    practice.dr.ok("restored")
    practice.dr.ok("poll")
    assert "may have been filed before" in remarks(practice.dr)


def state_at_labo(demo):
    """What labo knows once everybody has polled."""
    demo.dr.ok("poll")
    demo.labo.ok("poll")
    return demo.labo.states()[demo.dr.name]


def take(folder, to=None):
    """As the practice software does."""
    for p in folder.iterdir():
        if p.is_file() and to is None:
            p.unlink()
        elif p.is_file():
            p.rename(to / f"2026-{p.name}")


def test_opened_when_it_was_taken(practice):
    carry(practice, [("r.hpr", hprim.encode([report()]), None),
                     ("x.pdf", PDF, None)])
    assert state_at_labo(practice) == "received"
    next(practice.dr.inbox.glob("r-*")).unlink()
    assert state_at_labo(practice) == "received"
    take(practice.dr.inbox)
    assert state_at_labo(practice) == "opened"
    assert state_at_labo(practice) == "opened"


def test_opened_when_it_was_moved_where_it_is_filed(practice):
    done = practice.dr.folder / "done"
    done.mkdir()
    practice.want(filed=str(done))
    carry(practice, [("r.hpr", hprim.encode([report()]), None)])
    carry(practice, [("s.hpr", hprim.encode([report()]), None)])
    next(practice.dr.inbox.glob("s-*")).unlink()
    take(practice.dr.inbox, done)
    practice.dr.ok("poll")
    practice.labo.ok("poll")
    states = sorted(r["state"] for r in practice.labo.ok(
        "status", "--json").json() if r["type"] == "sent")
    assert states == ["opened", "received"]


def test_another_folder_in_its_place_is_not_a_taken_file(practice):
    carry(practice, [("r.hpr", hprim.encode([report()]), None)])
    away = practice.dr.inbox.rename(practice.dr.folder / "away")
    practice.dr.inbox.mkdir(mode=0o700)
    assert state_at_labo(practice) == "received"
    shutil.rmtree(practice.dr.inbox)
    away.rename(practice.dr.inbox)
    assert state_at_labo(practice) == "received"
    take(practice.dr.inbox)
    assert state_at_labo(practice) == "opened"


def test_not_opened_unless_wanted(practice):
    practice.want(opened=False)
    carry(practice, [("r.hpr", hprim.encode([report()]), None)])
    take(practice.dr.inbox)
    assert state_at_labo(practice) == "received"


def test_a_delivery_that_is_no_more_is_not_looked_for(practice):
    carry(practice, [("r.hpr", hprim.encode([report()]), None)])
    practice.dr.configure(kind="maildir")
    assert state_at_labo(practice) == "received"
    practice.want()
    take(practice.dr.inbox)
    assert state_at_labo(practice) == "received"


def for_whom(name):
    p = report(f"pour {name}")
    p.header[11] = name
    return p


def doctors(demo, others="others", last="otherwise = yes"):
    """inbox is Dr Martin's, others is for what is left."""
    others = demo.dr.folder / others
    demo.want(to="CAB000001, Jean-François Lévy", file_per="patient",
              sections=f'deliver "others" {{\n kind = folder\n'
                       f' path = "{others}"\n {last}\n}}\n')
    return others


def test_a_group_practice(practice):
    others = doctors(practice)
    a = for_whom("CAB000001  DR MARTIN")
    b = for_whom(".          DOCTEUR LEVY JEAN FRANCOIS")
    c = for_whom("CAB000002  DR LEVY PAUL")
    got = carry(practice, [
        ("a.hpr", hprim.encode([a]), None), ("b.hpr", hprim.encode([b]), None),
        ("c.hpr", hprim.encode([c]), None), ("x.pdf", PDF, None),
        ("jour.hpr", hprim.encode([a, c]), None)])
    assert got == {
        "a-1.hpr": hprim.encode([a]), "b-2.hpr": hprim.encode([b]),
        "x-4.pdf": PDF, "jour-5.1.hpr": hprim.encode([a])}
    assert filed(others) == {"c-3.hpr": hprim.encode([c]), "x-4.pdf": PDF,
                             "jour-5.hpr": hprim.encode([a, c])}
    assert remarks(practice.dr).count("names nobody of this practice") == 1


def test_what_nobody_takes_goes_to_everybody(practice):
    others = doctors(practice, "elsewhere", last='from = "@elsewhere.example"')
    c = hprim.encode([for_whom("CAB000002  DR LEVY PAUL")])
    assert carry(practice, [("c.hpr", c, None)]) == {"c-1.hpr": c}
    assert filed(others) == {"c-1.hpr": c}


def test_by_sender(practice):
    other = practice.dr.folder / "whole"
    text = 'deliver "%s" {\n kind = maildir\n path = "%s"\n from = "%s"\n}\n'
    practice.want(sections=text % (
        "a", other, "@nobody.example, LABO.central@labo.example")
        + text % ("b", practice.dr.folder / "no", "labo.example@x"))
    data = hprim.encode([report()])
    assert carry(practice, [("r.hpr", data, None)]) == {"r-1.hpr": data}
    assert len(list((other / "new").iterdir())) == 1
    assert list((practice.dr.folder / "no/new").iterdir()) == []


def test_a_day_of_a_large_laboratory(practice):
    """As many names as one file of it has patients."""
    practice.want(file_per="patient")
    data = hprim.encode([report() for _ in range(4000)])
    assert len(carry(practice, [("jour.hpr", data, None)])) == 4000
    assert len(practice.dr.ok("inbox", "--json").json()) == 1
    take(practice.dr.inbox)
    assert state_at_labo(practice) == "opened"


# ---- one folder for two deliveries -----------------------------------------

def together(demo, **deliver):
    """Dr Martin's reports and Dr Durand's, each by its own rule."""
    more = "".join(f" {k} = {v}\n" for k, v in deliver.items())
    demo.want(to="CAB000001", **deliver, sections=(
        f'deliver "durand" {{\n kind = folder\n path = "{demo.dr.inbox}"\n'
        f' to = CAB000002\n{more}}}\n'))


MARTIN, DURAND = "CAB000001  DR MARTIN", "CAB000002  DR DURAND"


def test_what_is_not_the_same_has_two_names(practice):
    together(practice, file_per="message")
    a, b = for_whom(MARTIN), for_whom(DURAND)
    got = carry(practice, [("jour.hpr", hprim.encode([a, b]), None)])
    assert got == {"jour-1.hpr": hprim.encode([a]),
                   "jour-1_2.hpr": hprim.encode([b])}
    names = [p.name for p in practice.dr.inbox.iterdir() if p.is_file()]
    assert all(TOKEN.search(name) for name in names)


def test_what_is_the_same_lies_there_once(practice):
    together(practice, file_per="message")
    data = hprim.encode([for_whom("CAB000003  DR PETIT")])
    assert carry(practice, [("r.hpr", data, None), ("x.pdf", PDF, None)]) == {
        "r-1.hpr": data, "x-2.pdf": PDF}


def test_no_warning_takes_the_place_of_another(practice):
    together(practice, file_per="patient")
    for born in ("12/05/1961", "13/05/1961"):
        people = [for_whom(MARTIN), for_whom(DURAND)]
        people[1].header[1] = "LEBRUN"
        for p in people:
            p.header[6] = born
        carry(practice, [("jour.hpr", hprim.encode(people), None)])
    said = [p.read_text("utf-8")
            for p in (practice.dr.inbox / "sceau").iterdir()]
    assert len(said) == 2 and said[0] != said[1]
    assert all(text.count("another date of birth") == 1 for text in said)


def test_what_goes_from_an_outbox_is_left_alone(practice):
    """Of another member, whose outbox this folder is."""
    (practice.dr.inbox / ".sceau_s.hpr").write_bytes(b"another's")
    data = hprim.encode([report()])
    assert carry(practice, [("r.hpr", data, None)]) == {
        "r-1.hpr": data, ".sceau_s.hpr": b"another's"}
