"""A relay for those who are not root, where Postfix cannot run: aiosmtpd,
with STARTTLS and a password, that puts mail into Dovecot's mailboxes."""

import asyncio
import ssl

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

from world.dovecot import free_ports


class _Handler:
    def __init__(self, relay):
        self.relay = relay

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in self.relay.busy:
            return "451 4.2.1 mailbox busy"
        if self.relay.mailbox(address) is None:
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server, session, envelope):
        for address in envelope.rcpt_tos:
            self.relay.dovecot.put(self.relay.mailbox(address), envelope.content)
        return "250 2.0.0 Ok"


class _Controller(Controller):
    def factory(self):
        return SMTP(self.handler, **self.SMTP_kwargs)


class Smtpd:
    """cert: the server's Certificate.  Mail for a user of that Dovecot, at
    that domain or by one of the aliases ({address: user}), goes into its
    mailbox; busy: addresses for which it must be tried again."""

    def __init__(self, cert, domain, dovecot, aliases=None):
        self.cert, self.dovecot = cert, dovecot
        self.aliases = {f"{u}@{domain}": u for u in dovecot.users} | \
            (aliases or {})
        self.busy = set()
        self.user, self.password = "relay", "password-of-the-relay"
        self.port = {"submission": free_ports(1)[0]}
        self._controller = None

    def mailbox(self, address):
        return self.aliases.get(address)

    def _check(self, server, session, envelope, mechanism, data):
        good = (data.login.decode(), data.password.decode()) == \
            (self.user, self.password)
        return AuthResult(success=good, handled=False)

    def start(self):
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.cert.cert, self.cert.key)
        self._controller = _Controller(
            _Handler(self), "127.0.0.1", self.port["submission"],
            loop=asyncio.new_event_loop(), data_size_limit=256 << 20,
            tls_context=context, require_starttls=True, auth_required=True,
            authenticator=self._check, decode_data=False)
        self._controller.start()
        return self

    def close(self):
        if self._controller:
            self._controller.stop()
            self._controller = None
