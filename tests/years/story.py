"""Two years of an association: what happens, month by month."""

import collections
import random

import history
from crime import Crime
from town import HOUR, Desk, Wrong, dates

YEAR = 2027
OURS, THEIRS = "essai", "beta"
REGIONS = ("nord", "sud", "est")
WATCH, HUB, WATCH_B = "veille", "passerelle", "veille-b"


Mail = collections.namedtuple("Mail", "sender to at queued gen")


class Story:
    def __init__(self, town, size, seed, after=None):
        self.town, self.crime = town, Crime(town)
        self.rng, self.rng_seed = random.Random(seed), seed
        self.size, self.after = size, after
        self.rows, self.left = [], set()
        self.pairs = {}             # (identity, year): (key file, code)
        self.gen = {}               # place: generation
        self.late = []              # who renews when the new year is old
        self.mails = {}             # token: Mail
        self.pairs_robbed = []      # these and their correspondents
        self.silent = {}            # thief: whom he robbed unnoticed
        self.ended = {}             # token: what its sender was told
        self.withheld = set()       # tokens, by the gateway for good
        self.foreign = {}           # barred here of another association

    # -- who is there

    def people(self):
        town, n = self.town, self.size
        labs = max(2, n // 12)
        self.labs = [town.place(f"labo{k:02}", f"labo{k:02}.example", OURS)
                     for k in range(labs)]
        self.docs = [town.place(f"cab{k:03}", f"cab{k:03}.example", OURS,
                                protocol="imap" if k % 3 else "pop3")
                     for k in range(n - labs)]
        self.new = [town.place(f"nouv{k:02}", f"nouv{k:02}.example", OURS)
                    for k in range(max(2, n // 40))]
        self.beta = [town.place(f"beta{k:02}", f"beta{k:02}.example", THEIRS)
                     for k in range(max(2, n // 40))]
        self.watch = town.place(WATCH, "asso.example", OURS)
        self.hub = town.place(HUB, "asso.example", OURS)
        self.watch_b = town.place(WATCH_B, "beta.example", THEIRS)
        self.lists = {m.local: REGIONS if m in self.labs else
                      (REGIONS[k % 3],) for k, m in enumerate(
                          self.labs + self.docs + self.new + self.beta)}

    def row(self, m):
        kind = "laboratory" if m in self.labs else "practice"
        return (m.address, m.route, f"Membre {m.local}", kind,
                ";".join(self.lists[m.local]).join('""'))

    def found(self):
        """Both associations, on the first working day."""
        town = self.town
        town.at(YEAR, 1, 4)
        for assoc, domain, watch, hub, members in (
                (OURS, "asso.example", self.watch, self.hub,
                 self.labs + self.docs),
                (THEIRS, "beta.example", self.watch_b, None, self.beta)):
            desk = Desk(town, assoc, YEAR, domain, watch, hub)
            town.desks[assoc] = desk
            desk.run("add", desk.folder, desk.table(map(self.row, members)))
            offices = [(f"{assoc}/association@{domain}", (), "issuer"),
                       (watch.system, (), "watch")]
            if hub:
                offices.append((hub.system, (), "hub"))
            town.tell("found", assoc, YEAR, tuple(offices) + tuple(
                (m.system, self.lists[m.local], None) for m in members),
                "list")
            out = desk.act("batch", "--policy", "list")
            self.pairs |= town.key_files(desk, desk.pairs(out))
        for m in self.everybody():
            town.fresh(m)
            self.gen[m.local] = 1
        town.imports([(m, self.pairs[f"{m.system}#1", YEAR])
                      for m in self.everybody()])

    def everybody(self):
        """Whoever has keys or is to have them now."""
        return [m for m in self.town.members.values()
                if (f"{m.system}#1", YEAR) in self.pairs]

    def equip(self, m, gen, fresh=True):
        """With his letters and his files; on a new computer, or not."""
        if fresh:
            self.town.fresh(m)
        self.town.imports([(m, self.pairs[f"{m.system}#{gen}", year])
                           for year in self.years()])
        self.gen[m.local] = gen

    def active(self, of=None):
        return [m for m in (of or self.labs + self.docs + self.new)
                if m.local in self.gen and m.local not in self.left]

    def pick(self, group):
        """Somebody who was not robbed yet; or of whom it was noticed."""
        robbed = set(self.silent.values())
        some = [m for m in self.active(group) if m not in self.late and
                m.local not in robbed]
        return self.rng.choice([m for m in some if self.gen[m.local] == 1] or
                               some)

    def years(self):
        """Which are written in now."""
        now = history.date_of(self.town.now)
        desk = self.town.desks[OURS]
        return tuple(y for y in desk.years if y == now[0] or (
            y == now[0] + 1 and now[1] == 12) or (
            y == now[0] - 1 and now[1] == 1))

    # -- what happens each month

    def traffic(self, pairs):
        """A mail for each pair, and all that follows from it."""
        town, ways = self.town, []
        for a, b in pairs:
            token, way = town.send(a, b.system)
            ways.append((token, way))
            self.mails[token] = Mail(a.local, b.system, town.now,
                                     way.saw is None, self.gen[a.local])
        self.run([b for pair in pairs for b in self.both(pair)],
                 [a for a, _ in pairs])
        for token, way in ways:
            if way.saw is None:
                town.past.see(way, town.paths.get(token, "nowhere"))
        return [t for t, _ in ways]

    def both(self, pair):
        return [self.town.members[p] for p in (
            pair[0].local, self.town.places[pair[1].system])]

    def run(self, some=(), first=()):
        """Passes of the first ones, and then of them, of some others, of the
        gateway and the watch desks, as long as they have mail."""
        places = [m.local for m in first]
        if places:
            self.town.passes(list(dict.fromkeys(places)))
        self.town.quiet({*places, *(m.local for m in some),
                         HUB, WATCH, WATCH_B})

    def sample(self, count):
        """Laboratories write most; practices to one another, too; and to
        the other association."""
        out = []
        active = self.active()
        labs = self.active(self.labs)
        for k in range(count):
            a = self.rng.choice(labs if k % 5 < 3 else active)
            b = self.rng.choice([m for m in active if m is not a])
            out.append((a, b))
        one, other = self.rng.sample(self.beta, 2)
        return list(dict.fromkeys(out + [
            (self.rng.choice(labs), one), (one, self.rng.choice(labs)),
            (one, other)]))

    def bulletins(self):
        """The weekly ones: a pass in the morning, one an hour later."""
        for key in (WATCH, WATCH_B):
            self.town.passes([key])
        self.town.later(HOUR)
        for key in (WATCH, WATCH_B):
            self.town.passes([key])
        self.town.quiet()

    def month(self, year, month):
        town = self.town
        town.at(year, month, 4)
        self.bulletins()
        self.traffic(self.sample(max(4, self.size // 8)))
        for m in self.rng.sample(self.active(), min(3, len(self.gen))):
            town.audit(m)
        self.crime.compare()

    def note(self, what):
        """A line, and a row of the table."""
        town, past = self.town, self.town.past
        when = history.time_of(town.now)
        checks = sum(past.asked.values())
        self.rows.append((when, what, len(self.active()), town.sent,
                          town.received, checks, len(past.wrong)))
        print(f"{when}  {what}: {len(self.active())} members, "
              f"{town.sent} sent, {town.received} shown, "
              f"{len(town.wire.sealed)} on the wire, {checks} checks, "
              f"{len(past.wrong)} wrong", flush=True)
        if self.after:
            self.after(self)

    # -- thefts

    def bar(self, m, least, desk=WATCH):
        """By the watch desk, as it is told on the telephone."""
        words = ["--excluded"] if least == 255 else ["--generation", least]
        self.town.members[desk].ok("bar", m.system, *words, seconds=900,
                                   **self.town.clock())
        self.town.tell("bar", desk, m.system, least)
        self.town.settle()

    def reissue(self, m, fresh=True):
        town = self.town
        desk = town.desks[history.asso(m.system)]
        town.later(HOUR)
        out = desk.act("reissue", m.address)
        town.tell("reissue", m.system)
        self.pairs |= town.key_files(desk, desk.pairs(out))
        self.equip(m, self.gen[m.local] + 1, fresh)

    def enrol(self, of=OURS):
        """The monthly mails; each is held against the model's news."""
        town, desk = self.town, self.town.desks[of]
        town.later(HOUR)
        out = desk.act("enrol")
        paths = sorted((out / "mails").glob("*.eml"))
        said = town.enrolment(paths)
        for who, p in list(town.past.model.people.items()):
            for year in sorted(p.told) if who.startswith(of + "/") else ():
                if year in desk.years and town.now < dates(year)[1]:
                    town.ask(said.pop((who, year), None), "news", who, year)
        if said:
            town.past.wrong.append(f"enrolment of {list(said)}")
        town.volunteers_send(paths)
        town.settle()
        self.run()

    def peers(self, m, count=2):
        """Some who believe him: of his lists."""
        some = [p for p in self.active() if p is not m and
                set(self.lists[p.local]) & set(self.lists[m.local])]
        return self.rng.sample(some, min(count, len(some)))

    def tries(self, who, m, gen, peers):
        """The thief of a key of that generation: as his victim, by the stolen
        program and by hand; as his later generation; and to the victim as
        somebody else."""
        self.run([*peers, m])
        years = self.years()
        for p in peers:
            self.crime.seals(who, p.local)
            for year in years:
                for g in (gen, gen + 1):
                    self.crime.forges(who, f"{m.system}#{g}", p.local, year)
        for year in years:
            i = f"{peers[0].system}#{self.gen[peers[0].local]}"
            self.crime.forges(who, i, m.local, year)
            self.crime.forges(who, i, m.local, year, f"{m.system}#{gen}")
        self.run(first=[*peers, m])

    def theft(self, m, fresh=True, lost=0.0):
        """lost: of the bulletins of that day."""
        town, gen = self.town, self.gen[m.local]
        who, peers = f"thief of {m.local} {gen}", self.peers(m)
        self.traffic([(m, peers[0]), (peers[0], m)])
        self.crime.copies_machine(who, m)
        self.tries(who, m, gen, peers)
        if lost:
            town.lose = lambda e, h: (
                h.sender.startswith(f"{self.watch.system}#".encode()) and
                self.loses(h, peers[0], lost))
        self.bar(m, gen + 1)
        self.tries(who, m, gen, peers)
        town.lose = lambda e, h: False
        if lost:
            self.misses(peers[0])
        self.traffic([(p, m) for p in peers])
        self.reissue(m, fresh)
        self.traffic([(m, p) for p in peers])
        self.tries(who, m, gen, peers)
        self.traffic([(p, m) for p in peers])
        self.crime.compare()
        self.crime.opens(who)
        town.audit(m)
        return who

    def loses(self, h, one, share):
        """His, and a share of those of practices."""
        to = self.town.places[history.name(h.recipient.decode())]
        return to == one.local or (h.T[0] < share * 256 and
                                   not to.startswith("labo"))

    def misses(self, m):
        """Whom the bulletin did not reach hears of its number, and is told
        within hours."""
        heard = next(p for p in self.active(self.labs) if p is not m)
        self.run([heard])
        self.traffic([(heard, m)])
        self.town.later(7 * HOUR)
        self.town.passes([m.local])
        self.alarmed(m, "bulletin")

    def alarmed(self, m, rule):
        """It is visible: status says so."""
        rows = self.town.json(m, "status")
        self.town.past.asked["alarm seen"] += 1
        if not any(r.get("rule") == rule for r in rows):
            raise Wrong(f"{m.local}: no alarm {rule}: {rows}")

    def lost_bulletin(self, m):
        """Whom the bulletins did not reach goes on believing the thief, until
        any later one comes."""
        gen = self.gen[m.local]
        who = self.theft(m, fresh=False, lost=0.4)
        self.town.at(*self.date(7))
        self.bulletins()
        self.tries(who, m, gen, self.peers(m))

    def date(self, later):
        """So many days from now."""
        return history.date_of(self.town.now + later * 24 * HOUR)

    def robs_silently(self, who, m=None):
        """Nobody notices, and nothing is barred."""
        m = m or self.pick(self.docs)
        self.silent[who] = m.local
        self.crime.copies_machine(who, m)
        self.crime.compare()
        p, = self.peers(m, 1)
        self.run([p, m])
        desk, year = self.town.desks[OURS], self.years()[0]
        i, j = (f"{x.system}#{self.gen[x.local]}" for x in (m, p))
        self.crime.proofs(who, i, p.local, year, desk)
        self.crime.proofs(who, j, m.local, year, desk)
        self.crime.plants(who, i, p.local, year)
        self.run(first=[p])
        self.pairs_robbed += [(p, m), (m, p)]
        self.traffic(self.pairs_robbed)
        self.crime.compare()

    def stolen_letter(self, m, year):
        """Read on its way; the key file is anybody's."""
        who = f"letter of {m.local}"
        i = f"{m.system}#{self.gen.get(m.local, 1)}"
        self.crime.reads_letter(who, i, year, self.pairs[i, year][1])
        self.crime.compare()
        return who

    # -- newcomers, leaving

    def newcomer(self, m, letter=False):
        town, desk = self.town, self.town.desks[OURS]
        town.later(HOUR)
        table = desk.table([self.row(m)])
        out = desk.act("newcomer", table)
        town.tell("add", m.system, self.lists[m.local])
        self.pairs |= town.key_files(desk, desk.pairs(out))
        if letter:
            self.stolen_letter(m, self.years()[-1])
        self.equip(m, 1)
        peers = self.peers(m)
        stranger = self.rng.choice([p for p in self.active(self.docs)
                                    if p not in peers and p is not m])
        self.traffic([(m, p) for p in peers] + [(stranger, m)])
        self.traffic([(p, m) for p in peers])
        self.crime.compare()

    def leaves(self, m):
        town = self.town
        self.crime.copies_machine(f"{m.local} who left", m)
        town.desks[OURS].run("leave", town.desks[OURS].folder, m.address)
        town.tell("leave", m.system)
        self.left.add(m.local)
        self.bar(m, 255)
        peers = self.peers(m)
        self.run([*peers, m])
        for p in peers:
            self.crime.seals(f"{m.local} who left", p.local)
            self.crime.forges(f"{m.local} who left",
                              f"{m.system}#{self.gen[m.local]}", p.local,
                              self.years()[0])
        self.run(first=peers)
        self.traffic([(m, peers[0]), (peers[1], m)])
