#!/usr/bin/env python3
"""The failing campaign: each command with its n-th allocation, read, write,
sync, change of name or opening of a file failing, n = 1, 2, ... until none is
left; then the same command again with nothing failing, and what is there is
judged.

Never: a process that ends by a signal or a sanitizer's report; exit 0 for what
was not done; something lost that was promised; something shown twice.
--sample keeps one n in so many, chosen by --seed.
"""

import argparse
import datetime
import errno
import json
import logging
import pathlib
import random
import sys
import time
from collections import Counter

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from world.demo import Demo, Forger             # noqa: E402
from world.fault import Calls                   # noqa: E402
from world.verdict import settle, shown_once    # noqa: E402

CLASSES = {"alloc": errno.ENOMEM, "open": errno.EMFILE, "read": errno.EIO,
           "write": errno.ENOSPC, "sync": errno.EIO, "rename": errno.ENOSPC}
REPORTS = (b"AddressSanitizer", b"LeakSanitizer", b"runtime error:",
           b"BUG ", b"assertion")
SYSEXITS = (0, 64, 65, 66, 67, 69, 70, 71, 73, 74, 75, 77, 78)


class Case:
    """One command: how it is prepared, how it is run, what must hold once it
    has been run again without a failure."""

    def __init__(self, demo, forger):
        self.demo, self.forger = demo, forger
        self.data = demo.mail_of("INR 2,1", demo.dr)

    def prepare(self):
        self.demo.fresh()

    def run(self, **env):
        raise NotImplementedError

    def judge(self, first):
        """first: the Result with the failure; the command was run again."""


class Quiet(Case):
    """A command that only tells: with exit 0 it tells the same."""

    words = ()
    input = b""

    def prepare(self):
        super().prepare()
        self.demo.labo.ok("send", "-t", input=self.data)

    def run(self, **env):
        return self.demo.labo.sceau(*self.words, input=self.input, **env)

    def judge(self, first):
        again = self.run()
        assert again.code == 0, again.text()
        if first.code == 0:
            assert first.stdout == again.stdout, "exit 0 with less"


def quiet(*words):
    return type("_".join(words).replace("-", ""), (Quiet,), {"words": words})


class Send(Case):
    def run(self, **env):
        return self.demo.labo.sceau("send", "-t", input=self.data, **env)

    def judge(self, first):
        queued = len(self.demo.labo.ok("queue", "list", "--json").json())
        assert queued == 1 if first.code == 0 else queued in (0, 1)
        settle(self.demo.labo)
        settle(self.demo.dr)
        assert self.demo.dr.shown() == [self.data] * queued


class Seal(Case):
    def run(self, **env):
        return self.demo.labo.sceau("seal", "--to", self.demo.dr.name,
                                    input=self.data, **env)

    def judge(self, first):
        if first.code != 0:
            return
        back = self.demo.dr.ok("open", input=first.stdout)
        assert back.stdout == self.data, "exit 0 for another envelope"


class Open(Case):
    def prepare(self):
        super().prepare()
        self.env = self.forger.seal(self.demo.labo, self.demo.dr, self.data)

    def run(self, **env):
        return self.demo.dr.sceau("open", input=self.env, **env)

    def judge(self, first):
        assert first.stdout in (b"", self.data) or first.code != 0
        assert first.code != 0 or first.stdout == self.data


class Receive(Case):
    def prepare(self):
        super().prepare()
        d = self.demo
        self.mails = [d.mail_of(f"INR {n}", d.dr) for n in range(3)]
        d.post(d.dr, *(self.forger.mail(d.labo, d.dr, m)
                       for m in self.mails))

    def run(self, **env):
        return self.demo.dr.sceau("poll", **env)

    def judge(self, first):
        if first.code == 0:
            assert sorted(self.demo.dr.shown()) == sorted(self.mails)
        settle(self.demo.dr)
        shown_once(self.demo.dr, self.mails)
        assert self.demo.dr.mail() == [] and self.demo.dr.held() == []


class Relay(Case):
    def prepare(self):
        super().prepare()
        self.demo.labo.ok("send", "-t", input=self.data)

    def run(self, **env):
        return self.demo.labo.sceau("poll", **env)

    def judge(self, first):
        d = self.demo
        for row in d.labo.ok("queue", "list", "--json").json():
            d.labo.ok("queue", "retry", row["id"])
        settle(d.labo)
        settle(d.dr)
        shown_once(d.dr, [self.data])


class Gateway(Case):
    """Opened, sealed again, relayed."""

    def prepare(self):
        super().prepare()
        d = self.demo
        self.data = d.mail_of("INR 2,1", d.petit)
        d.labo.ok("send", "-t", input=self.data)
        d.labo.ok("poll")

    def run(self, **env):
        return self.demo.hub.sceau("poll", **env)

    def judge(self, first):
        d = self.demo
        for row in d.hub.ok("queue", "list", "--json").json():
            d.hub.ok("queue", "retry", row["id"])
        settle(d.hub)
        settle(d.petit)
        shown_once(d.petit, [self.data])
        settle(d.hub)       # the acknowledgement
        assert d.hub.mail() == [] and d.hub.held() == []


CASES = {
    "send": Send, "seal": Seal, "open": Open, "poll, receiving": Receive,
    "poll, relaying": Relay, "poll, gateway": Gateway,
    "status": quiet("status", "--json"), "log": quiet("log", "--json"),
    "queue list": quiet("queue", "list", "--json"),
    "held list": quiet("held", "list", "--json"),
    "key list": quiet("key", "list", "--json"),
}


def sound(got):
    """No crash and no report, whatever failed."""
    # libConfuse ends a process that finds no memory while it reads the
    # configuration, before anything is begun; GLib ends the clerk.
    if (got.code == -6 and b"lexer.l:" in got.stderr) or \
            (got.code == 2 and b"out of dynamic memory in yy" in got.stderr):
        return
    for word in REPORTS:
        assert word not in got.stderr, got.stderr[-800:].decode("latin-1")
    assert got.code in SYSEXITS, f"exit {got.code}: {got.text()[-300:]}"
    for line in got.stderr.splitlines():
        if b"signal=" in line and b"signal=5" not in line and \
                b"signal=6" not in line:
            raise AssertionError(line.decode("latin-1"))


def one(case, calls, what, n):
    case.prepare()
    first = case.run(**calls.env(what, n, str(CLASSES[what])))
    row = {"code": first.code, "fired": calls.fired}
    try:
        sound(first)
        case.judge(first)
        row["verdict"] = "ok"
    except AssertionError as e:
        row["verdict"] = f"WRONG: {e}"[:600]
    return row


def failures(cases, calls, rng, sample):
    """(case, class, n) of all that a run without failures could fail at; each
    kind once before any twice, so that a short run reaches all."""
    found = []
    for name, case in cases.items():
        case.prepare()
        case.run(**calls.env())
        for what in CLASSES:
            ns = list(range(1, calls.total(what) + 1))
            rng.shuffle(ns)
            found += [(i, name, what, n) for i, n in enumerate(ns)
                      if sample == 1 or rng.randrange(sample) == 0]
    return [x[1:] for x in sorted(found, key=lambda x: x[0])]


def table(rows):
    lines = [f"{'command':18}" + "".join(f"{c:>8}" for c in CLASSES)]
    for name in CASES:
        at = Counter(r["what"] for r in rows
                     if r["case"] == name and r["fired"])
        lines.append(f"{name:18}" + "".join(f"{at[c]:8}" for c in CLASSES))
    return lines


def main():
    args = argparse.ArgumentParser(prog="fail")
    args.add_argument("--seed", type=int, default=1)
    args.add_argument("--sample", type=int, default=1)
    args.add_argument("--seconds", type=int, help="stop after so long")
    args.add_argument("--only", action="append", choices=sorted(CASES))
    args.add_argument("--out", type=pathlib.Path, required=True)
    args = args.parse_args()
    began, rng = time.monotonic(), random.Random(args.seed)
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    rows = [json.loads(line) for line in args.out.read_text().splitlines()] \
        if args.out.exists() else []
    done = {(r["case"], r["what"], r["n"]) for r in rows}
    with Demo(postfix=False) as demo, open(args.out, "a") as out:
        demo.start()
        forger, calls = Forger(), Calls(demo.top)
        cases = {name: CASES[name](demo, forger)
                 for name in args.only or CASES}
        every = failures(cases, calls, rng, args.sample)
        for name, what, n in every:
            if args.seconds and time.monotonic() - began > args.seconds:
                break
            if (name, what, n) in done:
                continue
            rows.append({"case": name, "what": what, "n": n,
                         **one(cases[name], calls, what, n)})
            print(json.dumps(rows[-1]), file=out, flush=True)
            if rows[-1]["verdict"] != "ok":
                print(rows[-1], flush=True)
    wrong = [r for r in rows if r["verdict"] != "ok"]
    print("\n".join(table(rows)))
    print(f"{datetime.date.today()} seed {args.seed}, sample {args.sample}: "
          f"{len(every)} failures possible, {len(rows)} tried, "
          f"{len(wrong)} wrong, "
          f"{round(time.monotonic() - began)} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
