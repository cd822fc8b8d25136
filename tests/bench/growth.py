"""How time and memory grow with the work, by tens: the slope of the curve in
a plot of logarithms is its exponent; 1 is what work for each message costs, 0
what does not depend on it at all.  Curves go to FOLDER/growth.NAME.svg where
gnuplot is."""

import contextlib
import math
import os
import pathlib
import shutil
import sqlite3
import subprocess
import tempfile

from bench import fetch, ring, scale
from bench.filters import TOOLS, _env
from bench.measure import run
from bench.sending import Sink
from bench.stand import MEMORY

LONG = 10_000       # so many: once is enough

PLOT = """\
set terminal svg size 640,400
set output "{out}"
set logscale xy
set grid
set key top left
set xlabel "{x}"
set ylabel "seconds"
set y2label "kB"
set logscale y2
set y2tics
set title "{title}"
plot "{data}" using 1:2 with linespoints title "seconds", \\
    "{data}" using 1:3 axes x1y2 with linespoints title "memory, kB"
"""


def exponent(points):
    """Least squares on logarithms: [(x, y)]."""
    logs = [(math.log(x), math.log(y)) for x, y in points if y > 0]
    mx = sum(x for x, _ in logs) / len(logs)
    my = sum(y for _, y in logs) / len(logs)
    below = sum((x - mx) ** 2 for x, _ in logs)
    return sum((x - mx) * (y - my) for x, y in logs) / below if below else 0


def message_size(bench, sizes):
    """Opening one message, as a whole process."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as home:
        home = pathlib.Path(home)
        plain, sealed, out = home / "plain", home / "sealed", home / "out"
        seal, open_ = TOOLS["sceau"](bench.sceau, home)
        for octets in sizes:
            plain.write_bytes(os.urandom(octets))
            run(seal, env=_env(home), stdin=plain, stdout=sealed)

            def once(memory=False):
                return run(open_, env=_env(home), stdin=sealed, stdout=out,
                           memory=memory)
            yield octets, best(bench, once), once(True).kb
            assert out.read_bytes() == plain.read_bytes()


def best(bench, once, n=0):
    """The least of several: what else runs only adds to it."""
    return min(once().seconds
               for _ in range(1 if n > LONG else bench.rounds))


@contextlib.contextmanager
def association(kind, bench, policy, n):
    """A desk and n members, on a memory file system; and where mail goes."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as top:
        os.chmod(top, 0o711)
        desk, sink = kind(bench, pathlib.Path(top), policy, n), Sink()
        try:
            desk.begin()
            yield desk, sink
        finally:
            sink.close()


def filing(bench, n, octets):
    """A pass that fetches, opens and files n documents of that size: once()."""
    stand = bench.stand("memory")
    dr = stand.dr
    dr.protocol, dr.kind = "imap", "maildir"

    def once(memory=False):
        stand.fill(dr, n, octets)
        got = fetch.poll(stand, dr, 0, memory)
        stand.filed(dr, n, octets)
        return got
    return once


def letter(bench, sizes):
    for octets in sizes:
        once = filing(bench, 1, octets)
        yield octets, best(bench, once), once(True).kb
        bench.stand("memory").pools.pop(octets)


def mailbox(bench, counts):
    for n in counts:
        once = filing(bench, n, 8_000)
        yield n, best(bench, once), once(True).kb


def remembered(bench, counts):
    """100 more documents, when so many were filed before."""
    stand = bench.stand("memory")
    dr, done = stand.dr, 0
    dr.protocol, dr.kind = "imap", "maildir"
    stand.fill(dr, 0, 8_000)
    paths, _ = stand.pool(max(counts) + 300 * len(counts), 8_000)

    def more(n, memory=False):
        nonlocal done
        stand.put(dr, paths[done:done + n])
        done += n
        got = fetch.poll(stand, dr, 0, memory)
        stand.settle()
        assert dr.mail() == []
        return got
    for n in counts:
        more(max(n - done, 0))
        yield n, min(more(100).seconds for _ in range(2)), more(100, True).kb


def sent(state):
    """How many the store says were taken."""
    with contextlib.closing(sqlite3.connect(state / "sceau.db")) as db:
        return db.execute(
            "SELECT count(*) FROM queue WHERE state = 4").fetchone()[0]


def waiting(bench, counts):
    """Relaying a queue of that length to smtp-sink, which keeps them; of very
    many it gives one name to two now and then."""
    with association(ring.Two, bench, "one", 10) as (desk, sink):
        labo = desk.place("labo", "labo.central", sink.port)
        saved = labo.top / "saved"
        for n in counts:
            shutil.rmtree(saved, ignore_errors=True)
            labo.relays(False)
            ring.put(labo, range(n))
            labo.sceau("poll", codes=(0, 75))
            with sqlite3.connect(labo.top / "state/sceau.db") as db:
                db.execute("UPDATE queue SET next_at = 0")
            db.close()
            before = sent(labo.top / "state")
            (labo.top / "state").rename(saved)
            labo.relays(True)

            def once(memory=False):
                shutil.rmtree(labo.top / "state", ignore_errors=True)
                subprocess.run(["cp", "-a", saved, labo.top / "state"],
                               check=True)
                sink.empty()
                got = labo.sceau("poll", memory=memory)
                assert sent(labo.top / "state") - before == n
                assert n - n // LONG * 10 <= sink.count() <= n
                return got
            yield n, best(bench, once, n), once(True).kb


def members(bench, counts):
    """100 messages pass a gateway with so many members."""
    for n in counts:
        with association(scale.Three, bench, "list", n) as (desk, sink):
            way = scale.Way(desk, sink)
            way.once(1)
            yield (n, best(bench, lambda w=way: w.once(100)),
                   way.once(100, True).kb)


def passed(bench, counts):
    """100 messages pass a gateway that so many have passed before."""
    with association(scale.Three, bench, "list", 10) as (desk, sink):
        way, done = scale.Way(desk, sink), 0
        way.once(1)
        for n in counts:
            scale.remember(way.hub, n - done)
            done = n
            way.once(1)
            yield (n, best(bench, lambda: way.once(100)),
                   way.once(100, True).kb)


CURVES = (
    ("size", "octets of a message opened", message_size,
     (1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000), ()),
    ("letter", "octets of a message fetched, opened and filed", letter,
     (10_000, 100_000, 1_000_000, 10_000_000), (100_000_000,)),
    ("mailbox", "documents fetched and filed", mailbox,
     (1, 10, 100, 1_000), (10_000,)),
    ("remembered", "documents filed before, 100 more", remembered,
     (1, 10, 100, 1_000), (10_000,)),
    ("queue", "documents waiting, relayed", waiting,
     (1, 10, 100, 1_000), (10_000, 100_000)),
    ("members", "members, 100 messages through the gateway", members,
     (1, 10, 100, 1_000), (10_000, 80_000)),
    ("passed", "messages relayed before, 100 more", passed,
     (100, 1_000, 10_000), (100_000, 1_000_000, 10_000_000)),
)


def draw(bench, name, x, points):
    data = bench.out / f"growth.{name}.dat"
    data.write_text("".join(f"{n} {s:.6f} {kb}\n" for n, s, kb in points))
    if not shutil.which("gnuplot"):
        bench.skip("gnuplot", "not installed: no plots")
        return
    subprocess.run(["gnuplot"], input=PLOT.format(
        out=bench.out / f"growth.{name}.svg", x=x, title=x, data=data),
        text=True, check=True)


def measure(bench):
    for name, x, curve, few, more in CURVES:
        title = f"growth: {x}"
        if not bench.wants(title):
            continue
        points = list(curve(bench, few + (more if bench.full else ())))
        tail = points[-3:]          # where the work is more than the start
        slopes = {"time": exponent([(n, s) for n, s, _ in tail]),
                  "memory": exponent([(n, kb) for n, _, kb in points])}
        rows = [{"side": f"{n}", "n": n, "median": s, "kb": kb}
                for n, s, kb in points]
        bench.keep(title, rows, exponents=slopes)
        print(f"\n{title}\n  {'':>12}{'seconds':>12}{'kB':>10}")
        for n, s, kb in points:
            print(f"  {n:12}{s:12.4f}{kb:10}")
        print(f"  exponents: time {slopes['time']:.2f}, "
              f"memory {slopes['memory']:.2f}", flush=True)
        draw(bench, name, x, points)
