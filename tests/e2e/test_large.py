"""100 MB through every step, directly and through the gateway, in little
memory (DESIGN, ruling 3: private memory of each process)."""

import os

import pytest

from world.demo import stripped

LIMIT_KB = 32 * 1024
EMPTY_KB = 10 * 1024
ROOM = {"max_send": "200 MB", "max_receive": "400 MB"}


@pytest.fixture(scope="module")
def body():
    """100 MB that no compression shortens, in lines."""
    line = os.urandom(57).hex().encode()[:76] + b"\r\n"
    lines = [os.urandom(38).hex().encode() + b"\r\n" for _ in range(997)]
    return (b"".join(lines) + line) * (100_000_000 // (998 * 78))


def step(member, *words, **more):
    got = member.ok(*words, memory=True, seconds=600, **more)
    peaks = {pid: m["private"] for pid, m in got.memory.by_pid.items()}
    assert got.memory.samples > 3 and max(peaks.values()) < LIMIT_KB, peaks
    return got


def test_100_mb_in_32_mb(demo, body):
    for who in (demo.labo, demo.dr, demo.hub, demo.petit):
        who.configure(top=ROOM)
    head = (f"From: {demo.labo.address}\r\nTo: {demo.dr.address}, "
            f"{demo.petit.address}\r\nSubject: large\r\n"
            "Date: Mon, 23 Nov 2026 08:00:00 +0100\r\n"
            "Message-ID: <large@labo.example>\r\n\r\n").encode()
    step(demo.labo, "send", "-t", input=head + body)
    step(demo.labo, "poll")             # twice: direct, and to the gateway
    assert demo.dr.protocol != demo.hub.protocol    # POP3 and IMAP
    step(demo.dr, "poll")
    step(demo.hub, "poll")              # opened and sealed again
    step(demo.petit, "poll")
    for who in (demo.dr, demo.petit):
        (path,) = who.documents()
        assert stripped(path.read_bytes()) == head + body
    step(demo.hub, "poll")
    step(demo.labo, "poll")
    assert set(demo.labo.states().values()) == {"received"}


def test_a_poll_with_nothing_new_is_small(demo):
    """Private dirty, all processes at one moment: Pss would depend on who
    else uses the same libraries just then."""
    demo.dr.ok("poll")
    seen = [demo.dr.ok("poll", memory=True).memory for _ in range(9)]
    assert sum(m.samples for m in seen) > 9
    assert 0 < max(m.dirty_kb for m in seen) < EMPTY_KB
