"""The association's gateway: what members sealed for it is opened, sealed
again for each recipient, and relayed; against Postfix alone passing mails of
that size.  The mails are what `sceau send` made for a member whom the sender
knows through the gateway only."""

import os
import time

from bench import fetch
from bench.measure import Failed, Side, compare, run
from bench.stand import digest, document
from world.demo import stripped

OCTETS = 8_000


def for_petit(stand, number):
    """The n-th document, for her whose key only the gateway has."""
    return document(number, OCTETS).replace(
        stand.dr.address.encode(), stand.petit.address.encode(), 1)


def pool(stand, n):
    """n mails as they lie in the gateway's mailbox: paths."""
    folder = stand.dovecot.top / "pool"
    folder.mkdir(exist_ok=True)
    stand.labo.fresh()
    stand.hub.fresh()
    for number in range(n):
        stand.labo.ok("send", "-t", input=for_petit(stand, number))
    stand.labo.ok("poll", seconds=600)
    stand.settle()
    paths = []
    for number, mail in enumerate(stand.hub.mail()):
        path = folder / f"hub.{number}"
        path.write_bytes(mail)
        os.chown(path, stand.dovecot.uid, stand.dovecot.gid)
        paths.append(path)
    assert len(paths) == n, f"{len(paths)} of {n} reached the gateway"
    return paths


def ours(stand, n, paths, engine):
    hub, petit = stand.hub, stand.petit

    def before():
        stand.settle()
        for member in (hub, petit, stand.labo):
            member.fresh()
        stand.put(hub, paths)

    def check():
        stand.settle()
        petit.ok("poll", seconds=600)
        got = sorted(digest(stripped(p.read_bytes()))
                     for p in petit.documents())
        wanted = sorted(digest(for_petit(stand, i)) for i in range(n))
        assert got == wanted, f"{len(got)} of {n}, or other octets"
    return Side(f"sceau, {engine}", lambda: fetch.poll(
        stand, hub, 0, relay={"engine": engine}), before, check)


def postfix(stand, n, octets):
    """Taken, queued durably and delivered: until nothing is on its way."""
    def work():
        began = time.monotonic()
        got = run(["/usr/sbin/smtp-source", "-m", n, "-l", octets, "-f",
                   stand.labo.address, "-t", stand.petit.address,
                   f"127.0.0.1:{stand.relay.port['plain']}"], seconds=300)
        stand.settle()
        got.seconds = time.monotonic() - began
        return got

    def before():
        stand.settle()
        stand.petit.fresh()

    def check():
        stand.settle()
        if (got := len(stand.petit.mail())) != n:
            raise Failed(f"{got} of {n} were delivered")
    return Side("Postfix alone", work, before, check, floor=True,
                note="smtp-source, no TLS")


def measure(bench):
    n = bench.count or (2000 if bench.full else 200)
    title = f"gateway: {n} x 8 KB, 7 members"
    if not bench.wants(title):
        return
    stand = bench.stand("disk")
    paths = pool(stand, n)
    sides = [ours(stand, n, paths, engine)
             for engine in ("esmtp", "curl", "sceau")]
    sides.append(postfix(stand, n, paths[0].stat().st_size))
    bench.table(title, compare(sides, n, bench.rounds), "message", OCTETS)
