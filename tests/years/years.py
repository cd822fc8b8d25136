"""years [--members N] [--seed S] [--short] [--jobs J] [--out FILE] [--keep]:
two years of an association of N members, on real stores, real mail and an
injected clock: thefts, newcomers, members who leave, lost bulletins, desks in
wrong hands, laggards at the new year, a sister association.  At each step
whoever holds whatever was stolen tries to read all that was ever sent, and to
write as whom he can; what comes of it must be what the closure of keys
(tests/model/history.py) says, both ways.  At the end

- each mail was shown exactly once at its recipient's, or its sender can see
  that it was not
- what was seen speaks against the model without any one of its rules: those
  that nothing here can tell are named in UNSEEN

--short: each kind of event once or twice, and no month in which nothing
happens.  Needs a build with --enable-fault, for the clock, and root, for
Postfix.
"""

import argparse
import json
import os
import pathlib
import sys
import textwrap
import time
import traceback

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / d) for d in ("years", "model", ".")]
import history   # noqa: E402
from desks import Years   # noqa: E402
from story import OURS, YEAR   # noqa: E402
from town import Town   # noqa: E402

# Rules that nobody here can break: what they are for is said in closure.py.
UNSEEN = {
    "ring_in_key_file": "the ring of the issuer is stored nowhere",
}


class Calendar:
    """(year, month, what the table says, what happens)."""

    def __init__(self, s, short):
        self.s, self.short = s, short
        self.first = [
            (1, 1, "a month", lambda: None),
            (1, 2, "agreement with another association", s.agree),
            (1, 3, "newcomer, whose letter was read",
             lambda: s.newcomer(s.new[0], letter=True)),
            (1, 4, "enrolment; theft of a computer", self.april),
            (1, 5, "theft of a key; a third of the bulletins lost",
             lambda: s.lost_bulletin(s.pick(s.docs))),
            (1, 6, "a member leaves; enrolment", self.june),
            (1, 7, "a new watch desk undoes it", s.watch_stolen),
            (1, 8, "a new gateway", s.gateway_dishonest),
            (1, 9, "theft at the other association; one unnoticed",
             self.september),
            (1, 10, "newcomer; theft; enrolment", self.october),
            (1, 11, "renewal; letters read", self.november),
            (1, 12, "theft between the years", self.december)]
        self.second = [
            (2, 1, "laggards; new agreement", self.january),
            (2, 2, "laggards after the last day to write", self.february),
            (2, 3, "laggards import", lambda: s.laggards_take(YEAR + 1)),
            (2, 4, "the old year is erased", self.spring),
            (2, 5, "newcomer, whose letter was read",
             lambda: s.newcomer(s.new[-1], letter=True)),
            (2, 6, "enrolment; theft", self.april),
            (2, 7, "theft of a key; a third of the bulletins lost",
             lambda: s.lost_bulletin(s.pick(s.docs))),
            (2, 8, "a new gateway", s.gateway_dishonest),
            (2, 9, "a member leaves; enrolment", self.june),
            (2, 10, "a new watch desk undoes it", s.watch_stolen),
            (2, 11, "renewal", self.november),
            (2, 12, "theft between the years", self.december),
            (3, 1, "laggards; sheets are copied", self.last)]

    def april(self):
        self.s.enrol()
        self.s.theft(self.s.pick(self.s.docs))

    def june(self):
        self.s.leaves(self.s.pick(self.s.docs))
        self.s.enrol()

    def september(self):
        s = self.s
        s.theft_there(s.pick(s.beta))
        s.robs_silently("unnoticed thief")
        if not self.short:
            s.robs_silently("another one")

    def october(self):
        s = self.s
        if len(s.new) > 2:
            s.newcomer(s.new[1])
        if not self.short:
            s.theft(s.pick(s.docs), fresh=False)
        s.enrol()

    def november(self):
        """Of those who read a renewal letter, one has the old store too."""
        s = self.s
        year = s.town.desks[OURS].years[-1] + 1
        s.renew(year)
        s.stolen_letter(s.pick(s.docs), year)
        for who, local in list(s.silent.items())[:1]:
            m = s.town.members[local]
            i = f"{m.system}#{s.gen[local]}"
            if (i, year) in s.pairs:
                s.crime.reads_letter(who, i, year, s.pairs[i, year][1])
                s.crime.compare()

    def december(self):
        self.s.theft(self.s.pick(self.s.docs))
        self.s.enrol()

    def january(self):
        self.s.with_laggards()
        self.s.agree()

    def february(self):
        self.s.with_laggards()
        if not self.short:
            self.s.theft(self.s.pick(self.s.docs))

    def spring(self):
        s = self.s
        desk = s.town.desks[OURS]
        s.crime.copies_sheet("a custodian", desk, YEAR, 1)
        for number in (2, 3):
            s.crime.copies_sheet("two custodians of the first year", desk,
                                 YEAR, number)
        s.crime.compare()
        s.spring(YEAR + 1)
        s.traffic(s.pairs_robbed)
        s.robs_silently("thief of the second year")

    def last(self):
        """A custodian alone, and two of them."""
        s, year = self.s, self.s.town.desks[OURS].years[0]
        s.with_laggards()
        if s.late:
            s.laggards_take(year + 1)
        desk = s.town.desks[OURS]
        s.crime.force(s.rng, 20)
        s.crime.copies_sheet("another custodian", desk, year, 2)
        s.crime.compare()
        s.crime.copies_sheet("another custodian", desk, year, 3)
        s.crime.compare()

    def run(self):
        s = self.s
        events = self.first + self.second
        if self.short:
            events = self.first[1:] + self.second[:4] + [
                (2, 5, *self.second[-1][2:])]
        for year, month, what, event in events:
            if not self.short or month in (2, 12):
                s.month(YEAR + year - 1, month)
            else:
                s.town.at(YEAR + year - 1, month, 4)
            try:
                event()
            except Exception as e:      # what comes later is told too
                s.town.past.wrong.append(f"{what}: {e!r}")
                print(traceback.format_exc(), flush=True)
            s.note(what)
        s.month(*history.date_of(s.town.now)[:2])
        s.note("the end")


def lived(town, size, seed, short=False, after=None):
    """The story is told; (Years, {how a mail ended: how many}).  after: called
    with Years after each event."""
    s = Years(town, size, seed, after)
    s.people()
    town.start()
    s.hub.configure(top={"hub": True, "late": "72 h"})
    s.found()
    s.note("founded; everybody imports")
    Calendar(s, short).run()
    return s, s.exactly_once()


def mutants(town):
    """{rule: what speaks against a model without it, or None}."""
    return {flag: town.past.contradicted(flag)
            for flag in history.MUTANTS.values()}


def report(s, ends, killed, seconds):
    past = s.town.past
    return {
        "date": time.strftime("%Y-%m-%d"),
        "load": round(os.getloadavg()[2]), "cpu": round(sum(os.times()[:4])),
        "members": s.size, "seed": s.rng_seed, "seconds": round(seconds),
        "rows": s.rows, "mails": ends, "asked": dict(past.asked),
        "wire": len(s.town.wire.sealed), "thieves": len(s.crime.thieves),
        "mutants": {f: a and a.method for f, a in killed.items()},
        "wrong": past.wrong}


def page(r):
    """For people: what was done, a row for each event, the sums."""
    asked = sum(r["asked"].values())
    seen = {f: how for f, how in r["mutants"].items() if how}
    lines = [
        f"{r['date']}, `make check-years N={r['members']} SEED={r['seed']}`, "
        f"{r['seconds']} s by the clock at a load of {r['load']}, {r['cpu']} s "
        f"of processors for all but the servers: {len(r['wrong'])} answers "
        f"that are not the model's, of {asked}.", ""]
    lines += [
        "Mails: " + "; ".join(f"{n} {end}" for end, n in
                              sorted(r["mails"].items(), key=str)) + ".", "",
        f"{r['wire']} envelopes passed the relay; {r['thieves']} thieves held "
        f"all of them.  Of {len(r['mutants'])} models, each without a rule, "
        f"{len(seen)} are contradicted by what was seen.  Not seen: " +
        "; ".join(f"{f} ({why})" for f, why in UNSEEN.items()) + ".", ""
    ] if r["mutants"] else ["Cut off: not told to its end.", ""]
    lines = [w for line in lines for w in
             (textwrap.wrap(line, 80) if line else [""])]
    return "\n".join(lines + [table(r), "", *questions(r)])


QUESTIONS = {
    "passed": "what a pass shows and holds",
    "store": "what lies in a store, read without sceau",
    "reads": "which of all envelopes a thief can open",
    "may_send": "whether and by which way a member can write",
    "key": "the ring in a key file", "bars_of": "the bars in a key file",
    "news": "what an enrolment tells a member",
    "bulletin": "what stands in a bulletin",
}


def questions(r):
    return ["| question | times |", "|---|--:|"] + [
        f"| {QUESTIONS.get(q, q)} | {n} |" for q, n in
        sorted(r["asked"].items(), key=lambda x: -x[1])]


def table(r):
    """A row for each event."""
    lines = ["| day | what happened | members | sent | shown, with what was "
             "forged | checks | wrong |", "|---|---|--:|--:|--:|--:|--:|"]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in r["rows"]]
    return "\n".join(lines)


def main():
    args = argparse.ArgumentParser(prog="years")
    args.add_argument("--members", type=int, default=200)
    args.add_argument("--seed", type=int, default=1)
    args.add_argument("--short", action="store_true")
    args.add_argument("--out", type=pathlib.Path)
    args.add_argument("--table", type=pathlib.Path,
                      help="only print the table of that report")
    args.add_argument("--jobs", type=int, default=3,
                      help="passes of different members at once")
    args.add_argument("--keep", action="store_true")
    args = args.parse_args()
    if args.table:
        print(page(json.loads(args.table.read_text())))
        return 0
    began = time.monotonic()

    def kept(s, ends={}, killed={}):
        """What is known so far, should it be cut off."""
        r = report(s, ends, killed, time.monotonic() - began)
        if args.out:
            args.out.parent.mkdir(parents=True, exist_ok=True)
            args.out.write_text(json.dumps(r) + "\n")
        return r
    with Town(jobs=args.jobs, keep=args.keep) as town:
        s, ends = lived(town, args.members, args.seed, args.short, kept)
        killed = mutants(town)
        r = kept(s, ends, killed)
    print(page(r))
    print(json.dumps({k: v for k, v in r.items() if k != "rows"}, indent=1))
    alive = [f for f, a in killed.items() if a is None and f not in UNSEEN]
    if alive:
        print(f"years: nothing spoke against a model without {alive}")
    return 1 if r["wrong"] or alive else 0


if __name__ == "__main__":
    sys.exit(main())
