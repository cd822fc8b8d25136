"""Sides that are measured together: interleaved, each result checked.

A side is something that does the same work: sceau, a program that people
would take instead, or the least that the machine can do (a floor).  In each
round each side has its turn, and the order turns with the rounds: what else
the machine does then falls on all of them.  What counts are the ratios of one
round, their median and their spread.
"""

import dataclasses
import os
import signal
import statistics
import subprocess
import tempfile
import threading
import time

from world.memory import Sampler


class Failed(Exception):
    """This side did not do the work; its words are shown instead."""


@dataclasses.dataclass
class Run:
    """One measurement: wall and processor seconds of it and its children."""
    seconds: float
    cpu: float = 0.0
    kb: int = 0             # most private dirty memory of all, at one moment
    turns: float = 0        # round trips, where a proxy counted them


@dataclasses.dataclass
class Side:
    """work() gives a Run; before() puts everything as it was, check() raises
    Failed or AssertionError; neither is measured.  n: items that work() does,
    when it is not what the others do.  rounds: at most that many."""
    name: str
    work: object
    before: object = None
    check: object = None
    n: int = 0
    rounds: int = 99
    note: str = ""
    probe: object = None    # one more Run, for its memory and round trips
    floor: bool = False


def run(argv, seconds=600, env=None, cwd=None, stdin=None, stdout=None,
        memory=False, codes=(0,), user=None):
    """A program to its end: a Run.  stdin, stdout: paths, or nothing.  user:
    who runs it, when we are root.  memory: looked at, so many seconds apart;
    True: as often as that makes sense."""
    rights = {"user": user, "group": "nogroup", "extra_groups": []} \
        if user and os.getuid() == 0 else {}
    with tempfile.TemporaryFile() as words, \
            open(stdin or os.devnull, "rb") as given, \
            open(stdout or os.devnull, "wb") as taken:
        began = time.monotonic()
        child = subprocess.Popen(
            [*map(str, argv)], stdin=given, stdout=taken, stderr=words,
            env=env, cwd=cwd, start_new_session=True, **rights)
        late = threading.Timer(seconds, os.killpg,
                               (child.pid, signal.SIGKILL))
        late.start()
        try:
            if memory:
                with Sampler(child.pid, 0.002 if memory is True
                             else memory) as sampler:
                    _, status, used = os.wait4(child.pid, 0)
            else:
                _, status, used = os.wait4(child.pid, 0)
            wall = time.monotonic() - began
        finally:
            late.cancel()
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode not in codes:
            words.seek(0)
            said = words.read()[-300:].decode("utf-8", "replace")
            raise Failed(f"{os.path.basename(str(argv[0]))}: exit "
                         f"{child.returncode} after {wall:.1f} s: "
                         f"{' '.join(said.split())}")
    return Run(wall, used.ru_utime + used.ru_stime,
               sampler.dirty_kb if memory else 0)


def each(n, call):
    """The sum of n measurements."""
    total = Run(0.0)
    for number in range(n):
        one = call(number)
        total.seconds += one.seconds
        total.cpu += one.cpu
        total.kb = max(total.kb, one.kb)
    return total


def timed(call):
    """What this process does itself."""
    began, cpu = time.monotonic(), time.process_time()
    call()
    return Run(time.monotonic() - began, time.process_time() - cpu)


def _turn(side):
    if side.before:
        side.before()
    os.sync()       # what the one before left to write is not ours
    got = side.work()
    if side.check:
        side.check()
    return got


def compare(sides, n, rounds):
    """[row]: one for each side, in their order; the first is sceau.  An error
    of the first is ours, and ends the bench."""
    runs = {side.name: {} for side in sides}
    failed = {}
    for number in range(rounds):
        shift = number % len(sides)
        for side in sides[shift:] + sides[:shift]:
            if side.name in failed or number >= side.rounds:
                continue
            try:
                runs[side.name][number] = _turn(side)
            except Failed as e:
                if side is sides[0]:
                    raise
                failed[side.name] = str(e)
    rows = [row(side, runs[side.name], runs[sides[0].name], n, sides[0].n,
                failed.get(side.name)) for side in sides]
    for side, out in zip(sides, rows):
        if side.probe and "failed" not in out:
            got = side.probe()
            out["kb"] = got.kb
            out["turns"] = got.turns or out["turns"]
    return rows


def row(side, mine, first, n, first_n, why):
    """The figures of one side: seconds for one item; ratio: how many times
    as long as the first side it takes, in the rounds that both had."""
    out = {"side": side.name, "n": side.n or n, "note": side.note,
           "floor": side.floor}
    if why or not mine:
        return {**out, "failed": why or "not measured"}
    per = {k: r.seconds / (side.n or n) for k, r in mine.items()}
    ours = {k: r.seconds / (first_n or n) for k, r in first.items()}
    ratios = [per[k] / ours[k] for k in per if k in ours]
    return {**out, "seconds": list(per.values()), **spread("", per.values()),
            **(spread("ratio_", ratios) if ratios else {}),
            "cpu": statistics.median(r.cpu for r in mine.values()) /
            (side.n or n),
            "kb": max(r.kb for r in mine.values()),
            "turns": max(r.turns for r in mine.values())}


def spread(name, values):
    values = sorted(values)
    return {name + "median": statistics.median(values),
            name + "low": values[0], name + "high": values[-1]}
