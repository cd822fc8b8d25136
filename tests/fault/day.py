"""A day of the demonstration association, step by step: what the campaigns
of deaths and of power cuts live again and again, and how they judge it."""

import time
from collections import Counter

from world.demo import YEAR, Forger
from world.dovecot import free_ports
from world.fault import Calls
from world.verdict import settle, shown_once


# The practice's two other mailboxes.
ACCOUNTS = """
account "second" {{
    protocol = imap
    host = "localhost"
    port = {port}
    tls = implicit
    ca_file = "{ca}"
    user = "{user}"
    password_file = "{password}"
}}

account "third" {{
    protocol = maildir
    path = "{path}"
}}
"""


class Day:
    """What happens, in order; each step may be the one that dies.

    A laboratory sends to a practice, to another by IMAP, to a member behind
    the gateway and to an address that the relay refuses.  The first practice
    begins with its key, has three mailboxes (POP3, IMAP, a Maildir), and in
    them a mail that was damaged on its way and one that came twice."""

    def __init__(self, demo):
        self.demo, self.forger = demo, Forger()
        self.calls = Calls(demo.top)
        self.points = demo.top / "points"
        d = demo
        self.mails = {
            "small": (d.mail_of("INR 1", d.dr, d.durand, d.petit, d.watch),
                      (d.dr, d.durand, d.petit)),
            "large": (d.mail_of("INR 2\r\n" + "0123456789\r\n" * 100_000,
                                d.dr), (d.dr,))}
        self.posted = [d.mail_of(f"INR {n}", d.dr) for n in (3, 4, 5)]
        self.maildir = d.dr.folder / "maildir"
        key, slip = d.dr.folder / f"{YEAR}.cle", d.dr.folder / "code"
        importing = d.dr, "key", "import", "--code-file", slip, key
        self.steps = [
            ("key", *importing), ("key again", *importing),
            ("small", d.labo, "send", "-t"), ("large", d.labo, "send", "-t"),
            ("no relay", d.labo, "poll"),
            ("hurry", d.labo, "queue", "retry", "1"),
            ("relays", d.labo, "poll"), ("receives", d.dr, "poll"),
            ("again", d.dr, "held", "release", self._held),
            ("retried", d.dr, "poll"), ("imap", d.durand, "poll"),
            ("gateway", d.hub, "poll"), ("behind", d.petit, "poll"),
            ("acks", d.hub, "poll"), ("told", d.labo, "poll")]
        d.relay.aliases.pop(d.watch.route, None)

    def begin(self):
        d = self.demo
        d.fresh()
        d.dr.key_file(self.forger.all, YEAR)
        with open(d.dr.conf, "a") as f:
            f.write(ACCOUNTS.format(
                port=d.dovecot.port["imaps"], ca=d.ca.cert,
                user=d.watch.user, password=d.watch.folder / "password",
                path=self.maildir))

    def _post(self):
        """What others have sent to the practice; sealed since it has a store,
        or it would be flagged."""
        d, now = self.demo, int(time.time()) + 1
        by_imap, by_maildir, twice = (
            self.forger.mail(d.labo, d.dr, data, now=now)
            for data in self.posted)
        env = bytearray(self.forger.seal(
            d.labo, d.dr, d.mail_of("damaged", d.dr)))
        env[-20] ^= 1
        d.post(d.dr, self.forger.wrap(d.labo, d.dr, bytes(env)), twice, twice)
        d.post(d.watch, by_imap)
        for box in ("new", "cur", "tmp"):
            (self.maildir / box).mkdir(parents=True, exist_ok=True)
            for path in (self.maildir / box).iterdir():
                path.unlink()
        (self.maildir / "new/1.M1.there").write_bytes(by_maildir)

    def prepare(self, i):
        """What a person does before that step."""
        name, who, *_ = self.steps[i]
        if name == "no relay":
            who.configure(relay_port=free_ports(1)[0])
        elif name == "hurry":
            who.configure()
        elif name == "relays":
            for row in who.ok("queue", "list", "--json").json():
                who.ok("queue", "retry", row["id"])
        elif name == "receives":
            self._post()
        elif name == "again":
            rows = who.held() or [{"id": 1}]
            who.secret("held", str(rows[0]["id"]))

    def _held(self):
        """The number of what is held; beside the store, to be put back."""
        return (self.demo.dr.folder / "held").read_text()

    def step(self, i, **env):
        """Its Result."""
        name, who, *words = self.steps[i]
        given = self.mails[name][0] if name in self.mails else b""
        return who.sceau(*(w() if callable(w) else w for w in words),
                         input=given, **env)

    def survey(self):
        """{step: (points, calls)} of a day without accidents; how each step
        began is kept, for from_step()."""
        self.begin()
        seen = {}
        for i, (name, *_) in enumerate(self.steps):
            self.points.unlink(missing_ok=True)
            self.prepare(i)
            self.demo.save(name)
            self.step(i, SCEAU_FAULT_LOG=str(self.points),
                      **self.calls.env())
            seen[name] = (Counter(self.points.read_text().split())
                          if self.points.exists() else Counter(),
                          self.calls.counts())
        self.settle()
        assert not any(self.judge({}).values())
        return seen

    def from_step(self, name):
        """As that step began; its place."""
        self.demo.load(name)
        return [s[0] for s in self.steps].index(name)

    def end(self, at, code):
        """The rest of a day whose step ended so, judged: AssertionError, or
        what was shown a second time."""
        codes = {self.steps[at][0]: code}
        for i in range(at + 1, len(self.steps)):
            self.prepare(i)
            codes[self.steps[i][0]] = self.step(i).code
        self.settle()
        return self.judge(codes)

    def settle(self):
        """cron goes on until nothing is on its way."""
        d = self.demo
        for _ in range(3):
            for who in (d.labo, d.dr, d.durand, d.hub, d.petit, d.hub,
                        d.labo):
                settle(who)
            if not any(d.mailboxes().values()):
                return

    def judge(self, codes):
        """codes: of the steps that may have died; what was promised is
        there, and the rest whole or not at all."""
        d = self.demo
        arrived = {w: set(w.shown()) for w in (d.dr, d.durand, d.petit)}
        kept = {name: codes.get(name, 0) == 0 for name in self.mails}
        for name, (data, to) in self.mails.items():
            if not kept[name]:
                kept[name] = any(data in arrived[w] for w in to)
        for who in arrived:
            shown_once(who, [data for name, (data, to) in self.mails.items()
                             if kept[name] and who in to] +
                       self.posted * (who is d.dr))
            assert who.mail() == [], f"{who.local}: left on the server"
        assert d.hub.mail() == d.labo.mail() == d.watch.mail() == []
        assert not list(self.maildir.glob("*/*")), "left in the Maildir"
        assert d.dr.classes() == ["BODY"], d.dr.held()
        wanted = {}
        if kept["small"]:
            wanted = {d.durand.name: "received", d.petit.name: "received",
                      d.watch.name: "failed"}
        if kept["small"] or kept["large"]:
            wanted[d.dr.name] = "received"
        assert d.labo.states() == wanted, d.labo.states()
        assert len(d.labo.documents()) == kept["small"], "notices"
        return {"flagged": sum(
            b"possible-duplicate" in p.read_bytes()[:2000]
            for w in arrived for p in w.documents())}
