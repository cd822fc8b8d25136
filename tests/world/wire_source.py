"""tests/tools/wire-source opens one source as the fetch process would."""

import pathlib
import re
import subprocess

import pytest

from world.world import program

TOOL = program().parent / "tests" / "tools" / "wire-source"
SANITIZED = b"__asan_init" in TOOL.read_bytes() if TOOL.exists() else False
EX_TEMPFAIL, EX_CONFIG, EX_DATAERR = 75, 78, 65
PROTOCOLS = ("imap", "pop3")
MODES = ("implicit", "starttls")


class Got:
    def __init__(self, done):
        self.code, self.text = done.returncode, done.stdout.decode()
        self.stderr = done.stderr.decode()
        self.lines = [line.split(" ") for line in self.text.splitlines()]

    def ids(self, word="id"):
        return [line[1] for line in self.lines if line[0] == word]

    @property
    def error(self):
        """(step, rc, whose trouble, text) or None."""
        for line in self.lines:
            if line[0] == "error":
                return line[1], int(line[2]), line[3], " ".join(line[4:])
        return None


def source(*commands, stdin=b"", limit=120, **settings):
    if not TOOL.exists():
        pytest.fail(f"no {TOOL}: make {TOOL.name} first")
    keys = [f"{k.replace('_', '-')}={v}" for k, v in settings.items()]
    done = subprocess.run([TOOL, *keys, "--", *commands], input=stdin,
                          capture_output=True, timeout=limit)
    got = Got(done)
    assert got.stderr == "", got.stderr
    return got


def at(server, ca, protocol, mode="implicit", **more):
    port = server.port[protocol + ("s" if mode == "implicit" else "")]
    return dict(dict(host="localhost", port=port, protocol=protocol, tls=mode,
                     ca=ca.cert, user="dr", password="secret"), **more)


def at_script(server, ca, **more):
    return dict(dict(host="localhost", port=server.port,
                     protocol=server.protocol, tls=server.tls, ca=ca.cert,
                     user="dr", password="secret", timeout=5), **more)


def fetched(folder):
    return {p.name: p.read_bytes() for p in pathlib.Path(folder).iterdir()}


def memory(got):
    """Private memory in kB."""
    return int(re.search(r"^private (\d+) kB", got.text, re.M).group(1))
