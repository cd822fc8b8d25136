#!/usr/bin/env python3
"""Days on which each pass fails at a place in the program that has not failed
yet, until there is none left: an allocation, a statement of the store, a file
that is opened, read, written, synced or renamed.  Before each pass there is
more to do, and nothing is repaired between them.

Never: a process that ends by a signal, and at the end of all of it something
lost, shown twice or left behind.  --seconds ends it earlier, with the same
judgement.

--lies: instead of that a part sends a frame that is not as it should be, from
each place once in each way.  What comes of it may be little, for whoever has
the vault has everything; but no other part ends by a signal, and nothing is
shown that nobody wrote, or twice.
"""

import argparse
import datetime
import errno
import json
import logging
import pathlib
import subprocess
import sys
import time
from collections import Counter

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from fault.cases import sound                   # noqa: E402
from pysceau import records                     # noqa: E402
from world.demo import Demo, Forger, stripped   # noqa: E402
from world.fault import Calls                   # noqa: E402
from world.relay import ENGINES                 # noqa: E402
from world.outbox import Box, report            # noqa: E402
from world.verdict import settle, shown_once    # noqa: E402

SQL_IOERR = 10
CLASSES = {"alloc": errno.ENOMEM, "sql": SQL_IOERR, "open": errno.EMFILE,
           "read": errno.EIO, "write": errno.ENOSPC, "sync": errno.EIO,
           "rename": errno.ENOSPC, "grow": errno.ENOMEM, "lib": errno.ENOMEM,
           "sys": errno.EIO}
SECONDS = 120, 20       # more than any pass has a reason to take; of lies
LIES = {f"lie {n}": n for n in range(1, 8)}
PARTS = ("clerk", "vault", "keeper", "fetch", "relay", "starter")


def hurry(member):
    """What a failure put off."""
    for row in member.ok("queue", "list", "--json").json():
        member.ok("queue", "retry", row["id"])


class Day:
    """Who has what to do; all that must arrive in the end."""

    def __init__(self, demo, forger):
        self.demo, self.forger, self.n = demo, forger, 0
        demo.fresh()
        self.box = Box(demo)
        self.apart = demo.durand.home / "clear"
        demo.durand.configure(account={"unsealed": "deliver"}, sections=f"""
deliver "clear" {{
    kind = maildir
    path = "{self.apart}"
    unsealed = yes
}}""")
        demo.hub.configure(relay={"engine": ENGINES[-1]})
        demo.petit.configure(top={
            "alarm_command": "cat >/dev/null", "digest_empty": True,
            "digest_to": demo.petit.address, "digest_at": 0,
            "digest_command": "cat >/dev/null",
            "metrics_file": str(demo.petit.home / "metrics")})
        self.filed, self.relayed, self.sealed, self.clear = [], [], [], []
        self.perhaps = []
        self.server = []        # what a mail server has to deliver

    def mail(self, to, **more):
        self.n += 1
        return self.demo.mail_of(f"INR {self.n}", to, **more)

    # Each makes something to do, and says who does it, by which words, with
    # which standard input.

    def labo(self):
        """Two files of its software's."""
        self.n += 1
        for ending in ("hpr", "pdf"):
            data = report(line_9=str(self.n)) if ending == "hpr" else \
                b"%%PDF-1.4\n%d\n" % self.n
            self.box.drop(f"r{self.n}.{ending}", data)
            self.filed.append(data)
        return self.demo.labo, ("poll",), b""

    def wrong(self):
        """Files that are refused."""
        self.n += 1
        for name, data in (("empty.hpr", b""), ("text.hpr", b"no report\r\n"),
                           ("birth.hpr", report(line_7="99/99/9999")),
                           ("birth.pdf", b"%PDF-1.4\n")):
            self.box.drop(f"w{self.n}-{name}", data)
        return self.demo.labo, ("poll",), b""

    def hub(self):
        """A mail to be relayed, sealed by the laboratory."""
        d = self.demo
        data = self.mail(d.petit)
        d.post(d.hub, self.forger.mail(
            d.labo, d.hub, data, control=[records.route(d.petit.name.encode()),
                                          records.witness(bytes(32))]))
        self.relayed.append(data)
        return d.hub, ("poll",), b""

    def durand(self):
        """A sealed mail, and one in clear."""
        d = self.demo
        data = self.mail(d.durand)
        text = b"au midi %d ?" % self.n
        d.post(d.durand, self.forger.mail(d.labo, d.durand, data),
               b"From: a@b.example\r\n\r\n" + text + b"\r\n")
        self.sealed.append(data)
        self.clear.append(text)
        return d.durand, ("poll",), b""

    def petit(self):
        """A sealed mail, by POP3."""
        d = self.demo
        data = self.mail(d.petit)
        d.post(d.petit, self.forger.mail(d.labo, d.petit, data))
        self.relayed.append(data)
        return d.petit, ("poll",), b""

    def mda(self):
        """A sealed mail, from a mail server."""
        d = self.demo
        data = self.mail(d.petit)
        self.server.append(self.forger.mail(d.labo, d.petit, data))
        self.relayed.append(data)
        return d.petit, ("open", "--mda"), self.server[-1]

    def answered(self, who, code):
        """It forgets what was taken with 0; keeps it with 75 only."""
        if who == "mda":
            assert code in (0, 75) or code < 0, f"exit {code}"
            del self.server[len(self.server) - (code == 0):]

    def send(self):
        data = self.mail(self.demo.durand, sender=self.demo.petit)
        self.perhaps.append(data)
        return self.demo.petit, ("send", "-t"), data

    def seal(self):
        return self.demo.labo, ("seal", "--to", self.demo.dr.name), \
            self.mail(self.demo.dr)

    def open(self):
        d = self.demo
        return d.dr, ("open",), self.forger.seal(d.labo, d.dr,
                                                 self.mail(d.dr))

    def bar(self):
        self.n += 1
        return self.demo.watch, ("bar", f"demo/x{self.n}@x.example"), b""

    def bulletin(self):
        """Something new on the list, to be told to everybody."""
        _, words, _ = self.bar()
        self.demo.watch.ok(*words)
        return self.demo.watch, ("poll",), b""

    def check(self):
        return self.demo.issuer, ("check",), b""

    def restored(self):
        return self.demo.issuer, ("restored",), b""

    def keys(self):
        return self.demo.issuer, ("key", "list", "--json"), b""

    def judge_lies(self):
        for who, mails in ((self.demo.petit, self.relayed),
                           (self.demo.durand, self.sealed + self.perhaps)):
            who.sceau("poll")
            shown = Counter(who.shown())
            assert set(shown) <= set(mails), "what nobody wrote"
            assert max(shown.values(), default=1) == 1, "twice"

    WHO = {"labo": labo, "wrong": wrong, "hub": hub, "durand": durand,
           "petit": petit, "mda": mda, "send": send, "seal": seal,
           "open": open, "bar": bar, "bulletin": bulletin, "check": check,
           "restored": restored, "keys": keys}

    def judge(self):
        d = self.demo
        for mail in self.server:
            d.petit.ok("open", "--mda", input=mail)
        for who in (d.labo, d.hub, d.dr, d.petit, d.durand, d.labo, d.hub,
                    d.watch):
            settle(who)
        assert self.box.left() == [], self.box.left()
        arrived = Counter(data for _, data in self.box.arrived())
        assert arrived == Counter(self.filed), "of the outbox"
        shown_once(d.petit, self.relayed)
        shown = {stripped(p.read_bytes()) for p in d.durand.documents()
                 if self.apart not in p.parents}
        shown_once(d.durand, self.sealed +
                   [m for m in self.perhaps if m in shown])
        clear = b"".join(p.read_bytes() for p in self.apart.glob("new/*"))
        wrong = [t for t in self.clear if clear.count(t) != 1]
        assert not wrong, wrong[:5]
        assert d.durand.held() == [] and d.hub.held() == []


def run(day, calls, classes, whose, steps, give_up):
    """A row for each pass that failed at a new place."""
    left = [(what, who, part) for part in PARTS for what in classes
            for who in whose]
    while left:
        for what, who, part in list(left):
            if give_up():
                return
            member, words, text = Day.WHO[who](day)
            if part == "relay":
                hurry(member)
            row = {"who": who, "part": part, "what": what, "verdict": "ok"}
            try:
                got = member.sceau(*words, input=text, seconds=SECONDS[
                    what in LIES], SCEAU_FAULT_STEPS=str(steps), **calls.env(
                    what.partition(" ")[0], "new", str(classes[what]), part))
                row["code"] = got.code
                sound(got)
                day.answered(who, got.code)
            except AssertionError as e:
                row["verdict"] = f"WRONG: {e}"[:600]
            except subprocess.TimeoutExpired:
                # Who lies may keep silent as well, for ten minutes.
                if what not in LIES:
                    row["verdict"] = "WRONG: it does not end"
            if not calls.fired:
                left.remove((what, who, part))
            else:
                yield row


def main():
    args = argparse.ArgumentParser(prog="places")
    args.add_argument("--seconds", type=int, help="stop after so long")
    args.add_argument("--class", dest="classes", action="append",
                      choices=sorted(CLASSES))
    args.add_argument("--lies", action="store_true")
    args.add_argument("--who", action="append", choices=sorted(Day.WHO))
    args.add_argument("--steps", type=int, default=7, help="to each place: of "
                      "fewer steps there are fewer places")
    args.add_argument("--out", type=pathlib.Path, help="a line for each pass")
    args = args.parse_args()
    began, failed, wrong = time.monotonic(), Counter(), 0
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    out = open(args.out, "w") if args.out else None
    classes = LIES if args.lies else \
        {c: CLASSES[c] for c in args.classes or CLASSES}

    def give_up():
        return args.seconds and time.monotonic() - began > args.seconds

    with Demo(postfix=False) as demo:
        demo.start()
        day = Day(demo, Forger())
        for row in run(day, Calls(demo.top), classes,
                       args.who or Day.WHO, args.steps, give_up):
            failed[row["what"], row["part"]] += 1
            wrong += row["verdict"] != "ok"
            if row["verdict"] != "ok":
                print(row, flush=True)
            if out:
                print(json.dumps(row), file=out, flush=True)
        try:
            (day.judge_lies if args.lies else day.judge)()
        except AssertionError as e:
            wrong += 1
            print(f"at the end: {e}")
    print("| calls | " + " | ".join(PARTS) + " |")
    print("|---|" + "--:|" * len(PARTS))
    for what in classes:
        print(f"| {what} | " + " | ".join(
            str(failed[what, part]) for part in PARTS) + " |")
    print(f"\n{datetime.date.today()}: {sum(failed.values())} passes failed, "
          f"each at another place, {wrong} wrong, "
          f"{round(time.monotonic() - began)} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
