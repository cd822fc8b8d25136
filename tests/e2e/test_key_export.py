"""A change of computer: keys under a passphrase, and what opens then."""

import io

import pytest

from pysceau import envelope, kdf
from test_keys_travel import CODE, NEXT_CODE, Bench
from world.demo import YEAR, mark

WORDS = "cheval agrafe correct"


class Office(Bench):
    def export(self, *words, path="move.sceau", phrase=WORDS, lang="en",
               **env):
        slip = self.member.secret("phrase", phrase + "\n")
        return self.member.sceau("key", "export", self.home / path,
                                 "--pass-file", slip, "--lang", lang, *words,
                                 **env)

    def bring(self, data, *words, phrase=WORDS, **env):
        slip = self.member.secret("phrase", phrase + "\n")
        return self.member.sceau("key", "import", self.put(data, "brought"),
                                 "--pass-file", slip, *words, **env)

    def exported(self, **more):
        got = self.export(**more)
        assert got.code == 0, got.text()
        return (self.home / more.get("path", "move.sceau")).read_bytes()

    def lose(self):
        """Another computer: no key store."""
        for path in self.member.state.glob("keystore*"):
            path.unlink()


@pytest.fixture
def office(demo, forger):
    return Office(demo.dr, forger.maker(YEAR + 1)).hold()


def test_export_says_what_it_is_and_never_overwrites(office):
    got = office.export("--dry-run")
    assert got.code == 0 and b"would hold" in got.stdout
    assert not (office.home / "move.sceau").exists()
    got = office.export(lang="fr")
    said = got.stdout.decode()
    assert got.code == 0 and f"contient les clés de {office.member.name}#1" \
        in said and f" {YEAR} ;" in said.replace("\xa0", " ")
    assert "ne pas le sauvegarder" in said and "N’y sont pas" in said
    path = office.home / "move.sceau"
    assert path.stat().st_mode & 0o777 == 0o600
    data = path.read_bytes()
    assert envelope.parse_header(data).source == 0x12
    assert office.maker.K(office.member.name.encode(), YEAR) not in data
    assert office.export().code == 78 and path.read_bytes() == data
    short = office.export(path="short", phrase="elevenbytes")
    assert short.code == 78 and b"too short" in short.stderr
    assert not (office.home / "short").exists()


def test_another_computer_opens_old_mail_and_flags_it(office, demo, forger):
    old, new = (demo.mail_of(t, demo.dr) for t in ("old", "new"))
    data = office.exported()
    office.lose()
    demo.post(demo.dr, forger.mail(demo.labo, demo.dr, old, now=1_700_000_000))
    got = office.bring(data)
    assert got.code == 0, got.text()
    assert f"for {YEAR}: is held" in got.stdout.decode()
    assert b"possible duplicate" in got.stdout
    demo.dr.ok("poll")
    assert demo.dr.shown() == [old]
    assert "possible-duplicate" in mark(
        demo.dr.documents()[0].read_bytes())["flags"]
    assert office.years() == [YEAR]
    key = demo.dr.state / "keystore.key"
    assert key.stat().st_mode & 0o777 == 0o400
    # And it goes on: the renewal is built on what was brought.
    got = office.take(office.make(YEAR + 1, NEXT_CODE, renewal=True),
                      NEXT_CODE)
    assert got.code == 0 and office.years() == [YEAR, YEAR + 1]


def test_a_store_that_is_there_gets_more_and_loses_nothing(office):
    office.take(office.make(YEAR + 1, NEXT_CODE, renewal=True), NEXT_CODE)
    data = office.exported()
    office.lose()
    office.hold()
    machine = (office.member.state / "keystore.key").read_bytes()
    got = office.bring(data, "--dry-run")
    assert got.code == 0 and office.years() == [YEAR]
    rows = office.bring(data, "--json").json()
    assert [(r["type"], r["year"]) for r in rows] == \
        [("key_imported", YEAR), ("key_imported", YEAR + 1)]
    assert office.years() == [YEAR, YEAR + 1]
    assert (office.member.state / "keystore.key").read_bytes() == machine


def refused(office, data, says, lang, **more):
    before = office.kept()
    got = office.bring(data, "--lang", lang, **more)
    assert got.code == 65 and says in got.stderr.decode(), got.text()
    assert office.kept() == before


def test_what_is_refused_and_how(office, demo):
    data = office.exported()
    for lang, says in (("en", "the passphrase does not open"),
                       ("fr", "la phrase de passe n’ouvre pas")):
        refused(office, data, says, lang, phrase=WORDS + " ")
    refused(office, data[:-20], "n’est pas entier", "fr")
    refused(office, data[:300] + bytes([data[300] ^ 1]) + data[301:],
            "rien n’a été changé", "fr")
    durand = demo.durand.identity.encode()
    out = io.BytesIO()      # its name is told before any passphrase is tried
    envelope.seal_raw(out, bytes(32), YEAR, durand, durand, bytes(32),
                      [bytes(4096)], 0x12)
    refused(office, out.getvalue(), "celles de demo/dr.martin", "fr")


def test_an_export_that_anybody_could_have_made(office, forger):
    """Of the right name, with keys of another root: nothing shows whose it
    is.  Into an empty store it would be like any first key file."""
    thief = forger.maker(YEAR + 1)
    thief.roots[YEAR] = kdf.b2sum(b"a thief's")
    office.lose()
    got = office.take(thief.key_file(office.member.name.encode(), YEAR,
                                     CODE))
    assert got.code == 0, got.text()
    data = office.exported()
    office.lose()
    office.hold()
    refused(office, data, "rien ne montre donc", "fr")


def test_at_the_terminal(office):
    with office.person("key", "export", "move.sceau", "--lang",
                       "fr") as person:
        person.answer("de plusieurs mots", WORDS)
        person.answer("encore une fois", WORDS + "s")
        assert person.end() == 78
    assert "diffèrent" in person.seen and WORDS not in person.seen
    assert not (office.home / "move.sceau").exists()
    with office.person("key", "export", "move.sceau") as person:
        person.answer("of several words", WORDS)
        person.answer("once more", WORDS)
        assert person.end() == 0, person.seen
    office.lose()
    with office.person("key", "import", "move.sceau") as person:
        person.answer("Passphrase of the export", "another one, wrong")
        person.expect("Type it again")
        person.answer("Passphrase of the export", WORDS)
        assert person.end() == 0, person.seen
    assert office.years() == [YEAR]
