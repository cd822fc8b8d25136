"""The power fails while keys and stores are rewritten: at each moment of the
year that ends and of a damaged store that is mended, on each disk that a cut
may leave then, all goes on."""

import os
import random
import re

import pytest

from test_disk import arrived, damage, kept
from test_year_over import NEXT, Year, at, mail_of_next
from world.power import CHOICES, Disk, Record

# So many disks are tried; with SCEAU_CUTS=1000, all.
SAMPLE = int(os.environ.get("SCEAU_CUTS", "12"))
# What is tried of it first: each state of these once.
REWRITTEN = ("keystore", "sceau.db", "mend")
TEMPORARY = re.compile("(?<=.tmp).*")


def names(image):
    """Of the keys all octets; of stores, and of what has no name yet, that
    they are there."""
    return tuple(sorted(
        (TEMPORARY.sub("", str(path)), octets if
         path.name.startswith("keystore") and ".tmp" not in path.name else
         octets is None or len(octets) > 0)
        for path, (_, octets) in image.items()
        if any(part.startswith(REWRITTEN) for part in path.parts)))


class Cuts:
    """The disks that a cut at any moment of a run may leave."""

    def __init__(self, member):
        self.member = member
        self.world = member.world
        self.disk, self.record = Disk(member.folder), Record(self.world.top)

    def run(self, *words, **env):
        got = self.member.sceau(*words, **self.record.env(**env))
        self.world.save("cut")
        return got

    def every(self, rng):
        """Each state of the names and keys, and then of the rest; of both a
        part, with the first and the last."""
        others, known = [], {}
        for r in self.record.read():
            getattr(self.disk, f"_{r.kind}")(r)
            for how in CHOICES:
                image = self.disk.image(self.disk.choice(how, rng))
                if names(image) in known:
                    others.append((how, image))
                known.setdefault(names(image), (how, image))
        first, *between, last = known.values()
        return [first, *rng.sample(between, min(SAMPLE - 4, len(between))),
                *rng.sample(others, min(SAMPLE // 6, len(others))), last]

    def lived(self, seed=1):
        """The machine goes on from each of them."""
        n = 0
        for how, image in self.every(random.Random(seed)):
            self.world.load("cut")
            self.disk.put(image)
            n += 1
            yield n, how


def test_the_end_of_a_year(demo, forger):
    year = Year(demo, forger.maker(NEXT)).lived(forger)
    dr = year.member
    secrets = year.secrets()
    data, sealed = mail_of_next(year, demo.labo, "of the new year")
    barred = mail_of_next(year, demo.durand, "barred")[1]
    dr.sceau("poll", **at(4, 3))
    cuts = Cuts(dr)
    assert cuts.run("poll", **at(4, 11)).code == 0
    assert year.years() == [NEXT]
    demo.post(dr, *(forger.wrap(s, dr, env) for s, env in
                    ((demo.labo, sealed), (demo.durand, barred))))
    demo.save("cut")
    for n, how in cuts.lived():
        try:
            got = dr.sceau("poll", **at(4, 13))
            assert got.code == 65, got.text()
            dr.ok("poll", **at(4, 15))
            assert year.years() == [NEXT] and year.erased(secrets)
            # What the rows knew, they know.
            assert dr.shown() == [year.first, data]
            assert dr.classes() == ["BARRED"]
        except AssertionError as e:
            raise AssertionError(n, how) from e
    assert n >= 9


def test_a_damaged_store_is_mended(demo):
    labo = demo.labo
    mails = [demo.send("INR 2,1", demo.dr)]
    labo.ok("poll")
    mails.append(demo.send("INR 3,0", demo.dr))
    damage(labo, "queue_due")
    before = (labo.state / "sceau.db").read_bytes()
    cuts = Cuts(labo)
    assert cuts.run("restored").code == 0
    codes = set()
    for n, how in cuts.lived(2):
        try:
            old = [p.read_bytes() == before for p in (
                labo.state / "sceau.db", *kept(labo))]
            code = labo.sceau("poll").code
            codes.add(code)
            if code == 0:       # the new one is there, and the old one
                assert not old[0] and any(old)
            else:
                assert code == 78 and old[0]
                labo.ok("restored")
            arrived(demo, mails)
        except AssertionError as e:
            raise AssertionError(n, how) from e
    assert codes == {0, 78} and n >= 9


@pytest.mark.parametrize("deaf", ("files", "folders"))
def test_without_its_syncs_a_key_is_lost(demo, forger, deaf):
    """So one that is missing would be seen."""
    year = Year(demo, forger.maker(NEXT)).lived(forger)
    dr = year.member
    dr.sceau("poll", **at(4, 3))
    cuts = Cuts(dr)
    cuts.disk.deaf = deaf
    assert cuts.run("poll", **at(4, 11)).code == 0
    codes = set()
    for _ in cuts.lived():
        codes.add(dr.sceau("poll", **at(4, 13)).code)
        if codes - {0}:
            return
    raise AssertionError("never missed")
