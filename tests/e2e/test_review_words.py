"""Words of strangers reach a person's terminal as words, never as orders."""

ORDERS = (b"\x1b]0;owned\x07", b"\x1b[2J", b"\xc2\x9b2J", b"\x9b2J",
          "\u202e".encode(), b"\r", b"\x7f")


def controls(data):
    """What a terminal would obey."""
    text = data.decode("utf-8", "surrogateescape")
    return [c for c in text if (ord(c) < 32 and c != "\n") or
            127 <= ord(c) < 160 or 0xdc80 <= ord(c) < 0xdd00 or
            0x202a <= ord(c) <= 0x202e]


def everywhere(member):
    for words in (("log",), ("held", "list"), ("status",), ("queue", "list"),
                  ("log", "--json"), ("held", "list", "--json"),
                  ("queue", "list", "--json")):
        got = member.ok(*words)
        assert controls(got.stdout + got.stderr) == [], words
        if "--json" in words:
            got.json()
        yield words, got


def test_outer_fields_of_mail_that_is_not_sealed(demo):
    for order in ORDERS:
        demo.post(demo.dr, b"From: \"a" + order + b"b\" <x@y.example>\r\n"
                  b"Message-ID: <a" + order + b"b@y.example>\r\n"
                  b"Subject: x\r\n\r\nx\r\n")
    got = demo.dr.sceau("poll")
    assert controls(got.stdout + got.stderr) == []
    seen = dict(everywhere(demo.dr))
    assert len(seen[("log", "--json")].json()) >= len(ORDERS)


def test_where_an_account_fails(demo):
    """The server's own words, in the event and on stderr."""
    demo.dr.secret("password", "wrong\n")
    got = demo.dr.sceau("poll")
    demo.dr.secret("password", demo.dr.password + "\n")
    assert got.code == 77
    assert controls(got.stdout + got.stderr) == []
    assert demo.dr.password.encode() not in got.stdout + got.stderr
    list(everywhere(demo.dr))
