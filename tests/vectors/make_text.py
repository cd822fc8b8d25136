"""Vectors of what people and relays write: identities, codes, mails."""

import base64

from pysceau import code, kdf

DR = "demo/dr.martin@cabinet.example"


def identities():
    good = [
        ("ordinary", "demo/dr.martin@cabinet.example#1"),
        ("shortest", "a/b@c.de#1"),
        ("shortest, generation of two digits", "a/b@c.d#10"),
        ("generation 254", "demo/dr.martin@cabinet.example#254"),
        ("generation 9", "demo/dr.martin@cabinet.example#9"),
        ("digits and dashes in the association", "a1-2-/b@c.de#1"),
        ("association of 32", "a" * 32 + "/b@c.de#1"),
        ("local part of 64", "a/" + "b" * 64 + "@c.de#1"),
        ("local part of marks", "a/-_-@c.de#1"),
        ("local part of one digit", "a/0@c.de#1"),
        ("dots in the local part", "a/b.c.d@e.fr#1"),
        ("domain of digits", "a/b@1.2#10"),
        ("dash inside a label", "a/b@c-d.e--f#1"),
        ("many labels", "a/b@c.d.e.f.g.h#1"),
        ("exactly 200", "a/" + "b" * 64 + "@" + "c" * 60 + "." +
         "d" * 60 + "." + "e" * 9 + "#1"),
    ]
    bad = [
        ("empty", ""),
        ("9 octets", "a/b@c.d#1"),
        ("201 octets", "a/" + "b" * 64 + "@" + "c" * 60 + "." + "d" * 60 +
         "." + "e" * 10 + "#1"),
        ("capital in the local part", "demo/Dr.martin@cabinet.example#1"),
        ("capital in the domain", "demo/dr.martin@Cabinet.example#1"),
        ("capital in the association", "Demo/dr.martin@cabinet.example#1"),
        ("no association", "dr.martin@cabinet.example#1"),
        ("empty association", "/dr.martin@cabinet.example#1"),
        ("association begins with a digit", "1demo/dr@cabinet.example#1"),
        ("association begins with a dash", "-demo/dr@cabinet.example#1"),
        ("association with a dot", "de.mo/dr@cabinet.example#1"),
        ("association of 33", "a" * 33 + "/b@c.de#1"),
        ("two slashes", "demo/x/dr@cabinet.example#1"),
        ("no local part", "demo/@cabinet.example#1"),
        ("local part of 65", "a/" + "b" * 65 + "@c.de#1"),
        ("leading dot", "demo/.dr@cabinet.example#1"),
        ("trailing dot", "demo/dr.@cabinet.example#1"),
        ("double dot", "demo/dr..martin@cabinet.example#1"),
        ("plus in the local part", "demo/dr+x@cabinet.example#1"),
        ("quoted local part", "demo/\"dr\"@cabinet.example#1"),
        ("two at signs", "demo/dr@x@cabinet.example#1"),
        ("no at sign", "demo/dr.cabinet.example#1"),
        ("one label", "demo/dr.martin@cabinet#1"),
        ("trailing dot of the domain", "demo/dr@cabinet.example.#1"),
        ("leading dot of the domain", "demo/dr@.cabinet.example#1"),
        ("double dot in the domain", "demo/dr@cabinet..example#1"),
        ("label begins with a dash", "demo/dr@-cabinet.example#1"),
        ("label ends with a dash", "demo/dr@cabinet-.example#1"),
        ("last label ends with a dash", "demo/dr@cabinet.example-#1"),
        ("underscore in the domain", "demo/dr@cab_inet.example#1"),
        ("address literal", "demo/dr@[127.0.0.1]#1"),
        ("no generation", "demo/dr.martin@cabinet.example"),
        ("empty generation", "demo/dr.martin@cabinet.example#"),
        ("generation 0", "demo/dr.martin@cabinet.example#0"),
        ("generation 255", "demo/dr.martin@cabinet.example#255"),
        ("generation 256", "demo/dr.martin@cabinet.example#256"),
        ("generation 1000", "demo/dr.martin@cabinet.example#1000"),
        ("leading zero", "demo/dr.martin@cabinet.example#01"),
        ("signed generation", "demo/dr.martin@cabinet.example#+1"),
        ("space after", "demo/dr.martin@cabinet.example#1 "),
        ("line end after", "demo/dr.martin@cabinet.example#1\n"),
        ("NUL after", "demo/dr.martin@cabinet.example#1\0"),
        ("space before", " demo/dr.martin@cabinet.example#1"),
        ("two generations", "demo/dr.martin@cabinet.example#1#1"),
        ("accent", "demo/dr.h\u00e9l\u00e8ne@cabinet.example#1"),
        ("Cyrillic a in the domain", "demo/dr@c\u0430binet.example#1"),
        ("full-width digit", "demo/dr.martin@cabinet.example#\uff11"),
    ]
    rows = [{"name": n, "ruling": "2.2", "identity": i, "expect": "ok"}
            for n, i in good]
    rows += [{"name": n, "ruling": "2.2", "identity": i, "expect": "FORMAT"}
             for n, i in bad]
    for r in rows:
        if r["name"] in ("9 octets", "201 octets", "exactly 200"):
            r["ruling"] = "2.19.37"
    return rows


def codes():
    paper = "208H4-4RM2M-B1E60-S38DH-R78Y9"
    ours = bytes(range(0x10, 0x1F))
    rows = []

    def row(name, text, want, ruling="2.6"):
        rows.append({"name": name, "ruling": ruling, "op": "parse",
                     "text": text, "expect": want})
    row("as printed", paper, ours)
    row("lower case", paper.lower(), ours)
    row("no dashes", paper.replace("-", ""), ours)
    row("dashes elsewhere", "2-08H44RM2M--B1E60S38DHR78Y-9-", ours)
    row("letter O for zero", paper.replace("0", "O"), ours)
    row("letter o for zero", paper.replace("0", "o"), ours)
    row("letter I for one", paper.replace("1", "I"), ours)
    row("letter l for one", paper.replace("1", "l"), ours)
    row("24 symbols", paper[:-1], "FORMAT")
    row("26 symbols", paper + "0", "FORMAT")
    row("empty", "", "FORMAT")
    row("U is no symbol", "U" + paper[1:], "FORMAT")
    row("a star", "*" + paper[1:], "FORMAT")
    row("wrong check symbol", paper[:-1] + "8", "FORMAT")
    row("two symbols exchanged", paper.replace("4R", "R4"), "FORMAT")
    row("an accent", "\u00e9" + paper[1:], "FORMAT")
    for name, octets in (("all zero", bytes(15)), ("all one", b"\xff" * 15),
                         ("one", bytes(14) + b"\1")):
        rows.append({"name": name, "ruling": "2.6", "op": "format",
                     "code": octets, "expect": code.format(octets)})
    root, p1, p2 = (bytes(range(i, i + 32)) for i in (0, 64, 128))
    rows.append({
        "name": "parts of a root", "ruling": "2.19 root parts",
        "op": "root", "root": root, "part1": p1, "part2": p2,
        "check": kdf.root_check(root),
        "expect": code.root_split(root, p1, p2)})
    return rows


def from_():
    me = "dr.martin@cabinet.example"
    good = [
        ("bare", me), ("angle", f"<{me}>"),
        ("display name", f"Dr Martin <{me}>"),
        ("quoted display name", f"\"Martin, Dr\" <{me}>"),
        ("capitals", "Dr.Martin@Cabinet.EXAMPLE"),
        ("capitals in angle", "<DR.MARTIN@CABINET.EXAMPLE>"),
        ("encoded word", f"=?utf-8?q?H=C3=A9l=C3=A8ne?= <{me}>"),
        ("8-bit display name", f"H\u00e9l\u00e8ne <{me}>"),
        ("dots in the display name", f"Dr. J. Martin <{me}>"),
        ("folded before the address", f"Dr Martin\r\n <{me}>"),
        ("folded with a tab", f"\r\n\t{me}"),
        ("spaces around", f"   {me}  "),
        ("no space before the angle", f"Martin<{me}>"),
        ("two quoted words", f"\"Dr\" \"Martin\" <{me}>"),
        ("escaped quote in a display name", f"\"a \\\" b\" <{me}>"),
        ("the same address as quoted display name", f"\"{me}\" <{me}>"),
    ]
    bad = [
        ("empty", ""), ("spaces only", "   "),
        ("another member", "dr.durand@cabinet.example"),
        ("longer", "x" + me), ("trailing dot", me + "."),
        ("shorter", me[:-1]),
        ("the identity itself", DR),
        ("two addresses", f"{me}, eve@x.example"),
        ("the same address twice", f"{me}, {me}"),
        ("two angles", f"<{me}> <{me}>"),
        ("another after", f"<{me}> eve@x.example"),
        ("another address as quoted display name",
         f"\"eve@x.example\" <{me}>"),
        ("another address beside the same in a display name",
         f"\"{me} eve@x.example\" <{me}>"),
        ("an at sign in a display name", f"\"Martin @ work\" <{me}>"),
        ("another address as encoded word",
         f"=?utf-8?q?eve=40x.example?= <{me}>"),
        ("another address as base64 word",
         f"=?utf-8?b?ZXZlQHguZXhhbXBsZQ==?= <{me}>"),
        ("group", f"Cabinet: {me};"), ("empty group", "Cabinet:;"),
        ("address unquoted as display name", f"eve@x.example <{me}>"),
        ("comma in an unquoted display name", f"Martin, Dr <{me}>"),
        ("comment after", f"{me} (Dr Martin)"),
        ("comment before", f"(Dr Martin) {me}"),
        ("source route", f"<@x.example:{me}>"),
        ("empty angle", "<>"), ("display name alone", "Dr Martin"),
        ("angle not closed", f"Dr Martin <{me}"),
        ("quote not closed", f"\"Dr Martin <{me}>"),
        ("spaces in the address", "dr.martin @cabinet.example"),
        ("space in the angle", f"< {me} >"),
        ("quoted local part", "\"dr.martin\"@cabinet.example"),
        ("domain literal", "dr.martin@[127.0.0.1]"),
        ("encoded word hides the address",
         "=?utf-8?q?dr=2Emartin=40cabinet=2Eexample?="),
        ("dotless i", "dr.mart\u0131n@cabinet.example"),
        ("Kelvin sign", "dr.martin@cabinet.example\u212a"),
        ("subaddress", "dr.martin+x@cabinet.example"),
        ("a list of nothing and one", f",{me}"),
        ("semicolon after", f"{me};"),
    ]
    return ([{"name": n, "ruling": "2.19.36", "value": v, "address": me,
              "expect": "ok"} for n, v in good] +
            [{"name": n, "ruling": "2.19.36", "value": v, "address": me,
              "expect": "INNER"} for n, v in bad])


F = "From: dr.martin@cabinet.example\r\n"


def inner():
    filler = "X-Fill: " + "x" * 990 + "\r\n"
    n, rest = divmod(65536 - len(F) - 2, len(filler))
    full = F + filler * n + "X: " + "x" * (rest - 5) + "\r\n"
    good = [
        ("least", F + "\r\n"),
        ("with a body", F + "Subject: INR\r\n\r\nINR 2,1\r\n"),
        ("body without a last line end", F + "\r\nINR 2,1"),
        ("NUL in the body", F + "\r\na\0b"),
        ("bare CR in the body", F + "\r\na\rb"),
        ("bare LF in the body", F + "\r\na\nb"),
        ("long line in the body", F + "\r\n" + "x" * 3000),
        ("X-Sceau in the body", F + "\r\nX-Sceau: yes\r\n"),
        ("a second From in the body", F + "\r\nFrom: eve@x.example\r\n"),
        ("name in capitals", F.replace("From", "FROM") + "\r\n"),
        ("no space after the colon", F.replace(": ", ":") + "\r\n"),
        ("one of each", F + "Subject: a\r\nDate: b\r\nMessage-ID: <c@d>\r\n"
         "To: e@f.g\r\nCc: h@i.j\r\nReply-To: k@l.m\r\n\r\n"),
        ("Received twice", F + "Received: a\r\nReceived: b\r\n\r\n"),
        ("Resent-From", F + "Resent-From: eve@x.example\r\n\r\n"),
        ("Sender", F + "Sender: eve@x.example\r\n\r\n"),
        ("folded subject", "Subject: a\r\n b\r\n\tc\r\n" + F + "\r\n"),
        ("empty field", "Subject:\r\n" + F + "\r\n"),
        ("8-bit in the header", "Subject: \u00e9t\u00e9\r\n" + F + "\r\n"),
        ("From last", "Subject: a\r\n" + F + "\r\n"),
        ("a field named like ours, nearly", F + "Xsceau: a\r\n\r\n"),
        ("a line end at once in the body", F + "\r\n\r\n\r\n"),
    ]
    bad = [
        ("empty", ""), ("an empty line alone", "\r\n"),
        ("no From", "Subject: a\r\n\r\nb"),
        ("two From", F + F + "\r\n"),
        ("two From of which one in capitals",
         F + F.replace("From", "FROM") + "\r\n"),
        ("From of another", "From: eve@x.example\r\n\r\n"),
        ("no empty line", F), ("header cut", F[:-2]),
        ("LF only", F.replace("\r", "") + "\n"),
        ("one bare LF", F + "Subject: a\nTo: b@c.d\r\n\r\n"),
        ("bare LF for the empty line", F + "\n"),
        ("bare CR in the header", F + "Subject: a\rb\r\n\r\n"),
        ("CR CR LF", F + "Subject: a\r\r\n\r\n"),
        ("NUL in the header", F + "Subject: a\0b\r\n\r\n"),
        ("NUL in From", F.replace("From: ", "From: \0") + "\r\n"),
        ("Subject twice", F + "Subject: a\r\nSubject: a\r\n\r\n"),
        ("Date twice", F + "Date: a\r\ndate: a\r\n\r\n"),
        ("Message-ID twice", F + "Message-ID: a\r\nMessage-Id: b\r\n\r\n"),
        ("To twice", F + "To: a@b.c\r\nTo: a@b.c\r\n\r\n"),
        ("Cc twice", F + "Cc: a@b.c\r\nCc: a@b.c\r\n\r\n"),
        ("Reply-To twice", F + "Reply-To: a\r\nReply-To: b\r\n\r\n"),
        ("X-Sceau", F + "X-Sceau: direct\r\n\r\n"),
        ("X-Sceau-State", F + "X-Sceau-State: direct\r\n\r\n"),
        ("x-sceau in capitals", F + "X-SCEAU: direct\r\n\r\n"),
        ("X-Sceaux", F + "X-Sceaux: a\r\n\r\n"),
        ("X-Sceau before From", "X-Sceau: direct\r\n" + F + "\r\n"),
        ("a fold first", " a\r\n" + F + "\r\n"),
        ("a line without a colon", F + "Subject\r\n\r\n"),
        ("space before the colon", F + "Subject : a\r\n\r\n"),
        ("From with space before the colon",
         F + "From : eve@x.example\r\n\r\n"),
        ("empty name", F + ": a\r\n\r\n"),
        ("8-bit name", F + "Sub\u00e9: a\r\n\r\n"),
        ("a fold of blanks only", F + "Subject: a\r\n \r\n\r\n"),
        ("mbox line", "From eve Thu Jan  1 00:00:00 1970\r\n" + F + "\r\n"),
        ("empty line first", "\r\n" + F + "\r\n"),
    ]
    rows = [{"name": n, "ruling": "2.19.13", "mail": m, "expect": "ok"}
            for n, m in good]
    rows += [{"name": n, "ruling": "2.19.13", "mail": m, "expect": "INNER"}
             for n, m in bad]
    rows += [
        {"name": "header of exactly 64 KiB", "ruling": "2.15",
         "mail": full + "\r\n", "expect": "ok"},
        {"name": "header of 64 KiB and one", "ruling": "2.15",
         "mail": full.replace("X: ", "X: y", 1) + "\r\n",
         "expect": "INNER"}]
    for r in rows:
        r["address"] = "dr.martin@cabinet.example"
    return rows


def finder():
    env = b"SCEAU\1\1\0\x07\xea" + bytes(range(1, 249)) + b"\xfb\xff\xbf"
    env2, env1 = env[:-1], env[:-2]     # one and two padding signs

    def lines(data, width=76, eol="\r\n", pad=True):
        text = base64.b64encode(data).decode()
        if not pad:
            text = text.rstrip("=")
        return "".join(text[i:i + width] + eol
                       for i in range(0, len(text), width))
    head = ("From: <a@b.example>\r\nSubject: Message scelle\r\n"
            "MIME-Version: 1.0\r\n"
            "Content-Type: multipart/mixed; boundary=\"x\"\r\n\r\n")
    part = ("--x\r\nContent-Type: application/vnd.sceau\r\n"
            "Content-Transfer-Encoding: base64\r\n\r\n")
    text = "--x\r\nContent-Type: text/plain\r\n\r\nScelle.\r\n\r\n"
    end = "--x--\r\n"
    rows = []

    def row(name, mail, want, ruling="2.19.19"):
        if isinstance(want, bytes):
            want = {"octets": len(want), "b2sum": kdf.b2sum(want)}
        key = "mail" if isinstance(mail, str) and mail.isascii() else None
        rows.append({"name": name, "ruling": ruling,
                     key or "mail": mail if key or isinstance(mail, bytes)
                     else mail.encode(), "expect": want})

    def whole(body, before=text, after=end):
        return head + before + part + body + after
    row("ordinary", whole(lines(env)), env, "2.9")
    row("one padding sign", whole(lines(env2)), env2)
    row("two padding signs", whole(lines(env1)), env1)
    row("lines of 60", whole(lines(env, 60)), env)
    row("lines of 998", whole(lines(env, 998)), env)
    row("lines of 7", whole(lines(env, 7)), env)
    row("LF for line ends", whole(lines(env)).replace("\r", ""), env)
    row("CRLF outside, LF inside", whole(lines(env, 76, "\n")), env)
    row("trailing spaces", whole(lines(env, 76, "  \r\n")), env)
    row("trailing tabs", whole(lines(env, 76, "\t\r\n")), env)
    row("spaces inside a line", whole(lines(env).replace("A", "A ")), env)
    row("leading space on later lines",
        whole(lines(env, 76, "\r\n ").rstrip(" ")), env)
    row("leading space on the first line", whole(" " + lines(env)),
        "NOTSEALED")
    row("padding missing, one", whole(lines(env2, pad=False)), env2)
    row("padding missing, two", whole(lines(env1, pad=False)), env1)
    row("one of two padding signs",
        whole(lines(env1).replace("==", "=")), env1)
    row("padding on a line of its own",
        whole(lines(env1).replace("==", "\r\n==")), env1)
    row("padding signs apart", whole(lines(env1).replace("==", "= =")),
        env1)
    row("empty line after", whole(lines(env) + "\r\n"), env)
    row("blank-only line after", whole(lines(env) + " \t \r\nfooter\r\n"),
        env)
    row("footer after an empty line",
        whole(lines(env) + "\r\n-- \r\nThis mail was checked.\r\n"), env)
    row("footer part after", whole(lines(env), after="--x\r\n"
        "Content-Type: text/plain\r\n\r\nThis mail was checked.\r\n--x--\r\n"
        ), env)
    row("footer glued to the text",
        whole(lines(env) + "This mail was checked.\r\n"), "FORMAT")
    row("footer of letters only, glued after padding",
        whole(lines(env1) + "Footer\r\n"), "FORMAT")
    row("the end instead of a boundary", whole(lines(env), after=""), env)
    row("the end without a line end",
        whole(lines(env).rstrip(), after=""), env)
    row("before the other part", head + part + lines(env) + text + end, env)
    row("no MIME at all", "Subject: a\r\n\r\n" + lines(env), env)
    row("nested message/rfc822", head +
        "--x\r\nContent-Type: message/rfc822\r\n\r\n" + head + part +
        lines(env) + end + end, env)
    row("quoted reply", whole("> " + lines(env, 76, "\r\n> ")),
        "NOTSEALED")
    row("two envelopes", whole(lines(env) + part + lines(env2)), "FORMAT")
    row("the same envelope twice", whole(lines(env) + "\r\n" + lines(env)),
        "FORMAT")
    row("three envelopes", whole((lines(env) + "\r\n") * 3), "FORMAT")
    row("a second that is cut after seven characters",
        whole(lines(env) + "\r\nU0NFQVU\r\n"), "FORMAT")
    row("a line that begins so inside the text is text",
        whole("U0NFQVUBAQ AA\r\nU0NFQVUBAQAA\r\n"),
        base64.b64decode("U0NFQVUBAQAAU0NFQVUBAQAA"))
    row("non-zero trailing bits, two signs",
        whole(lines(env1)[:-5] + "/==\r\n"), "FORMAT")
    row("non-zero trailing bits, no sign",
        whole(lines(env2, pad=False)[:-3] + "9\r\n"), "FORMAT")
    row("data after the padding", whole(lines(env1) + "AAAA\r\n"),
        "FORMAT")
    row("data after the padding, same line",
        whole(lines(env2).replace("=", "=AAAA")), "FORMAT")
    row("too many padding signs", whole(lines(env2).replace("=", "==")),
        "FORMAT")
    row("padding where none belongs", whole(lines(env).rstrip() + "=\r\n"),
        "FORMAT")
    row("one symbol too many", whole(lines(env).rstrip() + "A\r\n"),
        "FORMAT")
    row("foreign character", whole(lines(env).replace("AwQF", "AwQ*F", 1)),
        "FORMAT")
    row("foreign character of 8 bits",
        whole(lines(env).replace("AwQF", "AwQ\u00e9F", 1)), "FORMAT")
    row("NUL inside", whole(lines(env).replace("AwQF", "AwQ\0F", 1)).encode(),
        "FORMAT")
    row("URL-safe alphabet", whole(lines(env).replace("/", "_")), "FORMAT")
    row("empty line inside",
        whole(lines(env, 76, "\r\n\r\n")), base64.b64decode(lines(env)[:76]))
    row("line of -- inside", whole(lines(env)[:78] + "--\r\n" +
                                   lines(env)[78:]),
        base64.b64decode(lines(env)[:76]))
    row("line of one dash inside", whole(lines(env)[:78] + "-\r\n" +
                                         lines(env)[78:]), "FORMAT")
    row("version 2", whole(lines(b"SCEAU\2" + env[6:])),
        b"SCEAU\2" + env[6:])
    row("version 63", whole(lines(b"SCEAU\x3f" + env[6:])),
        b"SCEAU\x3f" + env[6:])
    row("version 64 does not begin so", whole(lines(b"SCEAU\x40" + env[6:])),
        "NOTSEALED")
    row("lower-case magic", whole(lines(b"sceau\1" + env[6:])),
        "NOTSEALED")
    row("no envelope", head + text + end, "NOTSEALED")
    row("empty mail", "", "NOTSEALED")
    row("the seven characters and nothing else", "U0NFQVU",
        b"SCEAU")
    row("six of the seven characters", "U0NFQV\r\n", "NOTSEALED")
    row("in the middle of a line", whole("x " + lines(env)), "NOTSEALED")
    row("in a header line of its own",
        "U0NFQVUBAQAA\r\nSubject: a\r\n\r\nb\r\n", "FORMAT")
    return rows
