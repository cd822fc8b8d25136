"""Thefts, forgers, desks in wrong hands: what they try, on the real programs,
and what the model says of it."""

import pathlib
import shutil
import subprocess

import history
import loot
from pysceau import envelope, identity, kdf, mail, records
from pysceau import code as paper
from town import CODE, Wrong

class Crime:
    """Of one Town; every thief that there ever was goes on trying."""

    def __init__(self, town):
        self.town, self.thieves = town, {}
        self.copies = {}            # thief: folder of the stolen machine
        self.last = 0

    def thief(self, who):
        if who not in self.thieves:
            self.thieves[who] = loot.Thief(who, self.town.wire)
        return self.thieves[who]

    # -- what is taken

    def copies_machine(self, who, m):
        """The whole state folder, as it is."""
        town = self.town
        folder = town.top / "thieves" / who
        folder.mkdir(parents=True, mode=0o700)
        thief = self.thief(who)
        thief.breaks_in(m.state, folder / "state")
        conf = m.conf.read_text().replace(str(m.state), str(folder / "state"))
        (folder / "sceau.conf").write_text(conf)
        self.copies[who] = folder
        town.ask(loot.Keys().of_folder(folder / "state").store(), "store",
                 m.local)
        town.tell("steals", who, m.local)
        return thief

    def reads_letter(self, who, identity_, year, code):
        self.thief(who).reads_letter(code)
        self.town.tell("reads_letter", who, identity_, year)

    def copies_sheet(self, who, desk, year, number):
        """What stands on one custodian's sheet; with a second one, the root.
        With one alone: the best guess."""
        thief = self.thief(who)
        codes = CODE.findall(desk.sheets(year)[number - 1].read_text())
        parts = thief.parts.setdefault((desk.assoc, year), {})
        for half in (codes[:3], codes[3:]):
            part, n, _ = paper.part_parse(half)
            parts[n] = part
        root = bytes(32)
        for part in parts.values():
            root = bytes(a ^ b for a, b in zip(root, part))
        thief.roots[desk.assoc, year] = root, len(parts) == 3
        self.town.tell("copies_sheet", who, desk.assoc, year, number)

    # -- what is tried

    def compare(self):
        """Each of them with all that ever passed."""
        for who, thief in self.thieves.items():
            self.town.ask(thief.reads(), "reads", who)

    def force(self, rng, count):
        """Every key of each of them, as whatever it could be taken for, on
        some of the mails that he should not read."""
        town = self.town
        for who, thief in self.thieves.items():
            closed = sorted(set(town.wire.sealed) -
                            town.past.model.reads(who))
            for e in rng.sample(closed, min(count, len(closed))):
                header = town.wire.sealed[e][0]
                for label, key in thief.keys.held.items():
                    if any(loot.fits(k, header) for k in
                           loot.candidates(label, key, header)):
                        raise Wrong(f"{who}: {label} opens {e}")
                town.past.asked["every key of a thief on one mail"] += 1

    def program(self, who, *words, data=b""):
        """The real sceau at the thief's."""
        folder = self.copies[who]
        return subprocess.run(
            [self.town.sceau, "-c", folder / "sceau.conf", *map(str, words)],
            input=data, capture_output=True, timeout=120, cwd=folder,
            env={"PATH": "/usr/bin:/bin", "LANG": "C", "HOME": str(folder),
                 **self.town.clock()})

    def opens(self, who, most=3):
        """The thief's sceau on mails that the model says he reads, to him
        whom he robbed, and on others; how many of each."""
        town, thief = self.town, self.thieves[who]
        mine = {k[1] for k in thief.keys.held if k[0] == "K"}
        can = town.past.model.reads(who)
        good = [e for e, (h, _) in town.wire.sealed.items() if e in can and
                h.recipient.decode() in mine and self.trusts(who, h)]
        bad = [e for e in town.wire.sealed if e not in can]
        for es, want in ((good[-most:], True), (bad[-most:], False)):
            for e in es:
                got = self.program(who, "open", data=town.wire.sealed[e][1])
                seen = got.returncode == 0 and (
                    got.stdout != b"" or b"no mail in it" in got.stderr)
                if seen != want:
                    raise Wrong(f"{who} opens {e}: {seen}, {got.stderr}")
        town.past.asked["opened by a thief's sceau"] += len(good[-most:])
        town.past.asked["not opened by a thief's sceau"] += len(bad[-most:])

    def trusts(self, who, h):
        """His copy's own rules hold for him too: older mail of one who has
        another key since is not opened there."""
        name = identity.name_of(h.sender).decode()
        gens = [history.gen(k[2]) for k in self.thieves[who].keys.held
                if k[0] == "C" and history.name(k[2]) == name]
        return identity.gen_of(h.sender) >= max(gens, default=0)

    def token(self):
        self.last += 1
        return f"x{self.last}"

    def mail(self, i, j, token):
        a, b = (history.name(x).partition("/")[2] for x in (i, j))
        return (f"From: {a}\r\nTo: {b}\r\nSubject: {token}\r\n"
                f"Date: Thu, 1 Jan 2026 08:00:00 +0000\r\n"
                f"Message-ID: <{token}@x.example>\r\n\r\n{token}\r\n"
                ).encode()

    def seals(self, who, to):
        """A forged mail by the real program of the stolen machine, to the
        gateway for whom it has no key; False: it refuses."""
        name = self.town.members[to].system
        got = self.program(who, "seal", "--to", name, data=self.mail(
            self.me(who), name + "#1", self.token()))
        if got.returncode != 0:
            return False
        j = history.name(envelope.parse_header(got.stdout).recipient.decode())
        return self.puts(who, self.town.places[j], got.stdout, "mail",
                         {} if j == name else {"routes": (name,)})

    def me(self, who):
        return max((k[1] for k in self.thieves[who].keys.held
                    if k[0] == "K"), key=history.gen)

    def puts(self, who, to, env, kind, says=None, original=None):
        town, m = self.town, self.town.members[to]
        h = envelope.parse_header(env)
        e = h.T.hex()[:20]
        town.tell("sent", e, h.sender.decode(), h.recipient.decode(), h.year,
                  kind, says, who, None, original)
        town.dovecot.put(m.user, mail.wrap(env, f"x@{town.domain}", m.route))
        town.delivered[to].append(e)
        return e

    def forges(self, who, i, to, year, j=None, control=(), kind="bare",
               says=None, original=None, text=True):
        """As i to that machine, with the best key that the thief has."""
        town = self.town
        j = j or self.newest(to)
        body = self.mail(original[0] if original else i, j,
                         self.token()) if text else None
        recs = [records.meta(town.now, 0, year, 1), *control]
        if original:
            recs.append(records.relayed(bytes.fromhex(original[1]), town.now,
                                        original[0].encode()))
        key = self.thief(who).channel(i, j, year)
        env, _ = envelope.sealed(key, year, i.encode(), j.encode(), recs,
                                 body)
        return self.puts(who, to, env, kind, says, original)

    def newest(self, to):
        m = self.town.past.model.machines[to]
        return f"{m.name}#{m.top()}"

    def replays(self, e, to):
        """The network gives the same envelope again."""
        town, m = self.town, self.town.members[to]
        header, env = town.wire.sealed[e]
        x = town.past.model.envelopes[e]
        again = f"{e}/{self.token()}"
        town.tell("sent", again, x.i, x.j, x.year, x.kind, x.says, None, e,
                  x.original)
        town.dovecot.put(m.user, mail.wrap(env, f"x@{town.domain}", m.route))
        town.delivered[to].append(again)

    def bulletin(self, who, desk, to, year, bars):
        """By whoever holds a watch desk's key."""
        number = self.town.now // 60 + 7 * 1440
        self.forges(who, desk, to, year, kind="bulletin", text=False, says={
            "bars": bars, "number": number}, control=[
                records.bulletin(number),
                *(records.bar(g, n.encode()) for n, g in bars.items())])

    def plants(self, who, i, to, year):
        """The true owner of a key, or his thief, gives another one for it;
        its maker waits for what is sealed under that."""
        town, key = self.town, bytes([7]) * 32
        j = self.newest(to)
        self.forges(who, i, to, year, says={"false": True}, control=[
            records.grant(year, key, i.encode())])
        maker = f"maker of a false key of {i}"
        self.thief(maker).keys.add(("C", j, i, year), key)
        town.tell("waits_for", maker, j, i, year)

    def proofs(self, who, i, to, year, desk):
        """A mail in the name of i, with the best witness there is; what the
        association says of it when its recipient complains."""
        town, j = self.town, self.newest(to)
        m, thief = town.members[to], self.thief(who)
        digest = kdf.b2sum(self.mail(i, j, f"x{self.last + 1}"))
        e = self.forges(who, i, to, year, control=[records.witness(
            kdf.witness(thief.witness_key(i, j, year), town.now, j.encode(),
                        digest))])
        town.passes([to])
        row, = [r for r in town.json(m, "register", "list")
                if r["t"].startswith(e)]
        proof = desk.top / "proof"
        proof.write_bytes(m.ok("register", "prove", row["t"],
                               **town.clock()).stdout)
        town.ask(desk.holds(proof), "proves", who, i, j, year)

    def unentitled(self, who, i, to, year, peer):
        """Records that only the issuer may write."""
        for says, control in (
                ({"grants": (peer,)}, records.grant(year, bytes(32),
                                                    peer.encode())),
                ({"entries": (peer,)}, records.entry(
                    0, peer.encode(), b"x@evil.example", "X"))):
            self.forges(who, i, to, year, says=says, control=[control])

    def remove(self):
        shutil.rmtree(pathlib.Path(self.town.top / "thieves"),
                      ignore_errors=True)
