#!/usr/bin/env python3
"""The campaign of hostile servers: each row of the table, tried (trial.py).

--table writes what sceau did, as in tests/RESULTS.md.
"""

import argparse
import datetime
import json
import logging
import pathlib
import random
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
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


def read(path):
    """What was tried already, of the rows that there still are."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [r for r in rows if key(r) in TABLE]


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
    args.out.parent.mkdir(parents=True, exist_ok=True)
    rows = read(args.out) if args.out.exists() else []
    if args.table:
        print("\n".join([head(rows), "", *summary(rows), "",
                         *table(rows)]))
        return 0
    began, todo = time.monotonic(), list(TABLE.values())
    random.Random(args.seed).shuffle(todo)
    done = {key(r) for r in rows}
    with Demo(postfix=False) as demo, open(args.out, "a") as out:
        demo.start()
        forger = Forger()
        for b in todo[:len(todo) // args.sample]:
            if (args.only or "") not in b.key or b.key in done:
                continue
            if args.seconds and time.monotonic() - began > args.seconds:
                break
            rows.append({"protocol": b.protocol, "step": b.step,
                         "name": b.name, **one(demo, forger, b)})
            print(json.dumps(rows[-1]), file=out, flush=True)
            if rows[-1]["verdict"] != "ok":
                print(rows[-1], flush=True)
    wrong = [r for r in rows if r["verdict"] != "ok"]
    print("\n".join(summary(rows)))
    print(f"\n{datetime.date.today()} seed {args.seed}: {len(TABLE)} "
          f"behaviours, {len(rows)} tried, {len(wrong)} wrong, "
          f"{round(time.monotonic() - began)} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
