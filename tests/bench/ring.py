"""What a message costs when there are 10 correspondents and when there are
80,000: a laboratory's pass that seals and relays the documents of an outbox,
and a practice's that opens, files and acknowledges them.  Reading the ring is
told apart: a pass of one document has it too."""

import email
import os
import pathlib
import re
import tempfile

from bench.issuer import HEAD, Desk
from bench.measure import Run, run
from bench.sending import Sink
from bench.stand import MEMORY

OCTETS = 8_000
TWO = ("labo.central@labo.example,labo@poste.example,Labo,laboratory,\n"
       "dr.martin@cabinet.example,martin@poste.example,Dr Martin,practice,\n")
CONF = """\
language = "en"
state = "{top}/state"
route = "{who}@poste.example"
ack_delay = "0 s"
account "mails" {{
    protocol = "maildir"
    path = "{top}/mails"
}}
deliver "inbox" {{
    kind = maildir
    path = "{top}/inbox"
}}
"""
RELAY = """\
relay "{name}" {{
    host = "127.0.0.1"
    port = {port}
    tls = none
}}
"""
OUTBOX = """\
outbox "out" {{
    path = "{top}/out"
    to = "essai/dr.martin@cabinet.example"
    ready = rename
    split = no
}}
"""
HUB = "hub = yes\n"


def document(i):
    """The i-th, of which nobody looks into the inside."""
    head = b"%%PDF-1.4 %d\n" % i
    return head + b"." * (OCTETS - len(head))


def documents(mail):
    for part in email.message_from_bytes(mail.read_bytes()).walk():
        if part.get_content_type() == "application/pdf":
            yield part.get_payload(decode=True)


class Place:
    """One of the two, with a ring of its own."""

    def __init__(self, bench, top, who, port, more=""):
        self.bench, self.top = bench, top
        for name in ("out", "inbox", "mails", "mails/new", "mails/cur",
                     "mails/tmp"):
            (top / name).mkdir(mode=0o700, parents=True)
        self.conf, self.port = top / "sceau.conf", port
        self.text = more + CONF.format(top=top, who=who) + (
            "" if more else OUTBOX.format(top=top))
        self.relays(True)

    def relays(self, there):
        """By the sink, or by one where nobody listens: then mail waits."""
        self.conf.write_text(self.text + (
            RELAY.format(name="sink", port=self.port) if there else
            RELAY.format(name="nobody", port=1)))

    def sceau(self, *words, memory=False, codes=(0,)):
        return run((self.bench.sceau, "-c", self.conf, *words), seconds=3600,
                   env={"PATH": "/usr/bin:/bin", "LANG": "C",
                        "HOME": str(self.top)}, cwd=self.top, memory=memory,
                   codes=codes)

    def take(self, key, letter):
        code = self.top / "code"
        code.write_text(re.findall(r"\b[0-9A-Z]{5}(?:-[0-9A-Z]{5}){4}\b",
                                   letter.read_text())[0] + "\n")
        code.chmod(0o600)
        self.sceau("key", "import", key, "--code-file", code)


class Two(Desk):
    """Members, and two who came last."""

    def begin(self):
        super().begin()
        self.served()
        self.newcomers()

    def newcomers(self):
        table = self.top / "two.csv"
        table.write_text(HEAD + TWO)
        self.issuer("newcomer", self.folder, table, "--out", self.out,
                    *self.root())

    def place(self, who, local, port, more=""):
        place = Place(self.bench, self.top / who, who, port, more)
        key, = (self.out / "keys").glob(f"{local}.*.cle")
        assert self.policy == "list" and not more or \
            key.stat().st_size > 80 * self.n, "not everybody is in it"
        letter, = (self.out / "letters").glob(f"{local}.*.txt")
        place.take(key, letter)
        return place


def put(labo, numbers):
    """Those documents into the outbox."""
    for i in numbers:
        path = labo.top / "out" / f".{i}"
        path.write_bytes(document(i))
        path.rename(labo.top / "out" / f"{i}.pdf")


def send(labo, sink, numbers):
    """Those documents, from the outbox to the relay: a Run, and the mails."""
    sink.empty()
    put(labo, numbers)
    got = labo.sceau("poll")
    mails = sink.mails()
    assert len(mails) == len(numbers), f"{len(mails)} of {len(numbers)}"
    assert not list((labo.top / "out").glob("*.pdf"))
    return got, mails


def receive(doctor, mails):
    new = doctor.top / "mails/new"
    before = len(list((doctor.top / "inbox").glob("new/*")))
    for i, mail in enumerate(mails):
        (new / f"{before}.{i}.bench").write_bytes(mail)
    got = doctor.sceau("poll")
    filed = len(list((doctor.top / "inbox").glob("new/*"))) - before
    assert filed == len(mails), f"{filed} of {len(mails)}"
    assert not list(new.iterdir())
    return got


def complete(doctor, n):
    """Each of them is there, once, octet for octet."""
    got = [d for p in (doctor.top / "inbox/new").iterdir()
           for d in documents(p)]
    assert sorted(got) == sorted(map(document, range(n)))


def row(side, n, got):
    return {"side": side, "n": n, "seconds": got.seconds, "cpu": got.cpu,
            "kb": 0, "octets": OCTETS, "median": max(got.seconds, 1e-9)}


def rows(side, n, one, many, count):
    """One more document takes what a pass of many has more than that of one;
    the rest of this one is the ring, and beginning at all."""
    yield row(f"{side}, a pass of one", n, one)
    yield row(f"{side}, one more", n, Run(
        (many.seconds - one.seconds) / (count - 1),
        (many.cpu - one.cpu) / (count - 1)))


def one_size(bench, top, n, count):
    """Both passes with n correspondents, three times: the least of each."""
    desk, sink = Two(bench, top, "one", n - 1), Sink()
    try:
        desk.begin()
        labo = desk.place("labo", "labo.central", sink.port)
        doctor = desk.place("martin", "dr.martin", sink.port)
        sent = {1: [], count: []}
        opened = {1: [], count: []}
        last = 0
        for many in (1, *(bench.rounds * (1, count))):  # the first: caches
            got, mails = send(labo, sink, range(last, last + many))
            sent[many].append(got)
            opened[many].append(receive(doctor, mails))
            last += many
        complete(doctor, last)
    finally:
        sink.close()

    def least(runs):
        return min(runs, key=lambda r: r.cpu)
    return [*rows("seal and relay", n, least(sent[1]), least(sent[count]),
                  count),
            *rows("open and file", n, least(opened[1]), least(opened[count]),
                  count)]


def measure(bench):
    title = "ring: correspondents, and one more document of 8 KB"
    if not bench.wants(title):
        return
    count = bench.count or 300
    found = []
    for n in (10, 80_000 if bench.full else 5_000):
        with tempfile.TemporaryDirectory(dir=MEMORY) as top:
            os.chmod(top, 0o711)
            found += one_size(bench, pathlib.Path(top), n, count)
    show(bench, title, found)


def show(bench, title, found):
    print(f"\n{title}")
    for r in found:
        print(f"  {r['side']:32}{r['n']:9}{r['seconds'] * 1000:10.2f} ms"
              f"{r['cpu'] * 1000:10.2f} ms CPU", flush=True)
    bench.keep(title, found, acts=True)
