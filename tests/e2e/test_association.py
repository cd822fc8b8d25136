"""sceau-association(7) as a volunteer follows it: each command of the page, in
its order, in French; what the program answers stands in association.fr."""

import calendar
import datetime
import difflib
import pathlib
import re
import shlex
import shutil

import pytest

from world.world import TOP, World

HERE = pathlib.Path(__file__).parent
PAGE, FRENCH = TOP / "man/sceau-association.7", TOP / \
    "man/fr/sceau-association.7"
YEAR = datetime.date.today().year + 1   # the page's 2027
MAKES_KEYS = ("batch", "reissue", "newcomer", "enrol", "grant", "accept",
              "renew", "destroy", "sheets")
NOTED = "4d27c81e9b3fa605"              # the page's
GRANTS = f"autre-for-exemple.{YEAR}"
# On what day a command is typed; the first that fits.
DAYS = (("sheets", (1, 4, 4)), ("queue add enrol", (0, 4, 2)),
        ("queue add", (0, 4, 7)), ("weekly", (0, 4, 10)),
        ("witness", (1, 4, 3)), ("destroy", (1, 4, 2)), ("renew", (0, 11, 20)),
        ("--noted", (0, 11, 20)), ("issuer list", (0, 4, 5)),
        ("grant", (0, 4, 6)), ("accept", (0, 4, 7)), ("enrol", (0, 4, 2)),
        ("newcomer", (0, 3, 8)), ("leave", (0, 3, 9)),
        ("--excluded", (0, 3, 9)), ("reissue", (0, 3, 2)),
        ("bar dr", (0, 3, 2)), ("bar", (0, 1, 11)), ("status", (0, 1, 11)),
        ("", (0, 1, 4)))


def commands(page):
    return re.findall(r"^\.Dl sceau (.+)$", page.read_text(), re.M)


def day(words):
    years, month, date = next(d for w, d in DAYS if w in words)
    at = calendar.timegm((YEAR + years, month, date, 11, 0, 0))
    return {"SCEAU_FAULT_CLOCK": f"@{at}"}


def plain(text):
    """As if it were the page's year; without what chance makes."""
    text = text.replace(str(YEAR + 1), "2028").replace(str(YEAR), "2027")
    text = re.sub(r"\b[0-9a-f]{64}\b", "EMPREINTE", text)
    text = re.sub(r"\b\d\d:\d\d\b", "HH:MM", text)
    return re.sub(r"[ \t]+", " ", text)


class Volunteers(World):
    """The desk with its table; a laboratory, a practice, the watch desk; the
    desk of the sister association."""

    def __init__(self):
        super().__init__(postfix=False)
        self.said, self.noted = [], ""
        self.veille = self.member("veille", "asso.example")
        self.desk = self.veille.home
        self.labo = self.member("labo", "labo.example")
        self.dr = self.member("dr.martin", "cab.example")
        self.labo.user, self.dr.user = "labo", "martin"
        self.leroy = self.member("cab.leroy", "leroy.example")
        self.leroy.user = "leroy"       # the newcomer: bulletins reach him
        self.sister = self.member("autre", "autre.example")

    def start(self):
        super().start()
        self.relay.aliases["veille@asso.example"] = "veille"
        for m in self.members.values():
            m.configure(top={"language": "fr"})
        table = re.search(r"^(address,.*?)^\.Ed", PAGE.read_text(),
                          re.M | re.S).group(1)
        table = table.replace("@isp.example", f"@{self.domain}")
        (self.desk / "members.csv").write_text(table)
        (self.desk / "newcomers.csv").write_text(
            table.splitlines()[0] + f"\ncab.leroy@leroy.example,leroy@"
            f"{self.domain},Dr Leroy,practice,\n")
        (self.sister.home / "members.csv").write_text(
            table.splitlines()[0] + "\ndr.autre@cabinet.example,"
            f"autre@{self.domain},Dr Autre,practice,\n")
        for words in (("init", "desk", "--assoc", "autre", "--year", YEAR,
                       "--domain", "autre.example"),
                      ("add", "desk", "members.csv")):
            self.sister.ok("issuer", *words, **day(""))
        return self

    def carry(self, line):
        """Between the two associations: their mail, and the telephone."""
        ours, theirs = self.desk, self.sister.home
        if "grant" in line:
            shutil.copy(ours / "exemple.list", theirs)
        if "issuer accept" in line:
            shutil.copy(theirs / "grants" / f"{GRANTS}.grants", ours)
            return ["--code-file", self.code(theirs / f"grants/{GRANTS}.txt")]
        return []

    def code(self, letter):
        code, = re.findall(r"\b(?:[0-9A-Z]{5}-){4}[0-9A-Z]{5}\b",
                           letter.read_text())
        return self.veille.secret("code", code + "\n")

    def equip(self, member, out):
        """With what was printed and handed over; which is destroyed."""
        letter, = (self.desk / out / "letters").glob(f"{member.local}.*.txt")
        key, = (self.desk / out / "keys").glob(f"{member.local}.*.cle")
        return member.ok("key", "import", key, "--code-file",
                         self.code(letter), TZ="Europe/Paris", **day(""))

    def say(self, line, got):
        self.said.append(f"$ sceau {line}\n{plain(got.text())}")

    def type(self, line):
        """At the watch desk what is the watch desk's; at the sister's desk
        what she grants; else at the desk, offline."""
        at = self.sister if "issuer grant" in line else self.veille
        words = shlex.split(line.replace("2028", str(YEAR + 1)).replace(
            "2027", str(YEAR)).replace(NOTED, self.noted[:len(NOTED)]))
        words += self.carry(line)
        if words[0] == "issuer":
            words += ["--lang", "fr"]
            for n in (1, 3) if words[1] in MAKES_KEYS else ():
                words += ["--custodian",
                          f"desk/custodians/custodian-{n}."
                          f"{YEAR + ('sheets' in line)}.txt"]
        got = at.sceau(*words, TZ="Europe/Paris", **day(line))
        if line == "issuer audit desk":
            self.noted, = re.findall(r"\b[0-9a-f]{64}\b", got.text())
        self.say(line, got)
        return got.code


@pytest.fixture(scope="module")
def year():
    """All of the page; what happens between its lines, too."""
    with Volunteers() as v:
        v.start()
        v.codes = []
        for line in commands(PAGE):
            if line.startswith("issuer witness"):
                proof = v.dr.ok("register", "prove", v.token,
                                TZ="Europe/Paris")
                v.say("register prove", proof)
                (v.desk / "proof.txt").write_bytes(proof.stdout)
            v.codes.append((line, v.type(line)))
            if line.startswith("issuer batch"):
                for m in (v.veille, v.labo, v.dr):
                    got = v.equip(m, str(YEAR))
                v.say("key import", got)
                v.labo.ok("send", "-t", input=(
                    f"From: {v.labo.address}\r\nTo: {v.dr.address}\r\n"
                    "Subject: INR\r\n\r\nINR 2,1\r\n").encode(), **day(""))
                v.labo.ok("poll", **day(""))
                v.wait_until(v.dr.mail, what="the result")
                v.dr.ok("poll", **day(""))
                row, = v.dr.ok("register", "list", "--json").json()
                v.token = row["t"]
                v.say(f"queue retry --to {v.dr.address}", v.labo.ok(
                    "queue", "retry", "--to", v.dr.address, **day("")))
            if line.startswith("issuer reissue"):    # what it says to type
                v.veille.ok("bar", "exemple/dr.martin@cab.example",
                            "--generation", 2, **day(line))
            if line.startswith("queue add enrol"):
                v.veille.ok("poll", **day(line))
                v.wait_until(v.labo.mail, what="what is new")
                for m in (v.labo, v.veille):
                    m.ok("poll", **day(line))
        v.weekly = v.veille.sceau("poll", **day("weekly"))
        yield v


def test_both_languages_say_the_same_commands():
    assert commands(PAGE) == commands(FRENCH)
    assert len(commands(PAGE)) == 22
    tables = [re.search(r"^address,.*?^\.Ed", p.read_text(),
                        re.M | re.S).group(0) for p in (PAGE, FRENCH)]
    assert tables[0] == tables[1]


def test_each_act_succeeds(year):
    assert [x for x in year.codes if x[1] != 0] == []


def test_what_is_answered(year):
    """Word by word."""
    want = (HERE / "association.fr").read_text().splitlines()
    got = "\n".join(year.said).splitlines()
    assert want == got, "\n".join(difflib.unified_diff(want, got, lineterm=""))


def test_what_was_done(year):
    """The thief is barred, the newcomer has his files, the journal is whole,
    the old root is gone."""
    bars = {r["name"]: r["excluded"] for r in year.veille.ok(
        "bar", "--list", "--json").json()}
    assert bars == {"exemple/dr.martin@cab.example": True}
    for out, name in (("theft", f"dr.martin.{YEAR}-2"),
                      ("newcomers", f"cab.leroy.{YEAR}"),
                      (str(YEAR + 1), f"cab.leroy.{YEAR + 1}")):
        assert (year.desk / out / "keys" / f"{name}.cle").exists()
        assert (year.desk / out / "letters" / f"{name}.txt").exists()
    assert not list(year.desk.glob(f"{YEAR + 1}/keys/dr.martin*"))
    assert len(list(year.desk.glob("enrolment/mails/*.eml"))) > 1
    on = day("queue add enrol")
    assert {(r["identity"].split("/")[1], r["state"]) for r in year.labo.ok(
        "key", "list", "--peers", "--json", **on).json()} == {
        ("veille@asso.example#1", "usable"),
        ("dr.martin@cab.example#1", "barred"),
        ("cab.leroy@leroy.example#1", "usable")}
    # a bulletin, and none for the issuer, who has no mailbox
    assert b"no_key" not in year.weekly.stderr
    assert "bulletin.sealed" in [
        e["event"] for e in year.veille.ok("log", "--json").json()]
    own, = year.labo.ok("key", "list", "--json", **on).json()
    assert own["peers"] == 3
    assert len(list(year.desk.glob(f"new/custodian-?.{YEAR + 1}.txt"))) == 3
    assert (year.desk / "desk" / f"witness.{YEAR}").exists()
    assert sorted(p.name for p in year.desk.glob("accepted/mails/*")) == [
        f"{n}.{YEAR}.autre.eml" for n in ("cab.leroy", "labo")]
