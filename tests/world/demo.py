"""The demonstration association (keys/demo) on loopback, and its forger.

    with Demo() as demo:
        demo.start()
        demo.send("INR 2,1", demo.dr)

Everybody has these keys: Forger seals with them what sceau never would.
"""

import copy
import io
import shutil
import time

from pysceau import (association, code, envelope, gate, identity, kdf, mail,
                     records)
from world.member import Member
from world.world import TOP, World, emptied

YEAR = 2026
KEYS = TOP / "keys/demo"
BOXES = ("new", "cur", "tmp")
HUB = "demo/passerelle@demo.example"

# attribute: local part, domain, protocol, kind of delivery
PEOPLE = {
    "labo": ("labo.central", "labo.example", "imap", "maildir"),
    "dr": ("dr.martin", "cabinet.example", "pop3", "maildir"),
    "durand": ("cabinet.durand", "durand.example", "imap", "maildir"),
    "petit": ("infirmiere.petit", "petit.example", "pop3", "maildir"),
    "hub": ("passerelle", "demo.example", "imap", "maildir"),
    "watch": ("veille", "demo.example", "imap", "maildir"),
    "issuer": ("association", "demo.example", "imap", "maildir"),
}


class DemoMember(Member):
    """Its key store is one of keys/demo; its route is its address."""

    @property
    def route(self):
        return self.address

    @property
    def name(self):
        return f"demo/{self.address}"

    @property
    def identity(self):
        return f"{self.name}#1"

    @property
    def keystore(self):
        return KEYS / f"{self.local}.store"

    def configure(self, top=None, **more):
        keys = {"keystore": str(self.keystore),
                "keystore_key": f"{self.keystore}.key",
                "hub": self.name == HUB}
        return super().configure(top={**keys, **(top or {})}, **more)

    def fresh(self):
        """As on the first day: nothing known, nothing there.  The folders stay
        the same ones: sceau knows the inbox by its inode."""
        for folder in (self.state, self.inbox, self.home):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o700)
            emptied(folder)
        top = self.world.dovecot.maildir(self.user)
        for path in top.iterdir():
            if path.name in BOXES:
                for mail_ in path.iterdir():
                    mail_.unlink()
            elif path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()       # indexes, UIDs
        self.configure()

    def key_file(self, maker, year):
        """(key file of that year, file with its code), for a store of its
        own in the state folder; maker: pysceau's Association."""
        octets = kdf.b2sum(b"code of %d" % year)[:15]
        path = self.folder / f"{year}.cle"
        path.write_bytes(maker.key_file(self.name.encode(), year, octets))
        slip = self.secret("code", code.format(octets) + "\n")
        self.configure(top={
            "keystore": str(self.state / "keystore"),
            "keystore_key": str(self.state / "keystore.key")})
        return path, slip

    def elsewhere(self):
        """The same member on another machine: its key, nothing else."""
        other = copy.copy(self)
        other.folder = self.home / "elsewhere"
        other.folder.mkdir(mode=0o700)
        for name in ("home", "inbox", "state"):
            setattr(other, name, other.folder / name)
            getattr(other, name).mkdir(mode=0o700)
        other.conf = other.folder / "sceau.conf"
        other.secret("password", other.password + "\n")
        return other.configure()

    def new(self):
        """The names in new/ of the inbox: what a person sees as arrived."""
        box = self.inbox / "new"
        return sorted(p.name for p in box.iterdir()) if box.is_dir() else []

    def shown(self):
        """The mails delivered, without the field that delivery adds."""
        return [stripped(p.read_bytes()) for p in self.documents()]

    def snapshot(self):
        """Every file of this member, with the digest of its octets."""
        return {str(p.relative_to(self.folder)): kdf.b2sum(p.read_bytes())
                for p in self.folder.rglob("*") if p.is_file()}

    def held(self):
        return self.ok("held", "list", "--json").json()

    def classes(self):
        return sorted(h["class"] for h in self.held())

    def states(self):
        """{name of the recipient: state}, of all that was sent."""
        rows = self.ok("status", "--json").json()
        return {r["to"].partition("#")[0]: r["state"]
                for r in rows if r["type"] == "sent"}


def stripped(data):
    """A delivered mail without its X-Sceau field; it must be the first."""
    assert data.startswith(b"X-Sceau: "), data[:200]
    end = data.index(b"\r\n")
    while data[end + 2:end + 3] in (b" ", b"\t"):
        end = data.index(b"\r\n", end + 2)
    return data[end + 2:]


def mark(data):
    """The X-Sceau field of a delivered mail, unfolded: a dictionary."""
    field = data[len(b"X-Sceau: "):len(data) - len(stripped(data))]
    pairs = field.replace(b"\r\n", b"").decode().split(";")
    return dict(p.strip().partition("=")[::2] for p in pairs)


class Demo(World):
    Member = DemoMember

    def __init__(self, **more):
        super().__init__(**more)
        for who, (local, domain, protocol, kind) in PEOPLE.items():
            setattr(self, who, self.member(local, domain, protocol=protocol,
                                           kind=kind))

    def fresh(self):
        for member in self.members.values():
            member.fresh()

    def mail_of(self, text, *recipients, sender=None, subject="INR",
                fields=()):
        """A mail as a laboratory writes it, CRLF."""
        sender = sender or self.labo
        lines = [f"From: {sender.address}",
                 "To: " + ", ".join(r.address for r in recipients),
                 f"Subject: {subject}",
                 "Date: Mon, 23 Nov 2026 08:00:00 +0100",
                 f"Message-ID: <{kdf.b2sum(text.encode()).hex()[:16]}"
                 f"@{sender.domain}>", *fields, "", text, ""]
        return "\r\n".join(lines).encode()

    def send(self, text, *recipients, sender=None, **more):
        sender = sender or self.labo
        data = self.mail_of(text, *recipients, sender=sender, **more)
        sender.ok("send", "-t", input=data)
        return data

    def sealed(self, text="INR 2,1", sender=None, recipient=None):
        """A sealed mail as it lies on the server; the mailbox is empty."""
        sender, recipient = sender or self.labo, recipient or self.dr
        self.send(text, recipient, sender=sender)
        sender.ok("poll")
        got = recipient.mail()
        self.empty(recipient)
        assert len(got) == 1, len(got)
        return got[0]

    def empty(self, member):
        top = self.dovecot.maildir(member.user)
        for box in ("new", "cur"):
            for path in (top / box).iterdir():
                path.unlink()

    def post(self, recipient, *messages):
        """Mails as anybody in the network could send them."""
        self.dovecot.put(recipient.user, *messages)


class Forger:
    """Holds every key of the demonstration association."""

    def __init__(self):
        names = [f"demo/{p[0]}@{p[1]}".encode() for p in PEOPLE.values()]
        self.all = association.Association(
            {YEAR: bytes(range(32))}, {n: 1 for n in names},
            issuer=b"demo/association@demo.example",
            watch=b"demo/veille@demo.example",
            hub=HUB.encode())

    def maker(self, *years):
        """The association's desk, with the roots of more years."""
        return association.Association(
            {y: bytes((y - YEAR + n) % 256 for n in range(32))
             for y in (YEAR, *years)},
            self.all.gen, issuer=self.all.issuer, watch=self.all.watch,
            hub=self.all.hub)

    @staticmethod
    def who(who):
        """A member, a name or an identity, as an identity in octets."""
        if isinstance(who, DemoMember):
            who = who.identity
        who = who.encode() if isinstance(who, str) else who
        return who if b"#" in who else who + b"#1"

    def key(self, sender, recipient):
        return self.all.C(self.who(sender), self.who(recipient), YEAR)

    def gate(self, who):
        return gate.Gate.of(self.all, identity.name_of(self.who(who)), YEAR)

    def seal(self, sender, recipient, mail_, control=(), key=None, year=YEAR,
             grant=True, meta=None, now=None, **more):
        """An envelope with any records, good or bad, around a mail."""
        a, b = self.who(sender), self.who(recipient)
        now = int(time.time()) if now is None else now
        recs = [meta or records.meta(now, 0, YEAR, 1)]
        if grant:
            recs.append(records.grant(YEAR, self.key(b, a), a))
        return envelope.sealed(key or self.key(a, b), year, a, b,
                               recs + list(control), mail_, **more)[0]

    def seal_raw(self, sender, recipient, payload, **more):
        """Any octets at all as a payload."""
        a, b = self.who(sender), self.who(recipient)
        out = io.BytesIO()
        envelope.seal_raw(out, self.key(a, b), YEAR, a, b,
                          kdf.b2sum(payload), [payload], **more)
        return out.getvalue()

    def wrap(self, sender, recipient, env, **more):
        return mail.wrap(env, getattr(sender, "route", str(sender)),
                         recipient.route, **more)

    def mail(self, sender, recipient, mail_, **more):
        """The same, in the mail that carries it."""
        return self.wrap(sender, recipient,
                         self.seal(sender, recipient, mail_, **more))

    def open(self, env):
        """(header, payload) of an envelope between members."""
        h = envelope.parse_header(env)
        return envelope.opened(env, self.all.C(h.sender, h.recipient, h.year),
                               records.LIMIT_DESK)
