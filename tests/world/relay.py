"""What the tests of the sending half share: wire-relay, and its outcome."""

import base64
import os
import subprocess
import time
from typing import NamedTuple

import pytest

from world.ca import CA
from world.world import program

BUILD = program().parent
TOOL = BUILD / "tests/tools/wire-relay"
CONFIG = (BUILD / "config.h").read_text()
ENGINES = [name for name, macro in (("esmtp", "HAVE_LIBESMTP"),
                                    ("curl", "HAVE_LIBCURL"))
           if f"#define {macro} 1" in CONFIG] + ["sceau"]
WAYS = [w for w in (("esmtp", "starttls"), ("curl", "starttls"),
                    ("curl", "implicit"), ("sceau", "starttls"),
                    ("sceau", "implicit")) if w[0] in ENGINES]
needs_curl = pytest.mark.skipif("curl" not in ENGINES, reason="no libcurl")
SECRET = "s3cret of the relay"
MARK = b"MARK-OF-THE-MAIL"

HEADER = (b"From: lab@example.test\r\nTo: you@example.test\r\n"
          b"Date: Mon, 23 Nov 2026 10:00:00 +0000\r\n"
          b"Message-ID: <1.%d@example.test>\r\nSubject: sealed\r\n\r\n")


# What a mail may hold.
HARD = (b".\r\n..\r\n.dot\r\n\r\n.\r\n" + b"x" * 998 + b"\r\n" +
        b"." * 998 + b"\r\n" + bytes(range(1, 10)) + b"\x0b\x0c" +
        bytes(range(14, 256)) + b"\r\n \r\n\t\r\n" + b"\r\n" * 5 + b".\r\n")


def mail(number=1, body=b"hello\r\n"):
    return HEADER % number + MARK + b"\r\n" + body


class Verdict(NamedTuple):
    verdict: str
    code: int
    enhanced: str
    text: str


class Outcome(NamedTuple):
    mails: list
    rc: str
    why: str
    engine: str
    text: str
    seconds: float

    @property
    def verdicts(self):
        return [m.verdict for m in self.mails]


@pytest.fixture(scope="module")
def ca(tmp_path_factory):
    return CA(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def good(ca):
    return ca.issue("localhost")


@pytest.fixture(params=ENGINES)
def engine(request):
    return request.param


@pytest.fixture
def send(ca, tmp_path_factory):
    """send(port, mail..., setting=value...): the tool's Outcome.  A mail is
    octets, or (from, to, octets)."""
    assert TOOL.is_file(), f"no {TOOL}: make check builds it"

    def call(port, *mails, secret=SECRET, home=None, **settings):
        given = {"host": "localhost", "port": port, "ca": ca.cert,
                 "timeout": 10, "tls": "starttls", **settings}
        if given.get("auth", "none") != "none":
            given.setdefault("user", "dr")
        words, folder = [], tmp_path_factory.mktemp("mails")
        for n, m in enumerate(mails):
            m = m if isinstance(m, tuple) else \
                ("lab@example.test", "you@example.test", m)
            (folder / str(n)).write_bytes(m[2])
            words += [m[0], m[1], str(folder / str(n))]
        env = {k: v for k, v in os.environ.items() if k.endswith("OPTIONS")}
        if "sandbox" in given:      # the leak checker cannot work in it
            env["ASAN_OPTIONS"] = "detect_leaks=0"
        begun = time.monotonic()
        done = subprocess.run(
            [TOOL, *(f"{k}={v}" for k, v in given.items()), "--", *words],
            env={"PATH": "/usr/bin:/bin", "HOME": str(home or folder),
                 "WIRE_SECRET": secret, "WIRE_MAILS": str(folder), **env},
            capture_output=True, timeout=120)
        assert done.returncode in (0, 1), done.stderr.decode()[-4000:]
        assert done.stderr == b"", done.stderr.decode()[-4000:]
        rows = [r.split("\t") for r in done.stdout.decode().splitlines()]
        assert rows and rows[-1][0] == "end"
        out = Outcome([Verdict(r[2], int(r[3]), r[4], r[5])
                       for r in rows[:-1]], *rows[-1][1:],
                      time.monotonic() - begun)
        # Each mail that was asked for has just one verdict.
        assert [r[1] for r in rows[:-1]] == \
            [str(i) for i in range(len(out.mails))]
        assert all(m.text.isprintable() and m.text.isascii() and
                   len(m.text) <= 200 for m in out.mails)
        return out
    return call


def silent(server):
    """Not one octet of a password or a mail came."""
    heard = server.heard
    assert MARK not in heard and b"AUTH" not in heard and \
        b"MAIL" not in heard and not server.mails
    for secret in (SECRET, "\0dr\0" + SECRET):
        assert base64.b64encode(secret.encode())[:12] not in heard
