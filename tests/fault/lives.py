"""What the campaigns of deaths and of power cuts have in common: the day is
lived again for each, by several at once, and goes on until it stands where
another has stood, which was judged; or to its end.

What was tried stands in --out, a row each, and is not tried again; all who
live read there what the others have seen.  One in AGAIN goes on to its end in
any case: it must be judged like all whose way it has crossed.
"""

import argparse
import concurrent.futures
import datetime
import itertools
import json
import logging
import os
import pathlib
import random
import subprocess
import tempfile
import time
import traceback
import zlib

from fault.day import Day
from fault.tried import forget_wrong, this_program, wrong
from world.demo import Demo

AGAIN = 50


class Rows:
    """Those of --out, and of the others who write there; name(row): what was
    lived.  known: where they stood, with that program."""

    def __init__(self, path, name, engine=None):
        self.all, self.known, self.name, self.lines = [], {}, name, {}
        self.program = this_program(engine)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.out = open(path, "ab", buffering=0)
        self.file = open(path, encoding="utf-8")
        self.look()

    def look(self):
        for line in self.file:
            row = json.loads(line)
            self.all.append(row)
            *line, n = self.name(row)
            line = self.lines.setdefault(tuple(line), {})
            line.setdefault(n, set()).add(row["left"])
            if row["program"] == self.program:
                self.know(row["way"], row)

    def know(self, way, row):
        for where in way:
            self.known.setdefault(tuple(where), row)

    def between(self, x):
        """Those before and behind it in its line have left the same."""
        line, n = self.lines.get(x[:-1], {}), x[-1]
        before = max((i for i in line if i < n), default=None)
        behind = min((i for i in line if i > n), default=None)
        return None not in (before, behind) and \
            line[before] == line[behind] and "" not in line[before]

    def add(self, row):
        """In one write, behind what all others have written."""
        row |= {"program": self.program, "day": str(datetime.date.today())}
        self.out.write((json.dumps(row) + "\n").encode())
        self.look()
        if row["verdict"] != "ok":
            print(row, flush=True)


def in_memory():
    """What is made from now on, where that can be."""
    if os.access("/dev/shm", os.W_OK):
        tempfile.tempdir = "/dev/shm"


def go_on(day, at, row, rows=None):
    """The rest of a day whose step ended as row says, its verdict into row;
    way: where it stood that nobody had seen; alike: where another had stood
    and it was not lived on.  rows: what is known; None: nothing."""
    codes, met = {row["step"]: row["code"]}, []
    row |= {"left": "", "way": []}
    known = rows.known if rows else {}
    again = random.randrange(AGAIN) == 0
    try:
        for step in day.goes_on(at, codes):
            where = step, day.left(codes)
            if step == row["step"]:
                row["left"] = where[1]
            if where in known:
                met.append(known[where])
                if not again:
                    return row | _like(met[-1], step)
            elif where[1]:
                row["way"].append(where)
        row |= day.judge(codes) | {"verdict": "ok"}
    except (AssertionError, subprocess.TimeoutExpired) as e:
        row["verdict"] = wrong_of(e, day.demo)
    unlike = [m["verdict"] for m in met if m["verdict"] != row["verdict"]]
    if unlike:
        row["verdict"] += f"; UNLIKE: {unlike[0]}"
    return row


def wrong_of(e, world):
    """What an exception says, and where it was raised."""
    if world.dovecot.process.poll() is not None:
        raise RuntimeError("the server has ended: nothing can be judged")
    at = traceback.extract_tb(e.__traceback__)[-1]
    return f"WRONG: {pathlib.Path(at.filename).name}:{at.lineno}: {e}"[:600]


def _like(other, step):
    return {"verdict": other["verdict"], "flagged": other.get("flagged", 0),
            "alike": step}


def spread(n):
    """0 to n - 1, at every moment as evenly as can be: the ends, the middle,
    the quarters."""
    bits = max(n - 1, 1).bit_length()
    order = (int(f"{i:0{bits}b}"[::-1], 2) for i in range(1 << bits))
    return list(dict.fromkeys([*range(n)[:1], *range(n)[-1:],
                               *(i for i in order if i < n)]))


def chosen(every, rng, sample, first=lambda x: False):
    """In the order in which to live them: of each line, what differs in its
    number only, one before any two, spread over it."""
    lines = {}
    for x in every:
        if sample == 1 or rng.randrange(sample) == 0:
            lines.setdefault(x[:-1], []).append(x)
    order = list(lines.values())
    rng.shuffle(order)
    ranked = [(rank, not first(line[i]), line[i]) for line in order
              for rank, i in enumerate(spread(len(line)))]
    return [x for _, _, x in sorted(ranked, key=lambda r: r[:2])]


def arguments(name):
    args = argparse.ArgumentParser(prog=name)
    args.add_argument("--seed", type=int, default=1)
    args.add_argument("--sample", type=int, default=1)
    args.add_argument("--points", action="store_true",
                      help="at FAULT points only")
    args.add_argument("--seconds", type=int, help="stop after so long")
    args.add_argument("--jobs", type=int, default=2)
    args.add_argument("--engine", help="of the relays: esmtp, curl, sceau; "
                      "another program, as far as figures go")
    args.add_argument("--out", type=pathlib.Path, required=True)
    return args.parse_args()


def _live(args, part, every, name, one):
    began, rows = time.monotonic(), Rows(args.out, name, args.engine)
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)
    in_memory()
    done = {name(r) for r in rows.all}
    with Demo(postfix=False) as demo:
        demo.start()
        day = Day(demo, args.engine)
        mine = [x for x in every(args, day.survey())
                if zlib.crc32(repr(x).encode()) % args.jobs == part]
        rows.know(day.way, {"verdict": "ok"})
        todo, later = [x for x in mine if x not in done], {}
        for x in itertools.chain(todo, later):
            if args.seconds and time.monotonic() - began > args.seconds:
                break
            if x not in later and rows.between(x):
                later[x] = True
            else:
                one(day, rows, x)
        done = {name(r) for r in rows.all}
    return len(mine), sum(x not in done and rows.between(x) for x in mine)


def _ended_early(worker):
    """Its deaths are missing at the end, which may be hours away."""
    if worker.exception():
        print(f"a worker has ended: {worker.exception()}", flush=True)


def live(args, every, name, one):
    """(how many are possible, how many of those were not lived since they lie
    between two that left the same, rows, seconds).  every(args, seen): what
    to live, in order; name(row): which of them that was; one(day, rows, x):
    live it."""
    began = time.monotonic()
    forget_wrong(args.out)
    with concurrent.futures.ProcessPoolExecutor(args.jobs) as pool:
        futures = [pool.submit(_live, args, part, every, name, one)
                   for part in range(args.jobs)]
        for f in futures:
            f.add_done_callback(_ended_early)
        possible, between = (sum(n) for n in zip(
            *(f.result() for f in futures)))
    rows = Rows(args.out, name, args.engine).all
    return possible, between, rows, round(time.monotonic() - began)


def ended(rows):
    """What is said of all of them."""
    to_the_end = [r for r in rows if "alike" not in r]
    first = [r for r in rows if r.get("alike") == r["step"]]
    return (f"{len(first)} left what another had left, "
            f"{len(rows) - len(first) - len(to_the_end)} came to it later, "
            f"{len(to_the_end)} were lived to the end of the day; "
            f"{len(wrong(rows))} wrong, "
            f"{sum(r.get('flagged', 0) for r in to_the_end)} documents shown "
            "again and flagged.")
