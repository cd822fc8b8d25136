"""A day of the demonstration association, step by step: what the campaigns
of deaths and of power cuts live again and again, and how they judge it."""

import shutil
import time
from collections import Counter

from fault.alike import Pictures
from fault.judge import MARK, Judge, lying, take
from world import hprim
from world.demo import YEAR, Forger
from world.dovecot import free_ports
from world.fault import Calls
from world.outbox import PDF
from world.verdict import settle

CODES = """\
CAB000001 = dr.martin@cabinet.example
CAB000002 = cabinet.durand@durand.example
"""
OUTBOXES = """
outbox "lis" {{
    path = "{0}/outbox/lis"
    route = hprim
    ready = rename
    split = yes
    aliases = "{0}/codes"
}}

outbox "pdf" {{
    path = "{0}/outbox/pdf"
    to = "{1}"
    ready = rename
    after = move
}}
"""
# The practice's two other mailboxes, and where mail in clear goes.
ACCOUNTS = """
account "second" {{
    protocol = imap
    host = "localhost"
    port = {port}
    tls = implicit
    ca_file = "{ca}"
    user = "{user}"
    password_file = "{password}"
    unsealed = deliver
}}

account "third" {{
    protocol = maildir
    path = "{path}"
}}

deliver "clear" {{
    kind = maildir
    path = "{clear}"
    unsealed = yes
}}
"""
CLEAR = b"From: a@b.example\r\nSubject: au midi ?\r\n\r\nau midi ?\r\n"


def report(line_12, birth="12/05/1961", number="1", **more):
    p = hprim.Patient(text=[MARK], **more)
    p.header[0], p.header[6], p.header[7] = f"P{number}", birth, ""
    p.header[11] = line_12
    return p


class Day(Judge):
    """What happens, in order; each step may be the one that dies.

    A laboratory sends to a practice, to another by IMAP, to a member behind
    the gateway and to an address that the relay refuses; its system drops a
    file of three patients, one with an attachment, a wrong one, and one more
    that has an attachment, which could go by itself.  The first practice
    begins with its key, has three mailboxes (POP3, IMAP, a Maildir), and in
    them a mail that was damaged on its way, one that came twice, one
    sealed under next year's key, and one in clear; its relay is busy at
    first.  The other files into a folder: of two patients of one name, and a
    corrected result; its software takes them, and it wants one again.  Who is
    behind the gateway has a mail server besides, which delivers by sceau."""

    def __init__(self, demo, engine=None):
        self.demo, self.forger = demo, Forger()
        self.relay = {"engine": engine} if engine else {}
        self.calls = Calls(demo.top)
        self.points = demo.top / "points"
        self.pictures = Pictures(demo)
        d = demo
        self.mails = {
            "small": (d.mail_of(f"{MARK} 1", d.dr, d.durand, d.petit, d.watch),
                      (d.dr, d.durand, d.petit)),
            "large": (d.mail_of(f"{MARK} 2\r\n" + "0123456789\r\n" * 100_000,
                                d.dr), (d.dr,))}
        self.posted = [d.mail_of(f"{MARK} {n}", d.dr) for n in (3, 4, 5, 6)]
        self.reports = [
            report("CAB000001"), report("CAB000002", number="2"),
            report("CAB000002", "13/05/1961", number="3",
                   coded=["RES|Sodium|NA|N|139|mmol/l|136|145||C"])]
        self.given = d.mail_of(f"{MARK} 7", d.petit)
        self.alone = hprim.encode([report("", number="4")])
        self.wrong = hprim.encode([report("CAB000001", "never", number="5")])
        self.beside = b"%PDF-1.4\nbeside what is wrong\n"
        self.outbox = d.labo.folder / "outbox"
        self.maildir = d.dr.folder / "maildir"
        self.clear = d.dr.folder / "clear"
        self.taken = d.durand.folder / "taken"
        key, next_key = (d.dr.folder / f"{y}.cle" for y in (YEAR, YEAR + 1))
        importing = d.dr, "key", "import", "--code-file"
        self.steps = [
            ("key", *importing, d.dr.folder / "code", key),
            ("key again", *importing, d.dr.folder / "code", key),
            ("small", d.labo, "send", "-t"), ("large", d.labo, "send", "-t"),
            ("no relay", d.labo, "poll"),
            ("hurry", d.labo, "queue", "retry", "1"),
            ("relays", d.labo, "poll"), ("receives", d.dr, "poll"),
            ("next key", *importing, d.dr.folder / "next-code", next_key),
            ("again", d.dr, "held", "release", self._noted(d.dr)),
            ("retried", d.dr, "poll"), ("imap", d.durand, "poll"),
            ("refile", d.durand, "refile", self._noted(d.durand)),
            ("taken", d.durand, "poll"), ("gateway", d.hub, "poll"),
            ("behind", d.petit, "poll"), ("given", d.petit, "open", "--mda"),
            ("acks", d.hub, "poll"), ("told", d.labo, "poll")]
        d.relay.aliases.pop(d.watch.route, None)

    # ---- what people do

    def begin(self):
        d = self.demo
        d.fresh()
        d.hub.configure(relay=self.relay)
        self.pictures.touched.update(d.members.values())
        self._next_year()
        d.dr.key_file(self.forger.all, YEAR)
        with open(d.dr.conf, "a") as f:
            f.write(ACCOUNTS.format(
                port=d.dovecot.port["imaps"], ca=d.ca.cert,
                user=d.watch.user, password=d.watch.folder / "password",
                path=self.maildir, clear=self.clear))
        d.durand.configure(kind="folder")
        shutil.rmtree(self.outbox, ignore_errors=True)
        shutil.rmtree(self.clear, ignore_errors=True)
        for folder in (self.outbox / "lis", self.outbox / "pdf", self.taken):
            _empty(folder)
        (d.labo.folder / "codes").write_text(CODES)
        self._laboratory()

    def _laboratory(self, **more):
        labo = self.demo.labo
        labo.configure(
            top={"register_patients": True}, relay=self.relay, **more,
            sections=OUTBOXES.format(labo.folder, self.demo.durand.address))

    def _next_year(self):
        """A key file of the next year, and its code."""
        dr, maker = self.demo.dr, self.forger.maker(YEAR + 1)
        dr.key_file(maker, YEAR + 1)
        (dr.folder / "code").rename(dr.folder / "next-code")
        self.next_key = maker.C(self.forger.who(self.demo.labo),
                                self.forger.who(dr), YEAR + 1)

    def _drop(self):
        """What the laboratory's system writes; the attachment first."""
        for name, data in (("lis/day.hpr", hprim.encode(self.reports)),
                           ("lis/wrong.hpr", self.wrong), ("pdf/r.pdf", PDF),
                           ("pdf/r.hpr", self.alone),
                           ("pdf/bad.pdf", self.beside),
                           ("pdf/bad.hpr", self.wrong)):
            path = self.outbox / name
            path.with_suffix(".tmp").write_bytes(data)
            path.with_suffix(".tmp").rename(path)

    def _post(self):
        """What others have sent to the practice; sealed since it has a store,
        or it would be flagged."""
        d, now = self.demo, int(time.time()) + 1
        *here, early = self.posted
        by_imap, by_maildir, twice = (
            self.forger.mail(d.labo, d.dr, data, now=now) for data in here)
        early = self.forger.mail(
            d.labo, d.dr, early, now=now, key=self.next_key, year=YEAR + 1,
            grant=False)
        env = bytearray(self.forger.seal(
            d.labo, d.dr, d.mail_of("damaged", d.dr)))
        env[-20] ^= 1
        d.post(d.dr, self.forger.wrap(d.labo, d.dr, bytes(env)), twice, twice,
               early)
        d.post(d.watch, by_imap, CLEAR)
        for box in ("new", "cur", "tmp"):
            _empty(self.maildir / box)
        (self.maildir / "new/1.M1.there").write_bytes(by_maildir)

    def _give(self):
        """To the mail server of who is behind the gateway."""
        d = self.demo
        (d.petit.folder / "given").write_bytes(self.forger.mail(
            d.labo, d.petit, self.given, now=int(time.time()) + 1))

    def prepare(self, i):
        """What a person does before that step."""
        name, who, *_ = self.steps[i]
        self.pictures.touched.add(who)
        if name == "no relay":
            self._drop()
            self._laboratory(relay_port=free_ports(1)[0])
        elif name == "hurry":
            self._laboratory()
        elif name in ("relays", "retried"):
            for row in who.ok("queue", "list", "--json").json():
                who.ok("queue", "retry", row["id"])
        elif name == "receives":
            self._post()
        elif name == "given":
            self._give()
        elif name == "again":
            rows = [h for h in who.held() if h["class"] == "BODY"]
            who.secret("noted", str(rows[0]["id"] if rows else 1))
        elif name == "refile":
            names = take(who, self.taken)
            who.secret("noted", names[0] if names else "0" * 20)

    @staticmethod
    def _noted(who):
        """Words of a command that are known when it is run; beside the store,
        to be put back."""
        return lambda: (who.folder / "noted").read_text()

    # ---- a day

    def step(self, i, **env):
        """Its Result."""
        name, who, *words = self.steps[i]
        self.pictures.touched.add(who)
        d = self.demo
        given = self.mails[name][0] if name in self.mails else \
            (d.petit.folder / "given").read_bytes() if name == "given" else b""
        d.relay.busy = {d.labo.route} if name == "receives" else set()
        return who.sceau(*(w() if callable(w) else w for w in words),
                         input=given, **env)

    def survey(self):
        """{step: (points, calls)} of a day without accidents; how each step
        began is kept, for from_step(), and in way how each ended."""
        self.begin()
        self.way = []
        seen, codes = {}, {}
        for i, (name, *_) in enumerate(self.steps):
            self.points.unlink(missing_ok=True)
            self.prepare(i)
            self.place(name)
            codes[name] = self.step(i, SCEAU_FAULT_LOG=str(self.points),
                                    **self.calls.env()).code
            seen[name] = (Counter(self.points.read_text().split())
                          if self.points.exists() else Counter(),
                          self.calls.counts())
            self.way.append((name, self.left(codes)))
        assert codes == dict.fromkeys(codes, 0) | {
            "no relay": 75, "relays": 69, "receives": 75}, codes
        self.settle()
        assert self.judge(codes) == {"flagged": 0}
        return seen

    def place(self, name):
        """Kept, for back_to()."""
        self.demo.save(name)
        self.pictures.place(name)

    def back_to(self, name):
        self.demo.load(name)
        self.pictures.back_to(name)

    def from_step(self, name):
        """As that step began; its place."""
        self.back_to(name)
        return [s[0] for s in self.steps].index(name)

    def goes_on(self, at, codes):
        """The rest of a day whose step has just ended: the name of where it
        stands, after each step.  codes: of the steps, added to."""
        yield self.steps[at][0]
        self._key_again(at)
        self._give_again(at, codes)
        for i in range(at + 1, len(self.steps)):
            self.prepare(i)
            codes[self.steps[i][0]] = self.step(i).code
            self._give_again(i, codes)
            yield self.steps[i][0]
        self.settle()
        yield "settled"

    def end(self, at, code):
        """The rest of a day whose step ended so, judged: AssertionError, or
        what was shown a second time."""
        codes = {self.steps[at][0]: code}
        for _ in self.goes_on(at, codes):
            pass
        return self.judge(codes)

    def left(self, codes):
        """What stands now, and what was promised of it: the same where all
        that follows is alike; "": like no other."""
        return self.pictures.digest(self.promised(codes))

    def _key_again(self, at):
        """Whoever sees that a key is not there takes it in again."""
        name, who, *_ = self.steps[at]
        if name == "next key" and \
                len(who.ok("key", "list", "--json").json()) == 1:
            self.step(at)

    def _give_again(self, at, codes):
        """A mail server does, what was not taken with 0; the rest it has
        forgotten."""
        name, *_ = self.steps[at]
        if name == "given" and codes[name] != 0:
            assert codes[name] == 75 or codes[name] < 0, codes[name]
            codes[name] = self.step(at).code
            assert codes[name] == 0, "not taken the second time"

    def settle(self):
        """cron goes on, and software takes, until nothing is on its way;
        whose pass has nothing to do is passed over."""
        d = self.demo
        todo = [d.labo, d.dr, d.durand, d.hub, d.petit]
        for _ in range(8):
            if take(d.durand, self.taken) and d.durand not in todo:
                todo.append(d.durand)
            self.pictures.touched.update(todo)
            for who in todo:
                settle(who)
            todo = [w for w in d.members.values()
                    if released(w) or d.dovecot.count(w.user) > 0]
            if not todo and not lying(d.durand):
                return


def released(member):
    """What a process ended on each time, a person has opened once more."""
    rows = [h for h in member.held() if h["class"] == "POLICY"]
    for row in rows:
        member.ok("held", "release", row["id"])
    return rows


def _empty(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        if path.is_file():
            path.unlink()
