"""Many accounts in one pass: as many at once as may be, in a memory that does
not grow with what they bring; and servers that admit few."""

import threading
import time

import pytest

from world import memory
from world.dovecot import Dovecot
from world.proxy import Proxy
from world.scripted import Scripted

ACCOUNT = """account "box-{n}" {{
    protocol = {protocol}
    host = "localhost"
    port = {port}
    tls = implicit
    ca_file = "{ca}"
    user = "{user}"
    password_file = "{folder}/password"
    mailbox = "{mailbox}"
}}
"""
MANY = 24
ACCOUNT_KB, FIRST_KB = 2_000, 10_000    # DESIGN, ruling 3
MOST_KB = 32_000


def folders(demo, server, n, *mails):
    """As many folders of one user, with these mails in each."""
    for i in range(n):
        box = server.maildir(demo.dr.user, f"box{i}")
        for part in ("", "tmp", "new", "cur"):
            server._mkdir(box / part)
        for j, mail in enumerate(mails):
            server._own(box / "new" / f"{1700000000 + j}.M{i}.test", mail)


def sections(demo, port, n, protocol="imap", ca=None):
    return "".join(ACCOUNT.format(
        n=i, protocol=protocol, port=port, ca=ca or demo.ca.cert,
        user=demo.dr.user, folder=demo.dr.folder, mailbox=f"box{i}")
        for i in range(n))


class Count(threading.Thread):
    """The most connections to a port at one moment."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.there, self.most, self.over = f":{port:04X} 01 ", 0, False

    def run(self):
        while not self.over:
            with open("/proc/net/tcp", encoding="ascii") as f:
                self.most = max(self.most, f.read().count(self.there))
            time.sleep(0.002)

    def stop(self):
        self.over = True
        self.join()
        return self.most


def polled(demo, port):
    count = Count(port)
    count.start()
    process = demo.dr.start("poll")
    with memory.Sampler(process.pid, 0.01) as seen:
        _, err = process.communicate(timeout=120)
    return process.returncode, err.decode(), count.stop(), seen


def test_all_of_them_at_once(demo):
    """As they are set up when nobody says otherwise."""
    folders(demo, demo.dovecot, MANY)
    with Proxy(demo.dovecot.port["imaps"], delay_s=0.1) as far:
        demo.dr.configure(account={}, sections=sections(demo, far.port, MANY))
        code, err, most, seen = polled(demo, far.port)
    assert (code, err) == (0, "")
    assert most >= MANY
    assert seen.dirty_kb < FIRST_KB + MANY * ACCOUNT_KB


def test_no_more_than_that(demo):
    folders(demo, demo.dovecot, MANY)
    with Proxy(demo.dovecot.port["imaps"]) as near:
        demo.dr.configure(account={}, top={"parallel": 3},
                          sections=sections(demo, near.port, MANY))
        code, err, most, _ = polled(demo, near.port)
    assert (code, err) == (0, "")
    # That file is read piece by piece, while they come and go.
    assert 3 <= most <= 6


@pytest.mark.skipif(not memory.supported(), reason="no smaps_rollup here")
def test_what_they_bring_does_not_lie_in_memory(demo, forger):
    """Two of 2 MB in each, which come at the same time."""
    port = demo.dovecot.port["imaps"]
    mail = forger.mail(demo.labo, demo.dr, demo.mail_of(
        "INR 2,4\n" * 250_000, demo.dr))
    folders(demo, demo.dovecot, MANY, mail, mail)
    demo.dr.configure(account={}, sections=sections(demo, port, MANY))
    code, err, _, seen = polled(demo, port)
    assert code == 0 and "level=error" not in err
    assert len(demo.dr.shown()) == 1
    assert seen.peak_kb < MOST_KB


def few(demo):
    """A server that admits three at once of one user from one address."""
    server = Dovecot(demo.dovecot.cert, {demo.dr.user: demo.dr.password},
                     extra="mail_max_userip_connections = 3")
    server.start()
    return server


def test_a_server_that_admits_few(demo, forger):
    """Who is turned away comes again in the same pass; nobody is alarmed."""
    mails = [forger.mail(demo.labo, demo.dr, demo.mail_of(f"INR {i}", demo.dr))
             for i in range(MANY)]
    server = few(demo)
    try:
        folders(demo, server, MANY)
        for i, mail in enumerate(mails):
            server._own(server.maildir(demo.dr.user, f"box{i}") / "new" /
                        f"1700000000.M{i}.test", mail)
        with Proxy(server.port["imaps"], delay_s=0.05) as far:
            demo.dr.configure(account={}, top={"log_level": "info"},
                              sections=sections(demo, far.port, MANY))
            code, err, _, _ = polled(demo, far.port)
        assert "in.later" in err and "in.failed" not in err
        assert code == 0
        assert len(demo.dr.shown()) == MANY
    finally:
        server.close()


def test_a_server_that_admits_nobody(demo):
    """Then all have failed, each of them once, and without delay."""
    server = few(demo)
    port = server.port["imaps"]
    server.close()
    demo.dr.configure(account={}, sections=sections(demo, port, MANY))
    began = time.monotonic()
    code, err, _, _ = polled(demo, port)
    assert code == 75 and err.count("in.failed") == MANY
    assert time.monotonic() - began < 20


# ---- the only one ----------------------------------------------------------

@pytest.mark.parametrize("protocol,goodbye", (("pop3", "QUIT"),
                                              ("imap", "LOGOUT")))
def test_a_goodbye_that_is_not_answered(demo, protocol, goodbye):
    """All is done by then: a pass in good order, and no process is ended."""
    with Scripted(protocol, demo.dovecot.cert, hang=goodbye) as server:
        demo.dr.configure(account={}, protocol=protocol, port=server.port)
        code, err, _, _ = polled(demo, server.port)
        assert (code, err) == (0, "")
        assert server.verbs[-1] == goodbye and server.handshakes == 1


def test_the_only_one_is_asked_for_once(demo, forger):
    """By the starter, before the keeper; a second one, by the keeper."""
    for n in (0, 1):
        with Proxy(demo.dovecot.port["imaps"]) as near:
            folders(demo, demo.dovecot, n)
            demo.post(demo.dr, forger.mail(demo.labo, demo.dr, demo.mail_of(
                f"INR {n}", demo.dr)))
            demo.dr.configure(account={}, protocol="imap", port=near.port,
                              sections=sections(demo, near.port, n))
            demo.dr.ok("poll")
            assert near.connections == 1 + n
            assert len(demo.dr.shown()) == 1 + n
