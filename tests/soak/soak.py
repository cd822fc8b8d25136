"""soak [--messages N] [--seconds S] [--seed S] [--out FILE] [--keep]:
laboratories, a gateway and practices work for as long as it takes, while
processes are killed, networks are cut, servers start again and clocks jump.
After S seconds nothing more is handed over.  At the end everything is let
settle, and it must hold that

- each document whose `send` said 0 is exactly once on its practice's disk, new
  or flagged, or its laboratory was told that it failed
- each acknowledgement is true: what is said to be received is on the disk,
  and whoever sent what is on the disk knows
- nothing is held, no temporary file is left, no process outlived its pass
- memory at the end is what it was at the beginning, for equal batches

Half of the practices have `sceau run`, the others a pass now and then.  One
run lasts from the beginning to the end; of the others everything is killed.

Real servers on loopback; the same seed makes the same choices, though not the
same instants.  Needs a build with --enable-fault, for the clocks.
"""

import argparse
import collections
import datetime
import json
import math
import os
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
# "soak" is this folder, not this file.
sys.path[:] = [str(HERE.parent), *(p for p in sys.path if p != str(HERE))]
from pysceau import kdf   # noqa: E402
from soak.staying import Stayer, weighed   # noqa: E402
from world import documents, memory   # noqa: E402
from world.association import Association   # noqa: E402
from world.demo import mark, stripped   # noqa: E402
from world.world import World   # noqa: E402

LABOS = ("labo.nord", "labo.sud", "labo.ouest")
PRACTICES = {"dr.martin": "pop3", "dr.leroy": "imap", "dr.petit": "pop3",
             "dr.morel": "imap"}
STAYING = {"dr.petit": False, "dr.morel": True}     # `run`; lasting
# These have keys for one another; everybody else goes through the gateway.
RING = ("labo.nord", "dr.martin", "dr.leroy")
AT_ONCE = 40            # what a laboratory hands over between two passes
KILLED = 0.10           # of all passes; of a run, about each second
ENDED = 0.03            # of a run, the same, in good order
JUMPS = 0.05
PAUSE_S = 3             # at most, between two passes of a practice
# Everybody's clock is that much ahead: back from it is still after the day
# on which the keys were issued.
AHEAD_S = 86400
SETTLE = 120            # rounds
IN_PEACE_S = 300        # in which a run takes what waits for it
ENDS = (0, 65, 69, 75, 77, -signal.SIGKILL)
HEARD = ("received", "opened")
WEIGHED = 400           # documents of one batch, at the beginning and the end


class Soak:
    def __init__(self, world, messages, seconds, seed):
        self.world, self.messages, self.seed = world, messages, seed
        self.until = time.monotonic() + seconds
        new = world.member
        self.labos = [new(n, "labo.example", kind="maildir") for n in LABOS]
        self.practices = [new(n, "cabinet.example", protocol=p,
                              kind="maildir") for n, p in PRACTICES.items()]
        self.hub = new("passerelle", "asso.example", kind="maildir")
        self.stayers = [Stayer(m, STAYING[m.local]) for m in self.practices
                        if m.local in STAYING]
        self.lock = threading.Lock()
        self.sent = {}              # (digest, practice): laboratory
        self.unsure = {}            # the same, where `send` did not say 0
        self.count = collections.Counter()
        self.codes = collections.Counter()
        self.memory = []            # kB of private memory, most of one process
        self.over = threading.Event()
        self.calm = threading.Event()
        self.wrong = []

    # ---- the world -----------------------------------------------------

    def start(self):
        self.world.start()
        self.wires = {p: self.world.proxy(p, record=False) for p in (
            self.world.dovecot.port["imaps"],
            self.world.dovecot.port["pop3s"],
            self.world.relay.port["submission"])}
        for m in self.world.members.values():
            box = self.wires[self.world.dovecot.port[m.protocol + "s"]].port
            relay = self.wires[self.world.relay.port["submission"]].port
            m.configure(port=box, relay_port=relay,
                        account={"every": "10 s"},
                        top={"hub": True} if m is self.hub else None)
        asso = Association(self.world, datetime.date.today().year,
                           policy="list", rings={n: "ring" for n in RING})
        asso.found(self.world.members.values(), {
            m.local: "laboratory" if m in self.labos else
            "institution" if m is self.hub else "practice"
            for m in self.world.members.values()}, hub=self.hub)
        asso.batch()
        for m in self.world.members.values():
            asso.equip(m)
        for s in self.stayers:
            s.start(SCEAU_FAULT_CLOCK=f"+{AHEAD_S}")

    # ---- what everybody does -------------------------------------------

    def clock(self, rng):
        """A jump of hours or days, either way, for this pass alone.  At the
        end what was put off by back-off is due."""
        jump = 6 * 3600 if self.calm.is_set() else 0
        if not self.calm.is_set() and rng.random() < JUMPS:
            jump = rng.choice((rng.randint(-10800, 10800), 4 * 86400))
            self.count["clock jumps"] += 1
        return {"SCEAU_FAULT_CLOCK": f"{AHEAD_S + jump:+d}"}

    def run(self, member, rng, *words, data=None, kill=True):
        """One command, perhaps killed, wholly or one process of it."""
        p = member.start(*words, stdin=subprocess.PIPE, **self.clock(rng))
        if kill and not self.calm.is_set() and rng.random() < KILLED:
            threading.Timer(rng.uniform(0, 0.4), self.strike,
                            (p, rng.random())).start()
        out, err = p.communicate(data, 600)
        self.codes[p.returncode] += 1
        for line in err.splitlines():
            if b"level=error" in line:
                self.count["errors said"] += 1
        return p.returncode, out, err

    def strike(self, p, choice):
        if p.poll() is not None:
            return
        pids = memory.tree(p.pid)
        all_of_them = choice < 0.3
        victims = pids if all_of_them else [pids[int(choice * len(pids))]]
        for pid in victims:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.count["kills (a whole pass)" if all_of_them else
                   "kills (one process)"] += 1

    def document(self, labo, to, rng, number):
        kind = rng.random()
        octets = rng.randint(300_000, 900_000) if kind < 0.002 else \
            rng.randint(200, 11_000)
        data = documents.hprim("DURAND", "CAMILLE", f"no {number}",
                               labo.local, to[0].local)
        data += rng.randbytes(octets // 2).hex().encode()
        return documents.mail(labo.address, [p.address for p in to],
                              f"Document {number}", "Ci-joint.",
                              "resultat.hpr", data).replace(
            b"\r\nSubject:", f"\r\nMessage-ID: <{number}.{self.seed}@"
            f"{labo.domain}>\r\nDate: Wed, 25 Nov 2026 08:00:00 +0100"
            f"\r\nSubject:".encode(), 1)

    def hand_over(self, labo, rng, number, most):
        """One document, to one practice or several; how many."""
        to = rng.sample(self.practices,
                        min(rng.randint(1, len(self.practices)), most))
        data = self.document(labo, to, rng, number)
        code, _, err = self.run(labo, rng, "send", "-t", "-i", data=data)
        with self.lock:
            for practice in to:
                (self.sent if code == 0 else self.unsure)[
                    kdf.b2sum(data), practice.local] = labo
        if code not in (0, 75, -signal.SIGKILL):
            self.wrong.append(f"send: exit {code}: {err[-300:]!r}")
        return len(to)

    def poll(self, member, rng, **more):
        p = self.run(member, rng, "poll", **more)
        self.count["passes"] += 1
        if p[0] not in ENDS:
            self.wrong.append(
                f"{member.local}: poll: exit {p[0]}: {p[2][-300:]!r}")
        return p

    def laboratory(self, labo, share):
        rng = random.Random(f"{self.seed} {labo.local}")
        number = done = 0
        while done < share and time.monotonic() < self.until:
            done += self.hand_over(labo, rng, number, share - done)
            number += 1
            if number % AT_ONCE == 0:
                self.poll(labo, rng)
                self.hold_back(labo, rng)
        self.poll(labo, rng)

    def hold_back(self, labo, rng):
        """A laboratory does not write faster than the others read; it reads
        what they answer."""
        while not self.over.is_set() and sum(
                self.world.mailboxes().values()) > 3000:
            time.sleep(0.2)
            self.poll(labo, rng)

    def others(self, member):
        rng = random.Random(f"{self.seed} {member.local}")
        while not self.over.is_set():
            self.poll(member, rng)
            if rng.random() < 0.02:
                self.weigh(member)
            self.over.wait(rng.uniform(0, PAUSE_S))

    def staying(self, s):
        """`run`: killed, ended, and started again as a system would."""
        rng = random.Random(f"{self.seed} {s.member.local}")
        while not self.over.wait(rng.uniform(0, PAUSE_S)):
            if not s.running:
                self.run_over(s)
                s.start(**({"SCEAU_FAULT_CLOCK": f"+{AHEAD_S}"} if s.lasting
                           else self.clock(rng)))
            elif rng.random() < KILLED:
                if what := s.strike(rng):
                    self.count["kills of run (all of it)" if what == "whole"
                               else "kills of run (one process)"] += 1
            elif not s.lasting and rng.random() < ENDED:
                self.end(s)

    def run_over(self, s):
        """What a run said with its end."""
        self.count["runs"] += 1
        self.codes[s.code] += 1
        if s.code not in ENDS or s.lasting:
            self.wrong.append(f"{s.member.local}: run: exit {s.code}: "
                              f"{s.said[-300:]!r}")

    def end(self, s):
        if not s.end():
            self.wrong.append(f"{s.member.local}: run does not end")

    def end_runs(self):
        for s in self.stayers:
            if not s.running:
                self.run_over(s)
                continue
            self.end(s)
            self.count["runs"] += 1
            self.codes[s.code] += 1
            if s.code not in ENDS[:-1]:
                self.wrong.append(f"{s.member.local}: run, at its end: exit "
                                  f"{s.code}: {s.said[-300:]!r}")

    def weigh(self, member):
        """How much memory a pass takes now."""
        got = member.sceau("poll", memory=True,
                           SCEAU_FAULT_CLOCK=f"+{AHEAD_S}")
        if got.memory.samples > 2:
            self.memory.append(got.memory.peak_kb)

    def batch(self, when):
        """The same work in peace, at the beginning and at the end: kB of the
        largest process of the practices' passes, and of each kind of process
        of their runs, for which all of it waits until then."""
        rng, labo = random.Random(self.seed), self.labos[0]
        self.calm.set()
        for s in self.stayers:
            if not s.running:
                self.run_over(s)
                s.start(SCEAU_FAULT_CLOCK=f"+{AHEAD_S}")
        time.sleep(PAUSE_S)         # they have come to rest
        for s in self.stayers:
            s.signal(signal.SIGSTOP)
        for n in range(WEIGHED):
            self.hand_over(labo, rng, f"{when}.{n}", len(self.practices))
        self.poll(labo, rng)
        self.poll(self.hub, rng)
        before, self.memory = self.memory, []
        for m in self.practices:
            if m.local not in STAYING:
                self.weigh(m)
        kb, self.memory = max(self.memory), before + self.memory
        parts, done = weighed(self.stayers, self.taken, IN_PEACE_S)
        if not done:
            self.wrong.append(f"run leaves mail: {self.world.mailboxes()}")
        self.settle()
        self.calm.clear()
        return {"a pass": kb, **parts}

    def taken(self):
        """By those that stay."""
        return not any(self.world.dovecot.count(s.member.user)
                       for s in self.stayers)

    def trouble(self):
        rng = random.Random(f"{self.seed} trouble")
        while not self.over.wait(rng.uniform(2, 12)):
            what = rng.choice(("cut", "cut", "cut", "dovecot", "postfix"))
            if what == "cut":
                rng.choice(list(self.wires.values())).cut()
                self.count["networks cut"] += 1
                continue
            server = getattr(self.world, "dovecot" if what == "dovecot"
                             else "relay")
            server.stop()
            time.sleep(rng.uniform(0, 1))
            server.start()
            self.count[f"{what} started again"] += 1

    # ---- the end -------------------------------------------------------

    def work(self):
        threads = [threading.Thread(target=self.guarded, args=args)
                   for args in
                   [(self.laboratory, m, self.messages // len(self.labos))
                    for m in self.labos] +
                   [(self.others, m) for m in self.practices + [self.hub]
                    if m.local not in STAYING] +
                   [(self.staying, s) for s in self.stayers] +
                   [(self.trouble,)]]
        for t in threads:
            t.start()
        last = time.monotonic()
        for t in threads[:len(self.labos)]:
            while t.is_alive():
                t.join(1)
                if time.monotonic() - last > 60:
                    last = time.monotonic()
                    print(f"soak: {len(self.sent)} sent, "
                          f"{dict(self.count)}", file=sys.stderr, flush=True)
        self.over.set()
        for t in threads:
            t.join()

    def guarded(self, target, *args):
        try:
            target(*args)
        except Exception as e:      # a thread must not die unheard
            self.wrong.append(f"{target.__name__}: {e!r}")

    def settle(self):
        """As cron would, in peace, until nobody has anything left to do."""
        self.calm.set()
        rng = random.Random(0)
        for _ in range(SETTLE):
            for s in self.stayers:
                self.hurry(s)
            codes = [self.poll(m, rng)[0]
                     for m in self.world.members.values()]
            waiting = sum(self.world.mailboxes().values()) + sum(
                len(m.ok("queue", "list", "--json").json())
                for m in self.world.members.values())
            if not waiting and not any(codes):
                return
            time.sleep(1)
        self.wrong.append(f"not settled: {self.world.mailboxes()}, {codes}")

    def hurry(self, s):
        """What was put off; a pass leaves quietly where a run is at work."""
        for row in s.member.ok("queue", "list", "--json").json():
            s.member.sceau("queue", "retry", row["id"])

    def hear(self):
        """Until who sent what is on the disks knows: a mail may be between
        two servers when nobody has it."""
        for _ in range(10):
            seen, states = self.shown(), self.told()
            if all(states.get(key) in HEARD for key in seen):
                return
            time.sleep(1)
            self.settle()

    def shown(self):
        """{(digest, practice): [new, flagged]} of all that lies on disks."""
        seen = {}
        for m in self.practices:
            for path in m.documents():
                data = path.read_bytes()
                row = seen.setdefault(
                    (kdf.b2sum(stripped(data)), m.local), [0, 0])
                flagged = "possible-duplicate" in mark(data).get("flags", "")
                row[flagged] += 1
        return seen

    def told(self):
        """{(digest, practice): state}, by what the laboratories know."""
        states = {}
        for labo in self.labos:
            for row in labo.ok("status", "--json").json():
                if row["type"] == "sent":
                    to = row["to"].partition("/")[2].partition("@")[0]
                    states[bytes.fromhex(row["digest"]), to] = row["state"]
        return states

    def judge(self, key, new, again, state):
        name = f"{key[0].hex()[:16]} for {key[1]}"
        if new + again == 0 and state not in ("failed", "refused"):
            self.wrong.append(f"{name}: lost ({state})")
        if new > 1 or (new and again):
            self.wrong.append(f"{name}: shown {new} times as new, "
                              f"{again} times flagged")
        if state in HEARD and new + again == 0:
            self.wrong.append(f"{name}: a false acknowledgement")
        self.acknowledged(name, new + again, state)

    def acknowledged(self, name, shown, state):
        if shown and state not in HEARD:
            self.wrong.append(f"{name}: shown, and its sender does not know: "
                              f"{state}")

    def verdict(self):
        seen, states = self.shown(), self.told()
        for m in self.practices:
            if left := list(m.inbox.glob("tmp/*")):
                self.wrong.append(f"{m.local}: temporary files: {left[:3]}")
        for key in self.sent:
            state = states.get(key, "unknown to the laboratory")
            self.count[f"state {state}"] += 1
            self.judge(key, *seen.get(key, (0, 0)), state)
        for key, (new, again) in seen.items():
            self.count["shown flagged"] += again
            self.count["shown a second time, flagged"] += \
                max(new + again - 1, 0) if again else 0
            if key not in self.sent and key not in self.unsure:
                self.wrong.append(f"{key}: nobody sent it")
            if key in self.unsure and new > 1:
                self.wrong.append(f"{key}: shown twice as new")
            if key in self.unsure:
                self.acknowledged(key, new + again, states.get(key))
        for m in self.world.members.values():
            if held := m.ok("held", "list", "--json").json():
                self.wrong.append(f"{m.local}: held: {held[:2]}")
        self.count["unsure of"] = len(self.unsure)
        self.count["unsure of, delivered"] = len(set(self.unsure) & set(seen))

    def grown(self, first, last):
        for what, kb in last.items():
            if kb > 1.5 * first.get(what, kb):
                self.wrong.append(f"memory of {what} grew from "
                                  f"{first[what]} to {kb} kB")


def main():
    args = argparse.ArgumentParser(prog="soak")
    args.add_argument("--messages", type=int, default=100_000)
    args.add_argument("--seconds", type=float, default=math.inf)
    args.add_argument("--seed", type=int, default=1)
    args.add_argument("--out", type=pathlib.Path)
    args.add_argument("--keep", action="store_true")
    args = args.parse_args()
    began = time.monotonic()
    with World(keep=args.keep) as world:
        soak = Soak(world, args.messages, args.seconds, args.seed)
        try:
            soak.start()
            first = soak.batch("first")
            soak.work()
            soak.settle()
            last = soak.batch("last")
            soak.hear()
            soak.end_runs()
        finally:
            for s in soak.stayers:
                if s.running:
                    s.signal(signal.SIGKILL)
        soak.verdict()
        soak.grown(first, last)
    report = {
        "date": datetime.date.today().isoformat(), "seed": args.seed,
        "messages": args.messages, "sent": len(soak.sent),
        "seconds": round(time.monotonic() - began),
        **dict(sorted(soak.count.items())),
        "exit codes": {str(k): v for k, v in sorted(soak.codes.items())},
        "memory, most of a process, kB":
            max(soak.memory),
        "memory, equal batches, kB": {
            what: [first.get(what), last.get(what)]
            for what in sorted({**first, **last})},
        "wrong": soak.wrong[:50],
    }
    text = json.dumps(report, indent=1, ensure_ascii=False)
    print(text)
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(text + "\n")
    if soak.wrong:
        print(f"soak: {len(soak.wrong)} wrong", file=sys.stderr)
    return 1 if soak.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
