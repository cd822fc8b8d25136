"""Two associations that agree, each at its desk, under trial: see desks.py."""

from fault.desks import Act, Told
from pysceau import code as paper
from pysceau import envelope, kdf, keyfile, mail, records
from world.association import CODE
from world.demo import YEAR

OURS = b"essai/association@asso.example#1"
DURAND = "dr.durand@durand.example"
TABLE = f"""\
address,route,name,kind,ring
{DURAND},{DURAND},Dr Durand,practice,
"""


class Sister(Act):
    """Our desk, and beside it that of another association, beta, which has
    one member, and our list."""

    def prepare(self):
        super().prepare()
        self.beta = self.desk / "beta"
        table = self.desk / "beta.csv"
        table.write_text(TABLE)
        self.ok("init", self.beta, "--assoc", "beta", "--year", str(YEAR),
                "--domain", "beta.example")
        self.ok("add", self.beta, table)
        self.ok("batch", self.beta, "--out", self.desk / "theirs",
                "--policy", "full", *self.two(self.beta))
        self.listed = self.desk / "essai.list"
        self.further()
        self.before = self.files()

    def further(self):
        self.ok("list", self.folder, "--out", self.listed)

    def two(self, desk):
        return [x for n in (1, 3) for x in (
            "--custodian", desk / f"custodians/custodian-{n}.{YEAR}.txt")]

    def issuer(self, word, *words, **env):
        env["SCEAU_FAULT_CLOCK"] = f"@{self.at}"
        return self.demo.labo.sceau("issuer", word, *words, **env)

    def ok(self, *words):
        assert (got := self.issuer(*words)).code == 0, got.text()
        return got

    def granted(self, out):
        """The file of keys in ${out}, and its code."""
        text = (out / f"beta-for-essai.{YEAR}.txt").read_text()
        code, = set(CODE.findall(text))
        return out / f"beta-for-essai.{YEAR}.grants", code

    def slip(self, code):
        """The code in a file, as --code-file wants it."""
        slip = self.desk / "letters/code"
        slip.write_text(code + "\n")
        slip.chmod(0o600)
        return slip

    def orderly(self, first, done):
        super().orderly(first, done)
        assert (got := self.issuer("audit", self.beta)).code == 0, got.text()


class List(Sister, Told):
    """Whole, or not there; nothing in it is secret."""

    def further(self):
        self.ok("list", self.folder, "--out", self.listed)
        self.whole = self.listed.read_bytes()
        self.listed.unlink()

    def run(self, **env):
        return self.issuer("list", self.folder, "--out", self.listed, **env)

    def judge(self, first):
        there = self.listed.exists()
        assert there or first.code != 0, "exit 0 and not done"
        assert not there or self.listed.read_bytes() == self.whole
        self.before[self.listed.relative_to(self.desk)] = self.whole
        super().judge(first)


class Grant(Sister):
    """The file of keys and the letter that opens it; both, or one is asked
    for again, into another folder when there is a letter already."""

    out_names = "letters", "again/letters"

    def run(self, **env):
        self.at_out = self.desk / self.out_names[0]
        return self.issuer("grant", self.beta, self.listed, "--out",
                           self.at_out, *self.two(self.beta), **env)

    @staticmethod
    def kept(files):
        return (n for n in Act.kept(files) if n.suffix != ".grants" or
                n.with_suffix(".txt") in files)

    def judge_act(self, first, done):
        letter = self.at_out / f"beta-for-essai.{YEAR}.txt"
        if first.code != 0:
            if letter.exists():
                self.fits(self.at_out)
                assert b"name another folder" in self.again(78).stderr
            self.at_out = self.desk / self.out_names[1 if letter.exists()
                                                     else 0]
            self.ok("grant", self.beta, self.listed, "--out", self.at_out,
                    *self.two(self.beta))
        self.fits(self.at_out)

    def fits(self, out):
        path, code = self.granted(out)
        got = self.ok("accept", self.folder, path, "--code-file",
                      self.slip(code), "--out", self.desk / "look",
                      "--dry-run", *self.two(self.folder))
        assert b"3 mails would be made" in got.stdout, got.text()


class Accept(Sister):
    """A mail to each of ours, once, that his key opens; never a key in
    clear."""

    def further(self):
        super().further()
        self.ok("grant", self.beta, self.listed, "--out",
                self.desk / "letters", *self.two(self.beta))
        self.keys, code = self.granted(self.desk / "letters")
        self.code_file = self.slip(code)

    def run(self, **env):
        return self.issuer("accept", self.folder, self.keys, "--code-file",
                           self.code_file, "--out", self.out,
                           *self.two(self.folder), **env)

    def judge_act(self, first, done):
        if first.code == 0:
            self.whole()
        self.again()
        self.whole()

    def whole(self):
        paths = sorted((self.out / "mails").glob("*.eml"))
        names = [p.name for p in paths]
        locals_ = ["dr.martin", "labo.central", "petit"]
        assert names == [f"{n}.{YEAR}.beta.eml" for n in locals_], names
        assert not list((self.out / "mails").glob(".*")), "hidden"
        for path, local in zip(paths, locals_):
            me = self.pair(local).self
            data = path.read_bytes()
            p = envelope.opened(mail.find(data), kdf.channel_key(
                me["key"], OURS), records.LIMIT_DESK)[1]
            grant, = p.all(records.GRANT)
            assert grant["identity"] == f"beta/{DURAND}#1".encode()
            assert grant["key"] == kdf.channel_key(
                self.durand(), me["identity"])
            assert DURAND.encode() not in data, "in clear"

    def durand(self):
        """His key, with the code of his letter."""
        name = f"dr.durand.{YEAR}"
        text = (self.desk / f"theirs/letters/{name}.txt").read_text()
        code, = set(CODE.findall(text))
        return keyfile.read(
            (self.desk / f"theirs/keys/{name}.cle").read_bytes(),
            paper.parse(code), ()).self["key"]


CASES = {"issuer list": List, "issuer grant": Grant, "issuer accept": Accept}
