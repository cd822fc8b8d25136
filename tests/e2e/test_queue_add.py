"""sceau queue add: sealed mails of the issuer's desk, relayed by a member."""

import base64
import json
import os
import re
import sqlite3
import subprocess

import pytest

from pysceau import envelope, mail
from test_issuer import HEAD, YEAR, Machine, passed
from test_issuer_acts import LEROY, desk, made   # fixtures too
from test_issuer_enrol import enrol, mails

__all__ = ["desk", "made"]


class Sender(Machine):
    """A member's machine with a route, and no relay yet."""

    def __init__(self, sceau, folder):
        super().__init__(sceau, folder)
        with self.conf.open("a") as f:
            f.write('route = "veille@poste.example"\n')

    def add(self, *words, check=0, **env):
        got = subprocess.run(
            [self.sceau_, "-c", self.conf, "queue", "add",
             *map(str, words)], capture_output=True, timeout=60,
            cwd=self.folder, stdin=subprocess.DEVNULL,
            env={"PATH": "/usr/bin:/bin", "LANG": "C",
                 "HOME": str(self.folder), **passed(), **env})
        if check is not None:
            assert got.returncode == check, got.stderr.decode()
        return got

    def queue(self):
        got = self.run("queue", "list", "--json")
        assert got.returncode == 0, got.stderr.decode()
        return [json.loads(x) for x in got.stdout.splitlines()]


@pytest.fixture
def folder(made):
    made.newcomers(HEAD + LEROY)
    enrol(made)
    return made.out / "mails"


@pytest.fixture
def sender(sceau, tmp_path):
    return Sender(sceau, tmp_path / "sender")


def tags(paths):
    """T of each envelope."""
    return {envelope.parse_header(mail.find(p.read_bytes())).T.hex()
            for p in paths}


def test_all_of_a_folder_once(made, folder, sender):
    n = len(mails(made))
    (folder / "notes.txt").write_text("Dr Martin")
    (folder / ".hidden.eml").write_text("x")
    assert f"{n} sealed mails would be queued (there already: 0)" in \
        sender.add(folder, "--dry-run").stdout.decode()
    assert not sender.state.exists() or sender.queue() == []
    got = sender.add(folder)
    assert f"{n} sealed mails are queued (there already: 0)" in \
        got.stdout.decode()
    rows = sender.queue()
    assert len(rows) == n and {r["kind"] for r in rows} == {"control"}
    (folder / ".hidden.eml").unlink()
    assert {r["t"] for r in rows} == tags(mails(made))
    assert {r["to"].split("/")[1].split("@")[0] for r in rows} == {
        p.name.split(f".{YEAR}")[0] for p in mails(made)}
    # once more, by file, twice in one command, in JSON: nothing is added
    got = sender.add(*mails(made), mails(made)[0], "--json")
    assert [json.loads(x)["queued"] for x in got.stdout.splitlines()] == \
        [False] * (n + 1)
    assert sender.queue() == rows


def change(text, was, now):
    assert was in text
    return text.replace(was, now)


@pytest.mark.parametrize("spoil, said", [
    (lambda t: b"From: a@b.fr\r\nTo: c@d.fr\r\n\r\nINR 2,1\r\n",
     "no sealed mail"),
    (lambda t: b"", "no sealed mail"),
    (lambda t: change(t, b"\r\nTo: ", b"\r\nCc: x@y.example\r\nTo: "), "2"),
    (lambda t: re.sub(rb"\r\nTo: [^\r]*", b"", t), "one recipient"),
    (lambda t: change(t, b"U0NFQVUB", b"U0NFQVUC"), "version"),
    (lambda t: t + t, "more than one"),
    (lambda t: t[:len(t) // 2] + b"\0" + t[len(t) // 2:], ""),
])
def test_what_is_refused(made, folder, sender, spoil, said):
    """Nothing of it is queued, what stands before it is; a file without a
    sealed mail never leaves."""
    first, second, *_ = mails(made)
    second.write_bytes(spoil(second.read_bytes()))
    got = sender.add(folder, check=65)
    assert second.name in got.stderr.decode() and said in got.stderr.decode()
    assert {r["t"] for r in sender.queue()} == tags([first])
    assert b"1 sealed mail is queued" in got.stdout


def test_other_refusals(made, folder, sender, tmp_path):
    assert b"usage" in sender.add(check=64).stderr
    (tmp_path / "empty").mkdir()
    assert b"no file *.eml" in sender.add(tmp_path / "empty", check=65).stderr
    assert b"nowhere" in sender.add(tmp_path / "nowhere", check=None).stderr
    key = next((made.out / "keys").glob("*.cle"))
    assert b"no sealed mail" in sender.add(key, check=65).stderr
    sender.conf.write_text(f'state = "{sender.state}"\n')
    assert b"route" in sender.add(folder, check=78).stderr
    assert not sender.state.exists() or sender.queue() == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_cut_off(made, folder, sender, when):
    """Killed around its promise, and typed again: each once."""
    got = sender.add(folder, check=None,
                     SCEAU_FAULT=f"store.out.submit.{when}:kill")
    assert got.returncode == -9
    assert len(sender.queue()) == (len(mails(made)) if when == "after" else 0)
    sender.add(folder)
    assert {r["t"] for r in sender.queue()} == tags(mails(made))
    assert len(sender.queue()) == len(mails(made))


def test_a_copy_that_was_cut_short(made, folder, sender):
    """As a stick that is pulled out leaves it: told, and the whole one still
    goes."""
    path = mails(made)[0]
    whole = path.read_bytes()
    start = whole.index(b"U0NFQVU")
    stop = whole.index(b"\r\n\r\n--", start)
    ends = [i for i in range(start, stop) if whole[i - 2:i] == b"\r\n"]
    for cut in (ends[len(ends) // 2], ends[-1], stop - 4, stop, stop + 2):
        path.write_bytes(whole[:cut])
        got = sender.add(path, check=65)
        assert path.name in got.stderr.decode()
        assert sender.queue() == []
    path.write_bytes(whole)
    sender.add(path)
    assert {r["t"] for r in sender.queue()} == tags([path])


def test_a_mail_program_s_copy(made, folder, sender):
    """With bare LF, and with what a list adds at the end."""
    first, second, *_ = mails(made)
    first.write_bytes(first.read_bytes().replace(b"\r\n", b"\n"))
    second.write_bytes(second.read_bytes() + b"_______\r\nthe list\r\n")
    sender.add(first, second)
    assert {r["t"] for r in sender.queue()} == tags([first, second])


def other_t(text, n):
    """The mail with another T: the queue looks no further."""
    head = mail.find(text)
    t = envelope.parse_header(head).T
    at = head.index(t)
    body = head[:at] + n.to_bytes(len(t), "big") + head[at + len(t):]
    start = text.index(b"U0NFQVU")
    stop = text.index(b"\r\n\r\n--", start)
    lines = base64.encodebytes(body).rstrip().replace(b"\n", b"\r\n")
    return text[:start] + lines + text[stop:]


def test_a_dry_run_counts_as_the_run(made, sender, folder, tmp_path):
    """Also what comes twice, far apart."""
    text = mails(made)[0].read_bytes()
    many = tmp_path / "many"
    many.mkdir()
    for i in range(150):
        (many / f"{i:03}.eml").write_bytes(other_t(text, i % 70))
    want = "70 sealed mails {} queued (there already: 80)"
    assert want.format("would be") in sender.add(
        many, "--dry-run").stdout.decode()
    assert want.format("are") in sender.add(many).stdout.decode()
    assert len(sender.queue()) == 70


def test_what_has_failed_or_was_sent_is_told(made, sender, folder):
    sender.add(folder)
    first, second, *_ = mails(made)
    rows = {r["t"]: r["id"] for r in sender.queue()}
    no, = (rows[t] for t in tags([first]))
    gone, = (rows[t] for t in tags([second]))
    db = sqlite3.connect(sender.state / "sceau.db")
    db.execute("UPDATE queue SET state = 5 WHERE id = ?", (no,))
    db.execute("UPDATE queue SET state = 4 WHERE id = ?", (gone,))
    db.commit()
    for words in ((), ("--dry-run",)):
        said = sender.add(folder, *words).stdout.decode()
        assert f"{first} is there as no. {no}, and has failed: sceau queue " \
            f"retry {no} " in said
        assert "Of those there already: sent 1, failed 1." in said
        assert said.count("has failed") == 1
    rows = [json.loads(x) for x in
            sender.add(folder, "--json").stdout.splitlines()]
    assert sorted(r["state"] for r in rows)[:2] == ["failed", "queued"]
    assert [r["id"] for r in rows if r["state"] == "sent"] == [gone]
    db.close()


def test_what_is_no_file_is_not_waited_for(made, sender, folder, tmp_path):
    """A name is no promise: a FIFO would wait for ever."""
    odd = tmp_path / "odd"
    odd.mkdir()
    os.mkfifo(odd / "a.eml")
    (odd / "b.eml").write_bytes(mails(made)[0].read_bytes())
    (odd / "zero.eml").symlink_to("/dev/zero")
    for words in ((odd,), (odd / "a.eml",), (odd / "zero.eml",),
                  ("/dev/null",)):
        got = sender.add(*words, check=78)
        assert b"not a regular file" in got.stderr
    assert not sender.state.exists() or sender.queue() == []


def test_two_at_once(made, folder, sender):
    """Each T once, whoever is first; who is second says so or finds it."""
    words = [sender.sceau_, "-c", sender.conf, "queue", "add", folder]
    running = [subprocess.Popen(words, env={
        "PATH": "/usr/bin:/bin", "HOME": str(sender.folder), **passed()},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(4)]
    for p in running:
        p.communicate(timeout=60)
    assert {p.returncode for p in running} <= {0, 75}
    assert 0 in {p.returncode for p in running}
    assert len(sender.queue()) == len(mails(made))
    sender.add(folder)
    assert {r["t"] for r in sender.queue()} == tags(mails(made))
