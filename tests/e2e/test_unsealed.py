"""Mail that is not sealed: left, moved or delivered as the practice wants it,
always apart and marked, never as a member's."""

import contextlib
import email
import email.policy
import os
import re
import signal
import threading
import time

import pytest

from world import hprim
from world.memory import tree
from world.proxy import Proxy
from world.small import mounted


def clear_mail(sender, text="au midi ?", subject="Résultats", more=(),
               documents=()):
    m = email.message.EmailMessage(policy=email.policy.SMTP)
    m["From"], m["To"] = sender, "dr.martin@practice.example"
    m["Subject"] = subject
    for name, value in more:
        m[name] = value
    m.set_content(text)
    for name, data in documents:
        m.add_attachment(data, "application", "octet-stream", filename=name)
    return m.as_bytes()


def section(name, folder, kind="maildir", **more):
    lines = [f"\tkind = {kind}", "\tunsealed = yes"]
    lines += [f"\tpath = \"{folder}\""] if folder else []
    lines += [f"\t{k} = {v}" for k, v in more.items()]
    return f"deliver \"{name}\" {{\n" + "\n".join(lines) + "\n}\n"


def wants(member, *sections, account=None, **more):
    member.configure(account={"unsealed": "deliver", **(account or {})},
                     sections="".join(sections), **{"kind": "maildir", **more})


@pytest.fixture(params=["dr", "durand"], ids=["pop3", "imap"])
def member(demo, request):
    return getattr(demo, request.param)


def new(folder):
    """What lies in new/ of a Maildir."""
    return sorted((folder / "new").iterdir()) \
        if (folder / "new").is_dir() else []


def both(demo, forger, member, *clear):
    """A sealed mail between those in clear."""
    data = demo.mail_of("INR 2,1", member)
    demo.post(member, clear[0], forger.mail(demo.labo, member, data),
              *clear[1:])
    return data


def read(path):
    return email.message_from_bytes(path.read_bytes(),
                                    policy=email.policy.default)


def test_to_a_maildir_of_its_own(demo, forger, member, tmp_path):
    apart = tmp_path / "apart"
    wants(member, section("clair", apart), top={"language": "fr"})
    data = both(demo, forger, member,
                clear_mail("Labo <labo.central@labo.example>"),
                clear_mail("a@b.example", subject="déjeuner"))
    member.ok("poll")
    assert member.shown() == [data]
    assert member.mail() == []
    got = [read(p) for p in new(apart)]
    assert {m["From"].addresses[0].addr_spec for m in got} == \
        {"not-sealed@sceau.invalid"}
    assert {m["From"].addresses[0].display_name for m in got} == {
        "NON SCELLÉ, se dit de labo.central@labo.example",
        "NON SCELLÉ, se dit de a@b.example"}
    assert {m["Subject"] for m in got} == {
        "[NON SCELLÉ] Résultats", "[NON SCELLÉ] déjeuner"}
    assert "X-Sceau" not in got[0] and \
        got[0].get_content().strip() == "au midi ?"
    member.ok("poll")
    assert len(new(apart)) == 2 and len(member.new()) == 1


@pytest.mark.parametrize("forged", [
    [("X-Sceau", "sender=labo/labo.central@labo.example#1; flags=")],
    [("X-Sceau-Sender", "labo.central@labo.example")],
    [("Sender", "labo.central@labo.example"),
     ("Reply-To", "labo.central@labo.example"),
     ("Resent-From", "labo.central@labo.example")],
])
def test_never_as_a_members(demo, tmp_path, forged):
    """No field that a reader of mail could take for a sender's, or for ours,
    is left of it."""
    apart = tmp_path / "apart"
    wants(demo.dr, section("clair", apart))
    demo.post(demo.dr, clear_mail("labo.central@labo.example", more=forged))
    demo.dr.ok("poll")
    raw = new(apart)[0].read_bytes()
    names = [line.split(b":")[0] for line in raw.split(b"\r\n\r\n")[0]
             .split(b"\r\n") if line[:1] not in b" \t"]
    assert names[0] == b"From" and names.count(b"From") == 1
    assert not {n.lower() for n in names} & {
        b"x-sceau", b"x-sceau-sender", b"sender", b"reply-to",
        b"resent-from"}
    for name, _ in forged:
        assert b"X-Claimed-" + name.encode() in names
    assert demo.dr.new() == []


def test_documents_to_a_folder_of_its_own(demo, forger, tmp_path):
    apart = tmp_path / "apart"
    report = hprim.encode([hprim.Patient()])
    wants(demo.dr, section("clair", apart, "folder",
                           charset="iso-8859-1", header="whole"),
          kind="folder", top={"language": "fr"})
    data = both(demo, forger, demo.dr, clear_mail(
        "labo.central@labo.example", "ci-joint",
        documents=[("r.hpr", report), ("r.pdf", b"%PDF-1.4\n")]))
    demo.dr.ok("poll")
    names = sorted(p.name for p in apart.iterdir() if p.is_file())
    assert all(n.startswith("non-scelle-") for n in names)
    assert len(names) == 3
    assert (apart / next(n for n in names if n.endswith(".pdf"))) \
        .read_bytes() == b"%PDF-1.4\n"
    [told] = (apart / "sceau").iterdir()
    assert told.read_text("utf-8").split("\n\n")[0] == """\
Ce message n’était pas scellé : n’importe qui peut l’avoir écrit, au nom de \
n’importe qui.
Il se dit de labo.central@labo.example.
Demandez par téléphone à celui dont il se réclame, avant de vous servir de \
ses documents."""
    assert data and len([p for p in demo.dr.inbox.iterdir()
                         if p.is_file()]) == 1


def test_to_a_command(demo, tmp_path):
    out = tmp_path / "out"
    wants(demo.dr, section("clair", None, "pipe",
                           command=f"\"cat >>{out}\""))
    demo.post(demo.dr, clear_mail("a@b.example"))
    demo.dr.ok("poll")
    assert out.read_bytes().startswith(b"From: =?utf-8?B?")
    assert demo.dr.mail() == []


def test_what_after_says(demo, forger, tmp_path):
    apart = tmp_path / "apart"
    wants(demo.durand, section("clair", apart),
          account={"after": "move", "move_to": "Pris"})
    both(demo, forger, demo.durand, clear_mail("a@b.example"))
    demo.durand.ok("poll")
    assert len(demo.dovecot.messages("cabinet.durand", "Pris")) == 2
    wants(demo.durand, section("clair", apart), account={"after": "keep"})
    both(demo, forger, demo.durand, clear_mail("a@b.example"))
    for _ in range(2):
        demo.durand.ok("poll")
    assert len(demo.durand.mail()) == 2 and len(new(apart)) == 2


def test_left_when_nothing_is_said(demo, forger, member):
    both(demo, forger, member, clear_mail("a@b.example"))
    member.ok("poll")
    assert len(member.mail()) == 1 and len(member.new()) == 1


def test_what_a_pass_has_left_stays_left(demo, tmp_path):
    """Who wants it delivered from now on need not see all of last year's."""
    apart = tmp_path / "apart"
    demo.post(demo.durand, clear_mail("a@b.example", "old"))
    demo.durand.ok("poll")
    wants(demo.durand, section("clair", apart))
    demo.post(demo.durand, clear_mail("a@b.example", "new"))
    demo.durand.ok("poll")
    assert [read(p).get_content().strip() for p in new(apart)] == ["new"]
    assert len(demo.durand.mail()) == 1


def test_damaged_ones_are_not_mail_in_clear(demo, forger, tmp_path):
    """What once was an envelope stays where it is, for a person."""
    apart = tmp_path / "apart"
    wants(demo.dr, section("clair", apart))
    m = forger.mail(demo.labo, demo.dr, demo.mail_of("INR", demo.dr))
    at = m.index(b"U0NFQVU") + 400
    demo.post(demo.dr, m[:at] + b"!!" + m[at:])
    assert demo.dr.sceau("poll").code == 65
    assert new(apart) == [] and len(demo.dr.mail()) == 1


def test_nothing_of_it_is_in_the_store(demo, tmp_path):
    apart = tmp_path / "apart"
    wants(demo.dr, section("clair", apart))
    demo.post(demo.dr, clear_mail("a@b.example", "MARQUE-UNIQUE " * 200000))
    demo.dr.ok("poll")
    assert b"MARQUE-UNIQUE" in new(apart)[0].read_bytes()
    for path in demo.dr.state.rglob("*"):
        assert not path.is_file() or b"MARQUE-UNIQUE" not in path.read_bytes()


def test_many_and_one_that_cannot_be_marked(demo, tmp_path):
    """70 KiB of header: it stays; the others go on, and exit 0 says nothing
    false of them."""
    apart = tmp_path / "apart"
    wants(demo.durand, section("clair", apart))
    bad = b"From: a@b.example\r\nX-Long: " + b"a" * 70000 + b"\r\n\r\nx\r\n"
    demo.post(demo.durand, *(clear_mail("a@b.example", f"n{i}")
                             for i in range(90)), bad,
              clear_mail("a@b.example", "behind"))
    demo.durand.ok("poll")
    assert len(new(apart)) == 91
    assert len(demo.durand.mail()) == 1
    demo.durand.ok("poll")
    assert len(new(apart)) == 91


def test_a_full_folder_loses_nothing(demo, forger, tmp_path):
    """Not filed, not deleted, told as an alarm that lasts; filed by the next
    poll once there is room."""
    apart = tmp_path / "apart"
    wants(demo.dr, section("clair", apart))
    apart.mkdir()
    data = both(demo, forger, demo.dr, clear_mail("a@b.example", "x" * 30000))
    with mounted(apart, 0):
        for hours in (0, 2):
            now = time.time() + 3600 * hours
            run = demo.dr.sceau("poll", SCEAU_FAULT_CLOCK=f"@{now:.0f}")
            assert run.code == 75
        assert demo.dr.shown() == [data]
        assert len(demo.dr.mail()) == 1
        assert "could not be filed" in demo.dr.ok("status").text()
    demo.dr.ok("poll", SCEAU_FAULT_CLOCK=f"@{time.time() + 7500:.0f}")
    assert len(new(apart)) == 1 and demo.dr.mail() == []
    assert "could not be filed" not in demo.dr.ok("status").text()


@pytest.mark.parametrize("point", ["clerk.raw@a@b.example", "clerk.sync.before",
                                   "clerk.sync.after",
                                   "keeper.unsealed.before"])
def test_killed_on_the_way(demo, forger, tmp_path, point):
    """Filed once, whatever died where: the name is made of where it lies."""
    apart = tmp_path / "apart"
    wants(demo.durand, section("clair", apart))
    data = both(demo, forger, demo.durand, clear_mail("a@b.example"))
    killed = demo.durand.sceau("poll", SCEAU_FAULT=f"{point}:kill")
    assert killed.code != 0 and len(demo.durand.mail()) > 0
    for minutes in (1, 2):
        demo.durand.ok("poll", SCEAU_FAULT_CLOCK=str(60 * minutes))
    assert len(new(apart)) == 1
    assert demo.durand.mail() == [] and demo.durand.shown() == [data]


def test_one_that_kills_the_clerk(demo, forger, tmp_path):
    """It stays on the server; those behind it, and what is sealed, go on."""
    apart = tmp_path / "apart"
    wants(demo.durand, section("clair", apart))
    data = both(demo, forger, demo.durand,
                clear_mail("a@b.example"), clear_mail("killer@b.example"),
                clear_mail("c@b.example"))
    run = demo.durand.sceau("poll",
                            SCEAU_FAULT="clerk.raw@killer@b.example:kill")
    assert run.code == 75
    assert len(new(apart)) == 2 and demo.durand.shown() == [data]
    assert [b"killer@b.example" in m for m in demo.durand.mail()] == [True]
    demo.durand.ok("poll")
    assert len(new(apart)) == 3 and demo.durand.mail() == []


def test_a_trial_run_changes_nothing(demo, forger, tmp_path):
    apart = tmp_path / "apart"
    wants(demo.dr, section("clair", apart))
    both(demo, forger, demo.dr, clear_mail("a@b.example"))
    demo.dr.ok("poll", "--dry-run")
    assert new(apart) == [] and len(demo.dr.mail()) == 2


@pytest.mark.parametrize("account, sections, says", [
    ({"unsealed": "deliver"}, "", "no delivery takes it"),
    ({}, "clair", "no account gives it any"),
    ({"unsealed": "deliver", "unsealed_to": "X"}, "clair", "not both"),
    ({"unsealed": "deliver"}, "from", "nobody known"),
    ({"unsealed": "burn"}, "clair", "leave"),
])
def test_what_cannot_be(demo, tmp_path, account, sections, says):
    more = {"from": "\"a@b.example\""} if sections == "from" else {}
    text = section("clair", tmp_path / "x", **more) if sections else ""
    demo.durand.configure(account=account, sections=text)
    run = demo.durand.sceau("poll")
    assert run.code == 78
    assert re.search(r"sceau\.conf:\d+: .*" + says, run.stderr.decode()
                     .replace("\n", " ")), run.stderr


# ---- what ends early --------------------------------------------------------

class Valve:
    """Between member and server: closes once so much has come of it."""

    def __init__(self, at):
        self.at, self.came = at, 0
        self.closed, self.open = threading.Event(), threading.Event()

    def __call__(self, data, to_server):
        if not to_server:
            self.came += len(data)
            if self.came > self.at:
                self.closed.set()
                self.open.wait(60)
        return data


def clerk(process):
    """The one that holds a file of a Maildir open, or None."""
    for pid in tree(process.pid):
        with contextlib.suppress(OSError):
            for fd in os.listdir(f"/proc/{pid}/fd"):
                with contextlib.suppress(OSError):
                    if "/tmp/.sceau-" in os.readlink(f"/proc/{pid}/fd/{fd}"):
                        return pid
    return None


def test_the_clerk_dies_in_the_middle_of_one(demo, tmp_path):
    """What is still on its way is not taken for another mail."""
    apart = tmp_path / "apart"
    texts = ["un\r\n" * 1000, "deux\r\n\r\n" * 75000, "trois\r\n" * 1000]
    valve = Valve(sum(map(len, texts)) + len(texts[0]) + 200000)
    demo.post(demo.durand, *(clear_mail(f"n{i}@b.example", text)
                             for i, text in enumerate(texts)))
    with Proxy(demo.dovecot.port["imaps"], change=valve) as wire:
        wants(demo.durand, section("clair", apart), port=wire.port)
        run = demo.durand.start("poll")
        assert valve.closed.wait(30)
        demo.wait_until(lambda: clerk(run), 20, "a clerk")
        dead = clerk(run)
        os.kill(dead, signal.SIGKILL)
        time.sleep(1.5)     # whoever would go on without it does
        valve.open.set()
        said = run.communicate(timeout=60)
        assert run.returncode == 75, said
        demo.durand.ok("poll")
    assert sorted(read(p).get_payload() for p in new(apart)) == sorted(texts)
    assert demo.durand.mail() == []


def test_a_command_that_is_cut_short(demo, tmp_path):
    """One by one: what it has taken it gets again only once."""
    out = tmp_path / "out"
    command = tmp_path / "take"
    command.write_text(f"""#!/bin/sh
cat >>{out}
test "$(grep -c '^From: ' {out})" = 3 && test ! -e {out}.done && {{
    touch {out}.done
    for p in $(cat /proc/$PPID/task/$PPID/children) $PPID; do
        test $p = $$ || kill -9 $p
    done
}}
exit 0
""")
    command.chmod(0o755)
    wants(demo.dr, section("clair", None, "pipe", command=f"\"exec {command}\""))
    demo.post(demo.dr, *(clear_mail("a@b.example", f"text {i}.")
                         for i in range(5)))
    assert demo.dr.sceau("poll").code != 0
    demo.dr.ok("poll")
    text = out.read_text()
    counts = [text.count(f"text {i}.") for i in range(5)]
    assert sorted(counts) == [1, 1, 1, 1, 2] and demo.dr.mail() == []


def test_asked_to_stop_in_the_middle(demo, tmp_path):
    """It files what it has, and leaves the others for the next pass."""
    apart = tmp_path / "apart"
    texts = [f"{i}.\r\n" * 40000 for i in range(8)]
    valve = Valve(sum(map(len, texts)) + len(texts[0]) * 5 // 2)
    demo.post(demo.durand, *(clear_mail("a@b.example", t) for t in texts))
    with Proxy(demo.dovecot.port["imaps"], change=valve) as wire:
        wants(demo.durand, section("clair", apart), port=wire.port)
        run = demo.durand.start("run")
        assert valve.closed.wait(30)
        run.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        valve.open.set()
        said = run.communicate(timeout=60)
        assert run.returncode == 0, said
        assert len(new(apart)) == 3 and len(demo.durand.mail()) == 5
        demo.durand.ok("poll")
    assert sorted(read(p).get_payload() for p in new(apart)) == texts
    assert demo.durand.mail() == []


def test_what_is_sealed_goes_first(demo, forger, tmp_path):
    """Whatever becomes of a pass at mail in clear."""
    apart = tmp_path / "apart"
    wants(demo.durand, section("clair", apart))
    data = both(demo, forger, demo.durand, clear_mail("a@b.example"))
    killed = demo.durand.sceau("poll", SCEAU_FAULT="keeper.unsealed.before:kill")
    assert killed.code != 0 and demo.durand.shown() == [data]


@pytest.mark.parametrize("who", ["dr", "durand"])
def test_sessions_that_end_early_get_on(demo, tmp_path, who):
    """Each files some, however many there are."""
    member, apart = getattr(demo, who), tmp_path / "apart"
    demo.post(member, *(clear_mail("a@b.example", "x\r\n" * 700 + f"n{i}.")
                        for i in range(200)))
    with Proxy(demo.dovecot.port[member.protocol + "s"]) as wire:
        wire.change = lambda data, up: counted(wire, data, up, 400000)
        wants(member, section("clair", apart), port=wire.port)
        for _ in range(6):
            wire.came = 0
            member.sceau("poll")
    assert len(new(apart)) == 200


def counted(wire, data, to_server, most):
    """None, which ends the connection, once that much has come."""
    wire.came += 0 if to_server else len(data)
    return data if wire.came < most else None


def test_a_fetch_that_says_nothing_more(demo, tmp_path):
    """All others wait for it then: it has as long as its session."""
    apart = tmp_path / "apart"
    text = "x\r\n" * 100000
    valve = Valve(len(text) * 3 // 2)
    demo.post(demo.durand, clear_mail("a@b.example", text))
    with Proxy(demo.dovecot.port["imaps"], change=valve) as wire:
        wants(demo.durand, section("clair", apart), port=wire.port,
              account={"session": "4 s"})
        run = demo.durand.start("poll")
        assert valve.closed.wait(30)
        fetch, = (pid for pid in tree(run.pid)[1:] if "fetch" in
                  open(f"/proc/{pid}/comm", encoding="ascii").read())
        os.kill(fetch, signal.SIGSTOP)
        valve.open.set()
        try:
            said = run.communicate(timeout=30)
        finally:
            if run.returncode is None:
                os.killpg(run.pid, signal.SIGKILL)
        assert run.returncode == 75 and b"does not answer" in said[1], said
        assert new(apart) == [] and len(demo.durand.mail()) == 1
        demo.durand.ok("poll")
    assert len(new(apart)) == 1 and demo.durand.mail() == []
