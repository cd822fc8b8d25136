"""The issuer's desk: its journal; the root, which two custodians bring; its
end, and the witnesses that outlive it."""

import calendar
import hashlib
import itertools
import json
import subprocess
import time

import pytest

from pysceau import code as paper, kdf, keyfile
from test_issuer import (DOMAIN, HUB, LOCALS, PEOPLE, POST, YEAR, Desk, Issued,
                         codes_in)
from world.power import Record
from world.world import World


@pytest.fixture
def desk(sceau, tmp_path):
    return Desk(sceau, tmp_path)


@pytest.fixture
def made(desk):
    desk.init(*HUB)
    desk.add()
    desk.batch()
    return desk


def acts(desk, check=0):
    """The acts of the journal, and what is said of the whole."""
    *rows, last = map(json.loads, desk.run(
        "audit", desk.folder, "--json", check=check).stdout.splitlines())
    return rows, last


# -- the journal --------------------------------------------------------------

def test_acts_are_noted(made):
    """Those that change something; by the hash that the manual tells."""
    made.add()
    made.batch()
    made.add(PEOPLE + "x@x.example,nowhere,X,other,\n", check=65)
    made.batch("--dry-run")
    made.add(PEOPLE + "n@n.example,n@poste.example,N,practice,\n")
    rows, last = acts(made)
    assert [(r["act"], r["what"]) for r in rows] == [
        ("init", f"assoc=essai year={YEAR}"),
        ("add", "added=4 moved=0 held=0 members=7"),
        ("batch", f"year={YEAR} make=6 policy=full directory=all"),
        ("add", "added=1 moved=0 held=4 members=8")]
    assert all(r["whole"] for r in rows)
    assert (last["lines"], last["broken"]) == (4, 0)
    before = "0" * 64
    for line in (made.folder / "acts").read_text().splitlines():
        text, _, digest = line.rpartition("\t")
        before = hashlib.blake2b(f"{before}\n{text}\n".encode(),
                                 digest_size=32).hexdigest()
        assert digest == before
    assert last["hash"] == before
    said = made.run("audit", made.folder).stdout.decode()
    assert "whole: 4 lines" in said and before in said
    assert "members entered" in said and "added=1 moved=0 held=4 members=8" in said


def test_a_changed_journal_is_told(made):
    path = made.folder / "acts"
    path.write_text(path.read_text().replace("added=4", "added=3"))
    rows, last = acts(made, check=65)
    assert [r["whole"] for r in rows] == [True, False, True]
    assert last["broken"] == 2
    said = made.run("audit", made.folder, check=65).stdout.decode()
    assert "broken at line 2" in said and "added=3" in said


def written_anew(lines):
    """As a dishonest desk would: every hash fits."""
    before, out = "0" * 64, []
    for line in lines:
        text = line.rpartition("\t")[0]
        before = hashlib.blake2b(f"{before}\n{text}\n".encode(),
                                 digest_size=32).hexdigest()
        out.append(f"{text}\t{before}\n")
    return "".join(out)


def test_a_journal_that_is_written_anew_is_told_by_the_noted_hash(made):
    noted = acts(made)[1]["hash"]
    made.add(PEOPLE + "n@n.example,n@poste.example,N,practice,\n")
    path = made.folder / "acts"

    def audit(digits, *words, check=0):
        return made.run("audit", made.folder, "--noted", digits, *words,
                        check=check).stdout.decode()
    for digits in (noted, noted[:16].upper()):
        said = audit(digits)
        assert "whole: 4 lines" in said and "is that of line 3:" in said
    assert json.loads(audit(noted, "--json").splitlines()[-1])["noted"] == 3
    was = path.read_text()
    path.write_text(written_anew(
        was.replace("added=4", "added=3").splitlines()))
    assert acts(made)[1]["broken"] == 0     # nothing else tells
    said = audit(noted[:16], check=65)
    assert "whole: 4 lines" in said and "No line has the noted hash" in said
    got = audit(noted, "--json", check=65)
    assert json.loads(got.splitlines()[-1])["noted"] == 0
    said = audit(noted, "--lang", "fr", check=65)
    assert "Aucune ligne n’a l’empreinte notée" in said
    # a line that stands behind a broken one has another past
    path.write_text(was.replace("added=4", "added=3", 1))
    said = audit(noted, check=65)
    assert "broken at line 2" in said and "No line has" in said
    first = was.splitlines()[0].rpartition("\t")[2]
    assert "is that of line 1:" in audit(first, check=65)
    for wrong in (noted[:15], noted + "0", noted[:20] + "g"):
        got = made.run("audit", made.folder, "--noted", wrong, check=78)
        assert b"first 16 digits" in got.stderr and got.stdout == b""
    made.run("audit", made.folder, "--noted", check=64)


def test_a_batch_that_is_killed_is_noted(desk):
    desk.init(*HUB)
    desk.add()
    got = desk.batch(check=None, SCEAU_FAULT="batch.letter.before#3:kill")
    if got.returncode == 0:
        pytest.skip("built without --enable-fault")
    desk.batch()
    rows, last = acts(desk)
    assert [r["what"].split()[1] for r in rows if r["act"] == "batch"] == \
        ["make=6", "make=4"]
    assert last["broken"] == 0


def test_nothing_is_done_unnoted(made):
    """Without its journal the desk does nothing."""
    (made.folder / "acts").unlink()
    made.add(PEOPLE + "n@n.example,n@poste.example,N,practice,\n", check=78)
    assert "n@n.example" not in (made.folder / "register").read_text()
    made.run("audit", made.folder, check=78)


# -- the root -----------------------------------------------------------------

def root_of(desk, year=YEAR):
    """From the sheets, by the independent reader."""
    parts = []
    for number in (1, 2, 3):
        codes = codes_in(desk.sheet(number, year).read_text())
        assert len(codes) == 6
        parts += [codes[:3], codes[3:]]
    parts = {tuple(p) for p in parts}
    assert len(parts) == 3
    return paper.root_join(parts)


def K(desk, local):
    return keyfile.read(desk.key(local).read_bytes(),
                        paper.parse(desk.code(local))).self


@pytest.mark.parametrize("two", itertools.combinations((1, 2, 3), 2))
def test_any_two_custodians_bring_the_root(desk, two):
    """The keys that they make are those of the root, whoever they are."""
    desk.init(*HUB)
    desk.add()
    desk.batch(custodians=two)
    root = root_of(desk)
    for local in LOCALS:
        mine = K(desk, local)
        assert mine["key"] == kdf.member_key(root, YEAR, mine["identity"])


def test_the_sheets_say_what_to_do(desk):
    desk.init(*HUB, "--call", "02 31 00 00 00")
    text = desk.sheet(2).read_text()
    for words in ("Association essai", "Dépositaire 2 de 3", "02 31 00 00 00",
                  f"31 mars {YEAR + 1}", "Part 1", "Part 3"):
        assert words in text
    assert max(map(len, text.splitlines())) <= 78
    other = Desk(desk.sceau_, desk.top / "other")
    other.top.mkdir()
    said = other.init("--lang", "en", "--sheets", other.top / "paper").stdout
    assert b"print each, hand it to its custodian alone" in said
    assert "Custodian 3 of 3" in (
        other.top / f"paper/custodian-3.{YEAR}.txt").read_text()
    assert not (other.folder / "custodians").exists()


def test_what_custodians_can_do_wrong(desk):
    """Each its sentence; and nothing is made or noted."""
    desk.init(*HUB)
    desk.add()
    other = Desk(desk.sceau_, desk.top / "other")
    other.top.mkdir()
    other.init()
    good = desk.sheet(1).read_text()
    codes = codes_in(good)

    def changed(n, to):
        return good.replace(codes[n], to)

    typed = desk.top / "typed"
    for second, why in (
            (desk.sheet(2).read_text(),
             "only custodian 2 is here: part 2 is missing"),
            (changed(4, codes[4][:-1] + ("A" if codes[4][-1] != "A" else "B")),
             "typed: code 5: the code is mistyped"),
            (changed(1, codes[1][:-1]),
             "typed: code 2: a code has 25 symbols"),
            (changed(2, codes[2].replace("-", "U", 1)),
             "typed: code 3: symbol 6 "),
            ("\n".join(codes[:5]), "typed: six codes are wanted"),
            ("\n".join(codes[::-1]), "typed: "),
            ("\n".join(codes[:3] * 2), "typed: these six codes are not of one"),
            (other.sheet(1).read_text(),
             "custodian 1 is of no root that this desk knows"),
            (None, "typed: No such file")):
        before = desk.files()
        if second is not None:
            typed.write_text(second)
        got = desk.batch("--custodian", desk.sheet(2), "--custodian", typed,
                         custodians=(), check=78 if second is None else 65)
        assert why in got.stderr.decode(), (why, got.stderr.decode())
        typed.unlink(missing_ok=True)
        assert desk.files() == before
    assert desk.batch(custodians=(1, 3)).stdout.startswith(b"6 pairs")


def batch_by_hand(desk, lines):
    """Who is asked types lines."""
    return subprocess.run(
        [desk.sceau_, "issuer", "batch", desk.folder, "--out", desk.out],
        input="".join(x + "\n" for x in lines).encode(), timeout=60,
        capture_output=True, env={"PATH": "/usr/bin:/bin", "LANG": "C",
                                  "HOME": str(desk.top)})


def test_codes_are_asked_for(desk):
    desk.init(*HUB)
    desk.add()
    codes = [c for n in (3, 1)
             for c in codes_in(desk.sheet(n).read_text())]
    got = batch_by_hand(desk, codes[:8])
    assert got.returncode == 78
    assert b"Second custodian, code 3 of 6:" in got.stderr
    assert not desk.out.exists()
    got = batch_by_hand(desk, codes[:6] * 2)
    assert got.returncode == 65 and b"part 3 is missing" in got.stderr
    got = batch_by_hand(desk, [c.lower().replace("-", "") for c in codes])
    assert got.returncode == 0, got.stderr.decode()
    assert got.stdout.startswith(b"6 pairs")
    for c in codes:
        assert c.encode() not in got.stdout + got.stderr


def test_nobody_need_come_for_nothing(made):
    """To look, or when all is made, or to enter members."""
    assert made.batch(custodians=()).stdout.startswith(b"0 pairs")
    made.add(PEOPLE + "n@n.example,n@poste.example,N,practice,\n")
    assert made.batch("--dry-run", custodians=()).stdout.startswith(b"1 pair")
    assert made.batch(custodians=(), check=78).stderr
    assert made.batch("--year", YEAR + 1, check=78).stderr


def test_A1_the_root_is_on_no_disk(desk, tmp_path_factory):
    """Whatever was written, under any name and for however short."""
    record = Record(tmp_path_factory.mktemp("record"))
    desk.init(*HUB, **record.env())
    written = b"".join(r.data for r in record.read())
    root = root_of(desk)
    desk.add()
    desk.batch(**record.env())
    written += b"".join(r.data for r in record.read())
    record.path.unlink()
    kept = b"".join(desk.files().values())
    for seen in (written, kept):
        assert "Dépositaire 2 de 3".encode() in seen
        assert kdf.root_check(root).hex().encode() in seen
        for at in range(32 - 6):
            assert root[at:at + 6] not in seen
            assert root[at:at + 6].hex().encode() not in seen


# -- its end ------------------------------------------------------------------

def bring(desk, *numbers):
    return [w for n in numbers for w in ("--custodian", desk.sheet(n))]


def destroy(desk, *words, custodians=(2, 3), **more):
    return desk.run("destroy", desk.folder, "--year", YEAR,
                    *bring(desk, *custodians), *words, **more)


def archive(desk):
    path = desk.folder / f"witness.{YEAR}"
    assert path.stat().st_mode & 0o777 == 0o600
    first, *lines = path.read_text().splitlines()
    assert first == "sceau witness 1"
    return {who: bytes.fromhex(key)
            for who, key in (x.split("\t") for x in lines)}


def test_not_before_the_end_of_reading(made):
    before = made.files()
    assert b"--early" in destroy(made, check=78).stderr
    last = calendar.timegm((YEAR + 1, 4, 1, 0, 0, 0)) - 1
    destroy(made, check=78, SCEAU_FAULT_CLOCK=f"@{last}")
    assert b"would be destroyed" in destroy(
        made, "--early", "--dry-run", custodians=()).stdout
    assert made.files() == before
    got = destroy(made, check=None, SCEAU_FAULT_CLOCK=f"@{last + 1}")
    if got.returncode == 78:
        pytest.skip("built without --enable-fault")
    assert got.returncode == 0 and archive(made)


def test_destroy_keeps_witness_keys_alone(made):
    """Of everybody who was ever a member, in each of his generations."""
    register = made.folder / "register"
    register.write_text(register.read_text().replace(
        "dr.martin@cabinet.example#1", "dr.martin@cabinet.example#3").replace(
            "dr.durand@durand.example#1\tpractice\tmember",
            "dr.durand@durand.example#1\tpractice\texcluded"))
    root = root_of(made)
    said = destroy(made, "--early").stdout.decode()
    for words in (f"the root of {YEAR}", "9 witness keys", "burns his sheet",
                  "nobody can make keys",
                  f"desk/custodians/custodian-1.{YEAR}.txt"):
        assert words in said, words
    want = [f"essai/{x}" for x in (
        f"association@{DOMAIN}#1", f"veille@{DOMAIN}#1",
        f"passerelle@{DOMAIN}#1", "labo.central@labo.example#1",
        "dr.martin@cabinet.example#1", "dr.martin@cabinet.example#2",
        "dr.martin@cabinet.example#3", "dr.durand@durand.example#1",
        "infirmiere.petit@petit.example#1")]
    got = archive(made)
    assert sorted(got) == sorted(want)
    for who, key in got.items():
        assert key == kdf.witness_key(
            kdf.member_key(root, YEAR, who.encode()))
    for name, data in made.files().items():
        assert root[:8] not in data, name
        assert name.startswith("desk/acts") or \
            kdf.root_check(root).hex().encode() not in data, name


def test_destroy_names_what_is_left(made):
    """Pairs of a day's folder: who has them has the key; not other years'."""
    for day, name in (("2026-01-05", f"a.{YEAR}.cle"),
                      ("2026-01-06", f"a.{YEAR}-2.cle"),
                      ("2026-01-07", f"a.{YEAR + 1}.cle")):
        (made.folder / day / "keys").mkdir(parents=True)
        (made.folder / day / "keys" / name).touch()
    before = made.files()
    (row,) = destroy(made, "--early", "--dry-run", "--json"
                     ).stdout.splitlines()
    assert json.loads(row)["year"] == YEAR and made.files() == before
    said = destroy(made, "--early").stdout
    for day, left in (("05", True), ("06", True), ("07", False)):
        assert (f"of {YEAR} in {made.folder}/2026-01-{day}".encode()
                in said) == left


def test_nothing_is_made_after_it(made):
    destroy(made, "--early")
    made.letter("dr.martin").unlink()
    assert b"no root" in made.batch(check=78).stderr
    assert b"no root" in made.batch("--year", YEAR, check=78).stderr
    made.add(PEOPLE + "n@n.example,n@poste.example,N,practice,\n")
    assert b"destroyed already" in destroy(made, "--early", check=78).stderr
    rows, last = acts(made)
    assert [r["act"] for r in rows] == ["init", "add", "batch", "destroy",
                                        "add"]
    assert kdf.b2sum((made.folder / f"witness.{YEAR}").read_bytes()).hex() \
        in rows[3]["what"]


def test_who_is_wrong_destroys_nothing(made):
    before = made.files()
    got = destroy(made, "--early", custodians=(1, 1), check=65)
    assert b"part 1 is missing" in got.stderr
    made.run("destroy", made.folder, "--early", *bring(made, 1, 2), check=64)
    made.run("destroy", made.folder, "--early", "--year", YEAR + 1, check=78)
    assert made.files() == before


@pytest.mark.parametrize("point", ["witness.forget.before",
                                   "acts.note.before", "acts.note.after",
                                   "file.rename.before",
                                   "file.rename.after"])
def test_a_destruction_cut_off_goes_on(made, point):
    got = destroy(made, "--early", check=None, SCEAU_FAULT=f"{point}:kill")
    if got.returncode == 0:
        pytest.skip("built without --enable-fault")
    destroy(made, "--early")
    assert len(archive(made)) == 7
    rows, last = acts(made)
    noted = 1 if point == "acts.note.before" else 2
    assert [r["act"] for r in rows].count("destroy") == noted
    assert last["broken"] == 0


def test_P7_no_key_of_the_year_was_ever_on_the_desks_disk(
        desk, tmp_path_factory):
    """Neither while it worked nor after the end: no member's key, no key of a
    ring, not the root, in whatever file and for however short."""
    record = Record(tmp_path_factory.mktemp("record"))
    written = b""

    def act(*words):
        nonlocal written
        desk.run(*words, **record.env())
        written += b"".join(r.data for r in record.read())
        record.path.unlink()
    table = desk.top / "members.csv"
    table.write_text(PEOPLE)
    two = bring(desk, 1, 2)
    act("init", desk.folder, "--assoc", "essai", "--year", YEAR, "--domain",
        DOMAIN, *HUB)
    root = root_of(desk)
    act("add", desk.folder, table)
    act("batch", desk.folder, "--out", desk.out, *two)
    act("reissue", desk.folder, "dr.martin@cabinet.example", *two)
    act("enrol", desk.folder, "--out", desk.out, *two)
    act("destroy", desk.folder, "--year", YEAR, "--early", *two)
    everybody = [who.encode() for who in archive(desk)]
    assert len(everybody) == len(LOCALS) + 2
    keys = {who: kdf.member_key(root, YEAR, who) for who in everybody}
    secrets = [root, *keys.values()] + [
        kdf.channel_key(k, who) for k in keys.values() for who in everybody]
    kept = b"".join(desk.files().values())
    for name, seen in (("written", written), ("kept", kept)):
        assert kdf.witness_key(keys[everybody[0]]).hex().encode() in seen
        for secret in secrets:
            assert secret not in seen, name
            assert secret.hex().encode() not in seen, name


# -- witnesses ----------------------------------------------------------------

AUTHOR = "essai/labo.central@labo.example#1"
TO = "essai/dr.martin@cabinet.example#1"
MAIL = b"From: labo.central@labo.example\r\n\r\nINR 2,1\r\n"
AT = 1_790_000_000


def claim(root, author=AUTHOR, to=TO, at=AT, mail=MAIL, by=None):
    """The line of `sceau register prove`."""
    d = kdf.b2sum(mail)
    key = kdf.witness_key(kdf.member_key(root, YEAR, (by or author).encode()))
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
    proof = kdf.witness(key, at, to.encode(), d)
    return f"{author} {to} {YEAR} {when} {d.hex()} {proof.hex()}"


def judged(desk, text, *words, check=0):
    path = desk.top / "proof"
    path.write_text(text)
    return desk.run("witness", desk.folder, path, *words, check=check)


@pytest.mark.parametrize("ended", [False, True])
def test_A3_the_association_arbitrates(made, ended):
    """With the root, or with the archive and nobody there."""
    root = root_of(made)
    if ended:
        destroy(made, "--early")
    words = [] if ended else bring(made, 1, 3)
    good = claim(root)
    got = json.loads(judged(made, good, "--json", *words).stdout)
    assert got["true"] is True and got["author"] == AUTHOR
    assert got["digest"] == kdf.b2sum(MAIL).hex()
    around = f"Témoin laissé par l'auteur :\n{good}\r\n\n12 mots après\n"
    assert judged(made, around, *words).stdout.startswith(b"True: ")
    for false in (claim(root, by=TO), claim(bytes(32)),
                  claim(root, by=AUTHOR.replace("#1", "#2")),
                  good.replace(TO, TO.replace("martin", "durand")),
                  good.replace(TO, TO.partition("#")[0]),
                  good.replace(kdf.b2sum(MAIL).hex(), kdf.b2sum(b"").hex()),
                  good[:-1] + ("0" if good[-1] != "0" else "1")):
        got = judged(made, false, *words, check=65)
        assert got.stdout.startswith(b"Not proven: "), false
    routed = claim(root, to=TO.partition("#")[0])
    assert judged(made, routed, *words).stdout.startswith(b"True: ")
    for odd, why in (
            (claim(root, author=AUTHOR.replace("essai/", "autre/")),
             "of another association"),
            (claim(root, author=AUTHOR.replace("#1", "#2")), "never a member"),
            (claim(root, author="essai/nobody@labo.example#1"),
             "never a member"),
            (good.rpartition(" ")[0], "no witness in it"),
            (good.replace("Z ", " "), "no witness in it"),
            (f"{good}\n{routed}\n", "several witnesses")):
        got = judged(made, odd, *words, check=65)
        assert why in got.stderr.decode() and not got.stdout


def test_of_the_mail_itself(made):
    root = root_of(made)
    destroy(made, "--early")
    mail = made.top / "mail"
    for data, check in ((MAIL, 0), (b"X-Sceau: direct;\r\n x\r\n" + MAIL, 0),
                        (MAIL.replace(b"2,1", b"9,1"), 65),
                        (b"X-Other: direct\r\n" + MAIL, 65),
                        (b"X-Sceau: a\r\nX-Sceau: b\r\n" + MAIL, 65),
                        (b"", 65)):
        mail.write_bytes(data)
        got = judged(made, claim(root), "--mail", mail, check=check)
        assert check == 0 or b"is not the mail" in got.stderr


def test_another_archive_is_told(made):
    """Who could slip one in could have anybody say anything."""
    root = root_of(made)
    destroy(made, "--early")
    path = made.folder / f"witness.{YEAR}"
    path.write_text(path.read_text().replace(
        kdf.witness_key(kdf.member_key(root, YEAR, AUTHOR.encode())).hex(),
        kdf.witness_key(kdf.member_key(root, YEAR, TO.encode())).hex()))
    got = judged(made, claim(root, by=TO), check=78)
    assert b"not the archive that the journal" in got.stderr


def test_P21_from_the_mail_to_the_verdict(made):
    """What a practice's register prints, after the root's end."""
    with World(postfix=False) as world:
        people = []
        for name, user, domain in (
                ("labo.central", "labo", "labo.example"),
                ("dr.martin", "martin", "cabinet.example")):
            world.members[user] = Issued(world, user, domain)
            people.append((name, world.members[user]))
        world.start()
        for name, m in people:
            m.configure(kind="maildir")
            m.import_(made, name)
        (_, labo), (_, dr) = people
        labo.ok("send", "-t", input=b"From: labo.central@labo.example\r\n"
                b"To: dr.martin@cabinet.example\r\nSubject: INR\r\n\r\n"
                b"INR 2,1\r\n")
        labo.ok("poll")
        world.wait_until(dr.mail, what="mail at the practice")
        dr.ok("poll")
        (filed,) = dr.documents()
        row = json.loads(dr.ok("register", "list", "--json").stdout
                         .splitlines()[0])
        proof = dr.ok("register", "prove", row["t"]).stdout
        mail = filed.read_bytes()
    destroy(made, "--early")
    kept = made.top / "filed"
    kept.write_bytes(mail)
    got = judged(made, proof.decode(), "--mail", kept)
    assert got.stdout.startswith(f"True: {AUTHOR} wrote".encode())
    kept.write_bytes(mail.replace(b"2,1", b"9,1"))
    judged(made, proof.decode(), "--mail", kept, check=65)
