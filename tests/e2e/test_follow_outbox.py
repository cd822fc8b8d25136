"""Alarms of an outbox: what was refused lies there, what is never whole.  An
injected clock (--enable-fault); files have the machine's own time."""

import pytest

from world.follow import Follower, at, said
from world.outbox import report


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
- Boîte d’envoi lis : 1 fichier refusé n’est pas parti, depuis le {first} ; \
il est dans {refused}.
  Le texte à côté de chacun dit pourquoi. Le corriger dans le système du \
laboratoire, le déposer de nouveau, puis l’effacer de ce dossier.
"""
    labo.poll(at(0, 9, 5))
    assert labo.news() == ""
    (box / "s.hpr").write_bytes(report(line_2=""))
    labo.poll(at(0, 9, 10), 65)
    assert f"- Boîte d’envoi lis : 2 fichiers refusés ne sont pas partis, le " \
        f"premier depuis le {first} ; ils sont dans {refused}.\n" in labo.news()
    assert labo.figures()['sceau_alarms{rule="outbox-refused"}'] == 1
    for path in refused.iterdir():
        path.unlink()
    labo.poll(at(0, 9, 15))
    assert labo.news().split("\n\n", 1)[1] == f"""\
Terminées :
- lis : « fichiers refusés » a pris fin le {said(at(0, 9, 15))}.
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
