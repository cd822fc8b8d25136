"""sceau restored of a damaged store under trial, for the campaigns: see
cases.py."""

import time

from fault.cases import Case
from world.demo import mark
from world.small import damage
from world.verdict import settle


class Mended(Case):
    """A store in which the page of an index, or of the journal, is zeros:
    it is mended; what was shown before comes again only with a flag, and
    what was to be sent goes."""

    table = "queue_due"
    lost = False

    def prepare(self):
        super().prepare()
        d = self.demo
        self.old = self.forger.mail(d.labo, d.dr, self.data,
                                    now=int(time.time()) - 60)
        d.post(d.dr, self.forger.mail(d.labo, d.dr, self.data))
        d.dr.ok("poll")
        for path in d.dr.documents():
            path.unlink()
        d.dr.ok("poll")
        self.back = d.send("Merci", d.labo, sender=d.dr)
        damage(d.dr, self.table)

    def run(self, **env):
        return self.demo.dr.sceau("restored", "--json", **env)

    def judge(self, first):
        """A read that fails is a page that cannot be read, for SQLite: then
        more may be lost, which is said."""
        d = self.demo
        if first.code != 0:
            first = d.dr.ok("restored", "--json")
        row, = first.json()
        lost = row["damaged"] == "lost"
        assert lost or row["damaged"] == "no" or not self.lost, row
        assert list(d.dr.state.glob("sceau.db.damaged-*")), "not kept"
        assert not (d.dr.state / "mend").exists(), "left behind"
        d.post(d.dr, self.old)
        settle(d.dr)
        got, = d.dr.documents()
        assert "possible-duplicate" in mark(got.read_bytes()).get(
            "flags", ""), "shown again as new"
        settle(d.labo)
        shown = d.labo.shown()
        assert shown == [self.back] or (lost and shown == []), \
            "not sent, or twice"


class MendedLoss(Mended):
    table, lost = "journal", True


CASES = {"restored, damaged store": Mended,
         "restored, lost journal": MendedLoss}
