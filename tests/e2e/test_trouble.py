"""Trouble of the machine and of the network: nothing is lost or shown twice,
nothing is left lying in clear, and cron hears the truth."""

import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from pysceau import records
from world import traces
from world.dovecot import free_ports

MARKER = "marker-of-trouble-55d07b1e"


def limited(member, blocks, *words, input=b""):
    """The program, where no file may grow beyond blocks of 512 octets."""
    return subprocess.run(
        ["sh", "-c", f'ulimit -f {blocks}; exec "$@"', "sh",
         member.world.sceau, "-c", member.conf, *words], input=input,
        capture_output=True, timeout=120, cwd=member.home,
        env=member.environment())


@pytest.mark.parametrize("blocks", [100, 400, 900])
def test_no_room_on_the_disk_while_receiving(demo, forger, blocks):
    """A mail of 300 KB where files stop at 50, 200 or 450 KB."""
    big = demo.mail_of("x" * 300_000, demo.dr)
    small = demo.mail_of("INR 2,1", demo.dr)
    demo.post(demo.dr, forger.mail(demo.labo, demo.dr, big),
              forger.mail(demo.labo, demo.dr, small))
    got = limited(demo.dr, blocks, "poll")
    assert got.returncode in (0, 71, 75), got.stderr
    if got.returncode == 0:
        assert len(demo.dr.new()) == 2
    for _ in range(3):
        if demo.dr.sceau("poll").code == 0:
            break
    assert sorted(demo.dr.shown()) == sorted([big, small])
    assert demo.dr.mail() == [] and demo.dr.held() == []


def test_no_room_on_the_disk_while_sending(demo):
    """Refused at once, nothing kept, and the next one goes."""
    data = demo.mail_of(MARKER * 20_000, demo.dr)
    got = limited(demo.labo, 100, "send", demo.dr.address, input=data)
    assert got.returncode not in (0, 67, 69), got.stderr
    assert demo.labo.ok("queue", "list", "--json").json() == []
    demo.labo.ok("send", demo.dr.address, input=data)
    demo.labo.ok("poll")
    demo.dr.ok("poll")
    assert demo.dr.shown() == [data]
    assert traces.in_folders(MARKER.encode(), demo.labo.state) == []


def test_one_account_fails_the_other_is_fetched(demo, forger):
    """Two mailboxes, one server silent, then one password wrong."""
    def with_second(user, port):
        demo.dr.configure()
        text = demo.dr.conf.read_text()
        first, relay = text.split('relay "relay"')
        second = first[first.index('account "mailbox"'):]
        second = second.replace('"mailbox"', '"second"', 1)
        second = second.replace('user = "dr.martin"', f'user = "{user}"')
        port_line = [x for x in second.splitlines() if "port =" in x][0]
        second = second.replace(port_line, f"    port = {port}", 1)
        demo.dr.conf.write_text(first + second + 'relay "relay"' + relay)
    port = demo.dovecot.port["pop3s"]
    for n, (user, p, code) in enumerate((
            ("dr.martin", free_ports(1)[0], 75), ("nobody", port, 77))):
        with_second(user, p)
        demo.post(demo.dr, forger.mail(demo.labo, demo.dr, demo.mail_of(
            f"INR {n}", demo.dr)))
        got = demo.dr.sceau("poll")
        assert got.code == code, got.text()
        assert b"second" in got.stderr
        assert len(demo.dr.new()) == n + 1


def test_sending_while_polling(demo, forger):
    """Twenty programs send while passes run: each is promised and arrives."""
    for n in range(60):
        demo.post(demo.labo, forger.mail(demo.dr, demo.labo, demo.mail_of(
            f"in {n}", demo.labo, sender=demo.dr)))
    data = [demo.mail_of(f"INR {n}", demo.durand) for n in range(20)]
    poll = demo.labo.start("poll")
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda d: demo.labo.sceau(
            "send", demo.durand.address, input=d), data))
    assert [g.code for g in done] == [0] * 20, [g.text() for g in done]
    out, err = poll.communicate(timeout=60)
    assert poll.returncode == 0, err
    demo.labo.ok("poll")
    demo.durand.ok("poll")
    assert sorted(demo.durand.shown()) == sorted(data)
    assert len(demo.labo.new()) == 60


def test_what_a_crash_left_in_clear_is_swept(demo, forger):
    """The clerk dies with an opened mail in a temporary file: after the next
    pass it is readable nowhere but in the delivered one."""
    data = demo.mail_of(MARKER * 10_000, demo.dr, subject=MARKER)
    demo.post(demo.dr, forger.mail(demo.labo, demo.dr, data))
    got = demo.dr.sceau("poll", SCEAU_FAULT="clerk.sync.before:kill")
    if b"signal=9" not in got.stderr and got.code == 0:
        pytest.skip("no fault points in this build")
    demo.dr.sceau("poll")
    demo.dr.ok("poll")
    assert demo.dr.shown() == [data]
    files = traces.in_folders(MARKER.encode(), demo.dr.folder)
    assert files == demo.dr.documents()


def test_D6_a_bulletin_that_never_came(demo, forger):
    """labo has seen bulletin 9, dr none: dr raises an alarm."""
    demo.post(demo.dr, forger.mail(
        demo.labo, demo.dr, demo.mail_of("INR", demo.dr),
        meta=records.meta(1_790_000_000, 9, 2026, 1)))
    demo.dr.ok("poll")
    assert len(demo.dr.new()) == 1
    assert "missed_bulletin" in [
        e["event"] for e in demo.dr.ok("log", "--json").json()]


def test_the_network_is_cut_at_many_places(demo, forger):
    """IMAP and POP3 through a proxy that ends after n octets: whatever was
    cut, all arrive once."""
    texts = [f"INR {n}" for n in range(12)]
    for member, name in ((demo.dr, "pop3s"), (demo.durand, "imaps")):
        mails = [demo.mail_of(t, member) for t in texts]
        demo.post(member, *(forger.mail(demo.labo, member, m)
                            for m in mails))
        for limit in (3_000, 8_000, 20_000, 45_000, 70_000, 90_000):
            left = [limit]

            def cut(piece, up, left=left):
                left[0] -= 0 if up else len(piece)
                return piece if left[0] > 0 else None
            wire = demo.proxy(demo.dovecot.port[name], change=cut)
            member.configure(port=wire.port)
            assert member.sceau("poll").code in (0, 75)
        member.configure()
        member.ok("poll")
        assert sorted(member.shown()) == sorted(mails)
        assert member.mail() == []
        assert b"possible-duplicate" not in b"".join(
            p.read_bytes()[:300] for p in member.documents())
