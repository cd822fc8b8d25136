#!/usr/bin/python3
"""What the last benches said, as a section of tests/RESULTS.md.

usage: tests/bench/report.py FOLDER | tests/tools/section RESULTS Benchmarks

FOLDER has the NAME.json of `make bench`.
"""

import json
import pathlib
import sys

# Load for each core before; after it is the servers' and clients' own, and
# what the bench before has left of it is above 1.
BUSY = 1.5

HEAD = """\
`make bench`: real servers on loopback in one run, sides in turn, each result
checked.  Numbers beside a name are how many times as long as sceau it takes:
median, least and most of the rounds; below 1 it is faster than sceau.  sceau
opens, files, acknowledges; those who fetch or send beside it do only that.
"""


def beside(row):
    if "failed" in row:
        return f"{row['side']}: failed"
    if "ratio_median" not in row:
        return row["side"]
    return (f"{row['side']} {row['ratio_median']:.2f} "
            f"({row['ratio_low']:.2f} to {row['ratio_high']:.2f})")


def rows(table):
    first, *others = table["rows"]
    if "acts" in table:
        for r in table["rows"]:
            made = (f"{r['kb']} kB, {r['octets'] / 1e6:.1f} MB, "
                    f"{1 / r['median']:.0f}/s") if r["kb"] else ""
            yield (f"{table['title']}: {r['side']}, {r['n']:,}",
                   f"{r['seconds'] * 1000:.2f} ms, "
                   f"{r['cpu'] * 1000:.2f} ms CPU", made)
    elif "exponents" in table:
        e = table["exponents"]
        yield (table["title"], "; ".join(
            f"{r['n']:,}: {r['median']:.3g} s, {r['kb'] / 1000:.1f} MB"
            for r in table["rows"]), f"exponent of time {e['time']:.2f}, of "
               f"memory {e['memory']:.2f}")
    elif "median" in first:
        yield (table["title"], f"{1 / first['median']:.1f}/s, "
               f"{first['cpu'] * 1000:.2f} ms CPU",
               ", ".join(map(beside, others)))


def main():
    files = sorted(pathlib.Path(sys.argv[1]).glob("*.json"))
    found = [json.loads(f.read_text()) for f in files]
    if not found:
        sys.exit("no benches yet: make bench")
    print(HEAD)
    for f, one in zip(files, found):
        m, v = one["machine"], one["versions"]
        load = m["load before"] / m["cores"]
        print(f"{f.stem}, {m['at'][:10]}: sceau {v['sceau']}, {m['cores']} "
              f"cores of {m['processor']}, Linux {m['kernel']}, "
              f"{m['file systems']['disk']}, {one['rounds']} rounds" +
              (f"; PROVISIONAL, load {load:.0f} for each core" if load > BUSY
               else "") + ".\n")
        print("| work | sceau | others |\n|---|---|---|")
        for table in one["tables"]:
            for cells in rows(table):
                print("| " + " | ".join(cells) + " |")
        print()
    names = {k: v for k, v in found[-1]["versions"].items() if k != "sceau"}
    print("Versions: " + ", ".join(f"{k} {v}" for k, v in names.items()) + ".")


if __name__ == "__main__":
    main()
