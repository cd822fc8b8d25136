"""A pass with nothing new, over one mailbox and over many: time, processor,
memory, and round trips for each mailbox.  Memory is private and dirty, of
all processes at one moment."""

import itertools

from bench import fetch, peers
from bench.measure import Side, compare

ACCOUNT = """
account "{name}" {{
    protocol = {protocol}
    host = "localhost"
    port = {port}
    tls = implicit
    ca_file = "{ca}"
    user = "{user}"
    password_file = "{folder}/password"
}}
"""


def sections(stand, protocol, port, boxes):
    return "".join(ACCOUNT.format(
        name=f"more{i}", protocol=protocol, port=port, ca=stand.ca.cert,
        user=b.user, folder=b.folder) for i, b in enumerate(boxes))


def ours(stand, protocol, n, ms):
    dr = stand.dr
    port = stand.far(stand.dovecot.port[protocol + "s"], ms)
    conf = {"sections": sections(stand, protocol, port, stand.boxes[:n - 1])}

    def poll(memory=False):
        dr.protocol = protocol
        return fetch.poll(stand, dr, ms, memory, **conf)

    def first():
        # The pass before has looked at every mailbox once.
        poll()
    return Side("sceau", poll, first, probe=lambda: poll(True), n=n)


def theirs(stand, name, protocol, n, ms, rounds):
    port = stand.far(stand.dovecot.port[protocol + "s"], ms)
    boxes = [stand.dr, *stand.boxes[:n - 1]]

    def fetch_all(memory=False):
        peer = peers.Peer(stand, name, protocol, port,
                          [(b.user, b.password) for b in boxes])
        return stand.counted(lambda: peer.fetch(memory=memory))
    slow = n > 1 and name in ("fetchmail", "getmail")
    return Side(name, fetch_all, fetch_all if not slow else None, n=n,
                rounds=1 if slow else rounds,
                probe=None if slow else lambda: fetch_all(True))


def measure(bench):
    for ms, n, protocol in itertools.product((0, 20), (1, 50),
                                             ("pop3", "imap")):
        title = (f"empty pass: {n} mailbox{'es' if n > 1 else ''}, "
                 f"{protocol.upper()}, {2 * ms} ms")
        if not bench.wants(title):
            continue
        stand = bench.stand("disk")
        stand.dr.protocol = protocol
        stand.fill(stand.dr, 0, 8_000)
        sides = [ours(stand, protocol, n, ms)]
        for name in peers.fetchers(bench, protocol):
            sides.append(theirs(stand, name, protocol, n, ms, bench.rounds))
        bench.table(title, compare(sides, n, bench.rounds), "mailbox")
