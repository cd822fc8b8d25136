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
ago.  --sample keeps one cut in so many, chosen by --seed.
"""

import datetime
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from fault import lives, tried                      # noqa: E402
from world.power import CHOICES, Disk, Record       # noqa: E402

CLASSES = ("write", "sync", "rename", "net")


def cuts(seen):
    """(step, what, n) of every cut that the survey found."""
    for step, (points, calls) in seen.items():
        yield step, "end", 0
        for point, times in sorted(points.items()):
            for n in range(1, times + 1):
                yield step, point, n
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
        day.place("cut")

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

    def judged(self, how, image, rows=None):
        self.day.back_to("cut")
        self.disk.put(image)
        self.day.pictures.touched.add(self.day.steps[self.at][1])
        return lives.go_on(self.day, self.at, {
            "step": self.step, "what": self.what, "n": self.n, "how": how,
            "code": self.code, "open": len(self.disk.open)}, rows)


def name(row):
    return row["step"], row["what"], row["n"]


def every(args, seen):
    return lives.chosen(
        [x for x in cuts(seen) if not args.points or x[1] not in CLASSES],
        random.Random(args.seed), args.sample)


def live(day, rows, cut):
    here = Cut(day, *cut)
    for how, image in here.images(random.Random(str(cut))):
        rows.add(here.judged(how, image, rows))


def table(rows):
    """Per step: cuts, disks, the most that was open, what was wrong."""
    yield "| step | cuts | disks | open, at most | wrong |"
    yield "|---|--:|--:|--:|--:|"
    for step in dict.fromkeys(r["step"] for r in rows):
        mine = [r for r in rows if r["step"] == step]
        yield (f"| {step} | {len({(r['what'], r['n']) for r in mine})} | "
               f"{len(mine)} | {max(r['open'] for r in mine)} | "
               f"{sum(r['verdict'] != 'ok' for r in mine)} |")


def main():
    args = lives.arguments("cut")
    possible, _, rows, seconds = lives.live(args, every, name, live)
    print(f"{datetime.date.today()}, `make check-power SEED={args.seed}`, "
          f"{seconds} s: of {possible} cuts that are possible, "
          f"{len({name(r) for r in rows})} were lived, on {len(rows)} disks; "
          f"{lives.ended(rows)}\n")
    print("\n".join([*table(rows), "",
                     *tried.campaigns("Power cuts", args.out, rows)]))
    return 1 if tried.wrong(rows) else 0


if __name__ == "__main__":
    sys.exit(main())
