"""What a campaign has tried: a line each in --out, with the program that was
tried.  What holds of one program says nothing of another: rows of others are
counted beside its own, and what they tried is tried again."""

import datetime
import hashlib
import json
import pathlib
import re

from world.world import program

RESULTS = pathlib.Path(__file__).resolve().parents[1] / "RESULTS.md"
LINE = re.compile(r"\| (20[0-9-]{8}) \| ([0-9a-f]{12}) \|" +
                  3 * r" ([0-9]+) \|")
UNKNOWN = {"program": "unknown", "day": ""}     # rows of another time


def this_program(engine=None):
    """The start of its digest; with another engine it is another."""
    return hashlib.sha256(program().read_bytes() +
                          (engine or "").encode()).hexdigest()[:12]


def is_wrong(row):
    """What was lost and said is not."""
    return row["verdict"] != "ok" and not row["verdict"].startswith("said: ")


def wrong(rows):
    return [r for r in rows if is_wrong(r)]


def lines_of(path):
    return path.read_text("utf-8").splitlines() if path.exists() else []


def forget_wrong(path):
    """They are tried again, and stand beside."""
    rows = lines_of(path)
    bad = [r for r in rows if is_wrong(json.loads(r))]
    if bad:
        with open(f"{path}.wrong", "a", encoding="utf-8") as f:
            f.writelines(f"{r}\n" for r in bad)
        path.write_text("".join(f"{r}\n" for r in rows if r not in bad))


class Tried:
    """The rows of --out, whatever program made them, and those that follow.
    mine: those of the program under test alone.  What is being tried stands
    in a file beside it (.now), and stays there if it ends the campaign.
    again: what was wrong is to be tried again."""

    def __init__(self, path, again=True):
        if again:
            forget_wrong(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path, self.program = path, this_program()
        self.now = pathlib.Path(f"{path}.now")
        self.all = [{**UNKNOWN, **json.loads(x)} for x in lines_of(path)]

    @property
    def mine(self):
        return [r for r in self.all if r["program"] == self.program]

    def trying(self, **which):
        self.now.write_text(json.dumps(which) + "\n")

    def add(self, row):
        row |= {"program": self.program, "day": str(datetime.date.today())}
        with open(self.path, "a", encoding="utf-8") as f:
            f.write(json.dumps(row) + "\n")
        self.all.append(row)
        self.now.unlink(missing_ok=True)
        if is_wrong(row):
            print(row, flush=True)


def campaigns(title, path, rows, judged="lived to the end"):
    """A line for each program that was tried, on whatever machine: those that
    the section of that title in RESULTS.md knows, and those of rows and of
    what was forgotten; and all together.  judged: what those without "alike"
    are called."""
    lines = {}
    section = RESULTS.read_text("utf-8").partition(f"\n## {title}\n")[2]
    for line in section.partition("\n## ")[0].splitlines():
        if found := LINE.fullmatch(line):
            lines[found[2]] = found[1], *map(int, found.groups()[2:])
    rows = [*rows, *({**UNKNOWN, **json.loads(x)}
                     for x in lines_of(pathlib.Path(f"{path}.wrong")))]
    for name in {r["program"] for r in rows}:
        mine = [r for r in rows if r["program"] == name]
        lines[name] = (max(r["day"] for r in mine), len(mine),
                       len([r for r in mine if "alike" not in r]),
                       len(wrong(mine)))
    total = [sum(n) for n in list(zip(*lines.values()))[1:]]
    yield f"| last day | program | tried | {judged} | wrong |"
    yield "|---|---|--:|--:|--:|"
    for name, (day, *numbers) in sorted(lines.items(), key=lambda x: x[::-1]):
        yield f"| {day} | {name} | {' | '.join(map(str, numbers))} |"
    yield f"| | all | {' | '.join(map(str, total or [0, 0, 0]))} |"
