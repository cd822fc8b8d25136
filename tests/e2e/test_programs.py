"""sceau starts at once, and becomes sceau-pass for what needs more."""

import os
import pathlib
import re
import shutil
import signal
import subprocess

import pytest

from world import fault
from world.world import program

LARGE = ("etpan", "esmtp", "curl", "gmime", "glib", "ssl")


@pytest.fixture
def alone(demo, monkeypatch, tmp_path):
    """sceau without the other one."""
    shutil.copy(program(), tmp_path / "sceau")
    monkeypatch.setattr(demo, "sceau", tmp_path / "sceau")
    return tmp_path


def loads(path):
    got = subprocess.run([path], env={"LD_TRACE_LOADED_OBJECTS": "1"},
                         capture_output=True, text=True, check=True)
    return {name for name in LARGE if re.search(rf"lib{name}\b", got.stdout)}


@pytest.mark.skipif(os.uname().sysname != "Linux", reason="of ld.so(8)")
def test_what_it_loads():
    assert loads(program()) == set()
    assert {"etpan", "gmime", "ssl"} <= loads(
        program().with_name("sceau-pass"))


def test_what_it_does_alone(demo, alone):
    env = demo.labo.ok("--store", demo.labo.keystore, "seal", "--to",
                       demo.dr.name, input=b"INR 2,2").stdout
    got = demo.dr.ok("--store", demo.dr.keystore, "open", input=env)
    assert got.stdout == b"INR 2,2"
    demo.labo.ok("send", "-t", input=demo.mail_of("INR", demo.dr))
    assert demo.labo.ok("queue", "list", "--json").json()


def test_no_environment_says_what_it_becomes(demo, alone):
    """Neither PATH nor the folder it is called in (a file there, which is
    not beside sceau, is what somebody else has put there)."""
    elsewhere = alone / "elsewhere"
    elsewhere.mkdir()
    for folder in (elsewhere, demo.dr.home):
        bad = folder / "sceau-pass"
        bad.write_text(f"#!/bin/sh\ntouch {alone}/taken\n")
        bad.chmod(0o755)
    try:
        for words, code in ((("poll",), 78), (("check",), 78),
                            (("open", "--mda"), 75)):
            got = demo.dr.sceau(*words, PATH=f"{elsewhere}:/usr/bin:/bin")
            assert got.code == code, got.text()
            assert b"sceau-pass cannot be run" in got.stderr
    finally:
        (demo.dr.home / "sceau-pass").unlink()
    assert not (alone / "taken").exists()


@pytest.mark.skipif(os.getuid() != 0, reason="gives files away")
@pytest.mark.parametrize("give", [
    lambda bad: os.chown(bad, 65534, -1), lambda bad: bad.chmod(0o777)],
    ids=["of another", "open to all"])
def test_what_others_put_beside_it_is_not_run(demo, alone, give):
    """In a folder where they may, though they cannot replace sceau."""
    bad = alone / "sceau-pass"
    bad.write_text(f"#!/bin/sh\ntouch {alone}/taken\n")
    bad.chmod(0o755)
    demo.dr.sceau("poll")
    assert (alone / "taken").exists()
    (alone / "taken").unlink()
    give(bad)
    got = demo.dr.sceau("poll")
    assert got.code == 78 and b"cannot be run" in got.stderr, got.text()
    assert not (alone / "taken").exists()


@pytest.mark.parametrize("word", ["--mda", "--md", "--m"])
def test_a_delivery_agent_by_each_of_its_names(demo, alone, word):
    assert demo.dr.sceau("open", word).code == 75


def sealed_from(demo, file, **env):
    return demo.labo.start("--store", demo.labo.keystore, "seal", "--to",
                           demo.dr.name, stdin=file, **env)


def test_a_file_is_read_from_where_it_stands(demo, forger, tmp_path):
    path = tmp_path / "mail"
    data = os.urandom(200_000)
    path.write_bytes(b"before" + data)
    with open(path, "rb", buffering=0) as f:
        f.seek(6)
        out, err = sealed_from(demo, f).communicate(timeout=60)
    _, payload = forger.open(out)
    assert payload.mail == data, err


@pytest.mark.parametrize("change", [
    lambda f: f.write(b"X"), lambda f: f.truncate(100_000),
    lambda f: (f.seek(0, 2), f.write(b"more"))],
    ids=["changed", "cut", "longer"])
def test_a_file_that_changes_is_not_sealed(demo, forger, tmp_path, change):
    path = tmp_path / "mail"
    path.write_bytes(bytes(200_000))
    with open(path, "rb") as f:
        run = sealed_from(demo, f, SCEAU_FAULT="sandbox@vault:stop")
        try:
            demo.wait_until(lambda: fault.stopped(run.pid),
                            what="the vault")
            with open(path, "r+b") as again:
                change(again)
        finally:
            os.kill(run.pid, signal.SIGCONT)
        out, err = run.communicate(timeout=60)
    assert run.returncode == 65, err
    with pytest.raises(Exception):
        forger.open(out)


def test_a_filter_is_one_process_and_opens_nothing(demo, tmp_path):
    """From when it holds the keys on."""
    path = tmp_path / "mail"
    path.write_bytes(b"INR 2,2")
    with open(path, "rb") as f:
        run = sealed_from(demo, f, SCEAU_FAULT="sandbox@vault:stop")
        try:
            demo.wait_until(lambda: fault.stopped(run.pid), what="it")
            assert fault.children(run.pid) == []
            status = pathlib.Path(f"/proc/{run.pid}/status").read_text()
            assert re.search(r"^NoNewPrivs:\s*1$", status, re.M)
        finally:
            os.kill(run.pid, signal.SIGCONT)
        assert run.communicate(timeout=60)[0]


def closed(demo, member, words, without, data):
    """It, begun without one of the three descriptors."""
    return subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {without}', "sh", demo.sceau,
         "--store", member.keystore, *words], input=data,
        capture_output=True, cwd=member.home, timeout=60,
        env=member.environment())


@pytest.mark.parametrize("without, code", [("<&-", 75), (">&-", 75),
                                           ("2>&-", 0)])
def test_what_is_closed_is_nothing_else(demo, forger, without, code):
    """Its own temporary file stood there: it was sealed, or the opened mail
    written to it."""
    seal = closed(demo, demo.labo, ("seal", "--to", demo.dr.name), without,
                  b"INR 2,2")
    assert seal.returncode == code, seal.stderr
    assert (forger.open(seal.stdout)[1].mail == b"INR 2,2" if code == 0
            else seal.stdout == b"")
    env = demo.labo.ok("--store", demo.labo.keystore, "seal", "--to",
                       demo.dr.name, input=b"INR 2,2").stdout
    got = closed(demo, demo.dr, ("open",), without, env)
    assert got.returncode == code, got.stderr
    assert got.stdout == (b"INR 2,2" if code == 0 else b"")
