#!/usr/bin/env python3
"""closure.py's story, told by acts to history.py: each single store, each goal,
with the rules and with each mutant, must break there what it breaks here."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import closure   # noqa: E402
import history   # noqa: E402

LOCAL = {"I": "issuer", "W": "watch", "H": "hub"}


def ident(who):
    """closure.py's a2 is A/a#2; its desks are never issued again."""
    of = "F" if who.startswith("f") else "A"
    return f"{of}/{who}#1" if who in LOCAL else f"{of}/{who[0]}#{who[1:]}"


class Told(history.History):
    """The story of closure.py.  Its rings hold the issuer, as a member may
    write to him there; its traffic is all that could be sent."""

    def __init__(self, rules):
        super().__init__(rules)
        self.w = closure.World(rules)
        for n, o in LOCAL.items():
            self.offices["A", o] = f"A/{n}"
        self.offices["F", "issuer"] = "F/i"
        if not rules.issuer_is_not_hub:
            self.offices["A", "issuer"] = "A/H"
        self.keys.year("A", 1)
        self.keys.year("A", 2)
        self.keys.give([self.keys.root("F", 1)], [("K", ident("f1"), 1)])
        self.keys.give([self.keys.root("F", 2)], [("K", ident("f1"), 2)])
        for y in closure.YEARS:
            for p in self.w.people(y):
                self.keys.key_file(ident(p), y, self.ring(p, y), y == 2,
                                   self.issuer("A"))
            self.traffic(y)

    def ring(self, p, y):
        w = self.w
        of = {w.C(p, q, y): q for q in (*w.people(y), "f1")}
        return [ident(of[bit]) for bit in w.ring(p, y)]

    def says(self, e, i, j, year, kind="mail", **more):
        self.sent(e, ident(i), ident(j), year, kind, **more)

    def traffic(self, y):
        here = [p for p in self.w.people(y) if p not in closure.DESKS]
        a = "a1" if y == 1 else "a2"
        pairs = [(p, q) for p in here for q in here
                 if closure.name(p) != closure.name(q)]
        for p, q in pairs + [(a, "f1"), ("f1", a)]:
            self.says(("mail", p, q, y), p, q, y)
            if "f1" not in (p, q):
                self.says(("to hub", p, q, y), p, "H", y, "relay")
                self.says(("of hub", p, q, y), "H", q, y, "relay")
        for p in here if y == 1 else ():
            self.sent(("enrol", p), self.issuer("A"), ident(p), 1, "enrol",
                      {"grants": [ident(q) for q in closure.AGAIN + ("n1",)
                                  if q[0] != p[0]]})

    def seeds(self):
        """closure.py's stores, as facts of ours."""
        C, out = self.keys.C, {}
        for n, facts in self.w.stores().items():
            kind, _, rest = n.partition("-")
            year = int(n[-1]) if n[-1] in "12" else 1
            who = {"watch": "W", "hub": "H"}.get(n[:-1], rest.split(".")[0])
            if kind == "code":
                out[n] = {("code", ident(who), year)}
            elif n.startswith("root"):
                out[n] = {self.keys.root("F" if "F" in n else "A", year)}
            elif n.startswith("custodian"):
                out[n] = {("part", "A", year, k) for k in (1, 2, 3)
                          if str(k) != n[9] or not self.r.parts_are_split}
            elif kind == "issuer":
                out[n] = {C(ident("I"), ident(p), year)
                          for p in self.w.people(year) if p != "I"}
            else:
                out[n] = self.of_store(who, year)
            assert facts
        return out

    def of_store(self, who, year):
        C, me = self.keys.C, ident(who)
        if who == "f1":
            return {("K", me, 1), C(me, ident("a1"), 1)}
        out = {("K", me, year)}
        if who in closure.DESKS:
            out |= {C(me, ident(p), year) for p in self.w.people(year)
                    if p != who}
        else:
            out |= {C(me, p, year) for p in self.ring(who, year)}
        if year == 2 and not self.r.erasure:
            out |= {("K", me, 1)} | {C(me, p, 1) for p in self.ring(who, 1)}
        if who == "H" and not self.r.issuer_is_not_hub:
            out.add(self.keys.root("A", year))
        return out

    def wants(self):
        """closure.py's goals, as facts of ours."""
        C, g = self.keys.C, {}
        issuer = self.issuer("A") if not self.r.issuer_is_not_hub \
            else ident("I")
        for y in closure.YEARS:
            a, b = ("a1", "b1") if y == 1 else ("a2", "b2")
            ia, ib = ident(a), ident(b)
            g[f"read direct mail a to b, year {y}"] = [
                ("open", ("mail", a, b, y))]
            g[f"forge direct mail a to b, year {y}"] = [C(ia, ib, y)]
            g[f"forge an ack of b for a, year {y}"] = [C(ib, ia, y)]
            g[f"read relayed mail a to b, year {y}"] = [
                ("open", ("to hub", a, b, y)), ("open", ("of hub", a, b, y))]
            g[f"forge relayed mail a to b, year {y}"] = [
                C(ident("H"), ib, y), C(ia, ident("H"), y)]
            g[f"forge a bar to b, year {y}"] = [
                C(issuer, ib, y), C(ident("W"), ib, y)]
            g[f"plant a key for a stranger with a, year {y}"] = [
                C(issuer, ia, y)]
            g[f"replace the key of b that a holds, year {y}"] = (
                [] if self.r.pinned_grants else
                [C(issuer, ia, y), C(ib, ia, y)])
            g[f"make a witness of a for b, year {y}"] = [
                ("A", ia, y) if self.r.witness_of_member else C(ia, ib, y)]
        g["after re-issue: write to b as a2"] = [
            C(ident("a2"), ident("b1"), 1)]
        g["after re-issue: read a to b2"] = [("open", ("mail", "a1", "b2", 1))]
        g["after re-issue: read a2 to b"] = [("open", ("mail", "a2", "b1", 1))]
        g["read mail a to f of another association"] = [
            ("open", ("mail", "a1", "f1", 1))]
        return g

    def breaks(self):
        """{goal: the single stores that reach it}."""
        out = {g: set() for g in self.wants()}
        for n, facts in self.seeds().items():
            known = self.keys.close(facts)
            for g, wanted in self.wants().items():
                if any(self.keys.known(known, f) for f in wanted):
                    out[g].add(n)
        return out


def main():
    """Each single store, each goal, each set of rules: the same as there."""
    apart = 0
    for what, flag in {"the protocol": None, **closure.MUTANTS}.items():
        rules = type("Mutant", (history.Rules,), {flag: False} if flag else {})
        _, found = closure.breaking_sets(closure.World(rules), 1)
        there = {g: {s[0] for s in sets} for g, sets in found.items()}
        here = Told(rules).breaks()
        wrong = [(g, there[g] ^ here[g]) for g in there if
                 there[g] != here[g]]
        apart += bool(wrong)
        print(f"{'FAILED ' if wrong else 'ok      '}history.py says what "
              f"closure.py says: {what}" + (f": {wrong}" if wrong else ""))
    return 1 if apart else 0


if __name__ == "__main__":
    sys.exit(main())
