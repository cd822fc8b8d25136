"""A small SMTP server that misbehaves as it is told, on loopback.

    with Script(cert, starttls=True, users={"dr": "secret"},
                answers={"RCPT": "550 5.1.1 no such user"}) as server:
        server.port ...
        server.mails          [(from, to, octets)]: what it took
        server.heard          all octets it was sent, decrypted

answers: verb (GREETING EHLO STARTTLS AUTH MAIL RCPT DATA BDAT . RSET QUIT)
to what to do there: a reply (str or bytes, CRLF added to str), HANG, DROP, a
list of these (one for each time, the last for ever; None: as usual), or a
function of the Session that returns one of them.
"""

import base64
import contextlib
import socket
import ssl
import threading

HANG, DROP = "hang", "drop"


def server_context(cert, old=False):
    """TLS of a server; old: nothing newer than TLS 1.1."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if old:
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.load_cert_chain(cert.cert, cert.key)
    return context


class _Gone(Exception):
    pass


class Session:
    """One connection."""

    def __init__(self, server, sock):
        self.server, self.sock, self.buffer = server, sock, bytearray()
        self.parts = []             # (heard under TLS?, octets)
        self.commands = []
        self.tls = self.logged_in = False
        self.sender = self.to = self.mail = None
        self.chunks = b""
        self.failed = None          # why TLS did not come about

    def receive(self):
        try:
            data = self.sock.recv(65536)
        except OSError as e:
            raise _Gone from e
        if not data:
            raise _Gone
        self.parts.append((self.tls, data))
        self.buffer += data

    @property
    def heard(self):
        return b"".join(data for _, data in self.parts)

    @property
    def clear(self):
        return b"".join(data for tls, data in self.parts if not tls)

    def line(self):
        while (end := self.buffer.find(b"\n") + 1) == 0:
            self.receive()
        return self.take(end)

    def take(self, n):
        while len(self.buffer) < n:
            self.receive()
        data = bytes(self.buffer[:n])
        del self.buffer[:n]
        return data

    def content(self):
        """What follows 354, without the dots that were added."""
        lines = []
        while (line := self.line()) != b".\r\n":
            lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines)

    def say(self, reply):
        if isinstance(reply, str):
            reply = reply.encode() + b"\r\n"
        try:
            self.sock.sendall(reply)
        except OSError as e:
            raise _Gone from e

    def start_tls(self):
        try:
            self.sock = self.server.context.wrap_socket(
                self.sock, server_side=True)
        except (OSError, ssl.SSLError) as e:
            self.failed = str(e)
            raise _Gone from e
        self.tls, self.buffer = True, bytearray()

    def answer(self, verb, usual):
        """Do what the script says at verb, or the usual; the reply given."""
        todo = self.server.answer(verb)
        if callable(todo):
            todo = todo(self)
        if todo is None:
            todo = usual
        if todo == DROP:
            raise _Gone
        if todo == HANG:
            with contextlib.suppress(OSError):
                while self.sock.recv(65536):
                    pass
            raise _Gone
        self.say(todo)
        return todo.encode() if isinstance(todo, str) else todo

    def login(self, line):
        words = line.split()
        mech = words[1].upper()
        first = words[2] if len(words) > 2 else None

        def more(prompt):
            self.say(f"334 {prompt}")
            return self.line().strip()
        if mech == b"LOGIN":
            user = base64.b64decode(first or more("VXNlcm5hbWU6"))
            password = base64.b64decode(more("UGFzc3dvcmQ6"))
            return self.server.users.get(user.decode()) == password.decode()
        given = base64.b64decode(first if first else more(""))
        if mech == b"PLAIN":
            _, user, password = given.split(b"\0")
            return self.server.users.get(user.decode()) == password.decode()
        if mech in (b"XOAUTH2", b"OAUTHBEARER"):
            if b"auth=Bearer " + self.server.token.encode() + b"\1" in given:
                return True
            more(base64.b64encode(b'{"status":"401"}').decode())
        return False

    def ehlo(self):
        s = self.server
        words = ["script.test", *s.extensions]
        if s.starttls and not self.tls:
            words.append("STARTTLS")
        if s.mechanisms and (self.tls or s.context is None):
            words.append("AUTH " + s.mechanisms)
        return "\r\n".join(
            f"250{'-' if w is not words[-1] else ' '}{w}" for w in words)

    def data(self):
        if self.answer("DATA", "354 go" if self.to else
                       "554 no valid recipients")[:1] != b"3":
            return
        self.finish(self.content(), ".")

    def finish(self, content, verb):
        mail = self.mail = (self.sender, self.to, content)
        self.server.given.append(mail)
        if self.to is None:
            self.say("554 no valid recipients")
            return
        said = self.answer(verb, "250 2.0.0 queued")
        if said[:1] == b"2":
            self.server.mails.append(mail)
        self.sender = self.to = None

    def bdat(self, line):
        words = line.split()
        self.chunks += self.take(int(words[1]))
        if len(words) > 2:
            content, self.chunks = self.chunks, b""
            self.finish(content, "BDAT")
        else:
            self.answer("CHUNK", "250 2.0.0 chunk" if self.to else
                        "554 no valid recipients")

    def command(self, line):
        verb = line.split()[0].upper().decode(errors="replace")
        self.commands.append(line)
        if verb == "EHLO":
            self.answer("EHLO", self.ehlo())
        elif verb == "STARTTLS":
            if self.answer("STARTTLS", "220 go")[:3] == b"220":
                self.start_tls()
        elif verb == "AUTH":
            todo = self.server.answer("AUTH")
            if todo is not None:
                self.server.script["AUTH"].insert(0, todo)
                self.answer("AUTH", None)
            else:
                self.logged_in = self.login(line)
                self.say("235 2.7.0 in" if self.logged_in else
                         "535 5.7.8 wrong")
        elif verb == "MAIL":
            sender = line.split(b"<", 1)[1].split(b">")[0]
            if self.answer("MAIL", "250 2.1.0 ok")[:1] == b"2":
                self.sender = sender
        elif verb == "RCPT":
            to = line.split(b"<", 1)[1].split(b">")[0]
            if self.answer("RCPT", "250 2.1.5 ok")[:1] == b"2":
                self.to = to
        elif verb == "DATA":
            self.data()
        elif verb == "BDAT":
            self.bdat(line)
        elif verb == "QUIT":
            self.answer("QUIT", "221 bye")
            raise _Gone
        else:
            self.sender = self.to = None
            self.answer(verb, "250 ok")

    def run(self):
        try:
            if self.server.implicit:
                self.start_tls()
            self.answer("GREETING", "220 script.test ESMTP")
            while True:
                self.command(self.line())
        except _Gone:
            pass
        finally:
            with contextlib.suppress(OSError):
                self.sock.close()


class Script:
    def __init__(self, cert=None, starttls=False, implicit=False, users=None,
                 token="", mechanisms=None, extensions=("ENHANCEDSTATUSCODES",
                 "PIPELINING", "8BITMIME"), answers=None, old=False):
        self.context = server_context(cert, old) if cert else None
        self.starttls, self.implicit = starttls, implicit
        self.users, self.token = dict(users or {}), token
        if mechanisms is None:
            mechanisms = "PLAIN LOGIN" if self.users else ""
        self.mechanisms, self.extensions = mechanisms, extensions
        self.script = {k: list(v) if isinstance(v, list) else [v]
                       for k, v in (answers or {}).items()}
        self.mails, self.sessions = [], []
        self.given = []         # as mails, also what it did not take
        self.reached = set()    # verbs where the script had its say
        self.threads = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def answer(self, verb):
        todo = self.script.get(verb)
        if not todo:
            return None
        self.reached.add(verb)
        return todo.pop(0) if len(todo) > 1 else todo[0]

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            session = Session(self, sock)
            self.sessions.append(session)
            thread = threading.Thread(target=session.run, daemon=True)
            self.threads.append(thread)
            thread.start()

    def __enter__(self):
        self.accepting = threading.Thread(target=self._accept, daemon=True)
        self.accepting.start()
        return self

    def settle(self):
        """Until every session that was begun has ended."""
        for thread in self.threads:
            thread.join(10)
            assert not thread.is_alive()

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for s in self.sessions:
            with contextlib.suppress(OSError):
                s.sock.shutdown(socket.SHUT_RDWR)

    @property
    def heard(self):
        return b"".join(s.heard for s in self.sessions)

    @property
    def clear(self):
        return b"".join(s.clear for s in self.sessions)
