"""Mail servers that misbehave on purpose, and keep every octet they hear.

    with Scripted("imap", cert, strip=True) as server:
        ... a client talks to localhost:server.port ...
        assert b"secret" not in server.heard

tls       "implicit", "starttls" or "none"
tls_max   ssl.TLSVersion: the newest it speaks
strip     STARTTLS is refused
inject    octets in the same packet as the answer to STARTTLS
early     octets in the same packet as the greeting
preauth   the IMAP greeting says PREAUTH
hang      the verb after which it says nothing more ("GREETING": at once)
bye_ends  the connection ends after an answer that says "going down"
answers   {verb, or GREETING: function(rest of the line) -> octets}, before
          all others
"""

import base64
import socket
import ssl
import threading
import warnings


class Scripted:
    def __init__(self, protocol, cert=None, tls="implicit", *, tls_max=None,
                 strip=False, inject=b"", early=b"", preauth=False, hang=None,
                 answers=None, messages=(), capa=b"",
                 bye_ends=False):
        self.protocol, self.cert, self.tls = protocol, cert, tls
        self.tls_max, self.strip, self.inject = tls_max, strip, inject
        self.early, self.preauth, self.hang = early, preauth, hang
        self.answers, self.messages = answers or {}, list(messages)
        self.capa, self.bye_ends = capa, bye_ends
        self.heard = bytearray()    # what the client said, TLS undone
        self.verbs = []
        self.handshakes = 0
        self._done = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._done.set()
        self._listener.close()

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,),
                             daemon=True).start()

    def _wrap(self, sock):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.cert.cert, self.cert.key)
        if self.tls_max is not None:
            context.set_ciphers("DEFAULT@SECLEVEL=0")
            with warnings.catch_warnings():     # old on purpose
                warnings.simplefilter("ignore", DeprecationWarning)
                context.minimum_version = ssl.TLSVersion.TLSv1
                context.maximum_version = self.tls_max
        sock = context.wrap_socket(sock, server_side=True)
        self.handshakes += 1
        return sock

    def _serve(self, sock):
        try:
            if self.tls == "implicit":
                sock = self._wrap(sock)
            getattr(self, "_" + self.protocol)(sock)
        except (OSError, EOFError, ssl.SSLError, ValueError):
            pass
        finally:
            sock.close()

    def _say(self, sock, octets, verb):
        if self.hang == verb:
            self._done.wait(60)
            raise EOFError
        sock.sendall(octets)
        if self.bye_ends and b"going down" in octets:
            raise EOFError

    def _line(self, sock):
        line = bytearray()
        while not line.endswith(b"\n"):
            octet = sock.recv(1)
            if not octet:
                raise EOFError
            line += octet
            self.heard += octet
        return bytes(line).rstrip(b"\r\n")

    def _special(self, verb, rest):
        self.verbs.append(verb)
        return self.answers[verb](rest) if verb in self.answers else None

    # -- IMAP ---------------------------------------------------------------

    def _imap(self, sock):
        greeting = b"* PREAUTH welcome\r\n" if self.preauth else \
            b"* OK ready\r\n"
        if "GREETING" in self.answers:
            greeting = self.answers["GREETING"](b"")
        self._say(sock, greeting + self.early, "GREETING")
        while True:
            tag, verb, *rest = self._line(sock).split(b" ", 2)
            verb = verb.upper().decode()
            rest = rest[0] if rest else b""
            if verb == "UID":
                verb, _, rest = rest.partition(b" ")
                verb = "UID " + verb.upper().decode()
            if verb == "STARTTLS":
                sock = self._imap_starttls(sock, tag)
                continue
            answer = self._special(verb, rest)
            if answer is None:
                answer = self._imap_answer(sock, verb, rest)
            self._say(sock, answer.replace(b"%TAG%", tag), verb)
            if verb == "LOGOUT":
                return

    def _imap_starttls(self, sock, tag):
        self.verbs.append("STARTTLS")
        if self.strip:
            self._say(sock, tag + b" NO not here\r\n", "STARTTLS")
            return sock
        self._say(sock, tag + b" OK begin\r\n" + self.inject, "STARTTLS")
        return self._wrap(sock)

    def _imap_answer(self, sock, verb, rest):
        if verb == "CAPABILITY":
            return b"* CAPABILITY IMAP4rev1 " + (
                self.capa or b"UIDPLUS MOVE IDLE") + b"\r\n%TAG% OK done\r\n"
        if verb == "AUTHENTICATE" and b" " not in rest:
            sock.sendall(b"+ \r\n")
            rest += b" " + self._line(sock)
        if verb == "SELECT":
            return (b"* %d EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n"
                    b"* OK [UIDNEXT %d] x\r\n%%TAG%% OK done\r\n"
                    % (len(self.messages), len(self.messages) + 1))
        if verb == "FETCH":
            return b"".join(
                b"* %d FETCH (UID %d RFC822.SIZE %d)\r\n" % (n, n, len(m))
                for n, m in enumerate(self.messages, 1)) + b"%TAG% OK done\r\n"
        if verb == "UID FETCH":
            return b"".join(
                b"* %d FETCH (UID %d BODY[] {%d}\r\n%b)\r\n"
                % (n, n, len(m), m)
                for n, m in enumerate(self.messages, 1)) + b"%TAG% OK done\r\n"
        if verb == "LOGOUT":
            return b"* BYE bye\r\n%TAG% OK done\r\n"
        return b"%TAG% OK done\r\n"

    # -- POP3 ---------------------------------------------------------------

    def _pop3(self, sock):
        greeting = b"+OK ready\r\n"
        if "GREETING" in self.answers:
            greeting = self.answers["GREETING"](b"")
        self._say(sock, greeting + self.early, "GREETING")
        while True:
            verb, _, rest = self._line(sock).partition(b" ")
            verb = verb.upper().decode()
            if verb == "STLS":
                self.verbs.append(verb)
                if not self.strip:
                    self._say(sock, b"+OK begin\r\n" + self.inject, verb)
                    sock = self._wrap(sock)
                    continue
                self._say(sock, b"-ERR not here\r\n", verb)
                continue
            answer = self._special(verb, rest)
            if answer is None:
                answer = self._pop3_answer(verb, rest)
            self._say(sock, answer, verb)
            if verb == "QUIT":
                return

    def _pop3_answer(self, verb, rest):
        def rows(row):
            return b"+OK\r\n" + b"".join(
                row(n, m) for n, m in enumerate(self.messages, 1)) + b".\r\n"
        if verb == "CAPA":
            return b"+OK\r\n" + (self.capa or b"UIDL\r\nUSER\r\n") + b".\r\n"
        if verb == "UIDL":
            return rows(lambda n, m: b"%d uid-%d\r\n" % (n, n))
        if verb == "LIST":
            return rows(lambda n, m: b"%d %d\r\n" % (n, len(m)))
        if verb == "RETR":
            body = self.messages[int(rest) - 1].replace(b"\r\n.", b"\r\n..")
            return b"+OK\r\n" + body + b".\r\n"
        return b"+OK\r\n"


def xoauth2(rest):
    """(user, token) of an initial response in base64."""
    user, auth, *_ = base64.b64decode(rest.split()[-1]).split(b"\1")
    return user.removeprefix(b"user=").decode(), \
        auth.removeprefix(b"auth=Bearer ").decode()
