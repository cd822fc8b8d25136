#!/usr/bin/env python3
"""The campaign of power cuts: the day of fault/day.py is lived again and
again; in one step, at a FAULT point, at the n-th write, sync, change of name
or network call, or when the step has just ended, the power of that machine
fails.  From the
record of what it wrote (world/power.py) the disks are made that this could
leave; from each of them the machine goes on, and the day is judged at its
end.  Mailboxes, the relay and the others are other machines: they keep what
they had at that moment.

What a command finds when it begins is durable: the one before ended minutes
ago.  --sample keeps one cut in so many, chosen by --seed; what was tried
stands in --out and is not tried again.
"""

import argparse
import datetime
import json
import logging
import pathlib
import random
import sys
import time
from collections import Counter

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from fault.day import Day                           # noqa: E402
from world.demo import Demo                         # noqa: E402
from world.power import CHOICES, Disk, Record       # noqa: E402

CLASSES = ("write", "sync", "rename", "net")


def cuts(seen):
    """(step, what, n) of every cut that the survey found."""
    for step, (points, calls) in seen.items():
        yield step, "end", 0
        for name, times in sorted(points.items()):
            for n in sorted({1, times}):
                yield step, name, n
        for what in CLASSES:
            for n in range(1, sum(r.get(what, 0) for r in calls.values()) + 1):
                yield step, what, n


class Cut:
    """One cut, and the disks it can leave; deaf: see Disk."""

    def __init__(self, day, step, what, n, deaf=None):
        self.day, self.step, self.what, self.n = day, step, what, n
        record = Record(day.demo.top)
        self.at = day.from_step(step)
        self.disk = Disk(day.steps[self.at][1].folder, deaf)
        env = day.calls.env(what, n, "killall") if what in CLASSES else \
            {"SCEAU_FAULT": f"{what}#{n}:kill", **day.calls.env()}
        self.code = day.step(self.at, **record.env(**env)).code
        self.disk.play(record)
        day.demo.save("cut")

    def image(self, how, rng=None):
        return self.disk.image(self.disk.choice(how, rng))

    def images(self, rng):
        """(choice, image), each disk that is unlike the others once."""
        known = []
        for how in CHOICES:
            image = self.image(how, rng)
            if image not in known:
                known.append(image)
                yield how, image

    def judged(self, how, image):
        self.day.demo.load("cut")
        self.disk.put(image)
        row = {"step": self.step, "what": self.what, "n": self.n, "how": how,
               "code": self.code, "open": len(self.disk.open)}
        try:
            row |= self.day.end(self.at, self.code)
            row["verdict"] = "ok"
        except AssertionError as e:
            row["verdict"] = f"WRONG: {e}"[:500]
        return row


def chosen(every, rng, sample):
    """Each kind once before any twice: a short run reaches all."""
    todo = [x for x in every if sample == 1 or rng.randrange(sample) == 0]
    rng.shuffle(todo)
    times, order = Counter(), {}
    for x in todo:
        order[x] = times[x[:2]]
        times[x[:2]] += 1
    return sorted(todo, key=order.get)


def table(rows):
    """Per step: cuts, disks, the most that was open, what was wrong."""
    yield "| step | cuts | disks | open, at most | wrong |"
    yield "|---|--:|--:|--:|--:|"
    for step in dict.fromkeys(r["step"] for r in rows):
        mine = [r for r in rows if r["step"] == step]
        yield (f"| {step} | {len({(r['what'], r['n']) for r in mine})} | "
               f"{len(mine)} | {max(r['open'] for r in mine)} | "
               f"{sum(r['verdict'] != 'ok' for r in mine)} |")


def live(args, rows, out):
    rng, began = random.Random(args.seed), time.monotonic()
    done = {(r["step"], r["what"], r["n"]) for r in rows}
    with Demo(postfix=False) as demo:
        demo.start()
        day = Day(demo)
        every = list(cuts(day.survey()))
        for cut in chosen(every, rng, args.sample):
            if args.seconds and time.monotonic() - began > args.seconds:
                break
            if cut in done:
                continue
            here = Cut(day, *cut)
            for image in here.images(random.Random(f"{args.seed}{cut}")):
                rows.append(here.judged(*image))
                print(json.dumps(rows[-1]), file=out, flush=True)
                if rows[-1]["verdict"] != "ok":
                    print(rows[-1], flush=True)
    return len(every), round(time.monotonic() - began)


def main():
    args = argparse.ArgumentParser(prog="cut")
    args.add_argument("--seed", type=int, default=1)
    args.add_argument("--sample", type=int, default=1)
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
    print(f"{datetime.date.today()}, `make check-power SEED={args.seed}`, "
          f"{seconds} s: of {possible} cuts that are possible, "
          f"{len({(r['step'], r['what'], r['n']) for r in rows})} were lived, "
          f"on {len(rows)} disks; {len(wrong)} wrong, "
          f"{sum(r.get('flagged', 0) for r in rows)} mails shown again and "
          "flagged.\n")
    print("\n".join(table(rows)))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
