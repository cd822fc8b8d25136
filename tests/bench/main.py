#!/usr/bin/python3
"""How fast sceau is, beside those that people would take instead.

usage: tests/bench/main.py --out FOLDER [--only NAME]... [--count N]
                            [--rounds N] [--full] [--match TEXT]

Builds a release of this source in FOLDER, plays on real servers on loopback,
checks what was done octet by octet, and prints one table for each kind of
work; FOLDER/NAME.json has all figures.  Times are for people: nothing fails
because something is slow.  It fails when nothing was measured, or when sceau
did not do the work.
"""

import argparse
import fcntl
import importlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests"))

BENCHES = ("filters", "fetch", "empty", "sending", "gateway", "growth",
           "scale", "pgp", "issuer", "ring")
PEERS = ("age", "fdm", "fetchmail", "getmail6", "gnupg", "gnuplot-nox",
         "isync", "mpop", "msmtp", "openssl")


def install():
    """The others, from Debian; who is not root keeps what there is."""
    wanted = [p for p in PEERS if subprocess.run(
        ["dpkg", "-s", p], capture_output=True, check=False).returncode]
    if not wanted or os.getuid() or not shutil.which("apt-get"):
        return
    print("installing", *wanted, file=sys.stderr)
    subprocess.run(["apt-get", "install", "-qq", "-y",
                    "--no-install-recommends", *wanted], check=False,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})


def build(out):
    """sceau as it is released: -O2, no fault points."""
    tools, tree, release = TOP / "tests/tools", out / "tree", out / "release"
    log = out / "build.log"
    with log.open("wb") as said:
        def do(*argv):
            if subprocess.run([*map(str, argv)], stdout=said, stderr=said,
                              check=False).returncode:
                sys.exit(f"the release was not built: see {log}")
        do(tools / "tree", tree)
        if (release / "Makefile").exists():
            do("make", "-s", "-C", release, "-j2", "sceau")
        else:
            do(tools / "build", tree, release, f"PYTHON={sys.executable}")
    return release / "sceau"


def _said(*argv):
    try:
        done = subprocess.run(argv, capture_output=True, text=True,
                              check=False, timeout=10)
    except OSError:
        return None
    lines = (done.stdout + done.stderr).splitlines()
    return lines[0].strip() if lines else None


def versions():
    ours = subprocess.run(["git", "-C", TOP, "describe", "--always",
                           "--dirty"], capture_output=True, text=True,
                          check=False).stdout.strip()
    packages = [p for p in (*PEERS, "dovecot-core", "postfix", "libsodium23")]
    done = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${Version}\n", *packages],
        capture_output=True, text=True, check=False).stdout.splitlines()
    return {"sceau": ours, **dict(
        line.split(" ", 1) for line in done if not line.endswith(" "))}


def machine(out):
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        model = next((line.partition(":")[2].strip() for line in f
                      if line.startswith("model name")), "?")
    where = {}
    for name, folder in (("disk", out), ("memory", "/dev/shm")):
        where[name] = (_said("stat", "-f", "-c", "%T", str(folder)) or
                       "none").replace("ext2/ext3", "ext4")
    return {"cores": os.cpu_count(), "processor": model,
            "kernel": os.uname().release, "file systems": where,
            "load before": os.getloadavg()[0],
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}


class Bench:
    """What the benches share: settings, stands, and where results go."""

    def __init__(self, args, sceau):
        self.full, self.count, self.rounds = args.full, args.count, args.rounds
        self.sceau, self.out, self.match = sceau, args.out, args.match
        self.machine = machine(args.out)
        self.name, self.tables = None, []
        self.skipped, self._stands = {}, {}

    def stand(self, disk):
        """The association on that file system: "disk" or "memory"."""
        from bench.stand import MEMORY, Stand
        if disk not in self._stands:
            folder = self.out / "work" if disk == "disk" else MEMORY
            pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
            stand = Stand(folder)
            stand.where = self.machine["file systems"][disk]
            self._stands[disk] = stand
        return self._stands[disk]

    def skip(self, name, why):
        if name not in self.skipped:
            print(f"skipped: {name}: {why}")
        self.skipped[name] = why

    def wants(self, title):
        return self.match in title

    def keep(self, title, rows, **more):
        self.tables.append({"title": title, **more, "rows": rows})
        self.save()

    def table(self, title, rows, item, octets=0):
        """Print one table and keep it."""
        self.keep(title, rows, item=item, octets=octets)
        print(f"\n{title}")
        print(f"  {'':22}{item + '/s':>12}{'ms each':>10}"
              f"{'CPU ms':>9}  as long as sceau")
        for row in rows:
            print("  " + line(row, octets))
        sys.stdout.flush()

    def save(self):
        """After each table: who is ended early has those before."""
        path = self.out / f"{self.name}.json"
        path.write_text(json.dumps({
            "machine": {**self.machine, "load after": os.getloadavg()[0]},
            "versions": versions(), "rounds": self.rounds,
            "skipped": self.skipped, "tables": self.tables}, indent=1) + "\n")

    def measure(self, name):
        """One bench; how many sides were measured."""
        self.name, self.tables = name, []
        importlib.import_module(f"bench.{name}").measure(self)
        return sum("median" in row for t in self.tables for row in t["rows"])

    def close(self):
        for stand in self._stands.values():
            stand.close()


def line(row, octets):
    if "failed" in row:
        return f"{row['side']:22}  {row['failed']}"
    each = row["median"]
    text = (f"{row['side']:22}{1 / each:12.1f}{each * 1000:10.3f}"
            f"{row['cpu'] * 1000:9.3f}")
    if "ratio_median" in row:
        text += (f"  {row['ratio_median']:6.2f} ({row['ratio_low']:.2f} to "
                 f"{row['ratio_high']:.2f})")
    if octets >= 100_000:
        text += f"  {octets / each / 1e6:.0f} MB/s"
    notes = [row["note"]] if row["note"] else []
    if row["turns"]:
        notes.append(f"{row['turns']:.0f} round trips")
    if row["kb"]:
        notes.append(f"{row['kb']} kB")
    return text + ("  " + ", ".join(notes) if notes else "")


def arguments():
    p = argparse.ArgumentParser()
    p.add_argument("--out", type=pathlib.Path, required=True)
    p.add_argument("--only", action="append", choices=BENCHES)
    p.add_argument("--count", type=int, default=0)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--full", action="store_true")
    p.add_argument("--match", default="",
                   help="only the tables with that in their title")
    return p.parse_args()


def main():
    args = arguments()
    # Ended from outside: the servers end too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    args.out = args.out.resolve()
    args.out.mkdir(parents=True, exist_ok=True)
    alone = (args.out / "lock").open("w")
    fcntl.flock(alone, fcntl.LOCK_EX)   # one at a time
    install()
    sceau = build(args.out)
    os.environ["SCEAU_BUILD"] = str(sceau.parent)
    bench = Bench(args, sceau)
    print(json.dumps({**bench.machine, "versions": versions()}, indent=1))
    try:
        measured = 0
        for name in args.only or BENCHES:
            measured += (now := bench.measure(name))
            if not now and not args.match:
                sys.exit(f"{name}: nothing was measured")
        if not measured:
            sys.exit("nothing was measured")
    finally:
        bench.close()


if __name__ == "__main__":
    main()
