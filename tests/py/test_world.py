"""The world of the tests does what the tests believe it does."""

import base64
import imaplib
import poplib
import smtplib
import socket
import ssl
import subprocess
import sys

import pytest

from world import memory, traces
from world.proxy import Proxy
from world.world import World

MARKER = b"Creatinine 132 umol/l"


@pytest.fixture(scope="module", params=["postfix", "aiosmtpd"])
def world(request):
    with World(postfix=request.param == "postfix") as w:
        w.member("labo", "labo.example")
        w.member("dr", "cabinet.example", protocol="pop3")
        yield w.start()


def tls(world):
    return ssl.create_default_context(cafile=world.ca.cert)


def submit(world, to, text):
    with smtplib.SMTP("localhost", world.relay.port["submission"]) as smtp:
        smtp.starttls(context=tls(world))
        if world.relay.user:
            smtp.login(world.relay.user, world.relay.password)
        smtp.sendmail("labo@" + world.domain, [to], text)


def test_mail_goes_round(world):
    dr = world.members["dr"]
    submit(world, dr.route, b"Subject: one\r\n\r\nround\r\n")
    world.wait_until(lambda: world.dovecot.count("dr") == 1)
    pop = poplib.POP3_SSL("localhost", world.dovecot.port["pop3s"],
                          context=tls(world))
    pop.user("dr"), pop.pass_(dr.password)
    assert b"round" in pop.retr(1)[1]
    pop.dele(1), pop.quit()
    assert world.mailboxes() == {"labo": 0, "dr": 0}


def test_imap_answers_with_the_certificate(world):
    labo = world.members["labo"]
    imap = imaplib.IMAP4_SSL("localhost", world.dovecot.port["imaps"],
                             ssl_context=tls(world))
    assert imap.login("labo", labo.password)[0] == "OK"
    imap.logout()


def test_relay_refuses_strangers(world):
    with pytest.raises(smtplib.SMTPException):
        submit(world, "nobody@" + world.domain, b"Subject: x\r\n\r\nx\r\n")


def test_member_runs_like_cron(world):
    got = world.members["dr"].ok("--version")
    assert got.stdout.startswith(b"sceau ") and got.seconds < 5


def test_traces_are_found_in_every_costume(tmp_path):
    for n, text in enumerate((
            b"x" + MARKER, (b"abc" + MARKER).hex().encode(),
            MARKER.decode().encode("utf-16-le"),
            *(base64.b64encode(b"q" * k + MARKER + b"zz") for k in range(3)))):
        (tmp_path / f"{n}").write_bytes(b"\0" * 1048570 + text)
    assert len(traces.in_folders(MARKER, tmp_path)) == 6
    assert traces.in_folders(b"Creatinine 133 umol/l", tmp_path) == []


def test_leaks_looks_on_the_servers_and_on_the_wire(world):
    assert world.leaks(MARKER) == []
    wire = world.proxy(world.dovecot.port["imap"])
    with socket.create_connection(("127.0.0.1", wire.port)) as s:
        s.sendall(b"a " + MARKER + b"\r\n")
        s.recv(100)
        world.wait_until(lambda: MARKER in bytes(wire.seen))
    world.post(None, world.members["dr"], b"Subject: x\r\n\r\n" + MARKER)
    assert len(world.leaks(MARKER)) == 2
    world.proxies.remove(wire)
    wire.close()


def test_proxy_changes_what_passes():
    with socket.create_server(("127.0.0.1", 0)) as server, \
            Proxy(server.getsockname()[1],
                  change=lambda data, up: data.upper()) as wire:
        with socket.create_connection(("127.0.0.1", wire.port)) as s:
            end, _ = server.accept()
            s.sendall(b"abc")
            assert end.recv(10) == b"ABC"
            end.close()
    assert wire.seen == b"abc"


@pytest.mark.skipif(not memory.supported(), reason="needs /proc")
def test_memory_of_a_child_is_seen():
    code = ("import subprocess, sys; subprocess.run([sys.executable, '-c',"
            " 'x = b\"x\" * 50000000; input()'])")
    child = subprocess.Popen([sys.executable, "-c", code],
                             stdin=subprocess.PIPE)
    with memory.Sampler(child.pid) as got:
        World.wait_until(None, lambda: got.peak_kb > 45000, what="50 MB")
        child.communicate(b"\n")
    assert got.processes >= 2 and got.peak_kb < 100000
