"""Rows of ATTACKS about what is stolen or recorded: K2, K4b, K5, K9, K10, K13,
A1, A2, A5, A8.  A thief holds that, and the independent reader; a row that is
stated and not prevented shows how far it goes, and that it goes no further.
Some need a build with --enable-fault (SCEAU_FAULT_CLOCK)."""

import shutil
import subprocess

import pytest

from pysceau import code as paper
from pysceau import envelope, kdf, keyfile, mail, records
from pysceau.errors import SceauError
from test_issuer import HEAD, HUB, LOCALS, PEOPLE, POST, codes_in
from test_issuer_acts import (  # fixtures among them
    LEROY, MARTIN, NAME, NEXT, YEAR, Acts, date, desk, machine, made, renew,
    seals)
from test_issuer_desk import archive, destroy, root_of
from test_issuer_enrol import enrol, mails
from test_keys_travel import CODE, NEXT_CODE, OTHER, Bench
from test_watch import believes
from test_year_over import Year, files, mail_of_next, opened
from world import kernel
from world.demo import YEAR as DEMO, mark

__all__ = ["date", "desk", "machine", "made"]

ISSUER, LABO, DR = (f"essai/{x}#1".encode() for x in (
    "association@asso.example", "labo.central@labo.example", MARTIN))
LABO_NAME = LABO.decode().partition("#")[0]


def opens(env, key):
    """Does that channel key open that envelope?"""
    try:
        envelope.opened(env, key, records.LIMIT_KEY)
    except SceauError as e:
        assert e.cls == "HEADER"
        return False
    return True


def channels(key, header):
    """What may be a channel key if ${key} is any key at all of somebody."""
    return [key, kdf.witness_key(key), kdf.channel_key(key, header.sender),
            kdf.channel_key(key, header.recipient),
            kdf.channel_key(kdf.member_key(key, header.year,
                                           header.recipient), header.sender)]


def any_opens(env, keys):
    header = envelope.parse_header(env)
    return any(opens(env, c) for k in keys for c in channels(k, header))


def held(plain):
    """Every K and C in an opened key store (SELF and GRANT)."""
    keys, at_ = [], 0
    while plain[at_]:
        n = int.from_bytes(plain[at_ + 1:at_ + 5], "big")
        value = plain[at_ + 5:at_ + 5 + n]
        where = {records.SELF: 26, records.GRANT: 2}.get(plain[at_])
        if where is not None:
            keys.append(value[where:where + 32])
        at_ += 5 + n
    return keys


def sealed_by(sender, recipient, text=b"x" * 99):
    """An envelope as the network records it."""
    got = sender.run("seal", "--to", recipient, input=text)
    assert got.returncode == 0, got.stderr.decode()
    return got.stdout


# K2, P8: the old key does not read the new one

def test_K2_P8_the_old_key_alone_does_not_renew(demo, forger):
    """The thief has all of this year's store, the renewal that was mailed and
    the mail of next year; he lacks what came by post."""
    year = Year(demo, forger.maker(DEMO + 1))
    year.hold()
    dr, before = demo.dr, year.kept()
    file = year.make(DEMO + 1, NEXT_CODE, renewal=True)
    data, env = mail_of_next(year, demo.labo, "of next year")
    for code in (CODE, OTHER, bytes(15)):
        got = year.take(file, code)
        assert got.code == 65 and year.kept() == before, got.text()
    demo.post(dr, forger.wrap(demo.labo, dr, env))
    assert dr.sceau("poll").code == 65 and dr.new() == []
    assert dr.classes() == ["NOKEY"]
    keys = held(opened(dr))
    assert len(keys) == 7 and not any_opens(env, keys)
    assert not any_opens(file, keys + [
        kdf.renewal_key(k, DEMO + 1, c) for k in keys
        for c in (CODE, bytes(15))] + [kdf.code_key(DEMO + 1, NEXT_CODE)])
    # Nor does the letter alone, on a machine that never had the old key.
    other = Bench(demo.durand, year.maker)
    got = other.take(file, NEXT_CODE)
    assert got.code == 65 and other.kept() == {}, got.text()
    # Both together, at home.
    year.hold_next()
    dr.ok("poll")
    assert dr.shown() == [data]


# K4b, P9: nothing stands under the issuer's channel

def test_K4b_the_issuers_channel_opens_no_ring(made, machine):
    """Who has C(issuer->member) of everybody, a standing ring of the issuer's,
    reads no key file, and of the enrolments only the newcomer's keys."""
    root = root_of(made)

    def standing(who):
        return kdf.channel_key(kdf.member_key(root, YEAR, who), ISSUER)
    labo = machine("labo", made, "labo.central")
    recorded = sealed_by(labo, NAME)
    made.newcomers(HEAD + LEROY)
    enrol(made)
    for path in (made.out / "keys").glob("*.cle"):
        data = path.read_bytes()
        who = envelope.parse_header(data).recipient
        assert not any_opens(data, [standing(who)])
    given = []
    for path in mails(made):
        env = mail.find(path.read_bytes())
        _, p = envelope.opened(env, standing(
            envelope.parse_header(env).recipient), records.LIMIT_DESK)
        assert [g["identity"] for g in p.all(records.GRANT)] == [
            f"essai/cab.leroy@{POST}#1".encode()]
        given += [g["key"] for g in p.all(records.GRANT)]
    assert len(given) == len(LOCALS)
    assert not any_opens(recorded, given + [standing(DR), standing(LABO)])
    ring = {g["identity"]: g["key"] for g in made.read("labo.central").grants}
    assert opens(recorded, ring[DR])            # as its own ring does
    # And no such ring lies on the desk: it is made anew for each act.
    for name, octets in made.files().items():
        for who in (LABO, DR):
            assert standing(who) not in octets, name
            assert standing(who).hex().encode() not in octets, name


# K5, P7: no year follows from another

def test_K5_no_root_follows_from_another(date, made, machine):
    """The same desk, on the same day, twice: another root of the next year.
    And who has the next one reads nothing of this one, nor makes keys of it."""
    labo = machine("labo", made, "labo.central")
    recorded = sealed_by(labo, NAME)
    date(YEAR, 11, 20)
    twin = Acts(made.sceau_, made.top / "twin")
    twin.top.mkdir()
    shutil.copytree(made.folder, twin.folder)
    for one in (made, twin):
        renew(one)
    this, *nexts = root_of(made), root_of(made, NEXT), root_of(twin, NEXT)
    assert len({this, *nexts}) == 3
    for older, newer in ((this, nexts[0]), (nexts[0], this)):
        for label in ("member", "channel", "witness", "check", "rootck"):
            for data in (b"", kdf.year2(YEAR), kdf.year2(NEXT)):
                assert kdf.kdf(older, f"sceau1.{label}", data) != newer
    assert not any_opens(recorded, nexts)
    assert any_opens(recorded, [this])
    made.out = made.top / "out-again"
    got = made.batch("--year", YEAR, *made.custodians(NEXT), custodians=(),
                     check=65)
    assert b"a sheet is of %d" % NEXT in got.stderr
    assert not list(made.out.rglob("*.cle"))


# K9, P10: who has the recipient's key writes to him as anybody (stated)

def test_K9_a_stolen_recipient_is_written_to_as_by_anybody(demo, forger):
    """So far, until his key is replaced; nobody else is written to, and the
    key that replaces it ends that."""
    bench = Bench(demo.dr, forger.maker())
    bench.hold()
    dr = demo.dr
    stolen = forger.all.K(dr.identity.encode(), DEMO)

    def forged(sender, recipient, text, **more):
        return forger.mail(
            sender, recipient, demo.mail_of(text, recipient, sender=sender),
            grant=False, key=kdf.channel_key(
                stolen, sender.identity.encode()), **more)
    demo.post(dr, *(forged(s, dr, s.local) for s in (
        demo.labo, demo.issuer, demo.hub)))
    dr.ok("poll")
    assert len(dr.shown()) == 3             # the limit, as it is stated
    for other in (demo.labo, demo.durand):
        refused_all(demo, other, forged(demo.issuer, other, "x"),
                    forged(demo.petit, other, "x"))
    # He has a new key: what was sealed for the old one has a flag, and says
    # nothing but its mail; what is made of the old key for the new is forged.
    bench.maker.reissue(dr.name.encode())
    got = bench.take(bench.make(code=OTHER), OTHER)
    assert got.code == 0, got.text()
    shown = len(dr.documents())
    demo.post(dr, forged(demo.issuer, dr, "after", control=[
        records.bar(255, demo.durand.name.encode())]))
    dr.sceau("poll")
    new = dr.documents()[shown:]
    assert [mark(p.read_bytes())["flags"] for p in new] == ["replaced-key"]
    assert believes(demo, forger, demo.durand, dr)
    new = (dr.name + "#2").encode()
    env = forger.seal(demo.labo, new, demo.mail_of("x", dr), grant=False,
                      key=kdf.channel_key(stolen, forger.who(demo.labo)))
    before = dr.classes().count("HEADER")
    demo.post(dr, forger.wrap(demo.labo, dr, env))
    assert dr.sceau("poll").code == 65
    assert dr.classes().count("HEADER") == before + 1


def refused_all(demo, member, *messages):
    demo.post(member, *messages)
    assert member.sceau("poll").code == 65
    assert member.new() == []
    assert member.classes() == ["HEADER"] * len(messages)


# K10, P10: a stolen ring reads what its owner sent (stated)

def test_P10_K10_a_stolen_store_reads_what_its_owner_sent(demo, forger):
    """Of that year, with that owner at one end; and nothing else."""
    bench = Bench(demo.labo, forger.maker(DEMO + 1))
    bench.hold()
    keys = held(opened(demo.labo))
    names = [m.identity.encode() for m in demo.members.values()]
    maker = bench.maker

    def recorded(a, b, year=DEMO):
        return envelope.sealed(maker.C(a, b, year), year, a, b, [
            records.meta(1_790_000_000, 0, year, 1)], b"From: x\r\n\r\n")[0]
    labo = demo.labo.identity.encode()
    for a in names:
        for b in names:
            if a != b:
                assert any_opens(recorded(a, b), keys) == (labo in (a, b))
    dr = demo.dr.identity.encode()
    assert not any_opens(recorded(labo, dr, DEMO + 1), keys)
    again = maker.id(demo.labo.name.encode(), 2)
    assert not any_opens(recorded(again, dr), keys)


# K13: one copy of the store in a backup, and the year is never over (stated)

def test_K13_a_backup_without_the_two_files_opens_nothing(demo, forger):
    """What the manual asks to be left out is all that opens: with it in the
    backup old mail is read after the erasure, without it never."""
    year = Year(demo, forger.maker(DEMO + 1)).lived(forger)
    dr = year.member
    recorded = mail.find(year.envelope)
    backup, plain = files(dr), opened(dr)
    two = {"keystore", "keystore.key"}
    assert two <= set(backup)
    secrets = year.secrets()
    assert year.spring().code == 0 and year.erased(secrets)
    assert not any_opens(recorded, held(opened(dr)))
    assert any_opens(recorded, held(plain))     # the limit, as it is stated
    for name, octets in backup.items():
        if name not in two:
            for key in held(plain):
                assert key not in octets, name
    # The association gives the same key again: nothing else was lost.
    for name in two:
        (dr.state / name).unlink()
    got = year.take(year.make(DEMO + 1, OTHER), OTHER)
    assert got.code == 0, got.text()
    assert year.keys_of(DEMO + 1)[0] in opened(dr)


# A1: the root on a machine of the network

NETWORK = ("socket", "socketpair", "connect", "bind", "listen", "accept4",
           "sendto", "sendmsg", "recvfrom", "recvmsg")


def test_A1_the_desk_needs_no_network(desk):
    """Its whole year where the kernel knows no socket: files come of it."""
    def offline(*words):
        got = subprocess.run(
            [desk.sceau_, "issuer", *map(str, words)], cwd=desk.top,
            capture_output=True, timeout=120, stdin=subprocess.DEVNULL,
            env={"PATH": "/usr/bin:/bin", "LANG": "C",
                 "HOME": str(desk.top)}, preexec_fn=kernel.without(*NETWORK))
        assert got.returncode == 0, got.stderr.decode()
        return got
    table = desk.top / "members.csv"
    table.write_text(PEOPLE)
    two = [w for n in (1, 3) for w in ("--custodian", desk.sheet(n))]
    out = ("--out", desk.out)
    offline("init", desk.folder, "--assoc", "essai", "--year", YEAR,
            "--domain", "asso.example", *HUB)
    offline("add", desk.folder, table)
    offline("batch", desk.folder, *out, *two)
    offline("reissue", desk.folder, MARTIN, *out, *two)
    offline("enrol", desk.folder, *out, *two)
    offline("audit", desk.folder)
    offline("destroy", desk.folder, "--year", YEAR, "--early", *two)
    assert len(list(desk.out.rglob("*.cle"))) == len(LOCALS) + 1


# A2, P10: the association reads (stated)

def test_A2_two_sheets_read_the_year_and_one_reads_nothing(made, machine):
    """Silently, from recorded mail alone; once the root is destroyed and two
    sheets are burnt nobody does, with all that is left in his hands."""
    labo = machine("labo", made, "labo.central")
    recorded = sealed_by(labo, NAME, b"INR 2,1")
    root = root_of(made)
    key = kdf.channel_key(kdf.member_key(root, YEAR, DR), LABO)
    assert envelope.opened(recorded, key,
                           records.LIMIT_MAIL)[1].mail == b"INR 2,1"
    sheet = made.sheet(2).read_text()
    destroy(made, "--early")
    witness = list(archive(made).values())
    for path in made.folder.glob("custodians/*"):
        path.unlink()
    one, two = parts_of(sheet)
    left = [one, two, xor(one, two), xor(xor(one, two), kdf.ZERO), *witness]
    left += [kdf.b2sum(octets) for octets in made.files().values()]
    assert not any_opens(recorded, left)
    assert any_opens(recorded, [root])


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def parts_of(sheet):
    """The two parts of a custodian's sheet, 32 octets each."""
    codes = codes_in(sheet)
    return [paper.part_parse(codes[n:n + 3])[0] for n in (0, 3)]


# A5: look-alikes

@pytest.mark.parametrize("address", [
    "labo-central@labo.example", "labocentral@labo.example",
    "LABO_CENTRAL@labo.example", "la.bo.central@la-bo.example"])
def test_A5_a_look_alike_is_not_entered(desk, address):
    """Refused by its line, and nobody else of the table is entered."""
    desk.init(*HUB)
    desk.add()
    before = (desk.folder / "register").read_bytes()
    got = desk.add(HEAD + f"n@n.example,n@{POST},N,practice,\n"
                   f"{address},x@{POST},Laboratoire central,laboratory,\n",
                   check=65)
    said = got.stderr.decode()
    assert "3: " in said and "too like" in said and LABO_NAME.partition(
        "/")[2] in said
    assert (desk.folder / "register").read_bytes() == before


def test_A5_who_is_shown_is_who_the_directory_says(demo, forger):
    """Whatever name he gives himself; the lists show the directory's."""
    said = demo.mail_of("INR", demo.dr).replace(
        f"From: {demo.labo.address}".encode(),
        f'From: "Cabinet Durand" <{demo.labo.address}>'.encode())
    demo.post(demo.dr, forger.mail(demo.labo, demo.dr, said))
    demo.dr.ok("poll")
    (row,) = demo.dr.ok("inbox", "--json").json()
    assert "durand" not in str(row).lower()
    assert demo.labo.name in str(row)
    assert b"Durand" not in demo.dr.ok("inbox").stdout


# A8: the first delivery

def test_A8_file_and_letter_are_worth_something_together_only(made, machine):
    """Together they are the member (stated); apart nothing, and they are made
    apart.  At the renewal the print shop has nothing at all."""
    path, code = made.pair("dr.martin")
    others = [made.pair(n)[1] for n in LOCALS if n != "dr.martin"]
    data = path.read_bytes()
    assert made.letter("dr.martin").parent != path.parent
    letters = [p.read_bytes() for p in made.out.rglob("*")
               if p.is_file() and p.suffix != ".cle"]
    key = made.read("dr.martin").self["key"]
    assert not [x for x in letters if key in x or key.hex().encode() in x]
    assert code.encode() not in data and paper.parse(code) not in data
    for wrong in (*others, paper.format(bytes(15))):
        with pytest.raises(SceauError) as e:
            keyfile.read(data, paper.parse(wrong))
        assert e.value.cls == "HEADER"
    assert not any_opens(data, [kdf.b2sum(x) for x in letters])
    thief = machine("thief", made, "dr.martin")
    labo = machine("labo", made, "labo.central")
    got = seals(labo, thief, NAME)              # the limit, as it is stated
    assert got.returncode == 0 and got.stdout == b"x" * 99
    assert seals(thief, labo, LABO_NAME).returncode == 0
    # A new pair ends that: for whom has heard of it, here by a later ring.
    made.reissue()
    later = made.again("later")
    labo = machine("labo-later", later, "labo.central")
    got = seals(thief, labo, LABO_NAME)
    assert got.returncode == 65 and got.stdout == b""
    assert thief.run("open", input=sealed_by(labo, NAME)).stdout == b""


def test_A8_at_the_renewal_the_print_shop_has_nothing(date, made, machine):
    """Letter and file both: without last year's key nothing opens."""
    date(YEAR, 11, 20)
    renew(made)
    path, code = made.pair("dr.martin", year=NEXT)
    with pytest.raises(SceauError) as e:
        made.read("dr.martin", year=NEXT, old=[
            made.read(n).self["key"] for n in LOCALS if n != "dr.martin"])
    assert e.value.cls == "HEADER"
    shop = machine("shop", made, "labo.central")
    got = shop.import_(path, code)
    assert got.returncode == 65, got.stderr.decode()
    home = machine("home", made, "dr.martin")
    assert home.import_(path, code).returncode == 0
