"""The sending half: nothing to whom has not proved itself, and no mail
before the login.  All engines.
"""

import base64
import socket
import ssl

import pytest

from world.ca import CA, self_signed
from world.relay import (  # noqa: F401 (fixtures)
    ENGINES, MARK, SECRET, WAYS, ca, engine, good, mail, needs_curl, send,
    silent)
from world.smtp_script import DROP, Script


# ---- the server must prove itself

def certificate(kind, ca, folder):
    return {
        "good": lambda: ca.issue("localhost"),
        "expired": lambda: ca.issue("localhost", days=(-30, -1)),
        "not yet": lambda: ca.issue("localhost", days=(1, 30)),
        "wrong host": lambda: ca.issue("elsewhere.test"),
        # libesmtp compares with the address that it was given.
        "address": lambda: ca.issue("127.0.0.1"),
        "unknown": lambda: CA(folder, "Somebody").issue("localhost"),
        "self-signed": lambda: self_signed(folder, "localhost"),
        "old": lambda: ca.issue("localhost"),
    }[kind]()


@pytest.mark.parametrize("kind", ["good", "expired", "not yet", "wrong host",
                                  "address", "unknown", "self-signed", "old"])
@pytest.mark.parametrize("way", WAYS, ids="-".join)
def test_tls(send, ca, tmp_path, way, kind):
    cert = certificate(kind, ca, tmp_path)
    names = []
    with Script(cert, starttls=way[1] == "starttls", users={"dr": SECRET},
                implicit=way[1] == "implicit", old=kind == "old") as server:
        server.context.sni_callback = lambda s, name, c: names.append(name)
        out = send(server.port, mail(), engine=way[0], tls=way[1],
                   auth="password", sandbox=1)
        if kind == "good":
            assert (out.rc, out.verdicts) == ("ok", ["sent"]), out
            assert names == ["localhost"]
            return
        assert (out.rc, out.why) == ("temp", "tls"), out
        assert out.verdicts == ["deferred"] and "localhost" in out.text
        silent(server)


def test_the_old_server_can_speak(good):
    """The one of the case "old": who takes TLS 1.1 does reach it."""
    with Script(good, implicit=True, old=True) as server:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        with context.wrap_socket(socket.create_connection(
                ("127.0.0.1", server.port))) as s:
            assert s.version() == "TLSv1.1"


@pytest.mark.parametrize("way", WAYS, ids="-".join)
@pytest.mark.parametrize("kind,pin,fine", [
    ("self-signed", "right", True),
    ("unknown", "right", True),
    ("self-signed", "wrong", False),
    ("good", "wrong", True),        # a known authority stands behind it
    ("expired", "right", False),
    ("not yet", "right", False),
    ("wrong host", "right", False),
])
def test_pin(send, ca, good, tmp_path, way, kind, pin, fine):
    cert = certificate(kind, ca, tmp_path)
    with Script(cert, starttls=way[1] == "starttls", users={"dr": SECRET},
                implicit=way[1] == "implicit") as server:
        out = send(server.port, mail(), mail(), engine=way[0], tls=way[1],
                   auth="password", sandbox=1,
                   pin=cert.pin if pin == "right" else good.pin)
        if fine:
            assert (out.rc, out.verdicts) == ("ok", ["sent"] * 2), out
        else:
            assert (out.rc, out.why) == ("temp", "tls"), out
            silent(server)


def test_starttls_taken_out(send, engine):
    with Script(starttls=False, users={"dr": SECRET}) as server:
        out = send(server.port, mail(), engine=engine, auth="password")
        assert (out.rc, out.why) == ("temp", "tls"), out
        silent(server)


@pytest.mark.parametrize("answer", ["454 4.7.0 not now", "502 5.5.1 what",
                                    "250 ok"])
def test_starttls_refused(send, engine, good, answer):
    with Script(good, starttls=True, users={"dr": SECRET},
                answers={"STARTTLS": answer}) as server:
        out = send(server.port, mail(), engine=engine, auth="password")
        assert out.rc == "temp" and out.why in ("tls", "network"), out
        silent(server)


FORGED = (b"250-script.test\r\n250 PIPELINING\r\n250 2.1.0 ok\r\n"
          b"250 2.1.5 ok\r\n354 go\r\n250 2.0.0 queued as FORGED\r\n")


@pytest.mark.parametrize("answers", [
    {"STARTTLS": b"220 go\r\n" + FORGED},
    {"STARTTLS": b"220 go\r\n250"},
    # libesmtp cuts lines at 1023 octets: the rest would be the next reply
    {"STARTTLS": b"220 " + b"a" * 1018 + FORGED},
    {"STARTTLS": b"220-a\r\n220 go\r\n" + FORGED},
    {"EHLO": b"250-script.test\r\n250 STARTTLS\r\n220 go\r\n" + FORGED},
    {"GREETING": b"220 hi\r\n250-script.test\r\n250 STARTTLS\r\n220 go\r\n" +
     FORGED},
], ids=["reply", "part", "long line", "many lines", "before", "greeting"])
def test_words_before_tls_never_count(send, engine, good, answers):
    for auth in ("none", "password"):
        with Script(good, starttls=True, users={"dr": SECRET},
                    answers=answers) as server:
            out = send(server.port, mail(), engine=engine, auth=auth)
            assert out.rc == "temp" and out.why in ("tls", "network"), out
            assert out.verdicts == ["deferred"]
            assert "FORGED" not in str(out)
            silent(server)


def test_plain_text_goes_to_no_other_machine(send, engine):
    out = send(25, mail(), engine=engine, tls="none", host="192.0.2.1")
    assert out.rc == "conf" and out.mails == []


# ---- login

def test_wrong_password_suspends_the_route(send, engine, good):
    with Script(good, starttls=True, users={"dr": "other"}) as server:
        out = send(server.port, mail(), mail(), engine=engine,
                   auth="password")
        assert (out.rc, out.why) == ("temp", "login")
        assert out.verdicts == ["deferred"] and "535" in out.text
        assert SECRET not in str(out)
        assert b"MAIL" not in server.heard and MARK not in server.heard


@pytest.mark.parametrize("mechanisms", ["", "GSSAPI", "X-NONE"])
def test_no_login_offered(send, engine, good, mechanisms):
    """Both libraries would go on without."""
    with Script(good, starttls=True, mechanisms=mechanisms) as server:
        out = send(server.port, mail(), engine=engine, auth="password")
        assert (out.rc, out.why) == ("temp", "login"), out
        assert MARK not in server.heard and not server.mails
        assert base64.b64encode(SECRET.encode())[:12] not in server.heard


@pytest.mark.parametrize("mechanisms", ["PLAIN", "LOGIN", "LOGIN PLAIN",
                                        "CRAM-MD5 PLAIN", "NTLM PLAIN"])
def test_mechanisms(send, engine, good, mechanisms):
    with Script(good, starttls=True, users={"dr": SECRET},
                mechanisms=mechanisms) as server:
        out = send(server.port, mail(), engine=engine, auth="password")
        assert (out.rc, out.verdicts) == ("ok", ["sent"]), out


@pytest.mark.parametrize("answer,why", [
    ("535 5.7.8 no", "login"), ("534 5.7.9 weak", "login"),
    ("454 4.7.0 later", "server"), (DROP, "network")])
def test_login_answers(send, engine, good, answer, why):
    with Script(good, starttls=True, users={"dr": SECRET},
                answers={"AUTH": answer}) as server:
        out = send(server.port, mail(), engine=engine, auth="password")
        assert (out.rc, out.why) == ("temp", why), out
        assert out.verdicts == ["deferred"] and not server.mails


@pytest.mark.parametrize("n", [255, 256, 2000])
def test_long_passwords(send, engine, good, n):
    """libesmtp copies both into arrays of 255."""
    with Script(good, starttls=True, users={"dr": "p" * n}) as server:
        out = send(server.port, mail(), engine=engine, auth="password",
                   secret="p" * n)
        if engine == "esmtp" and n > 255:
            assert out.rc == "conf" and out.mails == []
        else:
            assert (out.rc, out.verdicts) == ("ok", ["sent"]), out


@needs_curl
@pytest.mark.parametrize("mechanisms", ["XOAUTH2", "OAUTHBEARER",
                                        "PLAIN XOAUTH2 OAUTHBEARER CRAM-MD5"])
@pytest.mark.parametrize("tls", ["implicit", "starttls"])
def test_xoauth2(send, good, mechanisms, tls):
    token = "ya29." + "t" * 3000
    with Script(good, starttls=tls == "starttls", implicit=tls == "implicit",
                token=token, mechanisms=mechanisms) as server:
        out = send(server.port, mail(), mail(), tls=tls, auth="xoauth2",
                   secret=token)
        assert (out.rc, out.engine) == ("ok", "libcurl"), out
        assert out.verdicts == ["sent"] * 2
        out = send(server.port, mail(), tls=tls, auth="xoauth2",
                   secret="stale")
        assert (out.rc, out.why) == ("temp", "login"), out
        assert out.verdicts == ["deferred"] and len(server.mails) == 2


@needs_curl
def test_xoauth2_not_offered(send, good):
    with Script(good, starttls=True, users={"dr": SECRET}) as server:
        out = send(server.port, mail(), auth="xoauth2")
        assert (out.rc, out.why) == ("temp", "login")
        assert not server.mails and b"AUTH" not in server.heard
