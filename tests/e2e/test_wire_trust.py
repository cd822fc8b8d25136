"""Which server hears a password: certificates, STARTTLS, tokens."""

import ssl

import pytest

from world.ca import CA, self_signed
from world.dovecot import Dovecot
from world.scripted import Scripted, xoauth2
from world.wire_source import (EX_CONFIG, EX_TEMPFAIL, MODES, PROTOCOLS, at,
                               at_script, source)


@pytest.fixture(scope="module")
def ca(tmp_path_factory):
    return CA(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def good(ca):
    return ca.issue("localhost", "127.0.0.1")


@pytest.fixture
def dovecot(good):
    with Dovecot(good) as server:
        yield server


def certificate(kind, ca, tmp_path):
    if kind == "good":
        return ca.issue("localhost")
    if kind == "expired":
        return ca.issue("localhost", days=(-30, -1))
    if kind == "early":
        return ca.issue("localhost", days=(1, 30))
    if kind == "wrong host":
        return ca.issue("mail.example")
    if kind == "unknown CA":
        return CA(tmp_path).issue("localhost")
    if kind == "self-signed":
        return self_signed(tmp_path, "localhost")
    assert kind == "TLS 1.1"
    return ca.issue("localhost")


SAYS = {"expired": "expired on", "early": "valid only from",
        "wrong host": "mail.example", "unknown CA": "unknown authority",
        "self-signed": "unknown authority", "TLS 1.1": "no TLS newer"}


@pytest.mark.parametrize("kind", ("good", *SAYS))
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_only_the_right_server_hears_a_password(
        ca, tmp_path, protocol, mode, kind):
    cert = certificate(kind, ca, tmp_path)
    tls_max = ssl.TLSVersion.TLSv1_1 if kind == "TLS 1.1" else None
    with Scripted(protocol, cert, mode, tls_max=tls_max) as server:
        got = source("list", **at_script(server, ca))
    if kind == "good":
        assert got.error is None and b"secret" in server.heard
        return
    step, _, why, text = got.error
    assert (step, got.code, why) == ("open", EX_TEMPFAIL, "tls")
    assert b"secret" not in server.heard and b"dr" not in server.heard
    assert SAYS[kind] in text and "nothing was sent" in text
    if "unknown" in text:
        assert cert.fingerprint in text and cert.pin in text


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_real_dovecot_under_an_address(dovecot, ca, protocol):
    got = source("list", **at(dovecot, ca, protocol, host="127.0.0.1"))
    assert got.error is None
    dovecot.set_cert(ca.issue("localhost"))
    got = source("list", **at(dovecot, ca, protocol, host="127.0.0.1"))
    assert got.error[2] == "tls" and "localhost" in got.error[3]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_pin_stands_in_for_the_authority_only(ca, tmp_path, protocol, mode):
    def attempt(cert, pin):
        with Scripted(protocol, cert, mode) as server:
            got = source("list", **at_script(server, ca, pin=pin))
        heard = b"secret" in server.heard
        assert heard == (got.error is None)
        return got
    mine = self_signed(tmp_path, "localhost")
    other = self_signed(tmp_path, "localhost")
    assert attempt(mine, mine.pin).error is None
    got = attempt(mine, other.pin)
    assert got.error[2] == "tls" and mine.pin in got.error[3]
    private = CA(tmp_path).issue("localhost")
    assert attempt(private, private.pin).error is None
    # Neither dates nor name are replaced; a known authority needs no pin.
    old = self_signed(tmp_path, "localhost", days=(-30, -1))
    assert "expired" in attempt(old, old.pin).error[3]
    elsewhere = self_signed(tmp_path, "mail.example")
    assert "mail.example" in attempt(elsewhere, elsewhere.pin).error[3]
    assert attempt(ca.issue("localhost"), mine.pin).error is None


def test_a_pin_that_is_none_is_a_wrong_setting(ca):
    for pin in ("sha256//", "sha256//" + "A" * 43, "md5//" + "A" * 44,
                "sha256//" + "A" * 44, "sha256//" + "*" * 44):
        got = source("list", host="localhost", port=1, protocol="imap",
                     tls="implicit", user="dr", pin=pin, password="secret")
        assert got.code == EX_CONFIG and "pin" in got.error[3], pin


def test_a_ca_file_without_certificates_is_a_wrong_setting(tmp_path):
    (tmp_path / "x").write_text("nothing")
    got = source("list", host="localhost", port=1, protocol="imap",
                 tls="implicit", user="dr", ca=tmp_path / "x")
    assert got.code == EX_CONFIG


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_without_tls_only_this_machine(good, ca, protocol):
    with Dovecot(good, required=False) as server:
        server.put("dr", b"A: b\r\n\r\nx\r\n")
        got = source("list", **at(server, ca, protocol, "none"))
        assert got.error is None and got.lines[0][1] == "plain"


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("trick", (
    dict(strip=True),
    dict(inject=b"* CAPABILITY IMAP4rev1\r\n+OK injected\r\n"),
    dict(early=b"a OK begin\r\n+OK begin\r\n"),
))
def test_meddling_before_tls_gets_no_password(good, ca, protocol, trick):
    with Scripted(protocol, good, "starttls", **trick) as server:
        got = source("list", **at_script(server, ca))
    assert got.code == EX_TEMPFAIL and got.error[2] == "tls"
    assert b"secret" not in server.heard and server.handshakes == 0
    assert not {"LOGIN", "USER", "PASS", "AUTH"} & set(server.verbs)


@pytest.mark.parametrize("mode", MODES)
def test_preauth_is_refused(good, ca, mode):
    with Scripted("imap", good, mode, preauth=True) as server:
        got = source("list", **at_script(server, ca))
    assert got.error[2] == "tls" and "PREAUTH" in got.error[3]
    assert b"secret" not in server.heard and "SELECT" not in server.verbs


@pytest.mark.parametrize("token", ("ya29.short", "t" * 3000))
def test_xoauth2_over_imap(good, ca, token):
    seen = []

    def authenticate(rest):
        seen.append(xoauth2(rest))
        return b"%TAG% OK welcome\r\n"
    with Scripted("imap", good, capa=b"AUTH=XOAUTH2 SASL-IR",
                  answers={"AUTHENTICATE": authenticate}) as server:
        got = source("list", **at_script(server, ca, auth="xoauth2",
                                         password=token))
    assert got.error is None and seen == [("dr", token)]


@pytest.mark.parametrize("token", ("ya29.short", "t" * 3000))
def test_xoauth2_over_pop3(good, ca, token):
    seen = []

    def auth(rest):
        if rest == b"XOAUTH2":
            return b"+ \r\n"
        seen.append(xoauth2(rest))
        return b"+OK welcome\r\n"
    with Scripted("pop3", good, answers={"AUTH": auth}) as server:
        if len(token) > 200:        # the answer comes in a line of its own
            server._pop3_answer, usual = lambda verb, rest: (
                auth(verb.encode()) if len(verb) > 200 else
                usual(verb, rest)), server._pop3_answer
            server.answers["AUTH"] = lambda rest: b"+ \r\n"
            server._line, line = lambda sock: _keep_case(
                line(sock), server), server._line
        got = source("list", **at_script(server, ca, auth="xoauth2",
                                         password=token))
    assert got.error is None
    if seen:
        assert seen == [("dr", token)]
    else:
        assert xoauth2(server.long)[1] == token


def _keep_case(line, server):
    if len(line) > 200:
        server.long = line
        return b"NOOP"
    return line


def test_xoauth2_refused_says_login(good, ca):
    with Scripted("pop3", good, answers={
            "AUTH": lambda rest: b"+ eyJzdGF0dXMiOiI0MDEifQ==\r\n",
            "": lambda rest: b"-ERR [AUTH] no\r\n"}) as server:
        got = source("list", **at_script(server, ca, auth="xoauth2"))
    assert got.error[2] == "login"
