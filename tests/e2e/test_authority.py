"""Who may say what (PROTOCOL 2.5, 2.19.1, .3, .4, .22, .23; P9, K4): the whole
table, each record by each kind of sender, through a real mailbox.  The
independent writer makes authentic envelopes of everybody.  What is allowed
takes effect, by the same eyes by which what is forbidden is seen to have none.
"""

import contextlib
import sqlite3
import time

import pytest

from pysceau import envelope, identity, kdf, mail, records
from test_keys_travel import OTHER, Bench
from world.attack import acks
from world.demo import YEAR, mark

NOIR = b"beta/dr.noir@noir.example#1"           # of another association
THEIRS = b"beta/association@beta.example#1"     # its issuer,
SPY = b"beta/veille@beta.example#1"             # its watch desk,
DOOR = b"beta/passerelle@beta.example#1"        # its gateway
NEW = b"demo/neuf@neuf.example"                 # whom nobody knows yet
T = bytes(range(32))
AT = 1_790_000_000
PROOF = kdf.b2sum(b"proof")

MEMBERS = ("labo", "noir", "theirs", "spy", "door")
DESKS = ("hub", "watch", "issuer")
ALL = MEMBERS + DESKS

# PROTOCOL 2.5, to one who is no desk: record, and who may send it to him.  Of
# records with a condition there is one row for each side of it.
MAY = {
    "META": ALL,
    "GRANT": ALL,                   # of his own key
    "GRANT of another": ("issuer",),
    "GRANT of next year": (),
    "ACK": ("labo",),               # to whom T was sent
    "ACK, relayed": ("hub",),       # of T, which went to the gateway
    "ACK, received, of a ROUTE": (),            # 2.19.3
    "RELAYED-ACK": ("hub",),
    "BULLETIN": ("watch",),
    "BAR": ("watch", "issuer"),
    "BAR of a desk": ("issuer",),   # 2.19.23
    "ENTRY": ("issuer",),
    "DENY": ("issuer",),
    "RELAYED": ("hub",),
    "ROUTE": (),
    "ASK": (),
    "SELF": (),
    "ROLE": (),
    "MAIL": ALL,
    "WITNESS": ALL,
}
# Refused by what comes to light later than the envelope's author; the message
# that brings it is shown, and an alarm is raised (2.19.1, .3).
IGNORED = ("ACK", "ACK, relayed", "ACK, received, of a ROUTE", "RELAYED-ACK")
NEVER_MAIL = ("MAIL", "WITNESS", "RELAYED", "ROUTE")    # which end in one


class Table:
    """The member who reads, what he has sent, and everybody who writes."""

    def __init__(self, demo, forger, reader):
        self.demo, self.forger, self.reader = demo, forger, reader
        self.key = forger.all.K(reader.identity.encode(), YEAR)
        self.who = {"noir": NOIR, "theirs": THEIRS, "spy": SPY, "door": DOOR,
                    **{n: m.identity.encode() for n, m in demo.__dict__.items()
                       if m in demo.members.values()}}
        self.fresh = {}         # how to reach a newer key of the reader's
        self.seen = {}

    def sends(self):
        """A mail to labo directly, one to petit by the gateway."""
        self.t, self.d = {}, {}
        for to in (self.demo.labo, self.demo.petit):
            self.demo.send(f"to {to.local}", to, sender=self.reader)
        self.reader.ok("poll")
        for r in self.reader.ok("status", "--json").json():
            if r["type"] == "sent":
                at = "labo" if "labo" in r["to"] else "petit"
                self.t[at] = bytes.fromhex(r["t"])
                self.d[at] = bytes.fromhex(r["digest"])
        for member in self.demo.members.values():
            self.demo.empty(member)
        return self

    def record(self, name, sender):
        """What that sender would say; a list of records."""
        demo, own = self.demo, self.who[sender]
        petit = demo.petit.name.encode()
        return [{
            "META": lambda: records.ack(T, 2, AT),      # beside it, nothing
            "GRANT": lambda: records.grant(YEAR, T, own),
            "GRANT of another": lambda: records.grant(YEAR, T, NEW + b"#1"),
            "GRANT of next year": lambda: records.grant(YEAR + 1, T, own),
            "ACK": lambda: records.ack(self.t["labo"], 2, AT,
                                       self.d["labo"]),
            "ACK, relayed": lambda: records.ack(self.t["petit"], 1, AT),
            "ACK, received, of a ROUTE": lambda: records.ack(
                self.t["petit"], 2, AT, self.d["petit"]),
            "RELAYED-ACK": lambda: records.relayed_ack(
                self.t["petit"], 2, AT, self.d["petit"], petit),
            "BULLETIN": lambda: records.bulletin(99),
            "BAR": lambda: records.bar(255, petit),
            "BAR of a desk": lambda: records.bar(255, demo.hub.name.encode()),
            "ENTRY": lambda: records.entry(1, NEW + b"#1", b"n@n.example"),
            "DENY": lambda: records.deny(1, NEW),
            "RELAYED": lambda: records.relayed(
                kdf.b2sum(own), AT, demo.durand.identity.encode()),
            "ROUTE": lambda: records.route(petit),
            "ASK": lambda: records.ask(NEW),
            "SELF": lambda: records.self_(
                YEAR + 1, 0, AT, AT, T, self.reader.identity.encode()),
            "ROLE": lambda: records.role(1, own),
            "MAIL": lambda: None,
            "WITNESS": lambda: records.witness(PROOF),
        }[name]()]

    def letter(self, author, subject):
        return (f"From: {identity.address_of(author).decode()}\r\n"
                f"Subject: {subject}\r\n\r\nx\r\n").encode()

    def seal(self, name, sender, **more):
        """The envelope with it.  Whatever can be is with a mail, so that its
        sender is told when it is refused."""
        own = self.who[sender]
        author = self.demo.durand.identity.encode() if name == "RELAYED" \
            else own
        control = [r for r in self.record(name, sender) if r]
        meta = records.meta(int(time.time()), 99 if name == "META" else 0,
                            YEAR, 1)
        to = more.pop("to", self.reader)
        key = more.pop("key", kdf.channel_key(self.key, own))
        return self.forger.seal(
            own, to, more.pop("mail", self.letter(author, f"{name} {sender}")),
            control=control, grant=False, meta=meta, key=key, **more)

    def post(self, env, sender):
        got = getattr(self.demo, sender, None) or self.demo.issuer
        self.demo.post(self.reader, self.forger.wrap(got, self.reader, env))

    def poll(self):
        self.seen.clear()
        return self.reader.sceau("poll").code

    # -- what can be seen of it, looked at once after each poll

    def once(self, what, look):
        if what not in self.seen:
            self.seen[what] = look()
        return self.seen[what]

    def events(self):
        return self.once("events", lambda: [
            (e["event"], str(e)) for e in self.reader.ok(
                "log", "--json").json()])

    def states(self):
        return self.once("states", self.reader.states)

    def register(self):
        return self.once("register", lambda: self.reader.ok(
            "register", "list", "--json").json())

    def event(self, name, word):
        return any(n == name and word in text for n, text in self.events())

    def missed(self):
        return [n for n, _ in self.events()].count("missed_bulletin")

    def is_known(self, own):
        """Has the store a row about that identity's name?"""
        with contextlib.closing(sqlite3.connect(
                self.reader.state / "sceau.db")) as db:
            return db.execute("SELECT count(*) FROM row WHERE key = ?", (
                own.partition("#")[0].encode(),)).fetchone() == (1,)

    def reaches(self, name):
        """How a mail to him would go: directly, through the gateway, or None:
        not at all."""
        got = self.once(name, lambda: self.reader.sceau(
            "send", "--dry-run", name, input=(
                f"From: {self.reader.address}\r\n\r\nx\r\n").encode()))
        assert got.code in (0, 67), got.text()
        return None if got.code else b"through" not in got.stdout

    def files(self):
        return [p.read_bytes() for p in self.reader.documents()]

    def subjects(self):
        return {line.partition(b" ")[2].decode() for f in self.files()
                for line in f.split(b"\r\n") if line.startswith(b"Subject: ")}

    def effect(self, name, sender):
        """Has that record of that sender changed anything?"""
        me, own = self.reader, self.who[sender].decode()
        subject = f"{name} {sender}"
        if name == "META":
            missed = self.event("missed_bulletin", own)
            # Another association's watch desk counts its own (2.19.24).
            return missed if not own.startswith("beta/") else \
                not missed and self.is_known(own)
        if name == "GRANT":
            # Of whom a key is held, another one is an alarm (K8).
            return self.event("grant_conflict", own) or \
                (own.startswith("beta/") and
                 self.reaches(own.partition("#")[0]) is True)
        if name == "GRANT of another":
            return self.reaches(NEW.decode()) is True
        if name == "GRANT of next year":
            return self.event("grant_conflict", own)
        if name == "ACK":
            return self.states()[self.demo.labo.name] != "sent"
        if name in IGNORED:
            return self.states()[self.demo.petit.name] != "sent"
        if name == "BULLETIN":
            # A later META that shows the same number is no news then.
            before = self.missed()
            self.post(self.seal("META", "labo", mail=None, **self.fresh),
                      "labo")
            self.poll()
            return self.missed() == before
        if name == "BAR":
            return self.event("barred", self.demo.petit.name)
        if name == "BAR of a desk":
            return self.event("barred", self.demo.hub.name)
        if name == "ENTRY":
            return self.reaches(identity.address_of(
                NEW + b"#1").decode()) is not None
        if name == "DENY":
            return self.event("denied", NEW.decode())
        if name in ("ROUTE", "ASK"):
            return self.demo.petit.mail() != []
        if name in ("SELF", "ROLE"):
            return len(self.once("keys", lambda: me.ok(
                "key", "list", "--json").json())) != 1
        if name == "WITNESS":
            mine = [r["t"] for r in self.register()
                    if own.partition("#")[0] in str(r)]
            said = b"".join(me.ok("register", "prove", t).stdout
                            for t in mine[-1:])
            return f"{own} {me.identity} ".encode() in said and \
                PROOF.hex().encode() in said
        return subject in self.subjects()

    def state(self):
        """Everything that is known and kept, but who was refused and told."""
        out = {}
        with contextlib.closing(sqlite3.connect(
                self.reader.state / "sceau.db")) as db:
            for table, what in (
                    ("row", "*"), ("original", "*"), ("inbox", "*"),
                    ("kept", "*"), ("watch", "*"), ("patient", "*")):
                out[table] = sorted(db.execute(f"SELECT {what} FROM {table}"))
            out["queue"] = sorted(db.execute(
                "SELECT t, state FROM queue WHERE kind = 1"))
        out["states"] = self.states()
        out["files"] = self.files()
        out["keys"] = [p.read_bytes() for p in sorted(
            self.reader.state.glob("keystore*"))]
        return out


@pytest.fixture
def table(demo, forger):
    return Table(demo, forger, demo.dr).sends()


def forbidden(may, senders=ALL):
    return [(name, s) for name in may for s in senders if s not in may[name]]


# ---- the table ----------------------------------------------------------------

def test_P9_K4_each_forbidden_pair_has_no_effect(table, demo, forger):
    """All of them in one poll: nothing known, kept, shown or relayed is other
    than before; the sender of each is told, if he is a member of ours."""
    pairs = [p for p in forbidden(MAY) if p[0] not in IGNORED]
    assert len(pairs) == 8 * len(MAY) - 4 * 8 - sum(
        len(MAY[n]) for n in MAY if n not in IGNORED)
    before, events = table.state(), table.events()
    tags = {}
    for name, sender in pairs:
        env = table.seal(name, sender)
        tags[envelope.parse_header(env).T] = (name, sender)
        table.post(env, sender)
    assert table.poll() == 65
    left = [f"{n} by {s}" for n, s in pairs if f"{n} {s}" in table.subjects()]
    assert left == [], "shown"
    assert table.reader.classes() == ["AUTHORITY"] * len(pairs)
    after = table.state()
    for what in before:
        assert after[what] == before[what], what
    new = {n for n, _ in table.events()} - {n for n, _ in events}
    assert new <= {"in.held", "out.sent", "ack.deferred"}, new
    for name, sender in pairs:
        if name != "BULLETIN":      # whose eye is a message more
            assert not table.effect(name, sender), f"{name} by {sender}"
    assert not table.effect("BULLETIN", "labo")
    told = {}
    for member in (demo.labo, *(getattr(demo, n) for n in DESKS)):
        for a in acks(demo, member, forger):
            assert a["state"] == records.REFUSED
            told[a["T"]] = member.identity.encode()
    assert told == {t: table.who[s] for t, (_, s) in tags.items()
                    if s in ("labo", *DESKS)}


# Those whose effect is another for each sender are tried together.
EACH = ("META", "GRANT", "MAIL", "WITNESS")
ALLOWED = [(n, MAY[n]) for n in EACH] + [
    (n, (s,)) for n in MAY if n not in EACH for s in MAY[n]]


@pytest.mark.parametrize("name, senders", ALLOWED, ids=[
    f"{n} by {s[0] if len(s) == 1 else 'all'}" for n, s in ALLOWED])
def test_each_allowed_pair_takes_effect(table, name, senders):
    """Else the test above proves nothing."""
    if name != "BULLETIN":
        assert not any(table.effect(name, s) for s in senders[:2])
    for sender in senders:
        table.post(table.seal(name, sender, **(
            {} if name in NEVER_MAIL else {"mail": None})), sender)
    assert table.poll() == 0
    for sender in senders:
        assert table.effect(name, sender), f"{name} by {sender}"
    assert table.reader.held() == []


def test_P9_acknowledgements_of_others_move_nothing(table):
    """Their author may say such a thing, not of that message; it is ignored
    and an alarm, and what comes with it is shown (2.19.1, .3)."""
    states = table.states()
    pairs = forbidden(dict.fromkeys(("ACK", "ACK, received, of a ROUTE"), (
        "labo",))) + [("ACK, received, of a ROUTE", "labo")]
    for name, sender in pairs:
        table.post(table.seal(name, sender), sender)
    assert table.poll() == 0
    assert table.states() == states
    assert table.subjects() == {f"{n} {s}" for n, s in pairs}
    said = [n for n, _ in table.events() if n in (
        "ack.wrong_peer", "ack.wrong_state")]
    # The gateway's of what went through it, received: wrong in its state.
    assert sorted(said) == ["ack.wrong_peer"] * (len(pairs) - 1) + [
        "ack.wrong_state"]


def test_P9_who_may_never_say_it_is_refused(table):
    """Of acknowledgements what the gateway alone may say at all."""
    states, n = table.states(), 0
    for name in ("ACK, relayed", "RELAYED-ACK"):
        for sender in ALL:
            if sender != "hub":
                table.post(table.seal(name, sender), sender)
                n += 1
    assert table.poll() == 65
    assert table.reader.classes() == ["AUTHORITY"] * n
    assert table.states() == states and table.files() == []


# ---- to a desk ------------------------------------------------------------------

# The same table, but for ROUTE and ASK.
ASKED = {"hub": ALL, "issuer": ALL, "watch": ()}


@pytest.mark.parametrize("reader", ASKED)
def test_what_only_desks_are_asked(demo, forger, reader):
    """ROUTE and ASK by everybody, not at the watch desk; what may not be said
    to a practice by whom may not be said to a desk by him either."""
    table = Table(demo, forger, getattr(demo, reader))
    senders = [s for s in ALL if s != reader]
    may = {n: m for n, m in MAY.items() if n not in IGNORED} | {
        "ROUTE": ASKED[reader], "ASK": ASKED[reader]}
    pairs = forbidden(may, senders)
    table.poll()
    before = table.state()
    for name, sender in pairs:
        table.post(table.seal(name, sender), sender)
    table.poll()
    assert table.reader.classes() == ["AUTHORITY"] * len(pairs)
    assert table.state() == before and demo.petit.mail() == []
    if reader == "watch":
        return
    for sender in senders:
        table.post(table.seal("ASK", sender, mail=None), sender)
    table.poll()
    assert table.reader.classes() == ["AUTHORITY"] * len(pairs)
    for sender in senders:
        table.post(table.seal("ROUTE", sender), sender)
    table.poll()
    assert table.reader.classes() == ["AUTHORITY"] * len(pairs)
    if reader == "hub":
        assert len(demo.petit.mail()) == len(senders)
        for m in demo.petit.mail():
            _, payload = forger.open(mail.find(m))
            assert payload.one(records.RELAYED)["identity"] in \
                table.who.values()


# ---- senders who may say nothing ---------------------------------------------------

def test_the_barred_the_replaced_and_oneself_say_nothing(table, demo, forger):
    """Each record by one who was excluded, by a replaced key, by my own name,
    of a year that is over and of one that is not here yet."""
    me = table.reader
    for control in ([records.bulletin(1), records.bar(
            255, demo.durand.name.encode())],):
        demo.post(me, forger.wrap(demo.watch, me, forger.seal(
            demo.watch, me, None, control=control)))
    new = forger.who(demo.labo.name + "#2")
    demo.post(me, forger.wrap(demo.labo, me, forger.seal(
        new, me, table.letter(new, "the new key"))))
    me.ok("poll")
    before = table.state()
    senders = {"durand": ("BARRED", {}), "labo": ("BARRED", {}),
               "dr": ("NOTFORME", {}),
               "issuer": ("EXPIRED", {"year": YEAR - 1}),
               "watch": ("NOKEY", {"year": YEAR + 1})}
    for name in MAY:
        for sender, (_, more) in senders.items():
            table.post(table.seal(name, sender, **more), sender)
    assert table.poll() == 65
    assert me.classes() == sorted(
        c for c, _ in senders.values() for _ in MAY)
    after = table.state()
    for what in before:
        assert after[what] == before[what], what


def test_sealed_to_a_replaced_key_of_mine_only_the_mail_counts(demo, forger):
    """Whoever has stolen it can write so as the issuer (2.19.22)."""
    bench = Bench(demo.dr, forger.maker())
    bench.hold()
    table = Table(demo, forger, demo.dr).sends()
    bench.maker.reissue(demo.dr.name.encode())
    got = bench.take(bench.make(code=OTHER), OTHER)
    assert got.code == 0, got.text()
    newer = forger.who(demo.dr.name + "#2")
    table.fresh = {"to": newer, "key": kdf.channel_key(
        bench.maker.K(newer, YEAR), forger.who(demo.labo))}
    names = [n for n in MAY if MAY[n] and n not in (
        "META", "GRANT", "MAIL", "WITNESS", "RELAYED")]
    before = table.state()
    for name in names:
        for sender in MAY[name]:
            table.post(table.seal(name, sender), sender)
    for name in ("ROUTE", "SELF", "ROLE"):
        table.post(table.seal(name, "issuer"), "issuer")
    table.poll()
    after = table.state()
    for what in ("states", "keys", "original", "queue"):
        assert after[what] == before[what], what
    for name in names:
        for sender in MAY[name]:
            if name != "BULLETIN":
                assert not table.effect(name, sender), f"{name} by {sender}"
            assert f"{name} {sender}" in table.subjects()
    assert not table.effect("BULLETIN", "watch")
    assert {mark(f)["flags"] for f in table.files()} == {"replaced-key"}


def test_without_a_watch_desk_the_issuer_announces(demo, forger):
    """Where the key file names none (2.5); and its bars count."""
    maker = forger.maker()
    del maker.gen[maker.watch]
    maker.watch = None
    bench = Bench(demo.dr, maker)
    bench.hold()
    table = Table(demo, forger, demo.dr)
    table.post(table.seal("BULLETIN", "watch"), "watch")
    assert table.poll() == 65
    assert table.reader.classes() == ["AUTHORITY"]
    table.post(table.seal("BULLETIN", "issuer", mail=None), "issuer")
    assert table.poll() == 0
    assert table.effect("BULLETIN", "issuer")
