"""Fetching, delivering and staying: policies of servers and of folders."""

import base64
import shutil
import signal
import time

import pytest

from world import documents
from world.attack import acks
from world.demo import mark, stripped


# two passes at once

def test_a_second_poll_leaves_quietly(demo, forger):
    demo.dr.configure(kind="pipe", account={}, top={"log_level": "info"})
    slow = demo.dr.folder / "slow"
    slow.write_text("#!/bin/sh\ncat >/dev/null\nsleep 3\n")
    slow.chmod(0o755)
    pipe(demo.dr, f"{slow}")
    demo.post(demo.dr, forger.mail(demo.labo, demo.dr,
                                   demo.mail_of("INR", demo.dr)))
    first = demo.dr.start("poll")
    time.sleep(1)
    second = demo.dr.sceau("poll")
    assert first.poll() is None, "the first was too quick for this test"
    assert second.code == 0 and second.text() == ""
    out, err = first.communicate(timeout=60)
    assert first.returncode == 0, err
    assert b"in.delivered" in err


# many at once

def test_a_pass_acknowledges_all_that_it_filed(demo, forger):
    """More than one envelope holds, which is 200."""
    demo.dr.configure(account={})
    demo.post(demo.dr, *(forger.mail(
        demo.labo, demo.dr, demo.mail_of(f"INR 2,{n}", demo.dr))
        for n in range(201)))
    demo.dr.ok("poll")
    assert len(demo.dr.shown()) == 201
    told = acks(demo, demo.labo, forger)
    assert len({a["T"] for a in told}) == len(told) == 201


# deliveries

def pipe(member, command):
    text = member.conf.read_text()
    head, _, _ = text.partition("deliver ")
    member.conf.write_text(head + f'deliver "practice" {{\n    kind = pipe\n'
                                  f'    command = "{command}"\n}}\n')


def test_thousands_at_once_all_leave_the_server(demo, forger):
    """POP3 deletes once, at its end: what that passes over would be here for
    another pass.  The same envelope: one is shown, each is deleted."""
    demo.dr.configure(account={})
    assert demo.dr.protocol == "pop3"
    mail = forger.mail(demo.labo, demo.dr, demo.mail_of("INR", demo.dr))
    demo.post(demo.dr, *([mail] * 2100))
    demo.dr.ok("poll")
    assert demo.dr.mail() == []
    assert len(demo.dr.shown()) == 1


def test_a_command_gets_the_whole_mail(demo):
    out = demo.dr.folder / "got"
    data = demo.send("INR 2,1", demo.dr)
    demo.labo.ok("poll")
    demo.dr.configure()
    pipe(demo.dr, f"cat > {out}")
    demo.dr.ok("poll")
    assert stripped(out.read_bytes()) == data
    assert demo.dr.mail() == []


def test_a_command_that_fails_is_asked_again(demo):
    out = demo.dr.folder / "got-later"
    data = demo.send("INR 2,1", demo.dr)
    demo.labo.ok("poll")
    pipe(demo.dr, "exit 1")
    got = demo.dr.sceau("poll")
    assert got.code == 75, got.text()
    assert demo.labo.mail() == [], "acknowledged without delivery"
    pipe(demo.dr, f"cat > {out}")
    demo.dr.ok("poll")
    assert stripped(out.read_bytes()) == data
    demo.labo.ok("poll")
    assert demo.labo.states() == {demo.dr.name: "received"}


def test_a_folder_gets_documents(demo):
    demo.dr.configure(kind="folder")
    result = documents.hprim("DURAND", "CAMILLE", "INR 2,1", "labo", "dr")
    report = documents.pdf(300_000)
    for name, data, kind in (
            ("resultat.hpr", result, "application/octet-stream"),
            ("compte rendu é.pdf", report, "application/pdf"),
            ("../../evil.pdf", report[:1000], "application/pdf"),
            (".hidden", b"x", "application/octet-stream")):
        demo.labo.ok("send", "-t", input=documents.mail(
            demo.labo.address, [demo.dr.address], "Résultats", "Ci-joint.",
            name, data, kind))
    demo.labo.ok("poll")
    demo.dr.ok("poll")
    files = demo.dr.documents()
    octets = [p.read_bytes() for p in files]
    for data in (result, report, report[:1000], b"x"):
        assert octets.count(data) == 1
    assert all(p.parent == demo.dr.inbox for p in files), files
    assert not [p for p in files if p.name.startswith(".")]
    assert not list(demo.dr.folder.parent.rglob("evil.pdf"))
    for p in files:
        assert p.stat().st_mode & 0o077 == 0


def test_a_full_or_forbidden_folder_is_75_and_nothing_lost(demo):
    data = demo.send("INR 2,1", demo.dr)
    demo.labo.ok("poll")
    shutil.rmtree(demo.dr.inbox)
    demo.dr.inbox.write_text("a file where the folder was")
    got = demo.dr.sceau("poll")
    assert got.code in (75, 78), got.text()
    assert demo.labo.mail() == []
    demo.dr.inbox.unlink()
    demo.dr.inbox.mkdir(mode=0o700)
    demo.dr.ok("poll")
    assert demo.dr.shown() == [data]


# open --mda

def test_mda(demo, forger):
    """0 once durably ours: delivered, held, or seen before; else 75."""
    sealed = demo.sealed("INR 2,1")
    assert demo.dr.sceau("open", "--mda", input=sealed).code == 0
    assert demo.dr.shown() == [demo.mail_of("INR 2,1", demo.dr)]
    assert demo.dr.sceau("open", "--mda", input=sealed).code == 0
    assert len(demo.dr.shown()) == 1
    bad = forger.mail(demo.labo, demo.dr, demo.mail_of("INR", demo.dr),
                      key=bytes(32))
    assert demo.dr.sceau("open", "--mda", input=bad).code == 0
    assert demo.dr.classes() == ["HEADER"]
    for data in (b"", b"From: a@b.example\r\n\r\nnot sealed\r\n",
                 sealed[:200]):
        got = demo.dr.sceau("open", "--mda", input=data)
        assert got.code == 75, (got.code, data, got.text())
    demo.dr.configure(top={"state": "/proc/nowhere"})
    assert demo.dr.sceau("open", "--mda", input=sealed).code == 75
    demo.dr.conf.write_text("nonsense\n")
    assert demo.dr.sceau("open", "--mda", input=sealed).code == 75


def test_mda_twenty_at_once(demo):
    texts = [f"INR {n}" for n in range(20)]
    for text in texts:
        demo.send(text, demo.dr)
    demo.labo.ok("poll")
    sealed = demo.dr.mail()
    demo.empty(demo.dr)
    running = []
    for m in sealed:
        path = demo.dr.folder / f"in{len(running)}"
        path.write_bytes(m)
        running.append(demo.dr.start("open", "--mda", stdin=open(path, "rb")))
    codes = [p.wait(120) for p in running]
    assert codes == [0] * 20, [p.stderr.read() for p in running]
    demo.dr.ok("poll")
    assert sorted(demo.dr.shown()) == sorted(
        demo.mail_of(t, demo.dr) for t in texts)


# what stays on the server

def two_mails(demo, forger, member):
    """A sealed one and an ordinary one."""
    data = demo.mail_of("INR 2,1", member)
    demo.post(member, forger.mail(demo.labo, member, data),
              b"From: a@b.example\r\nSubject: lunch\r\n\r\nat noon?\r\n")
    return data


def test_after_keep_it_stays_and_is_not_fetched_again(demo, forger):
    for member in (demo.dr, demo.durand):
        member.configure(account={"after": "keep"})
        data = two_mails(demo, forger, member)
        member.ok("poll")
        assert len(member.mail()) == 2
        for _ in range(2):
            got = member.ok("poll")
            assert b"delivered" not in got.stderr
        assert member.shown() == [data]


def test_after_move(demo, forger):
    demo.durand.configure(account={"after": "move", "move_to": "Sealed",
                                   "unsealed_to": "Other"})
    two_mails(demo, forger, demo.durand)
    demo.durand.ok("poll")
    demo.durand.ok("poll")
    box = demo.dovecot.messages
    assert demo.durand.mail() == []
    assert len(box("cabinet.durand", "Sealed")) == 1
    assert [b"at noon?" in m for m in box("cabinet.durand", "Other")] == \
        [True]
    assert len(demo.durand.new()) == 1


def test_after_delete_the_ordinary_mail_is_left(demo, forger):
    for member in (demo.dr, demo.durand):
        two_mails(demo, forger, member)
        member.ok("poll")
        assert [b"at noon?" in m for m in member.mail()] == [True]
        member.ok("poll")
        assert len(member.mail()) == 1 and len(member.new()) == 1


def test_uidvalidity_changes(demo, forger):
    """Kept mail listed under new UIDs: fetched again, shown once."""
    demo.durand.configure(account={"after": "keep"})
    two_mails(demo, forger, demo.durand)
    demo.durand.ok("poll")
    time.sleep(1.1)         # UIDVALIDITY is made of the second
    for path in demo.dovecot.maildir(demo.durand.user).glob("dovecot*"):
        path.unlink()
    before = len(demo.labo.mail())
    demo.durand.ok("poll")
    assert len(demo.durand.new()) == 1
    assert len(demo.durand.mail()) == 2
    assert len(demo.labo.mail()) >= before


@pytest.mark.parametrize("after", ["keep", "delete"])
def test_another_mailbox_under_the_same_account(demo, forger, after):
    """What the account knew by its UIDs means nothing in the mailbox that it
    reads now, though its UIDVALIDITY and its UIDs be the same: what is there
    is fetched, and what was to be deleted elsewhere is not deleted here."""
    member = demo.durand
    member.configure(account={"after": after})
    first, other = (forger.mail(demo.labo, member,
                                demo.mail_of(text, member))
                    for text in ("INR 2,1", "INR 2,2"))
    name, = demo.dovecot.put(member.user, first)
    member.sceau("poll", SCEAU_FAULT="fetch.release.before:kill")
    assert len(member.new()) == 1
    uidlist = (demo.dovecot.maildir(member.user) /
               "dovecot-uidlist").read_bytes()
    assert name.encode() in uidlist
    lunch = b"From: a@b.example\r\nSubject: lunch\r\n\r\nat noon?\r\n"
    second = demo.dovecot.maildir(member.user, "Second")
    for path in (second, second / "cur", second / "new", second / "tmp"):
        demo.dovecot._mkdir(path)
    demo.dovecot._own(second / "dovecot-uidlist", uidlist)
    demo.dovecot._own(second / "cur" / f"{name}:2,",
                      lunch if after == "delete" else other)
    member.configure(account={"after": after, "mailbox": "Second"})
    got = member.ok("poll")
    assert b"in.elsewhere" in got.stderr
    left = demo.dovecot.messages(member.user, "Second")
    assert [b"at noon?" in m for m in left] == [after == "delete"]
    assert len(member.new()) == (1 if after == "delete" else 2)
    assert b"in.elsewhere" not in member.ok("poll").stderr


# replay

def test_a_replay_is_dropped_and_acknowledged_again(demo):
    """D: the same envelope, three times in all, in one pass and later."""
    sealed = demo.sealed("INR 2,1")
    demo.post(demo.dr, sealed, sealed)
    demo.dr.ok("poll")
    assert len(demo.dr.new()) == 1
    first = len(demo.labo.mail())
    demo.post(demo.dr, sealed)
    demo.dr.ok("poll")
    assert len(demo.dr.new()) == 1 and demo.dr.mail() == []
    assert len(demo.labo.mail()) == first + 1
    assert demo.dr.held() == []
    demo.labo.ok("poll")
    assert demo.labo.states() == {demo.dr.name: "received"}


def test_P19_D5_a_late_mail_is_shown_with_a_flag(demo, forger):
    """D5: sealed five days ago."""
    demo.post(demo.dr, forger.mail(
        demo.labo, demo.dr, demo.mail_of("INR", demo.dr),
        now=int(time.time()) - 5 * 86400))
    demo.dr.ok("poll")
    shown = demo.dr.documents()[0].read_bytes()
    assert "late" in mark(shown)["flags"]


def test_a_year_whose_key_is_not_here_waits(demo, forger):
    """D12: pending, not lost."""
    demo.post(demo.dr, forger.mail(
        demo.labo, demo.dr, demo.mail_of("INR", demo.dr), year=2027))
    assert demo.dr.sceau("poll").code == 65
    assert demo.dr.classes() == ["NOKEY"]
    assert demo.dr.sceau("poll").code == 0


def test_D9_a_forged_acknowledgement_moves_nothing(demo, forger):
    """D9: of a mail to dr, by durand; by dr with another D; by nobody."""
    demo.send("INR 2,1", demo.dr)
    demo.labo.ok("poll")
    row, = [r for r in demo.labo.ok("status", "--json").json()
            if r["type"] == "sent"]
    from pysceau import records
    T, D = bytes.fromhex(row["t"]), bytes.fromhex(row["digest"])
    for who, digest, key in ((demo.durand, D, None), (demo.dr, bytes(32), None),
                             (demo.hub, D, None), (demo.dr, D, bytes(32))):
        env = forger.seal(who, demo.labo, None, key=key, control=[
            records.ack(T, records.RECEIVED, 1_790_000_000, digest)])
        demo.post(demo.labo, forger.wrap(who, demo.labo, env))
    demo.labo.sceau("poll")
    assert demo.labo.states() == {demo.dr.name: "sent"}
    demo.dr.ok("poll")
    demo.labo.ok("poll")
    assert demo.labo.states() == {demo.dr.name: "received"}


# dry run, json

def test_dry_run_changes_nothing(demo, forger):
    two_mails(demo, forger, demo.dr)
    demo.send("x", demo.labo, sender=demo.dr)
    before, server = demo.dr.snapshot(), demo.dr.mail()
    demo.dr.ok("poll", "--dry-run")
    got = demo.dr.ok("send", "--dry-run", demo.labo.address,
                     input=demo.mail_of("y", demo.labo, sender=demo.dr))
    assert demo.labo.name.encode() in got.stdout
    after = demo.dr.snapshot()
    changed = {p for p in before.keys() | after.keys()
               if before.get(p) != after.get(p)}
    assert not {p for p in changed if not p.startswith("state/")}, changed
    assert demo.dr.mail() == server
    assert demo.labo.mail() == [] and demo.dr.new() == []
    assert len(demo.dr.ok("queue", "list", "--json").json()) == 1
    demo.dr.ok("poll")
    assert len(demo.dr.new()) == 1 and len(demo.labo.mail()) >= 1


def test_json_everywhere(demo, forger):
    demo.send("x", demo.dr, demo.petit)
    demo.labo.ok("poll")
    demo.send("y", demo.durand)
    demo.post(demo.labo, forger.mail(demo.dr, demo.labo, b"x",
                                     key=bytes(32)))
    demo.labo.sceau("poll")
    some = 0
    for words in (["status"], ["queue", "list"], ["held", "list"],
                  ["held", "show", "1"], ["queue", "show", "1"],
                  ["key", "list"], ["log"], ["check"]):
        got = demo.labo.sceau(*words, "--json")
        rows = got.json()
        assert all(r["schema"] == 1 for r in rows), words
        some += len(rows)
    got = demo.labo.ok("send", "--json", demo.dr.address,
                       input=demo.mail_of("z", demo.dr))
    assert [r["schema"] for r in got.json()] == [1]
    assert some > 10


# run

@pytest.mark.parametrize("who, account", [
    ("durand", {"idle": True, "every": "600 s"}),
    ("dr", {"every": "10 s"})])
def test_run_stays_delivers_and_ends(demo, forger, who, account):
    """IMAP tells of new mail within seconds; POP3 is asked every 10 s;
    SIGTERM ends it in good order."""
    member = getattr(demo, who)
    member.configure(account=account)
    process = member.start("run")
    try:
        time.sleep(1.5)
        assert process.poll() is None, process.communicate()
        for n in range(2):
            demo.post(member, forger.mail(demo.labo, member,
                                          demo.mail_of(f"INR {n}", member)))
            demo.wait_until(lambda: len(member.new()) == n + 1,
                            8 if account.get("idle") else 25, "the mail")
        demo.wait_until(lambda: len(demo.labo.mail()) >= 1, 15,
                        "the acknowledgement")
    finally:
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert member.mail() == [] or account.get("idle") is None
    member.ok("poll")
    assert len(member.new()) == 2 and member.mail() == []


def test_run_comes_to_each_of_many_accounts(demo, forger):
    """Those before it wait for news, and do not keep it from its turn."""
    demo.durand.configure(top={"parallel": 1}, sections="".join(
        f"""account "box-{n}" {{
    protocol = imap
    host = "localhost"
    port = {demo.dovecot.port["imaps"]}
    tls = implicit
    ca_file = "{demo.ca.cert}"
    user = "{user}"
    password_command = "echo password-of-{user}"
}}
""" for n, user in enumerate((demo.petit.user, demo.dr.user))))
    boxes = [demo.durand, demo.petit, demo.dr]
    process = demo.durand.start("run")
    try:
        for n, box in enumerate(boxes * 2):
            demo.post(box, forger.mail(demo.labo, demo.durand, demo.mail_of(
                f"INR {n}", demo.durand)))
            demo.wait_until(lambda: len(demo.durand.new()) == n + 1, 25,
                            f"mail {n}")
    finally:
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err


def test_base64_of_the_tests_is_what_it_says():
    assert base64.b64encode(b"SCEAU\x01").startswith(b"U0NFQVUB")


def test_run_misses_nothing_that_comes_between(demo, forger):
    """Forty mails at odd moments, some while the last ones are being
    deleted: IDLE alone would not tell of those."""
    demo.durand.configure(account={"idle": True, "every": "600 s"})
    process = demo.durand.start("run")
    try:
        for n in range(40):
            demo.post(demo.durand, forger.mail(
                demo.labo, demo.durand, demo.mail_of(f"{n}", demo.durand)))
            time.sleep(0.03 + n % 7 * 0.04)
        demo.wait_until(lambda: len(demo.durand.new()) == 40, 10, "all")
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert process.returncode == 0


def test_a_gateway_that_is_not_told_to_be_one(demo):
    """Relayed all the same, and what is its own is filed: no fault."""
    demo.hub.configure(top={"hub": False})
    for n in range(3):
        demo.send(f"INR {n}", demo.petit)
    own = demo.send("INR 9", demo.hub)
    demo.labo.ok("poll")
    got = demo.hub.ok("poll")
    assert b"level=error" not in got.stderr, got.text()
    demo.petit.ok("poll")
    assert len(demo.petit.new()) == 3 and demo.hub.shown() == [own]
    assert [p for p in demo.hub.inbox.rglob(".sceau-*")] == []
