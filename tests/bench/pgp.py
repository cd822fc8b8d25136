"""A PGP gateway of what Debian has, beside ours, on the same machine: each
mail is deciphered and enciphered again by gpg (ed25519 and cv25519, without
passphrase), in a shell's loop or as a filter of Postfix's (pipe(8)), and goes
on by msmtp to a port of Postfix without TLS and login.  Neither checks who
sends, files, acknowledges, or knows a message that it has passed before."""

import os
import pwd
import shutil
import smtplib
import subprocess
import time

from bench import gateway
from bench.measure import Failed, Run, Side, compare, run
from bench.stand import document
from world.dovecot import free_ports, wait_until
from world.postfix import Postfix

USER = "nobody"         # who has the keys, and runs gpg
WAYS = """\
#!/bin/sh
umask 077
gpg {opt} --decrypt | gpg {opt} --armor --encrypt -r {to} |
msmtp --host=127.0.0.1 --port={port} --from={sender} {to}
"""
LOOP = 'for f in "$1"/*; do "$2" <"$f" || exit 1; done'
OPTIONS = "--batch --quiet --trust-model always --no-auto-check-trustdb"


class Pgp:
    """The two keys, n mails for the gateway, and a Postfix with the filter."""

    def __init__(self, stand, n):
        self.hub, self.to = stand.hub.address, stand.petit.address
        self.sender, self.n = stand.labo.address, n
        self.home, self.mails = stand.top / "pgp", stand.top / "pgp/mails"
        self.filter = self.home / "filter"
        user = pwd.getpwnam(USER)
        for folder in (self.home, self.mails):
            folder.mkdir(mode=0o700)
            os.chown(folder, user.pw_uid, user.pw_gid)
        self.env = {"PATH": "/usr/bin:/bin", "LANG": "C",
                    "HOME": str(self.home), "GNUPGHOME": str(self.home)}
        for who in (self.hub, self.to):
            self.gpg("--passphrase", "", "--quick-generate-key", who,
                     "future-default", "default", "never")
        for i in range(n):
            (self.mails / f"{i:05}").write_bytes(self.gpg(
                "--armor", "--encrypt", "-r", self.hub,
                given=document(i, gateway.OCTETS)))
        (port,) = free_ports(1)
        self.port = port
        self.server = Postfix(
            stand.relay.cert, boxes=("petit",), aliases={self.to: "petit"},
            services=f"127.0.0.1:{port} inet n - n - - smtpd\n"
            "  -o smtpd_tls_security_level=none\n"
            "  -o content_filter=pgp:\n"
            f"pgp unix - n n - {os.cpu_count()} pipe\n"
            f"  flags=Rq user={USER} argv=/usr/bin/env -i"
            f" {' '.join(f'{k}={v}' for k, v in self.env.items())}"
            f" {self.filter}\n")
        self.filter.write_text(WAYS.format(
            opt=OPTIONS, to=self.to, sender=self.sender,
            port=self.server.port["plain"]))
        self.filter.chmod(0o755)

    def gpg(self, *words, given=b""):
        return subprocess.run(
            ["gpg", *OPTIONS.split(), "--pinentry-mode", "loopback", *words],
            input=given, capture_output=True, check=True, user=USER,
            group="nogroup", extra_groups=[], env=self.env).stdout

    def boxes(self):
        return self.server.top / "mail/petit/new"

    def before(self):
        shutil.rmtree(self.boxes(), ignore_errors=True)

    def check(self):
        """All are there, and the last is what was sealed."""
        got = [m.read_bytes() for m in self.boxes().iterdir()]
        if len(got) != self.n:
            raise Failed(f"{len(got)} of {self.n} were delivered")
        plain = self.gpg("--decrypt", given=got[-1])
        if b"INR 2," not in plain:
            raise Failed("another text came out")

    def settle(self):
        wait_until(self.server.settled, 120, "Postfix behind the filter")

    def by_hand(self):
        began = time.monotonic()
        got = run(["sh", "-c", LOOP, "loop", self.mails, self.filter],
                  env=self.env, user=USER)
        self.settle()
        return Run(time.monotonic() - began, got.cpu)

    def behind(self):
        began = time.monotonic()
        with smtplib.SMTP("127.0.0.1", self.port) as smtp:
            for mail in sorted(self.mails.iterdir()):
                smtp.sendmail(self.sender, [self.to], mail.read_bytes())
        self.settle()
        return Run(time.monotonic() - began)

    def sides(self):
        for name, work in (("gpg, msmtp in a loop", self.by_hand),
                           ("gpg behind Postfix", self.behind)):
            yield Side(name, work, self.before, self.check, n=self.n)

    def close(self):
        subprocess.run(["gpgconf", "--kill", "gpg-agent"], check=False,
                       user=USER, group="nogroup", extra_groups=[],
                       env=self.env, capture_output=True)


def measure(bench):
    n = bench.count or (2000 if bench.full else 200)
    title = f"gateway: {n} x 8 KB, beside PGP"
    if not bench.wants(title):
        return
    if not shutil.which("gpg") or not shutil.which("msmtp"):
        bench.skip("gpg", "gpg or msmtp is not installed")
        return
    stand = bench.stand("disk")
    paths = gateway.pool(stand, n)
    pgp = Pgp(stand, max(n // 20, 10))
    try:
        with pgp.server:
            bench.table(title, compare(
                [gateway.ours(stand, n, paths, "esmtp"), *pgp.sides()],
                n, bench.rounds), "message", gateway.OCTETS)
    finally:
        pgp.close()
