"""What each test of an attack says: refused, or shown as it should be."""

import re

from pysceau import mail, records


def t_of(member, name):
    """The start of T in a delivered file's name."""
    return re.search(r"\.sceau\.([0-9a-f]{20})", name)[1]


def spoiled(sealed, at):
    """That character of its envelope's base64 is another."""
    at += sealed.index(b"U0NFQVUB")
    other = b"B" if sealed[at:at + 1] == b"A" else b"A"
    return sealed[:at] + other + sealed[at + 1:]


def refused(demo, member, message, cls, told=None, forger=None):
    """It is held under that class (None: left on the server), nothing is
    shown, cron is told once; told: the state that the sender hears."""
    before = member.new()
    demo.post(member, message)
    got = member.sceau("poll")
    assert got.code == 65, f"exit {got.code}: {got.text()}"
    assert member.new() == before, "it was shown"
    if cls == "FORMAT":
        assert len(member.mail()) == 1 and member.held() == []
    else:
        assert member.classes() == [cls], member.classes()
        assert member.mail() == []
    again = member.sceau("poll")
    assert again.code == 0, f"told twice: {again.text()}"
    heard = [] if forger is None else acks(demo, demo.labo, forger)
    assert [a["state"] for a in heard] == ([] if told is None else [told])
    if forger is None or told is None:
        for other in demo.members.values():
            assert other is member or other.mail() == [], \
                f"something was mailed to {other.local}"


def acks(demo, member, forger):
    """The acknowledgements that wait in a member's mailbox."""
    out = []
    for m in member.mail():
        _, payload = forger.open(mail.find(m))
        out += payload.all(records.ACK) + payload.all(records.RELAYED_ACK)
    return out
