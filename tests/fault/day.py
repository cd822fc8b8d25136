"""A day of the demonstration association, step by step: what the campaigns
of deaths and of power cuts live again and again, and how they judge it."""

from collections import Counter

from world.demo import Forger
from world.dovecot import free_ports
from world.fault import Calls
from world.verdict import settle, shown_once


class Day:
    """What happens, in order; each step may be the one that dies."""

    def __init__(self, demo):
        self.demo, self.forger = demo, Forger()
        self.calls = Calls(demo.top)
        self.points = demo.top / "points"
        d = demo
        self.bad = (d.labo, d.dr, d.mail_of("damaged", d.dr))
        self.mails = {
            "small": (d.mail_of("INR 1", d.dr, d.durand, d.petit, d.watch),
                      (d.dr, d.durand, d.petit)),
            "large": (d.mail_of("INR 2\r\n" + "0123456789\r\n" * 100_000,
                                d.dr), (d.dr,))}
        self.steps = [
            ("small", d.labo, "send", "-t"), ("large", d.labo, "send", "-t"),
            ("no relay", d.labo, "poll"), ("relays", d.labo, "poll"),
            ("pop3", d.dr, "poll"),
            ("again", d.dr, "held", "release", "1"),
            ("retried", d.dr, "poll"), ("imap", d.durand, "poll"),
            ("gateway", d.hub, "poll"), ("behind", d.petit, "poll"),
            ("acks", d.hub, "poll"), ("told", d.labo, "poll")]
        self.refused = d.watch.route
        d.relay.aliases.pop(self.refused, None)

    def begin(self):
        d = self.demo
        d.fresh()
        a, b, data = self.bad
        env = bytearray(self.forger.seal(a, b, data))
        env[-20] ^= 1
        d.post(b, self.forger.wrap(a, b, bytes(env)))

    def prepare(self, i):
        """What a person does before that step."""
        name, who, *_ = self.steps[i]
        if name == "no relay":
            who.configure(relay_port=free_ports(1)[0])
        elif name == "relays":
            who.configure()
            self.at_once(who)

    def step(self, i, **env):
        """Its Result."""
        name, who, *words = self.steps[i]
        given = self.mails[name][0] if name in self.mails else b""
        return who.sceau(*words, input=given, **env)

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

    @staticmethod
    def at_once(who):
        """A person has the queue tried without waiting; was there one?"""
        rows = who.ok("queue", "list", "--json").json()
        for row in rows:
            who.ok("queue", "retry", row["id"])
        return rows != []

    def settle(self):
        """cron goes on until nothing is on its way."""
        d = self.demo
        for _ in range(3):
            for who in (d.labo, d.dr, d.durand, d.hub, d.petit, d.hub,
                        d.labo):
                settle(who)
                if self.at_once(who):
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
                             if kept[name] and who in to])
            assert who.mail() == [], f"{who.local}: left on the server"
        assert d.hub.mail() == [] and d.labo.mail() == []
        assert d.dr.classes() == ["BODY"], d.dr.held()
        wanted = {}
        if kept["small"]:
            wanted = {d.durand.name: "received", d.petit.name: "received",
                      d.watch.name: "failed"}
        if kept["small"] or kept["large"]:
            wanted[d.dr.name] = "received"
        assert d.labo.states() == wanted, d.labo.states()
        notices = len(d.labo.documents())
        # A death between its file and its row tells it a second time.
        assert (1 <= notices <= 2) == kept["small"], f"{notices} notices"
        flagged = sum(b"possible-duplicate" in p.read_bytes()[:2000]
                      for w in arrived for p in w.documents())
        return {"flagged": flagged, "told_twice": int(notices == 2)}
