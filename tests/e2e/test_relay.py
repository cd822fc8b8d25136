"""Relays that fail: nothing is lost, nobody is told twice, cron is told the
truth."""

import re
import time

import pytest

from pysceau import mail, records
from world.dovecot import free_ports
from world.demo import mark
from world.verdict import crash


def later(member):
    """What waits is tried now."""
    for row in member.ok("queue", "list", "--json").json():
        member.ok("queue", "retry", row["id"])
    return member.ok("poll")


def delivered_after_all(demo, data):
    later(demo.labo)
    demo.dr.ok("poll")
    assert demo.dr.shown() == [data]
    demo.labo.ok("poll")
    assert demo.labo.states() == {demo.dr.name: "received"}


def test_a_wrong_relay_password_is_77(demo):
    data = demo.send("INR 2,1", demo.dr)
    demo.labo.configure(relay={"password_file": str(
        demo.labo.secret("wrong", "no\n"))})
    got = demo.labo.sceau("poll")
    assert got.code == 77, got.text()
    assert demo.dr.mail() == []
    assert len(demo.labo.ok("queue", "list", "--json").json()) == 1
    demo.labo.configure()
    delivered_after_all(demo, data)


def test_a_relay_that_is_down_is_75(demo):
    data = demo.send("INR 2,1", demo.dr)
    demo.labo.configure(relay_port=free_ports(1)[0])
    got = demo.labo.sceau("poll")
    assert got.code == 75, got.text()
    assert demo.labo.states() == {demo.dr.name: "queued"}
    demo.labo.configure()
    delivered_after_all(demo, data)


def test_again_to_the_mailbox_of_today(demo, forger):
    """Who has moved since gets the very same envelope where he is now, and it
    is said; he sees it once all the same."""
    def to_dr():
        return demo.labo.ok("queue", "retry", "--to", demo.dr.address,
                            "--lang", "en").stdout.decode()
    data = demo.send("INR 2,1", demo.dr)
    row, = demo.labo.ok("queue", "list", "--json").json()
    demo.labo.ok("poll")
    demo.wait_until(lambda: len(demo.dr.mail()) == 1, what="the first")
    assert "mailbox" not in to_dr()
    demo.post(demo.labo, forger.mail(demo.issuer, demo.labo, None, control=[
        records.entry(1, demo.dr.identity.encode(),
                      demo.durand.route.encode(), "Dr Martin")]))
    demo.labo.ok("poll")
    demo.wait_until(lambda: len(demo.dr.mail()) == 2, what="as it was")
    assert demo.durand.mail() == []
    said = demo.labo.ok("queue", "retry", row["id"], "--lang", "en")
    assert f"No. {row['id']} goes to {demo.durand.route}, the mailbox of " \
        f"{demo.dr.identity} today; before it went to {demo.dr.route}." in \
        said.stdout.decode()
    assert "mailbox" not in to_dr()
    demo.labo.ok("poll")
    demo.wait_until(lambda: len(demo.durand.mail()) == 1, what="the new one")
    moved, = demo.durand.mail()
    assert mail.find(moved) == mail.find(demo.dr.mail()[0])
    assert f"To: {demo.durand.route}".encode() in moved.replace(b"<", b"")
    demo.post(demo.dr, moved)
    demo.dr.ok("poll")
    assert demo.dr.shown() == [data] and len(demo.dr.new()) == 1


def test_a_relay_that_is_down_does_not_stop_the_fetching(demo):
    demo.send("INR 2,1", demo.dr)
    demo.labo.ok("poll")
    demo.dr.configure(relay_port=free_ports(1)[0])
    assert demo.dr.sceau("poll").code == 75
    assert len(demo.dr.new()) == 1


@pytest.fixture
def refused(demo):
    """The relay does not know dr."""
    aliases = dict(demo.relay.aliases)
    demo.relay.aliases.pop(demo.dr.address)
    yield
    demo.relay.aliases.update(aliases)


def test_a_refused_recipient_has_failed_and_is_shown(demo, refused):
    """550 at RCPT: failed, said once to the local sender, no more tries."""
    demo.send("secret of dr", demo.dr, demo.durand)
    got = demo.labo.sceau("poll")
    assert got.code == 69, got.text()
    assert b"550" in got.stderr
    states = demo.labo.states()
    assert states[demo.dr.name] == "failed"
    assert states[demo.durand.name] == "sent"
    demo.labo.ok("poll")
    assert demo.dr.mail() == []
    notices = [p.read_bytes() for p in demo.labo.documents()]
    assert len(notices) == 1, notices
    assert demo.dr.address.encode() in notices[0]
    assert b"secret of dr" not in notices[0]
    demo.labo.ok("poll")
    assert len(demo.labo.documents()) == 1, "told twice"


def test_several_recipients_with_one_unknown(demo):
    """The whole submission is refused, before anything is kept."""
    before = demo.labo.snapshot()
    data = demo.mail_of("INR", demo.dr)
    got = demo.labo.sceau("send", demo.dr.address, "who@nowhere.example",
                          demo.petit.address, input=data)
    assert got.code == 67 and b"who@nowhere.example" in got.stderr
    assert demo.labo.ok("queue", "list", "--json").json() == []
    assert demo.labo.ok("status", "--json").json()[0]["queued"] == 0
    after = demo.labo.snapshot()
    assert not [p for p in after if p not in before and "tmp" in p]
    demo.labo.ok("poll")
    assert all(m.mail() == [] for m in demo.members.values())


@pytest.mark.parametrize("n, envelopes", [(100, 1), (101, 2)])
def test_to_many_by_the_gateway(demo, forger, n, envelopes):
    """At most 100 ROUTEs in an envelope; each name answered for."""
    names = [f"demo/x{i}@y.example" for i in range(n - 1)]
    data = demo.mail_of("INR", demo.petit)
    demo.labo.ok("send", demo.petit.name, *names, input=data)
    demo.labo.ok("poll")
    sealed = demo.hub.mail()
    assert len(sealed) == envelopes
    routes = []
    for m in sealed:
        _, payload = forger.open(mail.find(m))
        assert len(payload.all(records.ROUTE)) <= 100
        assert len(payload.all(records.WITNESS)) == \
            len(payload.all(records.ROUTE))
        routes += [r["name"].decode() for r in payload.all(records.ROUTE)]
    assert sorted(routes) == sorted([demo.petit.name, *names])
    demo.hub.ok("poll")
    demo.petit.ok("poll")
    demo.hub.ok("poll")
    assert demo.petit.shown() == [data]
    demo.labo.sceau("poll")
    states = demo.labo.states()
    assert states.pop(demo.petit.name) == "received"
    assert set(states) == set(names)
    assert set(states.values()) == {"refused"}


def test_exit_codes_the_worst_counts(demo, forger):
    """78 71 75 77 69 65 0: a wrong password counts more than a held mail, a
    silent server more than both."""
    bad = forger.mail(demo.labo, demo.dr, demo.mail_of("INR", demo.dr),
                      key=bytes(32))
    demo.post(demo.dr, bad)
    assert demo.dr.sceau("poll").code == 65
    demo.fresh()
    demo.post(demo.dr, bad)
    demo.send("x", demo.durand, sender=demo.dr)
    demo.dr.configure(relay={"password_file": str(
        demo.dr.secret("wrong", "no\n"))})
    assert demo.dr.sceau("poll").code == 77
    demo.fresh()
    demo.post(demo.dr, bad)
    demo.send("x", demo.durand, sender=demo.dr)
    demo.dr.configure(relay_port=free_ports(1)[0])
    assert demo.dr.sceau("poll").code == 75
    demo.dr.configure(port=free_ports(1)[0])
    assert demo.dr.sceau("poll").code == 75
    demo.dr.configure(user="nobody-here")
    assert demo.dr.sceau("poll").code == 77
    demo.dr.conf.write_text("nonsense = {\n")
    assert demo.dr.sceau("poll").code == 78
    demo.dr.configure()
    assert demo.dr.sceau("nonsense").code == 64
    assert demo.dr.sceau("send").code == 64
    assert demo.dr.sceau("poll", "--nonsense").code == 64


def test_two_ways_to_the_same_member_keep_the_first_name(demo):
    """The same recipient by name and by address: one envelope."""
    data = demo.mail_of("INR", demo.dr)
    demo.labo.ok("send", demo.dr.address, demo.dr.name,
                 demo.dr.address.upper(), input=data)
    demo.labo.ok("poll")
    assert len(demo.dr.mail()) == 1
    demo.dr.ok("poll")
    assert mark(demo.dr.documents()[0].read_bytes())["path"] == "direct"


def test_a_notice_is_filed_once_for_each_failure(demo, refused):
    """Whoever files it dies before that is noted; tried again, it fails again
    and that is told, too."""
    demo.send("INR", demo.dr)
    crash(demo.labo, "store.notice.before", "poll")
    assert len(demo.labo.documents()) == 1
    demo.wait_until(lambda: time.time() - demo.labo.documents()[0].stat()
                    .st_mtime > 1.1, what="another second")
    demo.labo.ok("poll")
    assert len(demo.labo.documents()) == 1
    words = demo.labo.documents()[0].read_bytes()
    number, = re.findall(rb"queue retry (\d+)", words)
    demo.labo.ok("queue", "retry", number.decode())
    assert demo.labo.sceau("poll").code == 69
    assert len(demo.labo.documents()) == 2
