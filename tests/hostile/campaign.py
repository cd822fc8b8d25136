#!/usr/bin/env python3
"""The campaign of hostile servers: the whole program against each row of
behaviours.py, and an honest server beside it.

A pass ends within its bounds of time and memory; the honest account is
fetched, opened and acknowledged in the same pass; the exit code is true;
nothing is deleted on a server before it is shown; nothing goes out in clear.
Then the server behaves, and everything is there once.

--table writes what sceau did, as in tests/RESULTS.md.
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
from hostile.behaviours import TABLE            # noqa: E402
from hostile.servers import QUICK_S, Mailserver  # noqa: E402
from world.demo import Demo, Forger             # noqa: E402
from world.smtp_script import Script            # noqa: E402
from world.verdict import settle, shown_once    # noqa: E402

SESSION_S = 4               # "session" of the program under trial
SECOND = """
account "other" {{
    protocol = {protocol}
    host = "localhost"
    port = {port}
    tls = {tls}
    ca_file = "{ca}"
    user = "{user}"
    password_file = "{folder}/password"
    timeout = "{timeout} s"
    session = "{session} s"
}}
"""
CODES = {0, 65, 69, 74, 75, 76, 77, 78}


class Trial:
    """One behaviour; facts: what sceau did."""

    def __init__(self, demo, forger, behaviour):
        self.demo, self.forger, self.b = demo, forger, behaviour
        self.facts = {}

    def passed(self, member):
        """One pass, measured; what it said."""
        got = member.sceau("poll", memory=True, seconds=120)
        self.facts = {"code": got.code, "seconds": round(got.seconds, 1),
                      "peak_kb": got.memory.peak_kb, "said": said(got.stderr)}
        assert got.code in CODES, got.text()[-400:]
        assert b"signal=" not in got.stderr, got.text()[-400:]
        seconds, megabytes = self.b.bounds
        assert got.seconds < seconds, f"{got.seconds} s"
        assert got.memory.peak_kb < megabytes << 10, \
            f"{got.memory.peak_kb} kB"
        return got

    def run(self):
        self.demo.fresh()
        (self.smtp if self.b.protocol == "smtp" else self.fetch)()
        return self.facts

    # -- A mailbox on a hostile server, one on an honest one ----------------

    def second(self, server):
        dr = self.demo.dr
        dr.configure()
        with open(dr.conf, "a") as f:
            f.write(SECOND.format(
                protocol=self.b.protocol, port=server.port, tls=server.tls,
                ca=self.demo.ca.cert, user=dr.user, folder=dr.folder,
                timeout=QUICK_S, session=SESSION_S))

    def fetch(self):
        d, dr = self.demo, self.demo.dr
        texts = ("honest", "first", "second " + "x" * 100_000, "third")
        mails = [d.mail_of(t, dr) for t in texts]
        sealed = [self.forger.mail(d.labo, dr, m) for m in mails]
        d.post(dr, sealed[0])
        with Mailserver(self.b.protocol, d.cert, sealed[1:]) as server:
            self.b.set_up(server)
            self.second(server)
            got = self.passed(dr)
            shown = dr.shown()
            assert mails[0] in shown, "the honest account was not fetched"
            assert not d.dovecot.count(dr.user), "nor its mail released"
            if not self.b.liar:
                self.deletions(server, sealed[1:], mails[1:], shown)
            if got.code == 0 and not self.b.hidden:
                assert len(shown) == 4 - self.b.lost, "exit 0 with less"
            server.behave()
            if self.b.then:
                self.b.then(server)
            settle(dr)
            if self.b.stays:
                assert got.code == 65 and len(server.box) == 3
            else:
                self.all_there(server, mails)
            self.facts["deleted"] = len(server.gone)
        self.heard_in_clear(server)

    def all_there(self, server, mails):
        """But for what the server threw away itself."""
        for _ in range(3):
            if server.box:
                self.demo.dr.ok("poll")
        shown = self.demo.dr.shown()
        shown_once(self.demo.dr, [
            m for m in mails if m in shown or
            not (self.b.lost or self.b.liar)])
        assert len(shown) >= 3 and server.box == {}, "left on the server"

    def deletions(self, server, sealed, mails, shown):
        for uid in server.gone:
            mail = mails[sealed.index(server.all[uid])]
            assert mail in shown, f"{uid} deleted before it was shown"

    def heard_in_clear(self, server):
        """The password is said only over TLS: after a stripped or forged
        STARTTLS, never."""
        if self.b.step in ("STARTTLS", "STLS"):
            first = bytes(server.heard).split(b"\x16\x03", 1)[0]
            assert self.demo.dr.password.encode() not in first \
                or server.handshakes, "the password went out in clear"

    # -- A hostile relay, and an honest mailbox -----------------------------

    def relay(self, server):
        self.demo.labo.configure(relay_port=server.port, relay={
            "timeout": f"{QUICK_S} s", "session": f"{SESSION_S} s"})

    def smtp(self):
        d, labo, dr = self.demo, self.demo.labo, self.demo.dr
        back = d.mail_of("Merci", labo, sender=dr)
        d.post(labo, self.forger.mail(dr, labo, back))
        with Script(d.cert, starttls=True,
                    users={d.relay.user: d.relay.password}) as server:
            self.relay(server)
            mails = [d.send(f"INR {n}", dr) for n in range(2)]
            self.b.set_up(server)
            got = self.passed(labo)
            assert any(p.read_bytes().endswith(back)
                       for p in labo.documents()), "the honest account"
            self.relayed(got, server, mails)
            server.script, server.starttls = {}, True
            for _ in range(2):
                settle(labo)
            self.arrived(server, mails)
            clear = server.clear
        for word in (d.relay.password.encode(), b"INR"):
            assert word not in clear, "in clear"

    def failed(self):
        return [r for r in self.demo.labo.ok("status", "--json").json()
                if r["type"] == "sent" and r["state"] == "failed"]

    def relayed(self, got, server, mails):
        """Exit 0: each was taken by the relay, or refused for good."""
        done = len({m[2] for m in server.mails}) + len(self.failed())
        self.facts["taken"], self.facts["refused"] = \
            len(server.mails), len(self.failed())
        if got.code == 0:
            assert done >= len(mails), "exit 0 and nothing was sent"

    def arrived(self, server, mails):
        """What the relay took arrives once; the rest was refused, and the
        laboratory was told."""
        d = self.demo
        for _, to, octets in server.mails:
            if to == d.dr.route.encode():
                d.post(d.dr, octets)
        settle(d.dr)
        failed = self.failed()
        shown = d.dr.shown()
        assert len(set(shown)) + len(failed) >= len(mails), "lost"
        assert len(shown) == len(set(shown)), "shown twice"
        assert len(d.labo.documents()) == 1 + len(failed), \
            "who sent it was not told"


def said(stderr):
    """The reason, of the last line that gives one."""
    for line in reversed(stderr.decode("utf-8", "replace").splitlines()):
        if 'why="' in line and "key.demo" not in line:
            return line.split('why="', 1)[1].rstrip('"')[:160]
    return ""


def one(demo, forger, behaviour):
    trial = Trial(demo, forger, behaviour)
    try:
        trial.run()
        return {**trial.facts, "verdict": "ok"}
    except AssertionError as e:
        return {**trial.facts, "verdict": f"WRONG: {e}"[:600]}


def table(rows):
    yield "| protocol | step | server | exit | s | MB | what sceau said |"
    yield "|---|---|---|--:|--:|--:|---|"
    order = {(b.protocol, b.step, b.name): n
             for n, b in enumerate(TABLE.values())}
    for r in sorted(rows, key=lambda r: order.get(
            (r["protocol"], r["step"], r["name"]), 0)):
        yield "| " + " | ".join((
            r["protocol"], f"`{r['step']}`", r["name"],
            str(r.get("code", "")), str(r.get("seconds", "")),
            f"{r.get('peak_kb', 0) / 1024:.1f}",
            r.get("said", "").replace("|", "\\|"))) + " |"


def summary(rows):
    yield "| protocol | behaviours | exit codes | longest pass | most memory |"
    yield "|---|--:|---|--:|--:|"
    for protocol in dict.fromkeys(r["protocol"] for r in rows):
        mine = [r for r in rows if r["protocol"] == protocol]
        codes = Counter(r.get("code") for r in mine)
        yield "| " + " | ".join((
            protocol, str(len(mine)),
            ", ".join(f"{n} x {c}" for c, n in sorted(codes.items())),
            f"{max(r.get('seconds', 0) for r in mine)} s",
            f"{max(r.get('peak_kb', 0) for r in mine) / 1024:.1f} MB"))\
            + " |"


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
    rows = [json.loads(line) for line in args.out.read_text().splitlines()] \
        if args.out.exists() else []
    if args.table:
        print("\n".join([*summary(rows), "", *table(rows)]))
        return 0
    began, todo = time.monotonic(), list(TABLE.values())
    random.Random(args.seed).shuffle(todo)
    done = {(r["protocol"], r["step"], r["name"]) for r in rows}
    with Demo(postfix=False) as demo, open(args.out, "a") as out:
        demo.start()
        forger = Forger()
        for b in todo[:len(todo) // args.sample]:
            if (args.only or "") not in b.key or \
                    (b.protocol, b.step, b.name) in done:
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
