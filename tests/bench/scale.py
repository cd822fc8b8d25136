"""What a message costs at the gateway with 1, 10 and 80,000 members, and when
it remembers nothing and 10 million messages.  A laboratory and a practice that
know nobody but the gateway: it opens, seals again and relays.  What a pass of
one costs, the ring and the beginning, is told apart.

What is remembered is written into the store as a pass would have left it, each
T of its own, spread as digests are; all indices are there again before sceau
is."""

import os
import pathlib
import sqlite3
import tempfile
import time

from bench import ring
from bench.issuer import Desk
from bench.sending import Sink
from bench.stand import MEMORY

HUB = "passerelle"
WHOM = b"martin@poste.example"
YEAR_S = 366 * 86_400
JOURNAL = ("INSERT INTO journal (t, state, peer, year, ack_state, ack_at, "
           "forget_at) VALUES (?, 2, ?, ?, 2, ?, ?)")
ORIGINS = ("INSERT INTO hub (t, name, origin_t, origin, d, at) "
           "VALUES (?, ?, ?, ?, ?, ?)")
SORTED = ("journal_forget", "hub_origin", "hub_at")


class Three(ring.Two):
    """Members who know the gateway alone, and two who came last."""

    def served(self):
        super().served()
        register = self.folder / "register"
        text = register.read_text()
        text = text.replace("policy\tfull\n", "policy\tlist\n", 1)
        register.write_text(text.replace("directory\tall\n",
                                         "directory\tring\n", 1))

    def begin(self):
        Desk.begin(self)
        self.served()
        self.issuer("reissue", self.folder, HUB + "@asso.example", "--out",
                    self.out, *self.root())
        self.newcomers()
        self.issuer("enrol", self.folder, "--out", self.out, *self.root())

    def gateway(self, port):
        """Its key, and the mail that tells it of the two."""
        hub = self.place(HUB, HUB, port, ring.HUB)
        told, = (m for m in (self.out / "mails").iterdir()
                 if m.name.startswith(HUB))
        (hub.top / "mails/new/enrolment").write_bytes(told.read_bytes())
        hub.sceau("poll")
        assert not list((hub.top / "mails/new").iterdir())
        return hub


def relay(hub, sink, mails, memory=False):
    """Those mails pass the gateway: a Run, and what it relayed."""
    new = hub.top / "mails/new"
    for i, mail in enumerate(mails):
        (new / f"{time.monotonic_ns()}.{i}").write_bytes(mail)
    sink.empty()
    got = hub.sceau("poll", memory=memory)
    sent = [m for m in sink.mails() if WHOM in m]
    assert len(sent) == len(mails), f"{len(sent)} of {len(mails)}"
    return got, sent


def _random(n, seed):
    """n of 32 octets, in their order, evenly spread."""
    step = (1 << 64) // n
    for i in range(n):
        yield (i * step).to_bytes(8, "big") + seed + i.to_bytes(8, "big")


def _remember(db, n):
    """The rows of n messages that passed: journal, and what came of them."""
    peer, = db.execute("SELECT min(id) FROM peer").fetchone()
    origin, = db.execute("SELECT identity FROM peer").fetchone()
    name = origin.rpartition(b"#")[0]
    now = int(time.time())
    year, ours = time.gmtime().tm_year, os.urandom(16)
    db.executemany(JOURNAL, (
        (t, peer, year, now - i % YEAR_S, now + 1 + i % YEAR_S)
        for i, t in enumerate(_random(n, ours))))
    db.executemany(ORIGINS, (
        (t, name, t[::-1], origin, t, now - i % (30 * 86_400))
        for i, t in enumerate(_random(n, os.urandom(16)))))


def remember(place, n):
    db = sqlite3.connect(place.top / "state/sceau.db", isolation_level=None)
    db.execute("PRAGMA journal_mode = OFF")
    db.execute("PRAGMA synchronous = OFF")
    made = [db.execute("SELECT sql FROM sqlite_master WHERE name = ?",
                       (name,)).fetchone()[0] for name in SORTED]
    db.execute("BEGIN")
    for name in SORTED:
        db.execute(f"DROP INDEX {name}")
    _remember(db, n)
    for sql in made:
        db.execute(sql)
    db.execute("COMMIT")
    db.execute("PRAGMA journal_mode = WAL")
    rows, = db.execute("SELECT count(*) FROM journal").fetchone()
    assert rows >= n, rows
    db.close()


class Way:
    """From the laboratory by the gateway to the practice, again and again."""

    def __init__(self, desk, sink):
        self.sink, self.last, self.count = sink, 0, desk.bench.count or 300
        self.labo = desk.place("labo", "labo.central", sink.port)
        self.doctor = desk.place("martin", "dr.martin", sink.port)
        self.hub = desk.gateway(sink.port)
        self.rounds = desk.bench.rounds

    def once(self, many, memory=False):
        numbers = range(self.last, self.last + many)
        self.last += many
        _, mails = ring.send(self.labo, self.sink, numbers)
        got, mails = relay(self.hub, self.sink, mails, memory)
        ring.receive(self.doctor, mails)
        return got

    def rows(self, side, n):
        """The least of each, after one for the caches."""
        self.once(1)
        runs = [(self.once(1), self.once(self.count))
                for _ in range(self.rounds)]
        return ring.rows(side, n, *(min(some, key=lambda r: r.cpu)
                                    for some in zip(*runs)), self.count)


def one_size(bench, top, n, remembered):
    desk, sink = Three(bench, top, "list", n), Sink()
    try:
        desk.begin()
        way = Way(desk, sink)
        yield from way.rows("members", n)
        if remembered:
            remember(way.hub, remembered)
            yield from way.rows("remembered", remembered)
        ring.complete(way.doctor, way.last)
    finally:
        sink.close()


def measure(bench):
    title = "gateway: members, remembered messages, and one more of 8 KB"
    if not bench.wants(title):
        return
    most, old = (80_000, 10_000_000) if bench.full else (5_000, 100_000)
    found = []
    for n in (1, 10, most):
        with tempfile.TemporaryDirectory(dir=MEMORY) as top:
            os.chmod(top, 0o711)
            found += one_size(bench, pathlib.Path(top), n,
                              old if n == most else 0)
    ring.show(bench, title, found)
