"""The closure over what an association really did.

closure.py asks which secrets break what, of a story that it tells itself.
Here the story is told from outside, act by act: who was founded, issued,
barred, which envelope went from whom to whom, who took it, what was stolen.
Beside the closure of keys (the same rules, the same mutants) stands what each
machine knows: its ring, and whom it believes.  So it can be asked, at each
step of an association at work (tests/years),

    what a store holds        what a thief can read of all that was ever sent
    what becomes of a mail    whether, and by which way, a member can write

told.py holds it against closure.py, with the rules and with each mutant.
"""

import collections
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import closure   # noqa: E402

EXCLUDED = 255
DAY = 86400


class Rules(closure.Rules):
    """What a machine does with what it takes, as far as powers rest on it."""
    bars_count = True           # a bulletin raises the minimum
    newer_proves = True         # a mail of a newer generation does, too
    whole_list = True           # each bulletin says all bars, not the news
    desk_generation = True      # a new watch desk's list replaces the old's
    offices_stand = True        # no watch desk bars an office
    table = True                # a record counts from its author alone
    hub_relays_only = True      # the barred are barred behind the gateway too
    one_shown_once = True       # what was shown is known by its T
    issuer_tells_bars = True    # key files and enrolment carry the bars


MUTANTS = {
    **closure.MUTANTS,
    "bulletins bar nobody": "bars_count",
    "a newer key proves nothing": "newer_proves",
    "a bulletin holds only its news": "whole_list",
    "bars of a replaced watch desk stay": "desk_generation",
    "the watch desk bars the gateway": "offices_stand",
    "any author's record counts": "table",
    "the gateway relays the barred": "hub_relays_only",
    "a replay is shown again": "one_shown_once",
    "the issuer tells no bars": "issuer_tells_bars",
}


def name(identity):
    return identity.partition("#")[0]


def gen(identity):
    return int(identity.partition("#")[2])


def asso(identity):
    return identity.partition("/")[0]


def date_of(at):
    """(year, month, day)"""
    return time.gmtime(at)[:3]


def time_of(at):
    return time.strftime("%Y-%m-%d", time.gmtime(at))


def rfc3339(at):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


class Person:
    """A line of the issuer's register."""

    def __init__(self, lists, office, changed):
        self.lists, self.office, self.changed = set(lists), office, changed
        self.gen, self.left = 1, False
        self.told = {}              # year: up to which change


class Machine:
    """What lies on a member's disk, and whom it believes."""

    def __init__(self, who):
        self.name = who
        self.K, self.since = set(), {}      # (identity, year): from
        self.ring = set()           # (own identity, peer, year)
        self.proved, self.issued = {}, {}   # name: minimum generation
        self.bars = {}              # generation of the desk: {name: min}
        self.latest = (0, 0)        # of the bulletins: (desk, number)
        self.shown = set()          # T, and (original T) of relayed mail
        self.pending = []
        # At the watch desk: what its key files and the telephone told it.
        self.filed, self.noted = {}, {}

    def top(self):
        return max((gen(i) for i, _ in self.K), default=0)

    def minimum(self, who, rules):
        least = max(self.proved.get(who, 0), self.issued.get(who, 0))
        for desk, bars in self.bars.items():
            if desk >= self.latest[0] or not rules.desk_generation:
                least = max(least, bars.get(who, 0))
        return least

    def best(self, own, peer, year, rules):
        """The highest generation of a peer for whom there is a key."""
        least = self.minimum(peer, rules)
        return max((gen(p) for o, p, y in self.ring if o == own and
                    y == year and name(p) == peer and gen(p) >= least),
                   default=0)


Envelope = collections.namedtuple(
    "Envelope", "i j year kind says forged T original")


class Keys:
    """Who knows what: facts, and clauses of what follows from what."""

    def __init__(self, rules):
        self.r = rules
        self.clauses = []           # (needs, wins)
        self.of = collections.defaultdict(list)     # fact: its clauses
        self.by_key = collections.defaultdict(list)  # K: those that need a C

    def root(self, of, year):
        return ("root", of if self.r.own_roots else "one", year)

    def C(self, i, j, year):
        if not self.r.generation_in_channel:
            i = name(i)
        return ("C", i, j, year)

    def give(self, needs, wins):
        at = len(self.clauses)
        self.clauses.append((needs, wins))
        for f in needs:
            self.of[f].append(at)
            if f[0] == "C":
                self.by_key["K", f[2], f[3]].append(at)

    def known(self, facts, f):
        return f in facts or (f[0] == "C" and ("K", f[2], f[3]) in facts)

    def close(self, news, facts=None, after=0):
        """All that follows from ${news}, and from ${facts}, which were closed
        when there were ${after} clauses: it only ever grows."""
        facts, todo = set() if facts is None else facts, list(news)
        for needs, wins in self.clauses[after:]:
            if all(self.known(facts, n) for n in needs):
                todo.extend(wins)
        while todo:
            f = todo.pop()
            if f in facts:
                continue
            facts.add(f)
            for at in self.of[f] + (self.by_key[f] if f[0] == "K" else []):
                needs, wins = self.clauses[at]
                if all(self.known(facts, n) for n in needs):
                    todo.extend(w for w in wins if w not in facts)
        return facts

    # what is made
    def year(self, of, year):
        self.give([("part", of, year, k) for k in (1, 2, 3)],
                  [self.root(of, year)])
        if not self.r.fresh_roots:
            self.give([self.root(of, year - 1)], [self.root(of, year)])

    def key_file(self, who, year, ring, renewal, issuer):
        K = ("K", who, year)
        self.give([self.root(asso(who), year)], [K])
        self.give([K], [("A", who, year)])
        keys = [self.C(who, p, year) for p in ring]
        inside = [K]
        if self.r.ring_in_key_file or name(who) == name(issuer):
            inside += keys
        else:
            inside.append(self.C(who, issuer, year))
            self.give([self.C(issuer, who, year)], keys)
        needs = [("code", who, year)]
        if renewal:
            needs = [("K", who, year - 1)] + (
                needs if self.r.code_at_renewal else [])
        self.give(needs, inside)

    def envelope(self, e, x):
        """What he learns who has its channel."""
        inside = [("open", e)]
        if x.kind not in ("enrol", "bare"):
            inside.append(self.C(x.j, x.i, x.year))
            if not self.r.year_wall and x.kind == "mail":
                inside.append(self.C(x.j, x.i, x.year + 1))
        if x.kind == "enrol":
            inside += [self.C(x.j, p, x.year) for p in x.says["grants"]]
        self.give([self.C(x.i, x.j, x.year)], inside)


class History:
    """Acts are methods; so is each question."""

    def __init__(self, rules=Rules, dates=None):
        self.r, self.keys = rules, Keys(rules)
        self.people, self.machines = {}, {}
        self.changes, self.now = 0, 0
        self.offices = {}           # (association, office): name
        self.policy = {}            # association: "full", "list", "gateway"
        self.expects = set()        # (name, year): has a key of it
        self.envelopes, self.loot = {}, collections.defaultdict(set)
        self.files = {}             # (identity, year): (ring, bars)
        self.planted = set()        # (writer, peer, year): a false key
        self.told_bars = {}         # desk's machine: as in its last bulletin
        self.dates = dates          # year: (from, send until)
        self._closed = {}           # thief: (all he knows, clauses seen)

    # -- the issuer's desk

    def time(self, now):
        self.now = now

    def found(self, of, year, people, policy="full"):
        self.policy[of] = policy
        self.keys.year(of, year)
        for who, lists, office in people:
            self.add(who, lists, office)

    def new_year(self, of, year):
        self.keys.year(of, year)

    def add(self, who, lists=(), office=None):
        self.changes += 1
        self.people[who] = Person(lists, office, self.changes)
        if office:
            self.offices[asso(who), office] = who

    def reissue(self, who):
        self.changes += 1
        self.people[who].gen += 1
        self.people[who].changed = self.changes

    def leave(self, who):
        self.changes += 1
        self.people[who].left = True
        self.people[who].changed = self.changes

    def id(self, who):
        return f"{who}#{self.people[who].gen}"

    def issuer(self, of):
        return f"{self.offices[asso(of), 'issuer']}#1"

    def may(self, a, b):
        """Is a given the key for b?  (2.19.34; the policy)"""
        p, q = self.people[a], self.people[b]
        if a == b or asso(a) != asso(b) or q.left or q.office == "issuer":
            return False
        return bool(p.office in ("hub", "watch") or
                    q.office in ("hub", "watch") or
                    self.policy[asso(a)] == "full" or
                    (self.policy[asso(a)] == "list" and p.lists & q.lists))

    def ring_of(self, who, year, after=-1):
        return frozenset(self.id(p) for p, x in self.people.items()
                         if x.changed > after and (p, year) in self.expects
                         and self.may(who, p))

    def bars_of(self, of, after=-1):
        if not self.r.issuer_tells_bars:
            return {}
        return {p: EXCLUDED if x.left else x.gen
                for p, x in self.people.items()
                if x.changed > after and asso(p) == asso(of) and p != of and
                (x.left or x.gen > 1)}

    def expect(self, who, year):
        """He is going to have a key of that year: before files are made."""
        self.expects.add((who, year))

    def key(self, who, year, renewal=False, ring=None):
        """A key file is made: the ring in it."""
        me = self.id(who)
        ring = self.ring_of(who, year) if ring is None else ring
        self.files[me, year] = (ring, self.bars_of(who))
        self.people[who].told[year] = self.changes
        self.keys.key_file(me, year, ring, renewal, self.issuer(who))
        return ring

    def news(self, who, year):
        """What the enrolment tells him: grants, identities, bars; or None."""
        p = self.people[who]
        if p.left or p.office == "issuer" or year not in p.told:
            return None
        after, p.told[year] = p.told[year], self.changes
        says = {"grants": self.ring_of(who, year, after),
                "entries": frozenset(
                    self.id(q) for q, x in self.people.items()
                    if x.changed > after and not x.left and q != who and
                    asso(q) == asso(who)),
                "bars": self.bars_of(who, after)}
        return says if any(says.values()) else None

    # -- machines

    def machine(self, place, who):
        """A computer with nothing on it."""
        self.machines[place] = Machine(who)

    def imports(self, place, who, year):
        m, (ring, bars) = self.machines[place], self.files[who, year]
        m.K.add((who, year))
        m.since[who, year] = self.now
        for peer in ring:
            m.ring.add((who, peer, year))
            self.prove(m, peer)
        for bad, least in bars.items():
            m.issued[bad] = max(m.issued.get(bad, 0), least)
            m.filed[bad] = max(m.filed.get(bad, 0), least)

    def erased(self, place, year):
        m = self.machines[place]
        if self.r.erasure:
            m.K = {(i, y) for i, y in m.K if y != year}
            m.ring = {(o, p, y) for o, p, y in m.ring if y != year}

    def prove(self, m, peer):
        if self.r.newer_proves:
            m.proved[name(peer)] = max(m.proved.get(name(peer), 0), gen(peer))

    def bar(self, place, who, least):
        self.machines[place].noted[who] = least

    def bulletin(self, place):
        """All that stands in the next one."""
        m = self.machines[place]
        bars = {w: g for w, g in m.filed.items()
                if not self.people[w].office and w != m.name}
        for who, least in m.noted.items():
            bars[who] = max(bars.get(who, 0), least)
        said, self.told_bars[place] = self.told_bars.get(place, {}), bars
        return bars if self.r.whole_list else {
            w: g for w, g in bars.items() if said.get(w) != g}

    # -- mail

    def sent(self, e, i, j, year, kind="mail", says=None, maker=None,
             T=None, original=None):
        """maker: a thief, who must know the channel now; T: another's, of
        which this is a replay; original: (identity, T) of relayed mail."""
        x = Envelope(i, j, year, kind, says or {}, maker is not None and
                     not self.knows(maker, "C", i, j, year), T or e, original)
        self.envelopes[e] = x
        if maker is None and T is None:
            self.keys.envelope(e, x)
            if (i, j, year) in self.planted:
                self.keys.give([("false", i, j, year)], [("open", e)])

    def took(self, place, e):
        """What becomes of it: shown, told (no mail in it) or a class."""
        m, x = self.machines[place], self.envelopes[e]
        if (x.j, x.year) not in m.K:
            return self._keyless(m, x, e)
        if x.forged:
            return "HEADER"
        if gen(x.i) < m.minimum(name(x.i), self.r):
            return "BARRED"
        if x.T in m.shown and self.r.one_shown_once:
            return "DUPLICATE"
        old = gen(x.j) < m.top()
        if not old and not self._author(m, x):
            return "AUTHORITY"
        if x.original and not old:
            who, T = x.original
            if name(who) in (m.name, name(x.i)):
                return "RECORD"
            if gen(who) < m.minimum(name(who), self.r) and \
                    self.r.hub_relays_only:
                return "BARRED"
            if (who, T) in m.shown and self.r.one_shown_once:
                return "DUPLICATE"
            m.shown.add(x.original)
        m.shown.add(x.T)
        if not old:
            self._apply(m, x)
        if x.kind in ("enrol", "bulletin", "control") or "routes" in x.says:
            return "told"           # the last: at the gateway, sealed again
        return "replaced-key" if old else "shown"

    def _keyless(self, m, x, e):
        years = [y for _, y in m.K]
        if gen(x.j) < m.top() or (gen(x.j) == m.top() and
                                  x.year < min(years)):
            return "EXPIRED"
        m.pending.append(e)
        return "NOKEY"

    def passed(self, place, es):
        """Of a pass: (T, how) of what it shows; class and sender of what it
        holds.  What waited for a key that was imported since comes first."""
        m, shown, held = self.machines[place], set(), []
        waiting, m.pending = m.pending, []
        for woken, e in [(True, e) for e in waiting] + [(False, e)
                                                        for e in es]:
            x, got = self.envelopes[e], self.took(place, e)
            if got in ("shown", "replaced-key"):
                how = "relayed" if x.original else "direct"
                shown.add((x.T, how if got == "shown" else got))
            elif got not in ("told", "DUPLICATE") and not (
                    woken and got == "NOKEY"):
                held.append((got, x.i))
        return frozenset(shown), tuple(sorted(held))

    def _author(self, m, x):
        """2.5: who may say what, of what is forged here."""
        if not self.r.table:
            return True
        office = {self.offices.get((asso(m.name), o)): o for o in
                  ("issuer", "watch", "hub")}.get(name(x.i))
        wants = set()
        if x.says.get("grants") or x.says.get("entries"):
            wants |= {"issuer"}
        if "bars" in x.says and x.kind == "enrol":
            wants |= {"issuer"}
        if x.kind == "bulletin":
            wants |= {"watch"}
            if self.r.offices_stand and any(
                    w in self.offices.values() and w != name(x.i)
                    for w in x.says["bars"]):
                return False
        if x.original:
            wants |= {"hub"}
        return wants <= {office}

    def _apply(self, m, x):
        self.prove(m, x.i)
        if x.kind not in ("enrol", "bare"):
            m.ring.add((x.j, x.i, x.year))
        if x.says.get("false") and not self.r.pinned_grants:
            self.planted.add((x.j, x.i, x.year))
        for peer in x.says.get("grants", ()):
            m.ring.add((x.j, peer, x.year))
        for peer in (*x.says.get("entries", ()), *x.says.get("grants", ())):
            self.prove(m, peer)
        if x.kind == "enrol":
            for bad, least in x.says["bars"].items():
                m.issued[bad] = max(m.issued.get(bad, 0), least)
        if x.kind == "bulletin" and self.r.bars_count:
            desk = m.bars.setdefault(gen(x.i), {})
            for bad, least in x.says["bars"].items():
                desk[bad] = max(desk.get(bad, 0), least)
            m.latest = max(m.latest, (gen(x.i), x.says["number"]))

    def may_send(self, place, to):
        """direct, hub, or how `sceau send` ends."""
        m = self.machines[place]
        own = f"{m.name}#{m.top()}"
        if m.top() < m.minimum(m.name, self.r):
            return "78"
        years = [y for i, y in m.K if i == own and
                 self.dates(y)[0] <= self.now < self.dates(y)[1]]
        if not years:
            return "78"
        if m.minimum(to, self.r) == EXCLUDED:
            return "67"
        if any(m.best(own, to, y, self.r) for y in years):
            return "direct"
        hub = self.offices.get((asso(m.name), "hub"))
        if hub and hub not in (to, m.name) and any(
                m.best(own, hub, y, self.r) for y in years):
            return "hub"
        return "67"

    # -- thieves

    def steals(self, thief, place):
        m = self.machines[place]
        self._loot(thief, {("K", i, y) for i, y in m.K} |
                   {self.keys.C(o, p, y) for o, p, y in m.ring})
        if not self.r.issuer_is_not_hub and \
                self.people[m.name].office == "hub":
            self._loot(thief, {self.keys.root(asso(m.name), y)
                               for _, y in m.K})

    def reads_letter(self, thief, who, year):
        self._loot(thief, {("code", who, year)})

    def copies_sheet(self, thief, of, year, custodian):
        self._loot(thief, {("part", of, year, k) for k in (1, 2, 3)
                           if k != custodian or not self.r.parts_are_split})

    def _loot(self, thief, facts):
        self.loot[thief] |= facts

    def facts(self, thief):
        """Closed: loot and clauses only ever grow."""
        facts, after = self._closed.get(thief, (set(), 0))
        self.keys.close(self.loot[thief], facts, after)
        self._closed[thief] = facts, len(self.keys.clauses)
        return facts

    def knows(self, thief, what, *of):
        f = self.keys.C(*of) if what == "C" else (what, *of)
        return self.keys.known(self.facts(thief), f)

    def waits_for(self, thief, i, j, year):
        """He made the false key for writing to j that i was given."""
        self._loot(thief, {("false", i, j, year)})

    def proves(self, thief, i, j, year):
        """Can he make the witness of i for what he writes to j as i?"""
        return self.knows(thief, "A", i, year) if \
            self.r.witness_of_member else self.knows(thief, "C", i, j, year)

    def reads(self, thief):
        """Which of all envelopes he can open."""
        return frozenset(f[1] for f in self.facts(thief) if f[0] == "open")

    def store(self, place):
        m = self.machines[place]
        return frozenset(m.K), frozenset(m.ring)
