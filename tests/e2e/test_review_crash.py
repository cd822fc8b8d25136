"""What a process that dies, or is stopped, may cost: time, and nothing else."""

import os
import signal
import subprocess
import time

import pytest

from pysceau import envelope, mail
from world.fault import children, stopped


def three(demo):
    return [demo.send(f"INR 2,{n}", demo.dr) for n in range(3)]


def bring(demo):
    """What the laboratory sent lies in the practice's mailbox."""
    demo.labo.ok("poll")
    return demo.dr.mail()


POINTS = ("keeper.fetched.after", "keeper.intent.before",
          "keeper.intent.after", "drop.name.before", "drop.name.after",
          "drop.name.after#2", "keeper.delivered.before",
          "keeper.delivered.after", "fetch.release.before",
          "fetch.release.after")


@pytest.mark.parametrize("point", POINTS)
def test_a_crash_neither_loses_nor_doubles(demo, point):
    """Maildir: the file that was there before the crash is the only one."""
    sent = three(demo)
    assert len(bring(demo)) == 3
    demo.dr.sceau("poll", SCEAU_FAULT=f"{point}:kill")
    for _ in range(2):
        demo.dr.sceau("poll")
    assert sorted(demo.dr.shown()) == sorted(sent)
    assert demo.dr.mail() == []
    demo.labo.ok("poll")
    assert demo.labo.states() == {demo.dr.name: "received"}


def test_a_command_that_fails_does_not_multiply_the_other_delivery(demo):
    """One place takes the mail, the other does not yet: no second copy."""
    script = demo.dr.folder / "take"
    script.write_text("cat >/dev/null\nexit 75\n")
    demo.dr.conf.write_text(demo.dr.conf.read_text() + f"""
deliver "software" {{
    kind = pipe
    command = "sh {script}"
}}
""")
    data = demo.send("INR 2,1", demo.dr)
    bring(demo)
    for _ in range(3):
        assert demo.dr.sceau("poll").code == 75
    assert demo.dr.shown() == [data]
    script.write_text(f"cat >{demo.dr.folder}/taken\n")
    demo.dr.ok("poll")
    assert demo.dr.shown() == [data]
    assert (demo.dr.folder / "taken").read_bytes().endswith(data)
    demo.labo.ok("poll")
    assert demo.labo.states() == {demo.dr.name: "received"}


@pytest.mark.parametrize("point", (
    "keeper.fetched.before", "keeper.fetched.after", "keeper.intent.after",
    "keeper.delivered.after"))
def test_sigterm_ends_a_pass(demo, point):
    """As under timeout(1): it ends, whatever it is at, and the next one
    finds all."""
    sent = three(demo)
    bring(demo)
    process = demo.dr.start("poll", SCEAU_FAULT=f"{point}:stop")
    demo.wait_until(lambda: any(map(stopped, children(process.pid))), 20,
                    point)
    keeper = next(p for p in children(process.pid) if stopped(p))
    process.send_signal(signal.SIGTERM)
    time.sleep(1.5)         # the starter looks once a second
    os.kill(keeper, signal.SIGCONT)
    try:
        process.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        for pid in (*children(process.pid), process.pid):
            os.kill(pid, signal.SIGKILL)
        process.communicate()
        pytest.fail("it went on")
    demo.dr.ok("poll")
    assert sorted(demo.dr.shown()) == sorted(sent)


@pytest.mark.parametrize("part", ("clerk", "vault"))
def test_a_mail_that_kills_keeps_nobody_else_from_his(demo, forger, part):
    """It is held after a few tries of the same pass; the others arrive, and
    what waits to be sent leaves."""
    mails = [demo.mail_of(f"INR 2,{n}", demo.dr) for n in range(5)]
    sealed = [forger.seal(demo.labo, demo.dr, m) for m in mails]
    t = envelope.parse_header(sealed[1]).T.hex()[:20]
    demo.post(demo.dr, *(forger.wrap(demo.labo, demo.dr, e) for e in sealed))
    out = demo.send("Merci", demo.durand, sender=demo.dr)
    env = {"SCEAU_FAULT": f"{part}.mail@{t}:kill"}
    assert demo.dr.sceau("poll", **env).code == 75
    assert sorted(demo.dr.shown()) == sorted(mails[:1] + mails[2:])
    assert demo.dr.classes() == ["POLICY"]
    assert demo.dr.sceau("poll", **env).code == 0
    demo.durand.ok("poll")
    assert demo.durand.shown() == [out]
    # Mended: a person asks for it once more.
    number = demo.dr.held()[0]["id"]
    demo.dr.ok("held", "release", number)
    demo.dr.ok("poll")
    assert sorted(demo.dr.shown()) == sorted(mails)
    assert demo.dr.held() == []


def test_what_fails_with_every_mail_holds_none(demo):
    sent = three(demo)
    bring(demo)
    for _ in range(2):
        got = demo.dr.sceau("poll", SCEAU_FAULT="clerk.sync.before:kill")
        assert got.code == 75
    assert demo.dr.held() == []
    demo.dr.ok("poll")
    assert sorted(demo.dr.shown()) == sorted(sent)


def test_without_keys_nothing_is_held(demo):
    """A vault that cannot start is no mail's fault."""
    data = demo.send("INR 2,1", demo.dr)
    bring(demo)
    demo.dr.configure(top={"keystore": str(demo.dr.folder / "none")})
    assert demo.dr.sceau("poll").code != 0
    assert demo.dr.held() == []
    demo.dr.configure()
    demo.dr.ok("poll")
    assert demo.dr.shown() == [data]


def test_a_peer_whose_answer_kills_keeps_nobody_else_from_his(demo):
    """The vault dies of sealing one acknowledgement: the others hear now, he
    when it is mended; nothing is lost."""
    one = demo.send("from the laboratory", demo.dr)
    demo.labo.ok("poll")
    two = demo.send("from the gateway", demo.dr, sender=demo.hub)
    demo.hub.ok("poll")
    env = {"SCEAU_FAULT": f"vault.seal@{demo.labo.name}:kill"}
    for _ in range(2):
        assert demo.dr.sceau("poll", **env).code == 75
    demo.labo.ok("poll")
    demo.hub.ok("poll")
    assert sorted(demo.dr.shown()) == sorted([one, two])
    assert demo.labo.states() == {demo.dr.name: "sent"}
    assert demo.hub.states() == {demo.dr.name: "received"}
    demo.dr.ok("poll")
    demo.labo.ok("poll")
    assert demo.labo.states() == {demo.dr.name: "received"}


@pytest.mark.parametrize("who", ("dr", "durand"))       # POP3, IMAP
def test_a_mail_that_kills_fetch_keeps_nobody_else_from_his(demo, forger,
                                                            who):
    """It is left on the server, and said; the others arrive in the same
    pass; it arrives when it is mended."""
    member = getattr(demo, who)
    mails = [demo.mail_of(f"INR 2,{n}", member) for n in range(5)]
    demo.post(member, *(forger.mail(demo.labo, member, m) for m in mails))
    outer = member.mail()
    number = next(line.split(b"<")[1].split(b">")[0].decode()
                  for line in outer[1].splitlines()
                  if line.lower().startswith(b"message-id:"))
    bad = forger.open(mail.find(outer[1]))[1].mail
    env = {"SCEAU_FAULT": f"fetch.mail@{number}:kill"}
    for _ in range(2):
        got = member.sceau("poll", "--debug", **env)
        assert got.code == 75
        assert got.stderr.count(b"event=in.left") == 1, got.text()
        assert sorted(member.shown()) == sorted(set(mails) - {bad})
        assert len(member.mail()) == 1
    member.ok("poll")
    assert sorted(member.shown()) == sorted(mails)
    assert member.mail() == []


def test_a_fetch_that_always_dies_ends_the_pass(demo, forger):
    """It is no mail's fault: nothing is lost, and it does not go on for
    ever."""
    mails = [demo.mail_of(f"INR 2,{n}", demo.dr) for n in range(30)]
    demo.post(demo.dr, *(forger.mail(demo.labo, demo.dr, m) for m in mails))
    got = demo.dr.sceau("poll", SCEAU_FAULT="fetch.mail.begin:kill")
    assert got.code == 75 and demo.dr.shown() == []
    demo.dr.ok("poll")
    assert sorted(demo.dr.shown()) == sorted(mails)


def test_an_envelope_that_kills_relay_keeps_nobody_else_from_his(demo):
    """It waits, as after a refusal for now; the others leave at once."""
    bad = demo.send("the first", demo.dr)
    good = demo.send("the second", demo.durand)
    env = {"SCEAU_FAULT": f"relay.mail@{demo.dr.route}:kill"}
    assert demo.labo.sceau("poll", **env).code == 75
    demo.durand.ok("poll")
    assert demo.durand.shown() == [good] and demo.dr.mail() == []
    later = demo.send("the third", demo.durand)
    demo.labo.ok("poll", **env)         # it is not due
    demo.durand.ok("poll")
    assert sorted(demo.durand.shown()) == sorted([good, later])
    (row,) = demo.labo.ok("queue", "list", "--json").json()
    demo.labo.ok("queue", "retry", row["id"])
    demo.labo.ok("poll")
    demo.dr.ok("poll")
    assert demo.dr.shown() == [bad]


def test_an_acknowledgement_that_came_twice_stops_nothing(demo):
    """A relay's crash doubles a mail: both copies and a later mail of the
    same member come in one pass, and all three are done with."""
    told = []
    for n in range(2):
        demo.send(f"INR 2,{n}", demo.dr)
        demo.labo.ok("poll")
        demo.dr.ok("poll")
        told += demo.labo.mail()
        demo.empty(demo.labo)
    first, second = told
    demo.post(demo.labo, first, first, second)
    demo.labo.ok("poll")
    demo.labo.ok("poll")
    assert demo.labo.mail() == []
    rows = demo.labo.ok("status", "--json").json()
    assert [r["state"] for r in rows if r["type"] == "sent"] == \
        ["received"] * 2
