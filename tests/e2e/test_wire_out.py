"""The sending half of src/wire: one suite over all engines.

LIBRARIES of the design, "SMTP": each trap told there is a test here, or in
test_wire_out_tls.py.
"""

import concurrent.futures
import os
import socket
import time

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from world.postfix import Postfix
from world.relay import (  # noqa: F401 (fixtures)
    ENGINES, HARD, SECRET, WAYS, ca, engine, good, mail, needs_curl, send)
from world.smtp_script import DROP, HANG, Script, server_context


# ---- what must arrive, and how

@pytest.mark.parametrize("extensions", [
    (), ("PIPELINING",), ("PIPELINING", "CHUNKING"),
    ("PIPELINING", "8BITMIME", "SIZE 100000000", "ENHANCEDSTATUSCODES")],
    ids=lambda e: "+".join(w.split()[0] for w in e) or "plain")
@pytest.mark.parametrize("chunk", [1, 3, 1000, 1 << 20])
def test_octets_arrive_unchanged(send, engine, chunk, extensions):
    wanted = [mail(1, HARD), mail(2), mail(3, HARD * 3)]
    with Script(extensions=extensions) as server:
        out = send(server.port, *wanted, engine=engine, tls="none",
                   chunk=chunk)
        assert (out.rc, out.verdicts) == ("ok", ["sent"] * 3)
        assert [m[2] for m in server.mails] == wanted
        # Its replies come late, one by one: seventeen times slower.
        assert b"BDAT" not in server.heard


def test_folded_and_long_headers_arrive_unchanged(send, engine):
    odd = (b"Received: by a\r\n\tfor b;\r\n  then\r\nX-Long: " + b"y" * 900 +
           b"\r\n " + b"z" * 990 + b"\r\nReferences: <a@b>\r\n <c@d>\r\n"
           b"Sender: lab@example.test\r\nReply-To: lab@example.test\r\n"
           b"MIME-Version: 1.0\r\nContent-Type: text/plain;\r\n charset=x\r\n"
           + mail())
    with Script() as server:
        assert send(server.port, odd, engine=engine,
                    tls="none").verdicts == ["sent"]
        assert server.mails[0][2] == odd


def test_dots_never_cut_a_mail(send, engine):
    """curl counts the dots that it adds as mail: told the size, it would end
    a mail whose last part is as long as there were dots before it."""
    first, dots = mail(1, b""), b".\r\n" * 40
    lines = (65536 - len(first + dots) - 100) // 72
    body = dots + (b"f" * 70 + b"\r\n") * lines
    body += b"g" * (65536 - len(first + body) - 2) + b"\r\n"
    for n in (37, 38, 39):
        whole = first + body + b"h" * n + b"\r\n"
        with Script() as server:
            assert send(server.port, whole, engine=engine,
                        tls="none").verdicts == ["sent"]
            assert server.mails[0][2] == whole


def test_many_mails_over_one_session(send, engine, good):
    wanted = [mail(n) for n in range(10)]
    with Script(good, starttls=True, users={"dr": SECRET}) as server:
        out = send(server.port, *wanted, engine=engine, auth="password")
        assert (out.rc, out.verdicts) == ("ok", ["sent"] * 10)
        assert [m[2] for m in server.mails] == wanted
        assert len(server.sessions) == 1
        server.settle()
        assert server.sessions[0].commands[-1] == b"QUIT\r\n"


def test_more_mails_than_a_session_holds(send, engine):
    with Script() as server:
        out = send(server.port, mail(), engine=engine, tls="none",
                   repeat=450)
        assert (out.rc, out.verdicts) == ("ok", ["sent"] * 450)
        assert len(server.mails) == 450 and len(server.sessions) <= 3


def test_null_sender_and_helo(send, engine):
    with Script() as server:
        out = send(server.port, ("", "you@example.test", mail()),
                   engine=engine, tls="none", helo="gate.example.test")
        assert out.verdicts == ["sent"]
        commands = server.sessions[0].commands
        assert commands[0] == b"EHLO gate.example.test\r\n"
        assert commands[1].startswith(b"MAIL FROM:<>")
        send(server.port, mail(), engine=engine, tls="none")
        assert server.sessions[1].commands[0] in (
            b"EHLO [127.0.0.1]\r\n", b"EHLO [IPv6:::1]\r\n")


def test_nothing_to_send_connects_nowhere(send, engine):
    with Script() as server:
        assert send(server.port, engine=engine, tls="none").rc == "ok"
        assert server.sessions == []


# ---- real servers

needs_root = pytest.mark.skipif(os.getuid() != 0, reason="Postfix needs root")


@needs_root
@pytest.mark.parametrize("way", WAYS, ids="-".join)
def test_postfix(send, good, way):
    wanted, nobody = mail(1, HARD), ("lab@example.test",
                                     "nobody@example.test", mail())
    with Postfix(good, users={"dr": SECRET}) as server:
        how = {"engine": way[0], "tls": way[1], "auth": "password"}
        port = server.port["smtps" if way[1] == "implicit" else "submission"]
        out = send(port, wanted, repeat=10, sandbox=1, **how)
        assert (out.rc, out.verdicts) == ("ok", ["sent"] * 10), out
        out = send(port, nobody, wanted, **how)
        assert (out.rc, out.verdicts) == ("ok", ["refused", "sent"]), out
        assert out.mails[0].enhanced == "5.1.1"
        out = send(port, wanted, secret="wrong", **how)
        assert (out.rc, out.why) == ("temp", "login"), out
        assert out.verdicts == ["deferred"]
        out = send(port, wanted, engine=way[0], tls=way[1])
        assert out.verdicts in (["refused"], ["deferred"])
        got = server.mails("you@example.test", 11)
        assert len(got) == 11 and all(m.endswith(wanted) for m in got)


@needs_root
def test_postfix_in_clear_on_loopback(send, engine, good):
    wanted = [mail(1, b"x" * 70 + b"\r\n"),
              mail(2, (b"x" * 70 + b"\r\n") * 400), mail(3, HARD)]
    with Postfix(good, users={"dr": SECRET}, auth=True,
                 limit=20_000) as server:
        for auth in ("none", "password"):
            out = send(server.port["plain"], *wanted, engine=engine,
                       tls="none", auth=auth)
            assert out.rc == "ok"
            assert out.verdicts == ["sent", "refused", "sent"]
            assert (out.mails[1].code, out.mails[1].enhanced) == \
                (552, "5.3.4")
        got = server.mails("you@example.test", 4)
        assert sum(m.endswith(wanted[2]) for m in got) == 2


class Keep:
    def __init__(self):
        self.mails = []

    async def handle_DATA(self, server, session, envelope):
        self.mails.append(envelope.original_content)
        return "250 2.0.0 kept"


def test_aiosmtpd(send, engine, good):
    keep, wanted = Keep(), mail(1, HARD)

    def login(server, session, envelope, mechanism, data):
        return AuthResult(handled=False,
                          success=data.password == SECRET.encode())
    with socket.create_server(("127.0.0.1", 0)) as s:
        port = s.getsockname()[1]
    controller = Controller(
        keep, hostname="127.0.0.1", port=port, require_starttls=True,
        tls_context=server_context(good), authenticator=login,
        auth_required=True)
    controller.start()
    try:
        out = send(port, wanted, wanted, engine=engine, auth="password")
        assert (out.rc, out.verdicts) == ("ok", ["sent"] * 2), out
        assert keep.mails == [wanted] * 2
        out = send(port, wanted, engine=engine, auth="password",
                   secret="wrong")
        assert (out.rc, out.why) == ("temp", "login"), out
    finally:
        controller.stop()


# ---- what the relay says

def chunking_in_two(session):
    """CHUNKING where it cannot be hidden from libesmtp: cut by the network."""
    session.say(b"250-script.test\r\n250-ENHANCEDSTATUSCODES\r\n"
                b"250-PIPELINING\r\n250 CHUN")
    time.sleep(0.3)
    return b"KING\r\n"


OF_THE_MAIL = [
    ("MAIL", "450 4.1.8 later", "deferred", 450),
    ("MAIL", "550 5.1.8 not you", "deferred", 550),
    ("MAIL", "552 5.3.4 too big", "refused", 552),
    ("RCPT", "450 4.2.1 greylisted", "deferred", 450),
    ("RCPT", "550 5.1.1 no such user", "refused", 550),
    ("RCPT", "552 5.2.2 full", "deferred", 552),
    ("RCPT", "550-5.1.1 no\r\n550 5.1.1 such", "refused", 550),
    ("DATA", "451 4.3.0 later", "deferred", 451),
    ("DATA", "554 5.5.0 never", "refused", 554),
    (".", "451 4.3.0 later", "deferred", 451),
    (".", "452 4.3.1 full", "deferred", 452),
    (".", "554 5.6.0 bad content", "refused", 554),
    (".", "550 5.7.1 spam \x1b[2J \\", "refused", 550),
]


@pytest.mark.parametrize("verb,answer,verdict,code", OF_THE_MAIL)
def test_a_verdict_on_one_mail(send, engine, verb, answer, verdict, code):
    one_of_three(send, engine, {verb: [answer, None]}, answer, verdict, code)


@pytest.mark.skipif("esmtp" not in ENGINES, reason="no libesmtp")
@pytest.mark.parametrize("verb,answer,verdict,code", [
    of for of in OF_THE_MAIL if of[0] != "DATA"])
def test_a_verdict_on_one_mail_in_chunks(send, verb, answer, verdict, code):
    verb = "BDAT" if verb == "." else verb
    one_of_three(send, "esmtp", {
        verb: [answer, None], "EHLO": chunking_in_two}, answer, verdict, code)


def one_of_three(send, engine, answers, answer, verdict, code):
    big = mail(1, (b"first " * 10 + b"\r\n") * 4000)
    with Script(answers=answers) as server:
        out = send(server.port, big, mail(2), mail(3), engine=engine,
                   tls="none")
        assert (out.rc, out.verdicts) == ("ok", [verdict, "sent", "sent"])
        assert out.mails[0].code == code
        assert out.mails[0].enhanced in answer
        assert out.mails[0].enhanced.count(".") == 2
        assert (b"BDAT" in server.heard) == ("EHLO" in answers)
        # Not an octet of the refused one in the others.
        assert [m[2] for m in server.mails] == [mail(2), mail(3)]


OF_THE_ROUTE = [
    ("GREETING", "554 5.7.1 go away", "server"),
    ("GREETING", "421 4.3.2 not now", "server"),
    ("GREETING", "nonsense", None),
    ("EHLO", "421 4.3.2 closing", "server"),
    ("EHLO", "550 5.7.1 no", "server"),
    ("MAIL", "421 4.3.2 closing", "server"),
    ("MAIL", "530 5.7.0 login first", "server"),
    ("RCPT", "421 4.3.2 closing", "server"),
    ("RCPT", "530 5.7.0 login first", "server"),
    ("RCPT", "503 5.5.1 order", "server"),
    ("DATA", "421 4.3.2 closing", "server"),
    (".", "421 4.3.2 closing", "server"),
    ("GREETING", DROP, "network"),
    ("EHLO", DROP, "network"),
    ("MAIL", DROP, "network"),
    ("RCPT", DROP, "network"),
    ("DATA", DROP, "network"),
]


@pytest.mark.parametrize("verb,answer,why", OF_THE_ROUTE)
def test_a_word_on_the_route(send, engine, verb, answer, why):
    answers = {verb: answer}
    if verb == "EHLO":
        answers["HELO"] = answer
    with Script(answers=answers) as server:
        out = send(server.port, mail(1), mail(2), engine=engine, tls="none")
        assert out.rc == "temp" and out.why == (why or out.why), out
        # Ours has begun with the next when it hears what becomes of one.
        assert out.verdicts == ["deferred"] * (
            1 + (engine == "sceau" and verb == "."))
        assert not server.mails


@pytest.mark.parametrize("chunking", [False, True])
def test_lost_after_the_final_dot(send, engine, chunking):
    answers = {".": [None, DROP]}
    if chunking and engine == "esmtp":
        answers = {"BDAT": [None, DROP], "EHLO": chunking_in_two}
    with Script(answers=answers) as server:
        out = send(server.port, mail(1), mail(2), mail(3), engine=engine,
                   tls="none")
        assert (out.rc, out.why) == ("temp", "network")
        assert out.verdicts == ["sent", "uncertain"] + \
            ["deferred"] * (engine == "sceau")


@pytest.mark.parametrize("words", [b"2", b"250", b"250 2.0.0 que",
                                   b"250-2.0.0 ok\r\n250 2", b"554 5.0.0 n"])
def test_lost_in_the_middle_of_the_last_answer(send, engine, words):
    """A line without its end is no answer (RFC 5321 4.2)."""
    def half(session):
        session.say(words)
        return DROP
    with Script(answers={".": half}) as server:
        out = send(server.port, mail(1), engine=engine, tls="none")
        assert (out.rc, out.why) == ("temp", "network")
        assert out.verdicts == ["uncertain"]


def test_lost_in_the_middle(send, engine):
    def stop(session):
        session.say("354 go")
        session.receive()
        return DROP
    with Script(answers={"DATA": stop}) as server:
        out = send(server.port, mail(1, (b"y" * 70 + b"\r\n") * 300_000),
                   engine=engine, tls="none", chunk=4096)
        assert out.rc == "temp"
        # libesmtp only notices at the end: then it is said to be unsure.
        assert out.verdicts == \
            (["uncertain"] if engine == "esmtp" else ["deferred"])


def test_nobody_there(send, engine):
    with socket.create_server(("127.0.0.1", 0)) as s:
        port = s.getsockname()[1]
    out = send(port, mail(), engine=engine, tls="none")
    assert (out.rc, out.why, out.verdicts) == ("temp", "network", ["deferred"])


# ---- deadlines

def drip(session):
    """A reply that never ends, an octet at a time."""
    for octet in b"250-" + b"x" * 2000:
        session.say(bytes([octet]))
        time.sleep(0.2)


def deaf(session):
    """Take the content only after the client's time is over."""
    session.say("354 go")
    time.sleep(4)
    session.finish(session.content(), ".")
    return DROP


def endless(session):
    for _ in range(100_000):
        session.say("250-AGAIN")
    return "250 ok"


def login_for_ever(session):
    while True:
        session.say("334 ")
        session.line()


STEPS = [("GREETING", HANG), ("EHLO", HANG), ("STARTTLS", HANG),
         ("AUTH", HANG), ("MAIL", HANG), ("RCPT", HANG), ("DATA", HANG),
         (".", HANG), ("GREETING", drip), ("EHLO", drip), ("AUTH", drip),
         ("RCPT", drip), (".", drip), ("EHLO", endless),
         ("AUTH", login_for_ever)]


@pytest.mark.parametrize("verb,what", STEPS, ids=lambda v: getattr(
    v, "__name__", v))
def test_each_step_has_a_deadline(send, engine, good, verb, what):
    with Script(good, starttls=True, users={"dr": SECRET},
                answers={verb: what}) as server:
        out = send(server.port, mail(), engine=engine, auth="password",
                   timeout=2 if verb == "." else 1)
        assert out.rc == "temp" and out.seconds < 20, out
        assert not server.mails
        if what is HANG:
            assert out.why == "network", out
        assert out.verdicts == \
            (["uncertain"] if verb == "." else ["deferred"])


@pytest.mark.parametrize("tls", ["none", "starttls"])
def test_a_stalled_mail_is_never_taken_with_a_hole(send, engine, good, tls):
    """libesmtp drops what it could not write in time, and goes on."""
    contents = [mail(n, (b"%06d" % n * 10 + b"\r\n") * 80_000 + b"t" * n +
                     b"\r\n") for n in range(3)]

    def one(content):
        with Script(good, starttls=tls == "starttls",
                    answers={"DATA": deaf}) as server:
            out = send(server.port, content, engine=engine, tls=tls,
                       timeout=1)
            server.settle()
            return out, [m[2] for m in server.mails]
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        for content, (out, taken) in zip(contents, pool.map(one, contents)):
            assert taken in ([], [content])
            assert out.verdicts[0] != "sent" or taken
            # curl measures speed over five seconds: it may wait and go on.
            assert engine == "curl" or out.verdicts[0] != "sent"


def test_connect_has_a_deadline(send, engine):
    """The full queue of a listener that never accepts drops each SYN."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port, held = full.getsockname()[1], []
        for _ in range(4):
            held.append(socket.socket())
            held[-1].setblocking(False)
            held[-1].connect_ex(("127.0.0.1", port))
        out = send(port, mail(), engine=engine, tls="none", timeout=1)
        assert (out.rc, out.why) == ("temp", "network")
        assert out.seconds < 15
        for s in held:
            s.close()


@needs_curl
def test_silent_tls(send):
    with socket.create_server(("127.0.0.1", 0)) as s:
        out = send(s.getsockname()[1], mail(), tls="implicit", timeout=1)
        assert out.rc == "temp" and out.seconds < 15


# ---- what we never hand over

@pytest.mark.parametrize("content", [
    mail() + b"bare\nSMUGGLED\r\n",
    mail() + b"bare\rSMUGGLED\r\n",
    mail() + b"a\r\n.\nMAIL FROM:<SMUGGLED@x>\r\n",
    mail() + b"a\n.\r\nSMUGGLED\r\n",
    mail() + b"a\r.\rSMUGGLED\r\n",
    mail() + b"nul \0 SMUGGLED\r\n",
    mail() + b"x" * 999 + b"SMUGGLED\r\n",
    mail() + b"no end SMUGGLED",
    mail() + b"half an end SMUGGLED\r",
    b"",
], ids=range(10))
@pytest.mark.parametrize("chunk", [1, 1 << 20])
def test_what_is_no_mail_is_never_taken(send, engine, content, chunk):
    with Script() as server:
        out = send(server.port, content, mail(2), engine=engine, tls="none",
                   chunk=chunk)
        assert (out.rc, out.verdicts) == ("ok", ["refused", "sent"]), out
        assert out.mails[0].code == 0 and out.mails[0].text
        assert [m[2] for m in server.mails] == [mail(2)]
        if chunk > 1 and content.endswith(b"\n"):
            assert b"SMUGGLED" not in server.heard


def test_longest_line(send, engine):
    with Script() as server:
        out = send(server.port, mail(1, b"x" * 998 + b"\r\n"),
                   mail(2, b"x" * 999 + b"\r\n"), engine=engine, tls="none")
        assert out.verdicts == ["sent", "refused"]


@pytest.mark.parametrize("off", [-1, 1])
def test_another_size_than_said(send, engine, off):
    with Script() as server:
        out = send(server.port, mail(), engine=engine, tls="none",
                   size=len(mail()) + off)
        assert (out.rc, out.verdicts) == ("ok", ["refused"])
        assert not server.mails


@pytest.mark.parametrize("address", [
    "a@b.test\r\nRCPT TO:<evil@x.test>", "a@b.test>\r\nDATA", "a b@c.test",
    "a@b.test\n", "<a@b.test>", "a@b.test> SIZE=1", "a@@b", "a", "@b.test",
    "\u00e9@b.test", "a@" + "b" * 260], ids=range(11))
def test_addresses(send, engine, address):
    you = "you@example.test"
    with Script() as server:
        out = send(server.port, (address, you, mail()), (you, address, mail()),
                   mail(3), engine=engine, tls="none")
        assert (out.rc, out.verdicts) == ("ok", ["refused", "refused", "sent"])
        assert b"evil" not in server.heard and len(server.mails) == 1
        assert server.heard.count(b"MAIL FROM") == 1
        assert send(server.port, (you, "", mail()), engine=engine,
                    tls="none").verdicts == ["refused"]


def test_size_the_relay_does_not_take(send, engine):
    def too_big(session):
        return "552 5.3.4 too big" if b"SIZE=2" in session.commands[-1] \
            else None
    with Script(extensions=("SIZE 5000", "ENHANCEDSTATUSCODES"),
                answers={"MAIL": too_big}) as server:
        out = send(server.port, mail(1, (b"x" * 70 + b"\r\n") * 300), mail(2),
                   engine=engine, tls="none")
        assert (out.rc, out.verdicts) == ("ok", ["refused", "sent"])
        assert (out.mails[0].code, out.mails[0].enhanced) == (552, "5.3.4")
        assert b"xxxxx" not in server.heard


# ---- which engine, and `sceau check`

@pytest.mark.skipif(len(ENGINES) < 2, reason="one engine only")
def test_engine_of_auto(send):
    for tls, auth, engine in (("none", "none", "libesmtp"),
                              ("starttls", "password", "libesmtp"),
                              ("implicit", "password", "libcurl"),
                              ("starttls", "xoauth2", "libcurl")):
        out = send(1, tls=tls, auth=auth)
        assert out.engine == engine and out.rc == "ok"
    for tls, auth in (("implicit", "password"), ("starttls", "xoauth2")):
        assert send(1, tls=tls, auth=auth, engine="esmtp").rc == "conf"


def test_settings_that_cannot_be(send, engine, tmp_path):
    bad = tmp_path / "bad.pem"
    bad.write_text("no certificate")
    assert send(1, engine=engine, ca=tmp_path / "none.pem").rc == "conf"
    assert send(1, engine=engine, helo="a b").rc == "conf"
    assert send(1, engine=engine, helo="").rc == "conf"
    assert send(1, engine=engine, pin="sha256//short").rc == "conf"
    assert send(1, engine=engine, ca=bad).rc == "conf"


def test_check(send, engine, good):
    with Script(good, starttls=True, users={"dr": SECRET}) as server:
        out = send(server.port, engine=engine, auth="password", check=1,
                   sandbox=1)
        assert (out.rc, out.why) == ("ok", "none"), out
        assert not server.mails and b"MAIL" not in server.heard
        out = send(server.port, engine=engine, auth="password", check=1,
                   secret="wrong")
        assert (out.rc, out.why) == ("temp", "login"), out
    with Script(good, starttls=True) as server:
        out = send(server.port, engine=engine, auth="password", check=1)
        assert (out.rc, out.why) == ("temp", "login"), out
    with Script() as server:
        assert send(server.port, engine=engine, tls="none",
                    check=1).rc == "ok"
    with Script(answers={"GREETING": "554 no"}) as server:
        assert send(server.port, engine=engine, tls="none",
                    check=1).why == "server"


def test_client_certificates_of_the_home_folder(send, engine, good, tmp_path):
    """libesmtp looks for them there, and gives up when it may not look."""
    home = tmp_path / ".authenticate"
    for path in (home, home / "127.0.0.1", home / "127.0.0.1/private"):
        path.mkdir(mode=0o700)
    (home / "127.0.0.1/private/smtp-starttls.pem").write_text("for all")
    with Script(good, starttls=True, users={"dr": SECRET}) as server:
        assert send(server.port, mail(), engine=engine, home=tmp_path,
                    auth="password").verdicts == ["sent"]
