"""French everywhere, as cron runs it: LANG=C, no locale generated, language
= "fr" in the configuration alone.  Confined processes speak it too."""

import os
import re
import subprocess

import pytest

from world import documents, hprim
from world.world import TOP

ENGLISH = ("nothing", "held", "password", "cannot", "the ", "sent", "key")
NBSP = "\u00a0"


@pytest.fixture
def french(demo):
    for member in demo.members.values():
        member.configure(top={"language": "fr"})
    return demo


def text(got):
    return got.stdout.decode("utf-8") + got.stderr.decode("utf-8")


def no_english(words):
    return [w for w in ENGLISH if w in words.lower()] == []


def test_status_and_its_dates(french):
    assert "rien d’envoyé" in text(french.labo.ok("status"))
    french.send("INR 2,1", french.dr)
    got = text(french.labo.ok("status"))
    assert "à envoyer" in got and "mis en file" in got
    assert f"{NBSP}h{NBSP}" in got
    assert no_english(got.replace(french.dr.identity, "")), got


def test_what_the_vault_says_of_held_mail(french):
    mail = french.sealed()
    french.post(french.dr, documents.altered(mail))
    polled = french.dr.sceau("poll")
    assert polled.code == 65, polled.text()
    got = text(french.dr.ok("held", "list"))
    assert "retenu" in got and "abîmé" in got
    rows = french.dr.ok("held", "list", "--json").json()
    assert [r["class"] for r in rows] == ["BODY"]
    assert "abîmé en chemin" in got
    assert no_english(got.replace(french.labo.identity, "")), got


def test_a_wrong_password_seen_by_the_fetch_process(french):
    french.dr.secret("password", "wrong\n")
    try:
        got = french.dr.sceau("poll")
    finally:
        french.dr.secret("password", french.dr.password + "\n")
    assert got.code == 77, got.text()
    assert "refuse le nom ou le mot de passe" in text(got)


def test_a_server_that_does_not_exist(french):
    conf = french.dr.conf.read_text()
    french.dr.conf.write_text(conf.replace('"localhost"', '"no.invalid"'))
    got = french.dr.sceau("poll")
    assert got.code == 75, got.text()
    assert "no.invalid : le nom est introuvable (" in \
        text(got).replace(NBSP, " ")
    assert no_english(text(got).partition("introuvable")[2]), got.text()


def test_what_the_vault_refuses(french):
    """A process that may open nothing any more, not even its words."""
    got = french.labo.sceau("send", "x@nowhere.example", input=b"To: x\n\nx\n")
    assert got.code == 67, got.text()
    assert "aucun membre n’a l’adresse x@nowhere.example" in text(got)


def test_the_system_s_own_words(french):
    got = french.dr.sceau("key", "import", "nowhere.cle")
    assert got.code == 78, got.text()
    assert "ce fichier ou dossier n’existe pas" in text(got)


def test_the_notice_mail(french, monkeypatch):
    """Q5: the relay refuses the recipient; the clerk files the notice."""
    monkeypatch.delitem(french.relay.aliases, french.dr.route)
    french.labo.configure(top={"language": "fr"})
    french.send("INR 2,1", french.dr)
    french.labo.sceau("poll")
    french.labo.sceau("poll")
    notice, = french.labo.documents()
    words = notice.read_bytes().decode("utf-8")
    assert "n’a pas pu être confié au relais et est abandonné" in words
    assert "Rien n’est parti en clair" in words
    assert "INR" not in words
    body = words.partition("\r\n\r\n")[2]
    assert no_english(body.replace("sceau queue retry", "")
                      .replace("no such mailbox", "")), body


def test_help_and_usage(french):
    assert "relever, ouvrir, ranger" in text(
        french.dr.ok("--lang", "fr", "--help"))
    got = french.dr.sceau("held", "show")
    assert got.code == 64 and "usage" in text(got), got.text()
    got = french.dr.sceau("--lang", "en", "held", "show", "12345")
    assert "no 12345 is not held" in text(got)
    got = french.dr.sceau("held", "show", "12345")
    assert f"le nº{NBSP}12345 n’est pas retenu" in text(got)


def test_installed(french, tmp_path):
    """The catalogue where `make install` puts it."""
    make = subprocess.run(
        ["make", "-s", "install-data-local", f"DESTDIR={tmp_path}"],
        cwd=french.sceau.parent, capture_output=True, text=True,
        env={k: v for k, v in os.environ.items() if k != "MAKEFLAGS"})
    assert make.returncode == 0, make.stderr
    mo, = tmp_path.rglob("fr/LC_MESSAGES/sceau.mo")
    got = french.dr.ok("status", SCEAU_LOCALEDIR=str(mo.parents[2]))
    assert "rien d’envoyé" in text(got)
    empty = tmp_path / "empty"
    empty.mkdir()
    got = french.dr.ok("status", SCEAU_LOCALEDIR=str(empty))
    assert "nothing sent" in text(got)


def test_complaints_about_the_configuration(french):
    """They come before the language is known, and in it all the same."""
    (french.dr.folder / "password").chmod(0o644)
    try:
        got = french.dr.sceau("poll")
    finally:
        (french.dr.folder / "password").chmod(0o600)
    assert got.code == 78
    assert "est lisible par d’autres" in text(got), got.text()


def test_what_needs_no_configuration_speaks_it_all_the_same(french, tmp_path):
    """Usage, help, and commands that only look at files: of cron, of a
    laboratory's script."""
    bad = tmp_path / "r.hpr"
    bad.write_bytes(hprim.encode([hprim.Patient(fin="")], end=()))
    for code, word, words in (
            (78, "ce ne sont pas des heures", ("schedule", "--hours", "9")),
            (64, "usage : sceau schedule", ("schedule", "--nonsense")),
            (64, "sceau --help en donne la liste", ("nonsense",)),
            (64, "sceau --help en donne la liste", ("--nonsense",)),
            (0, "relever, ouvrir, ranger", ("--help",)),
            (0, "relever, ouvrir, ranger", ("poll", "--help")),
            (65, "le compte rendu est peut-être coupé",
             ("hprim", "check", bad)),
            (78, "existe déjà", ("setup",))):
        got = french.labo.sceau(*words)
        said = text(got).replace(NBSP, " ")
        assert got.code == code and word in said, (words, got.code, said)
    french.labo.conf.write_text("language = fr\nnonsense\n")
    got = french.labo.sceau("hprim", "check", bad)
    assert "peut-être coupé" in text(got), "a wrong file stops no check"


def test_where_something_is_wrong(french):
    """A blank before the sign, but not in the way in which editors read."""
    french.dr.configure(top={"language": "fr"}, relay={"engine": "nope"})
    got = text(french.dr.sceau("poll"))
    assert re.search(rf"sceau\.conf:\d+: engine{NBSP}: ce choix", got), got
    french.dr.configure(top={"language": "fr"}, relay_port=1)
    french.send("INR 2,1", french.labo, sender=french.dr)
    got = text(french.dr.sceau("poll"))
    assert f"relais relay{NBSP}: localhost{NBSP}: " in got, got
    got = text(french.dr.ok("queue", "list"))
    assert f"pas parti{NBSP}: la session s’est terminée avant" in got, got


def test_the_first_day_of_a_practice(french, tmp_path):
    """No key store and no folder yet: what to do is said."""
    french.dr.configure(top={"language": "fr",
                             "keystore": str(tmp_path / "nowhere")})
    french.dr.inbox.rmdir()
    got = text(french.dr.sceau("check"))
    assert "sceau key import" in got
    assert "la première relève le crée" in got


def catalogue():
    """{English: French} of po/fr.po; of plurals the first."""
    text = re.sub(r'"\n"', "", (TOP / "po/fr.po").read_text())
    return dict(re.findall(r'^msgid "(.+)"\n(?:msgid_plural .*\n)?'
                           r'msgstr(?:\[0\])? "(.+)"$', text, re.M))


def titles(page):
    """What stands at the head of a paragraph of a manual page."""
    return re.findall(r"^\.It (.+)$", (TOP / page).read_text(), re.M)


def plain(words):
    return words.replace("’", "'").replace(NBSP, " ")


def test_the_manual_says_of_each_remark_what_to_do():
    """What may lie in the folder sceau of a practice, word by word."""
    said = re.findall(r'\{ "[a-z-]+", N_\(((?:"[^"]+"\s*)+)\)',
                      (TOP / "src/flow/field.c").read_text())
    said = [re.sub(r'"\s*"', "", s).strip().strip('"') for s in said]
    assert len(said) == 6
    french = catalogue()
    said += [m for m in french if m.startswith("%s: ") and any(w in m for w in (
        "corrects one that", "names nobody of", "cannot be told apart"))]
    assert len(said) == 9
    for page, words in (("man/sceau-practice.7", said),
                        ("man/fr/sceau-practice.7",
                         [french[m] for m in said])):
        told = titles(page)
        assert [w for w in words
                if not any(t in plain(w) for t in told)] == []


# What a person puts in the place of a word of the pages.
WORDS = {"address": "{dr}", "practice": "{dr}", "number": "{n}",
         "key-file": "none.cle", "file": "none.hpr", "...": "",
         "Adresse": "{dr}", "Cabinet": "{dr}", "Numéro": "{n}",
         "Fichier-de-clés": "none.cle", "Fichier": "none.hpr",
         "Fichier...": "none.hpr"}


def test_what_the_pages_say_can_be_typed(demo):
    """Each command of sceau-laboratory(7) and sceau-practice(7) is one."""
    demo.send("INR 2,1", demo.dr)
    token = demo.labo.ok("register", "list", "--json").json()[0]["t"]
    lines = set()
    for page in (f"man{folder}/sceau-{who}.7" for folder in ("", "/fr")
                 for who in ("laboratory", "practice")):
        lines |= set(re.findall(r"Ql sceau ((?:(?! [.,]?$)[^\n])+)",
                                (TOP / page).read_text(), re.M))
    assert len(lines) > 20, lines
    for line in sorted(lines - {"queue retry", "refile", "key import",
                                "key renew"}):
        number = token[:20] if "prove" in line else "1"
        words = [WORDS.get(w, w).format(dr=demo.dr.address, n=number)
                 for w in line.split()]
        if words[0] == "schedule":
            words += ["--print"]
        got = demo.labo.sceau(*filter(None, words))
        missing = any("none." in w for w in words) or words[0] == "setup"
        assert got.code in ((78, ) if missing else (0, )), (
            line, words, got.code, got.text())


def test_the_manual_says_of_each_alarm_what_to_do():
    """Under the very words that are read, in both languages."""
    labels = re.findall(r'\{ "[a-z-]+", N_\("([^"]+)"\)',
                        (TOP / "src/flow/alarm_text.c").read_text())
    french = catalogue()
    assert len(labels) >= 13 and set(labels) <= set(french)
    for folder, words in (("man", labels),
                          ("man/fr", [french[x] for x in labels])):
        told = [w for line in titles(f"{folder}/sceau-laboratory.7")
                for w in line.split(", ")]
        assert [w for w in words if w.replace("’", "'") not in told] == []
