#!/usr/bin/env python3
"""The crash campaign: the day of fault/day.py is lived again and again, each
time with one death in it, and judged at its end.

Deaths: at each passage of each FAULT point; of the whole run, and of
each process alone, at each n-th write, sync, change of name, network call and
message between them.  --sample keeps one death in so many, chosen by --seed.
"""

import datetime
import pathlib
import random
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from fault import lives, tried                  # noqa: E402
from world.fault import PARTS                   # noqa: E402
from world.verdict import CRASHED               # noqa: E402

# Transition: the points that stand before and after it, and in which steps of
# the day, where that matters: "POINT STEP".  The states I and Q are those of
# DESIGN.  A name may stand in several lines.
MATRIX = {
    "I0-I1 fetched": r"(keeper\.fetched|store\.in\.put|fetch\.mail)\b",
    "I1    claimed": r"store\.in\.claim\b",
    "I1-I2 intent": r"(keeper\.intent|store\.in\.intent)\b",
    "I2    filed": r"(drop\.name|clerk\.sync)\b",
    "I2-I3 delivered": r"(keeper\.delivered|store\.in\.delivered)\b",
    "I1-I3 known already": r"store\.in\.duplicate\b",
    "I3-I4 released": r"(fetch\.release|store\.released)\b",
    "I     vanished, renumbered": r"store\.list\b",
    "I     mailbox elsewhere": r"store\.account\b",
    "I1-IH held": r"store\.in\.hold\b",
    "IH-I1 tried again": r"store\.held\.retry\b",
    "IH    thrown away": r"store\.held\.drop\b",
    "in    clear, passed over": r"(keeper\.unsealed|store\.in\.pass)\b",
    "filed once more": r"(store\.refile|keeper\.refiled|store\.refiled)\b",
    "taken by the software": r"(keeper\.watch|store\.watch)\b",
    "outbox read": r"outbox\.(read|pull|pulled)\b",
    "outbox refused": r"outbox\.refuse\b",
    "outbox, a file that is known": r"store\.outbox\.seen\b",
    "outbox queued": r"outbox\.queue\b",
    "outbox taken away": r"(outbox\.away|store\.outbox\.forget)\b",
    "outbox, a file that has gone": r"store\.outbox\.sweep\b",
    "Q1    sealed": r"store\.body\.(begin|append)\b",
    "Q1    body given up, freed": r"store\.body\.(abandon|reap)\b",
    "Q1-Q2 queued": r"(keeper\.submit|store\.out\.submit)\b",
    "Q2-Q3 claimed": r"store\.out\.claim\b",
    "Q3-Q4 sent": r"(relay\.mail|keeper\.sent|store\.out\.sent)\b",
    "Q3-Q2 deferred": r"store\.out\.(defer|unclaim)\b",
    "Q3-Q5 failed": r"store\.(out\.fail|notice)\b",
    "Q4    came back": r"store\.out\.bounced\b",
    "Q2-Q5 too old": r"store\.out\.overdue\b",
    "Q5-Q2 tried again": r"store\.out\.retry\b",
    "Q2    thrown away": r"store\.out\.drop\b",
    "Q4    received, opened, refused, damaged":
        r"store\.in\.delivered\.\w+ (acks|told)$",
    "acknowledgement sealed": r"keeper\.ack\b",
    "acknowledgement put off": r"store\.ack\.defer\b",
    "acknowledgement given up": r"store\.ack\.drop\b",
    "sealed again at the gateway": r"(keeper\.relay|store\.hub\.relay)\b",
    "gateway, too much for a day": r"store\.hub\.over\b",
    "route suspended, free again": r"store\.relay\.(suspend|ok)\b",
    "mailbox down, up again": r"store\.down\b",
    "bulletin awaited": r"store\.bulletin\b",
    "bulletin made": r"keeper\.bulletin\b",
    "member barred": r"store\.(bar|desk)\b",
    "alarm found": r"store\.alarm\.(before|after)",
    "alarm told": r"(store\.)?alarm\.told\b",
    "alarms of a day told": r"(store\.digest|digest|starter\.tell)\b",
    # register_chain() writes in the transaction of what it is about
    "register, in each transaction": r"store\.",
    "events": r"store\.(event|expire)\b",
    "clock seen": r"store\.clock\b",
    "clock corrected": r"store\.overdue\b",
    "own keys looked at": r"store\.keys\b",
    "key taken in": r"file\.rename\.\w+ (key|key again|next key)$",
    "key year erased":
        r"(erase\.(renewed|rolled)|keystore\.roll|store\.(erased|row))\b",
    "looked at": r"(erase\.confined|filter\.\w+|key\.opened)\b",
    "store made": r"store\.schema\b",
    "store freed of the dead": r"store\.sweep\b",
    "store mended": r"store\.(mend|exchange)\b",
    "restored": r"store\.restored\b",
    "file  replaced": r"file\.rename\b",
    "issuer: act noted, witness": r"(acts|witness)\.",
    "issuer: key file, letter": r"batch\.",
    "issuer: sheets": r"sheets\.",
    "begin and end of a process":
        r"(main|sandbox|starter\.started|fetch\.open|vault\.end)\b",
}
# Those that do not happen in the day: who dies there instead.
ACTS = "e2e/test_crash_acts.py"
ELSEWHERE = {
    "IH    thrown away": ACTS,
    "outbox, a file that is known": ACTS,
    "outbox, a file that has gone": ACTS,
    "Q1    body given up, freed": ACTS,
    "Q4    came back": ACTS,
    "Q2-Q5 too old": ACTS,
    "Q2    thrown away": ACTS,
    "acknowledgement put off": ACTS,
    "acknowledgement given up": "nobody: no part of sceau does it yet",
    "gateway, too much for a day": ACTS,
    "mailbox down, up again": ACTS,
    "bulletin made": "e2e/test_watch.py",
    "member barred": ACTS,
    "alarm told": ACTS,
    "alarms of a day told": "e2e/test_follow.py",
    "clock corrected": ACTS,
    "key year erased": "e2e/test_year_over.py",
    "looked at": "nobody: nothing was written; e2e/test_core.py looks there",
    "store freed of the dead": ACTS,
    "store mended": "e2e/test_disk.py",
    "restored": "e2e/test_disk.py",
    "issuer: act noted, witness": "e2e/test_issuer_desk.py",
    "issuer: key file, letter": "e2e/test_issuer_acts.py",
    "issuer: sheets": "e2e/test_letters.py",
}
CLASSES = ("write", "sync", "rename", "net")
ALONE = (*CLASSES, "ipc")


def deaths(seen):
    """(step, kind, what, n) of every death that the survey found."""
    for step, (points, calls) in seen.items():
        for name, times in sorted(points.items()):
            for n in range(1, times + 1):
                yield step, "point", name, n
        for what in CLASSES:
            for n in range(1, sum(r.get(what, 0) for r in calls.values()) + 1):
                yield step, "all", what, n
        for part, row in sorted(calls.items()):
            for what in ALONE:
                for n in range(1, row.get(what, 0) + 1):
                    yield step, part, what, n


def one(day, step, kind, what, n, rows=None):
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
    row = {"step": step, "kind": kind, "what": what, "n": n,
           "died": died, "code": got.code}
    if kind == "all" and died and got.code not in CRASHED:
        return row | {"left": "", "way": [],
                      "verdict": f"WRONG: exit {got.code}"}
    return lives.go_on(day, at, row, rows)


def name(row):
    return row["step"], row["kind"], row["what"], row["n"]


def every(args, seen):
    return lives.chosen(
        [x for x in deaths(seen) if x[1] == "point" or not args.points],
        random.Random(args.seed), args.sample, lambda x: x[1] == "point")


def live(day, rows, death):
    rows.add(one(day, *death, rows=rows))


def stands(transition, point, step=""):
    """Is that point in that step of the day one of its?"""
    return re.match(MATRIX[transition], f"{point} {step}")


def verdict(rows, elsewhere=None):
    died = [r for r in rows if r["died"]]
    bad = sum(r["verdict"] != "ok" for r in died)
    missing = f"not in the day: {elsewhere}" if elsewhere else "not reached"
    return f"| {len(died)} | {missing if not died else bad or 'ok'} |"


def matrix(rows):
    """The transitions, then each kind of call: how many died there."""
    yield "| where | deaths | verdict |\n|---|--:|---|"
    for transition in MATRIX:
        yield f"| {' '.join(transition.split())} " + verdict(
            [r for r in rows if r["kind"] == "point" and
             stands(transition, r["what"], r["step"])],
            ELSEWHERE.get(transition))
    for kind in ("all", *PARTS):
        for what in ALONE:
            mine = [r for r in rows if (r["kind"], r["what"]) == (kind, what)]
            if mine:
                who = "whole run" if kind == "all" else f"the {kind} alone"
                yield f"| {who}, {what} " + verdict(mine)


def main():
    args = lives.arguments("crash")
    possible, between, rows, seconds = lives.live(args, every, name, live)
    engine = f" E={args.engine}" if args.engine else ""
    print(f"{datetime.date.today()}, `make check-crash SEED={args.seed}"
          f"{engine}`, "
          f"{seconds} s: of {possible} deaths that are possible, {len(rows)} "
          f"were died, {between} lie between two that left the same and were "
          f"not; {lives.ended(rows)}\n")
    print("\n".join([*matrix(rows), "",
                     *tried.campaigns("Crash campaign", args.out, rows)]))
    return 1 if tried.wrong(rows) else 0


if __name__ == "__main__":
    sys.exit(main())
