"""How much memory a program and its children hold, sampled while they run.

    with Sampler(process.pid) as memory:
        process.wait()
    memory.peak_kb, memory.total_kb, memory.by_pid

Private memory (private clean and dirty, of smaps_rollup) and Pss: pages that
processes share are not counted once for each of them.
"""

import contextlib
import os
import pathlib
import re
import threading
import time


def _children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            return [int(p) for p in f.read().split()]
    except (OSError, ValueError):
        return []


def tree(pid):
    """The process and all its descendants, now."""
    found, todo = [], [pid]
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo.extend(_children(pid))
    return found


def name_of(pid):
    """"" when it has ended."""
    try:
        with open(f"/proc/{pid}/comm") as f:
            return f.read().strip()
    except OSError:
        return ""


def measure(pid):
    """{"pss": kB, "private": kB, "dirty": kB, "rss": kB} of one process, or
    None; dirty: private and written to, which no file could give again."""
    got = {"pss": 0, "private": 0, "dirty": 0, "rss": 0}
    try:
        with open(f"/proc/{pid}/smaps_rollup") as f:
            for line in f:
                word, _, rest = line.partition(":")
                if word in ("Private_Clean", "Private_Dirty"):
                    got["private"] += int(rest.split()[0])
                if word == "Private_Dirty":
                    got["dirty"] = int(rest.split()[0])
                elif word in ("Pss", "Rss"):
                    got[word.lower()] = int(rest.split()[0])
    except (OSError, ValueError, IndexError):
        return None
    return got if got["rss"] else None


class Sampler:
    """pid: the root of the tree; nothing but that tree is looked at."""

    def __init__(self, pid, every_s=0.005):
        self.pid, self.every_s = pid, every_s
        self.samples = 0
        self.total_kb = 0           # most Pss of all at one moment
        self.dirty_kb = 0           # most private dirty of all at one
        self.by_pid = {}            # pid: most of each measure
        self.names = {}             # pid: what it was called last
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def peak_kb(self):
        """The most private memory that any one process held."""
        return max((m["private"] for m in self.by_pid.values()), default=0)

    @property
    def dirty_by_name(self):
        """{name: the most that one process of that name had written to}."""
        most = {}
        for pid, got in self.by_pid.items():
            name = self.names[pid]
            most[name] = max(most.get(name, 0), got["dirty"])
        return most

    @property
    def processes(self):
        return len(self.by_pid)

    def _run(self):
        while not self._stop.is_set():
            total = dirty = 0
            for pid in tree(self.pid):
                got = measure(pid)
                if got is None:
                    continue
                self.names[pid] = name_of(pid) or self.names.get(pid, "")
                total += got["pss"]
                dirty += got["dirty"]
                best = self.by_pid.setdefault(pid, dict(got))
                for what, kb in got.items():
                    best[what] = max(best[what], kb)
            self.total_kb = max(self.total_kb, total)
            self.dirty_kb = max(self.dirty_kb, dirty)
            self.samples += 1
            time.sleep(self.every_s)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()


def supported():
    return os.path.exists("/proc/self/smaps_rollup")


# ---- what is in it

def name(pid):
    """Of the part that it is; "" of a command that is alone, or has left."""
    with contextlib.suppress(OSError):
        text = pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
        return text.partition("sceau:")[2]
    return ""


def mappings(pid):
    """(octets, flags of proc(5)) of each that can be read; of who has left,
    nothing.  "dd" is what no core holds, "lo" what is locked."""
    try:
        text = pathlib.Path(f"/proc/{pid}/smaps").read_text()
        memory_of = open(f"/proc/{pid}/mem", "rb", 0)
    except (FileNotFoundError, ProcessLookupError):
        return
    with memory_of as f:
        for part in re.split(r"\n(?=[0-9a-f]+-[0-9a-f]+ )", text):
            start, end = (int(x, 16) for x in part.split()[0].split("-"))
            flags = re.search(r"^VmFlags:(.*)$", part, re.M).group(1).split()
            if "rd" in flags and "[v" not in part.splitlines()[0]:
                f.seek(start)
                with contextlib.suppress(OSError):
                    yield f.read(end - start), flags


def proc(pid, name_):
    """A file of proc(5); nothing of who has left, or hides it from us."""
    try:
        return pathlib.Path(f"/proc/{pid}/{name_}").read_bytes()
    except (ProcessLookupError, FileNotFoundError, PermissionError):
        return b""
