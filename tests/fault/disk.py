#!/usr/bin/env python3
"""The campaign of the failing disk: each command with each page of its store
damaged in turn, on a file system with so many pages left, on one that is read
only (its store, its inbox, the folders of its outbox); each one that has ended
well, with the log damaged that a death has left of its store; then what the
manual says is done, and what is there is judged.

Never: a crash; exit 0 for what was not done; a deletion on a server of what
was not shown; something lost that was promised; something shown twice without
its flag.  --sample keeps one in so many, chosen by --seed.  Mounts a tmpfs:
wants root, or sudo without a question.
"""

import argparse
import contextlib
import datetime
import logging
import pathlib
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from collections import Counter

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from fault import mended                        # noqa: E402
from fault.cases import Quiet, sound            # noqa: E402
from fault.commands import CASES                # noqa: E402
from fault.lives import in_memory, wrong_of     # noqa: E402
from fault.tried import Tried, campaigns, wrong     # noqa: E402
from world.demo import Demo, Forger             # noqa: E402
from world.small import PAGE, STORE, mounted    # noqa: E402

BLOCK = 8
LEFT = (0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)    # pages
STORELESS = ("seal", "open", "key list", "key list --peers", "key renew",
             "key export", "key import, export")
DAMAGED = tuple(mended.CASES)       # already


def zeros(page, rng):
    return bytes(PAGE)


def noise(page, rng):
    return rng.randbytes(PAGE)


def older(page, rng):
    """The sectors of one half never reached the disk."""
    return page[:PAGE // 2] + bytes(PAGE // 2)


def bit(page, rng):
    at = rng.randrange(PAGE)
    return page[:at] + bytes([page[at] ^ 1 << rng.randrange(8)]) \
        + page[at + 1:]


DAMAGES = {f.__name__: f for f in (zeros, noise, older, bit)}
LOGS, LOG_HEAD, FRAME = 8, 32, 24 + PAGE    # parts of a log that are damaged


@contextlib.contextmanager
def log_left(member):
    """The log of what is done meanwhile stays, as if whoever had the store
    open beside it had been killed then; its path."""
    path = member.state / STORE
    log = path.with_name(STORE + "-wal")
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("BEGIN")
    db.execute("SELECT count(*) FROM queue").fetchone()
    yield log
    left = {p: p.read_bytes() for p in (path, log) if p.exists()}
    db.close()
    for p, data in left.items():
        p.write_bytes(data)


def log_damaged(log, part, kind, rng):
    """The frame at so many LOGSths of it, from there on for zeros: as a file
    that has lost its end."""
    data = log.read_bytes()
    n = (len(data) - LOG_HEAD) // FRAME
    at = LOG_HEAD + n * part // LOGS * FRAME
    frame = data[at + 24:at + FRAME]
    log.write_bytes(data[:at] + bytes(len(data) - at) if kind == "zeros" else
                    data[:at + 24] + DAMAGES[kind](frame, rng) +
                    data[at + FRAME:])


def lived(d):
    """A day or two before: rows in every table, and no document left."""
    for who in (d.dr, d.petit):
        d.send("Hier", who)
    d.send("Demain", d.labo, sender=d.dr)
    for who in (d.labo, d.hub, d.petit, d.dr, d.labo, d.hub, d.labo):
        who.ok("poll")
    for who in d.members.values():
        for path in who.documents():
            path.unlink()


class Trial:
    """One command on a disk that fails in one way."""

    def __init__(self, case):
        self.case = case
        self.member = getattr(case.demo, case.who)
        self.good = self.member.folder / "good"

    def prepare(self):
        self.case.begin()
        self.told = self.case.run().stdout \
            if isinstance(self.case, Quiet) else None
        shutil.rmtree(self.good, ignore_errors=True)
        shutil.copytree(self.member.state, self.good)

    def pages(self):
        return (self.member.state / STORE).stat().st_size // PAGE

    def put_back(self):
        """As sceau(1) says: from a good copy; a backup."""
        for path in self.member.state.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copytree(self.good, self.member.state, dirs_exist_ok=True)
        got = self.member.sceau("restored")
        assert got.code == 0 or b"no key store" in got.stderr, got.text()

    def recover(self):
        """As sceau(1) says, without a backup.  True: something was lost, and
        it was said; None: nothing can be read."""
        got = self.member.sceau("restored", "--json")
        if b"nothing of" in got.stderr:
            return None
        if b"no key store" in got.stderr:
            return True
        assert got.code == 0, got.text()
        row, = got.json()
        assert row["damaged"] in ("whole", "lost")
        return row["damaged"] == "lost" or row["lost"] > 0

    def checked(self):
        """sceau check finds the store in order; it must not crash."""
        got = self.member.sceau("check", "--json")
        sound(got)
        row, = (r for r in got.json() if r["what"] == "store")
        return row["result"] == "fine"

    def reported(self):
        """Octets that were damaged where nothing could notice were refused
        by who received them, and who sent them knows; or by who filed them
        once more, and it was said."""
        return {"damaged", "refused", "failed"} & \
            set(self.case.demo.labo.states().values()) or \
            b"in.not_refiled" in self.member.sceau("log").stdout

    def judge(self, first):
        if self.told is None:
            self.case.judge(first)
        elif first.code == 0:
            assert first.stdout == self.told, "exit 0 with something else"

    def damaged(self, page, kind, rng):
        self.prepare()
        with open(self.member.state / STORE, "r+b") as f:
            f.seek(page * PAGE)
            old = f.read(PAGE)
            f.seek(page * PAGE)
            f.write(DAMAGES[kind](old, rng))
        first = self.case.run()
        sound(first)
        fine = self.checked()
        row = {"code": first.code, "seen": not fine, "lost": False}
        if not fine and (first.code == 0 or rng.random() < 0.7):
            row["lost"] = self.recover()
        elif not fine:
            self.put_back()
        if row["lost"] is None:
            assert first.code != 0, "exit 0 and nothing can be read"
            self.put_back()
        try:
            self.judge(first)
        except AssertionError as e:
            if not row["lost"] and not self.reported():
                raise
            row["verdict"] = f"said: {e}"[:600]
        return row

    def logged(self, part, kind, rng):
        """A promise that was kept in the log alone is there, or it is said
        that something was lost."""
        self.prepare()
        with log_left(self.member) as log:
            first = self.case.run()
        sound(first)
        row = {"code": first.code, "seen": False, "lost": False}
        if log.exists() and log.stat().st_size > LOG_HEAD:
            log_damaged(log, part, kind, rng)
            row["seen"] = not self.checked()
        if row["seen"]:
            row["lost"] = self.recover()
            assert row["lost"], "it is not said"
        try:
            self.judge(first)
        except AssertionError as e:
            if not row["lost"]:
                raise
            row["verdict"] = f"said: {e}"[:600]
        return row

    def short(self, folder, left):
        """left: pages free in that folder; None: read only."""
        self.prepare()
        where = self.case.folders()[folder]
        where.mkdir(mode=0o700, exist_ok=True)
        with mounted(where, left):
            first = self.case.run()
            sound(first)
            if folder == "state":
                sound(self.member.sceau("check"))
        self.judge(first)
        return {"code": first.code, "seen": first.code != 0}


def every(trials, rng):
    """(command, what fails, where), in an order of which any part is a fair
    one: BLOCK of each command before more of any."""
    found = []
    for name, trial in trials.items():
        trial.prepare()
        mine = [(name, kind, str(page)) for page in range(trial.pages())
                for kind in DAMAGES]
        mine += [(name, "log", f"{kind} {part}") for part in range(LOGS)
                 for kind in DAMAGES]
        for folder in trial.case.folders():
            for left in (None, *LEFT):
                mine.append((name, "read only" if left is None else "full",
                             f"{folder} {left}"))
        rng.shuffle(mine)
        found += ((i // BLOCK, x) for i, x in enumerate(mine))
    return [x for _, x in sorted(found, key=lambda f: f[0])]


def one(trial, what, where, seed):
    rng = random.Random(f"{seed} {what} {where}")
    row = {}
    try:
        if what in DAMAGES:
            row = trial.damaged(int(where), what, rng)
        elif what == "log":
            kind, part = where.split()
            row = trial.logged(int(part), kind, rng)
        else:
            folder, left = where.split()
            row = trial.short(folder,
                              None if left == "None" else int(left))
        return {"verdict": "ok", **row}
    except (AssertionError, subprocess.SubprocessError) as e:
        return {**row, "verdict": wrong_of(e, trial.case.demo)}


def table(rows):
    kinds = ("full", "read only", "log", *DAMAGES)
    head = [f"{k}: tried, refused" for k in kinds]
    lines = ["| command | " + " | ".join(head) + " |",
             "|---|" + "--:|" * len(kinds)]
    for name in dict.fromkeys(r["case"] for r in rows):
        tried, refused = Counter(), Counter()
        for r in rows:
            if r["case"] == name:
                tried[r["what"]] += 1
                refused[r["what"]] += r.get("code", 0) != 0
        lines.append(f"| {name} | " + " | ".join(
            f"{tried[k]}, {refused[k]}" for k in kinds) + " |")
    return lines


def main():
    args = argparse.ArgumentParser(prog="disk")
    args.add_argument("--seed", type=int, default=1)
    args.add_argument("--sample", type=int, default=1)
    args.add_argument("--seconds", type=int, help="stop after so long")
    args.add_argument("--only", action="append", choices=sorted(CASES))
    args.add_argument("--out", type=pathlib.Path, required=True)
    args = args.parse_args()
    began, rng = time.monotonic(), random.Random(args.seed)
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    tried = Tried(args.out)
    done = {(r["case"], r["what"], r["where"]) for r in tried.mine}
    in_memory()
    with Demo(postfix=False) as demo:
        demo.start()
        forger = Forger()
        trials = {name: Trial(CASES[name](demo, forger, lived))
                  for name in args.only or CASES
                  if CASES[name].who and name not in (*STORELESS, *DAMAGED)}
        todo = every(trials, rng)
        for name, what, where in todo[:len(todo) // args.sample]:
            if args.seconds and time.monotonic() - began > args.seconds:
                break
            if (name, what, where) in done:
                continue
            which = {"case": name, "what": what, "where": where}
            tried.trying(**which)
            tried.add({**which, **one(trials[name], what, where, args.seed)})
    rows = tried.mine
    print("\n".join(table(rows)))
    print(f"\n{datetime.date.today()} seed {args.seed}, sample "
          f"{args.sample}: {len(todo)} failures possible, {len(rows)} tried, "
          f"{len(wrong(rows))} wrong, {round(time.monotonic() - began)} s\n")
    print("\n".join(campaigns("Failing disks", args.out, tried.all,
                              "judged")))
    return 1 if wrong(rows) else 0


if __name__ == "__main__":
    sys.exit(main())
