"""Keys that travel badly: each way has its sentence, in both languages, and
leaves what is held as it was; and the renewal as a secretary does it."""

import base64
import calendar

import pytest

from pysceau import code as paper
from pysceau import envelope, kdf, keyfile, mail, records
from world.demo import YEAR
from world.terminal import Terminal

CODE, NEXT_CODE, OTHER = (kdf.b2sum(b"code %d" % n)[:15] for n in range(3))
OLD = YEAR - 2


def noon(year, month=6, day=1):
    return {"SCEAU_FAULT_CLOCK":
            f"@{calendar.timegm((year, month, day, 12, 0, 0))}"}


class Bench:
    """A member with a store of its own, and the desk that makes its files."""

    def __init__(self, member, maker):
        self.member, self.maker = member, maker
        self.home = member.home
        member.configure(top=self.store())

    def store(self):
        return {"keystore": str(self.member.state / "keystore"),
                "keystore_key": str(self.member.state / "keystore.key")}

    def make(self, year=YEAR, code=CODE, name=None, **more):
        return self.maker.key_file(name or self.member.name.encode(), year,
                                   code, **more)

    def put(self, data, name="key.cle"):
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def take(self, data, code=CODE, *words, command="import", **env):
        slip = self.member.secret("code", code if isinstance(code, str)
                                  else paper.format(code) + "\n")
        return self.member.sceau("key", command, self.put(data),
                                 "--code-file", slip, *words, **env)

    def hold(self, year=YEAR, code=CODE, **env):
        got = self.take(self.make(year, code), code, **env)
        assert got.code == 0, got.text()
        return self

    def kept(self):
        return {p.name: p.read_bytes() for p in self.member.state.glob("key*")
                if p.suffix != ".lock"}

    def years(self):
        return sorted(k["year"] for k in
                      self.member.ok("key", "list", "--json").json())

    def person(self, *words, **env):
        return Terminal(
            [str(self.member.world.sceau), "-c", str(self.member.conf),
             *map(str, words)],
            {**self.member.environment(), "TERM": "vt100", **env}, self.home)


@pytest.fixture
def bench(demo, forger):
    return Bench(demo.dr, forger.maker(OLD, YEAR + 1))


def damaged(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def body_at(data):
    h = envelope.parse_header(data)
    return 76 + len(h.sender) + len(h.recipient)


def by_mail(data):
    return mail.wrap(data, "bureau@asso.example", "dr@poste.example")


def store_of(b):
    return (b.member.state / "keystore").read_bytes()


def sealed(b):
    me = b.member.identity.encode()
    return envelope.sealed(bytes(32), YEAR, b"demo/a@b.example#1", me,
                           [records.meta(0, 0, YEAR, 1)])[0]


PAGE = b"\xef\xbb\xbf\n<!DOCTYPE html>\n<html lang=fr><title>Connexion</title>"
FORMAT, CONF = 65, 78
SAFE = ("othing was changed", "ien n’a été changé")
R = {"renewal": True}

# way: (what of YEAR and before is held, what comes, words, exit code,
# English, French)
WAYS = {
    "another code":
        ([], lambda b: (b.make(), OTHER), [], FORMAT,
         "the code does not open this file",
         "le code n’ouvre pas ce fichier"),
    "another code, the letter is this file's":
        ([], lambda b: (b.make(), OTHER),
         ["--digits", lambda d: keyfile.paper_digits(d).upper()], FORMAT,
         "a symbol is mistyped", "un signe est mal tapé"),
    "the letter of another":
        ([], lambda b: (b.make(), CODE), ["--digits", "01234567"], FORMAT,
         "it is the letter of another file", "la lettre d’un autre fichier"),
    "no digits":
        ([], lambda b: (b.make(), CODE), ["--digits", "0123456x"], CONF,
         "has 8 digits", "a 8 chiffres"),
    "check symbol":
        ([], lambda b: (b.make(), paper.format(CODE)[:-1] +
                        "0123456789"[paper.format(CODE)[-1] == "0"]), [],
         FORMAT, "its last symbol does not fit the others",
         "ne s’accorde pas avec les autres"),
    "too few symbols":
        ([], lambda b: (b.make(), paper.format(CODE)[:-6]), [], FORMAT,
         "a code has 25 symbols", "un code a 25"),
    "file of another member":
        ([YEAR], lambda b: (b.make(name=b.member.world.durand.name.encode()),
                            CODE), [], FORMAT,
         "the keys held here are of demo/dr.martin@cabinet.example",
         "les clés détenues ici sont celles de"),
    "code of another member":
        ([], lambda b: (b.make(YEAR, NEXT_CODE), CODE), [], FORMAT,
         "another file's letter", "la lettre d’un autre fichier"),
    "an old year":
        ([YEAR], lambda b: (b.make(OLD), CODE), [], FORMAT,
         "an old year", "d’une année passée"),
    "renewal, and nothing is held":
        ([], lambda b: (b.make(YEAR + 1, **R), CODE), [], FORMAT,
         f"renews the key of {YEAR}", f"renouvelle la clé de {YEAR}"),
    "renewal, and last year's is not held":
        ([OLD], lambda b: (b.make(YEAR + 1, **R), CODE), [], FORMAT,
         f"renews the key of {YEAR}", f"renouvelle la clé de {YEAR}"),
    "renewal with the code of the year before":
        ([YEAR], lambda b: (b.make(YEAR + 1, NEXT_CODE, **R), CODE), [],
         FORMAT, "the code does not open this file",
         "le code n’ouvre pas ce fichier"),
    "damaged in its head":
        ([], lambda b: (damaged(b.make(), 9), CODE), [], FORMAT,
         "the code does not open this file",
         "le code n’ouvre pas ce fichier"),
    "damaged in its head beyond reading":
        ([], lambda b: (damaged(b.make(), 10), CODE), [], FORMAT,
         "damaged at its beginning", "abîmé à son début"),
    "damaged in its body":
        ([], lambda b: (damaged(b.make(), 2000), CODE), [], FORMAT,
         "the code is right, but the file was damaged",
         "le code est bon, mais le fichier a été abîmé"),
    "cut short":
        ([], lambda b: (b.make()[:-100], CODE), [], FORMAT,
         "the file is not whole", "le fichier n’est pas entier"),
    "cut short in its head":
        ([], lambda b: (b.make()[:60], CODE), [], FORMAT,
         "the file is not whole", "le fichier n’est pas entier"),
    "octets behind it":
        ([], lambda b: (b.make() + b"\r\n", CODE), [], FORMAT,
         "the file is not whole", "le fichier n’est pas entier"),
    "empty":
        ([], lambda b: (b"", CODE), [], FORMAT,
         "the file is empty", "le fichier est vide"),
    "a page of the site":
        ([], lambda b: (PAGE, CODE), [], FORMAT,
         "this is a web page", "une page web"),
    "the whole mail":
        ([], lambda b: (by_mail(b.make()), CODE), [], FORMAT,
         "this is a whole mail", "un message entier"),
    "not decoded":
        ([], lambda b: (base64.encodebytes(b.make()), CODE), [], FORMAT,
         "as mail carries it", "tel que la messagerie"),
    "compressed":
        ([], lambda b: (b"PK\x03\x04" + bytes(40), CODE), [], FORMAT,
         "a compressed folder", "un dossier compressé"),
    "something else":
        ([], lambda b: (b"\x89PNG\r\n\x1a\n" + bytes(400), CODE), [],
         FORMAT, "this is not a key file", "n’est pas un fichier de clés"),
    "a sealed message":
        ([], lambda b: (sealed(b), CODE), [], FORMAT,
         "this is a sealed message", "un message scellé"),
    "the store of a machine":
        ([YEAR], lambda b: (store_of(b), CODE), [], FORMAT,
         "the key store of a machine", "le coffre d’une machine"),
    "of a newer sceau":
        ([], lambda b: (b"SCEAU\x02" + b.make()[6:], CODE), [], FORMAT,
         "made for a newer sceau", "un sceau plus récent"),
}


@pytest.mark.parametrize("way", WAYS)
def test_each_way_has_its_sentence(bench, way):
    held, comes, words, code, *says = WAYS[way]
    for year in held:
        bench.hold(year)
    data, octets = comes(bench)
    words = [w(data) if callable(w) else w for w in words]
    before = bench.kept()
    for lang, said, safe in zip(("en", "fr"), says, SAFE):
        got = bench.take(data, octets, "--lang", lang, *words)
        assert got.code == code, got.text()
        assert said in got.stderr.decode(), got.text()
        assert safe in got.stderr.decode() or code == CONF, got.text()
        assert got.stdout == b"" and bench.kept() == before


def test_all_those_sentences_differ(bench):
    """Fewer than the ways: some of those are one case to whoever reads."""
    assert len({w[4] for w in WAYS.values()}) >= 20


def test_the_same_file_again(bench):
    bench.hold()
    got = bench.take(bench.make())
    assert got.code == 0 and b"taken in already" in got.stdout, got.text()
    got = bench.take(bench.make(), CODE, "--lang", "fr")
    assert "déjà été pris" in got.stdout.decode(), got.text()


@pytest.mark.parametrize("year, says", [
    (1970, ["earlier than this program was made", "avant que ce programme"]),
    (2036, ["by it the time of this key is over",
            "selon elle le temps de cette clé est passé"])])
def test_a_wrong_clock_is_told_and_refuses_nothing(bench, year, says):
    for lang, said in zip(("en", "fr"), says):
        got = bench.take(bench.make(), CODE, "--lang", lang, **noon(year))
        assert got.code == 0 and said in got.stdout.decode(), got.text()
    assert bench.years() == [YEAR]


def test_a_wrong_clock_and_the_file_of_the_year_before(bench):
    """It is said that the clock may be what is wrong; with the clock set the
    very same file is taken in."""
    bench.hold(YEAR + 1)
    got = bench.take(bench.make(), **noon(2036))
    assert got.code == FORMAT and b"if that date is wrong" in got.stderr
    assert bench.take(bench.make(), **noon(YEAR, 12)).code == 0
    assert bench.years() == [YEAR, YEAR + 1]


# -- another member's, taken in for one's own -----------------------------------

def sentence(b, *, used, fr):
    """All of it: whoever reads it has no other help."""
    at = b.store()["keystore"]
    own, other = (m.identity for m in (b.member, b.member.world.durand))
    if fr:
        return (f"Si les clés de {other}, détenues ici, ne sont pas les "
                f"vôtres\u00a0: " + (
                    "quelque chose a déjà été envoyé ou reçu avec elles\u00a0; "
                    "laissez tout en l’état, et appelez l’association.\n"
                    if used else
                    f"rien n’a encore été envoyé ni reçu avec elles\u00a0; "
                    f"déplacez le fichier {at}, prenez votre propre fichier, "
                    f"et dites à l’association de qui étaient le fichier et "
                    f"la lettre qui vous ont été remis.\n") +
                f"sceau: ce fichier de clés est celui de {own}, et les clés "
                f"détenues ici sont celles de {other}.")
    return (f"If the keys of {other}, which are held here, are not yours: " + (
                "something was sent or received with them already; leave all "
                "as it is, and call the association.\n" if used else
                f"nothing was sent or received with them yet; move the file "
                f"{at} away, take your own file in, and tell the association "
                f"whose file and letter you were given.\n") +
            f"sceau: this key file is of {own}, and the keys held here are of "
            f"{other}. Nothing was changed. Take your own file; each member "
            f"needs a machine, or a state folder, of its own\n")


def takes_anothers(b):
    other = b.member.world.durand.name.encode()
    got = b.take(b.make(name=other), CODE)
    assert got.code == 0, got.text()


def says_so(b, *, used):
    before = b.kept()
    for lang in ("en", "fr"):
        got = b.take(b.make(), CODE, "--lang", lang)
        assert (got.code, got.stdout) == (FORMAT, b""), got.text()
        said = sentence(b, used=used, fr=lang == "fr")
        assert got.stderr.decode().startswith(said), got.text()
    assert b.kept() == before


def test_anothers_file_was_taken_in_and_what_to_do(bench, demo):
    """He does what the sentence says, and is himself again."""
    takes_anothers(bench)
    bench.member.sceau("poll")          # nothing had come
    says_so(bench, used=False)
    (bench.member.state / "keystore").rename(bench.home / "not-mine")
    bench.hold()
    data = demo.send("INR 2,1", demo.dr)
    demo.labo.ok("poll")
    demo.dr.ok("poll")
    assert demo.dr.shown() == [data]
    demo.send("INR 2,2", demo.labo, sender=demo.dr)
    demo.dr.ok("poll")
    demo.labo.ok("poll")
    assert b"INR 2,2" in demo.labo.shown()[0]
    assert demo.dr.ok("check").code == 0


@pytest.mark.parametrize("way", ["sent", "received", "held"])
def test_anothers_file_was_used_already(bench, demo, forger, way):
    takes_anothers(bench)
    if way == "sent":
        demo.dr.ok("send", "-t", input=demo.mail_of("x", demo.labo,
                                                    sender=demo.durand))
    elif way == "received":
        demo.post(demo.dr, forger.mail(demo.labo, demo.durand, demo.mail_of(
            "x", demo.durand)))
    else:                               # his own, which is not for the other
        demo.post(demo.dr, forger.mail(demo.labo, demo.dr, demo.mail_of(
            "x", demo.dr)))
    demo.dr.sceau("poll")
    says_so(bench, used=True)


# -- at the terminal -----------------------------------------------------------

ASKED, DIGITS = "Code on the letter:", "Fingerprint on the letter"
MINE = "Is dr.martin@cabinet.example your own address? [no]"


def test_whose_the_first_key_is_is_asked(bench):
    """Another's letter opens another's file: nothing else would tell."""
    other = bench.put(bench.make(name=bench.member.world.durand.name.encode()))
    for lang, asked, answer, says in (
            ("en", "Is cabinet.durand@durand.example your own address? [no]",
             "", "this key file is of demo/cabinet.durand@durand.example#1, "
             "and not yours. Nothing was changed. Take your own file, and "
             "tell the association if this one, or its letter, was given to "
             "you"),
            ("fr", "cabinet.durand@durand.example est-elle votre adresse\u00a0? "
             "[non]", "non",
             "ce fichier de clés est celui de "
             "demo/cabinet.durand@durand.example#1, et non le vôtre. Rien n’a "
             "été changé. Prenez votre propre fichier, et dites à "
             "l’association si celui-ci, ou sa lettre, vous a été remis")):
        with bench.person("--lang", lang, "key", "import", other) as person:
            person.answer(asked, answer)
            assert person.end() == FORMAT, person.seen
        assert says in person.seen and bench.kept() == {}
        assert ASKED not in person.seen and "Code de la" not in person.seen
    with bench.person("key", "import", bench.put(bench.make())) as person:
        person.answer(MINE, "yes")
        person.answer(ASKED, paper.format(CODE))
        assert person.end() == 0, person.seen
    # whose it is is known from then on
    with bench.person("key", "import", bench.put(bench.make())) as person:
        person.answer(ASKED, paper.format(CODE))
        assert person.end() == 0 and MINE not in person.seen, person.seen


def test_a_mistyped_code_is_typed_again(bench):
    data = bench.make()
    with bench.person("key", "import", bench.put(data)) as person:
        person.expect("Key file of demo/dr.martin@cabinet.example#1, for")
        person.expect(f"fingerprint is {keyfile.paper_digits(data)}")
        person.answer(MINE, "y")
        person.answer(ASKED, "208H4-4RM2M")
        person.expect("10 were typed")
        person.answer(ASKED, paper.format(CODE)[:-1] + "U")
        person.expect("(group 5)")
        person.answer(ASKED, paper.format(CODE).lower().replace("-", " "))
        assert person.end() == 0, person.seen
    assert "sceau check" in person.seen and bench.years() == [YEAR]


def test_three_times_and_no_more(bench):
    with bench.person("key", "import", bench.put(bench.make())) as person:
        person.answer(MINE, "oui")
        for _ in range(3):
            person.answer(ASKED, "0")
        assert person.end() == FORMAT
    assert person.seen.count(ASKED) == 3 and bench.kept() == {}


def test_the_fingerprint_tells_a_wrong_code_from_a_wrong_file(bench):
    data = bench.make()
    path = bench.put(data)
    with bench.person("key", "import", path) as person:
        person.answer(MINE, "yes")
        person.answer(ASKED, paper.format(OTHER))
        person.answer(DIGITS, "01 23 45")
        person.expect("has 8 digits")
        person.answer(DIGITS, keyfile.paper_digits(data).upper())
        person.answer(ASKED, paper.format(NEXT_CODE))
        person.expect("a symbol is mistyped")
        person.answer(ASKED, paper.format(CODE))
        assert person.end() == 0, person.seen
    assert person.seen.count(DIGITS) == 2 and bench.years() == [YEAR]
    with bench.person("key", "import", bench.put(bench.make(
            name=bench.member.name.encode(), only=()))) as person:
        person.answer(ASKED, paper.format(OTHER))
        person.answer(DIGITS, keyfile.paper_digits(data))
        assert person.end() == FORMAT
    assert "it is the letter of another file" in person.seen


# -- the renewal ----------------------------------------------------------------

@pytest.mark.parametrize("folder", [".", "Downloads", "Téléchargements"])
def test_renew_finds_the_file_and_says_how_the_years_overlap(bench, folder):
    bench.hold()
    name = f"{folder}/dr.martin.{YEAR + 1} (1).cle"
    data = bench.make(YEAR + 1, NEXT_CODE, renewal=True)
    bench.put(data, name)
    bench.put(data, "Downloads/the same.CLE")
    bench.put(bench.make(YEAR + 1, name=b"demo/passerelle@demo.example"),
              "another's.cle")
    bench.put(PAGE, f"{folder}/page.cle")
    with bench.person("key", "renew", "--lang", "fr",
                      **noon(YEAR, 11, 20)) as person:
        person.expect("Trouvé\u00a0: ")
        person.expect("Renouvellement de la clé de demo/dr.martin")
        person.answer("Code de la lettre", paper.format(NEXT_CODE))
        assert person.end() == 0, person.seen
    said = person.seen.replace("\n", " ")
    assert f"La clé de {YEAR} est gardée" in said
    assert f"1 avril {YEAR + 1}" in said.replace("1er", "1").replace("\xa0",
                                                                   " ")
    assert f"avec la clé de {YEAR} tant qu" in said
    assert "sceau check" in said
    assert bench.years() == [YEAR, YEAR + 1]


def test_renew_says_what_it_did_not_find(bench):
    got = bench.member.sceau("key", "renew")
    assert got.code == CONF and b"no key is held" in got.stderr
    bench.hold()
    got = bench.member.sceau("key", "renew")
    assert got.code == CONF and \
        f"no key file of yours for {YEAR + 1}".encode() in got.stderr
    for n, only in enumerate((None, ())):
        bench.put(bench.make(YEAR + 1, renewal=True, only=only), f"{n}.cle")
    got = bench.member.sceau("key", "renew")
    assert got.code == CONF and b"they differ" in got.stderr
    assert bench.years() == [YEAR]


def test_renew_for_programs(bench):
    bench.hold()
    got = bench.take(bench.make(YEAR + 1, NEXT_CODE, renewal=True), NEXT_CODE,
                     "--json", command="renew")
    row, = got.json()
    assert (row["type"], row["year"], row["renewal"], row["again"]) == \
        ("key_imported", YEAR + 1, True, False)
    assert row["from_at"] == f"{YEAR + 1}-01-01T00:00:00Z"
    assert row["file"] == str(bench.home / "key.cle")
