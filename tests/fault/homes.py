"""The commands of a member's keys and of his machine, and those of the watch
desk, under trial, for the campaigns: see cases.py."""

import pathlib
import re
import sys

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "e2e")]
from fault.cases import Case, Quiet, leftovers  # noqa: E402
from pysceau import code as paper               # noqa: E402
from test_key_export import Office              # noqa: E402
from test_keys_travel import CODE, NEXT_CODE    # noqa: E402
from test_schedule import FAKE                  # noqa: E402
from test_watch import begun, believes, later, listed, mails  # noqa: E402
from test_year_over import NEXT, Year, at       # noqa: E402
from world.demo import YEAR                     # noqa: E402
from world.dovecot import free_ports            # noqa: E402
from world.verdict import settle, shown_once    # noqa: E402


# ---- keys -------------------------------------------------------------------

class Keys(Case):
    """Of dr, who has a store of its own with the key of this year."""

    kind = Office

    def prepare(self):
        super().prepare()
        self.office = self.kind(self.demo.dr, self.forger.maker(NEXT))
        self.office.hold()

    def holds(self, first, *years):
        """These years and no other, with the right keys, readable; in no
        file is one of them in clear, and no temporary file is left."""
        dr, maker = self.demo.dr, self.office.maker
        rows = dr.ok("key", "list", "--json").json()
        assert [(r["year"], r["identity"]) for r in rows] == \
            [(y, dr.identity) for y in years], rows
        me = dr.name.encode()
        secrets = [k for y in (YEAR, NEXT)
                   for k in (maker.K(me, y), *(c for _, c in
                                               maker.ring(me, y)))]
        secrets += [CODE, NEXT_CODE, paper.format(CODE).encode(),
                    paper.format(NEXT_CODE).encode()]
        files = [p for p in dr.folder.rglob("*")
                 if p.is_file() and p.name != "code"]
        assert leftovers(files, first) == []
        for path in files:
            data = path.read_bytes()
            assert not any(s in data for s in secrets), f"clear in {path}"

    def opens(self):
        d = self.demo
        d.post(d.dr, self.forger.mail(d.labo, d.dr, self.data))
        settle(d.dr)
        shown_once(d.dr, [self.data])


class KeyRenew(Keys):
    """The file is looked for."""

    def prepare(self):
        super().prepare()
        self.office.put(self.office.make(NEXT, NEXT_CODE, renewal=True),
                        f"Downloads/dr.martin.{NEXT}.cle")
        self.slip = self.demo.dr.secret("code",
                                        paper.format(NEXT_CODE) + "\n")

    def run(self, **env):
        return self.demo.dr.sceau("key", "renew", "--code-file", self.slip,
                                  **at(11, 20, YEAR), **env)

    def judge(self, first):
        if first.code == 0:
            self.holds(first, YEAR, NEXT)
        again = self.run()
        # Done though it failed: then there is nothing newer to be found.
        assert again.code == 0 or self.office.years() == [YEAR, NEXT], \
            again.text()
        self.holds(first, YEAR, NEXT)
        self.opens()


class KeyExport(Keys):
    def run(self, **env):
        return self.office.export(**env)

    def judge(self, first):
        path = self.office.home / "move.sceau"
        before = path.read_bytes() if path.exists() else None
        assert first.code != 0 or before, "exit 0 and no file"
        again = self.run()
        assert again.code == (0 if before is None else 78), again.text()
        data = path.read_bytes()
        assert before in (None, data), "what was there was written over"
        assert path.stat().st_mode & 0o777 == 0o600
        self.holds(first, YEAR)
        self.office.lose()
        got = self.office.bring(data)
        assert got.code == 0, got.text()
        self.holds(first, YEAR)
        self.opens()


class KeyBring(Keys):
    """Another computer takes in what was exported."""

    def prepare(self):
        super().prepare()
        self.data_ = self.office.exported()
        self.office.lose()

    def run(self, **env):
        return self.office.bring(self.data_, **env)

    def judge(self, first):
        if first.code == 0:
            self.holds(first, YEAR)
        again = self.run()
        assert again.code == 0, again.text()
        self.holds(first, YEAR)
        self.opens()


class Erase(Keys):
    """The pass at which the keys of a year that is over go."""

    kind = None

    def prepare(self):
        Case.prepare(self)
        self.year = Year(self.demo, self.forger.maker(NEXT))
        self.year.lived(self.forger)
        self.secrets = self.year.secrets()
        self.demo.dr.sceau("poll", **at(4, 3))

    def run(self, **env):
        return self.demo.dr.sceau("poll", **at(4, 11), **env)

    def judge(self, first):
        years = self.year.years()
        assert years in ([YEAR, NEXT], [NEXT]), years
        for day in (12, 20, 28):
            self.demo.dr.sceau("poll", **at(4, day))
        assert self.year.years() == [NEXT]
        self.year.erased(self.secrets)
        shown_once(self.demo.dr, [self.year.first])
        self.demo.post(self.demo.dr, self.year.envelope)
        self.demo.dr.sceau("poll", **at(4, 29))
        shown_once(self.demo.dr, [self.year.first])
        assert self.demo.dr.classes() in ([], ["EXPIRED"])


# ---- the watch desk ---------------------------------------------------------

class Bar(Case):
    """Noted for good and told to everybody; nobody else is barred."""

    who = "watch"

    def prepare(self):
        super().prepare()
        self.demo.watch.ok("poll")

    def run(self, **env):
        return self.demo.watch.sceau("bar", self.demo.durand.address,
                                     "--reason", "vol du PC", **env)

    def judge(self, first):
        d = self.demo
        barred = {d.durand.name: 2}
        assert listed(d) == barred if first.code == 0 else \
            listed(d) in ({}, barred)
        if first.code != 0:
            noted = listed(d) == barred
            again = self.run()
            assert again.code == (67 if noted else 0), again.text()
        assert listed(d) == barred
        settle(d.watch)
        for who in (d.dr, d.labo):
            assert 1 <= len(who.mail()) <= 3, "not told, or too often"
            settle(who)
            assert not believes(d, self.forger, d.durand, who)
            assert believes(d, self.forger, d.petit, who), "barred too"
        assert all(mails(d)[i] >= 1 for i in (2, 3, 4, 5))


class Bulletin(Case):
    """A pass with the bulletin of the week due."""

    who = "watch"

    def prepare(self):
        super().prepare()
        self.demo.watch.sceau("poll")
        self.demo.watch.sceau("poll", **later(1, 1))

    def run(self, **env):
        return self.demo.watch.sceau("poll", **later(1, 2), **env)

    def judge(self, first):
        d = self.demo
        for hours in (3, 5, 7, 9):
            if d.watch.sceau("poll", **later(1, hours)).code == 0:
                break
        assert min(mails(d)) >= 1, "somebody was not told"
        assert max(mails(d)) <= 2, "told too often"
        # What is written in the log alone may be missing from it.
        numbers = begun(d, **later(1, 10))
        assert len(numbers) <= 1, numbers


class BarList(Quiet):
    words = "bar", "--list", "--json"
    who = "watch"

    def prepare(self):
        Case.prepare(self)
        self.demo.watch.ok("bar", self.demo.durand.address)


# ---- the machine ------------------------------------------------------------

class Setup(Case):
    """A configuration that is there is kept under a dated name; the password
    is in one file, that nobody else may read."""

    who = None
    PASSWORD = "mot de passe secret 1729"

    def prepare(self):
        super().prepare()
        self.top = self.demo.labo.home
        self.conf = self.top / ".config/sceau/sceau.conf"
        self.conf.parent.mkdir(parents=True)
        self.conf.write_text("# the former\nlanguage = fr\n")
        (self.top / "providers").write_text(
            "poste.example localhost:993 localhost:995 localhost:587/starttls"
            " address\n")

    def run(self, **env):
        return self.demo.labo.sceau(
            "-c", self.conf, "setup", "--yes", "--force", "--no-test",
            "--providers", self.top / "providers", "cabinet@poste.example",
            input=f"{self.PASSWORD}\n".encode(),
            SCEAU_FAULT_DNS=str(free_ports(1)[0]), **env)

    def files(self):
        return [p for p in self.top.rglob("*") if p.is_file()]

    def whole(self):
        text = self.conf.read_text()
        assert 'user = "cabinet@poste.example"' in text, text
        password = self.conf.parent / "sceau.password"
        assert password.read_text().strip() == self.PASSWORD

    def judge(self, first):
        if first.code == 0:
            self.whole()
        else:
            assert self.conf.exists(), "the former one is gone"
            # Within one second the dated name is taken, and nothing is done.
            again = self.run(SCEAU_FAULT_CLOCK="+60")
            assert again.code == 0, again.text()
            self.whole()
        former = [p for p in self.conf.parent.glob("sceau.conf.*")
                  if p.read_text().startswith("# the former")]
        assert former, "the former one was not kept"
        assert leftovers(self.files(), first) == []
        for path in self.files():
            if self.PASSWORD in path.read_text("utf-8", "replace"):
                assert path.name.startswith("sceau.password"), path
                assert path.stat().st_mode & 0o077 == 0, path


class Schedule(Case):
    """For systemd: two files, whole."""

    who = None
    words = "--kind", "systemd"

    def prepare(self):
        super().prepare()
        self.home = self.demo.labo.home
        fake = self.home / "bin/crontab"
        fake.parent.mkdir()
        fake.write_text(FAKE)
        fake.chmod(0o755)
        self.tab = self.home / "tab"
        self.tab.write_text("MAILTO=x\n0 4 * * * backup\n")

    def run(self, **env):
        return self.demo.labo.sceau("schedule", *self.words,
                                    PATH=f"{self.home}/bin:/usr/bin:/bin",
                                    **env)

    def judge(self, first):
        if first.code == 0:
            self.whole()
        again = self.run()
        assert again.code == 0, again.text()
        self.whole()
        assert leftovers(self.home.rglob("*"), first) == []

    def whole(self):
        folder = self.home / ".config/systemd/user"
        assert "ExecStart=" in (folder / "sceau.service").read_text()
        assert re.search(r"OnCalendar=\S+ .*\n",
                         (folder / "sceau.timer").read_text())


class Crontab(Schedule):
    """One line more, and those of others as they were."""

    words = "--kind", "cron"

    def whole(self):
        *others, line = self.tab.read_text().splitlines()
        assert others == ["MAILTO=x", "0 4 * * * backup"], others
        assert line.endswith("poll # sceau: poll"), line

    def judge(self, first):
        assert self.tab.read_text().startswith(
            "MAILTO=x\n0 4 * * * backup\n"), "lines of others are gone"
        super().judge(first)


class Check(Quiet):
    """It says what is wrong, and logs in: no exit 0 with less."""

    words = "check", "--json"

    def run(self, **env):
        got = super().run(**env)
        got.stdout = b"".join(sorted(re.findall(
            rb'"what":"[^"]*"|"result":"[^"]*"', got.stdout)))
        return got


CASES = {
    "key list --peers": type("Peers", (Quiet,), {
        "words": ("key", "list", "--peers", "--json")}),
    "key renew": KeyRenew, "key export": KeyExport,
    "key import, export": KeyBring, "poll, year over": Erase, "bar": Bar,
    "bar --list": BarList, "poll, bulletin": Bulletin, "setup": Setup,
    "schedule": Schedule, "schedule, cron": Crontab, "check": Check,
}
