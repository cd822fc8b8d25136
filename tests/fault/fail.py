#!/usr/bin/env python3
"""The failing campaign: each command with its n-th allocation, read, write,
sync, change of name or opening of a file failing, n = 1, 2, ... until none is
left; then the same command again with nothing failing, and what is there is
judged.

Never: a process that ends by a signal or a sanitizer's report; exit 0 for what
was not done; something lost that was promised; something shown twice.
--sample keeps one n in so many, chosen by --seed.

--places: instead of that each fails at places in the program at which nothing
has failed yet, until there is none left; a place is the last seven calls of
the way there.  Those that have failed are kept beside --out.

What this program has tried already stands in --out, and is not tried again;
what is being tried stands beside it, in .now, should it end the campaign.
"""

import argparse
import datetime
import errno
import logging
import pathlib
import random
import subprocess
import sys
import time
from collections import Counter

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from fault.alike import Pictures                # noqa: E402
from fault.cases import leftovers, sound        # noqa: E402
from fault.commands import CASES                # noqa: E402
from fault.lives import AGAIN, in_memory, wrong_of      # noqa: E402
from fault.tried import Tried, campaigns, wrong         # noqa: E402
from world.demo import Demo, Forger             # noqa: E402
from world.fault import Calls                   # noqa: E402
from world.member import Result                 # noqa: E402

CLASSES = {"alloc": errno.ENOMEM, "open": errno.EMFILE, "read": errno.EIO,
           "write": errno.ENOSPC, "sync": errno.EIO, "rename": errno.ENOSPC}
BLOCK = 4
NOTHING_SAID = Result(1, b"", b"", 0)


class Judge:
    """Who has seen what a failure has left, with the same code and words,
    need not see it again: that is judged alike.  One in AGAIN is judged all
    the same."""

    def __init__(self, demo):
        self.pictures, self.known = Pictures(demo), {}

    def left(self, name, case, first):
        """"": like no other; temporary files are, since what was said of them
        matters."""
        who = getattr(case.demo, case.who or "labo")
        if leftovers(who.folder.rglob("*"), NOTHING_SAID):
            return ""
        self.pictures.known, self.pictures.touched = {}, {who}
        return self.pictures.digest((name, first.code, first.stdout))

    def verdict(self, name, case, first):
        """For a row."""
        sound(first)
        left = self.left(name, case, first)
        like = self.known.get(left)
        if like and random.randrange(AGAIN) != 0:
            return {"verdict": like, "alike": True}
        try:
            case.judge(first)
            row = {"verdict": "ok"}
        except (AssertionError, subprocess.TimeoutExpired) as e:
            row = {"verdict": wrong_of(e, case.demo)}
        if like and like != row["verdict"]:
            row["verdict"] += f"; UNLIKE: {like}"
        if left:
            self.known.setdefault(left, row["verdict"])
        return row


def one(judge, name, case, calls, what, n):
    """at: where n is "new", its number, to be tried again by."""
    row = {"code": None, "fired": True}
    try:
        case.begin()
        first = case.run(**calls.env(what, n, str(CLASSES[what])))
        row = {"code": first.code, "fired": calls.fired}
        row |= judge.verdict(name, case, first)
    except (AssertionError, subprocess.TimeoutExpired) as e:
        row["verdict"] = wrong_of(e, case.demo)
    return row | ({"at": calls.at} if n == "new" else {})


def failures(cases, calls, rng, sample):
    """(case, class, n) of all that a run without failures could fail at; of
    each kind BLOCK before more of any, so that a short run reaches all."""
    found = []
    for name, case in cases.items():
        case.begin()
        case.run(**calls.env())
        for what in CLASSES:
            ns = list(range(1, calls.total(what) + 1))
            rng.shuffle(ns)
            found += [(i // BLOCK, name, what, n) for i, n in enumerate(ns)
                      if sample == 1 or rng.randrange(sample) == 0]
    return [x[1:] for x in sorted(found, key=lambda x: x[0])]


def numbered(args, judge, cases, calls, tried, give_up):
    """A row for each n-th call that fails, and how many there are."""
    every = failures(cases, calls, random.Random(args.seed), args.sample)
    done = {(r["case"], r["what"], r["n"]) for r in tried.mine}
    for name, what, n in every:
        if give_up():
            break
        if (name, what, n) not in done:
            which = {"case": name, "what": what, "n": n}
            tried.trying(**which)
            yield {**which, **one(judge, name, cases[name], calls, what, n)}
    print(f"{len(every)} failures possible")


def new_places(judge, cases, calls, give_up, trying=lambda **which: None):
    """A row for each place; BLOCK of each kind before more of any."""
    left = [(name, what) for name in cases for what in CLASSES]
    while left and not give_up():
        for name, what in list(left):
            for _ in range(BLOCK):
                which = {"case": name, "what": what, "n": "new"}
                trying(**which)
                row = one(judge, name, cases[name], calls, what, "new")
                if not row["fired"]:
                    left.remove((name, what))
                    break
                yield {**which, **row}
            if give_up():
                break
    print(f"{len(left)} kinds of calls of a command have places left")


def table(rows):
    lines = [f"{'command':25}" + "".join(f"{c:>8}" for c in CLASSES)]
    for name in CASES:
        at = Counter(r["what"] for r in rows
                     if r["case"] == name and r["fired"])
        lines.append(f"{name:25}" + "".join(f"{at[c]:8}" for c in CLASSES))
    return lines


def main():
    args = argparse.ArgumentParser(prog="fail")
    args.add_argument("--seed", type=int, default=1)
    args.add_argument("--sample", type=int, default=1)
    args.add_argument("--seconds", type=int, help="stop after so long")
    args.add_argument("--places", action="store_true")
    args.add_argument("--only", action="append", choices=sorted(CASES))
    args.add_argument("--out", type=pathlib.Path, required=True)
    args = args.parse_args()
    began = time.monotonic()
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    tried = Tried(args.out)
    in_memory()

    def give_up():
        return args.seconds and time.monotonic() - began > args.seconds

    with Demo(postfix=False) as demo:
        demo.start()
        forger, judge = Forger(), Judge(demo)
        cases = {name: CASES[name](demo, forger)
                 for name in args.only or CASES}
        calls = Calls(args.out.parent if args.places else demo.top)
        for row in new_places(judge, cases, calls, give_up, tried.trying) \
                if args.places else \
                numbered(args, judge, cases, calls, tried, give_up):
            tried.add(row)
    rows = tried.mine
    print("\n".join(table(rows)))
    print(f"{datetime.date.today()} seed {args.seed}, sample {args.sample}: "
          f"{len(rows)} tried, "
          f"{sum('alike' in r for r in rows)} of them left what another had "
          f"left, {len(wrong(rows))} wrong, "
          f"{round(time.monotonic() - began)} s\n")
    print("\n".join(campaigns("Calls that fail", args.out, tried.all,
                              "judged")))
    return 1 if wrong(rows) else 0


if __name__ == "__main__":
    sys.exit(main())
