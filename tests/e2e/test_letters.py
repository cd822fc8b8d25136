"""Letters as they are printed: pages, squares, counterfoil."""

import re
import subprocess
import xml.etree.ElementTree as xml

import pytest

from pysceau import code as paper, kdf
from test_issuer import HEAD, HUB, LOCALS, PEOPLE, POST, Desk, codes_in

NASTY = "=<script>&\"'</article>"
TABLE = "address,route,name,kind,post\n" + f"""\
dr.martin@cabinet.example,martin@{POST},Dr Léa Martin,practice,\
3 rue des Lilas |BP 12| 14000 CAEN
nasty@nasty.example,nasty@{POST},"{NASTY.replace('"', '""')}",other,\
<!-- & -->
"""


@pytest.fixture
def desk(sceau, tmp_path):
    return Desk(sceau, tmp_path)


@pytest.fixture
def posted(desk):
    desk.init(*HUB, "--call", "Mme <Petit> & Cie, 02 31 00 00 00")
    desk.add(TABLE)
    desk.batch()
    return desk


def sheets(desk):
    return sorted((desk.out / "letters").glob("print-*.html"))


def pages(desk):
    """Every letter of the sheets, as XML, in the order of the register."""
    return [page for path in sheets(desk)
            for page in xml.parse(path).iter("article")]


def text(element):
    return "".join(element.itertext())


def shown(page, css):
    found, = (x for x in page.iter() if x.get("class") == css)
    return text(found)


def scan(svg, folder):
    """What a scanner reads in a square, drawn as browsers draw it."""
    svg.set("xmlns", "http://www.w3.org/2000/svg")
    drawing, image = folder / "square.svg", folder / "square.png"
    drawing.write_bytes(xml.tostring(svg))
    subprocess.run(["rsvg-convert", "-w", "264", "-b", "white", "-o", image,
                    drawing], check=True, timeout=60)
    got = subprocess.run(["zbarimg", "-q", "--raw", image], check=True,
                         stdout=subprocess.PIPE, timeout=60)
    return got.stdout.decode().strip()


def foil(desk):
    """The lines of the counterfoil that programs read, without its first."""
    lines = (desk.out / "counterfoil.txt").read_text().splitlines()
    return [line.split("\t") for line in lines[1:]]


def foil_rows(desk):
    table = xml.parse(desk.out / "counterfoil.html").find(".//tbody")
    return [[text(cell) for cell in row] for row in table]


def test_a_page_says_what_its_letter_says(posted, tmp_path):
    locals_ = ["veille", "passerelle", "dr.martin", "nasty"]
    for local, page in zip(locals_, pages(posted), strict=True):
        code, = set(codes_in(text(page)))
        assert code == posted.code(local)
        assert scan(page.find(".//svg"), tmp_path) == code
        digits = kdf.b2sum(posted.key(local).read_bytes()).hex()[:8]
        file = posted.key(local).name
        assert [text(b) for b in page.findall(".//table//b")][:2] == \
            [file, digits]
        typed = [text(k) for k in page.iter("kbd")]
        assert typed == [f"sceau key import {file}", "sceau check",
                         f"b2sum -l 256 {file}"]
        dates = re.findall(r"\d+(?:er)? \S+ \d{4}", text(page))
        letter = posted.letter(local).read_text()
        assert len(dates) == 4 and all(d in letter for d in dates)
        assert shown(page, "call").endswith(
            "Mme <Petit> & Cie, 02 31 00 00 00")


def test_the_window_shows_name_and_postal_address(posted):
    assert [shown(p, "to") for p in pages(posted)] == [
        "Veille", "Passerelle",
        "Dr Léa Martin\n3 rue des Lilas\nBP 12\n14000 CAEN",
        NASTY + "\n<!-- & -->"]
    assert "\nDr Léa Martin\n3 rue des Lilas\nBP 12\n14000 CAEN\n\n" in \
        posted.letter("dr.martin").read_text()


def test_names_are_data_and_nothing_is_fetched(posted):
    for path in (*sheets(posted), posted.out / "counterfoil.html"):
        tags = {x.tag for x in xml.parse(path).iter()}
        assert not tags & {"script", "img", "link", "iframe", "a", "base"}
        raw = path.read_text()
        assert raw.startswith("<!DOCTYPE html>\n")
        assert "<!--" not in raw and "http:" not in raw
        assert "default-src 'none'" in raw
        assert not re.search(r"url\(|@import|\bsrc=|\bhref=", raw)
    assert NASTY in [row[1].split("essai/")[0] for row in foil_rows(posted)]


def test_the_counterfoil_has_everybody_and_no_code(posted):
    locals_ = ["veille", "passerelle", "dr.martin", "nasty"]
    codes = [posted.code(n) for n in locals_]
    lines = foil(posted)
    assert [x[0] for x in lines] == [
        kdf.b2sum(posted.key(n).read_bytes()).hex()[:8] for n in locals_]
    assert [x[2] for x in lines] == [
        f"essai/{a}#1" for a in ("veille@asso.example",
                                 "passerelle@asso.example",
                                 "dr.martin@cabinet.example",
                                 "nasty@nasty.example")]
    assert [x[3] for x in lines] == ["Veille", "Passerelle", "Dr Léa Martin",
                                     "'" + NASTY]    # not a formula
    assert all(f"Le {x[1]}\n" in posted.letter(n).read_text()
               for x, n in zip(lines, locals_))
    for n, (row, line) in enumerate(zip(foil_rows(posted), lines), 1):
        assert row == [str(n), line[3].removeprefix("'") + line[2], line[0],
                       line[1], ""]
    for path in posted.out.rglob("*"):
        if path.is_file():
            assert path.stat().st_mode & 0o777 == 0o600, path
        if path.is_file() and path.parent.name != "letters":
            data = path.read_bytes()
            for code in codes:
                assert code.encode() not in data
                assert code.replace("-", "").encode() not in data
                assert paper.parse(code) not in data


@pytest.mark.parametrize("point", ["batch.letter.before#3",
                                   "sheets.rename.before#1",
                                   "sheets.rename.after#2"])
def test_complete_after_a_cut(desk, point):
    desk.init(*HUB)
    desk.add()
    got = desk.batch(check=None, SCEAU_FAULT=f"{point}:kill")
    if got.returncode == 0:
        pytest.skip("built without --enable-fault")
    assert not (desk.out / "counterfoil.txt").exists()
    (desk.out / "letters" / "print-003.html.tmp").write_text("half")
    desk.batch()
    assert [codes_in(text(p))[0] for p in pages(desk)] == \
        [desk.code(n) for n in LOCALS]
    assert [x[0] for x in foil(desk)] == [
        kdf.b2sum(desk.key(n).read_bytes()).hex()[:8] for n in LOCALS]
    assert not list(desk.out.rglob("*.tmp*"))


def test_two_hundred_letters_a_sheet(desk):
    """More than one sheet; one that is no more needed goes, as it holds
    codes."""
    desk.init()
    desk.add(HEAD + "".join(
        f"n{i}@n.example,n{i}@{POST},N {i},other,\n" for i in range(200)))
    desk.batch("--policy", "list", "--directory", "ring")
    assert [p.name for p in sheets(desk)] == ["print-001.html",
                                              "print-002.html"]
    assert [len(xml.parse(p).findall(".//article"))
            for p in sheets(desk)] == [200, 1]
    assert len(foil(desk)) == len(foil_rows(desk)) == 201
    (desk.out / "letters" / "print-003.html").write_text("former")
    before = (desk.out / "counterfoil.html").read_bytes()
    assert b"0 pairs" in desk.batch().stdout
    assert len(sheets(desk)) == 2
    assert (desk.out / "counterfoil.html").read_bytes() == before


def test_a_letter_that_was_changed(posted):
    path = posted.letter("dr.martin")
    code = posted.code("dr.martin")
    # the last symbol checks the others: each other one is wrong
    other = code[:-1] + ("X" if code[-1] != "X" else "Y")
    path.write_text(path.read_text().replace(code, other))
    before = posted.files()
    got = posted.batch(check=78)
    assert path.name.encode() in got.stderr
    assert other.encode() not in got.stderr
    assert posted.files() == before
    path.unlink()
    posted.batch()
    assert posted.code("dr.martin") in [codes_in(text(p))[0]
                                        for p in pages(posted)]


def test_english(posted):
    posted.out = posted.top / "english"
    posted.batch("--lang", "en")
    assert all(p.get("lang") == "en" for p in pages(posted))
    assert "handed over on" in \
        (posted.out / "counterfoil.txt").read_text().splitlines()[0]
    # The letters stay in their language, whatever the later run's is.
    assert "0 pairs" in posted.batch().stdout.decode()
    assert all(p.get("lang") == "en" for p in pages(posted))


def test_postal_addresses_may_change(posted):
    moved = TABLE.replace("3 rue des Lilas", "4 rue des Lilas")
    assert b"before, of these: 1." in posted.add(moved, "--dry-run").stdout
    assert b"0 members added (there already: 2;" in posted.add(moved).stdout
    register = (posted.folder / "register").read_text()
    assert "\tDr Léa Martin\t4 rue des Lilas|BP 12|14000 CAEN\n" in register
    without = PEOPLE.splitlines()[0] + "\n" + "\n".join(
        line.rpartition(",")[0] + "," for line in TABLE.splitlines()[1:])
    assert b"0 members added (there already: 2;" in posted.add(without).stdout
    assert (posted.folder / "register").read_text() == register


@pytest.mark.parametrize("post, why", [
    ("1|2|3|4|5|6", b"more than 5 lines"),
    ("x" * 39, b"39 characters"), ("a\tb", b"control character")])
def test_postal_addresses_that_fit_no_window(desk, post, why):
    desk.init()
    got = desk.add(TABLE + f"x@x.example,x@{POST},X,other,{post}\n", check=65)
    assert b"members.csv:4: " in got.stderr and why in got.stderr
    ok = "|".join(["é" * 38] * 5)
    desk.add(TABLE + f"x@x.example,x@{POST},X,other,{ok}\n")
