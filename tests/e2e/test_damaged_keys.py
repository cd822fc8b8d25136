"""The key store is damaged, or its machine key: nothing is opened, sealed or
deleted, and nothing is lost; who moves both away takes his key in once more,
and all goes on."""

import time

import pytest

from test_keys_travel import CODE, Bench
from world.demo import YEAR, mark

PAGE = 4096
SAFE = {"en": ("safe on its server", "sceau key import"),
        "fr": ("en sûreté sur son serveur", "sceau key import")}


def damages(state):
    """(what is done, name, the octets that it has then; None: it is gone)."""
    for name in ("keystore", "keystore.key"):
        data = (state / name).read_bytes()
        for at in range(0, len(data), PAGE):
            page = data[at:at + PAGE]
            yield f"page {at} zeroed", name, \
                data[:at] + bytes(len(page)) + data[at + PAGE:]
            yield f"cut at {at}", name, data[:at]
            yield f"cut in {at}", name, data[:at + len(page) // 2]
        yield "gone", name, None
    yield "of another", "keystore.key", b"\1" * 32
    yield "too long", "keystore.key", data + b"\n"


class Office(Bench):
    """A practice that has shown a mail; another waits on the server, and one
    of its own in the queue."""

    # Mail of the second of the import may be of afterwards.
    LATER = {"SCEAU_FAULT_CLOCK": "+5"}

    def heal(self, *words):
        """What the sentence says."""
        for path in list(self.dr.state.glob("keystore*")):
            path.rename(self.home / path.name)
        return self.take(self.make(), CODE, *words, **self.LATER)

    def lived(self, demo, forger):
        dr = self.member
        self.demo, self.forger, self.dr = demo, forger, dr
        self.hold()
        self.first = demo.mail_of("shown before", dr)
        self.sealed = forger.mail(demo.labo, dr, self.first)
        demo.post(dr, self.sealed)
        dr.ok("poll")
        assert dr.shown() == [self.first]
        self.waits = demo.mail_of("that waits", dr)
        demo.post(dr, forger.mail(demo.labo, dr, self.waits))
        self.own = demo.send("of our own", demo.labo, sender=dr)
        return self

    def damage(self, name, data):
        """What was there, by name."""
        path = self.member.state / name
        before = self.kept()
        path.unlink()
        if data is not None:
            path.write_bytes(data)
            path.chmod(0o600)
            before[name] = data
        else:
            del before[name]
        return before

    def refused(self):
        """By all that need a key; in both languages."""
        before = self.kept()
        for lang, words in SAFE.items():
            for command in (["poll"], ["send", "-t"], ["key", "list"]):
                got = self.dr.sceau(*command, "--lang", lang, input=self.own)
                said = got.stderr.decode().replace("\n", " ")
                assert got.code == 78, got.text()
                assert all(w in said for w in words), said
            got = self.dr.sceau("check", "--json", "--lang", lang)
            assert got.code == 78, got.text()
            row, = (r for r in got.json() if r["result"] == "wrong")
            assert all(w in row["detail"] for w in words), row
        if "keystore" in before:    # who has none takes one in
            got = self.take(self.make(), CODE)
            assert got.code == 78 and SAFE["en"][0] in got.stderr.decode()
        assert self.kept() == before
        self.untouched()

    def untouched(self):
        """What was sealed already may leave."""
        assert len(self.dr.mail()) == 1 and self.dr.shown() == [self.first]

    def goes_on(self):
        """What waited is there once, flagged, for it may have been shown; what
        was shown is known; what was to be sent has left; and new mail is
        new."""
        demo, labo, dr = self.demo, self.demo.labo, self.dr
        new = demo.mail_of("of afterwards", dr)
        demo.post(dr, self.sealed, self.forger.mail(
            labo, dr, new, now=int(time.time()) + 60))
        for who in dr, labo, dr:
            who.ok("poll")
        assert sorted(dr.shown()) == sorted([self.first, self.waits, new])
        flagged = [p for p in dr.documents() if "possible-duplicate" in
                   mark(p.read_bytes()).get("flags", "")]
        assert len(flagged) == 1 and b"that waits" in flagged[0].read_bytes()
        assert dr.mail() == [] and dr.held() == []
        assert labo.shown() == [self.own]
        assert dr.states() == {labo.name: "received"}
        row, = (r for r in dr.sceau("check", "--json").json()
                if r["what"] == "key")
        assert row["result"] == "fine"


@pytest.fixture
def office(demo, forger):
    return Office(demo.dr, forger.maker(YEAR + 1)).lived(demo, forger)


def test_each_damage_is_said_and_healed(office, demo):
    demo.save("damaged keys")
    tried = list(damages(demo.dr.state))
    assert len(tried) >= 13
    for what, name, data in tried:
        demo.load("damaged keys")
        office.damage(name, data)
        office.refused()
        got = office.heal()
        assert got.code == 0, (what, name, got.text())
        office.goes_on()
