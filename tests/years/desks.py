"""What happens to desks, and at the turn of the year."""

import collections
import json

import history
from pysceau import kdf, records
from story import HUB, OURS, THEIRS, WATCH, Story
from town import HOUR, Wrong

LAGGARDS = 0.15


class Years(Story):
    # -- another association

    def agree(self):
        """Members of each may write to those of the other."""
        for a, b in ((OURS, THEIRS), (THEIRS, OURS)):
            self.grant(a, b)

    def grant(self, ours, theirs):
        """To our members, keys for theirs."""
        town = self.town
        a, b = town.desks[ours], town.desks[theirs]
        path = a.top / f"list-{a.number}"
        a.run("list", a.folder, "--out", path)
        b.act("grant", path, "--json")
        made = json.loads(b.said.splitlines()[-1])
        with open(made["letter"], encoding="utf-8") as f:
            code = next(w for w in f.read().split() if w.count("-") == 4 and
                        len(w) == 29)
        slip = a.top / "code"
        slip.write_text(code + "\n")
        town.later(HOUR)
        out = a.act("accept", made["file"], "--code-file", slip)
        town.volunteers_send(sorted((out / "mails").glob("*.eml")))
        town.settle()
        self.run()

    def theft_there(self, m):
        """Of a member of theirs: both watch desks bar him, each for its own;
        his new key comes by a new agreement."""
        gen = self.gen[m.local]
        town, who = self.town, f"thief of {m.local} {gen}"
        peers = self.rng.sample(self.active(self.labs), 2)
        self.traffic([(peers[0], m), (m, peers[0])])
        self.crime.copies_machine(who, m)
        self.tries(who, m, gen, peers)
        for desk in (WATCH, "veille-b"):
            self.bar(m, gen + 1, desk)
        self.foreign[m.system] = gen + 1
        self.tries(who, m, gen, peers)
        self.reissue(m)
        self.enrol(THEIRS)
        self.agree()
        self.run([*peers, m])
        self.traffic([(peers[0], m), (m, peers[1]), (peers[1], m)])
        self.tries(who, m, gen, peers)
        self.crime.compare()
        town.audit(m)

    # -- the watch desk in wrong hands

    def watch_stolen(self):
        town, who = self.town, f"thief of watch desk {self.gen[WATCH]}"
        year = self.years()[0]
        self.crime.copies_machine(who, self.watch)
        desk = f"{self.watch.system}#{self.gen[WATCH]}"
        m = self.pick(self.docs)
        peers = self.peers(m)
        pairs = [(m, peers[0]), (peers[1], m)]
        self.run([*peers, m])
        for p in (*peers, m):
            self.crime.bulletin(who, desk, p.local, year, {m.system: 255})
        self.crime.bulletin(who, desk, peers[0].local, year,
                            {self.hub.system: 9})
        self.crime.unentitled(who, desk, peers[0].local, year,
                              f"{m.system}#2")
        self.crime.forges(who, f"{peers[1].system}#1", peers[0].local, year)
        self.run(first=[*peers, m])
        self.traffic(pairs)
        self.alarmed(m, "barred")
        self.crime.compare()
        self.note("a stolen watch desk excludes somebody, who sees it")
        self.reissue(self.watch)
        self.enrol()
        for name, least in self.foreign.items():
            self.watch.ok("bar", name, "--generation", least, seconds=900,
                          **town.clock())
            town.tell("bar", WATCH, name, least)
        town.settle()
        self.bulletins()
        self.crime.bulletin(who, desk, peers[0].local, year, {m.system: 255})
        self.run(first=[peers[0]])
        self.traffic(pairs)
        town.audit(self.watch)

    # -- the gateway in wrong hands

    def apart(self):
        """Two who have no key for each other."""
        a = self.pick(self.docs)
        b = self.rng.choice([m for m in self.active(self.docs) if not
                             set(self.lists[m.local]) &
                             set(self.lists[a.local]) and m not in self.late])
        return a, b

    def gateway_dishonest(self):
        """It reads what goes through it, withholds, lies, replays, invents;
        and nothing else."""
        a, b = self.apart()
        who, year = f"gateway {self.gen[HUB]}", self.years()[0]
        hub = f"{self.hub.system}#{self.gen[HUB]}"
        self.run([a, b])
        token, = self.traffic([(a, b)])
        direct, = self.traffic([(self.peers(b, 1)[0], b)])
        self.crime.copies_machine(who, self.hub)
        self.crime.compare()
        self.withholds(a, b)
        self.lies(who, hub, a, b, year)
        self.invents(who, hub, a, b, year, token)
        self.crime.replays(self.town.T_of[direct][:20], b.local)
        self.run(first=[b])
        self.crime.compare()
        self.note("a dishonest gateway")
        self.reissue(self.hub)
        self.enrol()
        self.run([a, b])
        self.crime.forges(who, hub, b.local, year, original=(
            f"{a.system}#{self.gen[a.local]}", kdf.b2sum(b"3").hex()))
        self.run(first=[b])
        self.traffic([(a, b), (b, a)])

    def withholds(self, a, b):
        """Late, and seen; once it is honest the same envelope goes its way."""
        town = self.town
        held = []
        town.lose = lambda e, h: (history.name(h.recipient.decode()) ==
                                  self.hub.system and
                                  not held and not held.append(e))
        self.traffic([(a, b)])
        town.lose = lambda e, h: False
        town.at(*self.date(6))
        town.passes([a.local])
        self.alarmed(a, "late")
        a.ok("queue", "retry", "--to", b.system, **town.clock())
        self.run([a, b], [a])

    def lies(self, who, hub, a, b, year):
        """It says "received" of what it withholds: its own word, no more."""
        town = self.town
        town.lose = lambda e, h: (history.name(h.recipient.decode()) ==
                                  self.hub.system)
        token, = self.traffic([(a, b)])
        town.lose = lambda e, h: False
        if token not in town.T_of:
            return
        self.withheld.add(token)
        T = bytes.fromhex(town.T_of[token])
        self.crime.forges(who, hub, a.local, year, kind="control", text=False,
                          control=[records.relayed_ack(
                              T, 2, town.now, town.D_of[token],
                              b.system.encode())])
        town.passes([a.local])
        row, = [r for r in town.json(a, "status") if r["type"] == "sent" and
                r["t"] == town.T_of[token]]
        town.past.asked["the gateway's word"] += 1
        if row["state"] == "received" and row["word"] == "recipient":
            raise Wrong(f"believed as the recipient's word: {row}")

    def invents(self, who, hub, a, b, year, token):
        crime, sender = self.crime, f"{a.system}#{self.gen[a.local]}"
        crime.forges(who, hub, b.local, year, original=(
            sender, kdf.b2sum(b"1").hex()))
        crime.forges(who, hub, b.local, year,
                     original=(sender, self.town.T_of[token]))
        for name, p in self.town.past.model.people.items():
            if p.gen > 1 and not p.office and name != b.system and \
                    name.startswith(OURS):
                crime.forges(who, hub, b.local, year, original=(
                    f"{name}#1", kdf.b2sum(b"2").hex()))
        crime.unentitled(who, hub, b.local, year, f"{a.system}#3")
        crime.bulletin(who, hub, b.local, year, {a.system: 255})
        crime.forges(who, sender, b.local, year)
        self.run(first=[b])

    # -- the new year

    def renew(self, year):
        town = self.town
        town.at(year - 1, 11, 20)
        for assoc, desk in town.desks.items():
            out = desk.act("renew", "--year", year)
            town.tell("new_year", assoc, year)
            self.pairs |= town.key_files(desk, desk.pairs(out))
        active = self.active()
        self.late = self.rng.sample(active, max(2, round(
            LAGGARDS * len(active))))
        town.at(year - 1, 12, 2)
        self.take_year([m for m in self.due() if m not in self.late], year)
        self.crime.compare()

    def due(self):
        return [m for m in self.town.members.values()
                if m.local in self.gen and m.local not in self.left]

    def take_year(self, some, year):
        self.town.imports([(m, self.pairs[
            f"{m.system}#{self.gen[m.local]}", year]) for m in some])

    def laggards_take(self, year):
        """What waited is shown then."""
        self.take_year(self.late, year)
        self.run(first=self.late)
        for m in self.late[:3]:
            self.town.audit(m)
        self.late = []

    def with_laggards(self):
        """To them and from them."""
        pairs = []
        for m in self.late[:12]:
            p = self.peers(m, 1)[0]
            pairs += [(p, m), (m, p)]
        self.traffic(list(dict.fromkeys(pairs)))

    def spring(self, year):
        """The keys of the year before go, at everybody's, and its root."""
        town = self.town
        for date in (3, 11, 19):
            town.at(year, 4, date)
            town.passes([m.local for m in self.due()])
            town.quiet()
            for m in self.due():
                held = {k["year"] for k in town.json(m, "key", "list")}
                if year - 1 not in held and any(
                        y == year - 1 for _, y in
                        town.past.model.machines[m.local].K):
                    town.tell("erased", m.local, year - 1)
        for m in self.due():
            if any(y < year for _, y in
                   town.past.model.machines[m.local].K):
                town.past.wrong.append(f"{m.local} keeps {year - 1}")
        for desk in town.desks.values():
            desk.run("destroy", desk.folder, "--year", year - 1, *(
                w for p in desk.sheets(year - 1)[:2]
                for w in ("--custodian", p)))
            desk.years.remove(year - 1)

    # -- the end

    def account(self):
        """What the senders of mails that were not shown can see by now:
        later it may be forgotten."""
        rows = {}
        for token, x in self.mails.items():
            if x.queued and not self.town.shown[token, x.to]:
                self.ended[token] = self.reported(token, x, rows) or \
                    self.ended.get(token)

    def exactly_once(self):
        """Each mail is shown once, or its sender can see that it was not."""
        town, count = self.town, collections.Counter()
        self.account()
        for token, x in self.mails.items():
            n = town.shown[token, x.to]
            end = "shown once" if x.queued and n == 1 else \
                "refused at once" if not x.queued and n == 0 else \
                self.ended.get(token) if n == 0 else None
            if end is None:
                town.past.wrong.append(f"{token} {x}: shown {n} times")
            count[end] += 1
        for (token, name), n in town.shown.items():
            if token in self.mails and name != self.mails[token].to:
                town.past.wrong.append(f"{token} shown to {name}")
        return dict(count)

    def reported(self, token, x, rows):
        if self.gen[x.sender] != x.gen:
            return "its sender's computer was stolen since"
        if token in self.withheld:
            return "received by the gateway's word alone"
        if x.sender not in rows:
            m = self.town.members[x.sender]
            rows[x.sender] = {
                (r["to"].partition("#")[0], r["queued_at"]): r
                for r in self.town.json(m, "sent", "--days", "300")
                if r["type"] == "document"}
        row = rows[x.sender].get((x.to, history.rfc3339(x.at)))
        if row and row["refused_at"]:
            return "refused, and said"
        if row and row["late"] and not row["received_at"]:
            return "late, and said"
        return None

    def note(self, what):
        self.account()
        super().note(what)
