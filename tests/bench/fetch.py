"""Fetching N documents: sceau fetches, opens, files and acknowledges; the
others only fetch to a Maildir.  What each does of its own accord is kept:
mpop, fdm, fetchmail and getmail delete at the server, as sceau does; mbsync
leaves the mail there."""

from bench import floor, peers
from bench.measure import Side, compare, run
from bench.stand import ROOM, document

# By how much less the slow ones get, at once and over the long line, where a
# message costs them round trips; rates are for one message all the same.
SLOW = {"fdm": (1, 50), "fetchmail": (10, 50), "getmail": (10, 50)}
SIZES = ((8_000, "8 KB"), (100_000, "100 KB"), (40_000_000, "40 MB"))


def cases(bench):
    """(octets, words, n, protocol, ms, disk), in the order of interest."""
    n = bench.count or (5000 if bench.full else 1000)
    counts = {8_000: n, 100_000: max(n // 10, 1), 40_000_000:
              max(min(n // 200, 5), 1)}
    for octets, words in SIZES:
        for disk in ("disk", "memory"):
            for ms in (0, 20):
                small = octets == 8_000
                if not bench.full and (
                        disk == "memory" and (ms or not small) or
                        ms and not small):
                    continue
                for protocol in ("pop3", "imap"):
                    yield octets, words, counts[octets], protocol, ms, disk


def poll(stand, member, ms, memory=False, **conf):
    """One `sceau poll`, as cron would run it."""
    port = stand.dovecot.port[member.protocol + "s"]
    member.configure(**{
        "top": ROOM, "port": stand.far(port, ms),
        "relay_port": stand.far(stand.relay.port["submission"], ms), **conf})
    return stand.counted(lambda: run(
        [stand.sceau, "-c", member.conf, "poll"], cwd=member.home,
        env=member.environment(), memory=memory))


def ours(stand, protocol, n, octets, ms, kind="maildir"):
    dr = stand.dr

    def before():
        dr.protocol, dr.kind = protocol, kind
        stand.fill(dr, n, octets)
        stand.labo.fresh()

    def check():
        assert dr.mail() == [], f"{len(dr.mail())} mails stay on the server"
        if kind == "maildir":
            stand.filed(dr, n, octets)
        else:
            assert len(dr.documents()) == n, "not as many files as documents"
        stand.acknowledged(n)

    name = "sceau" if kind == "maildir" else f"sceau, {kind}"
    return Side(name, lambda: poll(stand, dr, ms), before, check)


def theirs(stand, name, protocol, n, octets, ms, rounds):
    dr = stand.dr
    port = stand.dovecot.port[protocol + "s"]
    less = SLOW.get(name, (1, 1))[ms > 0]
    if less > 1:
        n, rounds = max(n // less, min(n, 5)), 1

    def before():
        dr.protocol = protocol
        stand.fill(dr, n, octets)

    def work():
        peer = peers.Peer(stand, name, protocol, stand.far(port, ms),
                          [(dr.user, dr.password)])
        got = stand.counted(peer.fetch)
        peer.count(n)
        return got
    return Side(name, work, before, n=n, rounds=rounds)


def floors(stand, protocol, n, octets, ms):
    dr = stand.dr
    port = stand.dovecot.port[protocol + "s"]
    paths, _ = stand.pool(n, octets)

    def before():
        dr.protocol = protocol
        stand.fill(dr, n, octets)

    def read(delay):
        return floor.reader(stand, protocol, stand.far(port, delay),
                            dr.user, dr.password, paths)

    def write():
        return floor.writer(stand.peers / "floor",
                            [document(i, octets) for i in range(n)])
    yield Side("floor: read", lambda: read(ms), before, floor=True)
    if not ms:
        # What the proxy itself costs, which the long line must not show.
        yield Side("floor: read, proxy", lambda: read(0.001), before,
                   floor=True)
        yield Side("floor: write", write, before, floor=True,
                   note="one group sync")


def measure(bench):
    for octets, words, n, protocol, ms, disk in cases(bench):
        title = (f"fetch: {n} x {words}, {protocol.upper()}, {2 * ms} ms, "
                 f"{bench.machine['file systems'][disk]}")
        if not bench.wants(title):
            continue
        stand = bench.stand(disk)
        sides = [ours(stand, protocol, n, octets, ms)]
        for name in peers.fetchers(bench, protocol):
            sides.append(theirs(stand, name, protocol, n, octets, ms,
                                bench.rounds))
        sides += floors(stand, protocol, n, octets, ms)
        bench.table(title, compare(sides, n, bench.rounds), "message",
                    octets)
