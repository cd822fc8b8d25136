"""The table of what servers do: rows of (protocol, step, behaviour, set up).

set up(server) is called before the first pass; "then" of a row, if any, after
it, when the server has begun to behave.
"""

import contextlib
import dataclasses
import re
import time

from hostile import servers
from hostile.servers import becomes, says
from world.smtp_script import DROP, HANG

STEPS = {
    "imap": ("GREETING", "CAPABILITY", "AUTHENTICATE", "SELECT", "FETCH",
             "UID FETCH", "UID STORE", "UID EXPUNGE", "LOGOUT"),
    "pop3": ("GREETING", "CAPA", "USER", "PASS", "UIDL", "LIST", "RETR",
             "DELE", "QUIT"),
    "smtp": ("GREETING", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA",
             ".", "QUIT"),
}
NO = {"imap": b"%TAG% NO [SERVERBUG] not today\r\n",
      "pop3": b"-ERR [SYS/TEMP] not today\r\n"}
BYE = {"imap": b"* BYE going down\r\n",
       "pop3": b"-ERR going down\r\n"}


@dataclasses.dataclass(frozen=True)
class Behaviour:
    protocol: str
    step: str
    name: str
    set_up: object
    then: object = None
    lost: int = 0       # mails that the server itself throws away
    hidden: bool = False        # it hides some, and that cannot be known
    liar: bool = False          # it gives one message for another
    stays: bool = False         # what it said of them is believed for good
    bounds: tuple = (25, 48)    # seconds of a pass, MB of a process

    @property
    def key(self):
        return f"{self.protocol} {self.step} {self.name}"


def at(step, todo):
    def set_up(server):
        server.at[step] = todo
    return set_up


def answered(step, octets):
    def set_up(server):
        server.at[step] = says(octets)
    return set_up


def everywhere():
    """Each step of the two, times what can be done there."""
    actions = {f.__name__: f for f in (
        servers.hang, servers.close, servers.half, servers.drip,
        servers.rubbish, servers.endless, servers.flood)}
    for protocol in ("imap", "pop3"):
        for step in STEPS[protocol]:
            for name, todo in actions.items():
                yield Behaviour(protocol, step, name, at(step, todo))
            yield Behaviour(protocol, step, "no", answered(
                step, NO[protocol]))
            yield Behaviour(protocol, step, "bye", answered(
                step, BYE[protocol]))
        yield Behaviour(protocol, "*", "late", at("*", servers.late))


def literal(size):
    """The size of the first literal is another one."""
    return becomes(lambda server, octets: re.sub(
        rb"\{\d+\}", b"{%d}" % size, octets, count=1))


def uid(old, new):
    return becomes(lambda server, octets: octets.replace(
        b"UID %d " % old, b"UID %d " % new))


def vanish(server, octets):
    """Somebody else has deleted the second message meanwhile."""
    server.box.pop(2, None)
    return octets


def other_validity(server):
    server.validity += 1


def renumbered(server):
    """Another UIDVALIDITY, and what is there bears other messages' UIDs."""
    server.validity += 1
    mails = [server.box[u] for u in sorted(server.box)]
    server.box = dict(enumerate(reversed(mails), 1))
    server.all = dict(server.box)


def other_names(server):
    server.name = "other"


def imap():
    for size in (0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 63, 2 ** 64, 10 ** 30):
        yield Behaviour("imap", "UID FETCH", f"literal of {size}",
                        at("UID FETCH", literal(size)))
    for new in (0, 2, 99, 2 ** 32 - 1, 2 ** 32, 10 ** 30):
        yield Behaviour("imap", "UID FETCH", f"UID 1 is {new}",
                        at("UID FETCH", uid(1, new)), liar=new == 2)
        yield Behaviour("imap", "FETCH", f"UID 1 is {new}",
                        at("FETCH", uid(1, new)), hidden=True)
    for n in (0, 1, 2 ** 31, 2 ** 32, 10 ** 30):
        yield Behaviour("imap", "SELECT", f"{n} EXISTS", at(
            "SELECT", becomes(lambda s, o, n=n: re.sub(
                rb"\d+ EXISTS", b"%d EXISTS" % n, o))), hidden=True)
        yield Behaviour("imap", "SELECT", f"UIDVALIDITY {n}", at(
            "SELECT", becomes(lambda s, o, n=n: re.sub(
                rb"UIDVALIDITY \d+", b"UIDVALIDITY %d" % n, o))))
    yield Behaviour("imap", "FETCH", "a million messages", at(
        "FETCH", becomes(lambda s, o: b"".join(
            b"* %d FETCH (UID %d RFC822.SIZE 9)\r\n" % (n, n)
            for n in range(1, 1_000_001)) + o)))
    yield Behaviour("imap", "FETCH", "vanishes", at(
        "FETCH", becomes(vanish)), lost=1)
    yield Behaviour("imap", "UID FETCH", "nothing", answered(
        "UID FETCH", b"%TAG% OK done\r\n"), hidden=True)
    yield Behaviour("imap", "UID FETCH", "NIL", at(
        "UID FETCH", becomes(lambda s, o: re.sub(
            rb"\{\d+\}\r\n(?:.*?)\)\r\n(?=\*|\w+ OK)", b"NIL)\r\n", o,
            flags=re.S))))
    yield Behaviour("imap", "SELECT", "other UIDVALIDITY", at(
        "UID STORE", servers.close), then=other_validity)
    yield Behaviour("imap", "SELECT", "other UIDVALIDITY, renumbered", at(
        "UID STORE", servers.close), then=renumbered)
    yield Behaviour("imap", "GREETING", "PREAUTH", answered(
        "GREETING", b"* PREAUTH welcome\r\n"))


def pop3():
    for name, rows in {
            "gaps": b"3 uid-3\r\n9 uid-9\r\n", "zero": b"0 uid-0\r\n",
            "2^32": b"4294967296 uid-x\r\n", "10^30": b"1" + b"0" * 30 +
            b" uid-x\r\n", "no id": b"1\r\n", "rubbish": b"\0\xff x\r\n",
            "twice the same": b"1 uid-1\r\n2 uid-1\r\n",
            "an id of 71": b"1 " + b"u" * 71 + b"\r\n"}.items():
        yield Behaviour("pop3", "UIDL", name, answered(
            "UIDL", b"+OK\r\n" + rows + b".\r\n"), hidden=True)
    for name, size in {"0": 0, "1": 1, "2^32": 2 ** 32,
                       "10^30": 10 ** 30}.items():
        yield Behaviour("pop3", "LIST", f"all of {name}", at(
            "LIST", becomes(lambda s, o, size=size: re.sub(
                rb"(?m)^(\d+) \d+", rb"\1 %d" % size, o))),
            stays=size == 2 ** 32)
    yield Behaviour("pop3", "UIDL", "a million messages", answered(
        "UIDL", b"+OK\r\n" + b"".join(b"%d u%d\r\n" % (n, n)
                                      for n in range(1, 1_000_001)) +
        b".\r\n"), bounds=(60, 96))

    def same(server):
        server.at["UIDL"] = server.always = becomes(
            lambda s, o: re.sub(rb"uid-\d+", b"uid-1", o))
    yield Behaviour("pop3", "UIDL", "one id for all, always", same,
                    then=lambda s: s.at.update(UIDL=s.always), hidden=True)
    yield Behaviour("pop3", "UIDL", "vanishes", at(
        "UIDL", becomes(vanish)), lost=1)
    yield Behaviour("pop3", "UIDL", "other ids", at(
        "DELE", servers.close), then=other_names)
    yield Behaviour("pop3", "RETR", "without its end", at(
        "RETR", becomes(lambda s, o: o.removesuffix(b".\r\n"))))


def drip_reply(session):
    """An SMTP answer, one octet at a time."""
    with contextlib.suppress(OSError):
        for octet in b"250-" + b"x" * 400:
            session.sock.sendall(bytes([octet]))
            time.sleep(servers.LATE_S)
    return DROP


def smtp():
    replies = {"hang": HANG, "close": DROP, "drip": drip_reply,
               "421": "421 4.3.2 going down", "450": "450 4.2.0 not now",
               "452": "452 4.3.1 no room", "550": "550 5.1.1 never",
               "552": "552 5.2.2 too much", "554": "554 5.7.1 refused",
               "999": "999 what", "250 alone": "250 ok",
               "rubbish": b"\xff\0\x80\r\n",
               "endless": b"2" * 4_000_000,
               "a long answer": "".join(f"250-{n}\r\n" for n in
                                        range(100_000)) + "250 end"}
    for step in STEPS["smtp"]:
        for name, reply in replies.items():
            def set_up(server, step=step, reply=reply):
                server.script[step] = [reply]
            yield Behaviour("smtp", step, name, set_up)
    forged = "220 go\r\n250-forged\r\n250 AUTH PLAIN"

    def forge(server):
        server.script["STARTTLS"] = [forged]
    yield Behaviour("smtp", "STARTTLS", "forged answers after it", forge)

    def strip(server):
        server.starttls = False
    yield Behaviour("smtp", "EHLO", "no STARTTLS", strip)

    def taken_then_lost(server):
        def accept(session):
            session.server.mails.append(session.mail)
            return DROP
        server.script["."] = [accept]
    yield Behaviour("smtp", ".", "taken, and the answer lost",
                    taken_then_lost)


def starttls():
    """The same two protocols where TLS is asked for by a command."""
    def inject(octets):
        def set_up(server):
            server.tls, server.inject = "starttls", octets
        return set_up
    yield Behaviour("imap", "STARTTLS", "forged answers after it",
                    inject(b"* CAPABILITY IMAP4rev1 LOGINDISABLED\r\n"))
    yield Behaviour("pop3", "STLS", "forged answers after it",
                    inject(b"+OK forged\r\n"))

    def strip(server):
        server.tls, server.strip = "starttls", True
    yield Behaviour("imap", "STARTTLS", "refused", strip)
    yield Behaviour("pop3", "STLS", "refused", strip)


TABLE = {b.key: b for source in (everywhere, imap, pop3, smtp, starttls)
         for b in source()}
