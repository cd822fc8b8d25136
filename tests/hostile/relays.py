"""What SMTP servers do to us: with libesmtp, with libcurl, with our own engine,
and with an honest relay beside them."""

import contextlib
import socket
import time

from hostile.row import SESSION, Behaviour
from hostile.servers import LATE_S
from world.smtp_script import DROP, HANG

STEPS = ("GREETING", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", ".",
         "QUIT")
RESET = "RSET"      # behind a mail that was refused, before the next
OF_A_MAIL = ("MAIL", "RCPT", "DATA", ".")
CODES = (421, 450, 451, 452, 454, 455, 500, 501, 502, 503, 504, 521, 530, 534,
         535, 538, 550, 551, 552, 553, 554, 555)
# RFC 5321 4.2.4, 3.8; 7504; 4954 6; 3207 4: words on the way to the relay
OF_THE_WAY = {421, 454, 500, 502, 503, 521, 530, 534, 535, 538}


def drip(session):
    """An answer, one octet at a time."""
    with contextlib.suppress(OSError):
        for octet in b"250-" + b"x" * 400:
            session.sock.sendall(bytes([octet]))
            time.sleep(LATE_S)
    return DROP


def lines(session):
    """An answer, one line at a time, for ever."""
    with contextlib.suppress(OSError):
        for _ in range(400):
            session.sock.sendall(b"250-x\r\n")
            time.sleep(LATE_S)
    return DROP


def half(session):
    session.say(b"250 o")
    return DROP


BEHAVIOURS = {
    "hang": HANG, "close": DROP, "half": half, "drip": drip, "lines": lines,
    "999": "999 what", "250 alone": "250 ok", "rubbish": b"\xff\0\x80\r\n",
    "endless": b"2" * 4_000_000,
    "a long answer": "".join(f"250-{n}\r\n" for n in range(100_000)) +
    "250 end"}


def scripted(step, reply):
    def set_up(server):
        server.script[step] = [reply]
        if step == RESET:
            server.script["RCPT"] = ["450 4.2.0 not now", None]
    return set_up


def refused(step, code):
    """Is it a word on that mail, for good?"""
    if code < 500 or code in OF_THE_WAY:
        return False
    return code == 552 if step == "MAIL" else \
        step in ("DATA", ".") or step == "RCPT" and code != 552


def each(protocol, step, **more):
    login = (75, 77) if step == "AUTH" else (75,)
    for name, reply in BEHAVIOURS.items():
        yield Behaviour(protocol, step, name, scripted(step, reply),
                        takes=step == "QUIT", codes=login, **more)


def codes(protocol, which=CODES, steps=STEPS, **more):
    for step in steps:
        for code in which:
            reply = f"{code} {code // 100}.0.0 no"
            yield Behaviour(
                protocol, step, str(code), scripted(step, reply),
                refuses=refused(step, code), takes=step == "QUIT",
                of_mail=step in OF_A_MAIL and code not in OF_THE_WAY,
                codes=(75, 77) if step == "AUTH" else (75,), **more)


def slow(session):
    """Take the content slowly, and never so that a step takes too long."""
    session.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    session.say("354 go")
    with contextlib.suppress(OSError):
        while session.sock.recv(16384):
            time.sleep(LATE_S / 16)
    return DROP


def login_for_ever(session):
    while True:
        session.say("334 ")
        session.line()


def handshake(then):
    def say(session):
        session.say("220 go")
        return then(session) if callable(then) else then
    return say


def more_rows(protocol, **more):
    def row(step, name, set_up, **also):
        return Behaviour(protocol, step, name, set_up, **more, **also)
    for name, then in {"hang": HANG, "close": DROP, "drip": drip,
                       "rubbish": b"\0" * 4096}.items():
        yield row("STARTTLS", f"{name} in the handshake", scripted(
            "STARTTLS", handshake(then)))
    yield row("STARTTLS", "forged answers after it", scripted(
        "STARTTLS", "220 go\r\n250-forged\r\n250 AUTH PLAIN"))
    yield row("EHLO", "no STARTTLS", lambda s: vars(s).update(
        starttls=False), reached=False)
    yield row("AUTH", "334 for ever", scripted("AUTH", login_for_ever),
              codes=(75, 77))
    yield row("DATA", "takes it slowly", scripted("DATA", slow),
              size=6_000_000, timeout=10, bounds=(14, 48), says=SESSION)

    def taken_then_lost(session):
        session.server.mails.append(session.mail)
        return DROP
    yield row(".", "taken, and the answer lost", scripted(
        ".", taken_then_lost))


def reset(protocol, relay):
    """One session, or there is no mail behind the refused one."""
    relay += ("sessions = 1",)
    yield from each(protocol, RESET, relay=relay)
    yield from codes(protocol, steps=(RESET,), relay=relay)


def esmtp():
    for step in STEPS:
        yield from each("smtp", step)
    yield from codes("smtp")
    yield from more_rows("smtp")
    yield from reset("smtp", ())


CURL = ("engine = curl",)


def curl():
    for step in STEPS:
        yield from each("smtp, curl", step, relay=CURL)
    yield from codes("smtp, curl", relay=CURL)
    yield from more_rows("smtp, curl", relay=CURL)


OURS = ("engine = sceau",)


def ours():
    for step in STEPS:
        yield from each("smtp, sceau", step, relay=OURS)
    yield from codes("smtp, sceau", relay=OURS)
    yield from more_rows("smtp, sceau", relay=OURS)
    yield from reset("smtp, sceau", OURS)


def two():
    for step in STEPS:
        yield from each("smtp, two", step, honest=True)
    yield from codes("smtp, two", (421, 452, 503, 550), honest=True)
    yield from more_rows("smtp, two", honest=True)


ROWS = (esmtp, curl, ours, two)
