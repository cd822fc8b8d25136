"""What the campaign says in tests/RESULTS.md: one line for all steps and
behaviours with the same end."""

import datetime
import re
from collections import Counter

from hostile.table import TABLE

COLUMNS = ("protocol", "what the server does", "where", "exit", "s", "MB",
           "what sceau did", "and said")
WHOSE = re.compile(r"^(account other|relay relay)?:? ?(mailbox INBOX: )?"
                   r"(localhost)?:? ?")


def did(row):
    if "taken" not in row:
        return f"{row.get('shown', '?')} of 3 shown"
    there = f", {row['other']} by the other" if row["other"] else ""
    return f"{row['taken']} taken{there}, {row['waiting']} wait, " \
        f"{row['refused']} refused"


def joined(rows, key, what):
    """Rows with the same key, as one: what, of all of them."""
    groups = {}
    for r in rows:
        groups.setdefault(tuple(map(str, map(r.get, key))), []).append(r)
    for same in groups.values():
        yield {**same[0], what: ", ".join(dict.fromkeys(
            r[what] for r in same)),
            "seconds": max(r["seconds"] for r in same),
            "peak_kb": max(r["peak_kb"] for r in same)}


def line(cells):
    return "| " + " | ".join(str(c).replace("|", "\\|") for c in cells) + " |"


def table(rows):
    order = {key: n for n, key in enumerate(TABLE)}
    rows = [{**r, "did": did(r), "step": f"`{r['step']}`",
             "said": WHOSE.sub("", r["said"].replace("\\x22", '"'))}
            for r in sorted(rows, key=lambda r: order[
                f"{r['protocol']} {r['step']} {r['name']}"])]
    rows = joined(rows, ("protocol", "name", "code", "did"), "step")
    rows = joined(rows, ("protocol", "step", "code", "did"), "name")
    yield line(COLUMNS)
    yield "|---|---|---|--:|--:|--:|---|---|"
    for r in rows:
        yield line((r["protocol"], r["name"], r["step"], r["code"],
                    r["seconds"], f"{r['peak_kb'] / 1024:.1f}", r["did"],
                    r["said"]))


def summary(rows):
    yield "| protocol | behaviours | exit codes | longest pass | most memory |"
    yield "|---|--:|---|--:|--:|"
    for protocol in dict.fromkeys(r["protocol"] for r in rows):
        mine = [r for r in rows if r["protocol"] == protocol]
        codes = Counter(r["code"] for r in mine)
        yield line((
            protocol, len(mine),
            ", ".join(f"{n} x {c}" for c, n in sorted(codes.items())),
            f"{max(r['seconds'] for r in mine)} s",
            f"{max(r['peak_kb'] for r in mine) / 1024:.1f} MB"))


HEAD = """\
{date}, `make check-hostile`: of {all} behaviours {tried} tried, {wrong} wrong.
"timeout" is 1 s and "session" 4 s.  In each of these passes the honest account
was fetched, opened and acknowledged, nothing was deleted before it was shown,
nothing went out in clear; then the server behaved, and everything was there
once.  "smtp" is libesmtp, "curl" libcurl, "sceau" our own engine, "two" has an
honest relay beside the hostile one.  A line stands for all behaviours and steps
with the same end, and has the words of the first."""


def head(rows):
    return HEAD.format(
        date=datetime.date.today(), all=len(TABLE), tried=len(rows),
        wrong=sum(r["verdict"] != "ok" for r in rows))
