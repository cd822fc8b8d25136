"""The issuer's desk under trial, for the campaigns: see cases.py."""

import calendar
import io
import pathlib
import shutil
import sys

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "e2e")]
from fault.cases import Case, leftovers         # noqa: E402
from pysceau import code as paper               # noqa: E402
from pysceau import envelope, kdf, keyfile, mail, records  # noqa: E402
from test_issuer_desk import claim, root_of     # noqa: E402
from world.association import CODE             # noqa: E402
from world.demo import YEAR                     # noqa: E402


class Desk(Case):
    """The issuer's desk; how far it is before the command under trial."""

    who = None
    done = ()

    def prepare(self):
        self.desk = self.demo.labo.folder / "desk"
        shutil.rmtree(self.desk, ignore_errors=True)
        self.desk.mkdir()
        (self.desk / "members.csv").write_text(MEMBERS)
        for word in self.done:
            got = self.command(word)
            assert got.code == 0, got.text()

    def command(self, word, **env):
        where = self.desk / "desk"
        two = [x for n in (1, 3) for x in (
            "--custodian", where / f"custodians/custodian-{n}.{YEAR}.txt")]
        more = {"init": ("--assoc", "essai", "--year", str(YEAR), "--domain",
                         "asso.example"),
                "add": (self.desk / "members.csv",),
                "batch": ("--out", self.desk / "out", "--policy", "full",
                          *two),
                "destroy": ("--year", str(YEAR), "--early", *two)}
        return self.demo.labo.sceau("issuer", word, where, *more[word], **env)

    def run(self, **env):
        return self.command(STEPS[len(self.done)], **env)

    def judge(self, first):
        """What was not done can be done again; then the key files open."""
        if first.code != 0 and not self.done:
            shutil.rmtree(self.desk / "desk", ignore_errors=True)
        for word in STEPS[len(self.done) + (first.code == 0):3]:
            got = self.command(word)
            assert got.code == 0, got.text()
        letters = list((self.desk / "out/letters").glob("*.txt"))
        keys = list((self.desk / "out/keys").glob("*.cle"))
        assert len(letters) == len(keys) == 4, (letters, keys)
        paper, = (p for p in letters if p.name.startswith("dr.martin"))
        slip = self.desk / "code"
        slip.write_text(CODE.search(paper.read_text()).group(0) + "\n")
        slip.chmod(0o600)
        self.demo.dr.fresh()
        self.demo.dr.key_file(self.forger.all, YEAR)
        self.demo.dr.ok("key", "import", "--code-file", slip,
                        self.desk / f"out/keys/dr.martin.{YEAR}.cle")


STEPS = ("init", "add", "batch", "destroy")
MEMBERS = """\
address,route,name,kind,ring
labo.central@labo.example,labo@labo.example,Laboratoire,laboratory,
dr.martin@cabinet.example,martin@cabinet.example,Dr Martin,practice,
petit@petit.example,petit@petit.example,Mme Petit,other,
"""


class DeskAdd(Desk):
    done = ("init",)


class DeskBatch(Desk):
    done = ("init", "add")


class DeskDestroy(Desk):
    done = ("init", "add", "batch")

    def judge(self, first):
        """The year is there, or its archive is whole; then both are so."""
        desk = self.desk / "desk"
        gone = str(YEAR) not in (desk / "years").read_text()
        assert gone or first.code != 0, "destroyed, and still there"
        got = self.command("destroy")
        assert got.code == (78 if gone else 0), got.text()
        lines = (desk / f"witness.{YEAR}").read_text().splitlines()
        assert len(lines) == 1 + 5, lines
        assert str(YEAR) not in (desk / "years").read_text()
        got = self.demo.labo.sceau("issuer", "audit", desk)
        assert got.code == 0, got.text()


NEXT = YEAR + 1
MARTIN = "dr.martin@cabinet.example"
LEROY = "cab.leroy@leroy.example"
HOLDERS = ["dr.martin", "labo.central", "petit", "veille"]
HEAD = MEMBERS.partition("\n")[0]


class Act(Desk):
    """An act in the course of the year, after the first batch; the clock
    goes on by a minute before it is done again."""

    done = ("init", "add", "batch")
    word = None
    early = ()                  # acts before this one

    def prepare(self):
        self.at = calendar.timegm((YEAR, 11, 20, 12, 0, 0))
        super().prepare()
        self.folder, self.out = self.desk / "desk", self.desk / "out"
        (self.desk / "newcomers.csv").write_text(
            f"{HEAD}\n{LEROY},{LEROY},Cabinet Leroy,practice,\n")
        for word in self.early:
            assert (got := self.command(word)).code == 0, got.text()
        self.before = self.files()

    def sheet(self, number, year=YEAR):
        return self.desk / f"desk/custodians/custodian-{number}.{year}.txt"

    def command(self, word, **env):
        env["SCEAU_FAULT_CLOCK"] = f"@{self.at}"
        out = ("--out", self.desk / "out")
        two = [x for p in sorted((self.desk / "desk/custodians").glob(
            "custodian-[13].*.txt")) for x in ("--custodian", p)]
        words = {"newcomer": (self.desk / "newcomers.csv", *out, *two),
                 "reissue": (MARTIN, *out, *two),
                 "leave": (MARTIN,),
                 "renew": ("--year", str(NEXT), *out, *two),
                 "enrol": (*out, *two), "audit": ()}
        if word not in words:
            return super().command(word, **env)
        return self.demo.labo.sceau("issuer", word, self.desk / "desk",
                                    *words[word], **env)

    def run(self, **env):
        return self.command(self.word, **env)

    def again(self, *codes):
        self.at += 60
        got = self.run()
        assert got.code in (codes or (0,)), got.text()
        return got

    def files(self):
        return {p.relative_to(self.desk): p.read_bytes()
                for p in self.desk.rglob("*") if p.is_file()}

    def register(self):
        return (self.folder / "register").read_text()

    def pair(self, local, gen=1, year=YEAR, old=()):
        """The key file, opened with the code of its letter."""
        name = f"{local}.{year}" + (f"-{gen}" if gen > 1 else "")
        text = (self.out / f"letters/{name}.txt").read_text()
        code, = set(CODE.findall(text))
        return keyfile.read((self.out / f"keys/{name}.cle").read_bytes(),
                            paper.parse(code), old)

    def judge(self, first):
        done = self.files()
        self.judge_act(first, done)
        self.orderly(first, done)

    def judge_act(self, first, done):
        raise NotImplementedError

    @staticmethod
    def kept(files):
        """What no later run may make again: sheets, letters and the key
        files that have one."""
        for name in files:
            letter = name.parent.parent / f"letters/{name.stem}.txt"
            if name.suffix != ".html" and ".tmp" not in name.name and (
                    name.parent.name in ("custodians", "letters") or
                    name.parent.name == "keys" and letter in files):
                yield name

    def orderly(self, first, done):
        """The journal is whole; what was there or was made is as it was;
        secrets are where they are meant to be, and nowhere else."""
        now = self.files()
        assert (got := self.command("audit")).code == 0, got.text()
        for files in (self.before, done):
            for name in self.kept(files):
                assert now[name] == files[name], f"{name} was made again"
        left = leftovers(now, first)
        assert left == [], left
        for name, data in now.items():
            if ".tmp" in name.name:
                continue
            secret = name.parent.name in ("custodians", "letters")
            assert secret or not CODE.search(data.decode("latin-1")), name
            for year in (YEAR, NEXT):
                if self.sheet(1, year).exists() and not secret:
                    root = root_of(self, year)
                    assert root not in data, name
                    assert root.hex().encode() not in data.lower(), name
            mode = (self.desk / name).stat().st_mode & 0o077
            assert len(name.parts) == 1 or mode == 0, (name, oct(mode))


class Newcomer(Act):
    word = "newcomer"

    def judge_act(self, first, done):
        got = self.again()
        if first.code == 0:
            assert b"0 newcomers entered" in got.stdout, got.text()
            assert b"0 pairs" in got.stdout, "not all was made"
        assert self.register().count(LEROY + "#1") == 1
        file = self.pair("cab.leroy")
        assert file.self["identity"] == f"essai/{LEROY}#1".encode()
        assert len(file.grants) == len(HOLDERS)
        assert len(list((self.out / "keys").iterdir())) == len(HOLDERS) + 1
        assert b"0 pairs" in self.again().stdout


class Reissue(Act):
    word = "reissue"

    def judge_act(self, first, done):
        # One that failed when all was made is not done again by who looks.
        register = done[pathlib.Path("desk/register")].decode()
        if f"{MARTIN}#2" not in register:
            assert first.code != 0, "exit 0 and not done"
            self.again()
        assert f"{MARTIN}#2" in self.register()
        file = self.pair("dr.martin", 2)
        assert file.self["identity"] == f"essai/{MARTIN}#2".encode()
        assert file.self["key"] != self.pair("dr.martin").self["key"]
        assert len(file.grants) == len(HOLDERS) - 1
        names = {p.name for p in (self.out / "keys").iterdir()}
        assert len(names) == len(HOLDERS) + 1, names


class Leave(Act):
    word = "leave"

    def judge_act(self, first, done):
        got = self.again(0, 65)
        if first.code == 0 or got.code == 65:
            assert got.code == 65 and b"left already" in got.stderr, \
                "exit 0 and not done"
        line, = (x for x in self.register().splitlines() if MARTIN in x)
        assert "excluded" in line.split("\t"), line
        was = self.before[pathlib.Path("desk/register")].decode()
        assert len(was.splitlines()) == len(self.register().splitlines())
        assert self.register().count("excluded") == was.count("excluded") + 1


class Renew(Act):
    word = "renew"

    def judge_act(self, first, done):
        got = self.again()
        if first.code == 0:
            assert b"0 pairs" in got.stdout, "not all was made"
        years = (self.folder / "years").read_text().splitlines()
        assert sum(str(NEXT) in y for y in years) == 1, years
        root = root_of(self, NEXT)
        check = kdf.root_check(root).hex()
        assert any(check in y for y in years), "sheets of another root"
        for local in HOLDERS:
            old = self.pair(local).self["key"]
            file = self.pair(local, year=NEXT, old=[old])
            assert file.header.source == envelope.RENEWAL
            assert file.self["key"] == kdf.member_key(
                root, NEXT, file.self["identity"])
        assert len(list((self.out / "keys").iterdir())) == 2 * len(HOLDERS)
        assert b"0 pairs" in self.again().stdout


class Enrol(Act):
    """Of a newcomer and of one who left: a mail to each who is left, once."""

    word = "enrol"
    early = ("newcomer", "leave")

    def judge_act(self, first, done):
        got = self.again()
        if first.code == 0:
            assert b"Nobody has anything" in got.stdout, got.text()
        assert b"Nobody has anything" in self.again().stdout
        paths = sorted((self.out / "mails").iterdir())
        locals_ = [p.name.split(f".{YEAR}")[0] for p in paths]
        want = sorted({*HOLDERS, "cab.leroy"} - {"dr.martin"})
        assert locals_ == want, locals_
        for path, local in zip(paths, locals_):
            bars, grants = self.told(path, local)
            assert bars == [f"essai/{MARTIN}".encode()]
            assert grants == ([] if local == "cab.leroy" else
                              [f"essai/{LEROY}#1".encode()])
            assert local == "cab.leroy" or \
                LEROY.encode() not in path.read_bytes(), "in clear"

    def told(self, path, local):
        r = envelope.Reader(io.BytesIO(mail.find(path.read_bytes())))
        r.key(kdf.channel_key(self.pair(local).self["key"], r.header.sender))
        payload = r.payload(records.LIMIT_DESK)
        return ([b["name"] for b in payload.all(records.BAR)],
                [g["identity"] for g in payload.all(records.GRANT)])


class Sheets(Act):
    """Three new ones, whole, or none that was said to be whole."""

    word = "sheets"

    def prepare(self):
        self.made = "new/custodians"
        super().prepare()

    def run(self, **env):
        return self.demo.labo.sceau(
            "issuer", "sheets", self.folder, "--year", YEAR, "--sheets",
            self.desk / self.made,
            *(w for n in (1, 3) for w in ("--custodian", super(
                Sheets, self).sheet(n))),
            SCEAU_FAULT_CLOCK=f"@{self.at}", **env)

    def judge_act(self, first, done):
        new = sorted((self.desk / self.made).glob("*.txt"))
        if first.code == 0:
            assert len(new) == 3, new
        else:
            self.made = "again/custodians"
            self.again()
        folder = self.desk / self.made
        root = root_of(self)
        self.sheet = lambda n, year=YEAR: folder / f"custodian-{n}.{year}.txt"
        assert root_of(self) == root, "of another root"
        del self.sheet


class Told(Act):
    """Acts that change nothing: with exit 0 they say the same."""

    def judge(self, first):
        again = self.run()
        assert again.code == 0, again.text()
        if first.code == 0:
            assert first.stdout == again.stdout, "exit 0 with less"
        journal = pathlib.Path("desk/acts")
        assert {**self.files(), journal: b""} == \
            {**self.before, journal: b""}
        self.orderly(first, self.before)


class Audit(Told):
    word = "audit"
    early = ("newcomer", "leave")


class Witness(Told):
    """Of a mail that its author did write."""

    def prepare(self):
        super().prepare()
        (self.desk / "proof").write_text(claim(
            root_of(self), author=f"essai/{AUTHOR}#1",
            to=f"essai/{MARTIN}#1"))
        self.before = self.files()

    def run(self, **env):
        return self.demo.labo.sceau(
            "issuer", "witness", self.folder, self.desk / "proof",
            *(w for n in (1, 3) for w in ("--custodian", self.sheet(n))),
            SCEAU_FAULT_CLOCK=f"@{self.at}", **env)

    def judge(self, first):
        assert b"Not proven" not in first.stdout, "the true one is denied"
        super().judge(first)


AUTHOR = "labo.central@labo.example"
CASES = {
    "issuer init": Desk, "issuer add": DeskAdd, "issuer batch": DeskBatch,
    "issuer destroy": DeskDestroy, "issuer newcomer": Newcomer,
    "issuer reissue": Reissue, "issuer leave": Leave, "issuer renew": Renew,
    "issuer enrol": Enrol, "issuer sheets": Sheets, "issuer audit": Audit,
    "issuer witness": Witness,
}
