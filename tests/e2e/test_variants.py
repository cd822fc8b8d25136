"""Every variant of a report through the whole product: dropped or mailed by
the laboratory, sealed, relayed, fetched, opened, and filed by one practice for
many kinds of software at once.  What they must find is worked out here, from
the reports, not from what sceau made of them."""

import base64
import collections
import dataclasses
import pathlib
import re
import unicodedata

import pytest

from world import hprim
from world.outbox import Box, in_memory

TOKEN = re.compile(r"-[0-9a-f]{20}(?=\.)")
SAID = re.compile(r"(\S+): line (\d+): (.*)")
ENDS = {"lf": "\n", "crlf": "\r\n", "cr": "\r"}
SETS = {"utf-8": "utf-8", "iso-8859-1": "iso-8859-1",
        "windows-1252": "cp1252", "cp850": "cp850", "macroman": "mac_roman"}
DECLARED = {"iso-8859-1": "ISO-8859-1", "cp1252": "windows-1252",
            "cp850": "IBM850", "mac_roman": "macintosh", "utf-8": "utf-8",
            "utf-16-le": "utf-16", "utf-16-be": "utf-16"}
# What stands for a sign that a set has not, where letters are not enough.
STANDS = {"’": "'", "œ": "oe", "€": "EUR", "©": "(c)", "\ufffd": "?"}
# With these nobody can tell the reports of a file apart.
WHOLE = {"header.short", "header.shifted", "end.missing", "end.behind",
         "text.missing", "file.unknown"}
ERRORS = WHOLE | {"file.patients", "name.missing", "birth.bad",
                  "birth.future", "nir.key", "exam.early", "charset.octets"}

# What each software wants; what is not said here is left as it came.
SOFTWARE = {
    "keep": {},
    "unix": {"charset": "utf-8", "line_ends": "lf"},
    "strict": {"charset": "iso-8859-1", "line_ends": "crlf",
               "header": "whole"},
    "windows": {"charset": "windows-1252", "line_ends": "crlf",
                "file_per": "patient"},
    "dos": {"charset": "cp850", "line_ends": "cr", "file_per": "patient",
            "header": "whole"},
    "mac": {"charset": "macroman", "line_ends": "cr",
            "file_per": "message"},
}


# ---- what is expected ------------------------------------------------------

def encoded(text, charset):
    """In that set; what it has not is written otherwise."""
    def other(c):
        plain = unicodedata.normalize("NFD", c)[0]
        return STANDS.get(c, plain if plain.isascii() else "?")

    def fits(c):
        try:
            return c.encode(SETS[charset]) != b""
        except UnicodeEncodeError:
            return False
    return "".join(c if fits(c) else other(c) for c in text).encode(
        SETS[charset])


def date(text):
    """A date in any form whose century is certain, as dd/mm/yyyy."""
    return {"1961-05-12": "12/05/1961", "12 MAI 1961": "12/05/1961",
            "1 JAN 1911": "01/01/1911"}.get(text, text)


class Software:
    def __init__(self, demo, folder, wants):
        self.folder = folder
        self.charset = wants.get("charset")
        self.eol = ENDS.get(wants.get("line_ends"))
        self.per = wants.get("file_per", "document")
        self.whole = wants.get("header") == "whole"
        self.us, self.them = demo.dr.address, demo.labo.address

    def text(self, case):
        """The document in one piece."""
        if self.charset is None or case.kind not in ("hprim-medecin", "text"):
            return case.data
        text = case.data.decode(case.codec, "replace")
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        return encoded(text.replace("\n", self.eol), self.charset)

    def report(self, p):
        """One of its reports, written anew without its end of file."""
        header = [hprim.WIDE if p.wide else p.header[0], *p.header[1:]]
        if self.whole:
            header = [line.strip() for line in header]
            header[6], header[9] = date(header[6]), date(header[9])
            header[10] = header[10] or ".          " + self.them
            header[11] = header[11] or ".          " + self.us
        lines = [*header, *(["1", "2"] if p.wide else []),
                 *([""] if p.blank or self.whole else []), *p.text]
        if p.lab:
            lines += ["****LAB****", *p.coded]
        return "".join(line + self.eol for line in (*lines, "****FIN****"))

    def file(self, reports):
        return encoded("".join(reports) + "****FINFICHIER****" + self.eol,
                       self.charset)

    def expects(self, sent):
        """{name: octets} of one mail's [(number, case)]."""
        files, merged = {}, {}
        for n, case in sent:
            stem, _, ext = case.name.rpartition(".")
            name = f"{stem}-{n}.{ext}"
            apart = case.people and not WHOLE & {m[2] for m in case.remarks}
            pieces = self.per == "message" or (
                self.per == "patient" and len(case.people) > 1)
            if not apart or not (pieces or self.whole):
                files[name] = self.text(case)
                continue
            reports = [self.report(p) for p in case.people]
            if self.per == "message":
                merged.setdefault(name, []).extend(reports)
            elif self.per == "document":
                files[name] = self.file(reports)
            else:
                for i, one in enumerate(reports, 1):
                    part = f".{i}" if len(reports) > 1 else ""
                    files[f"{stem}-{n}{part}.{ext}"] = self.file([one])
        if merged:
            files[next(iter(merged))] = self.file(sum(merged.values(), []))
        return files

    def filed(self):
        return {TOKEN.sub("", p.name): p.read_bytes()
                for p in self.folder.iterdir() if p.is_file()}

    def remarks(self):
        """{(name, line): {what is said}}"""
        said = collections.defaultdict(set)
        for path in (self.folder / "sceau").iterdir():
            for line in path.read_text().splitlines():
                if got := SAID.fullmatch(line):
                    said[TOKEN.sub("", got[1]), int(got[2])].add(got[3])
        return said


# ---- the way ----------------------------------------------------------------

def mail(demo, number, sent):
    """A mail of labo with these [(number, case)], written by hand: of 100
    parts the library makes too much."""
    parts = []
    for n, case in sent:
        kind = "application/octet-stream"
        if case.kind in ("hprim-medecin", "text") and case.charset is None:
            kind = f"text/plain; charset={DECLARED[case.codec]}"
        parts.append(f"Content-Type: {kind}\r\nContent-Disposition: "
                     f'attachment; filename="{case.name}"\r\n'
                     "Content-Transfer-Encoding: base64\r\n\r\n".encode()
                     + base64.encodebytes(case.data).replace(b"\n", b"\r\n"))
    head = (f"From: {demo.labo.address}\r\nTo: {demo.dr.address}\r\n"
            f"Subject: lot {number}\r\nMessage-ID: <{number}@labo.example>\r\n"
            "MIME-Version: 1.0\r\n"
            "Content-Type: multipart/mixed; boundary=limit\r\n\r\n").encode()
    return head + b"".join(b"--limit\r\n" + p for p in parts) + \
        b"--limit--\r\n"


@pytest.fixture
def practice(demo):
    """demo.software: {name: Software}, each with a folder of its own, in
    memory: they get 20,000 files."""
    def want(**software):
        demo.software, sections = {}, ""
        for name, wants in software.items():
            path = pathlib.Path(folder) / name
            demo.software[name] = Software(demo, path, wants)
            lines = "".join(f"  {k} = {v}\n" for k, v in wants.items())
            sections += (f'deliver "{name}" {{\n  kind = folder\n'
                         f'  path = "{path}"\n{lines}}}\n')
        # One name has many birth dates here: test_inbox says what is told.
        demo.dr.configure(kind="maildir", sections=sections,
                          top={"keep_patients": "0"})
    with in_memory() as folder:
        demo.want = want
        yield demo


def carry(demo, cases):
    """Sent in mails of 90; [(number in its mail, case)] of each."""
    mails = [list(enumerate(cases[i:i + 90], 1))
             for i in range(0, len(cases), 90)]
    for number, sent in enumerate(mails):
        demo.labo.ok("send", "-t", input=mail(demo, number, sent))
    demo.labo.ok("poll")
    demo.dr.ok("poll")
    return mails


def differing(got, want):
    """Names of files whose octets are not those wanted, a few."""
    return sorted(n for n in got.keys() | want.keys()
                  if got.get(n) != want.get(n))[:5]


def test_every_variant_is_filed_as_each_software_wants_it(practice):
    """Each set x end x 12 or 13 lines x .HPM x patients x what is missing,
    and among them all that are wrong in any way."""
    practice.want(**SOFTWARE)
    wrong = [*hprim.wrong(), *hprim.ends(), *hprim.octets(), *hprim.others()]
    good = list(hprim.variants(hprim.MISSING))
    assert len(good) > 2000 and len(wrong) > 130
    step = len(good) // len(wrong)
    cases = [c for n, w in enumerate(wrong)
             for c in (*good[n * step:(n + 1) * step], w)]
    mails = carry(practice, cases + good[len(wrong) * step:])
    for name, software in practice.software.items():
        want = {}
        for sent in mails:
            want.update(software.expects(sent))
        got = software.filed()
        assert (name, differing(got, want)) == (name, [])
        check_remarks(software, mails)


def check_remarks(software, mails):
    """Each error is told, with its line, and no document without is."""
    want = set()
    for n, case in sum(mails, []):
        stem, _, ext = case.name.rpartition(".")
        want |= {(f"{stem}-{n}.{ext}", m[0]) for m in case.remarks
                 if m[2] in ERRORS and case.kind == "hprim-medecin"}
    said = {at for at, what in software.remarks().items()
            if any("does not have" not in w and "corrects" not in w
                   and "cannot be told apart" not in w for w in what)}
    assert said == want


# ---- by the outbox ----------------------------------------------------------

def test_every_variant_is_dropped_and_the_wrong_stop_no_other(demo):
    """All at once: what has no error arrives as it was, byte for byte; what
    has one lies in refused, its lines beside it."""
    box = Box(demo)
    box.want(ready="rename", to=demo.dr.address)
    cases = [*hprim.variants(("nothing", "header")), *hprim.wrong(),
             *hprim.ends(), *hprim.octets(), *hprim.others()]
    cases += [dataclasses.replace(cases[0], name=name) for name in (
        "UPPER.HPR", "WIDE.HPM", "long.hprim", "resutext042.txt",
        "SHOUT.TXT")]
    for case in cases:
        (box.path / case.name).write_bytes(case.data)
    bad = {c.name: c for c in cases if {m[2] for m in c.remarks} & ERRORS
           and (c.kind == "hprim-medecin" or c.name.endswith(".hpr"))}
    assert 20 < len(bad) < len(cases) - 250
    box.poll(65)
    assert box.left() == []
    kept = box.refusals()
    assert {n: d for n, d in kept.items() if f"{n}.txt" in kept} == {
        n: c.data for n, c in bad.items()}
    for name, case in bad.items():
        told = {int(n) for n in re.findall(
            r"^line (\d+): ", kept[f"{name}.txt"].decode(), re.M)}
        assert told >= {m[0] for m in case.remarks if m[0] and
                        m[2] in ERRORS}, (name, kept[f"{name}.txt"])
    assert box.arrived() == sorted(
        (lower_end(c.name), c.data) for c in cases if c.name not in bad)


def lower_end(name):
    stem, _, ext = name.rpartition(".")
    return f"{stem}.{ext.lower()}"


# ---- any set in any set -----------------------------------------------------

SOURCES = {**{codec: codec for codec in SETS.values()},
           "utf-16-le": "utf-16", "utf-16-be": "utf-16"}


def signs(codec):
    """All that the set has above ASCII and a person can see: a line each, so
    that what is told of it has its number."""
    if codec in ("utf-8", "utf-16-le", "utf-16-be"):
        chars = "".join(bytes([n]).decode(c, "ignore") for n in range(128, 256)
                        for c in ("cp1252", "cp850", "mac_roman")) + "≤山"
    else:
        chars = bytes(range(128, 256)).decode(codec, "ignore")
    return [c for c in dict.fromkeys(chars)
            if unicodedata.category(c) not in ("Cc", "Cf", "Co", "Zs")]


def has(codec, c):
    try:
        return c.encode(codec) != b""
    except UnicodeEncodeError:
        return False


def test_any_set_arrives_in_any_whole_or_is_told(practice):
    """The whole repertoire of each set, declared by its sender, in each set
    of a practice: what can be written arrives exactly; what cannot stands in
    letters of the same meaning or as "?", and its first line is told."""
    practice.want(**{name: {"charset": name, "line_ends": "lf"}
                     for name in SETS})
    cases, text = [], {}
    for codec in SOURCES:
        p = hprim.Patient(text=[f"signe : {c}" for c in signs(codec)],
                          lab=None)
        data = hprim.encode([p], codec)
        if codec.startswith("utf-16"):
            data = "\ufeff".encode(codec) + data
        cases.append(hprim.Case(f"{codec}.hpr", data, charset=None,
                                codec=codec, people=(p,)))
        text[codec] = p.lines() + ["****FINFICHIER****", ""]
    carry(practice, cases)
    for charset, software in practice.software.items():
        filed, told = software.filed(), software.remarks()
        assert len(filed) == len(SOURCES)
        for n, codec in enumerate(SOURCES, 1):
            name, to = f"{codec}-{n}.hpr", SETS[charset]
            got = filed[name].decode(to).split("\n")
            check_lines(name, text[codec], got, to)
            assert {line for at, line in told if at == name} == \
                first_lines(text[codec], got, to), (name, charset)


def check_lines(name, sent, got, to):
    assert len(got) == len(sent), (name, to)
    for want, line in zip(sent, got):
        if all(has(to, c) for c in want):
            assert line == want, (name, to)
            continue
        base = unicodedata.normalize("NFD", want[-1])[0]
        shown = line.removeprefix(want[:-1])
        assert shown and all(has(to, c) for c in shown), (name, to, line)
        if base.isascii() and base.isalpha():   # and no "=" for "≠"
            assert shown == base, (name, to, line, want)


def first_lines(sent, got, to):
    """Of what became "?", and of what was written otherwise."""
    other = [n for n, line in enumerate(sent, 1)
             if not all(has(to, c) for c in line)]
    lost = [n for n in other if got[n - 1].endswith("?")
            and sent[n - 1][-1] != "¿"]
    stood = [n for n in other if n not in lost]
    return set(lost[:1] + stood[:1])
