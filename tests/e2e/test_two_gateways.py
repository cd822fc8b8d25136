"""ATTACKS D10: two gateways on one mailbox, each with a store of its own and
the same key; the manual wants one, or mail that is left on the server."""

import pytest

from world.demo import mark

PAIRS = [("dr", "labo"), ("labo", "dr")]    # by POP3, by IMAP


def sent(demo, who, to, *texts):
    mails = [demo.send(text, to, sender=who) for text in texts]
    who.ok("poll")
    return mails


@pytest.mark.parametrize("who, sender", PAIRS)
def test_D10_left_on_the_server_each_shows_all(demo, who, sender):
    one, sender = getattr(demo, who), getattr(demo, sender)
    two = one.elsewhere()
    for gateway in (one, two):
        gateway.configure(account={"after": "keep"})
    mails = sent(demo, sender, one, "1", "2", "3")
    for gateway in (one, two, one, two):
        gateway.ok("poll")
    for gateway in (one, two):
        assert sorted(gateway.shown()) == sorted(mails)
        assert gateway.held() == []
        assert not [p for p in gateway.documents()
                    if "flags" in mark(p.read_bytes())]
    assert len(one.mail()) == 3
    sender.ok("poll")           # six acknowledgements for three mails
    assert sender.states() == {one.name: "received"}
    assert sender.held() == [] and sender.mail() == []


@pytest.mark.parametrize("who, sender", PAIRS)
def test_D10_deleted_by_one_each_mail_is_at_one_of_them(demo, who, sender):
    """Nothing is lost, and nothing is at both."""
    one, sender = getattr(demo, who), getattr(demo, sender)
    two = one.elsewhere()
    mails = []
    for n, gateway in enumerate((one, two, two, one, two)):
        mails += sent(demo, sender, one, f"INR {n}")
        gateway.ok("poll")
    assert len(one.shown()) == 2 and len(two.shown()) == 3
    assert sorted(one.shown() + two.shown()) == sorted(mails)
    assert one.mail() == [] and one.held() == two.held() == []
    sender.ok("poll")
    assert sender.states() == {one.name: "received"}


@pytest.mark.parametrize("who, sender", PAIRS)
def test_D10_both_at_once_lose_nothing(demo, who, sender):
    """One dies before it deletes, the other comes between: both have it on
    disk; it is deleted, and acknowledged twice."""
    one, sender = getattr(demo, who), getattr(demo, sender)
    two = one.elsewhere()
    mails = sent(demo, sender, one, "1", "2")
    assert one.sceau("poll", SCEAU_FAULT="fetch.release.before:kill").code
    two.ok("poll")
    one.ok("poll")
    assert sorted(one.shown()) == sorted(two.shown()) == sorted(mails)
    assert one.mail() == [] and one.held() == two.held() == []
    sender.ok("poll")
    assert sender.states() == {one.name: "received"}


def reaches(demo, gateway, text):
    """Whose mailbox a mail to petit goes to: his own, or the gateway's."""
    data = demo.mail_of(text, demo.petit, sender=gateway)
    gateway.ok("send", "-t", input=data)
    gateway.ok("poll")
    got = [m.local for m in (demo.petit, demo.hub) if m.mail()]
    demo.empty(demo.petit)
    demo.empty(demo.hub)
    return got


def test_D10_keys_that_one_missed_come_with_later_messages(demo, forger):
    """petit's return key is in each of his mails: who had none of them goes
    through the gateway, who has one writes to him."""
    two = demo.labo.elsewhere()

    def from_petit(n):
        demo.post(demo.labo, forger.mail(demo.petit, demo.labo, demo.mail_of(
            f"{n}", demo.labo, sender=demo.petit)))
    from_petit(1)
    demo.labo.ok("poll")
    assert demo.labo.mail() == [] and len(demo.labo.new()) == 1
    two.ok("poll")
    demo.empty(demo.petit)                      # its acknowledgement
    assert reaches(demo, demo.labo, "a") == [demo.petit.local]
    assert reaches(demo, two, "b") == [demo.hub.local]
    from_petit(2)
    two.ok("poll")
    assert len(two.new()) == 1
    demo.empty(demo.petit)
    assert reaches(demo, two, "c") == [demo.petit.local]
