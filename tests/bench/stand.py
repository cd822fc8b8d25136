"""The demonstration association (keys/demo) as the benches want it.

The servers are always on a memory file system, so that the disk is left to
those who are measured; what they write is where ${disk} says.  A mailbox is
filled by hard links to mails that were sealed once.
"""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from world import documents
from world.demo import Demo, Forger, stripped
from world.dovecot import wait_until
from world.postfix import DOMAIN

HERE = pathlib.Path(__file__).resolve().parent
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else \
    tempfile.gettempdir()
ROOM = {"max_send": "200 MB", "max_receive": "400 MB"}
MAILBOXES = 50          # of an empty pass
DELAY_MS = 20


def document(n, octets):
    """The n-th mail of that size: a result, again and again."""
    head = ("From: labo.central@labo.example\r\n"
            "To: dr.martin@cabinet.example\r\nSubject: INR\r\n"
            "Date: Mon, 23 Nov 2026 08:00:00 +0100\r\n"
            f"Message-ID: <{n}.{octets}@labo.example>\r\n\r\n").encode()
    body = documents.hprim("DURAND", "CAMILLE", f"INR 2,{n}", "labo", "dr")
    body = body * ((octets - len(head)) // len(body) + 1)
    return (head + body)[:octets - 2] + b"\r\n"


def digest(data):
    return hashlib.blake2b(data, digest_size=16).digest()


class Line:
    """The delaying proxy before one port, a process of its own."""

    def __init__(self, port, ms):
        self._process = subprocess.Popen(
            [sys.executable, HERE / "delay.py", str(ms), str(port)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self._process.stdout.readline())

    def turns(self):
        """Round trips since the last call."""
        self._process.stdin.write("turns\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self):
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


class Stand(Demo):
    """disk: a folder on the file system that is measured."""

    def __init__(self, disk):
        tempfile.tempdir = str(disk)
        super().__init__()
        self.boxes = [self.member(f"box{n}", DOMAIN)
                      for n in range(MAILBOXES)]
        self.pools, self.lines, self.forger = {}, {}, Forger()
        tempfile.tempdir = MEMORY
        self.start()
        tempfile.tempdir = None
        self.peers = self.top / "peers"

    def far(self, port, ms):
        """The port to use instead of that, over a line of so many
        milliseconds each way; 0: itself."""
        if not ms:
            return port
        if (port, ms) not in self.lines:
            self.lines[port, ms] = Line(port, ms)
        return self.lines[port, ms].port

    def counted(self, work):
        """That Run, with the round trips that the lines saw."""
        for line in self.lines.values():
            line.turns()
        got = work()
        got.turns = sum(line.turns() for line in self.lines.values())
        return got

    def pool(self, n, octets):
        """n sealed mails of that size, made when first asked for: (their
        paths, the digests of what is in them)."""
        paths, wanted = self.pools.setdefault(octets, ([], []))
        folder = self.dovecot.top / "pool"
        folder.mkdir(exist_ok=True)
        for number in range(len(paths), n):
            mail = document(number, octets)
            sealed = self.forger.mail(self.labo, self.dr, mail)
            path = folder / f"{octets}.{number}"
            path.write_bytes(sealed)
            os.chown(path, self.dovecot.uid, self.dovecot.gid)
            paths.append(path)
            wanted.append(digest(mail))
        return paths[:n], wanted[:n]

    def put(self, member, paths):
        """Those mails in a mailbox, as a delivery agent leaves them."""
        new = self.dovecot.maildir(member.user) / "new"
        for number, path in enumerate(paths):
            size = path.stat().st_size
            # A name that came before would be a mail that was seen before.
            os.link(path, new / f"{1700000000 + number}.{path.name}.bench,"
                                f"S={size},W={size}")

    def fill(self, member, n, octets):
        """A mailbox with n such mails, and nobody has seen any."""
        self.settle()
        member.fresh()
        self.put(member, self.pool(n, octets)[0])
        shutil.rmtree(self.peers, ignore_errors=True)
        self.peers.mkdir(mode=0o755)

    def settle(self):
        """What the last one sent has arrived, and is taken away."""
        if hasattr(self.relay, "settled"):
            wait_until(self.relay.settled, 60, "the relay")

    def filed(self, member, n, octets):
        """Each document is there, once, octet for octet; and nothing else."""
        got = sorted(digest(stripped(p.read_bytes()))
                     for p in member.documents())
        assert got == sorted(self.pool(n, octets)[1]), \
            f"{len(got)} of {n} documents were filed, or other octets"

    def acknowledged(self, n):
        """The sender was told of each."""
        self.settle()
        told = set()
        for mail in self.labo.mail():
            told |= {a["T"] for a in acks(self.forger, mail)}
        assert len(told) == n, f"{len(told)} of {n} were acknowledged"

    def close(self):
        for line in self.lines.values():
            line.close()
        super().close()


def acks(forger, mail_):
    """The acknowledgements in one sealed mail."""
    from pysceau import mail, records
    _, payload = forger.open(mail.find(mail_))
    return payload.all(records.ACK) + payload.all(records.RELAYED_ACK)
