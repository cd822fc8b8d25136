"""The receiving half of src/wire against real and against nasty servers.

tests/tools/wire-source opens one source as the fetch process would.
"""

import os
import pathlib
import random
import re
import signal
import ssl
import subprocess
import time

import pytest

from world.ca import CA, self_signed
from world.dovecot import Dovecot
from world.proxy import Proxy
from world.scripted import Scripted, xoauth2
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


# -- real servers -----------------------------------------------------------

def nasty_messages():
    rand = random.Random(1)
    head = b"From: labo@x.example\r\nSubject: x\r\n\r\n"
    return [
        head + b"plain\r\n",
        head + bytes(range(1, 256)).replace(b"\r", b"").replace(b"\n", b"")
        + b"\r\n",
        head + b".\r\n..\r\n...\r\n.x\r\n\r\n.\r\n",
        head + b"a" * 100_000 + b"\r\n" + b"." * 100_000 + b"\r\n",
        head + b"\r\n" * 1000,
        head + b")\r\n* 1 FETCH (UID 1)\r\na1 OK done\r\n+OK\r\n-ERR\r\n",
        b"\r\n",
        head + b"".join(bytes([rand.randrange(1, 256)]) for _ in range(9000))
        .replace(b"\r", b"").replace(b"\n", b"\r\n") + b"\r\n",
    ]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_content_is_byte_identical_and_released(
        dovecot, ca, tmp_path, protocol, mode):
    messages = nasty_messages()
    dovecot.put("dr", *messages)
    got = source("list", f"fetch={tmp_path}", "delete",
                 **at(dovecot, ca, protocol, mode))
    assert got.error is None and got.code == 0
    assert len(got.ids()) == len(messages)
    files = fetched(tmp_path)
    assert [files[i] for i in got.ids()] == messages
    assert got.ids("released") == got.ids()
    assert dovecot.count("dr") == 0
    assert got.lines[0][1].startswith("TLSv1.3")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_nul_octets_pass_as_the_server_gives_them(
        dovecot, ca, tmp_path, protocol):
    dovecot.put("dr", b"A: b\r\n\r\n1\0\0002\r\n.\0\r\nend\r\n")
    got = source("list", f"fetch={tmp_path}", **at(dovecot, ca, protocol))
    (body,) = fetched(tmp_path).values()
    # Dovecot's IMAP says 0x80 instead (RFC 3501 has no NUL in literals).
    assert body.replace(b"\x80", b"\0") == \
        b"A: b\r\n\r\n1\0\0002\r\n.\0\r\nend\r\n"
    assert got.code == 0


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_empty_mailbox(dovecot, ca, protocol):
    got = source("list", "fetch-none", "delete", "list",
                 **at(dovecot, ca, protocol))
    assert got.code == 0 and got.ids() == []


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_keeping_changes_nothing(dovecot, ca, protocol):
    dovecot.put("dr", b"A: b\r\n\r\nx\r\n")
    first = source("list", "fetch-none", "keep", **at(dovecot, ca, protocol))
    again = source("list", "fetch-none", **at(dovecot, ca, protocol))
    assert first.ids("kept") == first.ids() == again.ids("got") != []
    if protocol == "imap":      # (Dovecot's POP3 sets \\Seen by itself)
        assert all(p.name.endswith((".test", ":2,"))
                   for part in ("new", "cur")
                   for p in (dovecot.maildir("dr") / part).iterdir())


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_message_over_the_limit_is_not_asked_for(
        dovecot, ca, tmp_path, protocol):
    small = b"A: b\r\n\r\nx\r\n"
    dovecot.put("dr", small, b"A: b\r\n\r\n" + b"y" * 5000 + b"\r\n", small)
    got = source("list", f"fetch={tmp_path}",
                 **at(dovecot, ca, protocol, max=1000))
    ids = got.ids()
    assert got.ids("too-big") == [ids[1]]
    assert sorted(got.ids("got")) == sorted([ids[0], ids[2]])
    assert list(fetched(tmp_path).values()) == [small, small]
    # Also when this session has not listed it.
    if protocol == "imap":
        alone = source(f"ids={ids[1]}", "fetch-none",
                       **at(dovecot, ca, protocol, max=1000))
        assert alone.ids("too-big") == [ids[1]]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_is_gone_is_said_to_be_gone(dovecot, ca, protocol):
    dovecot.put("dr", b"A: b\r\n\r\nx\r\n", b"A: b\r\n\r\ny\r\n")
    first = source("list", **at(dovecot, ca, protocol)).ids()
    gone, here = first
    source(f"ids={gone}", "delete", **at(dovecot, ca, protocol))
    got = source("ids=" + ",".join(first), "fetch-none", "delete",
                 **at(dovecot, ca, protocol))
    assert got.ids("gone") == [gone] and got.ids("got") == [here]
    assert got.ids("released") == first
    assert dovecot.count("dr") == 0


def test_ids_of_another_uidvalidity_name_nothing(dovecot, ca):
    dovecot.put("dr", b"A: b\r\n\r\nx\r\n")
    got = source("list", **at(dovecot, ca, "imap"))
    validity, uid = got.ids()[0].split(".")
    assert got.lines[0][2] == validity
    old = f"{int(validity) - 1}.{uid}"
    got = source(f"ids={old}", "fetch-none", "delete",
                 **at(dovecot, ca, "imap"))
    assert got.ids("gone") == [old] and got.ids("released") == [old]
    assert dovecot.count("dr") == 1


def test_imap_lists_only_what_came_after(dovecot, ca):
    dovecot.put("dr", *[b"A: b\r\n\r\nx\r\n"] * 3)
    ids = source("list", **at(dovecot, ca, "imap")).ids()
    got = source(f"list-after={ids[1]}", **at(dovecot, ca, "imap"))
    assert got.ids() == [ids[2]]
    got = source(f"list-after={ids[2]}", **at(dovecot, ca, "imap"))
    assert got.ids() == [] and got.code == 0
    other = "1." + ids[2].split(".")[1]
    assert source(f"list-after={other}",
                  **at(dovecot, ca, "imap")).ids() == ids


def test_imap_nothing_new_costs_no_question(good, ca):
    with Scripted("imap", good, messages=[b"x\r\n"] * 3) as server:
        got = source("list-after=7.3", **at_script(server, ca))
    assert got.error is None
    assert server.verbs == ["LOGIN", "SELECT", "LOGOUT"]


@pytest.mark.parametrize("extensions", (
    "", "imap_capability = IMAP4rev1 UIDPLUS",
    "imap_capability = IMAP4rev1"))
def test_imap_moves(good, ca, extensions):
    with Dovecot(good, extra=f"protocol imap {{\n{extensions}\n}}") as server:
        server.put("dr", b"A: b\r\n\r\nx\r\n", b"A: b\r\n\r\ny\r\n")
        got = source("list", "move=Non scellé & vu",
                     **at(server, ca, "imap"))
        assert got.error is None
        assert got.ids("released") == got.ids() and len(got.ids()) == 2
        assert server.count("dr") == 0
        assert server.count("dr", "Non scell&AOk- &- vu") == 2


def test_without_uidplus_nobody_elses_deletion_is_carried_out(good, ca):
    import imaplib
    extra = "protocol imap {\nimap_capability = IMAP4rev1\n}"
    with Dovecot(good, extra=extra) as server:
        server.put("dr", *[b"A: b\r\n\r\nx\r\n"] * 3)
        ids = source("list", **at(server, ca, "imap")).ids()
        other = imaplib.IMAP4_SSL("localhost", server.port["imaps"],
                                  ssl_context=ssl.create_default_context(
                                      cafile=ca.cert))
        other.login("dr", "secret")
        other.select()
        other.store("3", "+FLAGS", r"(\Deleted)")
        got = source(f"ids={ids[0]}", "delete", **at(server, ca, "imap"))
        assert got.ids("marked") == [ids[0]] and got.error is None
        assert server.count("dr") == 3
        other.store("3", "-FLAGS", r"(\Deleted)")
        got = source(f"ids={ids[1]}", "delete", **at(server, ca, "imap"))
        assert got.ids("marked") == [ids[1]]    # the one before is not ours now
        got = source(f"ids={ids[0]},{ids[1]}", "delete",
                     **at(server, ca, "imap"))
        assert got.ids("released") == ids[:2]
        assert server.count("dr") == 1
        other.logout()


def test_moving_is_refused_where_there_are_no_folders(dovecot, ca, tmp_path):
    dovecot.put("dr", b"A: b\r\n\r\nx\r\n")
    got = source("list", "move=x", **at(dovecot, ca, "pop3"))
    assert got.code == EX_CONFIG and got.ids("pending") == got.ids()
    assert dovecot.count("dr") == 1


def test_a_pop3_session_cut_before_quit_deletes_nothing(good, ca):
    with Dovecot(good, required=False) as server:
        server.put("dr", *[b"A: b\r\n\r\nx\r\n"] * 4)

        def cut(data, to_server):
            return None if to_server and b"QUIT" in data else data
        with Proxy(server.port["pop3"], change=cut) as wire:
            got = source("list", "delete", **at(
                server, ca, "pop3", "none", port=wire.port))
        assert got.code == EX_TEMPFAIL
        assert got.ids("pending") == got.ids() and len(got.ids()) == 4
        time.sleep(0.2)
        assert server.count("dr") == 4


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_five_thousand_small_ones(dovecot, ca, protocol):
    body = b"From: a@b\r\n\r\n" + b"x" * 70 + b"\r\n"
    dovecot.put("dr", *[body] * 5000)
    start = time.monotonic()
    got = source("list", "fetch-none", "memory", "delete",
                 **at(dovecot, ca, protocol))
    took = time.monotonic() - start
    assert got.error is None
    assert ["fetched", "5000", str(5000 * len(body))] in got.lines
    assert len(got.ids("released")) == 5000 and dovecot.count("dr") == 0
    if not SANITIZED:
        assert took < 60      # a busy machine; alone 1 to 2 s
        assert memory(got) < 16_000


def memory(got):
    """Private memory in kB."""
    return int(re.search(r"^private (\d+) kB", got.text, re.M).group(1))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_hundred_megabytes_in_constant_memory(
        dovecot, ca, tmp_path, protocol):
    line = b"x" * 76 + b"\r\n"
    big = b"From: a@b\r\n\r\n" + line * (100_000_000 // len(line))
    dovecot.put("dr", big)
    got = source("list", f"fetch={tmp_path}", "memory",
                 **at(dovecot, ca, protocol, max=200_000_000))
    assert got.error is None
    (body,) = fetched(tmp_path).values()
    assert body == big
    if not SANITIZED:
        assert memory(got) < 32_000
        assert int(re.search(r"VmHWM:\s+(\d+)", got.text).group(1)) < 32_000


def test_idle_wakes_for_new_mail(dovecot, ca):
    settings = at(dovecot, ca, "imap", idle="yes")
    keys = [f"{k}={v}" for k, v in settings.items()]
    tool = subprocess.Popen([TOOL, *keys, "--", "list", "wait=30", "list"],
                            stdout=subprocess.PIPE, text=True)
    assert tool.stdout.readline().startswith("open")
    time.sleep(0.5)
    start = time.monotonic()
    dovecot.put("dr", b"A: b\r\n\r\nx\r\n")
    rest = tool.communicate(timeout=40)[0].splitlines()
    assert time.monotonic() - start < 25
    assert rest[0] == "news 1" and rest[1].startswith("id ")


def test_idle_without_news_ends_in_time(dovecot, ca):
    got = source("wait=1", **at(dovecot, ca, "imap", idle="yes"))
    assert ["news", "0"] in got.lines and got.code == 0
    got = source("wait=1", **at(dovecot, ca, "pop3"))
    assert ["news", "0"] in got.lines and got.code == 0


@pytest.mark.parametrize("password", (
    'a"b\\c', "é è ß", "with blanks  two", "%{}()*~", "x" * 200))
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_awkward_passwords(good, ca, protocol, password):
    with Dovecot(good, users={"dr": password}) as server:
        got = source("list", **at(server, ca, protocol, password=password))
        assert got.error is None


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_wrong_password_is_the_operators_trouble(dovecot, ca, protocol):
    got = source("list", **at(dovecot, ca, protocol, password="marker-wrong"))
    step, rc, why, text = got.error
    assert (step, got.code, why) == ("open", EX_TEMPFAIL, "login")
    assert "marker-wrong" not in got.text and "localhost" in text


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_line_ends_in_settings_are_refused(dovecot, ca, protocol):
    for key, text in (("user", "dr\r\nx NOOP"), ("password", "a\nb"),
                      ("host", "local\nhost")):
        got = source("list", **at(dovecot, ca, protocol, **{key: text}))
        assert got.code == EX_CONFIG, key
    if protocol == "imap":
        got = source("list", **at(dovecot, ca, protocol, mailbox="a\r\nb"))
        assert got.code == EX_CONFIG


# -- who is the server? -----------------------------------------------------

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


# -- STARTTLS ---------------------------------------------------------------

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


# -- XOAUTH2 ----------------------------------------------------------------

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


# -- silence, nonsense, excess ----------------------------------------------

@pytest.mark.parametrize("protocol, verb", [
    ("imap", v) for v in ("GREETING", "STARTTLS", "LOGIN", "SELECT", "FETCH",
                          "UID FETCH")] + [
    ("pop3", v) for v in ("GREETING", "STLS", "CAPA", "USER", "PASS", "UIDL",
                          "LIST", "RETR")])
def test_silence_at_each_step_has_an_end(good, ca, protocol, verb):
    with Scripted(protocol, good, "starttls", hang=verb,
                  messages=[b"A: b\r\n\r\nx\r\n"]) as server:
        start = time.monotonic()
        got = source("list", "fetch-none",
                     **at_script(server, ca, timeout=1))
        took = time.monotonic() - start
    assert got.code == EX_TEMPFAIL and got.error[2] == "network"
    assert 0.9 < took < 6


def test_silence_during_the_handshake_has_an_end(ca):
    with Scripted("imap", None, "none", hang="GREETING") as server:
        start = time.monotonic()
        got = source("list", **at_script(server, ca, tls="implicit",
                                         timeout=1))
        assert time.monotonic() - start < 6
    assert got.code == EX_TEMPFAIL and got.error[2] == "network"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_drops_of_octets_have_an_end(ca, protocol):
    import socket
    import threading
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def drip():
            sock, _ = listener.accept()
            try:
                while True:
                    sock.sendall(b"*")
                    time.sleep(0.1)
            except OSError:
                pass
        threading.Thread(target=drip, daemon=True).start()
        start = time.monotonic()
        got = source("list", host="localhost", tls="none", user="dr",
                     port=listener.getsockname()[1], protocol=protocol,
                     password="secret", timeout=1)
        assert time.monotonic() - start < 6
    assert got.code == EX_TEMPFAIL


def test_nobody_there(ca):
    from world.dovecot import free_ports
    got = source("list", host="localhost", port=free_ports(1)[0],
                 protocol="imap", tls="implicit", ca=ca.cert, user="dr",
                 password="secret")
    assert got.code == EX_TEMPFAIL and "no connection" in got.error[3]


def test_no_such_name(ca):
    got = source("list", host="nowhere.invalid", port=993, protocol="imap",
                 tls="implicit", ca=ca.cert, user="dr", password="secret")
    assert got.code == EX_TEMPFAIL and "resolved" in got.error[3]


def test_pop3_without_uidl_is_said_clearly(good, ca):
    with Scripted("pop3", good, capa=b"USER\r\n", answers={
            "UIDL": lambda rest: b"-ERR what\r\n"}) as server:
        got = source("list", **at_script(server, ca))
    assert got.code == EX_CONFIG and "UIDL" in got.error[3]


def test_pop3_lists_with_gaps_and_rubbish(good, ca):
    uidl = (b"+OK\r\n0 zero\r\n2 two\r\n9999999999 many\r\n5 five\r\nx y\r\n"
            b"7\r\n8 " + b"u" * 71 + b"\r\n11 sp ace\r\n12 \x80\r\n.\r\n")
    sizes = b"+OK\r\n0 100\r\n2 200\r\n3 1\r\n5 18446744073709551616\r\n.\r\n"
    with Scripted("pop3", good, answers={
            "UIDL": lambda rest: uidl, "LIST": lambda rest: sizes}) as server:
        got = source("list", **at_script(server, ca))
    assert got.error is None
    assert [line[1:] for line in got.lines if line[0] == "id"] == \
        [["two", "200"], ["five", "0"]]


def test_pop3_a_message_longer_than_announced(good, ca):
    with Scripted("pop3", good, messages=[b"A: b\r\n\r\n" + b"x" * 3000 +
                                          b"\r\n", b"C: d\r\n\r\n\r\n"],
                  answers={"LIST": lambda rest:
                           b"+OK\r\n1 10\r\n2 10\r\n.\r\n"}) as server:
        got = source("list", "fetch-none", **at_script(server, ca, max=2000))
    assert got.ids("too-big") == ["uid-1"] and got.ids("got") == ["uid-2"]
    with Scripted("pop3", good, messages=[b"A: b\r\n\r\n" + b"x" * 300_000 +
                                          b"\r\n"],
                  answers={"LIST": lambda rest:
                           b"+OK\r\n1 10\r\n.\r\n"}) as server:
        got = source("list", "fetch-none", **at_script(server, ca, max=2000))
    assert got.error[2] == "server" and "far more" in got.error[3]


def test_pop3_an_endless_line_has_an_end(good, ca):
    with Scripted("pop3", good, answers={
            "CAPA": lambda rest: b"+OK " + b"x" * 5_000_000}) as server:
        got = source("list", **at_script(server, ca))
    assert got.error[2] == "server"


@pytest.mark.parametrize("protocol, verb, said", [
    ("imap", v, b"* BYE going down\r\n") for v in (
        "LOGIN", "SELECT", "FETCH", "UID FETCH", "CAPABILITY", "UID STORE",
        "UID EXPUNGE", "UID SEARCH", "IDLE")] + [
    ("pop3", v, b"-ERR [SYS/TEMP] going down\r\n") for v in (
        "CAPA", "USER", "PASS", "RETR", "DELE", "QUIT")])
def test_a_server_that_goes_down(good, ca, protocol, verb, said):
    down = {}

    def answer(rest):
        down["now"] = True
        return said
    with Scripted(protocol, good, messages=[b"x\r\n"],
                  answers={verb: answer}, bye_ends=True) as server:
        got = source("list", "fetch-none",
                     *(["wait=1"] if verb == "IDLE" else []), "delete",
                     **at_script(server, ca, idle="yes"))
    assert down and got.ids("released") == []
    assert got.code == EX_TEMPFAIL or verb in ("RETR", "CAPA", "DELE")


def test_imap_an_endless_line_has_an_end(good, ca):
    with Scripted("imap", good, answers={
            "SELECT": lambda rest: b"* OK " + b"x" * 5_000_000}) as server:
        got = source("list", **at_script(server, ca))
    assert got.error[2] == "server"


def fetch_answer(*parts):
    return {"UID FETCH": lambda rest: b"".join(parts) + b"%TAG% OK done\r\n"}


def test_imap_uid_before_after_and_without_a_literal(good, ca, tmp_path):
    messages = [b"one\r\n", b"two\r\n", b"three", b"four"]
    with Scripted("imap", good, messages=messages, answers=fetch_answer(
            b"* 2 FETCH (BODY[] {5}\r\ntwo\r\n UID 2)\r\n",
            b"* 9 FETCH (FLAGS (\\Seen))\r\n* 7 EXISTS\r\n",
            b"* 1 FETCH (FLAGS () UID 1 BODY[] {5}\r\none\r\n)\r\n",
            b"* 3 FETCH (UID 3 BODY[] \"three\")\r\n",
            b"* 4 FETCH (UID 4 BODY[] NIL)\r\n")) as server:
        got = source("list", f"fetch={tmp_path}", **at_script(server, ca))
    assert got.error is None
    assert fetched(tmp_path) == {"7.1": b"one\r\n", "7.2": b"two\r\n",
                                 "7.3": b"three"}
    assert got.ids("unreadable") == ["7.4"]


def test_imap_messages_nobody_asked_for(good, ca):
    with Scripted("imap", good, messages=[b"x\r\n"], answers=fetch_answer(
            b"* 1 FETCH (UID 5 BODY[] {3}\r\nx\r\n)\r\n")) as server:
        got = source("list", "fetch-none", **at_script(server, ca))
    assert got.error[2] == "server" and got.ids("got") == []


def test_imap_one_unreadable_message_does_not_stop_the_others(good, ca):
    def uid_fetch(rest):
        uids = rest.split()[0]
        if uids == b"1:3":
            return b"%TAG% NO [SERVERBUG] internal\r\n"
        if uids == b"2":
            return b"%TAG% NO [SERVERBUG] internal\r\n"
        return b"* 1 FETCH (UID %b BODY[] {3}\r\nx\r\n)\r\n%%TAG%% OK done\r\n" \
            % uids
    with Scripted("imap", good, messages=[b"x\r\n"] * 3,
                  answers={"UID FETCH": uid_fetch}) as server:
        got = source("list", "fetch-none", **at_script(server, ca))
    assert got.error is None
    assert got.ids("got") == ["7.1", "7.3"]
    assert got.ids("unreadable") == ["7.2"]


def test_imap_a_literal_far_larger_than_announced(good, ca):
    with Scripted("imap", good, messages=[b"x\r\n"], answers=fetch_answer(
            b"* 1 FETCH (UID 1 BODY[] {900000}\r\n", b"x" * 900_000,
            b")\r\n")) as server:
        got = source("list", "fetch-none", **at_script(server, ca, max=2000))
    assert got.error[2] == "server" and got.ids("got") == []
    with Scripted("imap", good, messages=[b"x\r\n"], answers=fetch_answer(
            b"* 1 FETCH (UID 1 BODY[] {9000}\r\n", b"x" * 9000,
            b")\r\n")) as server:
        got = source("list", "fetch-none", **at_script(server, ca, max=2000))
    assert got.error is None and got.ids("too-big") == ["7.1"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_connection_cut_inside_a_message(good, ca, protocol, tmp_path):
    body = b"A: b\r\n\r\n" + b"x" * 200_000 + b"\r\n"
    with Dovecot(good, required=False) as server:
        server.put("dr", body)
        passed = [0]

        def cut(data, to_server):
            passed[0] += 0 if to_server else len(data)
            return None if passed[0] > 100_000 else data
        with Proxy(server.port[protocol], change=cut) as wire:
            got = source("list", f"fetch={tmp_path}", **at(
                server, ca, protocol, "none", port=wire.port))
        assert got.code == EX_TEMPFAIL and got.error[2] == "network"
        assert [n for n in fetched(tmp_path) if n != ".part"] == []
        assert server.count("dr") == 1


# -- local places -----------------------------------------------------------

def test_maildir(tmp_path):
    box, out = tmp_path / "box", tmp_path / "out"
    for part in ("new", "cur", "tmp"):
        (box / part).mkdir(parents=True)
    out.mkdir()
    (box / "new" / "1.a.host").write_bytes(b"one\0\n")
    (box / "cur" / "2.b.host:2,S").write_bytes(b"two")
    (box / "cur" / ".hidden").write_bytes(b"no")
    (box / "tmp" / "3.c.host").write_bytes(b"no")
    got = source("list", f"fetch={out}", protocol="maildir", path=box)
    assert got.ids() == ["1.a.host", "2.b.host"]
    assert fetched(out) == {"1.a.host": b"one\0\n", "2.b.host": b"two"}
    # A reader sets flags in between: the same message.
    (box / "new" / "1.a.host").rename(box / "cur" / "1.a.host:2,RS")
    got = source("ids=1.a.host,2.b.host,9.z.host", "fetch-none", "delete",
                 protocol="maildir", path=box)
    assert got.ids("got") == ["1.a.host", "2.b.host"]
    assert got.ids("gone") == ["9.z.host"]
    assert got.ids("released") == ["1.a.host", "2.b.host", "9.z.host"]
    assert sorted(p.name for p in box.rglob("*") if p.is_file()) == \
        [".hidden", "3.c.host"]
    assert source("list", protocol="maildir", path=tmp_path / "not").code \
        == EX_CONFIG


def test_folder_takes_only_what_is_complete(tmp_path):
    box, out = tmp_path / "box", tmp_path / "out"
    box.mkdir()
    out.mkdir()
    for name in ("a.eml", "b.eml", ".c", "d.tmp", "e.PART", "f~"):
        (box / name).write_bytes(name.encode())
        os.utime(box / name, (1_600_000_000, 1_600_000_000))
    (box / "growing.eml").write_bytes(b"still")
    (box / "sub").mkdir()
    (box / "link.eml").symlink_to(box / "a.eml")
    got = source("list", f"fetch={out}", protocol="folder", path=box)
    names = sorted(i.split("/")[0] for i in got.ids())
    assert names == ["a.eml", "b.eml"]
    assert sorted(fetched(out).values()) == [b"a.eml", b"b.eml"]
    # Replaced meanwhile: another message, which is left alone.
    first = sorted(got.ids())
    (box / "a.eml").write_bytes(b"another")
    got = source("ids=" + ",".join(first), "delete", protocol="folder",
                 path=box)
    assert got.ids("released") == first
    assert (box / "a.eml").read_bytes() == b"another"
    assert not (box / "b.eml").exists()


def test_stdin_is_one_message(tmp_path):
    data = b"From: a\n\n\0\xff" * 10000
    got = source("list", f"fetch={tmp_path}", "list", "fetch-none", "delete",
                 protocol="stdin", stdin=data)
    (own,) = got.ids()      # another one for every mail
    assert len(own) == 32 and got.ids("got") == [own]
    assert fetched(tmp_path) == {own: data}
    got = source("list", "fetch-none", protocol="stdin", stdin=data, max=100)
    assert got.code == EX_DATAERR


def test_a_consumer_that_fails_stops_everything(dovecot, ca, tmp_path):
    dovecot.put("dr", *[b"A: b\r\n\r\nx\r\n"] * 3)
    gone = tmp_path / "gone"
    for protocol in PROTOCOLS:
        got = source("list", f"fetch={gone}", "delete",
                     **at(dovecot, ca, protocol))
        assert got.code == EX_TEMPFAIL and got.error[2] == "local"
        assert got.ids("got") == []
    assert dovecot.count("dr") == 3


def test_a_killed_client_leaves_the_mailbox_as_it_was(dovecot, ca):
    dovecot.put("dr", *[b"A: b\r\n\r\nx\r\n"] * 3)
    for protocol in PROTOCOLS:
        keys = [f"{k}={v}" for k, v in at(dovecot, ca, protocol).items()]
        tool = subprocess.Popen([TOOL, *keys, "--", "list", "wait=30"],
                                stdout=subprocess.PIPE, text=True)
        for _ in range(4):
            tool.stdout.readline()
        tool.send_signal(signal.SIGKILL)
        tool.communicate()
    assert dovecot.count("dr") == 3
