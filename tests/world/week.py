"""A laboratory and three practices for a week.  What the laboratory's system
drops and what the software of practices takes, each remembers, so that both
can be held against each other."""

import re
from collections import Counter

from world import hprim
from world.follow import Follower, at, clock, plain, said

FAMILY = ("DURAND", "LEFÈVRE", "GARÇON", "O'BRIEN", "NOËL-PÂRIS", "LE GOFF",
          "MÜLLER", "D'ARTAGNAN")
GIVEN = ("CAMILLE", "ÉLODIE", "JEAN FRANÇOIS", "ANAÏS", "ZOÉ", "RENÉ")
END = "****FIN****\n"
LABO = "labo.central@labo.example"
TOKEN = re.compile(r"-([0-9a-f]{20})\.[a-z]+$")

CODES = """\
CAB000001 = dr.martin@cabinet.example
CAB000002 = cabinet.durand@durand.example
CAB000003 = cabinet.durand@durand.example
INF000001 = infirmiere.petit@petit.example
"""
OUTBOXES = """
outbox "lis" {{
    path = "{0}/lis"
    route = hprim
    ready = rename
    split = yes
    aliases = "{0}/codes"
}}
outbox "dossiers" {{
    path = "{0}/dossiers"
    ready = rename
}}"""
DOCTOR = """
deliver "{1}" {{
    kind = folder
    path = "{0}/{1}"
    charset = utf-8
    line_ends = lf
    file_per = patient
    to = "{2}"
}}"""


def told(octets, top):
    """What a person reads: T for a number of 20 digits or more, ~ for that
    folder, plain blanks."""
    text = plain(octets.decode() if isinstance(octets, bytes) else octets)
    return re.sub(r"\b[0-9a-f]{20,64}\b", "T", text.replace(str(top), "~"))


class Exports:
    """${sent}: {who: how often each text or PDF must lie on his disk}."""

    def __init__(self):
        self.reports, self.pdfs, self.sent = 0, 0, {}

    def report(self, who, line_12, **more):
        """With a number of its own; one name is one person.  It must come
        to who, if that is anybody."""
        self.reports += 1
        n, p = self.reports, hprim.Patient(**more)
        person = n % (len(FAMILY) * len(GIVEN))
        month, year = 1 + person % 12, 30 + person
        p.header[0] = f"P{person:05d}"
        p.header[1:3] = (FAMILY[person % len(FAMILY)],
                         GIVEN[person // len(FAMILY)])
        p.header[6] = f"{1 + person % 28:02d}/{month:02d}/19{year}"
        p.header[7] = hprim.nir(f"2{year}{month:02d}35{person:06d}")
        p.header[8] = f"{n:010d}"
        p.header[11] = line_12
        self._must_come(who, text_of(p))
        return p

    def pdf(self, *whom):
        """It must come to each of these."""
        self.pdfs += 1
        octets = b"%%PDF-1.4\n%d\n\xff\xfe\n%%%%EOF\n" % self.pdfs
        for who in whom:
            self._must_come(who, octets)
        return octets

    def _must_come(self, who, thing):
        if who is not None:
            self.sent.setdefault(who, Counter()).update([thing])


def text_of(patient):
    """What stands on a report, whatever its characters and line ends."""
    return "\n".join(patient.lines()[:-1]) + "\n"


def reports_of(octets, charset):
    """The texts of a file, as software reads them that knows that set."""
    text = octets.decode(charset).replace("\r\n", "\n").replace("\r", "\n")
    *reports, rest = text.split(END)
    assert rest == "****FINFICHIER****\n", rest
    return reports


class Software:
    """Of a practice.  It reads one character set and looks into folders; what
    it has taken is gone, or lies in ${filed}."""

    def __init__(self, charset, *folders, filed=None):
        self.charset, self.folders, self.filed = charset, folders, filed
        self.taken = {}             # {path as it was filed: octets}
        for folder in (*folders, filed):
            if folder is not None:
                folder.mkdir(exist_ok=True)

    def lying(self):
        return {p: p.read_bytes() for folder in self.folders
                for p in folder.iterdir() if p.is_file() and p.suffix}

    def take(self):
        for path, octets in self.lying().items():
            assert path not in self.taken, path
            self.taken[path] = octets
            if self.filed is None:
                path.unlink()
            else:
                path.rename(self.filed / path.name)

    def seen(self):
        """How often each report and each PDF has come."""
        found = Counter()
        for octets in (self.taken | self.lying()).values():
            found.update([octets] if octets.startswith(b"%PDF") else
                         reports_of(octets, self.charset))
        return found

    def tokens(self, taken=False):
        """Of the messages of which something came here, or was taken."""
        paths = self.taken if taken else self.taken | self.lying()
        return {TOKEN.search(p.name)[1] for p in paths}

    def remarks(self):
        """{text: how often}, of what must be known; then they are deleted."""
        texts = Counter()
        for path in self.folders[0].glob("sceau/*.txt"):
            texts.update([path.read_text("utf-8")])
            path.unlink()
        return texts


class Week:
    """Everybody, and what they do at a moment."""

    def __init__(self, demo, maker, key_ends):
        self.demo, self.top, self.out = demo, demo.top, Exports()
        self.maker, self.key_ends = maker, key_ends
        self.labo, self.martin, self.group, self.petit = (
            Follower(m) for m in (demo.labo, demo.dr, demo.durand, demo.petit))
        self.software = {}
        self._laboratory(demo.labo.folder)
        self._martin(demo.dr.folder)
        self._group(demo.durand.folder)
        self.petit.configure(kind="folder", deliver={
            "charset": "cp850", "file_per": "message", "names": "%s %e",
            "opened": False})
        self.software["petit"] = Software("cp850", demo.petit.inbox)

    def _laboratory(self, folder):
        for name in ("lis", "dossiers"):
            (folder / name).mkdir()
        (folder / "codes").write_text(CODES)
        self.labo.configure(
            top={**self.labo.own_keys(), "digest_empty": True},
            sections=OUTBOXES.format(folder))
        self.labo.take_key(
            self.maker, 2026, self.key_ends, at(0, 7), only=[
                m.name.encode() for m in (self.demo.dr, self.demo.durand,
                                          self.demo.hub)])

    def _martin(self, folder):
        self.martin.configure(kind="folder", deliver={
            "charset": "windows-1252", "line_ends": "crlf",
            "file_per": "patient", "header": "whole", "names": "%f_%g %b",
            "attachments": str(folder / "pieces"),
            "filed": str(folder / "importes")})
        self.software["martin"] = Software(
            "cp1252", folder / "inbox", folder / "pieces",
            filed=folder / "importes")

    def _group(self, folder):
        self.group.configure(
            kind="folder", deliver={
                "charset": "utf-8", "line_ends": "lf", "file_per": "patient",
                "otherwise": True},
            sections=DOCTOR.format(folder, "levy", "CAB000002, Lévy") +
            DOCTOR.format(folder, "durand", "CAB000003, Durand"))
        for name in ("levy", "durand"):
            self.software[name] = Software("utf-8", folder / name)
        self.software["others"] = Software("utf-8", folder / "inbox")

    # ---- the laboratory's system

    def lis(self, name, *patients):
        _drop(self.demo.labo.folder / "lis" / f"{name}.hpr",
              hprim.encode(patients))

    def dossier(self, member, name, *patients, pdf=None):
        folder = self.demo.labo.folder / "dossiers" / member.address
        folder.mkdir(exist_ok=True)
        if pdf:
            _drop(folder / f"{name}.pdf", pdf)
        _drop(folder / f"{name}.hpr", hprim.encode(patients, "cp1252", "\n"))

    def reports(self, count, who, line_12):
        return [self.out.report(who, line_12) for _ in range(count)]

    # ---- a moment

    def settle(self):
        self.demo.wait_until(self.demo.relay.settled, 60, "the relay")

    def hub(self, when):
        self.demo.hub.ok("poll", **clock(when))
        self.settle()

    def fetch(self, practice, when):
        """In silence: cron mails nothing."""
        assert practice.poll(when) == ""
        self.settle()

    def pass_(self, when, code=0):
        """Of the laboratory; what it says to cron."""
        text = self.labo.poll(when, code)
        self.settle()
        return told(text, self.top)

    def round(self, day, hour, *practices):
        """Sent at that hour, fetched by these, taken, and said so."""
        when = at(day, hour)
        assert self.pass_(when) == ""
        self.hub(when + 60)
        for practice in practices:
            self.fetch(practice, when + 120)
        for software in self.software.values():
            software.take()
        for practice in practices:
            self.fetch(practice, when + 300)
        self.hub(when + 360)
        assert self.pass_(when + 420) == ""

    # ---- what people read

    def says(self, member, when, *words):
        return told(member.ok(*words, **clock(when)).stdout, self.top)

    def status(self, member, when):
        """Without the table of what was sent."""
        text = self.says(member, when, "status")
        return re.split(r"\n\n *(?:nº|rien)", text)[0] + "\n"

    def news(self):
        """What the laboratory is told, below its title."""
        text = told(self.labo.news(), self.top)
        title, _, rest = text.partition("\n\n")
        assert title in ("", f"Alertes de sceau, {LABO}")
        return rest

    def morning(self, day):
        """The daily mail: its subject and its body, below its title."""
        when = at(day, 7, 5)
        self.pass_(when)
        text, = self.labo.digests()
        head, _, body = told(text, self.top).partition("\n\n")
        title, _, rest = body.partition("\n\n")
        assert title == f"La journée de sceau, {LABO}, le {said(when)}"
        return head.split("Subject: ")[1].split("\n")[0], rest

    def sent(self, when, member, *words):
        """Rows of `sent --json` of one recipient."""
        rows = self.demo.labo.ok("sent", "--days", "9", "--to", member.address,
                                 "--json", *words, **clock(when)).json()
        return [r for r in rows if r["type"] == "document"]


def _drop(path, octets):
    """As a careful system does."""
    path.with_name(f"{path.name}.tmp").write_bytes(octets)
    path.with_name(f"{path.name}.tmp").rename(path)
