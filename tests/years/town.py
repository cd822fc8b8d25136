"""Associations with their desks, their members' machines and one relay, which
keeps a copy of all that it ever carried.

Whatever is done is told to tests/model/history.py (tell), and whatever comes
of it is asked there too (ask): both answers must be the same.  The acts and
the answers are kept, to be played again to a model without one of its rules.
"""

import calendar
import collections
import concurrent.futures
import email.utils
import itertools
import re
import shutil
import smtplib
import ssl
import subprocess

import history
import loot
from pysceau import code as paper
from pysceau import envelope, kdf, keyfile, mail, records
from world.dovecot import Dovecot
from world.world import Relay, World

CODE = re.compile(r"\b[0-9A-Z]{5}(?:-[0-9A-Z]{5}){4}\b")
ARCHIVE = "archive"
TOKEN = re.compile(rb"^Subject: ([a-z]\d+)\r?$", re.M)
HEAD = "address,route,name,kind,ring\n"
AT_ONCE = 3                 # passes of different members
HOUR = 3600


def day(year, month, date, hour=10):
    return calendar.timegm((year, month, date, hour, 0, 0))


def dates(year):
    """From, and until when a year's keys write (2.19.26)."""
    return day(year, 1, 1, 0), day(year + 1, 2, 1, 0)


class Wrong(AssertionError):
    pass


class Ask:
    """A question: what the model said, and what was so."""

    def __init__(self, method, args, said):
        self.method, self.args, self.said = method, args, said
        self.saw = None


class Past:
    """The acts and questions, in order."""

    def __init__(self):
        self.model = history.History(history.Rules, dates)
        self.acts, self.asked = [], collections.Counter()
        self.wrong = []

    def tell(self, method, *args):
        self.acts.append((method, args))
        return getattr(self.model, method)(*args)

    def ask(self, saw, method, *args):
        """What the model says; it must be what was seen."""
        self.see(self.foresee(method, *args), saw)

    def foresee(self, method, *args):
        """Now, of what is seen later: give it to see()."""
        q = Ask(method, args, getattr(self.model, method)(*args))
        self.acts.append(q)
        self.asked[method] += 1
        return q

    def see(self, q, saw):
        q.saw = saw
        if q.said != saw:
            self.wrong.append(f"{q.method}{q.args}: the model says "
                              f"{short(q.said, saw)}, it is "
                              f"{short(saw, q.said)}")
            print(f"WRONG   {self.wrong[-1]}", flush=True)

    def contradicted(self, flag):
        """Does what was seen speak against a model without that rule?"""
        rules = type("Mutant", (history.Rules,), {flag: False})
        model = history.History(rules, dates)
        for act in self.acts:
            if isinstance(act, Ask):
                if getattr(model, act.method)(*act.args) != act.saw:
                    return act
            else:
                getattr(model, act[0])(*act[1])
        return None


def short(a, b):
    """Of two answers what the one has more."""
    if isinstance(a, frozenset) and isinstance(b, frozenset):
        return f"{len(a)}, also {sorted(map(str, a - b))[:6]}"
    if isinstance(a, tuple) and isinstance(b, tuple) and len(a) == len(b):
        return tuple(short(x, y) for x, y in zip(a, b))
    return a


class Desk:
    """The offline machine of an association."""

    def __init__(self, town, assoc, year, domain, watch, hub=None):
        self.town, self.assoc, self.domain = town, assoc, domain
        self.top = town.top / f"desk-{assoc}"
        self.top.mkdir()
        self.folder, self.number = self.top / "desk", 0
        self.roots, self.years = {}, []     # the latter: not destroyed
        self.run("init", self.folder, "--assoc", assoc, "--year", year,
                 "--domain", domain, "--watch", watch.address,
                 *(("--hub", hub.address, hub.route) if hub else ()))
        self._root(year)

    def ran(self, *words):
        return subprocess.run(
            [self.town.sceau, "issuer", *map(str, words)], timeout=300,
            capture_output=True, cwd=self.top, stdin=subprocess.DEVNULL,
            env={"PATH": "/usr/bin:/bin", "LANG": "C",
                 "HOME": str(self.top), **self.town.clock()})

    def run(self, *words):
        got = self.ran(*words)
        if got.returncode != 0:
            raise Wrong(f"issuer {words}: {got.returncode} "
                        f"{got.stderr.decode()}")
        return got.stdout

    def sheets(self, year):
        return [(self.folder / f"custodians/custodian-{n}.{year}.txt")
                for n in (1, 2, 3)]

    def _root(self, year):
        """The referee's: he opens everything."""
        parts = set()
        for path in self.sheets(year):
            codes = CODE.findall(path.read_text())
            parts |= {tuple(codes[:3]), tuple(codes[3:])}
        self.roots[year] = paper.root_join(list(parts))
        self.years.append(year)

    def act(self, what, *words):
        """With the sheets of two custodians for each year; its out folder."""
        self.number += 1
        out = self.top / f"out-{self.number}"
        self.said = self.run(what, self.folder, *words, "--out", out,
                             *self.custodians())
        for path in sorted((self.folder / "custodians").glob("*-1.*.txt")):
            year = int(path.name.split(".")[1])
            if year not in self.roots:
                self._root(year)
        return out

    def holds(self, proof):
        """Does the association find that he wrote it?"""
        got = self.ran("witness", self.folder, proof, *self.custodians())
        if got.returncode not in (0, 65):
            raise Wrong(f"witness: {got}")
        return got.returncode == 0

    def custodians(self):
        """Two of each year bring their sheets."""
        return [w for year in self.years for p in self.sheets(year)[:2]
                for w in ("--custodian", p)]

    def table(self, rows):
        path = self.top / "members.csv"
        path.write_text(HEAD + "".join(",".join(r) + "\n" for r in rows))
        return path

    def pairs(self, out):
        """{(identity, year): (key file, code)} of what was made there."""
        made = {}
        for path in sorted((out / "keys").glob("*.cle")):
            data = path.read_bytes()
            h = envelope.parse_header(data)
            text = (out / "letters" / f"{path.stem}.txt").read_text()
            made[h.recipient.decode(), h.year] = path, CODE.search(text)[0]
            self.town.wire.files.append(data)
        return made


class Town(World):
    def __init__(self, jobs=AT_ONCE, **more):
        super().__init__(**more)
        self.past, self.wire = Past(), loot.Wire()
        self.now, self.desks = 0, {}
        self.places = {}            # name in the system: place (local)
        self.delivered = collections.defaultdict(list)  # place: [e]
        self.taken = collections.defaultdict(set)
        self.held = collections.defaultdict(set)
        self.filed = collections.defaultdict(set)       # place: paths seen
        self.shown = collections.Counter()      # (token, name)
        self.paths = {}             # token: "direct" or "hub"
        self.T_of, self.D_of = {}, {}
        self.number = itertools.count(1)
        self.sent, self.received = 0, 0
        self.numbers = {}           # of bulletins, and their bars
        self.lose = lambda e, header: False
        self.pool = concurrent.futures.ThreadPoolExecutor(jobs)

    tell = property(lambda self: self.past.tell)
    ask = property(lambda self: self.past.ask)

    def clock(self):
        return {"SCEAU_FAULT_CLOCK": f"@{self.now}", "TZ": "UTC"}

    def at(self, *when):
        """That day; time never goes back."""
        self.now = max(self.now + 60, day(*when))
        self.tell("time", self.now)

    def later(self, seconds=600):
        self.now += seconds
        self.tell("time", self.now)

    def start(self):
        users = {m.user: m.password for m in self.members.values()}
        users[ARCHIVE] = "password-of-the-archive"
        self.dovecot = Dovecot(self.cert, users)
        self.dovecot.start()
        # Whom nobody has told of his mailbox is answered at his address.
        self.relay = Relay(self.cert, self.dovecot, {
            a: m.user for m in self.members.values()
            for a in (m.route, m.address)})
        with open(self.relay.top / "etc/main.cf", "a") as f:
            f.write(f"always_bcc = {ARCHIVE}@{self.domain}\n")
        self.relay.start()
        for member in self.members.values():
            member.configure(top={"late": "72 h"})
        return self

    def close(self):
        self.pool.shutdown()
        super().close()

    # -- machines

    def place(self, local, domain, assoc, **more):
        m = self.member(local, domain, kind="maildir", **more)
        m.system = f"{assoc}/{m.address}"
        self.places[m.system] = local
        return m

    def fresh(self, m):
        """A computer with nothing on it."""
        for folder in (m.state, m.inbox):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(mode=0o700)
        self.filed[m.local], self.held[m.local] = set(), set()
        self.tell("machine", m.local, m.system)

    def imports(self, takes):
        """[(member, (key file, code))]; of one member in that order."""
        def take(one):
            m, (path, code) = one
            m.ok("key", "import", path, "--code-file",
                 m.secret("code", code + "\n"), **self.clock())
            return m.local, envelope.parse_header(path.read_bytes())
        several = len({m.local for m, _ in takes}) == len(takes)
        for local, h in (self.pool.map if several else map)(take, takes):
            self.tell("imports", local, h.recipient.decode(), h.year)

    def audit(self, m):
        """What lies on his disk is what the model says."""
        copy = self.top / "copy"
        shutil.copytree(m.state, copy)
        self.ask(loot.Keys().of_folder(copy).store(), "store", m.local)
        shutil.rmtree(copy)

    # -- key files

    def key_files(self, desk, made, renewal=()):
        """Tell the model of each, and hold its ring against what is in it."""
        for who, year in made:
            self.tell("expect", history.name(who), year)
        for (who, year), (path, code) in made.items():
            h = envelope.parse_header(path.read_bytes())
            old = [kdf.member_key(desk.roots[year - 1], year - 1,
                                  who.encode())] \
                if h.source == envelope.RENEWAL else []
            f = keyfile.read(path.read_bytes(), paper.parse(code), old)
            self.ask(frozenset(g["identity"].decode() for g in f.grants),
                     "key", history.name(who), year, bool(old))
            self.ask({b["name"].decode(): b["generation"] for b in f.bars},
                     "bars_of", history.name(who))
        return made

    # -- the relay

    def settle(self):
        self.wait_until(self.relay.settled, 900, "the relay")
        self.collect()

    def collect(self):
        """What the relay carried since the last time."""
        box = self.dovecot.maildir(ARCHIVE) / "new"
        for path in sorted(box.iterdir(), key=lambda p: (
                p.stat().st_mtime_ns, p.name)):
            self.passed(path.read_bytes())
            path.unlink()

    def passed(self, octets):
        env = mail.find(octets)
        h = envelope.parse_header(env)
        e = h.T.hex()[:20]
        if e in self.wire.sealed:
            return self.once_more(e, h)
        self.wire.add(e, env)
        p = self.opened(h, env)
        says, kind, original = self.content(h, p)
        i, j = h.sender.decode(), h.recipient.decode()
        self.tell("sent", e, i, j, h.year, kind, says, None, None, original)
        place = self.places[history.name(j)]
        if self.lose(e, h):
            self.drop(place, e)
        else:
            self.delivered[place].append(e)

    def once_more(self, e, h):
        """The very same envelope, sent again (2.19.32)."""
        place = self.places[history.name(h.recipient.decode())]
        if e in self.delivered[place]:
            self.past.wrong.append(f"{e} passed twice")
        self.delivered[place].append(e)

    def drop(self, place, e):
        """The network loses it."""
        user = self.members[place].user
        for path in (self.dovecot.maildir(user) / "new").iterdir():
            if mail.find(path.read_bytes()) == self.wire.sealed[e][1]:
                path.unlink()

    def opened(self, h, env):
        """By the referee, who has the roots."""
        root = self.desks[history.asso(h.recipient.decode())].roots[h.year]
        C = kdf.channel_key(kdf.member_key(root, h.year, h.recipient),
                            h.sender)
        return envelope.opened(env, C, records.LIMIT_DESK)[1]

    def content(self, h, p):
        """What it says, its kind, whose it was before the gateway."""
        who = history.name(h.sender.decode())
        bulletin, via = p.one(records.BULLETIN), p.one(records.RELAYED)
        bars = {b["name"].decode(): b["generation"]
                for b in p.all(records.BAR)}
        grants = frozenset(g["identity"].decode()
                           for g in p.all(records.GRANT)
                           if g["identity"] != h.sender)
        entries = frozenset(x["identity"].decode()
                            for x in p.all(records.ENTRY))
        original = None
        if via:
            original = via["identity"].decode(), via["T"].hex()
        elif p.has_mail:
            token = TOKEN.search(p.mail)[1].decode()
            self.paths[token] = "hub" if p.all(records.ROUTE) else "direct"
            self.T_of[token], self.D_of[token] = h.T.hex(), p.D
        if bulletin:
            return self.bulletin(who, bulletin["number"], bars), \
                "bulletin", None
        if self.past.model.people[who].office == "issuer":
            return {"grants": grants, "entries": entries, "bars": bars}, \
                "enrol", None
        routes = [r["name"].decode() for r in p.all(records.ROUTE)]
        return {"routes": routes} if routes else {}, \
            "mail" if p.has_mail else "control", original

    def bulletin(self, who, number, bars):
        if self.numbers.get(who, (0,))[0] != number:
            self.numbers[who] = number, bars
            self.ask(bars, "bulletin", self.places[who])
        elif self.numbers[who][1] != bars:
            self.past.wrong.append(f"bulletin {number} is two")
        return {"bars": bars, "number": number}

    def enrolment(self, paths):
        """{(name, year): what the mail for him says}."""
        out = {}
        for path in paths:
            env = mail.find(path.read_bytes())
            h = envelope.parse_header(env)
            says = self.content(h, self.opened(h, env))[0]
            out[history.name(h.recipient.decode()), h.year] = says
        return out

    def volunteers_send(self, paths):
        """Mails of the issuer, by the association's own mail program."""
        tls = ssl.create_default_context(cafile=self.ca.cert)
        with smtplib.SMTP("localhost", self.relay.port["submission"]) as s:
            s.starttls(context=tls)
            s.login(self.relay.user, self.relay.password)
            for path in paths:
                octets = path.read_bytes()
                to = re.search(rb"^To: <?([^>\r\n]+)", octets, re.M)[1]
                s.sendmail(f"association@{self.domain}", to.decode(), octets)

    # -- what members do

    def send(self, m, to, check=True):
        """A mail to that name; its token.  The way it takes is foreseen."""
        token = f"n{next(self.number)}"
        way = self.past.foresee("may_send", m.local, to)
        date = email.utils.formatdate(self.now)
        got = m.sceau("send", to, input=(
            f"From: {m.address}\r\nTo: {to.partition('/')[2]}\r\n"
            f"Subject: {token}\r\nDate: {date}\r\n"
            f"Message-ID: <{token}@{m.domain}>\r\n\r\n"
            f"Compte rendu {token}\r\n").encode(), **self.clock())
        if got.code == 0:
            self.sent += 1
        else:
            self.past.see(way, str(got.code))
        return token, way

    def waiting(self, place):
        return [e for e in self.delivered[place] if e not in self.taken[place]]

    def passes(self, places):
        """A pass of each; what it did is held against the model."""
        done = list(self.pool.map(lambda p: self.members[p].sceau(
            "poll", seconds=600, **self.clock()), places))
        self.settle()
        for place, got in zip(places, done):
            if got.code not in (0, 65):
                raise Wrong(f"{place}: poll: {got.code} {got.text()}")
            self.look(place, got)

    def look(self, place, got):
        m = self.members[place]
        left = self.left(place)
        es = [e for e in self.waiting(place) if e not in left]
        self.taken[place] |= set(es)
        q = self.past.foresee("passed", place, tuple(es))
        _, held = q.said
        if got.code == 65 or held:
            held = self.newly_held(m)
        else:
            held = ()
        self.past.see(q, (self.newly_shown(m), held))

    def left(self, place):
        """What came into the mailbox while the pass was at work."""
        box = self.dovecot.maildir(self.members[place].user)
        return {envelope.parse_header(mail.find(p.read_bytes())).T.hex()[:20]
                for part in ("new", "cur") for p in (box / part).iterdir()}

    def newly_held(self, m):
        rows = [r for r in m.ok("held", "list", "--json",
                                **self.clock()).json()
                if (r["id"], r["class"]) not in self.held[m.local]]
        self.held[m.local] |= {(r["id"], r["class"]) for r in rows}
        return tuple(sorted((r["class"], r["from"]) for r in rows))

    def newly_shown(self, m):
        """(T, how) of each document that is new on his disk."""
        out = set()
        for path in m.inbox.rglob("*.sceau.*"):
            if path.name in self.filed[m.local] or path.parent.name == "tmp":
                continue
            self.filed[m.local].add(path.name)
            octets = path.read_bytes()
            mark = octets[:octets.index(b"\r\nFrom:")].decode()
            how = "replaced-key" if "replaced-key" in mark else \
                re.search(r"path=(\w+)", mark)[1]
            T = re.search(r"\.sceau\.([0-9a-f]{20})", path.name)[1]
            out.add((T, how))
            self.shown[TOKEN.search(octets)[1].decode(), m.system] += 1
            self.received += 1
        return frozenset(out)

    def quiet(self, only=None, rounds=8):
        """Whoever has mail fetches it, until nobody has any; or only those
        places.  The mail of the others waits."""
        for _ in range(rounds):
            due = [p for p in self.members if self.waiting(p) and
                   (only is None or p in only) and self.ready(p)]
            if not due:
                return
            self.later(300)
            self.passes(due)
        raise Wrong(f"never quiet: {due}")

    def ready(self, place):
        return bool(self.past.model.machines.get(place) and
                    self.past.model.machines[place].K)

    def json(self, m, *words):
        return m.ok(*words, "--json", **self.clock()).json()
