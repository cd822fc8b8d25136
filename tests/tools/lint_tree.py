"""The source tree as the rules of lint see it."""

import functools
import pathlib
import re
import subprocess

# Octets that are test matter, not text of ours.
DATA = ("tests/vectors/", "tests/fuzz/seeds/", "tests/fuzz/dict/",
        "tests/data/", "keys/")
_PIECES = re.compile(
    r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


class Skip(Exception):
    """A rule that has nothing to look at, and says why."""


def _blank(match):
    """The same lines and columns, without the contents."""
    piece = match.group(0)
    if piece[0] in "\"'":
        return piece[0] + " " * (len(piece) - 2) + piece[0]
    return re.sub(r"[^\n]", " ", piece)


class Tree:
    """Names, texts and commits of the source under one folder."""

    def __init__(self, top, dist=None):
        self.top = pathlib.Path(top).resolve()
        self.dist = pathlib.Path(dist).resolve() if dist else None
        self.files = self.tool("tests/tools/files").splitlines()

    def tool(self, name, *args):
        """What one of our own tools prints; its failure is ours."""
        done = subprocess.run([self.top / name, *args], cwd=self.top,
                              capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{name}: {done.stderr.strip()}")
        return done.stdout

    @functools.lru_cache(maxsize=None)
    def text(self, path):
        return (self.top / path).read_bytes().decode("utf-8", "replace")

    def lines(self, path):
        return self.text(path).split("\n")

    @functools.lru_cache(maxsize=None)
    def code(self, path):
        """C without comments and the contents of strings."""
        return _PIECES.sub(_blank, self.text(path))

    def texts(self):
        """Files written by hand, by people."""
        for path in self.files:
            if path.startswith(DATA) or path == "LICENSE":
                continue
            if b"\0" not in (self.top / path).read_bytes()[:4096]:
                yield path

    def c(self, *folders):
        """.c and .h files under those folders."""
        want = folders or ("src/", "tests/")
        return [f for f in self.files
                if f.startswith(want) and f.endswith((".c", ".h"))]

    def floors(self):
        """(path, floor) of every file of the house."""
        for path in self.c("src/"):
            parts = path.split("/")
            if len(parts) > 2:
                yield path, parts[1]

    @functools.lru_cache(maxsize=None)
    def shebang(self, path):
        with open(self.top / path, "rb") as f:
            return f.readline(80).decode("ascii", "replace").strip()

    def scripts(self):
        shell = re.compile(r"#!.*\b(sh|bash)$")
        return [f for f in self.files if shell.match(self.shebang(f))]

    def python(self):
        return [f for f in self.files if f.endswith(".py")
                or "python" in self.shebang(f)]

    def commits(self, n):
        """(hash, subject, body) of the last ones; none without git."""
        if not (self.top / ".git").exists():
            raise Skip("not a git tree")
        done = subprocess.run(
            ["git", "log", f"-{n}", "--no-merges",
             "--format=%h%x1f%s%x1f%b%x1e"],
            cwd=self.top, capture_output=True, text=True)
        if done.returncode:
            raise Skip(done.stderr.strip())
        for row in done.stdout.split("\x1e"):
            if row.strip():
                yield row.strip("\n").split("\x1f")
