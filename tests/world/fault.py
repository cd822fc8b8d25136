"""The n-th call of a class fails, or kills: tests/fault/shim.c, preloaded.

    calls = Calls(folder)
    got = member.sceau("poll", **calls.env("sync", 3, "killall"))
    calls.fired                 # True: the third sync was reached
    calls.counts()              # {"keeper": {"sync": 7, ...}, ...}

Without arguments env() only counts: counts() then says how many n there are.
"""

import functools
import os
import pathlib
import struct
import subprocess

from world.world import program

CLASSES = ("alloc", "open", "read", "write", "sync", "rename", "net", "ipc",
           "sql", "lie", "grow", "lib", "sys")
PARTS = ("starter", "keeper", "vault", "clerk", "fetch", "relay", "composer",
         "other")
LAYOUT = struct.Struct(f"=3Q{len(CLASSES) * len(PARTS)}Q")


@functools.lru_cache(maxsize=None)
def library(name):
    """Its path; made by the build folder of the program under test."""
    build = program().parent
    path = f"tests/fault/{name}.so"
    made = subprocess.run(["make", "-s", "-C", build, path],
                          capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    return str(build / path)


def preloaded(name, **env):
    """Variables with which that library comes before those of env."""
    san = os.environ.get("ASAN_OPTIONS", "")
    more = [env["LD_PRELOAD"]] if "LD_PRELOAD" in env else []
    return {"ASAN_OPTIONS": f"{san}:verify_asan_link_order=0", **env,
            "LD_PRELOAD": ":".join([library(name), *more])}


class Calls:
    """folder: where the counters lie, outside what is under test."""

    def __init__(self, folder):
        self.path = folder / "calls"

    def env(self, what=None, n=1, action="kill", part=None, after=False):
        """Variables for one run.  action: kill, killall, or an errno; after:
        all calls from the n-th on fail (a full disk).  n "new": the first
        from a place in the program that has not failed yet."""
        assert what in (None, *CLASSES) and part in (None, *PARTS)
        self.path.write_bytes(bytes(LAYOUT.size))
        env = preloaded("shim", SCEAU_FAULT_CALLS=str(self.path))
        if what:
            env["SCEAU_FAULT_CALL"] = \
                f"{what}{'@' + part if part else ''}" \
                f"#{n}{'+' if after else ''}:{action}"
        if n == "new":
            env["SCEAU_FAULT_PLACES"] = str(self.path.with_name("places"))
        return env

    def _read(self):
        return LAYOUT.unpack(self.path.read_bytes())

    @property
    def fired(self):
        return self._read()[1] > 0

    @property
    def at(self):
        """Which of the calls of that class and part it was, or how many."""
        return self._read()[0]

    @property
    def ran(self):
        """Some sceau counted: without it every answer is a false zero."""
        return self._read()[2] > 0

    def counts(self):
        """{part: {class: calls}} of the last run, without the zeros."""
        assert self.ran, "the library was not preloaded"
        flat = iter(self._read()[3:])
        rows = {p: {c: next(flat) for c in CLASSES} for p in PARTS}
        return {p: {c: n for c, n in row.items() if n}
                for p, row in rows.items() if any(row.values())}

    def total(self, what, part=None):
        return sum(row.get(what, 0) for p, row in self.counts().items()
                   if part in (None, p))


def children(pid):
    """Of the starter: the keeper is the first."""
    text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(p) for p in text.split()]


def state(pid):
    """Its letter in proc(5): T stopped, Z ended and not waited for."""
    text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    return text.rpartition(")")[2].split()[0]


def stopped(pid):
    return state(pid) == "T"
