"""Vectors of octets: payloads, envelopes, key files, the way by the hub."""

import base64
import struct

from pysceau import association, code, envelope, gate, kdf, keyfile, records
from pysceau import identity as ident

ROOTS = {2026: bytes(range(32)), 2027: bytes(range(32, 64))}
LABO, DR = b"demo/labo.central@labo.example", b"demo/dr.martin@cabinet.example"
DURAND = b"demo/dr.durand@cabinet.example"
ISSUER, WATCH, HUB = association.ISSUER, association.WATCH, association.HUB
NOW = 1767250800
RND = bytes(range(0xA0, 0xC0))
CODE = bytes(range(0x10, 0x1F))
MAIL = (b"From: labo.central@labo.example\r\n"
        b"To: dr.martin@cabinet.example\r\nSubject: INR\r\n"
        b"Date: Thu, 1 Jan 2026 08:00:00 +0100\r\n\r\nINR 2,1\r\n")


def asso():
    a = association.small(ROOTS[2026], 2026, NOW)
    a.roots = ROOTS
    for name in (ISSUER, WATCH, HUB):
        a.display[name] = (4, ident.address_of(name), "Association")
    return a


def padding():
    sizes = [0, 1, 16, 4095, 4096, 4097, 8191, 8192, 8193, 16384, 16385,
             32767, 32768, 32769, 65535, 65536, 65537, 67584, 67585, 100000,
             131071, 131072, 131073, 135168, 135169, 262144, 262145, 1000000,
             1048576, 1048577, 2097153, 10000000, 16777216, 16777217,
             67108864, 67108865, 100000000, 2**32 - 1, 2**32, 2**32 + 1]
    want = {0: 4096, 4096: 4096, 4097: 8192, 65536: 65536, 65537: 67584,
            67585: 69632, 131073: 135168, 100000: 100352,
            10000000: 10223616}
    rows = []
    for n in sizes:
        got = records.padded(n)
        assert want.get(n, got) == got, (n, got)
        rows.append({"name": f"{n} octets", "ruling": "2.19.8",
                     "content": n, "expect": got})
    return rows


# -- payloads: a list of pieces, hex or [hex, count]

def pieces(*parts):
    out = []
    for p in parts:
        if isinstance(p, tuple):
            out.append([p[0].hex(), p[1]])
        elif p:
            out.append(p.hex())
    return out


def filled(content, total=None):
    """Content and zeros up to its right size (or to another)."""
    n = records.padded(len(content)) if total is None else total
    return pieces(content, (b"\0", n - len(content)))


R = records
META = R.meta(NOW, 0, 2026, 1)
KEY = bytes(range(64, 96))
T1, D1 = bytes([1]) * 32, bytes([2]) * 32


def rec(*rs, mail=None, end=True):
    s = b"".join(R.pack(t, v) for t, v in rs)
    if mail is not None:
        s += R.pack(R.MAIL, mail)
    return s + (b"\0" if end else b"")


def payloads():
    dr1, labo1 = DR + b"#1", LABO + b"#1"
    grant = R.grant(2026, KEY, labo1)
    ack = R.ack(T1, 2, NOW, D1)
    rack = R.relayed_ack(T1, 2, NOW, D1, DR)
    relayed = R.relayed(T1, NOW, labo1)
    proof = R.witness(D1)
    route = R.route(DR)
    rows = []

    def row(name, parts, want, ruling="2.5", limit=65536):
        rows.append({"name": name, "ruling": ruling, "payload": parts,
                     "limit": limit, "expect": want})

    def good(name, *rs, mail=None, ruling="2.5"):
        row(name, filled(rec(*rs, mail=mail)), "ok", ruling)

    def bad(name, *rs, mail=None, ruling="2.5"):
        row(name, filled(rec(*rs, mail=mail)), "RECORD", ruling)

    def over(t, v, n):
        """A record with n octets more (or fewer) than it may have."""
        return t, (v + bytes(n) if n > 0 else v[:n])

    good("META alone", META)
    good("META and mail", META, mail=MAIL)
    good("empty mail", META, mail=b"", ruling="2.19.14")
    good("mail of one octet", META, mail=b"\0", ruling="2.19.14")
    good("everything a member sends", META, grant, ack,
         R.ack(T1, 0x10, NOW), proof, mail=MAIL, ruling="2.19.31")
    good("to the hub: ROUTEs, then WITNESSes", META, grant, route,
         R.route(DURAND), proof, R.witness(T1), mail=MAIL,
         ruling="2.19.31")
    good("ROUTE and WITNESS in turn", META, grant, route, proof,
         R.route(DURAND), R.witness(T1), mail=MAIL, ruling="2.19.31")
    good("from the hub", META, grant, rack, proof, relayed, mail=MAIL,
         ruling="2.19.31")
    good("bulletin", META, grant, R.bulletin(7), R.bar(2, DR),
         R.bar(255, LABO))
    good("enrolment", META, grant, R.grant(2026, KEY, dr1),
         R.entry(1, dr1, b"dr@x.example", "Dr Martin"))
    good("ENTRY without route or display name", META, R.entry(0, dr1),
         ruling="2.19.7")
    good("ENTRY with a display name of 200 octets", META,
         R.entry(0, dr1, b"", "\u00e9" * 100), ruling="2.19.7")
    good("ENTRY with a route of 254", META,
         R.entry(0, dr1, b"a" * 248 + b"@b.com"), ruling="2.19.7")
    good("ASK and DENY", META, R.ask(DR), R.deny(3, LABO))
    good("unknown 80", META, (0x80, b"x"), mail=MAIL)
    good("unknown FE", META, (0xFE, b""), mail=MAIL)
    good("unknown 82 before GRANT", META, (0x82, b"x" * 9), grant,
         mail=MAIL)
    good("META at the end of time", R.meta(R.FOREVER, 2**32 - 1, 65535, 255),
         ruling="2.19.9")
    good("BULLETIN 0", META, R.bulletin(0))
    good("BAR generation 1", META, R.bar(1, DR))

    bad("no record at all")
    bad("no META", grant, mail=MAIL)
    bad("META second", grant, META, mail=MAIL)
    bad("unknown before META", (0x80, b"x"), META, mail=MAIL)
    bad("two METAs", META, META, mail=MAIL, ruling="2.19.7")
    bad("a second META later", META, grant, META, ruling="2.19.7")
    for n in (0x0E, 0x0F, 0x1F, 0x21, 0x7F):
        bad(f"unknown {n:02X}", META, (n, b"x"), mail=MAIL)
    bad("type FF", META, (0xFF, b""), mail=MAIL, ruling="2.19.7")
    bad("META too short", over(*META, -1))
    bad("META too long", over(*META, 1), ruling="2.19.31")
    bad("META beyond the end of time", R.meta(2**63, 0, 2026, 1),
        ruling="2.19.9")
    bad("GRANT without identity", META, R.grant(2026, KEY, b""))
    bad("GRANT with a bad identity", META,
        R.grant(2026, KEY, b"Demo/dr@cabinet.example#1"))
    bad("GRANT too short", META, (R.GRANT, bytes(33)))
    bad("ACK too short", META, over(*ack, -1), ruling="2.19.31")
    bad("ACK too long", META, over(*ack, 1), ruling="2.19.31")
    for n in (0, 4, 0x0F, 0x12):
        bad(f"ACK of state {n:02X}", META, R.ack(T1, n, NOW, D1))
    bad("ASK of an identity", META, R.ask(dr1))
    bad("DENY reason 0", META, R.deny(0, DR), ruling="2.19.7")
    bad("DENY reason 4", META, R.deny(4, DR), ruling="2.19.7")
    bad("BULLETIN too short", META, over(*R.bulletin(1), -1))
    bad("BULLETIN too long", META, over(*R.bulletin(1), 1))
    bad("BAR generation 0", META, R.bar(0, DR))
    bad("BAR without a name", META, R.bar(2, b""))
    bad("ENTRY flags 5", META, R.entry(5, dr1), ruling="2.19.7")
    bad("ENTRY whose identity overruns", META,
        (R.ENTRY, b"\1\xc8" + dr1), ruling="2.19.7")
    bad("ENTRY without the length of the route", META,
        (R.ENTRY, bytes([1, len(dr1)]) + dr1))
    bad("ENTRY whose route overruns", META,
        (R.ENTRY, bytes([1, len(dr1)]) + dr1 + b"\x09a@b"))
    bad("ENTRY route of 255", META,
        R.entry(0, dr1, b"a" * 249 + b"@b.com"), ruling="2.19.7")
    bad("ENTRY route with a space", META, R.entry(0, dr1, b"a b@c.de"),
        ruling="2.19.7")
    bad("ENTRY route with 8 bits", META, R.entry(0, dr1, b"\xe9@c.de"),
        ruling="2.19.7")
    bad("ENTRY route without an at sign", META, R.entry(0, dr1, b"abc"),
        ruling="2.19.7")
    bad("ENTRY display name of 201 octets", META,
        R.entry(0, dr1, b"", "x" * 201), ruling="2.19.7")
    bad("ENTRY display name with a line end", META,
        R.entry(0, dr1, b"", "a\nb"), ruling="2.19.7")
    bad("ENTRY display name with DEL", META,
        R.entry(0, dr1, b"", "a\x7fb"), ruling="2.19.7")
    bad("ENTRY display name with C1 control", META,
        R.entry(0, dr1, b"", "a\u0085b"), ruling="2.19.7")
    bad("ENTRY display name not UTF-8", META,
        R.entry(0, dr1, b"", b"\xe9"), ruling="2.19.7")
    bad("ENTRY display name with a surrogate", META,
        R.entry(0, dr1, b"", b"\xed\xa0\x80"), ruling="2.19.7")
    bad("ENTRY display name with an overlong form", META,
        R.entry(0, dr1, b"", b"\xc1\x81"), ruling="2.19.7")
    bad("RELAYED alone", META, relayed)
    bad("RELAYED twice", META, relayed, relayed, mail=MAIL,
        ruling="2.19.7")
    bad("RELAYED, WITNESS, mail", META, relayed, proof, mail=MAIL,
        ruling="2.19.31")
    bad("RELAYED with a name", META, R.relayed(T1, NOW, LABO), mail=MAIL)
    bad("RELAYED beyond the end of time", META,
        R.relayed(T1, 2**63, labo1), mail=MAIL, ruling="2.19.9")
    bad("ROUTE to an identity", META, R.route(dr1), mail=MAIL)
    bad("ROUTE empty", META, R.route(b""), mail=MAIL)
    bad("RELAYED-ACK without a name", META,
        R.relayed_ack(T1, 2, NOW, D1, b""))
    bad("WITNESS too short", META, over(*proof, -1), mail=MAIL)
    bad("WITNESS too long", META, over(*proof, 1), mail=MAIL)
    bad("GRANT after ACK", META, ack, grant, mail=MAIL, ruling="2.19.31")
    bad("ACK after ROUTE", META, route, ack, mail=MAIL, ruling="2.19.31")
    bad("GRANT after WITNESS", META, proof, grant, mail=MAIL,
        ruling="2.19.31")

    def raw(name, content, want="RECORD", ruling="2.5", total=None):
        row(name, filled(content, total), want, ruling)
    raw("a record after MAIL", rec(META, mail=MAIL, end=False) +
        rec(proof), ruling="2.19.31")
    raw("two MAILs", rec(META, mail=MAIL, end=False) +
        R.pack(R.MAIL, MAIL) + b"\0", ruling="2.19.7")
    raw("an unknown one after MAIL", rec(META, mail=MAIL, end=False) +
        rec((0x80, b"")), ruling="2.19.31")
    raw("something after END", rec(META) + b"\0\0\1")
    raw("something in the last octet", rec(META) + bytes(4096 - 22) + b"\1")
    raw("padded one step too far", rec(META), ruling="2.19.8", total=8192)
    raw("not padded", rec(META), ruling="2.19.8", total=21)
    raw("one octet short", rec(META), ruling="2.19.8", total=4095)
    raw("one octet long", rec(META), ruling="2.19.8", total=4097)
    for name, total, want in (("another size of the table", 73728, "RECORD"),
                              ("Padm\u00e9, right", 71680, "ok")):
        row(name, pieces(rec(META, end=False) + b"\x20" +
                         struct.pack(">I", 70000),
                         (b"\0", total - 25)), want, "2.19.8")
    row("empty payload", [], "RECORD")
    row("zeros only", pieces((b"\0", 4096)), "RECORD")
    row("END missing", pieces(rec(META, end=False) + b"\x80" +
                              struct.pack(">I", 4096 - 20 - 5),
                              (b"x", 4096 - 25)), "RECORD", "2.19.31")
    row("MAIL to the very end, END missing",
        pieces(rec(META, end=False) + b"\x20" +
               struct.pack(">I", 4096 - 25), (b"x", 4096 - 25)), "RECORD",
        "2.19.31")
    row("MAIL longer than the payload",
        pieces(rec(META, end=False) + b"\x20" + struct.pack(">I", 4096),
               (b"x", 4096 - 25)), "RECORD")
    row("MAIL of 2^32-1", pieces(rec(META, end=False) + b"\x20\xff\xff\xff"
                                 b"\xff", (b"x", 4096 - 25)), "RECORD")
    row("a control record of 2^32-1",
        pieces(rec(META, end=False) + b"\x80\xff\xff\xff\xff",
               (b"x", 4096 - 25)), "RECORD")
    for limit in (65536, 1048576):
        for more, want in ((0, "ok"), (1, "RECORD")):
            n = limit - 20 - 5 + more
            total = records.padded(20 + 5 + n + 1)
            row(f"control records of {limit + more}, limit {limit}",
                pieces(rec(META, end=False) + b"\x80" + struct.pack(">I", n),
                       (b"x", n), (b"\0", total - 25 - n)), want,
                "2.19.35", limit)
    return rows


# -- envelopes

def _kat():
    a = asso()
    c = a.C(LABO, DR, 2026)
    return c, envelope.sealed(c, 2026, a.id(LABO), a.id(DR),
                              [META], MAIL, rnd=RND)[0]


def envelopes():
    """Edits of two envelopes; the channel key is given."""
    c, small = _kat()
    a = asso()
    big = envelope.sealed(c, 2026, a.id(LABO), a.id(DR), [META],
                          bytes(70000), rnd=RND)[0]
    lf, lt = len(a.id(LABO)), len(a.id(DR))
    salt = 12 + lf + lt
    body = 76 + lf + lt
    rows = [{"name": "base small", "ruling": "2.4", "base": "small",
             "channel": c, "edit": [], "mail": MAIL.decode(),
             "octets": len(small), "b2sum": kdf.b2sum(small),
             "expect": "ok"},
            {"name": "base big", "ruling": "2.4", "base": "big",
             "channel": c, "edit": [], "zeros": 70000, "octets": len(big),
             "b2sum": kdf.b2sum(big), "expect": "ok"}]

    def row(name, want, *edit, base="small", ruling="2.4"):
        rows.append({"name": name, "ruling": ruling, "base": base,
                     "edit": [list(e) for e in edit], "expect": want})
    put, cut, add, move = "put", "cut", "add", "move"
    row("magic", "FORMAT", (put, 0, "73"))
    row("version 0", "VERSION", (put, 5, "00"))
    row("version 2", "VERSION", (put, 5, "02"))
    row("version 2, all else unreadable", "VERSION",
        (put, 5, "02ffffffffff"))
    row("suite 0", "VERSION", (put, 6, "00"))
    row("suite 2", "VERSION", (put, 6, "02"))
    for n in (0x03, 0x10, 0x14, 0xFF):
        row(f"source {n:02x}", "FORMAT", (put, 7, f"{n:02x}"))
    row("year", "HEADER", (put, 8, "07eb"))
    for n in (0, 9, 201, 255):
        row(f"sender of {n} octets", "FORMAT", (put, 10, f"{n:02x}"),
            ruling="2.19.37")
        row(f"recipient of {n} octets", "FORMAT",
            (put, 11 + lf, f"{n:02x}"), ruling="2.19.37")
    row("sender one octet shorter", "FORMAT", (put, 10, f"{lf - 1:02x}"))
    row("capital in the sender", "FORMAT", (put, 11, "44"))
    row("capital in the recipient", "FORMAT", (put, 12 + lf, "44"))
    row("another sender", "HEADER", (put, 16, "6d"))
    row("another recipient", "HEADER", (put, 17 + lf, "65"))
    row("another generation of the sender", "HEADER", (put, 10 + lf, "32"))
    row("another generation of the recipient", "HEADER",
        (put, 11 + lf + lt, "32"))
    row("first octet of the salt", "HEADER", (put, salt, "00"))
    row("last octet of the salt", "HEADER", (put, salt + 31, "00"))
    row("first octet of T", "HEADER", (put, salt + 32, "00"))
    row("last octet of T", "HEADER", (put, body - 1, "00"))
    row("first octet of the body", "BODY", (put, body, "00"))
    row("last octet", "BODY", (put, len(small) - 1, "ff"))
    for n, want in ((0, "FORMAT"), (4, "FORMAT"), (5, "FORMAT"),
                    (6, "FORMAT"), (10, "FORMAT"), (11, "FORMAT"),
                    (salt, "FORMAT"), (body - 1, "FORMAT"),
                    (body, "TRUNCATED"), (body + 15, "TRUNCATED"),
                    (body + 16, "BODY"), (len(small) - 1, "BODY")):
        row(f"cut at {n}", want, (cut, n))
    row("an octet more", "BODY", (add, "00"))
    row("a whole envelope more", "BODY", (add, small.hex()[:64]))
    one = 65536 + 16
    row("cut after the first chunk", "TRUNCATED", (cut, body + one),
        base="big")
    row("cut in the first chunk", "BODY", (cut, body + one - 1), base="big")
    row("cut 15 octets after the first chunk", "TRUNCATED",
        (cut, body + one + 15), base="big")
    row("cut 16 octets after the first chunk", "BODY",
        (cut, body + one + 16), base="big")
    row("first chunk gone", "BODY", (move, body + one, body), base="big")
    row("last chunk twice", "BODY",
        (add, big[body + one:].hex()[:200]), base="big")
    return rows


def seals():
    """Sizes around the chunks: zeros as mail, digests of the result."""
    a = asso()
    c = a.C(LABO, DR, 2026)
    rows = []
    for n in (None, 0, 1, 4070, 4071, 65510, 65511, 65512, 131046, 131047,
              1000000):
        env, info = envelope.sealed(c, 2026, a.id(LABO), a.id(DR), [META],
                                    None if n is None else bytes(n), rnd=RND)
        rows.append({
            "name": "no mail" if n is None else f"{n} zeros",
            "ruling": "2.4", "channel": c, "year": 2026,
            "sender": a.id(LABO).decode(), "recipient": a.id(DR).decode(),
            "rnd": RND, "meta": {"time": NOW, "bulletin": 0, "year": 2026,
                                 "version": 1},
            "zeros": n, "expect": {"salt": info.salt, "T": info.T,
                                   "D": info.D, "octets": len(env),
                                   "b2sum": kdf.b2sum(env)}})
    return rows


# -- key files

def fields_text(p):
    """The fields of a payload as they stand in a vector."""
    out = []
    for t, f in p.fields:
        row = {"type": records.NAMES[t]}
        for k, v in f.items():
            text = isinstance(v, bytes) and k in ("identity", "name",
                                                  "route")
            row[k] = v.decode() if text else v
        out.append(row)
    return out


def keyfiles():
    a = asso()
    me, issuer = a.id(DR), a.id(ISSUER)
    rows = []

    def row(name, data, want, code_=CODE, old=(), ruling="2.7"):
        rows.append({"name": name, "ruling": ruling,
                     "file_base64": base64.b64encode(data).decode(),
                     "paper": keyfile.paper_digits(data),
                     "code": code.format(code_),
                     "old_keys_hex": [k.hex() for k in old],
                     "expect": want})

    def whole(data, code_, old=()):
        kf = keyfile.read(data, code_, old)
        return fields_text(kf.payload)
    first = a.key_file(DR, 2026, CODE, rnd=RND)
    old = a.K(DR, 2026)
    renewal = a.key_file(DR, 2027, CODE, renewal=True, rnd=RND,
                         time=1794700800)
    row("first delivery, 2026", first, whole(first, CODE))
    row("renewal, 2027", renewal, whole(renewal, CODE, [old]), old=[old])
    other = a.K(LABO, 2026)
    row("renewal, two keys held", renewal, whole(renewal, CODE, [old]),
        old=[other, old], ruling="2.19.11")
    row("another code", first, "HEADER", bytes(15))
    row("renewal with another code", renewal, "HEADER", bytes(15), [old])
    row("renewal without the old key", renewal, "HEADER")
    row("renewal with another's old key", renewal, "HEADER", old=[other])
    b = asso()
    b.bars = {DURAND: 2, LABO: 255}
    barred = b.key_file(DR, 2026, CODE, rnd=RND)
    row("with BARs", barred, whole(barred, CODE), ruling="2.19.23")
    mid = a.key_file(DR, 2026, CODE, rnd=RND,
                     dates=keyfile.year_dates(2026, NOW + 9000000))
    row("issued in the year", mid, whole(mid, CODE), ruling="2.19.26")

    def odd(name, change, want, ruling):
        recs = keyfile.key_records(2026, me, a.K(DR, 2026), a.roles(),
                                   a.ring(DR, 2026), time=NOW)
        row(name, keyfile.make(issuer, me, 2026, change(recs), CODE,
                               rnd=RND), want, ruling=ruling)

    def self_with(year, who):
        return records.self_(year, *keyfile.year_dates(year),
                             a.K(DR, 2026), who)
    odd("SELF of another identity",
        lambda r: [r[0], self_with(2026, a.id(LABO))] + r[2:], "RECORD",
        "2.19.27")
    odd("SELF of another generation",
        lambda r: [r[0], self_with(2026, DR + b"#2")] + r[2:], "RECORD",
        "2.19.27")
    odd("SELF of another year",
        lambda r: [r[0], self_with(2027, me)] + r[2:], "RECORD", "2.19.27")
    odd("no SELF", lambda r: [r[0]] + r[2:], "RECORD", "2.19.27")
    odd("two SELFs", lambda r: r[:2] + r[1:], "RECORD", "2.19.27")
    odd("the issuer is another", lambda r: [
        (t, v.replace(ISSUER, LABO) if t == records.ROLE and v[0] == 1
         else v) for t, v in r], "AUTHORITY", "2.19.4")
    odd("no ROLE of an issuer",
        lambda r: [x for x in r if not (x[0] == records.ROLE and
                                        x[1][0] == 1)], "AUTHORITY",
        "2.19.4")
    return rows


# -- the way by the hub

def relay():
    a = asso()
    labo, dr, hub = (gate.Gate.of(a, n, 2026) for n in (LABO, DR, HUB))
    rows = []

    def row(name, env, channel, receiver, ruling):
        h, p = envelope.opened(env, channel)
        rows.append({
            "name": name, "ruling": ruling, "channel": channel,
            "envelope_base64": base64.b64encode(env).decode(),
            "roles": {str(n): i.decode()
                      for n, i in receiver.roles[receiver.me, 2026].items()},
            "expect": {"sender": h.sender.decode(),
                       "recipient": h.recipient.decode(), "T": h.T,
                       "D": p.D, "records": fields_text(p),
                       "mail": None if p.mail is None else p.mail.decode()}})
        return p

    def rnd(n):
        return bytes([n]) * 32
    e1 = labo.send(HUB, MAIL, NOW, routes=[DR, DURAND], rnd=rnd(1))
    p = row("ROUTE: labo to the hub, for two", e1, a.C(LABO, HUB, 2026), hub,
            "2.19.6")
    akey = kdf.witness_key(a.K(LABO, 2026))
    rows.append({
        "name": "the WITNESSes of it", "ruling": "2.19.6",
        "witness_key": akey, "time": NOW, "D": p.D,
        "names": [DR.decode(), DURAND.decode()],
        "expect_hex": [w["witness"].hex() for w in p.all(records.WITNESS)]})
    opened = hub.receive(e1, NOW)
    assert opened.cls is None, opened.text
    e2 = hub.relay(opened, DR, NOW + 60, rnd=rnd(2))
    row("RELAYED: the hub to dr", e2, a.C(HUB, DR, 2026), dr, "2.19.31")
    got = dr.receive(e2, NOW + 120)
    assert got.cls is None and got.sender == a.id(LABO), got.text
    e3 = dr.send(HUB, None, NOW + 130, [records.ack(*k) for k in got.acks],
                 rnd=rnd(3))
    row("ACK 2: dr to the hub", e3, a.C(DR, HUB, 2026), hub, "2.8")
    assert hub.receive(e3).cls is None
    e4 = hub.send(LABO, None, NOW + 140, [
        records.ack(opened.T, 1, NOW + 60),
        records.relayed_ack(opened.T, 2, NOW + 120, opened.D, DR),
        records.relayed_ack(opened.T, 0x10, NOW + 60, kdf.ZERO, DURAND)],
        rnd=rnd(4))
    row("RELAYED-ACK: the hub to labo", e4, a.C(HUB, LABO, 2026), labo,
        "2.19.3")
    assert labo.receive(e4).cls is None
    state = labo.outbox[opened.T]
    assert state["state"] == 1 and state["routes"] == {DR: 2, DURAND: 0x10}
    return rows


# -- who may say what

def authority():
    a = asso()
    who = {"member": LABO, "issuer": ISSUER, "watch": WATCH, "hub": HUB}
    roles = {1: a.id(ISSUER), 2: a.id(HUB), 3: a.id(WATCH)}
    durand1 = a.id(DURAND)
    rows = []

    def row(what, sender, recs, want, to=DR, mail=False, held=None,
            ruling="2.5"):
        sender = who[sender]
        rs = [META] + recs
        rows.append({
            "name": f"{what}, from {sender.decode()}, to {to.decode()}" +
                    (", no watch desk" if held else ""),
            "ruling": ruling, "sender": a.id(sender).decode(),
            "recipient": a.id(to).decode(), "year": 2026,
            "roles": {str(n): i.decode() for n, i in
                      (held or roles).items()},
            "content": rec(*rs, mail=MAIL if mail else None),
            "expect": want})

    def each(what, recs, allowed, mail=False, to=DR, ruling="2.5"):
        for s in who:
            row(what, s, recs, "ok" if s in allowed else "AUTHORITY", to,
                mail, ruling=ruling)
    everybody = tuple(who)
    each("MAIL", [], everybody, mail=True)
    each("GRANT for another", [R.grant(2026, KEY, durand1)], ("issuer",))
    for s in who:
        own = a.id(who[s])
        row("GRANT of the own key", s, [R.grant(2026, KEY, own)], "ok")
        row("GRANT of the own key, other year", s,
            [R.grant(2027, KEY, own)], "AUTHORITY")
        row("GRANT of the own name, other generation", s,
            [R.grant(2026, KEY, who[s] + b"#2")],
            "ok" if s == "issuer" else "AUTHORITY")
    each("ACK 2", [R.ack(T1, 2, NOW, D1)], everybody)
    each("ACK 1", [R.ack(T1, 1, NOW)], ("hub",))
    each("BULLETIN", [R.bulletin(1)], ("watch",))
    each("BAR", [R.bar(2, DURAND)], ("watch", "issuer"))
    each("BAR of the hub", [R.bar(2, HUB)], ("issuer",), ruling="2.19.23")
    each("BAR of the issuer", [R.bar(2, ISSUER)], ("issuer",),
         ruling="2.19.23")
    each("BAR of the watch desk", [R.bar(2, WATCH)], ("issuer", "watch"),
         ruling="2.19.23")
    each("ENTRY", [R.entry(1, durand1)], ("issuer",))
    each("DENY", [R.deny(1, DURAND)], ("issuer",))
    each("RELAYED", [R.relayed(T1, NOW, durand1)], ("hub",), mail=True)
    each("RELAYED-ACK", [R.relayed_ack(T1, 2, NOW, D1, DURAND)], ("hub",))
    each("ROUTE to a member", [R.route(DURAND)], (), mail=True)
    each("ASK to a member", [R.ask(DURAND)], ())
    for to in (HUB, ISSUER):
        row("ROUTE", "member", [R.route(DURAND)], "ok", to, True)
        row("ASK", "member", [R.ask(DURAND)], "ok", to)
    row("ROUTE", "member", [R.route(DURAND)], "AUTHORITY", WATCH, True)
    me = keyfile.year_dates(2026)
    each("SELF", [R.self_(2026, *me, KEY, a.id(DR))], ())
    each("ROLE", [R.role(1, a.id(LABO))], ())
    each("WITNESS", [R.witness(D1)], everybody, mail=True)
    none = {1: a.id(ISSUER), 2: a.id(HUB)}
    row("BULLETIN", "issuer", [R.bulletin(1)], "ok", held=none)
    row("BULLETIN", "watch", [R.bulletin(1)], "AUTHORITY", held=none)
    row("BAR", "watch", [R.bar(2, DURAND)], "AUTHORITY", held=none)
    later = dict(roles)
    later[3] = WATCH + b"#7"
    row("BULLETIN of an older identity in ROLE", "watch", [R.bulletin(1)],
        "ok", held=later, ruling="2.19.4")
    return rows
