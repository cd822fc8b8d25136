#!/usr/bin/env python3
"""The campaign of hostile servers: each row of the table, tried (trial.py).

--table writes what sceau did, as in tests/RESULTS.md.
"""

import argparse
import datetime
import logging
import pathlib
import random
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from fault.tried import Tried, campaigns, wrong     # noqa: E402
from hostile.report import head, summary, table     # noqa: E402
from hostile.table import TABLE             # noqa: E402
from hostile.trial import trial_of          # noqa: E402
from world.demo import Demo, Forger         # noqa: E402


NOTHING = {"code": "", "seconds": 0, "peak_kb": 0, "said": ""}


def one(demo, forger, behaviour):
    trial = trial_of(demo, forger, behaviour)
    try:
        trial.run()
        return {**NOTHING, **trial.facts, "verdict": "ok"}
    except (AssertionError, subprocess.TimeoutExpired) as e:
        return {**NOTHING, **trial.facts, "verdict": f"WRONG: {e}"[:600]}


def known(rows):
    """Of the behaviours that there still are."""
    return [r for r in rows if key(r) in TABLE]


def latest(tried):
    """Rows of the program under test, or else of the one that was last: a
    table is that of one program."""
    rows = known(tried.all)
    name = tried.program if known(tried.mine) or not rows else \
        rows[-1]["program"]
    return [r for r in rows if r["program"] == name]


def key(row):
    return f"{row['protocol']} {row['step']} {row['name']}"


def main():
    args = argparse.ArgumentParser(prog="hostile")
    args.add_argument("--seed", type=int, default=1)
    args.add_argument("--sample", type=int, default=1)
    args.add_argument("--seconds", type=int, help="stop after so long")
    args.add_argument("--only", help="part of the name of a row")
    args.add_argument("--table", action="store_true", help="from --out alone")
    args.add_argument("--out", type=pathlib.Path, required=True)
    args = args.parse_args()
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    tried = Tried(args.out, again=not args.table)
    if args.table:
        rows = latest(tried)
        print("\n".join([head(rows), "", *summary(rows), "", *table(rows),
                         "", *programs(args, tried)]))
        return 0
    began, todo = time.monotonic(), list(TABLE.values())
    random.Random(args.seed).shuffle(todo)
    done = {key(r) for r in tried.mine}
    with Demo(postfix=False) as demo:
        demo.start()
        forger = Forger()
        for b in todo[:len(todo) // args.sample]:
            if (args.only or "") not in b.key or b.key in done:
                continue
            if args.seconds and time.monotonic() - began > args.seconds:
                break
            which = {"protocol": b.protocol, "step": b.step, "name": b.name}
            tried.trying(**which)
            tried.add({**which, **one(demo, forger, b)})
    rows = known(tried.mine)
    print("\n".join(summary(rows)))
    print(f"\n{datetime.date.today()} seed {args.seed}: {len(TABLE)} "
          f"behaviours, {len(rows)} tried, {len(wrong(rows))} wrong, "
          f"{round(time.monotonic() - began)} s\n")
    print("\n".join(programs(args, tried)))
    return 1 if wrong(rows) else 0


def programs(args, tried):
    return campaigns("Hostile servers", args.out, known(tried.all), "judged")


if __name__ == "__main__":
    sys.exit(main())
