"""The association's desk: how long, how much memory and how many octets the
keys of a year take.  Full rings, lists of 500 with a gateway for the rest, and
one ring as large as one may be.  Each act is done once, one after the other,
on one core; what it made is counted."""

import json
import pathlib
import re
import shutil
import tempfile
import time

from bench.measure import run

YEAR = time.gmtime().tm_year
LIST = 500
SAMPLE_S = 0.05     # memory: seldom, so that looking takes nothing
# (policy, members): a policy "one" makes a single full ring.
SMALL = (("full", 300), ("list", 2_000), ("one", 5_000))
LARGE = (("full", 2_000), ("full", 10_000), ("list", 80_000),
         ("one", 199_996))     # with three desks and a newcomer: the most
HEAD = "address,route,name,kind,ring\n"


def line(i, policy, number=None):
    """The i-th; number: of his list, when it is not the one of his turn."""
    number = i // LIST if number is None else number
    ring = f"list{number}" if policy == "list" else ""
    return (f"cabinet{i:06}@cabinet{i:06}.example,c{i:06}@poste.example,"
            f"Cabinet {i:06},practice,{ring}\n")


class Desk:
    """The offline machine, and one member's."""

    def __init__(self, bench, top, policy, n):
        self.bench, self.top, self.policy, self.n = bench, top, policy, n
        self.folder, self.out, self.rows = top / "desk", top / "out", []
        self.said = top / "said"
        self.env = {"PATH": "/usr/bin:/bin", "LANG": "C", "HOME": str(top)}

    def program(self, *words, stdin=None):
        return run((self.bench.sceau, *words), seconds=7200, env=self.env,
                   cwd=self.top, stdin=stdin, stdout=self.said,
                   memory=SAMPLE_S)

    def issuer(self, *words):
        return self.program("issuer", *words)

    def root(self, year=YEAR):
        return [x for k in (1, 2) for x in (
            "--custodian",
            self.folder / f"custodians/custodian-{k}.{year}.txt")]

    def keep(self, act, n, got, *folders):
        octets = sum(p.stat().st_size for f in folders for p in f.iterdir())
        self.rows.append({
            "side": act, "n": n, "seconds": got.seconds, "cpu": got.cpu,
            "kb": got.kb, "octets": octets, "median": got.seconds / n})

    def pairs(self, act, got, out, made, peers):
        """That many pairs, and so many keys in them."""
        rows = [json.loads(x) for x in self.said.read_text().splitlines()]
        assert sum(r["made"] for r in rows) == made, f"{act}: {len(rows)}"
        assert sum(r["peers"] for r in rows) == peers, act
        assert len(list((out / "keys").iterdir())) == made, act
        self.keep(act, made, got, out / "keys", out / "letters")

    def peers(self, n):
        """Keys of all rings: two desks and n members."""
        if self.policy != "list":
            return (n + 2) * (n + 1)
        full, rest = divmod(n, LIST)
        near = full * LIST * (LIST - 1) + rest * (rest - 1)
        return near + 2 * n + 2 * (n + 1)

    def begin(self):
        self.issuer("init", self.folder, "--assoc", "essai", "--year", YEAR,
                    "--domain", "asso.example", "--hub",
                    "passerelle@asso.example", "passerelle@poste.example")
        table = self.top / "members.csv"
        table.write_text(HEAD + "".join(
            line(i, self.policy) for i in range(self.n)))
        self.keep("add", self.n, self.issuer("add", self.folder, table))

    def served(self):
        """As if a batch had been made, which takes hours in so large a ring:
        everybody has a key of this year, and knows of everybody."""
        register = self.folder / "register"
        lines = [x.split("\t") for x in register.read_text().splitlines()]
        for fields in lines:
            if fields[0] == "member" and fields[2] != "issuer":
                fields[5] = f"{YEAR}:{fields[4]}"
        register.write_text("".join("\t".join(f) + "\n" for f in lines))

    def batch(self):
        words = ("--policy", "list", "--directory", "ring") \
            if self.policy == "list" else ("--policy", "full")
        got = self.issuer("batch", self.folder, "--out", self.out, *words,
                          "--json", *self.root())
        self.pairs("batch", got, self.out, self.n + 2, self.peers(self.n))
        shutil.rmtree(self.out)

    def renew(self):
        if time.gmtime()[1:3] < (11, 15):
            self.bench.skip("issuer renew", "only from 15 November on")
            return
        got = self.issuer("renew", self.folder, "--year", YEAR + 1, "--out",
                          self.out, "--json", *self.root())
        self.pairs("renew", got, self.out, self.n + 2, self.peers(self.n))
        shutil.rmtree(self.out)

    def enrol(self):
        """A hundredth have come, on all lists; who may write to one of them
        is told so."""
        more = max(self.n // 100, 1)
        lists = -(-self.n // LIST)
        table = self.top / "newcomers.csv"
        table.write_text(HEAD + "".join(
            line(self.n + i, self.policy, i % lists) for i in range(more)))
        years = [YEAR, YEAR + 1] if any(
            r["side"] == "renew" for r in self.rows) else [YEAR]
        roots = [x for y in years for x in self.root(y)]
        self.keep("newcomer", more, self.issuer(
            "newcomer", self.folder, table, "--out", self.out, *roots),
            self.out / "keys", self.out / "letters")
        got = self.issuer("enrol", self.folder, "--out", self.out, *roots)
        mails = self.out / "mails"
        made = len(list(mails.iterdir()))
        assert re.match(rf"{made} mails made", self.said.read_text())
        if self.policy == "full" or more >= lists:
            assert made >= self.n * len(years), made
        self.keep("enrol", made, got, mails)

    def one(self):
        """One full ring: made, taken in, and looked into by a message."""
        self.served()
        table = self.top / "newcomer.csv"
        table.write_text(HEAD + line(self.n, self.policy))
        got = self.issuer("newcomer", self.folder, table, "--out", self.out,
                          *self.root())
        self.keep("newcomer", 1, got, self.out / "keys")
        key, = (self.out / "keys").iterdir()
        assert key.stat().st_size > 80 * self.n, "not everybody is in it"
        letter, = (self.out / "letters").glob("*.txt")
        code = self.top / "code"
        code.write_text(re.findall(r"\b[0-9A-Z]{5}(?:-[0-9A-Z]{5}){4}\b",
                                   letter.read_text())[0] + "\n")
        code.chmod(0o600)
        conf = self.top / "sceau.conf"
        conf.write_text(f'language = en\nstate = "{self.top}/state"\n')
        got = self.program("-c", conf, "key", "import", key, "--code-file",
                           code)
        self.keep("key import", 1, got, self.top / "state")
        last = self.n - 1
        plain = self.top / "plain"
        plain.write_bytes(b"x" * 8_000)
        got = self.program(
            "-c", conf, "seal", "--to",
            f"essai/cabinet{last:06}@cabinet{last:06}.example", stdin=plain)
        assert self.said.stat().st_size > 8_000
        self.keep("seal 8 kB", 1, got)


def show(title, rows):
    print(f"\n{title}\n  {'':12}{'':>9}{'s':>9}{'CPU s':>9}{'a second':>9}"
          f"{'kB':>10}{'MB':>10}")
    for r in rows:
        print(f"  {r['side']:12}{r['n']:9}{r['seconds']:9.1f}"
              f"{r['cpu']:9.1f}{1 / r['median']:9.0f}{r['kb']:10}"
              f"{r['octets'] / 1e6:10.1f}", flush=True)


def measure(bench):
    cases = LARGE if bench.full else SMALL
    if bench.count:
        cases = [(policy, bench.count) for policy, _ in SMALL]
    for policy, n in cases:
        title = f"issuer: {n} members, " + {
            "full": "full rings", "list": f"lists of {LIST}",
            "one": "one full ring"}[policy]
        if not bench.wants(title):
            continue
        with tempfile.TemporaryDirectory(dir=bench.out) as top:
            desk = Desk(bench, pathlib.Path(top), policy, n)
            desk.begin()
            if policy == "one":
                desk.one()
            else:
                desk.batch()
                desk.renew()
                desk.enrol()
        show(title, desk.rows)
        bench.keep(title, desk.rows, acts=True)
