"""The receiving half of src/wire against a real Dovecot, and local places."""

import os
import random
import re
import signal
import ssl
import subprocess
import time

import pytest

from world.ca import CA
from world.dovecot import Dovecot
from world.proxy import Proxy
from world.scripted import Scripted
from world.wire_source import (EX_CONFIG, EX_DATAERR, EX_TEMPFAIL, MODES,
                               PROTOCOLS, SANITIZED, TOOL, at, at_script,
                               fetched, memory, source)


@pytest.fixture(scope="module")
def ca(tmp_path_factory):
    return CA(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def good(ca):
    return ca.issue("localhost", "127.0.0.1")


@pytest.fixture
def dovecot(good):
    with Dovecot(good) as server:
        yield server


def nasty_messages():
    rand = random.Random(1)
    head = b"From: labo@x.example\r\nSubject: x\r\n\r\n"
    return [
        head + b"plain\r\n",
        head + bytes(range(1, 256)).replace(b"\r", b"").replace(b"\n", b"")
        + b"\r\n",
        head + b".\r\n..\r\n...\r\n.x\r\n\r\n.\r\n",
        head + b"a" * 100_000 + b"\r\n" + b"." * 100_000 + b"\r\n",
        head + b"\r\n" * 1000,
        head + b")\r\n* 1 FETCH (UID 1)\r\na1 OK done\r\n+OK\r\n-ERR\r\n",
        b"\r\n",
        head + b"".join(bytes([rand.randrange(1, 256)]) for _ in range(9000))
        .replace(b"\r", b"").replace(b"\n", b"\r\n") + b"\r\n",
    ]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_content_is_byte_identical_and_released(
        dovecot, ca, tmp_path, protocol, mode):
    messages = nasty_messages()
    dovecot.put("dr", *messages)
    got = source("list", f"fetch={tmp_path}", "delete",
                 **at(dovecot, ca, protocol, mode))
    assert got.error is None and got.code == 0
    assert len(got.ids()) == len(messages)
    files = fetched(tmp_path)
    assert [files[i] for i in got.ids()] == messages
    assert got.ids("released") == got.ids()
    assert dovecot.count("dr") == 0
    assert got.lines[0][1].startswith("TLSv1.3")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_nul_octets_pass_as_the_server_gives_them(
        dovecot, ca, tmp_path, protocol):
    dovecot.put("dr", b"A: b\r\n\r\n1\0\0002\r\n.\0\r\nend\r\n")
    got = source("list", f"fetch={tmp_path}", **at(dovecot, ca, protocol))
    (body,) = fetched(tmp_path).values()
    # Dovecot's IMAP says 0x80 instead (RFC 3501 has no NUL in literals).
    assert body.replace(b"\x80", b"\0") == \
        b"A: b\r\n\r\n1\0\0002\r\n.\0\r\nend\r\n"
    assert got.code == 0


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_empty_mailbox(dovecot, ca, protocol):
    got = source("list", "fetch-none", "delete", "list",
                 **at(dovecot, ca, protocol))
    assert got.code == 0 and got.ids() == []


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_keeping_changes_nothing(dovecot, ca, protocol):
    dovecot.put("dr", b"A: b\r\n\r\nx\r\n")
    first = source("list", "fetch-none", "keep", **at(dovecot, ca, protocol))
    again = source("list", "fetch-none", **at(dovecot, ca, protocol))
    assert first.ids("kept") == first.ids() == again.ids("got") != []
    if protocol == "imap":      # (Dovecot's POP3 sets \\Seen by itself)
        assert all(p.name.endswith((".test", ":2,"))
                   for part in ("new", "cur")
                   for p in (dovecot.maildir("dr") / part).iterdir())


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_message_over_the_limit_is_not_asked_for(
        dovecot, ca, tmp_path, protocol):
    small = b"A: b\r\n\r\nx\r\n"
    dovecot.put("dr", small, b"A: b\r\n\r\n" + b"y" * 5000 + b"\r\n", small)
    got = source("list", f"fetch={tmp_path}",
                 **at(dovecot, ca, protocol, max=1000))
    ids = got.ids()
    assert got.ids("too-big") == [ids[1]]
    assert sorted(got.ids("got")) == sorted([ids[0], ids[2]])
    assert list(fetched(tmp_path).values()) == [small, small]
    # Also when this session has not listed it.
    if protocol == "imap":
        alone = source(f"ids={ids[1]}", "fetch-none",
                       **at(dovecot, ca, protocol, max=1000))
        assert alone.ids("too-big") == [ids[1]]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_is_gone_is_said_to_be_gone(dovecot, ca, protocol):
    dovecot.put("dr", b"A: b\r\n\r\nx\r\n", b"A: b\r\n\r\ny\r\n")
    first = source("list", **at(dovecot, ca, protocol)).ids()
    gone, here = first
    source(f"ids={gone}", "delete", **at(dovecot, ca, protocol))
    got = source("ids=" + ",".join(first), "fetch-none", "delete",
                 **at(dovecot, ca, protocol))
    assert got.ids("gone") == [gone] and got.ids("got") == [here]
    assert got.ids("released") == first
    assert dovecot.count("dr") == 0


def test_ids_of_another_uidvalidity_name_nothing(dovecot, ca):
    dovecot.put("dr", b"A: b\r\n\r\nx\r\n")
    got = source("list", **at(dovecot, ca, "imap"))
    validity, uid = got.ids()[0].split(".")
    assert got.lines[0][2] == validity
    old = f"{int(validity) - 1}.{uid}"
    got = source(f"ids={old}", "fetch-none", "delete",
                 **at(dovecot, ca, "imap"))
    assert got.ids("gone") == [old] and got.ids("released") == [old]
    assert dovecot.count("dr") == 1


def test_imap_lists_only_what_came_after(dovecot, ca):
    dovecot.put("dr", *[b"A: b\r\n\r\nx\r\n"] * 3)
    ids = source("list", **at(dovecot, ca, "imap")).ids()
    got = source(f"list-after={ids[1]}", **at(dovecot, ca, "imap"))
    assert got.ids() == [ids[2]]
    got = source(f"list-after={ids[2]}", **at(dovecot, ca, "imap"))
    assert got.ids() == [] and got.code == 0
    other = "1." + ids[2].split(".")[1]
    assert source(f"list-after={other}",
                  **at(dovecot, ca, "imap")).ids() == ids


def test_imap_nothing_new_costs_no_question(good, ca):
    with Scripted("imap", good, messages=[b"x\r\n"] * 3) as server:
        got = source("list-after=7.3", **at_script(server, ca))
    assert got.error is None
    assert server.verbs == ["LOGIN", "SELECT", "LOGOUT"]


@pytest.mark.parametrize("extensions", (
    "", "imap_capability = IMAP4rev1 UIDPLUS",
    "imap_capability = IMAP4rev1"))
def test_imap_moves(good, ca, extensions):
    with Dovecot(good, extra=f"protocol imap {{\n{extensions}\n}}") as server:
        server.put("dr", b"A: b\r\n\r\nx\r\n", b"A: b\r\n\r\ny\r\n")
        got = source("list", "move=Non scellé & vu",
                     **at(server, ca, "imap"))
        assert got.error is None
        assert got.ids("released") == got.ids() and len(got.ids()) == 2
        assert server.count("dr") == 0
        assert server.count("dr", "Non scell&AOk- &- vu") == 2


def test_without_uidplus_nobody_elses_deletion_is_carried_out(good, ca):
    import imaplib
    extra = "protocol imap {\nimap_capability = IMAP4rev1\n}"
    with Dovecot(good, extra=extra) as server:
        server.put("dr", *[b"A: b\r\n\r\nx\r\n"] * 3)
        ids = source("list", **at(server, ca, "imap")).ids()
        other = imaplib.IMAP4_SSL("localhost", server.port["imaps"],
                                  ssl_context=ssl.create_default_context(
                                      cafile=ca.cert))
        other.login("dr", "secret")
        other.select()
        other.store("3", "+FLAGS", r"(\Deleted)")
        got = source(f"ids={ids[0]}", "delete", **at(server, ca, "imap"))
        assert got.ids("marked") == [ids[0]] and got.error is None
        assert server.count("dr") == 3
        other.store("3", "-FLAGS", r"(\Deleted)")
        got = source(f"ids={ids[1]}", "delete", **at(server, ca, "imap"))
        assert got.ids("marked") == [ids[1]]    # the one before is not ours now
        got = source(f"ids={ids[0]},{ids[1]}", "delete",
                     **at(server, ca, "imap"))
        assert got.ids("released") == ids[:2]
        assert server.count("dr") == 1
        other.logout()


def test_moving_is_refused_where_there_are_no_folders(dovecot, ca, tmp_path):
    dovecot.put("dr", b"A: b\r\n\r\nx\r\n")
    got = source("list", "move=x", **at(dovecot, ca, "pop3"))
    assert got.code == EX_CONFIG and got.ids("pending") == got.ids()
    assert dovecot.count("dr") == 1


def test_a_pop3_session_cut_before_quit_deletes_nothing(good, ca):
    with Dovecot(good, required=False) as server:
        server.put("dr", *[b"A: b\r\n\r\nx\r\n"] * 4)

        def cut(data, to_server):
            return None if to_server and b"QUIT" in data else data
        with Proxy(server.port["pop3"], change=cut) as wire:
            got = source("list", "delete", **at(
                server, ca, "pop3", "none", port=wire.port))
        assert got.code == EX_TEMPFAIL
        assert got.ids("unsure") == got.ids() and len(got.ids()) == 4
        time.sleep(0.2)
        assert server.count("dr") == 4


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_five_thousand_small_ones(dovecot, ca, protocol):
    body = b"From: a@b\r\n\r\n" + b"x" * 70 + b"\r\n"
    dovecot.put("dr", *[body] * 5000)
    start = time.monotonic()
    got = source("list", "fetch-none", "memory", "delete",
                 **at(dovecot, ca, protocol))
    took = time.monotonic() - start
    assert got.error is None
    assert ["fetched", "5000", str(5000 * len(body))] in got.lines
    assert len(got.ids("released")) == 5000 and dovecot.count("dr") == 0
    if not SANITIZED:
        assert took < 60      # a busy machine; alone 1 to 2 s
        assert memory(got) < 16_000


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_hundred_megabytes_in_constant_memory(
        dovecot, ca, tmp_path, protocol):
    line = b"x" * 76 + b"\r\n"
    big = b"From: a@b\r\n\r\n" + line * (100_000_000 // len(line))
    dovecot.put("dr", big)
    got = source("list", f"fetch={tmp_path}", "memory",
                 **at(dovecot, ca, protocol, max=200_000_000))
    assert got.error is None
    (body,) = fetched(tmp_path).values()
    assert body == big
    if not SANITIZED:
        assert memory(got) < 32_000
        assert int(re.search(r"VmHWM:\s+(\d+)", got.text).group(1)) < 32_000


def test_idle_wakes_for_new_mail(dovecot, ca):
    settings = at(dovecot, ca, "imap", idle="yes")
    keys = [f"{k}={v}" for k, v in settings.items()]
    tool = subprocess.Popen([TOOL, *keys, "--", "list", "wait=30", "list"],
                            stdout=subprocess.PIPE, text=True)
    assert tool.stdout.readline().startswith("open")
    time.sleep(0.5)
    start = time.monotonic()
    dovecot.put("dr", b"A: b\r\n\r\nx\r\n")
    rest = tool.communicate(timeout=40)[0].splitlines()
    assert time.monotonic() - start < 25
    assert rest[0] == "news 1" and rest[1].startswith("id ")


def test_idle_without_news_ends_in_time(dovecot, ca):
    got = source("wait=1", **at(dovecot, ca, "imap", idle="yes"))
    assert ["news", "0"] in got.lines and got.code == 0
    got = source("wait=1", **at(dovecot, ca, "pop3"))
    assert ["news", "0"] in got.lines and got.code == 0


@pytest.mark.parametrize("password", (
    'a"b\\c', "é è ß", "with blanks  two", "%{}()*~", "x" * 200))
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_awkward_passwords(good, ca, protocol, password):
    with Dovecot(good, users={"dr": password}) as server:
        got = source("list", **at(server, ca, protocol, password=password))
        assert got.error is None


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_wrong_password_is_the_operators_trouble(dovecot, ca, protocol):
    got = source("list", **at(dovecot, ca, protocol, password="marker-wrong"))
    step, rc, why, text = got.error
    assert (step, got.code, why) == ("open", EX_TEMPFAIL, "login")
    assert "marker-wrong" not in got.text and "localhost" in text


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_line_ends_in_settings_are_refused(dovecot, ca, protocol):
    for key, text in (("user", "dr\r\nx NOOP"), ("password", "a\nb"),
                      ("host", "local\nhost")):
        got = source("list", **at(dovecot, ca, protocol, **{key: text}))
        assert got.code == EX_CONFIG, key
    if protocol == "imap":
        got = source("list", **at(dovecot, ca, protocol, mailbox="a\r\nb"))
        assert got.code == EX_CONFIG


def test_maildir(tmp_path):
    box, out = tmp_path / "box", tmp_path / "out"
    for part in ("new", "cur", "tmp"):
        (box / part).mkdir(parents=True)
    out.mkdir()
    (box / "new" / "1.a.host").write_bytes(b"one\0\n")
    (box / "cur" / "2.b.host:2,S").write_bytes(b"two")
    (box / "cur" / ".hidden").write_bytes(b"no")
    (box / "tmp" / "3.c.host").write_bytes(b"no")
    got = source("list", f"fetch={out}", protocol="maildir", path=box)
    assert got.ids() == ["1.a.host", "2.b.host"]
    assert fetched(out) == {"1.a.host": b"one\0\n", "2.b.host": b"two"}
    # A reader sets flags in between: the same message.
    (box / "new" / "1.a.host").rename(box / "cur" / "1.a.host:2,RS")
    got = source("ids=1.a.host,2.b.host,9.z.host", "fetch-none", "delete",
                 protocol="maildir", path=box)
    assert got.ids("got") == ["1.a.host", "2.b.host"]
    assert got.ids("gone") == ["9.z.host"]
    assert got.ids("released") == ["1.a.host", "2.b.host", "9.z.host"]
    assert sorted(p.name for p in box.rglob("*") if p.is_file()) == \
        [".hidden", "3.c.host"]
    assert source("list", protocol="maildir", path=tmp_path / "not").code \
        == EX_CONFIG


def test_folder_takes_only_what_is_complete(tmp_path):
    box, out = tmp_path / "box", tmp_path / "out"
    box.mkdir()
    out.mkdir()
    for name in ("a.eml", "b.eml", ".c", "d.tmp", "e.PART", "f~"):
        (box / name).write_bytes(name.encode())
        os.utime(box / name, (1_600_000_000, 1_600_000_000))
    (box / "growing.eml").write_bytes(b"still")
    (box / "sub").mkdir()
    (box / "link.eml").symlink_to(box / "a.eml")
    got = source("list", f"fetch={out}", protocol="folder", path=box)
    names = sorted(i.split("/")[0] for i in got.ids())
    assert names == ["a.eml", "b.eml"]
    assert sorted(fetched(out).values()) == [b"a.eml", b"b.eml"]
    # Replaced meanwhile: another message, which is left alone.
    first = sorted(got.ids())
    (box / "a.eml").write_bytes(b"another")
    got = source("ids=" + ",".join(first), "delete", protocol="folder",
                 path=box)
    assert got.ids("released") == first
    assert (box / "a.eml").read_bytes() == b"another"
    assert not (box / "b.eml").exists()


def test_stdin_is_one_message(tmp_path):
    data = b"From: a\n\n\0\xff" * 10000
    got = source("list", f"fetch={tmp_path}", "list", "fetch-none", "delete",
                 protocol="stdin", stdin=data)
    (own,) = got.ids()      # another one for every mail
    assert len(own) == 32 and got.ids("got") == [own]
    assert fetched(tmp_path) == {own: data}
    got = source("list", "fetch-none", protocol="stdin", stdin=data, max=100)
    assert got.code == EX_DATAERR


def test_a_consumer_that_fails_stops_everything(dovecot, ca, tmp_path):
    dovecot.put("dr", *[b"A: b\r\n\r\nx\r\n"] * 3)
    gone = tmp_path / "gone"
    for protocol in PROTOCOLS:
        got = source("list", f"fetch={gone}", "delete",
                     **at(dovecot, ca, protocol))
        assert got.code == EX_TEMPFAIL and got.error[2] == "local"
        assert got.ids("got") == []
    assert dovecot.count("dr") == 3


def test_a_killed_client_leaves_the_mailbox_as_it_was(dovecot, ca):
    dovecot.put("dr", *[b"A: b\r\n\r\nx\r\n"] * 3)
    for protocol in PROTOCOLS:
        keys = [f"{k}={v}" for k, v in at(dovecot, ca, protocol).items()]
        tool = subprocess.Popen([TOOL, *keys, "--", "list", "wait=30"],
                                stdout=subprocess.PIPE, text=True)
        for _ in range(4):
            tool.stdout.readline()
        tool.send_signal(signal.SIGKILL)
        tool.communicate()
    assert dovecot.count("dr") == 3
