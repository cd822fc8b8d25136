"""A week of a laboratory and of three practices with different software, on an
injected clock (--enable-fault), with a real Dovecot and Postfix: 2,000
documents, and what goes wrong in a week.  What people read is checked word by
word, in French, as under cron: T stands for a number of a message, ~ for the
folder of this world.

The laboratory's system drops reports flat in "lis", each for whom line 12 says
it is, and in "dossiers", a sub-folder for each practice, with PDF.

    martin   POP3; windows-1252, CRLF, a file per patient, PDF apart; its
             software moves what it takes to "importes"
    group    IMAP; Levy, Durand, and "others" for the rest; UTF-8, LF; what is
             taken vanishes
    petit    behind the gateway; code page 850, a file per message; never says
             "opened"
"""

import re

import pytest

from world.demo import Demo
from world.follow import DAY, at, clock, said
from world.small import mounted
from world.week import LABO, Exports, Week, text_of, told

MON, TUE, WED, THU, FRI, SAT = range(6)
MARTIN, LEVY, DURAND, PETIT = (
    "CAB000001  DR MARTIN", "CAB000002  DR LEVY", "CAB000003  DR DURAND",
    "INF000001  MME PETIT")
KEY_ENDS = at(FRI, 6) + 60 * DAY


QUIET = ("sceau - aucune alerte", """\
Aucune alerte.

À envoyer : 0. Pas encore remis : 0. Retenus : 0. En détail : sceau status
""")


@pytest.fixture
def week(sceau, forger):
    with Demo() as demo:
        yield Week(demo.start(), forger.maker(2027), KEY_ENDS)


def test_a_week(week):
    for day in (monday, tuesday, wednesday, thursday, friday, saturday):
        day(week)


# ---- Monday: an ordinary day ----------------------------------------------

def monday(w):
    assert w.morning(MON) == QUIET
    for n in range(100):
        w.lis(n, w.out.report("martin", MARTIN), w.out.report("petit", PETIT),
              doctor(w, n))
    for n in range(20):
        w.dossier(w.demo.dr, n, *w.reports(8, "martin", MARTIN),
                  pdf=w.out.pdf("martin"))
    for n in range(15):
        w.dossier(w.demo.durand, n, *(doctor(w, n) for _ in range(10)))
    w.round(MON, 8, w.martin, w.group, w.petit)
    assert w.news() == ""
    heard = said(at(MON, 8, 7))
    assert w.says(w.demo.labo, at(MON, 9), "sent").split("\n\n")[0] == f"""\
cabinet                         envois  pas encore remis  en retard  remis  \
ouvert  refusé  échoué  attend depuis  dernières nouvelles
cabinet.durand@durand.example      115                 0          0    115  \
   115       0       0                 {heard}
dr.martin@cabinet.example          120                 0          0    120  \
   120       0       0                 {heard}
infirmiere.petit@petit.example     100                 0          0    100  \
     0       0       0                 {heard}"""


def doctor(w, n):
    """A report for one or the other of the group."""
    return w.out.report(*(("levy", LEVY), ("durand", DURAND))[n % 2])


# ---- Tuesday: Dr Martin's computer stays off -------------------------------

def tuesday(w):
    assert w.morning(TUE) == QUIET
    for n in range(100):
        w.lis(n, doctor(w, n), w.out.report("petit", PETIT))
    for n in range(3):
        w.dossier(w.demo.dr, n, *w.reports(30, "martin", MARTIN),
                  pdf=w.out.pdf("martin"))
    w.round(TUE, 8, w.group, w.petit)
    w.pass_(at(TUE, 12))
    assert w.news() == ""               # his four hours are just over
    w.pass_(at(TUE, 12, 1))
    alarm = f"""\
- dr.martin@cabinet.example : 3 envois non remis, le plus ancien du \
{said(at(TUE, 8))}.
  Appeler le cabinet. La liste d’appel : sceau sent --late --print
"""
    assert w.news() == "Nouvelles :\n" + alarm
    assert w.status(w.demo.labo, at(TUE, 12, 5)) == f"""\
à envoyer  pas encore remis  en retard  échoué  refusé  abîmé  revenu  \
à ouvrir  retenu
        0                 3          3       0       0      0       0  \
       0       0

Alertes :
{alarm}"""
    call_list(w)
    assert w.morning(WED) == ("sceau - 1 alerte", f"""\
Alertes :
{alarm}
À envoyer : 0. Pas encore remis : 3. Retenus : 0. En détail : sceau status
""")


def call_list(w):
    rows = w.sent(at(TUE, 12, 5), w.demo.dr, "--late")
    assert [r["state"] for r in rows] == ["sent"] * 3
    lines = "".join(f"""\
   [ ] nº {r["id"]} du {said(at(TUE, 8))}, envoyé
       fichier ...T
""" for r in rows)
    assert w.says(w.demo.labo, at(TUE, 12, 5), "sent", "--late", "--print") \
        == f"""\
Cabinets à appeler, le {said(at(TUE, 12, 5))}

1. dr.martin@cabinet.example
   3 envois attendent, le plus ancien depuis le {said(at(TUE, 8))}.
   Dernières nouvelles de ce cabinet : {said(at(MON, 8, 7))}.
   Appeler le cabinet.
{lines}\
   Appelé le ____________ à ______ ; réponse : ____________________________
"""


# ---- Wednesday: it is on again; Dr Levy's folder is full -------------------

def wednesday(w):
    w.fetch(w.martin, at(WED, 7, 30))
    w.pass_(at(WED, 7, 35))
    assert w.news() == over("dr.martin@cabinet.example : « non remis »",
                            at(WED, 7, 35))
    for n in range(100):
        w.lis(n, w.out.report("martin", MARTIN), w.out.report("petit", PETIT))
    for n in range(3):
        w.dossier(w.demo.durand, n, *w.reports(40, "levy", LEVY),
                  *w.reports(10, "durand", DURAND))
    levy = w.demo.durand.folder / "levy"
    with mounted(levy, 0):
        full_folder(w)
    w.fetch(w.group, at(WED, 13))
    w.pass_(at(WED, 13, 5))
    assert told(w.group.news(), w.top) == \
        "Alertes de sceau, cabinet.durand@durand.example\n\n" + \
        over("« documents non déposés »", at(WED, 13))
    assert w.news() == over("cabinet.durand@durand.example : « non remis »",
                            at(WED, 13, 5))


def full_folder(w):
    w.pass_(at(WED, 8))
    assert told(w.group.poll(at(WED, 8, 5), 75), w.top).count("\n") == 1
    assert w.group.poll(at(WED, 9), 75) == ""       # cron has told it
    assert w.group.news() == ""
    assert w.group.poll(at(WED, 9, 5), 75) == ""
    assert w.status(w.demo.durand, at(WED, 9, 10)) == f"""\
à envoyer  pas encore remis  en retard  échoué  refusé  abîmé  revenu  \
à ouvrir  retenu
        0                 0          0       0       0      0       0  \
       3       0

Alertes :
- Des documents arrivés ne peuvent pas être déposés depuis le \
{said(at(WED, 8, 5))} (remise : ~/cabinet.durand/levy : plus de place sur le \
disque).
  Rien n’est perdu : ils sont gardés, et déposés d’eux-mêmes dès qu’il y a de \
la place et que le dossier est là. Regarder : sceau check
"""
    w.group.news()
    w.round(WED, 10, w.martin, w.petit)
    w.pass_(at(WED, 12, 1))
    assert w.news() == f"""\
Nouvelles :
- cabinet.durand@durand.example : 3 envois non remis, le plus ancien du \
{said(at(WED, 8))}.
  Appeler le cabinet. La liste d’appel : sceau sent --late --print
"""
    late = w.sent(at(WED, 12, 5), w.demo.durand, "--late")
    on_disk = w.software["levy"].tokens() | w.software["durand"].tokens()
    assert len(late) == 3 and not on_disk & {r["token"] for r in late}


def over(what, when):
    return f"Terminées :\n- {what} a pris fin le {said(when)}.\n"


# ---- Thursday: the relay's password; wrong reports --------------------------

def thursday(w):
    assert w.morning(THU) == ("sceau - aucune alerte", f"""\
Aucune alerte.

Terminées depuis le dernier courriel :
- dr.martin@cabinet.example : « non remis » a pris fin le \
{said(at(WED, 7, 35))}.
- cabinet.durand@durand.example : « non remis » a pris fin le \
{said(at(WED, 13, 5))}.

À envoyer : 0. Pas encore remis : 0. Retenus : 0. En détail : sceau status
""")
    password(w)
    corrected(w)
    refused(w)
    misrouted(w)


def password(w):
    """The provider has changed it, and nobody has told the laboratory."""
    for n in range(20):
        w.lis(n, w.out.report("martin", MARTIN), doctor(w, n))
    new_password(w.demo.relay)
    w.pass_(at(THU, 8), 77)
    w.pass_(at(THU, 9), 77)
    alarm = f"""\
- Le relais relay est en panne depuis le {said(at(THU, 8))} (relais relay : \
localhost : refuse l’utilisateur relay ou son mot de passe (535 Error: \
authentication failed: (reason unavailable)) ; les courriers attendent. \
Vérifiez user et le mot de passe).
  Rien n’est perdu, il est réessayé tout seul. Regarder la connexion et le \
mot de passe : sceau check
"""
    assert w.news() == "Nouvelles :\n" + alarm
    assert w.status(w.demo.labo, at(THU, 9, 5)) == f"""\
à envoyer  pas encore remis  en retard  échoué  refusé  abîmé  revenu  \
à ouvrir  retenu
       40                 0          0       0       0      0       0  \
       0       0

Alertes :
{alarm}"""
    for member in w.demo.members.values():
        member.secret("relay-password", w.demo.relay.password + "\n")
    w.round(THU, 10, w.martin, w.group)
    assert w.news() == over("relay : « relais en panne »", at(THU, 10))


def new_password(relay):
    relay.stop()
    relay.password = "another"
    relay.dovecot.users[relay.user] = relay.password
    relay.start()


def remark(w, software, name, text):
    """The one text in the folder sceau of that software."""
    said_, = w.software[software].remarks()
    assert told(said_, w.top) == f"""\
De {LABO}. Sceau a déposé quand même les documents de ce message ; veuillez \
lire :

{name}-T.hpr : {text}
"""


def to_look_at(w, member, day):
    """Rows of `sceau inbox --flagged` at the end of that day, cut up."""
    text = w.says(member, at(day, 18), "inbox", "--flagged", "--days", "1")
    return [re.split(r" {2,}", row) for row in text.splitlines()[1:]]


def corrected(w):
    """A result that was sent before; its status is C."""
    w.lis("corrige", w.out.report("martin", MARTIN, coded=[
        "RES|Sodium|NA|N|139,5|mmol/l|136|145||C"]))
    w.round(THU, 11, w.martin)
    n = w.out.reports
    remark(w, "martin", corrected_name(n), "ligne 1 : ce compte rendu en "
           "corrige un autre, envoyé auparavant")
    assert to_look_at(w, w.demo.dr, THU) == [
        [said(at(THU, 11, 2)), LABO, "1", "inbox", "T", "résultat corrigé"]]


def corrected_name(n):
    """%f_%g %b and the number of the document, as martin wants it."""
    p = Exports()
    p.reports = n - 1
    h = p.report(None, MARTIN).header
    d, m, y = h[6].split("/")
    flat = str.maketrans("ÈÇËÂÜÉÏ' ", "ECEAUEI--")
    return f"{h[1].translate(flat)}_{h[2].translate(flat)}-{y}-{m}-{d}-1"


def refused(w):
    """Line 12 names nobody: it does not leave, and is dropped again."""
    lis = w.demo.labo.folder / "lis"
    p = w.out.report("martin", "CAB000099  DR INCONNU")
    w.lis("faux", p)
    assert w.pass_(at(THU, 14), 65).count("outbox.refused") == 1
    note = lis / "refused/faux.hpr.txt"
    assert told(note.read_text(), w.top) == """\
Ce fichier n’a pas été envoyé : faux.hpr

ligne 12 : aucun membre ne s’appelle « DR INCONNU » dans l’annuaire

Rien n’en est parti. Corrigez-le et remettez-le dans ~/labo.central/lis
"""
    alarm = f"""\
- Boîte d’envoi lis : 1 fichier refusé le \
{said(int(note.stat().st_mtime))} n’est pas parti ; il est dans \
~/labo.central/lis/refused.
  Le texte à côté de chaque fichier dit pourquoi. Corriger le fichier dans le \
système du laboratoire, le déposer de nouveau, puis effacer de ce dossier le \
fichier et son texte.
"""
    assert w.news() == "Nouvelles :\n" + alarm
    w.refused_alarm = alarm
    w.faux = p


def misrouted(w):
    """In the group's sub-folder, for a doctor that it does not have."""
    w.dossier(w.demo.durand, "ailleurs",
              w.out.report("others", "CAB000007  DR AILLEURS"))
    w.round(THU, 15, w.group)
    remark(w, "others", "ailleurs-1", "ligne 1 : la ligne 12 de ce compte "
           "rendu ne nomme personne de ce cabinet")
    assert to_look_at(w, w.demo.durand, THU) == [
        [said(at(THU, 15, 2)), LABO, "1", "inbox", "T",
         "ligne 12 : quelqu’un d’autre"]]


# ---- Friday: the key is about to end ---------------------------------------

def friday(w):
    alarm = f"""\
- La clé de {LABO} finit dans moins de 60 jours : elle est bonne pour écrire \
jusqu’au {said(KEY_ENDS)}.
  La lettre et le fichier de clés de l’année suivante sont-ils arrivés ? \
Alors : sceau key renew. Sinon, appeler l’association.
"""
    assert w.morning(FRI) == ("sceau - 2 alertes", f"""\
Alertes :
{alarm}{w.refused_alarm}
Terminées depuis le dernier courriel :
- relay : « relais en panne » a pris fin le {said(at(THU, 10))}.

À envoyer : 0. Pas encore remis : 0. Retenus : 0. En détail : sceau status
""")
    assert w.news() == "Nouvelles :\n" + alarm
    mended(w)
    for n in range(20):
        w.dossier(w.demo.dr, n, *w.reports(15, "martin", MARTIN))
        w.dossier(w.demo.durand, n, *(doctor(w, n) for _ in range(15)))
    w.dossier(w.demo.petit, "reste",
              *w.reports(2000 - w.out.reports, "petit", PETIT))
    w.round(FRI, 8, w.martin, w.group, w.petit)
    assert w.news() == over("lis : « fichiers refusés »", at(FRI, 8))
    w.labo.take_key(w.maker, 2027, at(400, 9), at(FRI, 15))
    w.pass_(at(FRI, 15, 5))
    assert w.news() == over(f"{LABO} : « clé bientôt finie »",
                            at(FRI, 15, 5))


def mended(w):
    """What was refused: corrected, dropped again, and taken away there."""
    before = w.out.sent["martin"]
    before.subtract([text_of(w.faux)])
    w.faux.header[11] = MARTIN
    before.update([text_of(w.faux)])
    w.lis("faux", w.faux)
    for path in (w.demo.labo.folder / "lis/refused").iterdir():
        path.unlink()


# ---- Saturday: the accounts are closed --------------------------------------

def saturday(w):
    assert w.morning(SAT) == ("sceau - aucune alerte", f"""\
Aucune alerte.

Terminées depuis le dernier courriel :
- {LABO} : « clé bientôt finie » a pris fin le {said(at(FRI, 15, 5))}.
- lis : « fichiers refusés » a pris fin le {said(at(FRI, 8))}.

À envoyer : 0. Pas encore remis : 0. Retenus : 0. En détail : sceau status
""")
    assert w.says(w.demo.labo, at(SAT, 9), "sent", "--late", "--print") == \
        f"""\
Cabinets à appeler, le {said(at(SAT, 9))}

Personne : tout a été remis à temps.
"""
    every_document_once(w)
    every_word_is_true(w)
    registers(w)


def every_document_once(w):
    for software in w.software.values():
        software.take()
    assert w.out.reports == 2000
    seen = {who: s.seen() for who, s in w.software.items()}
    for who, wanted in w.out.sent.items():
        assert seen[who] == +wanted, who
    for member in (w.demo.labo, w.demo.dr, w.demo.durand, w.demo.petit):
        assert member.mail() == [] and member.held() == []


def every_word_is_true(w):
    """Received: its documents were on that disk; opened: they were taken."""
    where = {w.demo.dr: ("martin",), w.demo.petit: ("petit",),
             w.demo.durand: ("levy", "durand", "others")}
    for member, names in where.items():
        word = "received" if member is w.demo.petit else "opened"
        rows = w.sent(at(SAT, 9), member)
        assert {r["state"] for r in rows} == {word}, member.local
        heard = [e["digest"] for e in entries(w, w.demo.labo, "received")
                 if e["who"].startswith(member.name)]
        filed = {e["digest"]: e["t"][:20]
                 for e in entries(w, member, "received")}
        assert len(heard) == len(rows) and set(heard) == set(filed)
        assert set(filed.values()) == set().union(
            *(w.software[n].tokens() for n in names)), member.local


def entries(w, member, event):
    return [e for e in member.ok("register", "list", "--json",
                                 **clock(at(SAT, 9))).json()
            if e["event"] == event]


def registers(w):
    d = w.demo
    for member in (d.labo, d.dr, d.durand, d.petit, d.hub):
        text = w.says(member, at(SAT, 9), "register", "verify", "--lang", "fr")
        assert text.startswith("Le registre est intact : "), member.local
    rows = w.demo.labo.ok("register", "list", "--json",
                          **clock(at(SAT, 9))).json()
    assert w.says(w.demo.labo, at(SAT, 9), "register", "verify") == f"""\
Le registre est intact : {len(rows)} entrées, du {said(at(MON, 8))} au \
{said(at(FRI, 8, 2))}.
Sa dernière empreinte est T ;
qui l’a notée peut dire plus tard que rien n’a changé avant elle.
"""
    one = w.sent(at(SAT, 9), w.demo.dr)[0]["token"]
    proof = w.says(w.demo.labo, at(SAT, 9), "register", "prove", one)
    assert [b.split("\n")[0] for b in proof.split("\n\n")[:-1]] == [
        "scellé et mis en file", "confié au serveur de courrier",
        "remis : sur le disque du destinataire",
        "ouvert : pris par le logiciel du destinataire"]
