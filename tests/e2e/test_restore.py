"""ATTACKS D4, P18: a backup of the state folder is put back, or the machine
goes back without knowing it; and what a key import into an empty store does.
The manual is sceau(1) "restored" and sceau-security(7) "Backups"."""

import contextlib
import shutil
import sqlite3
import time

import pytest

from pysceau import mail, records
from world.attack import acks
from world.demo import YEAR, mark, stripped

DAY = 86400


class Backup:
    """The state folder of a member as it was; its documents are not in it."""

    def __init__(self, member):
        self.member, self.copy = member, member.folder / "backup"
        shutil.rmtree(self.copy, ignore_errors=True)
        shutil.copytree(member.state, self.copy)

    def put_back(self, restored=True, without=()):
        shutil.rmtree(self.member.state)
        shutil.copytree(self.copy, self.member.state,
                        ignore=shutil.ignore_patterns(*without))
        if restored:
            self.member.ok("restored")


def old(demo, forger, who, text, sender=None, ago=60):
    """A mail sealed a minute ago: (what is in it, what carries it)."""
    sender = sender or demo.labo
    data = demo.mail_of(text, who, sender=sender)
    return data, forger.mail(sender, who, data, now=int(time.time()) - ago)


def take(member):
    """[(mail, its flags)] of what was delivered; it is taken away, as the
    software of a practice does."""
    shown = []
    for p in member.documents():
        data = p.read_bytes()
        shown.append((stripped(data), mark(data).get("flags", "")))
        p.unlink()
    return sorted(shown)


AGAIN = "possible-duplicate"


# The mailbox was kept

@pytest.mark.parametrize("who", ["dr", "durand"])
def test_D4_the_mailbox_was_kept(demo, forger, who):
    """Known mail is not shown again; mail of the interval is, with the flag;
    mail sealed after is new."""
    member = getattr(demo, who)
    member.configure(account={"after": "keep"})
    first, sealed1 = old(demo, forger, member, "before the backup")
    second, sealed2 = old(demo, forger, member, "after the backup")
    demo.post(member, sealed1)
    member.ok("poll")
    backup = Backup(member)
    demo.post(member, sealed2)
    member.ok("poll")
    assert take(member) == sorted([(first, ""), (second, "")])
    backup.put_back()
    third, sealed3 = old(demo, forger, member, "new", ago=-5)
    demo.post(member, sealed3)
    member.ok("poll")
    member.ok("poll")
    assert take(member) == sorted([(second, AGAIN), (third, "")])
    assert len(member.mail()) == 3 and member.held() == []


# Mails are replayed by one who recorded them

def replay(demo, forger, restored):
    """The mail of the interval, and what was shown after the backup was put
    back, whatever the attacker repeats."""
    first, sealed1 = old(demo, forger, demo.dr, "before the backup")
    second, sealed2 = old(demo, forger, demo.dr, "after the backup")
    demo.post(demo.dr, sealed1)
    demo.dr.ok("poll")
    backup = Backup(demo.dr)
    demo.post(demo.dr, sealed2)
    demo.dr.ok("poll")
    assert take(demo.dr) == sorted([(first, ""), (second, "")])
    backup.put_back(restored)
    for _ in range(3):
        demo.post(demo.dr, sealed1, sealed2)
        demo.dr.ok("poll")
    assert demo.dr.mail() == [] and demo.dr.held() == []
    return second, take(demo.dr)


def test_D4_replayed_after_restored(demo, forger):
    """Once, and flagged; then never again."""
    second, shown = replay(demo, forger, True)
    assert shown == [(second, AGAIN)]


def test_D4_a_silent_rollback_does_what_the_manual_says(demo, forger):
    """Nobody said `restored`: once more, without a flag, with the date it was
    sealed; what was known before is not shown."""
    second, shown = replay(demo, forger, False)
    assert shown == [(second, "")]


# Deletions that were pending in the old copy

def server_put_back(demo, member, uidlist, name, message):
    """The server's mailbox as it was when it gave that name, with another
    mail under it: same UIDVALIDITY.UID, same UIDL."""
    box = demo.dovecot.maildir(member.user)
    for path in box.glob("dovecot*"):
        path.unlink()
    demo.dovecot._own(box / "dovecot-uidlist", uidlist)
    demo.dovecot._own(box / "cur" / f"{name}:2,", message)


@pytest.mark.parametrize("who", ["dr", "durand"])
def test_D4_a_pending_deletion_deletes_no_other_mail(demo, forger, who):
    member = getattr(demo, who)
    first, sealed1 = old(demo, forger, member, "of that name first")
    name, = demo.dovecot.put(member.user, sealed1)
    got = member.sceau("poll", SCEAU_FAULT="fetch.release.before:kill")
    assert got.code != 0, "it was to die before it deletes"
    assert take(member) == [(first, "")]
    box = demo.dovecot.maildir(member.user)
    uidlist = (box / "dovecot-uidlist").read_bytes()
    assert name.encode() in uidlist
    backup = Backup(member)
    member.ok("poll")
    assert member.mail() == []
    second, sealed2 = old(demo, forger, member, "of that name now")
    server_put_back(demo, member, uidlist, name, sealed2)
    backup.put_back()
    member.ok("poll")
    assert take(member) == [(second, AGAIN)], "it was never shown"
    member.ok("poll")
    assert member.mail() == []


@pytest.mark.parametrize("point", [
    "keeper.fetched.after", "keeper.intent.after", "keeper.held"])
def test_D4_what_the_old_copy_had_fetched_deletes_no_other_mail(
        demo, forger, point):
    """Fetched, intended or held in the backup: its octets are opened from the
    store; its name on the server may be another's by now."""
    member = demo.durand
    first, sealed1 = old(demo, forger, member, "of that name first")
    spoiled = point == "keeper.held"
    if spoiled:
        sealed1 = forger.mail(demo.labo, member, first, key=bytes(32))
    name, = demo.dovecot.put(member.user, sealed1)
    if spoiled:
        assert member.sceau("poll").code == 65
    else:
        assert member.sceau("poll", SCEAU_FAULT=f"{point}:kill").code != 0
    box = demo.dovecot.maildir(member.user)
    uidlist = (box / "dovecot-uidlist").read_bytes()
    if name.encode() not in uidlist:    # it is forgotten when deleted
        uidlist = b"%s\n1 :%s\n" % (uidlist.splitlines()[0], name.encode())
    backup = Backup(member)
    for path in (*(box / "cur").iterdir(), *(box / "new").iterdir()):
        path.unlink()
    second, sealed2 = old(demo, forger, member, "of that name now")
    server_put_back(demo, member, uidlist, name, sealed2)
    backup.put_back()
    member.ok("poll")
    member.ok("poll")
    want = [(second, AGAIN)] if spoiled else [(first, AGAIN), (second, AGAIN)]
    assert take(member) == sorted(want)
    assert len(member.held()) == spoiled and member.mail() == []


# The outbox

def test_D4_what_was_sent_goes_again_and_is_seen_once(demo):
    """The very same T and Message-ID; and the acknowledgement of the first
    time, or of the second, is believed."""
    data = demo.send("INR 2,1", demo.dr)
    backup = Backup(demo.labo)
    demo.labo.ok("poll")
    once = demo.dr.mail()
    demo.dr.ok("poll")
    demo.empty(demo.labo)               # its acknowledgement is lost, too
    backup.put_back()
    demo.labo.ok("poll")
    again = demo.dr.mail()
    assert len(once) == len(again) == 1
    assert mail.find(once[0]) == mail.find(again[0])

    def number(m):
        return m.lower().partition(b"\r\nmessage-id:")[2].partition(b"\r")[0]
    assert number(once[0]) == number(again[0]) != b""
    demo.dr.ok("poll")
    assert demo.dr.shown() == [data]
    demo.labo.ok("poll")
    assert demo.labo.states() == {demo.dr.name: "received"}


def test_D4_an_old_queue_is_not_given_up(demo):
    """A backup of ten days: what was queued then was sent long ago, or goes
    now; nobody is told that it failed."""
    data = demo.send("INR 2,1", demo.dr)
    backup = Backup(demo.labo)
    backup.put_back(restored=False)
    later = {"SCEAU_FAULT_CLOCK": f"+{10 * DAY}"}
    got = demo.labo.ok("restored", "--json", **later).json()
    assert [(r["type"], r["queued"]) for r in got] == [("restored", 1)]
    demo.labo.ok("poll", **later)
    assert len(demo.dr.mail()) == 1 and demo.labo.new() == []
    demo.dr.ok("poll")
    assert demo.dr.shown() == [data]


def test_D4_an_acknowledgement_of_what_the_old_copy_does_not_know(demo):
    """Sent after the backup: the sender knows nothing of it any more; its
    acknowledgement troubles nobody."""
    demo.send("INR 1", demo.durand)
    backup = Backup(demo.labo)
    demo.send("INR 2,1", demo.dr)
    demo.labo.ok("poll")
    demo.dr.ok("poll")
    assert len(demo.labo.mail()) == 1
    backup.put_back()
    demo.labo.ok("poll")
    assert demo.labo.mail() == [] and demo.labo.held() == []
    assert demo.labo.states() == {demo.durand.name: "sent"}


def test_D4_acknowledgements_are_said_again(demo, forger):
    """Queued in the old copy, sent since: said twice, believed once."""
    demo.send("INR 2,1", demo.dr)
    demo.labo.ok("poll")
    got = demo.dr.sceau("poll", SCEAU_FAULT="keeper.ack.before:kill")
    assert got.code != 0
    backup = Backup(demo.dr)
    demo.dr.ok("poll")
    assert [a["state"] for a in acks(demo, demo.labo, forger)] == [2]
    demo.labo.ok("poll")
    backup.put_back()
    demo.dr.ok("poll")
    assert [a["state"] for a in acks(demo, demo.labo, forger)] == [2]
    demo.labo.ok("poll")
    assert demo.labo.states() == {demo.dr.name: "received"}
    assert len(demo.dr.new()) == 1


# The gateway

def test_D4_the_gateway_relays_again_and_it_is_seen_once(demo):
    """Which of its envelopes carried what is lost with the interval: the
    acknowledgement of the first is nobody's, a retry brings another."""
    data = demo.send("INR 2,1", demo.petit)
    demo.labo.ok("poll")
    recorded = demo.hub.mail()
    demo.hub.ok("restored")             # there is a store to keep
    backup = Backup(demo.hub)
    demo.hub.ok("poll")
    demo.petit.ok("poll")
    assert demo.petit.shown() == [data]
    backup.put_back()
    demo.hub.ok("poll")                 # petit's answer: to what?
    assert demo.hub.held() == []
    demo.labo.ok("poll")
    assert demo.labo.states() == {demo.petit.name: "relayed"}
    demo.post(demo.hub, *recorded)      # a retry of labo, or an attacker
    demo.hub.ok("poll")
    demo.petit.ok("poll")
    assert demo.petit.shown() == [data]
    demo.hub.ok("poll")
    demo.labo.ok("poll")
    assert demo.labo.states() == {demo.petit.name: "received"}


def test_D4_gateway_and_recipient_both_restored(demo, forger):
    """The gateway's envelope is new, what it carries is not: flagged by the
    date of its author."""
    data = demo.mail_of("INR 2,1", demo.petit)
    at = int(time.time()) - 60

    def relayed():
        return forger.mail(demo.hub, demo.petit, data, now=at + 3600, control=[
            records.relayed(bytes(32), at, demo.labo.identity.encode())])
    demo.petit.ok("poll")
    backup = Backup(demo.petit)
    demo.post(demo.petit, relayed())
    demo.petit.ok("poll")
    assert take(demo.petit) == [(data, "")]
    backup.put_back()
    demo.post(demo.petit, relayed(), relayed())
    demo.petit.ok("poll")
    assert take(demo.petit) == [(data, AGAIN)]


# The command itself

def dump(member):
    """All that the store says."""
    with contextlib.closing(sqlite3.connect(member.state / "sceau.db")) as db:
        return list(db.iterdump())


def test_restored_dry_run_changes_nothing(demo):
    demo.send("INR 2,1", demo.dr)
    before = dump(demo.labo)
    got = demo.labo.ok("restored", "--dry-run", "--json").json()
    assert [(r["seen"], r["queued"]) for r in got] == [(0, 1)]
    assert got[0]["since_at"].endswith("Z")
    assert dump(demo.labo) == before


def test_restored_leaves_a_pass_at_work_alone(demo):
    running = demo.labo.start("run")
    try:
        demo.wait_until(lambda: (demo.labo.state / "sceau.db").exists() and
                        (demo.labo.state / "lock").exists(), 20, "the pass")
        demo.wait_until(lambda: demo.labo.sceau("restored").code == 75, 20,
                        "its lock")
        assert demo.labo.sceau("restored", "--dry-run").code == 75
    finally:
        running.terminate()
        running.communicate(timeout=30)
    demo.labo.ok("restored")


def test_restored_wants_a_clock_that_can_be_right(demo):
    demo.labo.ok("poll")
    before = dump(demo.labo)
    got = demo.labo.sceau("restored", SCEAU_FAULT_CLOCK="@100000")
    assert got.code == 78 and b"1970" in got.stderr
    assert dump(demo.labo) == before


def test_restored_is_said_in_french(demo):
    demo.labo.ok("poll")
    got = demo.labo.ok("restored", "--lang", "fr").stdout.decode()
    assert "possible doublon" in got
    assert [e for e in demo.labo.ok("log", "--json").json()
            if e["event"] == "restored"]


# A key import into an empty store

def with_key_file(demo, forger, member, year=YEAR, maker=None,
                  **env):
    """The member's own store, and how it imports the file of that year."""
    path, slip = member.key_file(maker or forger.all, year)
    return member.ok("key", "import", "--code-file", slip, path,
                     **env)


def test_D4_a_key_import_into_an_empty_store_is_a_restore(demo, forger):
    """The backup is without the two files, as the manual asks."""
    with_key_file(demo, forger, demo.dr)
    first, sealed1 = old(demo, forger, demo.dr, "before the backup", ago=-5)
    second, sealed2 = old(demo, forger, demo.dr, "after the backup", ago=-5)
    demo.post(demo.dr, sealed1)
    demo.dr.ok("poll")
    backup = Backup(demo.dr)
    demo.post(demo.dr, sealed2)
    demo.dr.ok("poll")
    assert take(demo.dr) == sorted([(first, ""), (second, "")])
    backup.put_back(restored=False, without=["keystore*"])
    assert not (demo.dr.state / "keystore").exists()
    with_key_file(demo, forger, demo.dr, SCEAU_FAULT_CLOCK="+60")
    demo.post(demo.dr, sealed1, sealed2)
    demo.dr.ok("poll")
    demo.post(demo.dr, sealed1, sealed2)
    demo.dr.ok("poll")
    assert take(demo.dr) == [(second, AGAIN)]
