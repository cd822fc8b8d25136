"""How gateways share the load: one reads several mailboxes; two on one mailbox
lose and double nothing, but each knows only what it relayed itself; a spare
takes over from one that is gone."""

import random
import shutil
import time

from world.demo import mark
from world.follow import clock

# petit's key is in nobody's ring but the gateway's.
SEED = 5


def hand_over(demo, *texts, sender=None):
    sender = sender or demo.labo
    mails = [demo.send(text, demo.petit, sender=sender) for text in texts]
    sender.ok("poll")
    return mails


def said(demo):
    """All that the laboratory sees of what it sent."""
    return {r["state"] for r in demo.labo.ok("status", "--json").json()
            if r["type"] == "sent"}


def flagged(member):
    return [p.name for p in member.documents()
            if "flags" in mark(p.read_bytes())]


def test_one_gateway_reads_several_mailboxes(demo):
    """In one pass, whichever of them a message came to."""
    hub, other = demo.hub, demo.watch           # whose mailbox is a second one
    hub.configure(sections=f"""
account "second" {{
    protocol = pop3
    host = "localhost"
    port = {demo.dovecot.port["pop3s"]}
    tls = implicit
    ca_file = "{demo.ca.cert}"
    user = "{other.user}"
    password_file = "{other.folder}/password"
}}
""")
    mails = hand_over(demo, "1", "2", "3", "4")
    kept, taken = hub.mail()[::2], hub.mail()[1::2]
    demo.empty(hub)
    demo.post(hub, *kept)
    demo.post(other, *taken)
    hub.ok("poll")
    assert hub.mail() == [] and other.mail() == []
    demo.petit.ok("poll")
    assert sorted(demo.petit.shown()) == sorted(mails)
    hub.ok("poll")
    demo.labo.ok("poll")
    assert demo.labo.states() == {demo.petit.name: "received"}


def test_two_on_one_mailbox_lose_nothing_and_double_nothing(demo):
    """Whichever polls when; one dies here and there before it deletes."""
    rng = random.Random(SEED)
    pair = [demo.hub, demo.hub.elsewhere()]
    mails = []
    for n in range(12):
        mails += hand_over(demo, f"INR {n}")
        one = rng.choice(pair)
        if rng.random() < 0.3:
            one.sceau("poll", SCEAU_FAULT="fetch.release.before:kill")
        else:
            one.ok("poll")
        demo.petit.ok("poll")
    for one in pair * 2:
        one.ok("poll")
        demo.petit.ok("poll")
    assert sorted(demo.petit.shown()) == sorted(mails)
    assert flagged(demo.petit) == []
    assert demo.hub.mail() == []
    assert demo.hub.held() == pair[1].held() == demo.petit.held() == []
    # what each was told of the other's messages it did not know
    demo.labo.ok("poll")
    assert said(demo) <= {"relayed", "received"}
    at = clock(int(time.time()) + 7200)
    demo.labo.ok("queue", "retry", "--to", demo.petit.address, **at)
    for who in (demo.labo, demo.hub, demo.petit, demo.hub, demo.labo):
        who.ok("poll", **at)
    assert said(demo) == {"received"}
    assert sorted(demo.petit.shown()) == sorted(mails)


def test_sent_again_it_goes_again_to_who_never_answered(demo):
    """The mail from the gateway was lost on its way: who sends again reaches
    the recipient, at most once an hour; who has it hears nothing new."""
    mails = hand_over(demo, "1", "2")
    demo.hub.ok("poll")
    demo.wait_until(lambda: len(demo.petit.mail()) == 2, what="both")
    kept = demo.petit.mail()[:1]
    demo.empty(demo.petit)
    demo.post(demo.petit, *kept)
    now, again = int(time.time()), []
    for hours in (0, 2, 2, 4):
        at = clock(now + 3600 * hours)
        demo.petit.ok("poll", **at)
        demo.labo.ok("queue", "retry", "--to", demo.petit.address, **at)
        demo.labo.ok("poll", **at)
        demo.hub.ok("poll", **at)
        again.append(len(demo.petit.mail()))
    demo.labo.ok("poll", **at)
    assert again == [0, 1, 0, 0]
    assert sorted(demo.petit.shown()) == sorted(mails)
    assert flagged(demo.petit) == []
    assert said(demo) == {"received"}


def test_a_spare_takes_over_and_nothing_is_lost(demo):
    """The first is gone with all it knew: what it had queued the sender sends
    again, and what had arrived all the same is filed once."""
    mails = hand_over(demo, "1", "2")
    demo.hub.ok("poll")                         # both went on to petit
    mails += hand_over(demo, "3")
    assert demo.hub.sceau(                      # taken, deleted, not sent on
        "poll", SCEAU_FAULT="relay.mail.begin:kill").code
    assert demo.hub.mail() == []
    shutil.rmtree(demo.hub.state)               # its machine is gone
    spare = demo.hub.elsewhere()
    mails += hand_over(demo, "4")
    spare.ok("poll")
    demo.petit.ok("poll")
    assert sorted(demo.petit.shown()) == sorted(mails[:2] + mails[3:])
    demo.labo.ok("queue", "retry", "--to", demo.petit.address)
    demo.labo.ok("poll")
    spare.ok("poll")
    demo.petit.ok("poll")
    assert sorted(demo.petit.shown()) == sorted(mails)
    assert flagged(demo.petit) == []
    spare.ok("poll")
    demo.labo.ok("poll")
    assert demo.labo.states() == {demo.petit.name: "received"}
