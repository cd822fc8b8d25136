"""Two associations: an agreement by file, direct mail between their members,
no plaintext at either (PROTOCOL 2.8; A6, A7, P22)."""

import json
import os

import pytest

from pysceau import code as paper
from pysceau import envelope, kdf, keyfile, mail, records
from test_issuer import HEAD, POST, YEAR, codes_in
from test_issuer_acts import Acts, Issued
from world.world import World

# Whom nobody has told of his mailbox is answered at his address.
LABO = f"labo.central@{POST}"
DR = "dr.martin@cabinet.example"
OURS = HEAD + f"""\
{LABO},{LABO},Laboratoire central,laboratory,ville
dr.noir@noir.example,noir@{POST},Dr Noir,practice,
"""
THEIRS = HEAD + f"""\
{DR},martin@{POST},Dr Léa Martin,practice,ville
dr.durand@durand.example,durand@{POST},Dr Durand,practice,
"""
MARKER = "INR 2,1 de Mme Confidentielle"


class Side(Acts):
    """An association's desk, in a folder of its own."""

    def __init__(self, sceau, top, assoc, domain, table):
        top.mkdir()
        super().__init__(sceau, top)
        self.assoc = assoc
        self.init("--domain", domain, "--hub", f"passerelle@{domain}",
                  f"passerelle.{assoc}@{POST}", assoc=assoc)
        self.add(table)
        self.batch()

    def listed(self, *words, **more):
        path = self.top / f"{self.assoc}.list"
        self.run("list", self.folder, "--out", path, *words, **more)
        return path

    def grants(self, path, *words, out="grants", **more):
        """The file and the code, as they go to the other desk."""
        out = self.top / out
        got = self.act("grant", path, "--out", out, "--json", *words, **more)
        if got.returncode != 0 or "--dry-run" in words:
            return got
        row = json.loads(got.stdout)
        assert codes_in(got.stdout.decode()) == []
        with open(row["letter"]) as f:
            (code,) = codes_in(f.read())
        return row["file"], code

    def accept(self, path, code, *words, **more):
        file = self.top / "code"
        file.write_text(code + "\n")
        return self.act("accept", path, "--code-file", file, "--out",
                        self.out, *words, **more)

    def mails(self):
        return sorted((self.out / "mails").glob("*.eml"))

    def agree(self, other, *words):
        """Ours may write to the other's members."""
        return self.accept(*other.grants(self.listed(), *words))


@pytest.fixture
def ours(sceau, tmp_path):
    return Side(sceau, tmp_path / "ours", "essai", "asso.example", OURS)


@pytest.fixture
def theirs(sceau, tmp_path):
    return Side(sceau, tmp_path / "theirs", "beta", "beta.example", THEIRS)


@pytest.fixture(scope="module")
def calm(sceau, tmp_path_factory):
    """Both once more, for tests that change nothing."""
    top = tmp_path_factory.mktemp("calm")
    return (Side(sceau, top / "ours", "essai", "asso.example", OURS),
            Side(sceau, top / "theirs", "beta", "beta.example", THEIRS))


# -- the agreement ------------------------------------------------------------

def test_list(ours):
    before = ours.files()
    ours.run("list", ours.folder, check=64)
    ours.run("list", ours.folder, "--out", ours.top / "x", "--ring", "nord",
             check=65)
    ours.run("list", ours.folder, "--out", ours.top / "x", "--dry-run")
    assert ours.files() == before
    assert ours.listed().read_text().splitlines() == [
        "sceau list 1", "essai/association@asso.example#1\t"
        + ours.listed().read_text().splitlines()[1].split("\t")[1],
        f"essai/{LABO}#1\tLaboratoire central",
        "essai/dr.noir@noir.example#1\tDr Noir"]
    ours.act("leave", "dr.noir@noir.example")
    assert "noir" not in ours.listed().read_text()
    assert len(ours.listed("--ring", "Ville").read_text().splitlines()) == 3


@pytest.mark.parametrize("text,why", [
    ("", b"no list of members"),
    (HEAD, b"no list of members"),
    ("sceau list 1\n", b"nobody stands"),
    ("sceau list 1\na/x@y.fr#1\tA\n", b"nobody stands"),
    ("sceau list 1\na/x@y.fr#1\tA\nz/m@n.fr#1\tM\n", b"line 3: z/m@n.fr#1"),
    ("sceau list 1\na/x@y.fr#1\tA\na/m@n.fr\tM\n", b"line 3: "),
    ("sceau list 1\na/x@y.fr#1\tA\na/m@n.fr#1\ta\na/m@n.fr#2\tb\n",
     b"twice"),
    ("sceau list 1\nbeta/association@beta.example#1\tA\nbeta/m@n.fr#1\tM\n",
     b"the one of this desk"),
    # A7, and all of the list so
    ("sceau list 1\na/x@y.fr#1\tA\na/dr.martin@cabinet.example#1\tM\n"
     "a/m@lab.beta.example#1\tN\n", b"nobody of the list"),
])
def test_grant_refuses(calm, text, why):
    theirs = calm[1]
    path = theirs.top / "list"
    path.write_text(text)
    before = theirs.files()
    got = theirs.grants(path, check=65)
    assert why in got.stderr, got.stderr
    assert theirs.files() == before


def test_A7_grant_says_for_whom_nobody_else_can_vouch(theirs):
    """A7: dr.martin@cabinet.example is ours, whatever they call him."""
    path = theirs.top / "list"
    path.write_text("sceau list 1\na/x@y.fr#1\tA\n"
                    "a/dr.noir@cabinet.example#1\tM\na/m@n.fr#1\tN\n"
                    "a/m@other-cabinet.example#1\tO\n")
    got = theirs.grants(path, "--dry-run")
    assert got.stderr.decode().count("gets no key") == 1
    assert "a/dr.noir@cabinet.example#1 gets no key" in got.stderr.decode()
    assert "Dr Léa Martin" in got.stderr.decode()
    file, code = theirs.grants(path)
    with open(file, "rb") as f:
        _, p = envelope.opened(f.read(), kdf.code_key(
            YEAR, paper.parse(code)), records.LIMIT_KEY, "list")
    who = [e["identity"] for e in p.all(records.ENTRY)]
    assert who[2:] == [b"a/m@n.fr#1", b"a/m@other-cabinet.example#1"]


def test_grants_are_what_their_members_derive(ours, theirs):
    file, code = theirs.grants(ours.listed())
    assert os.stat(file).st_mode & 0o777 == 0o600
    # the letter may be posted: the file that fits it stays
    assert b"name another folder" in theirs.grants(
        ours.listed(), check=78).stderr
    before = ours.files()
    got = ours.accept(file, code, "--json", "--dry-run")
    assert len(got.stdout.splitlines()) == 2
    after = ours.files()
    assert {n for n in after if after[n] != before.get(n)} == {"code"}
    ours.accept(file, code)
    # nothing of it stays at the desk but a line in the journal
    after = ours.files()
    assert {n for n in after if after[n] != before.get(n)} == {
        "code", "desk/acts", f"out/mails/dr.noir.{YEAR}.beta.eml",
        f"out/mails/labo.central.{YEAR}.beta.eml"}
    header, p = opened(ours, "labo.central", ours.mails()[1])
    assert header.sender == b"essai/association@asso.example#1"
    assert [(g["identity"], g["year"], g["key"])
            for g in p.all(records.GRANT)] == [
        (f"beta/{n}#1".encode(), YEAR, kdf.channel_key(
            theirs.read(n.split("@")[0]).self["key"],
            f"essai/{LABO}#1".encode()))
        for n in (DR, "dr.durand@durand.example")]
    assert [e["route"] for e in p.all(records.ENTRY)] == [
        f"martin@{POST}".encode(), f"durand@{POST}".encode()]
    for side, act in ((ours, b"list for another association"),
                      (theirs, b"keys for another association"),
                      (ours, b"keys of another association")):
        assert act in side.run("audit", side.folder).stdout
    # by list, and for one who has another key since
    file, code = theirs.grants(ours.listed(), "--ring", "ville", out="again")
    ours.reissue(LABO)
    got = ours.accept(file, code)
    assert b"1 of the list has left or has another key" in got.stdout
    header, p = opened(ours, "dr.noir", ours.mails()[0])
    assert len(p.all(records.GRANT)) == 1


def opened(side, local, path):
    return envelope.opened(mail.find(path.read_bytes()), kdf.channel_key(
        side.read(local).self["key"], ISSUERS[1]), records.LIMIT_DESK)


ISSUERS = b"beta/association@beta.example#1", \
    b"essai/association@asso.example#1"
GOOD = [records.meta(0, 0, YEAR, 1),
        records.entry(1, f"beta/{DR}#1".encode(), b"a@b.fr", "Dr"),
        records.entry(0, f"essai/{LABO}#1".encode())]


def granted(peer, year=YEAR):
    return records.grant(year, b"k" * 32, peer)


@pytest.mark.parametrize("recs,ends,why", [
    (GOOD + [granted(f"beta/{DR}#1".encode())], ISSUERS, None),
    # in the name of a third one, of ours, or of one who is in no directory
    (GOOD + [granted(b"gamma/x@y.fr#1")], ISSUERS, b"may not say"),
    (GOOD + [granted(b"essai/dr.noir@noir.example#1")], ISSUERS,
     b"may not say"),
    (GOOD + [granted(f"beta/{DR}#2".encode())], ISSUERS, b"may not say"),
    (GOOD + [granted(f"beta/{DR}#1".encode())] * 2, ISSUERS,
     b"may not say"),
    (GOOD + [granted(f"beta/{DR}#1".encode(), YEAR + 1)], ISSUERS,
     b"may not say"),
    (GOOD[:1] + [granted(f"beta/{DR}#1".encode())], ISSUERS,
     b"may not say"),
    (GOOD[:1] + [records.entry(1, b"gamma/x@y.fr#1")], ISSUERS,
     b"may not say"),
    (GOOD + [GOOD[1]], ISSUERS, b"may not say"),
    (GOOD + [records.bar(255, f"essai/{LABO}".encode())], ISSUERS,
     b"may not say"),
    (GOOD + [records.role(3, b"beta/veille@beta.example#1")], ISSUERS,
     b"may not say"),
    # A7: nobody but us vouches for our domain
    ([GOOD[0], records.entry(1, b"beta/x@noir.example#1"), GOOD[2],
      granted(b"beta/x@noir.example#1")], ISSUERS, b"no key for any member"),
    # whoever has left, or never was
    (GOOD[:2] + [records.entry(0, b"essai/nobody@noir.example#1"),
                 granted(f"beta/{DR}#1".encode())], ISSUERS,
     b"no key for any member"),
    (GOOD, ISSUERS[::-1], b"no file of keys from another"),
    (GOOD, (ISSUERS[0], b"gamma/x@y.example#1"), b"are for the issuer's"),
])
def test_A7_accept_refuses(calm, tmp_path, recs, ends, why):
    ours = calm[0]
    ours.out = tmp_path
    path = ours.top / "grants"
    code = bytes(15)
    path.write_bytes(keyfile.make(*ends, YEAR, recs, code))
    got = ours.accept(path, paper.format(code), check=65 if why else 0)
    assert (why or b"") in got.stderr
    assert len(ours.mails()) == (0 if why else 1)


def test_accept_wants_the_code(ours, theirs):
    file, code = theirs.grants(ours.listed())
    before = ours.files()
    assert b"wrong code" in ours.accept(file, paper.format(bytes(15)),
                                        check=65).stderr
    assert b"no file of keys" in ours.accept(
        ours.key("labo.central"), ours.code("labo.central"),
        check=65).stderr
    with open(file, "r+b") as f:
        f.seek(-1, os.SEEK_END)
        last = f.read(1)[0]
        f.seek(-1, os.SEEK_END)
        f.write(bytes([last ^ 1]))
    ours.accept(file, code, check=65)
    after = ours.files()
    assert {n for n in after if after[n] != before.get(n)} == {"code"}


# -- and mail -----------------------------------------------------------------

class Towns(World):
    """Members of both, and both gateways."""

    def __init__(self, ours, theirs):
        super().__init__(postfix=False)
        self.sides = {"essai": ours, "beta": theirs}
        for key, assoc, local, domain, user in (
                ("labo", "essai", "labo.central", POST, "labo.central"),
                ("watch", "essai", "veille", "asso.example", "veille"),
                ("hub", "essai", "passerelle", "asso.example",
                 "passerelle.essai"),
                ("dr", "beta", "dr.martin", "cabinet.example", "martin"),
                ("other", "beta", "passerelle", "beta.example",
                 "passerelle.beta")):
            member = Issued(self, local if key != "other" else "beta-hub",
                            domain)
            member.user, member.local = user, local
            member.assoc = assoc
            self.members[key] = member
            setattr(self, key, member)

    def start(self):
        super().start()
        for hub in (self.hub, self.other):
            hub.configure(top={"hub": True})
        for member in self.members.values():
            path, code = self.sides[member.assoc].pair(member.local)
            got = member.import_file(path, code)
            assert got.code == 0, got.text()
        return self

    def send(self, sender, recipient, text):
        return sender.sceau("send", "-t", input=(
            f"From: {sender.address}\r\nTo: {recipient.address}\r\n"
            f"Subject: essai\r\n\r\n{text}\r\n").encode())

    def arrives(self, sender, recipient, text):
        n, shown = len(recipient.mail()), len(recipient.documents())
        got = self.send(sender, recipient, text)
        assert got.code == 0, got.text()
        sender.ok("poll")
        self.wait_until(lambda: len(recipient.mail()) > n, what="the mail")
        sealed = mail.find(recipient.mail()[-1])
        recipient.ok("poll")
        assert len(recipient.documents()) == shown + 1
        return sealed, recipient.documents()[-1].read_bytes().decode()


@pytest.fixture
def towns(ours, theirs):
    with Towns(ours, theirs) as t:
        yield t.start()


def test_A6_P22_direct_mail_each_way(towns, ours, theirs):
    labo, dr = towns.labo, towns.dr
    # before the agreement neither knows the other
    for a, b in ((labo, dr), (dr, labo)):
        assert towns.send(a, b, MARKER).code == 67
    ours.agree(theirs)
    for path in ours.mails():
        if path.name.startswith("labo"):
            towns.post(None, labo, path.read_bytes())
    labo.ok("poll")
    sealed, text = towns.arrives(labo, dr, MARKER)
    assert MARKER in text
    # who vouches for the sender is shown
    assert f"essai/{LABO}" in str(dr.ok("inbox", "--json").json()[-1]["from"])
    header = envelope.parse_header(sealed)
    assert header.sender == f"essai/{LABO}#1".encode()
    assert header.recipient == f"beta/{DR}#1".encode()
    # the acknowledgement, and an answer with nothing but the return key
    dr.ok("poll")
    towns.wait_until(labo.mail, what="the acknowledgement")
    labo.ok("poll")
    row = labo.ok("sent", "--json").json()[0]
    assert (row["messages"], row["waiting"], row["received"]) == (1, 0, 1), row
    back, text = towns.arrives(dr, labo, "Merci " + MARKER)
    assert "Merci " + MARKER in text
    assert f"beta/{DR}" in str(labo.ok("inbox", "--json").json()[-1]["from"])
    # neither gateway had anything of it, nor could it read it
    assert towns.hub.mail() == towns.other.mail() == []
    for envelope_ in (sealed, back):
        for hub in (towns.hub, towns.other):
            got = hub.sceau("open", input=envelope_)
            assert got.code == 65 and got.stdout == b""
    assert towns.leaks(MARKER.encode()) == []
    assert not [n for side in (ours, theirs)
                for n, data in side.files().items() if MARKER.encode() in data]


def test_what_they_did_not_grant_does_not_fit(towns, ours):
    """Our issuer can give our members any key; their members take none that
    their own association did not make."""
    labo, dr = towns.labo, towns.dr
    issuer = ISSUERS[1]
    made_up = kdf.channel_key(ours.read("labo.central").self["key"], issuer)
    sealed, _ = envelope.sealed(made_up, YEAR, issuer,
                                f"essai/{LABO}#1".encode(), [
        records.meta(0, 0, YEAR, 1), granted(f"beta/{DR}#1".encode()),
        records.entry(1, f"beta/{DR}#1".encode(), dr.route.encode(), "Dr")])
    towns.post(None, labo, mail.wrap(sealed, f"association@{POST}",
                                     labo.route))
    labo.ok("poll")
    assert towns.send(labo, dr, MARKER).code == 0
    labo.ok("poll")
    towns.wait_until(dr.mail, what="the mail")
    assert dr.sceau("poll").code == 65
    assert dr.documents() == []
    (held,) = dr.ok("held", "list", "--json").json()
    assert held["class"] == "HEADER"


def test_our_watch_desk_bars_theirs_for_us(towns, ours, theirs):
    """Their bulletins reach their members; ours hear it from our desk."""
    labo, dr = towns.labo, towns.dr
    ours.agree(theirs)
    towns.post(None, labo, ours.mails()[-1].read_bytes())
    labo.ok("poll")
    towns.arrives(labo, dr, "avant")
    towns.watch.ok("bar", "essai/dr.noir@noir.example")
    towns.watch.ok("poll")
    towns.wait_until(lambda: len(labo.mail()) > 0, what="the bulletin")
    labo.sceau("poll")
    # its number is none of theirs
    towns.arrives(labo, dr, "entre")
    assert "missed_bulletin" not in [
        e["event"] for e in dr.ok("log", "--json").json()]
    towns.watch.ok("bar", f"beta/{DR}", "--excluded")
    towns.watch.ok("poll")
    towns.wait_until(lambda: len(labo.mail()) > 0, what="the bulletin")
    labo.sceau("poll")
    got = towns.send(labo, dr, "apres")
    assert got.code == 67 and b"excluded" in got.stderr
