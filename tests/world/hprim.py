"""HPRIM reports in every variant that is met, and what a reader must say of
each.  Written from the description of the format, not from the reader."""

import copy
import dataclasses
import itertools

ENCODINGS = {"utf-8": "UTF-8", "iso-8859-1": "ISO-8859-1",
             "cp1252": "windows-1252", "cp850": "IBM850",
             "mac_roman": "macintosh"}
EOLS = {"\n": "LF", "\r\n": "CRLF", "\r": "CR"}
TEXT = ["BIOCHIMIE SANGUINE", "", "Prélèvement à jeun ; résultat contrôlé.",
        "Créatinine             80 µmol/l      (45 à 90)"]
CODED = ["TEX|Prélèvement reçu à 8 h",
         "RES|Créatinine|CREA|N|80|µmol/l|45|90|N|F|9,05|mg/l|5,1|10,2",
         "RES|Sodium|NA|N|139,5|mmol/l|136|145||F",
         "RES|C.R.P.|CRP|N|< 0,5|mg/l", "RES|Rhésus|RH|C|+"]
WIDE = "".join(s.ljust(40) for s in (
    "LABORATOIRE DU PORT", "CAB000001", "DR MARTIN", "00042"))


def nir(number):
    """The number with its key: 97 less the rest of the division by 97."""
    figures = number.replace("2A", "19").replace("2B", "18")
    return f"{number} {97 - int(figures) % 97:02d}"


@dataclasses.dataclass
class Patient:
    """One report; each part may be replaced by what is wrong."""

    header: list = dataclasses.field(default_factory=lambda: [
        "P0001", "DURAND", "CAMILLE", "3 rue des Lilas", "", "35000 RENNES",
        "12/05/1961", nir("2610535000001"), "2611230042", "23/11/2026",
        "LABO00001  LABORATOIRE DU PORT", "CAB000001  DR MARTIN"])
    blank: bool = True              # the thirteenth line
    wide: bool = False              # .HPM
    text: list = dataclasses.field(default_factory=lambda: list(TEXT))
    lab: str = "****LAB****"
    coded: list = dataclasses.field(default_factory=lambda: list(CODED))
    fin: str = "****FIN****"

    def lines(self):
        """All lines of it."""
        head = [WIDE, *self.header[1:], "1", "2"] if self.wide else self.header
        return (head + [""] * self.blank + self.text +
                ([self.lab] + self.coded if self.lab else []) +
                ([self.fin] if self.fin else []))

    def at(self, what):
        """The line of it that reads so, from 1."""
        return self.lines().index(what) + 1


@dataclasses.dataclass
class Case:
    """A file and what must be said of it."""

    name: str
    data: bytes
    kind: str = "hprim-medecin"
    charset: str = "ISO-8859-1"
    eol: str = "CRLF"
    patients: int = 1
    remarks: tuple = ()             # (line or None, patient or None, code)
    people: tuple = ()              # the reports that are in it
    codec: str = "iso-8859-1"       # Python's name of its set


def encode(patients, encoding="iso-8859-1", eol="\r\n",
           end=("****FINFICHIER****",)):
    """The file of these patients."""
    lines = [line for p in patients for line in p.lines()] + list(end)
    return "".join(line + eol for line in lines).encode(encoding)


# What real files leave out or write otherwise: lines of the header by number,
# other parts by name; and what is said of it.
MISSING = {
    "nothing": ({}, ()),
    "code": ({1: ""}, ()),
    "dot": ({1: "."}, ()),
    "given": ({3: ""}, ((3, "given.missing"),)),
    "address": ({4: "", 5: "", 6: ""}, ()),
    "padded": ({4: " 3 rue des Lilas" + " " * 24, 5: " " * 40}, ()),
    "birth": ({7: ""}, ((7, "birth.missing"),)),
    "short": ({7: "12/05/61"}, ((7, "birth.short"),)),
    "iso": ({7: "1961-05-12"}, ((7, "birth.form"),)),
    "words": ({7: "1 JAN 1911", 8: ""}, ((7, "birth.form"),)),
    "nir": ({8: ""}, ()),
    "corsica": ({8: nir("261052B000001")}, ()),
    "number": ({9: ""}, ((9, "number.missing"),)),
    "exam": ({10: ""}, ((10, "exam.missing"),)),
    "sender": ({11: ".          Jean.DUPONT"}, ()),
    "parties": ({11: "", 12: ""}, ((11, "sender.missing"),
                                   (12, "recipient.missing"))),
    "coded": ({"coded": ["RES|Créatinine|CREA|N|80|µmol/l",
                         "RES|Hépatite B|AGHBS|A|négatif",
                         "RES|Urée|UREE|N|5,1|mmol/l|2,5|7,5|N|F|0,3|g/l"]},
              ()),
    "no-coded": ({"lab": None}, ()),
    "no-text": ({"text": []}, ()),
    "header": ({n: "" for n in (1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)},
               ((3, "given.missing"), (7, "birth.missing"),
                (9, "number.missing"), (10, "exam.missing"),
                (11, "sender.missing"), (12, "recipient.missing"))),
}


def without(what, number, **more):
    """A report with that file number, from which that is missing."""
    p = Patient(**more)
    p.header[8] = f"261123{number:04d}"
    for part, value in MISSING[what][0].items():
        if isinstance(part, int):
            p.header[part - 1] = value
        else:
            setattr(p, part, copy.copy(value))
    return p


def variants(missing=("nothing",)):
    """No error in any: each set, line end, form, number of patients, and what
    is missing in the last of them."""
    for (encoding, charset), (eol, says), blank, wide, n, what in \
            itertools.product(ENCODINGS.items(), EOLS.items(), (True, False),
                              (False, True), (1, 3), missing):
        people = [without(what if i == n - 1 else "nothing", i, blank=blank,
                          wide=wide) for i in range(n)]
        for p in people:
            if encoding == "cp1252":
                p.coded.append("TEX|L’œdème : < 5 €")
                p.text += ["L’œdème : < 5 €"] if p.text else []
        above = sum(len(p.lines()) for p in people[:-1])
        yield Case(f"{encoding}-{says}-{13 if blank else 12}-{n}-{what}."
                   f"{'hpm' if wide else 'hpr'}",
                   encode(people, encoding, eol), charset=charset, eol=says,
                   patients=n, people=tuple(people), codec=encoding,
                   remarks=tuple((above + line, n, code)
                                 for line, code in MISSING[what][1]))


# Of one line of the header, from 1: what stands there, what must be said.
HEADERS = [
    (1, ".", None), (1, "", None), (4, " 3 rue des Lilas" + " " * 20, None),
    (2, "", "name.missing"), (2, "Durand", "name.case"),
    (3, "", "given.missing"), (6, "RENNES", "town.form"), (6, "", None),
    (7, "", "birth.missing"), (7, "12/05/61", "birth.short"),
    (7, "1961-05-12", "birth.form"), (7, "12 MAI 1961", "birth.form"),
    (7, "31/02/1961", "birth.bad"), (7, "12/13/1961", "birth.bad"),
    (7, "inconnue", "birth.bad"), (7, "12/05/2961", "birth.future"),
    (8, "", None), (8, "2610535000001", None),
    (8, nir("2610535000001").replace(" ", ""), None),
    (8, nir("261052A000001"), None), (8, nir("261052B000001"), None),
    (8, nir("2610535000001")[:14] + "99", "nir.key"),
    (8, "261052C000001 10", "nir.form"), (8, "12345", "nir.form"),
    (8, nir("2610635000001"), "nir.birth"),
    (8, nir("2620535000001"), "nir.birth"),
    (9, "", "number.missing"), (10, "", "exam.missing"),
    (10, "hier", "exam.bad"), (10, "23/11/26", "exam.form"),
    (10, "23/11/2026 08:30", None), (10, "23/11/1960", "exam.early"),
    (11, "", "sender.missing"), (11, "LABO", "sender.form"),
    (11, ".          Jean.DUPONT", None),
    (12, "", "recipient.missing"), (12, "DR MARTIN", "recipient.form"),
]

RESULTS = [
    ("RES|Sodium|NA|N", "result.short"), ("RES|Sodium", "result.short"),
    ("RES|Sodium|NA|X|1", "result.type"),
    ("RES|Sodium|NA|N|beaucoup|g/l", "result.number"),
    ("RES|Sodium|NA|N|5|g/l|9|2", "result.bounds"),
    ("RES|Sodium|NA|N|5|g/l|a|b", "result.bounds"),
    ("RES|Sodium|NA|N|5|g/l|2|9|X", "result.flag"),
    ("RES|Sodium|NA|N|5|g/l|2|9|HH|Z", "result.status"),
    ("RES|Sodium|NA|N|5|g/l|2|9|H|F|1|2|3|4|5", "result.long"),
    ("Sodium 5", "coded.line"), ("", None), ("TEX|", None),
    ("RES|Sodium|NA|A|beaucoup||||||||||", None),
]


def wrong_patients():
    """(name, patient, (its line, what must be said) or None)."""
    for n, (line, value, code) in enumerate(HEADERS):
        p = Patient()
        p.header[line - 1] = value
        yield f"header-{n}", p, code and (line, code)
    for n, (line, code) in enumerate(RESULTS):
        p = Patient(coded=[line, *CODED])
        yield f"result-{n}", p, code and (p.at("****LAB****") + 1, code)
    for n, tag in enumerate(("***FIN***", "****fin****", "**** FIN ****")):
        p = Patient(fin=tag)
        yield f"tag-{n}", p, (p.at(tag), "tag.form")
    for name, line, code in (
            ("outside", CODED[2], "coded.outside"),
            ("unknown", "****ENTETE****", "tag.unknown"),
            ("entity", "r&eacute;sultat", "charset.entity"),
            ("twice", "rÃ©sultat", "charset.twice"),
            ("control", "r\x07", "charset.control")):
        p = Patient(text=[*TEXT, line])
        yield name, p, (p.at(line), code)
    yield "no-code", Patient(lab=None), None
    yield "no-text", Patient(text=[]), None
    yield "empty", Patient(text=[], lab=None), (1, "text.missing")
    p = Patient(coded=[*CODED, "****LAB****  "])
    yield "lab-twice", p, (p.at("****LAB****  "), "tag.twice")
    p = Patient()
    del p.header[4]
    yield "line-missing", p, (7, "header.shifted")
    p = Patient()
    p.header.insert(4, "Batiment B")
    yield "line-too-many", p, (7, "header.shifted")
    p = Patient(header=Patient().header[:9], blank=False, text=[])
    yield "header-short", p, (10, "header.short")


def wrong():
    """Each of those alone, and between two patients who are right."""
    whole = ("charset.entity", "charset.twice", "charset.control")
    for name, p, said in wrong_patients():
        for before in (0, 1):
            people = [Patient()] * before + [p] + [Patient()] * before
            remarks = ()
            if said:
                line, code = said
                line += before * len(Patient().lines())
                remarks = ((line, None if code in whole else before + 1,
                            code),)
            data = encode(people)
            yield Case(f"{name}-{2 * before + 1}.hpr", data,
                       charset="US-ASCII" if data.isascii() else "ISO-8859-1",
                       patients=len(people), remarks=remarks,
                       people=tuple(people))


def ends():
    """The end of the file, and what stands above its header."""
    good, open_ = Patient(), Patient(fin="")
    last = len(good.lines())
    for name, people, end, remarks in (
            ("no-finfichier", [good], (), ((last, None, "end.finfichier"),)),
            ("no-fin", [open_], ("****FINFICHIER****",),
             ((last, 1, "end.fin"),)),
            ("cut", [open_], (), ((last - 1, 1, "end.missing"),)),
            ("behind", [good], ("****FINFICHIER****", "", "Sodium 5"),
             ((last + 2, None, "end.behind"),)),
            ("blank-behind", [good], ("", "****FINFICHIER****", "", ""), ())):
        yield Case(f"{name}.hpr", encode(people, end=end), remarks=remarks,
                   people=tuple(people))
    yield Case("blank-above.hpr", b"\r\n\r\n" + encode([good]),
               remarks=((1, 1, "header.blank"),), people=(good,))
    yield Case("dos.hpr", encode([good]) + b"\x1a", people=(good,))


def octets():
    """What is odd about a whole file."""
    good = Patient()
    one, text = (good,), encode([good], "utf-8")
    yield Case("mark.hpr", b"\xef\xbb\xbf" + text, charset="UTF-8",
               remarks=((None, None, "charset.mark"),), people=one,
               codec="utf-8-sig")
    for codec, mark, says in (("utf-16-le", b"\xff\xfe", "UTF-16LE"),
                              ("utf-16-be", b"\xfe\xff", "UTF-16BE")):
        for eol, end in EOLS.items():
            yield Case(f"{codec}-{end}.hpr", mark + encode(one, codec, eol),
                       charset=says, eol=end, people=one, codec="utf-16",
                       remarks=((None, None, "charset.utf16"),))
    yield Case("mixed.hpr", encode([good]).replace(b"\r\n", b"\n", 3)
               .replace(b"\r\n", b"\r", 2), people=one,
               remarks=((None, None, "lines.mixed"),))
    cut = Patient(text=[line.replace("à jeun", "\ufffd jeun")
                        for line in TEXT])
    yield Case("octets.hpr", b"\xef\xbb\xbf" + text.replace(
        "à jeun".encode(), b"\xe0 jeun"), charset="UTF-8", people=(cut,),
        codec="utf-8-sig",
        remarks=((16, None, "charset.octets"), (None, None, "charset.mark")))
    for octet, codec in ((b"\xe8", "iso-8859-1"), (b"\x8f", "mac_roman"),
                         (b"\xd4", "cp850")):   # one accent, in no word
        p = Patient(text=[f"a {octet.decode(codec)} b"], lab=None)
        yield Case(f"unsure-{octet.hex()}.hpr", encode([p], codec),
                   charset=None, remarks=((None, None, "charset.unsure"),),
                   people=(p,), codec=codec)
    ascii_ = Patient(text=["Sodium 5"], lab=None)
    yield Case("ascii.hpr", encode([ascii_]), charset="US-ASCII",
               people=(ascii_,))


def others():
    """Files that are passed whole, and one that is nothing."""
    none = {"charset": None, "eol": None, "patients": None}
    yield Case("sante.hpr", b"H|~^\\&|1||LABO|ORU||||||P|H2.2|2026\r"
               b"P|1||1||DURAND\rL|1\r", "hprim-sante", **none)
    yield Case("v2.hl7", b"MSH|^~\\&|LABO||CAB||2026||ORU^R01|1|P|2.5\r",
               "hl7", **none)
    yield Case("cda.xml", b"<?xml version='1.0'?>\n<ClinicalDocument/>\n",
               "xml", **none)
    yield Case("report.pdf", b"%PDF-1.4\n%%EOF\n", "binary", **none)
    yield Case("letter.txt", b"Dear colleague,\r\nthank you.\r\n", "text",
               charset="US-ASCII", patients=0,
               remarks=((None, None, "file.unknown"),))
    yield Case("empty.hpr", b"", "text", charset="US-ASCII", eol="LF",
               patients=0, remarks=((None, None, "file.unknown"),))


def cases():
    """All of them."""
    return [*variants(MISSING), *wrong(), *ends(), *octets(), *others()]
