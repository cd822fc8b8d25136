"""What IMAP and POP3 servers do to us."""

import hashlib
import re

from hostile import servers
from hostile.row import SESSION, Behaviour
from hostile.servers import becomes, says

STEPS = {
    "imap": ("TLS", "GREETING", "CAPABILITY", "LOGIN", "SELECT", "FETCH",
             "UID FETCH", "UID STORE", "UID EXPUNGE", "UID SEARCH", "LOGOUT"),
    "pop3": ("TLS", "GREETING", "CAPA", "USER", "PASS", "UIDL", "LIST",
             "RETR", "DELE", "QUIT"),
}
NO = {"imap": b"%TAG% NO [SERVERBUG] not today\r\n",
      "pop3": b"-ERR [SYS/TEMP] not today\r\n"}
BYE = {"imap": b"* BYE going down\r\n",
       "pop3": b"-ERR going down\r\n"}
LOGINS = ("LOGIN", "USER", "PASS", "AUTHENTICATE", "AUTH")
XOAUTH2 = ("auth = xoauth2", 'token_command = "echo token"')
MOVE = ("after = move", 'move_to = "Done"')


def at(step, todo, **more):
    def set_up(server):
        server.at[step] = todo
        vars(server).update(more)
    return set_up


def answered(step, octets, **more):
    return at(step, says(octets), **more)


ACTIONS = {f.__name__.replace("_", " "): f for f in (
    servers.hang, servers.close, servers.half, servers.drip,
    servers.rubbish, servers.endless, servers.flood)}


def each(protocol, step, account=(), **more):
    """What can be done at any step, done there."""
    login = (75, 77) if step in LOGINS else (75,)
    for name, todo in ACTIONS.items():
        yield Behaviour(protocol, step, name, at(step, todo, **more),
                        codes=login, account=account)
    if step == "TLS":
        return
    yield Behaviour(protocol, step, "no", answered(
        step, NO[protocol], **more), codes=login, account=account)
    yield Behaviour(protocol, step, "bye", at(
        step, servers.bye(BYE[protocol]), **more), codes=login,
        account=account)


def everywhere():
    for protocol in ("imap", "pop3"):
        for step in STEPS[protocol]:
            yield from each(protocol, step)
        yield Behaviour(protocol, "*", "late", at("*", servers.late),
                        reached=False, timeout=4, says=SESSION)
    for protocol, step in (("imap", "UID FETCH"), ("pop3", "RETR")):
        yield Behaviour(protocol, step, "drip, each octet in time", at(
            step, servers.drip), timeout=10, says=SESSION)
    yield from each("imap", "AUTHENTICATE", XOAUTH2,
                    capa=b"UIDPLUS AUTH=XOAUTH2")
    yield from each("pop3", "AUTH", XOAUTH2, capa=b"UIDL\r\nSASL XOAUTH2\r\n")
    yield from each("imap", "STARTTLS", tls="starttls")
    yield from each("pop3", "STLS", tls="starttls")
    yield from each("imap", "UID MOVE", MOVE)
    yield from each("imap", "UID COPY", MOVE, capa=b"UIDPLUS")
    yield from each("imap", "EXPUNGE", capa=b"IDLE")


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
    server.foreign_marks = set()


def other_names(server):
    server.name = "other"


def empty(server):
    """It says that there is nothing, once."""
    nothing = becomes(lambda s, o: re.sub(rb"\d+ EXISTS", b"0 EXISTS", o)) \
        if server.protocol == "imap" else says(b"+OK\r\n.\r\n")
    server.at["SELECT" if server.protocol == "imap" else "UIDL"] = nothing


def honest(server):
    server.behave()


def state_lost(server):
    """Not the server's doing: our own store is gone, and nobody says so."""
    server.lose_state(said=False)


def state_lost_and_said(server):
    server.lose_state(said=True)


def state_rows(protocol, step):
    for name, then, again in (
            ("our state is lost", state_lost, "new"),
            ("our state is lost, and we say so", state_lost_and_said,
             "flagged")):
        yield Behaviour(protocol, step, f"close; {name}",
                        at(step, servers.close), then=(then,), again=again)


def imap_fetch():
    for size in (0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 63, 2 ** 64, 10 ** 30):
        yield Behaviour("imap", "UID FETCH", f"literal of {size}",
                        at("UID FETCH", literal(size)))
    for new in (0, 2, 99, 2 ** 32 - 1, 2 ** 32, 10 ** 30):
        yield Behaviour("imap", "UID FETCH", f"UID 1 is {new}",
                        at("UID FETCH", uid(1, new)), liar=new == 2)
        yield Behaviour("imap", "FETCH", f"UID 1 is {new}",
                        at("FETCH", uid(1, new)))
    yield Behaviour("imap", "FETCH", "a million messages", at(
        "FETCH", becomes(lambda s, o: b"".join(
            b"* %d FETCH (UID %d RFC822.SIZE 9)\r\n" % (n, n)
            for n in range(1, 1_000_001)) + o)))
    yield Behaviour("imap", "FETCH", "vanishes", at(
        "FETCH", becomes(vanish)), lost=1)

    nothing = answered("UID FETCH", b"%TAG% OK done\r\n")
    yield Behaviour("imap", "UID FETCH", "nothing", nothing)
    yield Behaviour("imap", "UID FETCH", "nothing, three times", nothing,
                    then=(nothing, nothing, honest), each=(75, 75, 0))
    yield Behaviour("imap", "UID FETCH", "NIL", at(
        "UID FETCH", becomes(lambda s, o: re.sub(
            rb"\{\d+\}\r\n(?:.*?)\)\r\n(?=\*|\w+ OK)", b"NIL)\r\n", o,
            flags=re.S))))


def imap_box():
    for n in (0, 1, 2 ** 31, 2 ** 32, 10 ** 30):
        yield Behaviour("imap", "SELECT", f"{n} EXISTS", at(
            "SELECT", becomes(lambda s, o, n=n: re.sub(
                rb"\d+ EXISTS", b"%d EXISTS" % n, o))), hidden=n % 2 ** 32 == 0)
        yield Behaviour("imap", "SELECT", f"UIDVALIDITY {n}", at(
            "SELECT", becomes(lambda s, o, n=n: re.sub(
                rb"UIDVALIDITY \d+", b"UIDVALIDITY %d" % n, o))),
            codes=(75, 78))
    yield Behaviour("imap", "GREETING", "PREAUTH", answered(
        "GREETING", b"* PREAUTH welcome\r\n"))
    for name, then in {"other UIDVALIDITY": (other_validity,),
                       "other UIDVALIDITY, renumbered": (renumbered,),
                       "nothing there, once": (empty, honest),
                       "nothing there, then another UIDVALIDITY":
                       (empty, lambda s: (s.behave(), renumbered(s)))
                       }.items():
        yield Behaviour("imap", "UID STORE", f"close; {name}",
                        at("UID STORE", servers.close), then=then)
    yield from state_rows("imap", "UID STORE")


def imap_release():
    """Deletions that it does otherwise than asked."""
    yield Behaviour("imap", "UID EXPUNGE", "close, nothing done", at(
        "UID EXPUNGE", servers.close, expunges=False))
    yield Behaviour("imap", "UID SEARCH", "all are gone, none is", at(
        "UID SEARCH", becomes(lambda s, o: re.sub(
            rb"SEARCH[ \d]*", b"SEARCH", o)), expunges=False), hidden=True)
    yield Behaviour("imap", "UID SEARCH", "all are there, none is", answered(
        "UID SEARCH", b"* SEARCH 1 2 3\r\n%TAG% OK done\r\n"))
    yield Behaviour("imap", "UID SEARCH", "a million", answered(
        "UID SEARCH", b"* SEARCH" + b"".join(
            b" %d" % n for n in range(1, 1_000_001)) +
        b"\r\n%TAG% OK done\r\n"))
    yield Behaviour("imap", "EXPUNGE", "no UIDPLUS, another's mark",
                    lambda s: vars(s).update(capa=b"IDLE",
                                             foreign_marks={4}),
                    reached=False, marked=True)
    yield Behaviour("imap", "EXPUNGE", "no UIDPLUS", lambda s: vars(
        s).update(capa=b"IDLE"), reached=False)


def pop3_lists():
    for name, rows in {
            "gaps": b"3 uid-3\r\n9 uid-9\r\n", "zero": b"0 uid-0\r\n",
            "2^32": b"4294967296 uid-x\r\n", "10^30": b"1" + b"0" * 30 +
            b" uid-x\r\n", "no id": b"1\r\n", "rubbish rows": b"\0\xff x\r\n",
            "twice the same": b"1 uid-1\r\n2 uid-1\r\n",
            "an id of 71": b"1 " + b"u" * 71 + b"\r\n"}.items():
        yield Behaviour("pop3", "UIDL", name, answered(
            "UIDL", b"+OK\r\n" + rows + b".\r\n"))
    for name, size in {"0": 0, "1": 1, "2^32": 2 ** 32,
                       "10^30": 10 ** 30}.items():
        yield Behaviour("pop3", "LIST", f"all of {name}", at(
            "LIST", becomes(lambda s, o, size=size: re.sub(
                rb"(?m)^(\d+) \d+", rb"\1 %d" % size, o))),
            stays=size == 2 ** 32)
    yield Behaviour("pop3", "LIST", "gaps", answered(
        "LIST", b"+OK\r\n0 9\r\n3 1\r\n4294967296 7\r\n.\r\n"))
    yield Behaviour("pop3", "UIDL", "a million messages", answered(
        "UIDL", b"+OK\r\n" + b"".join(b"%d u%d\r\n" % (n, n)
                                      for n in range(1, 1_000_001)) +
        b".\r\n"), bounds=(60, 96))

    yield Behaviour("pop3", "UIDL", "vanishes", at(
        "UIDL", becomes(vanish)), lost=1)
    yield Behaviour("pop3", "UIDL", "not offered", answered(
        "UIDL", b"-ERR what?\r\n", capa=b"USER\r\n"), codes=(78,))


def same(server):
    """One id for all."""
    server.at["UIDL"] = becomes(
        lambda s, o: re.sub(rb"uid-\d+", b"uid-1", o))


def same_and_lost(server):
    """It deletes at QUIT, and the answer does not arrive."""
    same(server)
    server.at["QUIT"] = servers.close


def first_of_all(server):
    """The others come one by one."""
    server.rest = [server.box.pop(u) for u in (4, 3, 2)]
    same_and_lost(server)


def next_of_all(server):
    server.box[server.next] = server.rest.pop()
    server.next += 1
    same_and_lost(server)


def copies(server):
    """One mail is there twice, and its id is a digest of it."""
    server.box[server.next] = server.box[1]
    server.next += 1
    digests(server)


def digests(server):
    server.at["UIDL"] = becomes(lambda s, o: b"+OK\r\n" + b"".join(
        b"%d %b\r\n" % (n, hashlib.md5(s.box[u]).hexdigest().encode())
        for n, u in enumerate(sorted(s.box), 1)) + b".\r\n")


KEEP = ("after = keep",)


def pop3_same():
    """Ids that more than one message has."""
    yield Behaviour("pop3", "UIDL", "one id for all, always", same,
                    codes=(), then=(same,) * 4, each=(0,) * 4)
    yield Behaviour("pop3", "UIDL", "one id for all, kept there", same,
                    account=KEEP, codes=(), then=(same,) * 2, each=(0, 0),
                    marked=True)
    yield Behaviour("pop3", "QUIT", "one id for all, done and not said",
                    same_and_lost, then=(same_and_lost,) * 2)
    yield Behaviour("pop3", "QUIT", "one id for all, one by one",
                    first_of_all, then=(next_of_all,) * 3)
    yield Behaviour("pop3", "UIDL", "identical copies of one id", copies,
                    codes=(), then=(digests,), each=(0,))
    yield Behaviour("pop3", "UIDL", "identical copies, kept there", copies,
                    account=KEEP, codes=(), then=(digests,) * 2, each=(0, 0),
                    marked=True)
    yield Behaviour("pop3", "UIDL", "a million of one id", answered(
        "UIDL", b"+OK\r\n" + b"".join(b"%d u\r\n" % n
                                      for n in range(1, 1_000_001)) +
        b".\r\n"), bounds=(60, 96))


def pop3():
    for name, then in {"other ids": (other_names,),
                       "nothing there, once": (empty, honest),
                       "nothing there, then other ids":
                       (empty, lambda s: (s.behave(), other_names(s)))
                       }.items():
        yield Behaviour("pop3", "DELE", f"close; {name}",
                        at("DELE", servers.close), then=then)
    yield from state_rows("pop3", "DELE")
    yield Behaviour("pop3", "QUIT", "close, nothing done", at(
        "QUIT", servers.close, expunges=False))
    yield Behaviour("pop3", "RETR", "without its end", at(
        "RETR", becomes(lambda s, o: o.removesuffix(b".\r\n"))))


def starttls():
    """Somebody on the way who adds words, or takes the offer out."""
    def set_up(**change):
        return lambda server: vars(server).update(tls="starttls", **change)
    yield Behaviour("imap", "STARTTLS", "forged answers after it", set_up(
        inject=b"* CAPABILITY IMAP4rev1 LOGINDISABLED\r\n"), reached=False)
    yield Behaviour("pop3", "STLS", "forged answers after it", set_up(
        inject=b"+OK forged\r\n"), reached=False)
    yield Behaviour("imap", "STARTTLS", "refused", set_up(strip=True),
                    reached=False)
    yield Behaviour("pop3", "STLS", "refused", set_up(strip=True),
                    reached=False)


ROWS = (everywhere, imap_fetch, imap_box, imap_release, pop3_lists, pop3_same,
        pop3, starttls)
