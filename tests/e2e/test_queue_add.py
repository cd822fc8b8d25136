"""sceau queue add: sealed mails of the issuer's desk, relayed by a member."""

import json
import re
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
