"""What is sent is what arrives, octet for octet (2.19.13): mails of others'
corpora and mails that break readers, from `send` to the Maildir, directly and
by the gateway, over POP3 and IMAP."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from pysceau import envelope
from world import corpus
from world.demo import stripped


def mails(demo):
    """(as submitted, as it must arrive)."""
    out = []
    for n, (_, data) in enumerate(corpus.real()):
        crlf = corpus.ours(data, demo.labo.address, n)
        out.append((crlf, crlf))
        other = crlf.replace(b"\r\n\r\n", b"\r\nX-Form: LF\r\n\r\n", 1)
        lf = other.replace(b"\r\n", b"\n")
        if b"\r" not in lf:         # LF throughout: made CRLF, once
            out.append((lf, other))

    def head(name):
        return demo.mail_of("", demo.dr, subject=name)[:-2]
    out += [(data, data) for _, data in corpus.made(head)]
    return out


def submit(demo, some):
    """Each to three: by POP3, by IMAP, by the gateway.  What arrives."""
    to = [m.address for m in (demo.dr, demo.durand, demo.petit)]

    def one(pair):
        got = demo.labo.sceau("send", "-i", *to, input=pair[0])
        return got.code, got.stderr[-300:], pair
    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(one, some))
    refused = [(code, why, pair[0][:300]) for code, why, pair in done if code]
    assert refused == [], refused[:3]
    for member in (demo.labo, demo.dr, demo.durand, demo.hub, demo.petit):
        member.ok("poll")
    return Counter(arrives for _, arrives in some)


def arrived(member):
    return Counter(stripped(p.read_bytes()) for p in member.documents())


def test_there_are_300_of_them(demo):
    everything = mails(demo)
    assert len(corpus.real()) >= 150, "the corpora are not installed"
    assert len(everything) >= 300


def test_from_send_to_the_maildir(demo):
    everything = mails(demo)
    half = len(everything) // 2
    wanted = submit(demo, everything[:half])
    # The gateway's recipient: the first half by POP3, the second by IMAP.
    demo.petit.configure(protocol="imap", port=demo.dovecot.port["imaps"])
    wanted += submit(demo, everything[half:])
    for member in (demo.dr, demo.durand, demo.petit):
        got = arrived(member)
        assert got.total() == wanted.total()
        assert got == wanted, member.local
        assert member.mail() == [] and member.held() == []
    demo.hub.ok("poll")
    demo.labo.ok("poll")
    sent = [r for r in demo.labo.ok("status", "--json").json()
            if r["type"] == "sent"]
    assert {r["state"] for r in sent} == {"received"}, \
        Counter(r["state"] for r in sent)
    digests = Counter(envelope.digest_of(m).hex()
                      for m in wanted.elements())
    assert len(sent) == 3 * wanted.total()
    assert Counter(r["digest"] for r in sent) == Counter(
        {d: 3 * n for d, n in digests.items()})


def test_only_what_is_missing_is_added(demo):
    """Without From, Date and Message-ID; with Bcc: added and taken away,
    and nothing else."""
    body = b"To: dr.martin@cabinet.example\r\nBcc: x@y.example\r\n" \
           b"Subject: INR\r\nbcc:\r\n z@y.example\r\nX-Other: 1\r\n\r\nINR\r\n"
    demo.labo.ok("send", demo.dr.address, input=body)
    demo.labo.ok("poll")
    demo.dr.ok("poll")
    got, = demo.dr.shown()
    lines = got.split(b"\r\n")
    added = [line for line in lines
             if line.startswith((b"From:", b"Date:", b"Message-ID:"))]
    assert len(added) == 3
    rest = b"\r\n".join(line for line in lines if line not in added)
    assert rest == b"To: dr.martin@cabinet.example\r\nSubject: INR\r\n" \
                   b"X-Other: 1\r\n\r\nINR\r\n"
    assert b"From: labo.central@labo.example" in added
