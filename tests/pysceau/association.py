"""A whole association from one root: issuer, watch desk, hub, members."""

import json
import os

from . import code as paper
from . import identity as ident
from . import kdf, keyfile, records

ISSUER, WATCH, HUB = (b"demo/bureau@asso.example", b"demo/veille@asso.example",
                      b"demo/passerelle@asso.example")
SMALL = [(b"demo/labo.central@labo.example", 2, "Laboratoire central"),
         (b"demo/dr.martin@cabinet.example", 1, "Dr Martin"),
         (b"demo/dr.durand@cabinet.example", 1, "Dr Durand")]


class Association:
    """Knows the roots; so it can say every key of every year.

    members: {name: generation}, the desks among them.
    """

    def __init__(self, roots, members, issuer=ISSUER, watch=WATCH, hub=HUB,
                 display=None, time=0):
        self.roots = dict(roots)
        self.gen = dict(members)
        self.issuer, self.watch, self.hub = issuer, watch, hub
        for name in (issuer, watch, hub):
            if name is not None:
                self.gen.setdefault(name, 1)
        self.display = display or {}
        self.bars = {}
        self.time = time

    def id(self, name, gen=None):
        return ident.make(name, gen or self.gen[name])

    def K(self, who, year):
        """who: a name (its present generation) or an identity."""
        who = who if b"#" in who else self.id(who)
        return kdf.member_key(self.roots[year], year, who)

    def C(self, sender, recipient, year):
        sender = sender if b"#" in sender else self.id(sender)
        return kdf.channel_key(self.K(recipient, year), sender)

    def roles(self):
        pairs = ((records.ISSUER, self.issuer), (records.WATCH, self.watch),
                 (records.HUB, self.hub))
        return [(n, self.id(name)) for n, name in pairs if name is not None]

    def ring(self, name, year, only=None):
        """(identity, C) of each other member, or of those named."""
        me = self.id(name)
        return [(self.id(p), self.C(me, p, year)) for p in sorted(self.gen)
                if p != name and (only is None or p in only)]

    def entries(self, name):
        return [(self.display.get(p, (0, b"", ""))[0], self.id(p),
                 self.display.get(p, (0, b"", ""))[1],
                 self.display.get(p, (0, b"", ""))[2])
                for p in sorted(self.gen) if p != name]

    def reissue(self, name):
        """Generation + 1: the thief keeps the old one."""
        self.gen[name] += 1
        self.bars[name] = self.gen[name]

    def expel(self, name):
        self.bars[name] = records.EXCLUDED

    def key_file(self, name, year, code, renewal=False, only=None, rnd=None,
                 time=None, dates=None):
        """A key file; a renewal needs the root of the year before."""
        who = self.id(name)
        old = self.K(who, year - 1) if renewal else None
        recs = keyfile.key_records(
            year, who, self.K(who, year), self.roles(),
            self.ring(name, year, only), self.entries(name),
            [(g, n) for n, g in sorted(self.bars.items())],
            self.time if time is None else time, dates)
        return keyfile.make(self.id(self.issuer), who, year, recs, code, old,
                            rnd)


def small(root, year, time=0):
    display = {n: (flag, ident.address_of(n), text) for n, flag, text in SMALL}
    return Association({year: root}, {n: 1 for n, _, _ in SMALL},
                       display=display, time=time)


def write_small(folder, root, year):
    """NAME.YEAR.cle for each member, and codes.json, under folder."""
    a = small(root, year)
    os.makedirs(folder, exist_ok=True)
    codes = {}
    for name in sorted(a.gen):
        c = kdf.b2sum(root + name)[:15]
        data = a.key_file(name, year, c)
        short = ident.address_of(name).partition(b"@")[0].decode()
        with open(os.path.join(folder, f"{short}.{year}.cle"), "wb") as f:
            f.write(data)
        codes[a.id(name).decode()] = {
            "code": paper.format(c), "paper": keyfile.paper_digits(data),
            "file": f"{short}.{year}.cle", "K": a.K(name, year).hex()}
    with open(os.path.join(folder, "codes.json"), "w") as f:
        json.dump(codes, f, indent=1)
