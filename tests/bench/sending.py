"""N documents that wait, each for one or for five recipients, are relayed: to
Postfix, which delivers them, and to smtp-sink, which only counts.  Over one
connection and over four, as sceau has it when nothing is said.  The others
have no queue: they are begun once for each document, and msmtp seals nothing.
smtp-source sends what it makes itself, as fast as its connections allow."""

import os
import pathlib
import shutil
import subprocess
import tempfile

from bench import fetch
from bench.filters import _gpg, _openssl
from bench.measure import Failed, Side, compare, run
from bench.stand import MEMORY, ROOM, digest, document
from pysceau import mail
from world.dovecot import free_ports, listening, wait_until

OCTETS = 8_000
SBIN = "/usr/sbin/"
LOOP = """\
i=0
for f in "$1"/*; do
    {seal} <"$f" | {send} || exit 1
done
"""


class Sink:
    """smtp-sink, which keeps each mail in a file of its own."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=MEMORY))
        os.chmod(self.folder, 0o777)
        (self.port,) = free_ports(1)
        self._process = subprocess.Popen(
            [SBIN + "smtp-sink", "-u", "nobody", "-d",
             # Its own numbers are short: 100,000 would meet.
             f"{self.folder}/%M%S.", f"127.0.0.1:{self.port}", "1000"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        wait_until(lambda: listening(self.port), 20, "smtp-sink")

    def empty(self):
        for path in self.folder.iterdir():
            path.unlink()

    def count(self):
        return sum(1 for _ in self.folder.iterdir())

    def mails(self):
        return [p.read_bytes() for p in self.folder.iterdir()]

    def close(self):
        self._process.terminate()
        self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Target:
    """Where it goes: a port, how to speak to it, and what came."""

    def __init__(self, stand, sink, postfix):
        self.stand, self.sink, self.postfix = stand, sink, postfix
        self.name = "Postfix, STARTTLS" if postfix else "smtp-sink"
        self.port = stand.relay.port["submission"] if postfix else sink.port

    def empty(self):
        self.stand.settle()
        for member in recipients(self.stand, 5):
            self.stand.empty(member)
        self.sink.empty()

    def mails(self):
        self.stand.settle()
        return [m for member in recipients(self.stand, 5)
                for m in member.mail()] if self.postfix else \
            self.sink.mails()

    def conf(self, ms, engine, sessions=4):
        port = self.stand.far(self.port, ms)
        more = {} if self.postfix else {"tls": "none"}
        return {"top": ROOM, "relay_port": port, "relay": {
            "engine": engine, "sessions": sessions, **more}}

    def msmtp(self, ms):
        """The command that sends what it is given on its input."""
        relay, stand = self.stand.relay, self.stand
        argv = ["msmtp", "--host=localhost",
                f"--port={stand.far(self.port, ms)}",
                f"--from={stand.labo.address}"]
        if self.postfix:
            argv += ["--tls=on", f"--tls-trust-file={stand.ca.cert}",
                     "--auth=on", f"--user={relay.user}",
                     f"--passwordeval=echo {relay.password}"]
        return [*argv, stand.dr.address]


def recipients(stand, to):
    """The first so many of those whose key the laboratory has."""
    return [stand.dr, stand.durand, stand.hub, stand.watch, stand.issuer][:to]


def queue(stand, n, to=1):
    """n documents wait in the laboratory's store, kept to be put back."""
    saved = stand.top / f"queued.{n}.{to}"
    if saved.exists():
        return saved
    stand.labo.fresh()
    for number in range(n):
        stand.labo.ok("send", *[m.address for m in recipients(stand, to)],
                      input=document(number, OCTETS))
    subprocess.run(["cp", "-a", stand.labo.state, saved], check=True)
    return saved


def ours(target, n, ms, engine, sessions=4, to=1):
    stand, labo = target.stand, target.stand.labo

    def before():
        saved = queue(stand, n, to)
        target.empty()
        labo.fresh()
        shutil.rmtree(labo.state)
        subprocess.run(["cp", "-a", saved, labo.state], check=True)

    def check():
        got = target.mails()
        opened = sorted(digest(plain(stand, m)) for m in got)
        wanted = sorted(to * [digest(document(i, OCTETS))
                              for i in range(n)])
        assert opened == wanted, f"{len(got)} of {n * to}, or other octets"

    def work():
        conf = target.conf(ms, engine, sessions)
        if not target.postfix:
            return bare(stand, labo, ms, conf)
        return fetch.poll(stand, labo, ms, **conf)
    words = f"sceau, {engine}" if sessions > 1 else \
        f"sceau, {engine}, one connection"
    return Side(words, work, before, check, n=n * to)


def bare(stand, labo, ms, conf):
    """smtp-sink knows neither TLS nor logins."""
    labo.configure(**conf)
    text = labo.conf.read_text()
    head, _, tail = text.partition('relay "relay"')
    tail = "\n".join(line for line in tail.splitlines() if not any(
        line.strip().startswith(w) for w in (
            "tls = starttls", "ca_file", "user =", "password_file")))
    labo.conf.write_text(head + 'relay "relay"' + tail + "\n")
    return stand.counted(lambda: run(
        [stand.sceau, "-c", labo.conf, "poll"], cwd=labo.home,
        env=labo.environment()))


def plain(stand, sealed):
    """The document in a mail, opened by the independent reader."""
    _, payload = stand.forger.open(mail.find(sealed))
    return payload.mail


def theirs(target, name, seal, n, ms):
    """One command for each document, in a shell's loop."""
    stand = target.stand
    home = stand.top / "senders"

    def before():
        target.empty()
        folder = home / "documents"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for number in range(n):
            (folder / str(number)).write_bytes(document(number, OCTETS))

    def check():
        got = len(target.mails())
        if got != n:
            raise Failed(f"{got} of {n} arrived")

    def work():
        words = " ".join(f"'{w}'" for w in map(str, seal(home)))
        send = " ".join(f"'{w}'" for w in target.msmtp(ms))
        return stand.counted(lambda: run(
            ["sh", "-c", LOOP.format(seal=words, send=send), "loop",
             home / "documents"], seconds=300, env={
                 "PATH": "/usr/sbin:/usr/bin:/bin", "HOME": str(home),
                 "GNUPGHOME": str(home), "LANG": "C"}))
    return Side(name, work, before, check, n=n)


def source(target, n, ms, octets, sessions=1):
    """As fast as so many connections go, without TLS."""
    stand = target.stand
    port = stand.relay.port["plain"] if target.postfix else target.port

    def work():
        return stand.counted(lambda: run(
            [SBIN + "smtp-source", "-s", sessions, "-m", n, "-l", octets,
             "-f", stand.labo.address, "-t", stand.dr.address,
             f"127.0.0.1:{stand.far(port, ms)}"], seconds=300))

    def check():
        got = len(target.mails())
        if got != n:
            raise Failed(f"{got} of {n} arrived")
    return Side(f"smtp-source -s {sessions}", work, target.empty, check, n=n,
                floor=True, note="no TLS, no login")


def others(bench, target, n, ms):
    few = max(n // 20, 5)
    for tool, name, seal in (
            ("msmtp", "msmtp", lambda _: ["cat"]),
            ("gpg", "gpg, msmtp", lambda h: [*_gpg(None, h)[0]]),
            ("openssl", "openssl cms, msmtp",
             lambda h: _openssl(None, h)[0])):
        if not shutil.which("msmtp") or not shutil.which(tool):
            bench.skip(name, "not installed")
        else:
            yield theirs(target, name, seal, few, ms)


def measure(bench):
    n = bench.count or (2000 if bench.full else 200)
    stand = bench.stand("disk")
    sink = Sink()
    try:
        for postfix in (True, False):
            for ms, to in ((0, 1), (20, 1), (0, 5), (20, 5)):
                target = Target(stand, sink, postfix)
                title = f"sending: {n} x 8 KB, each to {to}, " \
                    f"{target.name}, {2 * ms} ms"
                if not bench.wants(title):
                    continue
                sides = [ours(target, n, ms, engine, sessions, to)
                         for sessions in (4, 1)
                         for engine in ("esmtp", "curl", "sceau")]
                sides += [source(target, n * to, ms, 12_000, sessions)
                          for sessions in (1, 4)]
                if to == 1:
                    sides += others(bench, target, n, ms)
                bench.table(title, compare(sides, n * to, bench.rounds),
                            "message", OCTETS)
    finally:
        sink.close()
