"""Alarms of what lies: mail that cannot be opened; an outbox with files that
were refused, that are never whole, or that is away; documents that cannot be
filed.  An injected clock (--enable-fault); files have the machine's own
time."""

import pytest

from world.follow import Follower, at, clock, said
from world.outbox import report
from world.small import mounted


@pytest.fixture
def labo(demo):
    return Follower(demo.labo)


@pytest.fixture
def box(demo, labo):
    """An outbox of labo for dr."""
    path = demo.labo.home / "envoi"
    path.mkdir()
    labo.configure(sections=f"""outbox "lis" {{
    path = "{path}"
    ready = rename
    to = "{demo.dr.address}"
}}""")
    return path


def test_refused_files_until_they_are_taken_away(labo, box):
    (box / "r.hpr").write_bytes(report(line_7="jamais"))
    labo.poll(at(0, 9), 65)
    refused = box / "refused"
    first = said(int((refused / "r.hpr.txt").stat().st_mtime))
    assert labo.rules(at(0, 9)) == ["outbox-refused"]
    assert labo.news().split("\n\n", 1)[1] == f"""\
Nouvelles :
- Boîte d’envoi lis : 1 fichier refusé le {first} n’est pas parti ; il est \
dans {refused}.
  Le texte à côté de chaque fichier dit pourquoi. Corriger le fichier dans le \
système du laboratoire, le déposer de nouveau, puis effacer de ce dossier le \
fichier et son texte.
"""
    labo.poll(at(0, 9, 5))
    assert labo.news() == ""
    (box / "s.hpr").write_bytes(report(line_2=""))
    labo.poll(at(0, 9, 10), 65)
    assert f"- Boîte d’envoi lis : 2 fichiers refusés, le premier le {first}, " \
        f"ne sont pas partis ; ils sont dans {refused}.\n" in labo.news()
    assert labo.figures()['sceau_alarms{rule="outbox-refused"}'] == 1
    for path in refused.iterdir():
        path.unlink()
    labo.poll(at(0, 9, 15))
    assert labo.news().split("\n\n", 1)[1] == f"""\
Terminées :
- lis : « fichiers refusés » a pris fin le {said(at(0, 9, 15))}.
"""


def test_sealed_mail_that_cannot_be_opened(demo, forger):
    """A key of the next year is not there yet; damage; until both are gone."""
    dr = Follower(demo.dr)
    sealed = forger.seal(demo.labo, demo.dr, demo.mail_of("INR", demo.dr))
    late = forger.wrap(demo.labo, demo.dr, forger.seal(
        demo.labo, demo.dr, demo.mail_of("INR", demo.dr), year=2027))
    demo.post(demo.dr, late)
    dr.poll(at(0, 9), 65)
    assert dr.rules(at(0, 9)) == ["held"]
    assert dr.news().split("\n\n", 1)[1] == f"""\
Nouvelles :
- 1 courrier scellé est arrivé et ne peut pas être ouvert, depuis le \
{said(at(0, 9))}.
  Rien n’est perdu : il est conservé scellé. Pourquoi, et que faire, pour \
chacun : sceau held list
"""
    dr.poll(at(0, 9, 5))
    assert dr.news() == ""
    demo.post(demo.dr, forger.wrap(demo.labo, demo.dr,
                                   sealed[:-1] + bytes([sealed[-1] ^ 1])))
    dr.poll(at(0, 9, 10), 65)
    assert "- 2 courriers scellés sont arrivés et ne peuvent pas être " \
        f"ouverts, le premier depuis le {said(at(0, 9))}.\n" in dr.news()
    assert dr.figures()['sceau_alarms{rule="held"}'] == 1
    for row in demo.dr.held():
        demo.dr.ok("held", "drop", str(row["id"]), **clock(at(0, 9, 12)))
    dr.poll(at(0, 9, 15))
    assert dr.news().split("\n\n", 1)[1] == f"""\
Terminées :
- « courrier non ouvert » a pris fin le {said(at(0, 9, 15))}.
"""


def test_a_file_that_is_never_whole(labo, box):
    for name in ("r.hpr.tmp", ".DS_Store"):
        (box / name).write_bytes(b"P0001\r\n")
    since = int((box / "r.hpr.tmp").stat().st_ctime)
    labo.poll(since + 3630)             # an hour and `quiet`
    assert labo.rules(since + 3630) == []
    labo.poll(since + 3631)
    assert labo.rules(since + 3631) == ["outbox-left"]
    assert labo.news().split("\n\n", 1)[1] == f"""\
Nouvelles :
- Boîte d’envoi lis : 1 fichier y attend depuis le {said(since)} et n’est \
pas pris : il est incomplet, ou ne peut pas encore partir ; il est dans {box}.
  L’export a-t-il été interrompu (nom provisoire, .ok manquant) ? Les déposer \
de nouveau. Pour toute autre cause : sceau check
"""
    (box / "r.hpr.tmp").rename(box / "r.pdf")
    labo.poll(since + 3660)
    assert labo.rules(since + 3660) == []
    assert "- lis : « fichiers non pris » a pris fin" in labo.news()


def test_an_outbox_that_is_away(demo, labo, box):
    (box / "r.hpr").write_bytes(report(line_7="jamais"))
    labo.poll(at(0, 9), 65)
    labo.news()
    away = box.rename(demo.labo.home / "ailleurs")
    assert "outbox.trouble" in labo.poll(at(0, 9, 5), 78)
    assert labo.poll(at(0, 9, 10), 78) == ""    # told already
    labo.poll(at(0, 10, 4), 78)
    assert labo.rules(at(0, 10, 4)) == ["outbox-refused"]   # as it was
    labo.poll(at(0, 10, 5), 78)
    assert labo.news().split("\n\n", 1)[1] == f"""\
Nouvelles :
- Boîte d’envoi lis : rien n’en part depuis le {said(at(0, 9, 5))} (boîte \
d’envoi lis : {box} : ce fichier ou dossier n’existe pas).
  Remettre le dossier en place (disque, réseau, droits d’accès). Ce qui ne va \
pas : sceau check
"""
    away.rename(box)
    labo.poll(at(0, 10, 10))
    assert labo.rules(at(0, 10, 10)) == ["outbox-refused"]
    assert "- lis : « boîte d’envoi inutilisable » a pris fin" in labo.news()


def test_documents_that_cannot_be_filed(demo, labo):
    dr = Follower(demo.dr)
    dr.configure(kind="folder")
    for text in "ab":
        demo.labo.ok("send", "-t", input=demo.mail_of(text, demo.dr),
                     **clock(at(0, 8)))
    labo.poll(at(0, 8))
    with mounted(demo.dr.inbox, 0):
        assert dr.poll(at(0, 9), 75).count("deliver.failed") == 1
        assert dr.poll(at(0, 9, 5), 75) == ""       # told already
        dr.poll(at(0, 9, 59), 75)
        assert dr.rules(at(0, 9, 59)) == []
        dr.poll(at(0, 10), 75)
        row, = (r for r in demo.dr.sceau("check", "--json").json()
                if r["what"] == "remise inbox")
    assert row["result"] == "wrong" and "plus de place" in row["detail"]
    assert dr.news().split("\n\n", 1)[1] == f"""\
Nouvelles :
- Des documents arrivés ne peuvent pas être déposés depuis le \
{said(at(0, 9))} (remise : {demo.dr.inbox} : plus de place sur le disque).
  Rien n’est perdu : ils sont gardés, et déposés d’eux-mêmes dès qu’il y a de \
la place et que le dossier est là. Regarder : sceau check
"""
    assert demo.dr.documents() == []
    dr.poll(at(0, 10, 5))
    assert len(demo.dr.documents()) == 2
    assert dr.news().split("\n\n", 1)[1] == f"""\
Terminées :
- « documents non déposés » a pris fin le {said(at(0, 10, 5))}.
"""
