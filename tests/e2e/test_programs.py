"""sceau starts at once: it loads a large library when it first wants it."""

import fcntl
import os
import pathlib
import re
import signal
import subprocess
import threading

import pytest

from world import fault
from world.world import program

LARGE = ("etpan", "esmtp", "curl", "gmime", "glib", "ssl")
LINUX = pytest.mark.skipif(os.uname().sysname != "Linux",
                           reason="of ld.so(8) and proc(5)")


def large(text):
    return {name for name in LARGE if re.search(rf"lib{name}\b", text)}


def loaded(pid):
    return large(pathlib.Path(f"/proc/{pid}/maps").read_text())


@LINUX
def test_what_it_starts_with():
    got = subprocess.run([program()], env={"LD_TRACE_LOADED_OBJECTS": "1"},
                         capture_output=True, text=True, check=True)
    assert large(got.stdout) == set()


@LINUX
@pytest.mark.parametrize("command", ("poll", "run"))
@pytest.mark.parametrize("who, wanted", [("dr", {"ssl"}),
                                         ("labo", {"ssl", "etpan"})])
def test_what_a_pass_loads(demo, who, wanted, command):
    """Who fetches has what its protocol needs, and who writes the store has
    nothing of it; with no mail there is no more.  The starter has it only
    for those that come after."""
    run = getattr(demo, who).start(command, SCEAU_FAULT="sandbox@fetch:stop")
    try:
        demo.wait_until(lambda: any(fault.stopped(pid) for pid in
                                    fault.children(run.pid)), what="fetch")
        got = {fault.stopped(pid): loaded(pid)
               for pid in fault.children(run.pid)}
        assert got == {True: wanted, False: set()}
        assert loaded(run.pid) == (wanted if command == "run" else set())
    finally:
        for pid in fault.children(run.pid):
            os.kill(pid, signal.SIGCONT)
        if command == "run":
            run.terminate()
        assert run.wait(timeout=60) == 0, run.communicate()


@LINUX
def test_a_library_that_is_missing_costs_nothing(demo, tmp_path):
    """It is said, the mail waits, and is filed when the library is back."""
    names = re.findall(rb"lib(?:etpan|gmime)[-.0-9a-z]*\.so\.[0-9]+",
                       program().read_bytes())
    demo.post(demo.durand, demo.sealed(recipient=demo.durand))
    assert len(set(names)) == 2
    for name in sorted(set(names)):     # at the server, then in the store
        folder = tmp_path / name.decode()
        folder.mkdir()
        (folder / name.decode()).write_bytes(b"no library")
        got = demo.durand.sceau("poll", LD_LIBRARY_PATH=str(folder))
        assert got.code == 75 and name in got.stderr, got.text()
        assert not demo.durand.documents()
    demo.durand.ok("poll")
    assert len(demo.durand.documents()) == 1


@LINUX
@pytest.mark.parametrize("who", ["dr", "labo"])
def test_a_pass_without_mail_syncs_nothing(demo, tmp_path, who):
    """And writes nothing to the store."""
    member = getattr(demo, who)
    member.ok("poll")       # the first makes it
    before = (member.state / "sceau.db").read_bytes()
    calls = fault.Calls(tmp_path)
    member.ok("poll", **calls.env())
    assert calls.total("read", "keeper") > 0
    assert calls.total("sync") == 0
    assert (member.state / "sceau.db").read_bytes() == before


@pytest.mark.parametrize("word", ["--mda", "--md", "--m"])
def test_a_delivery_agent_by_each_of_its_names(demo, word):
    """Whatever is wrong, it says that the mail is to be tried again."""
    got = demo.dr.sceau("open", word, "--no-such-option")
    assert got.code == 75, got.text()


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


CHANGES = pytest.mark.parametrize("change", [
    lambda f: f.write(b"X"), lambda f: f.truncate(100_000),
    lambda f: (f.seek(0, 2), f.write(b"more"))],
    ids=["changed", "cut", "longer"])


def changed_meanwhile(demo, path, work):
    """sceau seal of the file, which reads it, then waits for ${work}."""
    with open(path, "rb") as f:
        run = sealed_from(demo, f, SCEAU_FAULT="sandbox@vault:stop")
        try:
            demo.wait_until(lambda: fault.stopped(run.pid),
                            what="the vault")
            work()
        finally:
            os.kill(run.pid, signal.SIGCONT)
        out, err = run.communicate(timeout=60)
    return run.returncode, out, err


@CHANGES
def test_a_file_that_changes_is_not_sealed(demo, forger, tmp_path, change):
    """Somebody had it open for writing all the time: no lease of it."""
    path = tmp_path / "mail"
    path.write_bytes(bytes(200_000))
    with open(path, "r+b", buffering=0) as again:
        code, out, err = changed_meanwhile(demo, path,
                                           lambda: change(again))
    assert code == 65, err
    with pytest.raises(Exception):
        forger.open(out)


def leases(folder):
    """Is there such a thing here, and may we have it?"""
    path = folder / "lease"
    path.write_bytes(b"")
    with open(path, "rb") as f:
        try:
            fcntl.fcntl(f, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        except OSError:
            pytest.skip("no leases on this file system")


@LINUX
@CHANGES
@pytest.mark.parametrize("size, want", [(200_000, 0), (5_000_000, 75)])
def test_who_would_change_it_waits(demo, forger, tmp_path, change, size,
                                   want):
    """What is in memory by then is sealed as it was; what would have to be
    read again is not."""
    leases(tmp_path)
    path = tmp_path / "mail"
    path.write_bytes(was := os.urandom(size))

    def write():
        with open(path, "r+b", buffering=0) as again:
            change(again)
    writer = threading.Thread(target=write)

    def begin():
        with pytest.raises(BlockingIOError):
            os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        writer.start()
    code, out, err = changed_meanwhile(demo, path, begin)
    writer.join(10)
    assert not writer.is_alive() and path.read_bytes() != was
    assert code == want, err
    if want:
        with pytest.raises(Exception):
            forger.open(out)
    else:
        assert forger.open(out)[1].mail == was


@LINUX
def test_a_long_file_is_opened_where_it_lies(demo, tmp_path):
    """No copy of it; and one that somebody opens for writing is not read any
    further."""
    leases(tmp_path)
    path, mail = tmp_path / "sealed", os.urandom(5_000_000)
    path.write_bytes(b"before" + demo.labo.ok(
        "--store", demo.labo.keystore, "seal", "--to", demo.dr.name,
        input=mail).stdout)

    def opened(begin=lambda: None):
        with open(path, "rb", buffering=0) as f:
            f.seek(6)
            run = demo.dr.start("--store", demo.dr.keystore, "open", stdin=f,
                                SCEAU_FAULT="sandbox@vault:stop")
            try:
                demo.wait_until(lambda: fault.stopped(run.pid), what="it")
                files = [os.readlink(p) for p in
                         pathlib.Path(f"/proc/{run.pid}/fd").iterdir()]
                assert not any("(deleted)" in name for name in files), files
                begin()
            finally:
                os.kill(run.pid, signal.SIGCONT)
            out, err = run.communicate(timeout=60)
            return run.returncode, out, err

    def write():
        with pytest.raises(BlockingIOError):
            os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    code, out, err = opened()
    assert code == 0 and out == mail, err
    code, out, err = opened(write)
    assert code == 75 and out == b"", err


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
