#!/usr/bin/env python3
"""The crash campaign: the day of fault/day.py is lived again and again, each
time with one death in it, and judged at its end.

Deaths: at each FAULT point (first and last passage); of the whole run, and of
each process alone, at each n-th write, sync, change of name, network call and
message between them.  --sample keeps one death in so many, chosen by --seed;
what was tried stands in --out and is not tried again.
"""

import argparse
import datetime
import json
import logging
import pathlib
import random
import re
import sys
import time
from collections import Counter

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from fault.day import Day                       # noqa: E402
from world.demo import Demo                     # noqa: E402
from world.fault import PARTS                   # noqa: E402
from world.verdict import CRASHED               # noqa: E402

# Transition: the points that stand before and after it.
MATRIX = {
    "I0-I1 fetched": r"(keeper\.fetched|store\.in\.put|fetch\.mail)\b",
    "I1-I2 intent": r"(keeper\.intent|store\.in\.intent)\b",
    "I2    filed": r"(drop\.name|clerk\.sync)\b",
    "I2-I3 delivered": r"(keeper\.delivered|store\.in\.delivered)\b",
    "I3-I4 released": r"(fetch\.release|store\.released)\b",
    "I1-IH held": r"store\.in\.hold\b",
    "IH-I1 tried again": r"store\.held\.retry\b",
    "   -Q1 sealed": r"store\.body\.\w+",
    "Q1-Q2 queued": r"(keeper\.submit|store\.out\.submit)\b",
    "Q2-Q3 claimed": r"store\.out\.claim\b",
    "Q3-Q4 sent": r"(relay\.mail|keeper\.sent|store\.out\.sent)\b",
    "Q3-Q2 deferred": r"store\.out\.(defer|unclaim)\b",
    "Q3-Q5 failed": r"store\.(out\.fail|out\.bounced|notice)\b",
    "ack   sealed": r"keeper\.ack\b",
    "hub   sealed again": r"(keeper\.relay|store\.hub\.relay)\b",
    "register": r"store\.(row|event|list)\b",
    "file  replaced": r"file\.rename\b",
}
CLASSES = ("write", "sync", "rename", "net")
ALONE = (*CLASSES, "ipc")


def deaths(seen):
    """(step, kind, what, n) of every death that the survey found."""
    for step, (points, calls) in seen.items():
        for name, times in sorted(points.items()):
            for n in sorted({1, times}):
                yield step, "point", name, n
        for what in CLASSES:
            for n in range(1, sum(r.get(what, 0) for r in calls.values()) + 1):
                yield step, "all", what, n
        for part, row in sorted(calls.items()):
            for what in ALONE:
                for n in range(1, row.get(what, 0) + 1):
                    yield step, part, what, n


def one(day, step, kind, what, n):
    """Live a day with that death: {"verdict": ..., ...}."""
    if kind == "point":
        env = {"SCEAU_FAULT": f"{what}#{n}:kill", **day.calls.env()}
    elif kind == "all":
        env = day.calls.env(what, n, "killall")
    else:
        env = day.calls.env(what, n, "kill", part=kind)
    at = day.from_step(step)
    got = day.step(at, **env)
    died = day.calls.fired or any(w in got.stderr for w in (
        b"signal=9", b"process.died")) or got.code == -9
    result = {"step": step, "kind": kind, "what": what, "n": n,
              "died": died, "code": got.code}
    try:
        assert not died or got.code in CRASHED or kind != "all", \
            f"exit {got.code}"
        result |= day.end(at, got.code)
        result["verdict"] = "ok"
    except AssertionError as e:
        result["verdict"] = f"WRONG: {e}"[:500]
    return result


def verdict(rows):
    died = [r for r in rows if r["died"]]
    bad = sum(r["verdict"] != "ok" for r in died)
    return f"| {len(died)} | {'not reached' if not died else bad or 'ok'} |"


def matrix(rows):
    """The transitions, then each kind of call: how many died there."""
    yield "| where | deaths | verdict |\n|---|--:|---|"
    for name, points in MATRIX.items():
        yield f"| {' '.join(name.split())} " + verdict(
            [r for r in rows if r["kind"] == "point" and
             re.match(points, r["what"])])
    for kind in ("all", *PARTS):
        for what in ALONE:
            mine = [r for r in rows if (r["kind"], r["what"]) == (kind, what)]
            if mine:
                who = "whole run" if kind == "all" else f"the {kind} alone"
                yield f"| {who}, {what} " + verdict(mine)


def chosen(every, rng, sample):
    """Each kind once before any twice, a point before other calls: a short
    run reaches all transitions."""
    todo = [x for x in every if sample == 1 or rng.randrange(sample) == 0]
    rng.shuffle(todo)
    times, order = Counter(), {}
    for x in todo:
        order[x] = times[x[1:3]]
        times[x[1:3]] += 1
    return sorted(todo, key=lambda x: (order[x], x[1] != "point"))


def live(args, rows, out):
    rng, began = random.Random(args.seed), time.monotonic()
    done = {(r["step"], r["kind"], r["what"], r["n"]) for r in rows}
    with Demo(postfix=False) as demo:
        demo.start()
        day = Day(demo)
        every = [x for x in deaths(day.survey())
                 if x[1] == "point" or not args.points]
        for death in chosen(every, rng, args.sample):
            if args.seconds and time.monotonic() - began > args.seconds:
                break
            if death in done:
                continue
            rows.append(one(day, *death))
            print(json.dumps(rows[-1]), file=out, flush=True)
            if rows[-1]["verdict"] != "ok":
                print(rows[-1], flush=True)
    return len(every), round(time.monotonic() - began)


def main():
    args = argparse.ArgumentParser(prog="crash")
    args.add_argument("--seed", type=int, default=1)
    args.add_argument("--sample", type=int, default=1)
    args.add_argument("--points", action="store_true",
                      help="at FAULT points only")
    args.add_argument("--seconds", type=int, help="stop after so long")
    args.add_argument("--out", type=pathlib.Path, required=True)
    args = args.parse_args()
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    rows = [json.loads(line) for line in args.out.read_text().splitlines()] \
        if args.out.exists() else []
    with open(args.out, "a") as out:
        possible, seconds = live(args, rows, out)
    wrong = [r for r in rows if r["verdict"] != "ok"]
    print(f"{datetime.date.today()}, `make check-crash SEED={args.seed}`, "
          f"{seconds} s: of {possible} deaths that are possible, {len(rows)} "
          f"were lived; {len(wrong)} wrong, "
          f"{sum(r.get('flagged', 0) for r in rows)} mails shown again and "
          "flagged.\n")
    print("\n".join(matrix(rows)))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
