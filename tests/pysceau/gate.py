"""A member in memory: sends, receives with every check in its order."""

import io

from . import code as paper
from . import envelope, inner, kdf, keyfile, records, rules
from . import identity as ident
from .errors import SceauError


class Result:
    """What became of one envelope.

    cls: None when it is good, else the class of refusal (DUPLICATE too);
    mail: octets that may be shown, with flags; acks: what is owed for it;
    notes: what was ignored; sender: whom to show.
    """

    def __init__(self):
        self.cls = None
        self.text = ""
        self.mail = self.T = self.D = self.sender = None
        self.relayed = None
        self.flags = []
        self.acks = []
        self.notes = []
        self.payload = None
        self.returned = False


class Gate:
    def __init__(self, since=0):
        self.selfs = {}             # (identity, year): fields of SELF
        self.roles = {}             # (identity, year): {number: identity}
        self.ring = {}              # (own identity, peer, year): C
        self.entries = {}
        self.min = rules.Minimums()
        self.shown = {}             # name: highest year of its META
        self.outbox = {}            # T: dict of what was sent
        self.journal = {}           # T: (state, D) or "intent"
        self.relayed = set()        # (original identity, original T)
        self.since = since

    # -- keys

    @classmethod
    def of(cls, association, name, *years):
        """A member of an Association, its key files read."""
        g = cls()
        for n, year in enumerate(years):
            c = kdf.b2sum(b"%d" % year + name)[:15]
            data = association.key_file(name, year, c, renewal=n > 0)
            g.import_key(data, paper.format(c))
        return g

    def import_key(self, data, code):
        old = [s["key"] for s in self.selfs.values()]
        kf = keyfile.read(data, paper.parse(code), old)
        who, year = kf.self["identity"], kf.self["year"]
        if self.roles:
            held = {ident.name_of(r[records.ISSUER])
                    for r in self.roles.values()}
            if ident.name_of(kf.header.sender) not in held:
                raise SceauError("AUTHORITY", "another issuer")
        self.selfs[who, year] = kf.self
        self.roles[who, year] = dict(kf.roles)
        for f in kf.grants:
            self.ring.setdefault((who, f["identity"], year), f["key"])
            self.min.proved(f["identity"])
        for f in kf.entries:
            self.entries[ident.name_of(f["identity"])] = f
        for f in kf.bars:
            self.min.raise_to(f["name"], f["generation"])
        return kf

    @property
    def me(self):
        """The own identity of the highest generation."""
        return max((i for i, _ in self.selfs), key=ident.gen_of)

    @property
    def name(self):
        return ident.name_of(self.me)

    def years(self, who=None):
        return sorted(y for i, y in self.selfs if i == (who or self.me))

    # -- sending

    def key_for(self, name, now, mail=True):
        """(year, identity, C) to write to a name, or None."""
        usable = {}
        for (own, peer, year), c in self.ring.items():
            if (own == self.me and ident.name_of(peer) == name and
                    self.min.allows(peer)):
                usable.setdefault(year, []).append((ident.gen_of(peer),
                                                    peer, c))
        dates = {y: tuple(self.selfs[self.me, y][k] for k in
                          ("from", "send_until", "read_until"))
                 for y in usable if (self.me, y) in self.selfs}
        year = rules.sending_year(dates, self.shown.get(name, 0), now, mail)
        if year is None:
            return None
        _, peer, c = max(usable[year])
        return year, peer, c

    def send(self, to, mail, now, control=(), routes=(), rnd=None,
             witness=True):
        """An envelope for a name or identity; mail may be None."""
        found = self.key_for(ident.name_of(to), now, mail is not None)
        if found is None:
            raise SceauError("NOKEY", "no key for this name")
        year, peer, c = found
        recs = self.records(year, peer, now, control)
        digest = envelope.digest_of(mail)
        recs += [records.route(n) for n in routes]
        if mail is not None and witness:
            a = kdf.witness_key(self.selfs[self.me, year]["key"])
            recs += [records.witness(kdf.witness(a, now, who, digest))
                     for who in routes or (peer,)]
        env, info = envelope.sealed(c, year, self.me, peer, recs, mail,
                                    rnd=rnd)
        if mail is not None:
            self.outbox[info.T] = {"to": ident.name_of(peer), "D": info.D,
                                   "routes": {n: None for n in routes},
                                   "state": None}
        return env

    def records(self, year, peer, now, control=()):
        """META and the return key, then control records."""
        mine = kdf.channel_key(self.selfs[self.me, year]["key"], peer)
        return [records.meta(now, self.min.desk[1], self.years()[-1], 1),
                records.grant(year, mine, self.me), *control]

    def acknowledge(self, result, now):
        """An envelope with what is owed for a result; None if nothing."""
        if not result.acks:
            return None
        return self.send(result.header.sender, None, now,
                         [records.ack(*a) for a in result.acks])

    def relay(self, result, name, now, rnd=None):
        """The hub's part: what was opened, sealed again for one name."""
        p = result.payload
        names = [f["name"] for f in p.all(records.ROUTE)]
        proofs = p.all(records.WITNESS)
        control = []
        if len(proofs) == len(names):
            control.append(records.witness(
                proofs[names.index(name)]["witness"]))
        control.append(records.relayed(
            result.T, p.one(records.META)["time"], result.header.sender))
        return self.send(name, result.mail, now, control, rnd=rnd,
                         witness=False)

    # -- receiving

    def receive(self, env, now=None):
        """The order of checks of the specification; a Result."""
        r = Result()
        try:
            self._receive(r, env, now)
        except SceauError as e:
            r.cls, r.text, r.mail = e.cls, e.text, None
            self._refused(r, e, now)
        return r

    def _receive(self, r, env, now):
        reader = envelope.Reader(io.BytesIO(env))
        r.header = h = reader.header
        r.T = h.T
        if h.source != envelope.CHANNEL:
            raise SceauError("FORMAT", "a key file: run sceau key import")
        if ident.name_of(h.sender) == self.name:
            r.returned = h.T in self.outbox
            raise SceauError("NOTFORME", "from myself")
        if ident.name_of(h.recipient) != self.name:
            raise SceauError("NOTFORME", "to somebody else")
        key = self._self(h)
        reader.key(kdf.channel_key(key, h.sender))
        r.authentic = True
        if not self.min.allows(h.sender):
            raise SceauError("BARRED", "a replaced or excluded sender")
        known = self.journal.get(h.T)
        if known is not None and known[0] == 2:
            r.acks = [(h.T, 2, now or 0, known[1])]
            raise SceauError("DUPLICATE")
        roles = self.roles[h.recipient, h.year]
        sink = io.BytesIO()
        p = r.payload = reader.payload(rules.control_limit(h.sender, roles),
                                       sink)
        r.D = p.D
        old = h.recipient != self.me
        if old:
            r.flags.append("replaced-key")
        else:
            self._authority(p, h, roles)
        if p.has_mail:
            p.mail = sink.getvalue()
            self._mail(r, p, h, now, roles, old)
        if not old:
            self.min.proved(h.sender)
            self._apply(r, p, h, roles)
        name = ident.name_of(h.sender)
        self.shown[name] = max(self.shown.get(name, 0),
                               p.one(records.META)["year"])

    def _self(self, h):
        got = self.selfs.get((h.recipient, h.year))
        if got is not None:
            return got["key"]
        mine, his = ident.gen_of(self.me), ident.gen_of(h.recipient)
        years = [y for _, y in self.selfs]
        if his < mine:
            raise SceauError("EXPIRED", "a replaced key that is not held")
        if his > mine or h.year > min(years):
            raise SceauError("NOKEY", "a key that is not here yet")
        raise SceauError("EXPIRED", "the key of that year is erased")

    def _authority(self, p, h, roles):
        wrong = rules.authority(p, h, roles)
        if wrong is None:
            for f in p.all(records.ACK):
                sent = self.outbox.get(f["T"])
                if (sent and sent["to"] != ident.name_of(h.sender) and
                        f["state"] != 1):
                    wrong = "ACK of another's message"
        if wrong is not None:
            e = SceauError("AUTHORITY", wrong)
            e.has_mail = p.has_mail
            raise e
        wrong = rules.routes_wrong(p, h)
        if wrong is not None:
            e = SceauError("RECORD", wrong)
            e.has_mail = p.has_mail
            raise e

    def _mail(self, r, p, h, now, roles, old):
        r.sender = h.sender
        via = p.one(records.RELAYED)
        if via is not None and not old:
            r.relayed, r.sender = h.sender, via["identity"]
            if not self.min.allows(r.sender):
                raise SceauError("BARRED", "relayed for one who is barred")
            if (via["identity"], via["T"]) in self.relayed:
                r.acks = [(h.T, 2, now or 0, p.D)]
                raise SceauError("DUPLICATE", "relayed before")
        inner.check(p.mail, ident.address_of(r.sender))
        sealed_at = (via or p.one(records.META))["time"]
        if now is not None and now - sealed_at > rules.LATE_S:
            r.flags.append("late")
        if now is not None and sealed_at - now > rules.LATE_S:
            r.flags.append("dated-ahead")
        if min(sealed_at, p.one(records.META)["time"]) < self.since:
            r.flags.append("possible-duplicate")
        if via is not None:
            self.relayed.add((via["identity"], via["T"]))
        r.mail = p.mail
        self.journal[h.T] = (2, p.D)
        r.acks = [(h.T, 2, now or 0, p.D)]

    def _apply(self, r, p, h, roles):
        issuer = (records.ISSUER in roles and ident.name_of(h.sender) ==
                  ident.name_of(roles[records.ISSUER]))
        for f in p.all(records.GRANT):
            if not self.min.allows(f["identity"]):
                r.notes.append("GRANT of a replaced generation")
                continue
            at = (h.recipient, f["identity"], f["year"])
            if self.ring.setdefault(at, f["key"]) != f["key"]:
                r.notes.append("ALARM: another key for " +
                               f["identity"].decode())
            elif issuer:
                self.min.proved(f["identity"])
        for f in p.all(records.ENTRY):
            self.entries[ident.name_of(f["identity"])] = f
            self.min.proved(f["identity"])
        bars = [(f["generation"], f["name"]) for f in p.all(records.BAR)]
        if issuer:
            for gen, name in bars:
                self.min.raise_to(name, gen)
        elif bars or p.one(records.BULLETIN):
            number = p.one(records.BULLETIN)
            if not self.min.bulletin(ident.gen_of(h.sender),
                                     number["number"] if number else 0,
                                     bars):
                r.notes.append("an older bulletin")
        self._acks(r, p)

    def _acks(self, r, p):
        for f in p.all(records.ACK):
            sent = self.outbox.get(f["T"])
            if sent is None:
                r.notes.append("ACK of an unknown message")
            elif f["state"] in (2, 3) and f["D"] != sent["D"]:
                r.notes.append("ALARM: ACK of another content")
            elif sent["routes"] and f["state"] in (2, 3):
                r.notes.append("ACK 2 or 3 of the hub itself")
            else:
                sent["state"] = f["state"]
        for f in p.all(records.RELAYED_ACK):
            sent = self.outbox.get(f["T"])
            if sent is None or f["name"] not in sent["routes"]:
                r.notes.append("RELAYED-ACK of an unknown message")
            elif f["state"] in (1, 0x11):
                r.notes.append("RELAYED-ACK of a state it never has")
            elif f["state"] in (2, 3) and f["D"] != sent["D"]:
                r.notes.append("ALARM: RELAYED-ACK of another content")
            else:
                sent["routes"][f["name"]] = f["state"]

    def _refused(self, r, e, now):
        """What the sender hears: only when he sent mail, never before T."""
        state = {"RECORD": 0x10, "AUTHORITY": 0x10, "INNER": 0x10,
                 "BODY": 0x11, "TRUNCATED": 0x11}.get(e.cls)
        if state is None or not getattr(r, "authentic", False):
            return
        mail = getattr(e, "has_mail", None)
        if e.cls == "INNER":
            mail = True
        if mail:
            digest = r.D if state == 0x10 and r.D else kdf.ZERO
            r.acks = [(r.T, state, now or 0, digest)]
