"""How often the receiving half waits for the other side: what is asked in
one go, counted in commands, so that it holds on any machine."""

import socket
import threading

import pytest

from world.scripted import Scripted
from world.wire_source import source

N = 1000


@pytest.fixture
def mailbox():
    return [b"A: b\r\n\r\n%d\r\n" % n for n in range(N)]


def all_of(server):
    """Listed, fetched and deleted: each of them, once."""
    got = source("list", "fetch-none", "delete", limit=60, host="localhost",
                 port=server.port, protocol=server.protocol, tls="none",
                 user="dr", password="secret", timeout=20, batch=N)
    assert got.code == 0, got.text
    assert len(got.ids("got")) == len(got.ids("released")) == N


@pytest.mark.parametrize("told", [True, False])
def test_imap_asks_for_all_at_once(mailbox, told):
    """A listing, one FETCH, then mark, expunge, look; and CAPABILITY only
    when the server has not said it with its OK to LOGIN."""
    ok = b"%TAG% OK [CAPABILITY IMAP4rev1 UIDPLUS] in\r\n"
    answers = {"LOGIN": lambda _: ok} if told else {}
    # What it says before it knows us counts for nothing.
    answers["GREETING"] = lambda _: b"* OK [CAPABILITY IMAP4rev1] hello\r\n"
    with Scripted("imap", tls="none", messages=mailbox,
                  answers=answers) as server:
        all_of(server)
    asked = [v for v in server.verbs if v != "LOGOUT"]
    assert asked == ["LOGIN", "SELECT", "FETCH", "UID FETCH"] + \
        ([] if told else ["CAPABILITY"]) + \
        ["UID STORE", "UID EXPUNGE", "UID SEARCH"]


def test_imap_lines_stay_short(mailbox):
    """RFC 7162 4: a line of at most 8192 octets, whatever the UIDs."""
    def far(n):
        return 4_000_000_000 + 2 * n

    lines = []

    def listing(_):
        return b"".join(b"* %d FETCH (UID %d RFC822.SIZE %d)\r\n"
                        % (n + 1, far(n), len(m))
                        for n, m in enumerate(mailbox)) + b"%TAG% OK done\r\n"

    def bodies(rest):
        lines.append(rest)
        wanted = [int(u) for u in rest.split()[0].split(b",")]
        return b"".join(b"* %d FETCH (UID %d BODY[] {%d}\r\n%b)\r\n" % (
            (u - far(0)) // 2 + 1, u, len(m), m) for u in wanted
            for m in [mailbox[(u - far(0)) // 2]]) + b"%TAG% OK done\r\n"

    with Scripted("imap", tls="none", messages=mailbox, answers={
            "FETCH": listing, "UID FETCH": bodies, "SELECT": lambda _: (
                b"* %d EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n"
                b"* OK [UIDNEXT %d] x\r\n%%TAG%% OK done\r\n"
                % (N, far(N)))}) as server:
        all_of(server)
    assert max(map(len, server.heard.split(b"\r\n"))) <= 8190
    assert len(lines) == 2


class Patient(threading.Thread):
    """A POP3 server that answers RETR and DELE only when it has heard all of
    them: who waits for answers waits for ever."""

    def __init__(self):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.protocol = "pop3"
        self.start()

    def run(self):
        wire = self.listener.accept()[0]
        with wire, wire.makefile("rb") as said:
            wire.sendall(b"+OK ready\r\n")
            waiting = 0
            for line in said:
                verb = line.split()[0]
                if verb in (b"RETR", b"DELE"):
                    waiting += 1
                    if waiting < N:
                        continue
                    wire.sendall((b"+OK\r\nA: b\r\n\r\nx\r\n.\r\n"
                                  if verb == b"RETR" else b"+OK\r\n") * N)
                    waiting = 0
                    continue
                wire.sendall({
                    b"CAPA": b"+OK\r\nUIDL\r\nUSER\r\nPIPELINING\r\n.\r\n",
                    b"UIDL": b"+OK\r\n" + b"".join(
                        b"%d u%d\r\n" % (n, n) for n in range(1, N + 1)) +
                    b".\r\n",
                    b"LIST": b"+OK\r\n" + b"".join(
                        b"%d 13\r\n" % n for n in range(1, N + 1)) +
                    b".\r\n"}.get(verb, b"+OK\r\n"))


def test_pop3_asks_for_all_at_once():
    server = Patient()
    all_of(server)
    server.listener.close()
