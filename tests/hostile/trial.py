"""One row of the table, tried on the whole program: an honest server stands
beside the hostile one.

A pass ends within its bounds of time and memory; the honest account is
fetched, opened and acknowledged in the same pass; the exit code is true;
nothing is deleted on a server before it is shown; nothing goes out in clear.
Then the server behaves, and everything is there once.
"""

import itertools
import shutil
import time
from collections import Counter

from hostile.servers import Mailserver
from pysceau import envelope, mail
from world.attack import acks
from world.demo import BOXES, mark, stripped
from world.member import settings
from world.smtp_script import Script
from world.verdict import settle, shown_once

SESSION_S = 4               # "session" of the program under trial
FOREIGN = b"From: a@b.example\r\nSubject: ours, not yours\r\n\r\nprivate\r\n"


def section(kind, name, lines):
    body = "\n".join(f"    {line}" for line in lines)
    return f'\n{kind} "{name}" {{\n{body}\n}}\n'


def said(stderr):
    """The reason, of the last line that gives one."""
    for line in reversed(stderr.decode("utf-8", "replace").splitlines()):
        for word in ('why="', 'said="'):
            if word in line and "key.demo" not in line:
                return line.split(word, 1)[1].rstrip('"')[:160]
    return ""


class Trial:
    """facts: what sceau did."""

    def __init__(self, demo, forger, behaviour):
        self.demo, self.forger, self.b = demo, forger, behaviour
        self.facts = {}

    def run(self):
        self.demo.fresh()
        self.trial()
        return self.facts

    def passed(self, member):
        """One pass, measured; what it said."""
        got = member.sceau("poll", memory=True, seconds=120)
        self.facts |= {
            "code": got.code, "seconds": round(got.seconds, 1),
            "peak_kb": got.memory.peak_kb, "said": said(got.stderr)}
        assert b"signal=" not in got.stderr, got.text()[-400:]
        seconds, megabytes = self.b.bounds
        assert got.seconds < seconds, f"{got.seconds} s"
        assert self.b.says in self.facts["said"], self.facts["said"]
        assert got.memory.peak_kb < megabytes << 10, \
            f"{got.memory.peak_kb} kB"
        return got

    def came_to_pass(self, server):
        assert not self.b.reached or self.b.step in server.reached, \
            f"{self.b.step} was never reached"


class Fetching(Trial):
    """A mailbox on a hostile server, one on an honest one."""

    def account(self, server):
        """A second one, beside that of the demonstration."""
        dr = self.demo.dr
        login = () if "auth = xoauth2" in self.b.account else \
            (f'password_file = "{dr.folder}/password"',)
        dr.configure()
        with open(dr.conf, "a") as f:
            f.write(section("account", "other", (
                f"protocol = {self.b.protocol}", 'host = "localhost"',
                f"port = {server.port}", f"tls = {server.tls}",
                f'ca_file = "{self.demo.ca.cert}"', f'user = "{dr.user}"',
                f'timeout = "{self.b.timeout} s"',
                f'session = "{SESSION_S} s"', *login, *self.b.account)))

    def post(self):
        """The first goes to the honest server."""
        d, dr = self.demo, self.demo.dr
        self.mails = [d.mail_of(t, dr) for t in (
            "honest", "first", "second " + "x" * 100_000, "third")]
        # A store that is younger than a mail shows it with a flag.
        self.envs = [self.forger.seal(d.labo, dr, m,
                                      now=int(time.time()) - 60)
                     for m in self.mails]
        self.sealed = [self.forger.wrap(d.labo, dr, e) for e in self.envs]
        d.post(dr, self.sealed[0])

    def visible(self):
        """What a person sees, while sceau is at work."""
        return [stripped(p.read_bytes()) for box in BOXES[:2]
                for p in (self.demo.dr.inbox / box).glob("*")]

    def asked(self, octets):
        """A client tells the hostile server that this one may go."""
        if octets == FOREIGN:
            self.unsafe.append("a mail that was never ours")
        elif self.mails[self.sealed.index(octets)] not in self.visible():
            self.unsafe.append("a mail before it was shown")

    def trial(self):
        d, dr, self.unsafe = self.demo, self.demo.dr, []
        self.post()
        with Mailserver(self.b.protocol, d.cert,
                        [*self.sealed[1:], FOREIGN], self.asked) as server:
            self.b.set_up(server)
            self.account(server)
            self.first(server, self.passed(dr))
            server.behave()
            self.later(server)
            self.facts["deleted"] = len(server.gone)
            self.safe()
        self.heard_in_clear(server)

    def safe(self):
        assert self.b.liar or not self.unsafe, \
            f"asked to delete {self.unsafe}"

    def first(self, server, got):
        dr, shown = self.demo.dr, self.demo.dr.shown()
        self.safe()
        self.came_to_pass(server)
        assert self.mails[0] in shown, "the honest account was not fetched"
        assert not self.demo.dovecot.count(dr.user), "nor its mail released"
        assert envelope.parse_header(self.envs[0]).T in self.told(), \
            "nor acknowledged"
        left = any(m in server.box.values() for m in self.sealed[1:])
        done = len(shown) == 4 - self.b.lost and not left
        self.facts["shown"] = len(shown) - 1
        assert got.code == 0 and (done or self.b.hidden or self.b.marked) or \
            got.code in ((65,) if self.b.stays else self.b.codes), \
            f"exit {got.code}, {len(shown) - 1} shown, left: {left}"

    def told(self):
        """{T: states} of the acknowledgements that the laboratory has."""
        told = {}
        for a in acks(self.demo, self.demo.labo, self.forger):
            told.setdefault(a["T"], set()).add(a["state"])
        return told

    def later(self, server):
        """The server behaves; what it was told to be, one pass each."""
        server.lose_state = self.lose_state
        for change, code in itertools.zip_longest(self.b.then, self.b.each):
            change(server)
            got = self.demo.dr.sceau("poll")
            assert code in (None, got.code), f"exit {got.code} later"
        settle(self.demo.dr)
        if self.b.stays:
            assert len(server.box) == 4
            return
        self.all_there(server)

    def lose_state(self, said):
        dr = self.demo.dr
        shutil.rmtree(dr.state)
        dr.state.mkdir(mode=0o700)
        if said:
            dr.ok("restored")

    def all_there(self, server):
        """But for what the server threw away itself."""
        for _ in range(3):
            if len(server.box) > 1:
                self.demo.dr.ok("poll")
        shown = self.demo.dr.shown()
        mails = [m for m in self.mails if m in shown or
                 not (self.b.lost or self.b.liar)]
        if self.b.again:
            self.shown_again(mails[1:])
        else:
            shown_once(self.demo.dr, mails)
        assert len(shown) >= 3, "lost"
        assert FOREIGN in server.box.values(), "a mail never ours was deleted"
        assert len(server.box) == 1 or self.b.marked, "left on the server"
        told = self.told()
        for m, e in zip(self.mails, self.envs):
            assert m not in shown or \
                told.get(envelope.parse_header(e).T) == {2}, "not acknowledged"

    def shown_again(self, mails):
        """Each of them as new before our store was lost; then once more."""
        flags = {}
        for p in self.demo.dr.documents():
            data = p.read_bytes()
            flags.setdefault(stripped(data), []).append(
                mark(data).get("flags", ""))
        flag = "possible-duplicate" if self.b.again == "flagged" else ""
        for m in mails:
            assert sorted(flags[m]) in (["", flag], [""]), flags[m]

    def heard_in_clear(self, server):
        """The password is said only over TLS: after a stripped or forged
        STARTTLS, never."""
        if self.b.step in ("STARTTLS", "STLS"):
            first = bytes(server.heard).split(b"\x16\x03", 1)[0]
            assert self.demo.dr.password.encode() not in first \
                or server.handshakes, "the password went out in clear"


class Relaying(Trial):
    """A hostile relay, an honest one beside it or not, an honest mailbox."""

    def relays(self, server):
        d, labo = self.demo, self.demo.labo
        labo.configure(relay_port=server.port, relay={
            "timeout": f"{self.b.timeout} s", "session": f"{SESSION_S} s"})
        text = labo.conf.read_text()
        text = text.replace('relay "relay" {', '\n    '.join(
            ('relay "relay" {', *self.b.relay)))
        if self.b.honest:
            text += section("relay", "second", (
                'host = "localhost"', f"port = {d.relay.port['submission']}",
                "tls = starttls", f'ca_file = "{d.ca.cert}"',
                *settings("", {"user": d.relay.user, "password_file": str(
                    labo.folder / "relay-password")}).splitlines()))
        labo.conf.write_text(text)

    def trial(self):
        d, labo, dr = self.demo, self.demo.labo, self.demo.dr
        self.back = d.mail_of("Merci", labo, sender=dr)
        d.post(labo, self.forger.mail(dr, labo, self.back))
        with Script(d.cert, starttls=True,
                    users={d.relay.user: d.relay.password}) as server:
            self.relays(server)
            self.mails = [d.send(f"INR {n} " + "x\r\n" * (self.b.size // 3),
                                 dr) for n in range(2)]
            self.b.set_up(server)
            self.first(server, self.passed(labo))
            server.script, server.starttls = {}, True
            for _ in range(2):
                settle(labo)
            self.arrived(server)
            self.same_octets(server)
            clear = server.clear
        for word in (d.relay.password.encode(), b"INR"):
            assert word not in clear, "in clear"

    def queued(self):
        return self.demo.labo.ok("queue", "list", "--json").json()

    def failed(self):
        return [r for r in self.demo.labo.ok("status", "--json").json()
                if r["type"] == "sent" and r["state"] == "failed"]

    def first(self, server, got):
        """Exit 0: each was taken by a relay; 69: refused for good."""
        self.came_to_pass(server)
        assert any(p.read_bytes().endswith(self.back)
                   for p in self.demo.labo.documents()), "the honest account"
        waiting, failed = len(self.queued()), len(self.failed())
        self.facts |= {"taken": len(server.mails), "waiting": waiting,
                       "refused": failed,
                       "other": self.demo.dovecot.count(self.demo.dr.user)}
        codes = self.b.codes if waiting else (69,) if failed else (0,)
        if self.b.honest:
            codes += self.b.codes
            assert self.facts["other"] or not waiting or self.b.of_mail, \
                "the honest relay did not go on"
        assert got.code in codes, f"exit {got.code}: {self.facts}"
        refused = len(self.mails) if self.b.refuses else 0
        assert failed == refused or self.b.honest and failed < refused, \
            f"{failed} failed"
        assert not (self.b.takes and waiting), "sent, and waits"

    def arrived(self, server):
        """What a relay took arrives once; the rest was refused, and the
        laboratory was told."""
        d = self.demo
        for _, to, octets in server.mails:
            if to == d.dr.route.encode():
                d.post(d.dr, octets)
        settle(d.dr)
        failed, shown = self.failed(), d.dr.shown()
        assert len(set(shown)) + len(failed) == len(self.mails), "lost"
        assert len(shown) == len(set(shown)), "shown twice"
        assert len(d.labo.documents()) == 1 + len(failed), \
            "who sent it was not told"

    def same_octets(self, server):
        """Of one envelope: given again after a doubt, they are the same."""
        octets = {}
        for _, _, data in server.given:
            t = envelope.parse_header(mail.find(data)).T
            octets.setdefault(t, Counter())[data] += 1
        assert all(len(c) == 1 for c in octets.values()), "other octets"
        self.facts["again"] = sum(
            n - 1 for c in octets.values() for n in c.values())


def trial_of(demo, forger, behaviour):
    kind = Relaying if behaviour.protocol.startswith("smtp") else Fetching
    return kind(demo, forger, behaviour)
