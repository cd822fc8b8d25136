"""A laboratory's outbox under trial, for the campaigns: see cases.py."""

from fault.cases import Case
from world.outbox import PDF, Box, report
from world.verdict import settle


class Outbox(Case):
    """Two groups that go, and a file that is refused."""

    who = "labo"
    after = "delete"
    kept = ()           # folders in which it keeps what it has sent

    def prepare(self):
        super().prepare()
        self.box = Box(self.demo)
        self.box.want(ready="rename", to=self.demo.dr.address,
                      after=self.after)
        self.good = [report(), PDF, report(line_9="2")]
        self.wrong = report(line_7="never")
        self.box.drop("r.hpr", report())
        self.box.drop("r.pdf", PDF)
        self.box.drop("s.hpr", report(line_9="2"))
        self.box.drop("t.hpr", self.wrong)

    def run(self, **env):
        return self.demo.labo.sceau("poll", **env)

    def folders(self):
        """The outbox and the folders in it, too: what is refused, and what
        is kept, goes there."""
        return {**super().folders(), "outbox": self.box.path,
                **{f"outbox/{name}": self.box.path / name
                   for name in ("refused", *self.kept)}}

    def judge(self, first):
        settle(self.demo.labo)
        self.nothing_left()
        assert sorted(d for _, d in self.box.arrived()) == sorted(self.good)
        # When the file could not follow its reasons, there are others.
        kept = self.box.refusals()
        (name, data), = ((n, d) for n, d in kept.items()
                         if not n.endswith(".txt"))
        assert data == self.wrong and f"{name}.txt" in kept, sorted(kept)

    def nothing_left(self):
        assert self.box.left() == [], self.box.left()


class OutboxKept(Outbox):
    """What was sent is moved aside."""

    after, kept = "move", ("sent",)

    def nothing_left(self):
        left = self.box.left()
        assert all(name.startswith("sent/") for name in left), left
        assert sorted((self.box.path / name).read_bytes()
                      for name in left) == sorted(self.good), left


CASES = {"poll, outbox": Outbox, "poll, outbox that keeps": OutboxKept}
