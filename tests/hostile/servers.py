"""Mail servers that keep what they have, and misbehave where they are told.

    with Mailserver("imap", cert, [mail, mail]) as server:
        server.at["UID FETCH"] = close      # instead of its answer
        ...
        server.behave()                     # from now on
        server.box, server.gone             # {uid: mail}; mails deleted
"""

import re
import time

from world.scripted import Scripted

QUICK_S = 1         # "timeout" of the program under trial
LATE_S = 0.8 * QUICK_S


class Mailserver(Scripted):
    """One mailbox.  at: {verb: what to do in place of its answer}, a function
    of (server, socket, the octets it would have said); "TLS": in place of the
    handshake.  reached: the verbs where that came to pass.  asked(mail) is
    called when a client says that a mail may go, before it goes."""

    def __init__(self, protocol, cert, mails, asked=lambda mail: None):
        super().__init__(protocol, cert)
        self.box = dict(enumerate(mails, 1))
        self.next = len(mails) + 1
        self.validity, self.name = 7, "uid"
        self.at, self.reached, self.asked = {}, set(), asked
        self.gone, self.copied = [], []     # mails; in that order
        self.marked, self.foreign_marks = set(), set()
        self.expunges = True                # else it only says so

    def behave(self):
        self.at, self.answers, self.hang = {}, {}, None
        self.strip, self.inject, self.expunges = False, b"", True
        self.marked = set()

    def ask(self, uids):
        for uid in uids:
            if uid in self.box:
                self.asked(self.box[uid])

    def delete(self, uids):
        for uid in sorted(uids):
            if uid in self.box and self.expunges:
                self.gone.append(self.box.pop(uid))

    def _say(self, sock, octets, verb):
        todo = self.at.get(verb) or self.at.get("*")
        if todo:
            self.reached.add(verb)
            todo(self, sock, octets)
        else:
            super()._say(sock, octets, verb)

    def _wrap(self, sock):
        todo = self.at.get("TLS")
        if todo is None:
            return super()._wrap(sock)
        self.reached.add("TLS")
        todo(self, sock, b"\x16\x03\x03\x00\x7a" + b"\x02" * 122)
        raise EOFError

    # -- IMAP ---------------------------------------------------------------

    def uids(self, text):
        """Those of a set such as 1:3,7:* that are there."""
        found, last = [], max(self.box, default=0)
        for part in text.decode().split(","):
            low, _, high = part.partition(":")
            low, high = (last if x == "*" else int(x or 0)
                         for x in (low, high or low))
            found += [u for u in self.box
                      if min(low, high) <= u <= max(low, high)]
        return sorted(set(found))

    def number(self, uid):
        return sorted(self.box).index(uid) + 1

    def _imap_answer(self, sock, verb, rest):
        done = b"%TAG% OK done\r\n"
        if verb == "SELECT":
            return (b"* %d EXISTS\r\n* OK [UIDVALIDITY %d] x\r\n"
                    b"* OK [UIDNEXT %d] x\r\n%%TAG%% OK [READ-WRITE] done\r\n"
                    % (len(self.box), self.validity,
                       self.next))
        if verb in ("FETCH", "UID FETCH"):
            which = self.uids(rest.split()[0]) if verb == "UID FETCH" \
                else sorted(self.box)
            return b"".join(self.row(u, b"BODY" in rest)
                            for u in which) + done
        uids = set(self.uids(rest.split()[0])) if verb in (
            "UID STORE", "UID EXPUNGE", "UID MOVE", "UID COPY") else set()
        if verb == "UID STORE" and b"\\Deleted" in rest:
            self.ask(uids)
            self.marked |= uids
        if verb in ("UID MOVE", "UID COPY"):
            self.copied += [self.box[u] for u in uids]
        if verb == "UID MOVE":
            self.ask(uids)
            self.delete(uids)
        if verb == "UID EXPUNGE":
            self.delete(uids & (self.marked | self.foreign_marks))
        if verb == "EXPUNGE":
            self.delete(self.marked | self.foreign_marks)
        if verb == "UID SEARCH":
            return self.search(rest) + done
        return super()._imap_answer(sock, verb, rest)

    def search(self, rest):
        found = (self.marked | self.foreign_marks) & set(self.box) \
            if b"DELETED" in rest else self.uids(rest.split()[-1])
        return b"* SEARCH%b\r\n" % b"".join(
            b" %d" % u for u in sorted(found))

    def row(self, uid, body):
        mail = self.box[uid]
        what = b"BODY[] {%d}\r\n%b" % (len(mail), mail) if body \
            else b"RFC822.SIZE %d" % len(mail)
        return b"* %d FETCH (UID %d %b)\r\n" % (self.number(uid), uid, what)

    # -- POP3 ---------------------------------------------------------------

    def _pop3_answer(self, verb, rest):
        def rows(row):
            return b"+OK\r\n" + b"".join(
                row(n, u) for n, u in enumerate(sorted(self.box), 1)) + \
                b".\r\n"
        if verb == "UIDL":
            return rows(lambda n, u: b"%d %b-%d\r\n"
                        % (n, self.name.encode(), u))
        if verb == "LIST":
            return rows(lambda n, u: b"%d %d\r\n" % (n, len(self.box[u])))
        if verb in ("RETR", "DELE"):
            uid = dict(enumerate(sorted(self.box), 1)).get(int(rest))
            if uid is None:
                return b"-ERR no such message\r\n"
            if verb == "DELE":
                self.ask([uid])
                self.marked.add(uid)
                return b"+OK\r\n"
            body = self.box[uid].replace(b"\r\n.", b"\r\n..")
            return b"+OK\r\n" + body + b".\r\n"
        if verb == "QUIT":
            self.delete(self.marked)
        return super()._pop3_answer(verb, rest)


# -- What is done in place of an answer --------------------------------------

def hang(server, sock, octets):
    server._done.wait(60)
    raise EOFError


def close(server, sock, octets):
    raise EOFError


def half(server, sock, octets):
    """Cut in the middle of the answer."""
    sock.sendall(octets[:len(octets) // 2])
    raise EOFError


def drip(server, sock, octets):
    """One octet at a time, each just before the time is over."""
    for at in range(len(octets)):
        sock.sendall(octets[at:at + 1])
        if server._done.wait(LATE_S):
            raise EOFError


def late(server, sock, octets):
    """The whole answer, just before the time is over."""
    time.sleep(LATE_S)
    sock.sendall(octets)


def rubbish(server, sock, octets):
    sock.sendall(bytes(range(256)) * 4 + b"\r\n")


def endless(server, sock, octets):
    """A line that has no end: 64 MB."""
    for _ in range(1024):
        sock.sendall(b"x" * 65536)
    raise EOFError


def flood(server, sock, octets):
    """A million lines that mean nothing, then the answer."""
    line = b"* OK nothing\r\n" if server.protocol == "imap" else b"+OK\r\n"
    for _ in range(1000):
        sock.sendall(line * 1000)
    sock.sendall(octets)


def says(text):
    """That answer; %TAG% is the client's."""
    def say(server, sock, octets):
        tag = re.search(rb"(?:^|\n)(\S+) (?:OK|NO|BAD) ", octets)
        sock.sendall(text.replace(b"%TAG%", tag.group(1) if tag else b"*"))
    return say


def becomes(change):
    """The usual answer, changed."""
    def say(server, sock, octets):
        sock.sendall(change(server, octets))
    return say


def bye(text):
    """It says so and is gone."""
    def say(server, sock, octets):
        sock.sendall(text)
        raise EOFError
    return say
