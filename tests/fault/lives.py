"""What the campaigns of deaths and of power cuts have in common: the day is
lived again for each, by several at once, and goes on to its end for each
machine that is left like no other before.

What was tried stands in --out, a row each, and is not tried again; all who
live read there what the others have seen.  One in AGAIN of those that are
left like another goes on all the same: it must be judged alike.
"""

import argparse
import concurrent.futures
import json
import logging
import os
import pathlib
import random
import tempfile
import time
import zlib
from collections import Counter

from fault.alike import Picture
from fault.day import Day
from world.demo import Demo

AGAIN = 50


class Rows:
    """Those of --out, and of the others who write there."""

    def __init__(self, path):
        self.all, self.known = [], {}
        path.parent.mkdir(parents=True, exist_ok=True)
        self.out = open(path, "ab", buffering=0)
        self.file = open(path, encoding="utf-8")
        self.look()

    def look(self):
        for line in self.file:
            row = json.loads(line)
            self.all.append(row)
            if row["left"] and "alike" not in row:
                self.known.setdefault((row["step"], row["left"]), row)

    def add(self, row):
        """In one write, behind what all others have written."""
        self.out.write((json.dumps(row) + "\n").encode())
        self.look()
        if row["verdict"] != "ok":
            print(row, flush=True)


def go_on(day, at, row, rows=None):
    """The rest of a day whose step ended as row says: its verdict into row.
    rows: what is known; None: nothing."""
    who = day.steps[at][1]
    row["left"] = Picture(day.demo, who, row["code"] == 0).digest
    like = rows and rows.known.get((row["step"], row["left"]))
    if like and random.randrange(AGAIN) != 0:
        row |= {"verdict": like["verdict"], "alike": True}
        return row
    try:
        row |= day.end(at, row["code"])
        row["verdict"] = "ok"
    except AssertionError as e:
        row["verdict"] = f"WRONG: {e}"[:500]
    if like and like["verdict"] != row["verdict"]:
        row["verdict"] += f"; UNLIKE: {like['verdict']}"
    return row


def chosen(every, rng, sample, kind, first=lambda x: False, late=False):
    """Each kind once before any twice, and of those the first: a short run
    reaches all.  late: of each kind first what leaves least of the day."""
    todo = [x for x in every if sample == 1 or rng.randrange(sample) == 0]
    if late:
        todo.reverse()
    else:
        rng.shuffle(todo)
    times, order = Counter(), {}
    for x in todo:
        order[x] = times[kind(x)]
        times[kind(x)] += 1
    return sorted(todo, key=lambda x: (order[x], not first(x)))


def arguments(name):
    args = argparse.ArgumentParser(prog=name)
    args.add_argument("--seed", type=int, default=1)
    args.add_argument("--sample", type=int, default=1)
    args.add_argument("--points", action="store_true",
                      help="at FAULT points only")
    args.add_argument("--seconds", type=int, help="stop after so long")
    args.add_argument("--jobs", type=int, default=2)
    args.add_argument("--out", type=pathlib.Path, required=True)
    return args.parse_args()


def _live(args, part, every, name, one):
    began, rows = time.monotonic(), Rows(args.out)
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    if os.access("/dev/shm", os.W_OK):
        tempfile.tempdir = "/dev/shm"
    done = {name(r) for r in rows.all}
    with Demo(postfix=False) as demo:
        demo.start()
        day = Day(demo)
        mine = [x for x in every(args, day.survey())
                if zlib.crc32(repr(x).encode()) % args.jobs == part]
        for x in mine:
            if args.seconds and time.monotonic() - began > args.seconds:
                break
            if x not in done:
                one(day, rows, x)
    return len(mine)


def live(args, every, name, one):
    """(how many are possible, rows, seconds).  every(args, seen): what to
    live, in order; name(row): which of them that was; one(day, rows, x): live
    it."""
    began = time.monotonic()
    with concurrent.futures.ProcessPoolExecutor(args.jobs) as pool:
        futures = [pool.submit(_live, args, part, every, name, one)
                   for part in range(args.jobs)]
        possible = sum(f.result() for f in futures)
    rows = Rows(args.out).all
    return possible, rows, round(time.monotonic() - began)


def wrong(rows):
    return [r for r in rows if r["verdict"] != "ok"]


def ended(rows):
    """What is said of all of them."""
    to_the_end = [r for r in rows if "alike" not in r]
    left = len({(r["step"], r["left"]) for r in to_the_end})
    return (f"they left {left} machines that are unlike, and "
            f"{len(to_the_end)} days were lived to their end; "
            f"{len(wrong(rows))} wrong, "
            f"{sum(r.get('flagged', 0) for r in to_the_end)} documents shown "
            "again and flagged.")
