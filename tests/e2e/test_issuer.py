"""An association made by its desk, and its members at their machines."""

import calendar
import itertools
import json
import os
import pathlib
import re
import subprocess
import time

import pytest

from pysceau import association, code as paper, identity, kdf, keyfile, records
from world.member import Member
from world.terminal import Terminal
from world.world import TOP, World

YEAR = time.gmtime().tm_year
DOMAIN = "asso.example"
HEAD = "address,route,name,kind,ring\n"
POST = World.domain
PEOPLE = HEAD + f"""\
labo.central@labo.example,labo@{POST},Laboratoire central,laboratory,\
"biologie;cardio"
dr.martin@cabinet.example,martin@{POST},Dr Léa Martin,practice,biologie
dr.durand@durand.example,durand@{POST},"Durand, père et fils",practice,\
cardio
infirmiere.petit@petit.example,petit@{POST},Mme Petit,other,
"""
HUB = ("--hub", f"passerelle@{DOMAIN}", f"passerelle@{POST}")
LOCALS = ["veille", "passerelle", "labo.central", "dr.martin", "dr.durand",
          "infirmiere.petit"]
LISTS = [{"labo.central", "dr.martin"}, {"labo.central", "dr.durand"}]
DESKS = {"veille", "passerelle"}
POLICIES = ("full", "list", "gateway")


def passed():
    """Options of the sanitizers and of faults."""
    return {k: v for k, v in os.environ.items()
            if k.endswith("SAN_OPTIONS") or k.startswith("SCEAU_FAULT")}


class Desk:
    """The offline machine: its folder, and the program in it."""

    def __init__(self, sceau, top):
        self.sceau_, self.top = sceau, top
        self.folder, self.out = top / "desk", top / "out"

    def run(self, *words, check=0, **env):
        got = subprocess.run(
            [self.sceau_, "issuer", *map(str, words)], capture_output=True,
            timeout=120, cwd=self.top, stdin=subprocess.DEVNULL,
            env={"PATH": "/usr/bin:/bin", "LANG": "C", "HOME": str(self.top),
                 **passed(), **env})
        if check is not None:
            assert got.returncode == check, got.stderr.decode()
        return got

    def init(self, *words, assoc="essai", year=YEAR, **more):
        return self.run("init", self.folder, "--assoc", assoc, "--year", year,
                        "--domain", DOMAIN, *words, **more)

    def add(self, table=PEOPLE, *words, **more):
        path = self.top / "members.csv"
        path.write_bytes(table if isinstance(table, bytes)
                         else table.encode())
        return self.run("add", self.folder, path, *words, **more)

    def sheet(self, number, year=YEAR):
        return self.folder / f"custodians/custodian-{number}.{year}.txt"

    def batch(self, *words, custodians=(1, 2), **more):
        return self.run("batch", self.folder, "--out", self.out, *words, *(
            word for n in custodians
            for word in ("--custodian", self.sheet(n))), **more)

    def key(self, local):
        return self.out / "keys" / f"{local}.{YEAR}.cle"

    def letter(self, local):
        return self.out / "letters" / f"{local}.{YEAR}.txt"

    def code(self, local):
        return codes_in(self.letter(local).read_text())[0]

    def files(self):
        return {str(p.relative_to(self.top)): p.read_bytes()
                for p in self.top.rglob("*") if p.is_file()}


def codes_in(text):
    return re.findall(r"\b[0-9A-Z]{5}(?:-[0-9A-Z]{5}){4}\b", text)


class Machine:
    """A member's machine: configuration, state, the code's file."""

    def __init__(self, sceau, folder):
        self.sceau_, self.folder = sceau, folder
        folder.mkdir()
        self.state = folder / "state"
        self.conf = folder / "sceau.conf"
        self.conf.write_text(f'language = en\nstate = "{self.state}"\n')

    def run(self, *words, input=b""):
        return subprocess.run(
            [self.sceau_, "-c", self.conf, *map(str, words)], input=input,
            capture_output=True, timeout=60, cwd=self.folder,
            env={"PATH": "/usr/bin:/bin", "LANG": "C",
                 "HOME": str(self.folder),
                 **passed()})

    def import_(self, key, code, *words):
        path = self.folder / "code"
        path.write_text(code + "\n")
        path.chmod(0o600)
        return self.run("key", "import", key, "--code-file", path, *words)

    def keys(self):
        got = self.run("key", "list", "--json")
        assert got.returncode == 0, got.stderr.decode()
        return [json.loads(line) for line in got.stdout.splitlines()]


@pytest.fixture
def desk(sceau, tmp_path):
    return Desk(sceau, tmp_path)


@pytest.fixture
def made(desk):
    desk.init(*HUB)
    desk.add()
    desk.batch()
    return desk


@pytest.fixture
def machine(sceau, tmp_path):
    return lambda name: Machine(sceau, tmp_path / f"machine-{name}")


# -- the desk -----------------------------------------------------------------

def test_init_says_and_refuses(desk):
    desk.init("--dry-run")
    assert not desk.folder.exists()
    assert desk.run("init", desk.folder, check=64).stderr
    desk.init(assoc="Essai", check=78)
    desk.init(year=YEAR - 2, check=78)
    desk.init("--hub", f"passerelle@{DOMAIN}", check=64)
    got = json.loads(desk.init(*HUB, "--json").stdout)
    assert got["association"] == "essai" and got["year"] == YEAR
    assert desk.folder.stat().st_mode & 0o777 == 0o700
    for number in (1, 2, 3):
        assert desk.sheet(number).stat().st_mode & 0o777 == 0o600
    before = desk.files()
    assert b"not empty" in desk.init(check=78).stderr
    assert desk.files() == before


def test_add_takes_all_or_nothing(desk):
    desk.init(*HUB)
    before = desk.files()
    bad = PEOPLE + "labo-central@labo.example,x@poste.example,X,other,\n" \
        "y@y.example,nowhere,Y,other,\n"
    got = desk.add(bad, check=65)
    assert b"members.csv:6: " in got.stderr
    assert b"members.csv:7: the route: it is not a mail address: it has no " \
        b"@; write name@domain\n" in got.stderr
    assert b"too like that of labo.central@labo.example" in got.stderr
    after = desk.files()
    after.pop("members.csv")
    assert after == before
    assert b"4 members would be added" in desk.add(PEOPLE, "--dry-run").stdout
    got = json.loads(desk.add(PEOPLE, "--json").stdout)
    assert (got["added"], got["held"], got["members"]) == (4, 0, 7)
    more = PEOPLE + "n@n.example," + f"petit@{POST},N,practice,\n"
    got = desk.add(more, "--json")
    assert b"members.csv:6: warning: " in got.stderr
    assert (json.loads(got.stdout)["added"],
            json.loads(got.stdout)["held"]) == (1, 4)


def test_add_reads_what_spreadsheets_save(desk):
    desk.init()
    windows = "\ufeff" + PEOPLE.replace(",", ";").replace(
        '"biologie;cardio"', "biologie|cardio").replace(
        '"Durand; père et fils"', '"Durand, père et fils"').replace(
        "\n", "\r\n")
    assert b"4 members added" in desk.add(windows).stdout
    register = (desk.folder / "register").read_text()
    assert "Durand, père et fils" in register
    assert "\tbiologie|cardio\t" in register
    latin1 = (HEAD + "l@l.example,l@x.example,Léa,other,\n").encode("latin-1")
    assert b":2: not UTF-8" in desk.add(latin1, check=65).stderr


def test_batch_in_words_and_objects(desk):
    desk.init(*HUB, "--call", "02 31 00 00 00")
    desk.add()
    assert b"6 pairs" in desk.batch("--dry-run").stdout
    assert not desk.out.exists()
    rows = [json.loads(x) for x in desk.batch("--json").stdout.splitlines()]
    assert [r["identity"].split("/")[1].split("@")[0] for r in rows] == LOCALS
    for row, local in zip(rows, LOCALS):
        assert row["type"] == "issued" and row["made"] is True
        data = pathlib.Path(row["key_file"]).read_bytes()
        assert row["size"] == len(data)
        assert row["digits"] == kdf.b2sum(data).hex()[:8]
        letter = desk.letter(local).read_text()
        assert row["digits"] in letter and "02 31 00 00 00" in letter
        assert f"sceau key import {local}.{YEAR}.cle" in letter
        assert len(codes_in(letter)) == 1
        assert codes_in(json.dumps(row)) == []
        for path in (row["key_file"], row["letter"]):
            assert pathlib.Path(path).stat().st_mode & 0o777 == 0o600
    assert {p.parent.name for p in desk.out.rglob("*.cle")} == {"keys"}
    assert {p.name for p in desk.out.glob("*.txt")} == {"counterfoil.txt"}
    assert "Madame, Monsieur" in desk.letter("dr.martin").read_text()
    desk.out = desk.top / "other"
    desk.batch("--lang", "en")
    assert "Dear member" in desk.letter("dr.martin").read_text()


def test_codes_are_forgotten(made):
    """No code stands anywhere but in its letter, and none serves twice."""
    codes = [made.code(n) for n in LOCALS]
    assert len(set(codes)) == len(LOCALS)
    raw = [paper.parse(c) for c in codes]
    for name, data in made.files().items():
        if "/letters/" not in name:
            assert not any(c.encode() in data or r in data
                           for c, r in zip(codes, raw)), name


def test_batch_goes_on(made):
    before = made.files()
    assert b"0 pairs" in made.batch().stdout
    assert made.files() == before
    made.letter("dr.martin").unlink()
    made.add(PEOPLE + "new@new.example,new@poste.example,New,other,\n")
    assert b"2 pairs" in made.batch().stdout
    after = made.files()
    changed = {n for n in after if after[n] != before.get(n)}
    assert changed == {
        "members.csv", "desk/register", "desk/acts", "out/counterfoil.html",
        "out/counterfoil.txt", "out/letters/print-001.html", *(
            str(p.relative_to(made.top)) for n in ("dr.martin", "new")
            for p in (made.key(n), made.letter(n)))}


def test_batch_tells_how_long_it_takes(desk):
    """Who watches; never by the first of a group that was written at once."""
    desk.init()
    desk.add(HEAD + "".join(
        f"n{i}@n.example,n{i}@{POST},N {i},other,\n" for i in range(599)))
    sheets = (w for n in (1, 2) for w in ("--custodian", desk.sheet(n)))
    with Terminal([desk.sceau_, "issuer", "batch", desk.folder, "--out",
                   desk.out, "--lang", "fr", *sheets],
                  {"PATH": "/usr/bin:/bin", "TERM": "vt100", **passed()},
                  desk.top) as person:
        assert person.end() == 0, person.seen
    told = [tuple(map(int, t)) for t in re.findall(
        r"(\d+) sur 600, encore (\d+) min (\d\d) s ", person.seen)]
    assert len(told) > 1 and told[0][0] > 100, person.seen
    assert told[-1] == (600, 0, 0) and told == sorted(told)
    assert desk.batch().stderr == b""


@pytest.mark.parametrize("point", ["batch.letter.before#3",
                                   "batch.letter.after#3",
                                   "batch.key.before#3",
                                   "batch.key.after#3",
                                   "batch.key.after#6"])
def test_batch_killed(desk, machine, point):
    """Whatever the moment, what is there after the next run belongs together
    and nothing half-written stays."""
    desk.init(*HUB)
    desk.add()
    got = desk.batch(check=None, SCEAU_FAULT=f"{point}:kill")
    if got.returncode == 0:
        pytest.skip("built without --enable-fault")
    kept = {n: made for n, made in desk.files().items() if "/letters/" in n
            and n.endswith(".txt")}
    assert len(kept) == {"batch.letter.before#3": 2,
                         "batch.letter.after#3": 3}.get(point, 0)
    assert len(list((desk.out / "keys").glob("*.cle"))) == {
        "batch.key.before#3": 2, "batch.key.after#3": 3}.get(point, 6)
    desk.batch()
    after = desk.files()
    assert not [n for n in after if ".tmp" in n]
    assert all(after[n] == data for n, data in kept.items())
    for local in LOCALS:
        keyfile.read(desk.key(local).read_bytes(),
                     paper.parse(desk.code(local)))


# -- what is in a key file ------------------------------------------------------

def grants(policy, local):
    """Who is to be in that member's ring."""
    if policy == "full" or local in DESKS:
        return set(LOCALS) - {local}
    both = set().union(*(x for x in LISTS if local in x)) if \
        policy == "list" else set()
    return (both | DESKS) - {local}


@pytest.mark.parametrize("policy", POLICIES)
def test_interop_pysceau_reads(desk, policy):
    desk.init(*HUB)
    desk.add()
    desk.batch("--policy", policy)
    files = {n: keyfile.read(desk.key(n).read_bytes(),
                             paper.parse(desk.code(n))) for n in LOCALS}
    issuer = f"essai/association@{DOMAIN}#1".encode()
    roles = [(records.ISSUER, issuer),
             (records.WATCH, f"essai/veille@{DOMAIN}#1".encode()),
             (records.HUB, f"essai/passerelle@{DOMAIN}#1".encode())]

    def local(who):
        return identity.address_of(who).decode().partition("@")[0]

    for name, f in files.items():
        assert f.header.sender == issuer and f.header.year == YEAR
        assert f.roles == roles and f.bars == []
        assert {local(g["identity"]) for g in f.grants} == \
            grants(policy, name)
        assert {local(x["identity"]) for x in f.entries} == \
            set(LOCALS) - {name}
        assert f.self["send_until"] == calendar.timegm(
            (YEAR + 1, 2, 1, 0, 0, 0))
        assert f.self["read_until"] == calendar.timegm(
            (YEAR + 1, 4, 1, 0, 0, 0))
        assert abs(f.self["from"] - time.time()) < 120
        for g in f.grants:      # what one is given the other derives
            peer = files[local(g["identity"])].self
            assert g["key"] == kdf.channel_key(
                peer["key"], f.self["identity"])
    entry = next(x for x in files["dr.martin"].entries
                 if local(x["identity"]) == "labo.central")
    assert entry["flags"] == 2 and entry["route"] == f"labo@{POST}".encode()
    assert entry["display"] == "Laboratoire central"
    assert next(x for x in files["dr.martin"].entries
                if local(x["identity"]) == "passerelle")["flags"] == 4


def test_directory_of_the_ring(desk):
    desk.init(*HUB)
    desk.add()
    desk.batch("--policy", "gateway", "--directory", "some", check=64)
    desk.batch("--policy", "gateway", "--directory", "ring")
    f = keyfile.read(desk.key("dr.martin").read_bytes(),
                     paper.parse(desk.code("dr.martin")))
    assert len(f.grants) == len(f.entries) == 2


def test_interop_pysceau_writes(machine, tmp_path):
    a = association.small(bytes(range(32)), YEAR, int(time.time()))
    c = bytes(range(16, 31))
    path = tmp_path / "dr.martin.cle"
    path.write_bytes(a.key_file(b"demo/dr.martin@cabinet.example", YEAR, c))
    m = machine("martin")
    assert m.import_(path, paper.format(c)).returncode == 0
    (key,) = m.keys()
    assert key["identity"] == "demo/dr.martin@cabinet.example#1"
    assert key["peers"] == 5 and key["hub"]


# -- at the members' ---------------------------------------------------------------

def test_import_refusals(made, machine):
    m = machine("martin")
    key, code = made.key("dr.martin"), made.code("dr.martin")
    typo = code[:-1] + ("0" if code[-1] != "0" else "1")
    for wrong in (typo, paper.format(bytes(15)), made.code("dr.durand")):
        got = m.import_(key, wrong)
        assert got.returncode == 65 and not m.state.joinpath(
            "keystore").exists(), got.stderr.decode()
    data = key.read_bytes()
    bad = made.top / "bad.cle"
    for at in (0, 6, 9, 40, 150, 2000, len(data) - 1):
        bad.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1:])
        assert m.import_(bad, code).returncode == 65, at
    bad.write_bytes(data[:-1])
    assert m.import_(bad, code).returncode == 65
    assert not m.state.joinpath("keystore").exists()
    assert m.import_(key, code.lower().replace("-", "")).returncode == 0
    got = json.loads(m.import_(key, code, "--json").stdout)
    assert got["again"] and got["new_keys"] == 0 and got["conflicts"] == 0
    (row,) = m.keys()
    assert row["peers"] == 5
    assert row["issuer"].startswith("essai/association@")
    assert row["watch"].startswith("essai/veille@")


def test_another_association_of_the_same_name(made, sceau, machine, tmp_path):
    """Its file opens with its own code, but it is not our issuer's K."""
    other = Desk(sceau, tmp_path / "other")
    other.top.mkdir()
    other.init(*HUB)
    other.add()
    other.batch()
    m = machine("martin")
    assert m.import_(made.key("dr.martin"),
                     made.code("dr.martin")).returncode == 0
    before = (m.state / "keystore").read_bytes()
    assert m.import_(other.key("dr.martin"),
                     other.code("dr.martin")).returncode == 65
    assert (m.state / "keystore").read_bytes() == before


@pytest.mark.parametrize("policy", POLICIES)
def test_seal_and_open(desk, machine, policy):
    desk.init(*HUB)
    desk.add()
    desk.batch("--policy", policy)
    machines = {}
    for local in LOCALS:
        machines[local] = m = machine(local)
        got = m.import_(desk.key(local), desk.code(local))
        assert got.returncode == 0, got.stderr.decode()
    names = {n: m.keys()[0]["identity"].partition("#")[0]
             for n, m in machines.items()}
    for n, (frm, to) in enumerate(itertools.permutations(LOCALS, 2)):
        sealed = machines[frm].run("seal", "--to", names[to], input=b"x" * 99)
        if to not in grants(policy, frm):
            # the hub's: not this filter's work, and never in clear
            assert b"x" * 99 not in sealed.stdout
            continue
        assert sealed.returncode == 0, (frm, to, sealed.stderr)
        opened = machines[to].run("open", input=sealed.stdout)
        assert opened.returncode == 0 and opened.stdout == b"x" * 99
        if n % 7:
            continue
        third = next(x for x in LOCALS if x not in (frm, to))
        assert machines[third].run("open", input=sealed.stdout).stdout == b""


class Issued(Member):
    """A member of the world whose keys come from the desk."""

    def import_(self, desk, name):
        code = self.secret("code", desk.code(name) + "\n")
        self.ok("key", "import", desk.key(name), "--code-file", code)


def test_gateway_policy_resolves_by_the_hub(sceau, desk):
    """From CSV to inbox: nobody holds anybody's key, the hub relays."""
    desk.init(*HUB)
    desk.add()
    desk.batch("--policy", "gateway")
    with World(postfix=False) as world:
        people = {}
        for name, user, domain in (
                ("labo.central", "labo", "labo.example"),
                ("dr.martin", "martin", "cabinet.example"),
                ("passerelle", "passerelle", DOMAIN)):
            people[name] = m = Issued(world, user, domain)
            world.members[user] = m
        world.start()
        for name, m in people.items():
            m.configure(top={"hub": name == "passerelle"})
            m.import_(desk, name)
        labo, dr, hub = people.values()
        labo.ok("send", "-t", input=b"From: labo.central@labo.example\r\n"
                b"To: dr.martin@cabinet.example\r\nSubject: INR\r\n\r\n"
                b"INR 2,1\r\n")
        labo.ok("poll")
        world.wait_until(hub.mail, what="mail at the hub")
        hub.ok("poll")
        world.wait_until(dr.mail, what="mail at the practice")
        dr.ok("poll")
        (document,) = dr.documents()
        assert b"INR 2,1" in document.read_bytes()


@pytest.mark.parametrize("page", ["sceau-keys.5", "fr/sceau-keys.5"])
def test_table_of_the_manual(desk, page):
    text = (TOP / "man" / page).read_text()
    (table,) = re.findall(r"^address,.*?(?=^\.Ed)", text, re.M | re.S)
    desk.init()
    assert b"2 members added" in desk.add(table).stdout
