"""The processes of a pass: who holds which line, and what if one dies."""

import contextlib
import os
import pathlib
import signal
import time

import pytest

# ... between being found, opened and read.
GONE = (FileNotFoundError, ProcessLookupError)
PARTS = ("keeper", "fetch", "vault", "clerk", "relay")


def children(pid):
    try:
        text = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except GONE:
        return []
    return [int(p) for p in text.split()]


def name(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except GONE:
        return ""


def stopped(pid):
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except GONE:
        return False
    return text.rpartition(")")[2].split()[0] == "T"


def parts(process):
    """{part: pid} of a live pass."""
    return {name(p).removeprefix("sceau:"): p for p in children(process.pid)}


def lines(pid):
    """Inodes of its sockets."""
    found = {}
    for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            to = os.readlink(fd)
        except FileNotFoundError:
            continue
        if to.startswith("socket:"):
            found.setdefault(to, []).append(fd.name)
    return found


def stop_at(demo, point, part, **env):
    """A pass of dr, halted there."""
    process = demo.dr.start("poll", SCEAU_FAULT=f"{point}:stop", **env)
    demo.wait_until(lambda: part in parts(process) and
                    stopped(parts(process)[part]), 20, point)
    return process


def finish(process, seconds=30):
    """Go on; a part that is started anew halts at the same point."""
    until = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < until:
        for pid in children(process.pid):
            if stopped(pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
        time.sleep(0.05)
    if process.poll() is None:
        for pid in (*children(process.pid), process.pid):
            os.kill(pid, signal.SIGKILL)
        process.communicate()
        pytest.fail("it went on")
    out, err = process.communicate()
    return process.returncode, (out + err).decode()


def test_no_line_is_held_by_a_third(demo):
    """Each end of a line is open in one process: so its end is seen."""
    demo.send("INR 2,1", demo.dr)
    demo.labo.ok("poll")
    process = stop_at(demo, "clerk.sync.before", "clerk")
    time.sleep(0.3)
    try:
        held = {}
        for part, pid in [*parts(process).items(),
                          ("starter", process.pid)]:
            for inode in lines(pid):
                held.setdefault(inode, []).append(part)
        shared = {i: who for i, who in held.items() if len(who) > 1}
        assert shared == {}
        # keeper: starter, fetch, vault, rows, clerk
        mine = parts(process)
        assert len(lines(mine["vault"])) == 3
        assert len(lines(mine["clerk"])) == 3
        assert len(lines(process.pid)) == 2
    finally:
        code, said = finish(process)
    assert code == 0, said


@pytest.mark.parametrize("part", ("keeper", "fetch", "vault", "clerk"))
@pytest.mark.parametrize("point,where", (
    ("clerk.sync.before", "clerk"), ("keeper.intent.after", "keeper"),
    ("fetch.mail.end", "fetch"), ("drop.name.after", "clerk")))
def test_a_part_that_dies_ends_the_pass_in_order(demo, part, point, where):
    data = demo.send("INR 2,1", demo.dr)
    demo.labo.ok("poll")
    process = stop_at(demo, point, where)
    victim = parts(process).get(part)
    if victim is None:
        code, said = finish(process)
        assert code == 0, said
        return
    os.kill(victim, signal.SIGKILL)
    code, said = finish(process)
    assert code in (0, 75), said
    for _ in range(2):
        demo.dr.sceau("poll")
    assert demo.dr.shown() == [data]
    assert demo.dr.mail() == []
    assert demo.dr.held() == []


def test_the_starter_dies(demo):
    """The others leave, the lock with them; nothing is lost."""
    data = demo.send("INR 2,1", demo.dr)
    demo.labo.ok("poll")
    process = stop_at(demo, "keeper.intent.after", "keeper")
    left = list(parts(process).values())
    process.kill()
    process.wait()
    for pid in left:
        os.kill(pid, signal.SIGCONT)
    demo.wait_until(lambda: not any(name(p) for p in left), 20, "their end")
    process.communicate()
    demo.dr.ok("poll")
    assert demo.dr.shown() == [data]


def test_nothing_of_ours_reaches_a_command(demo):
    """pipe: no descriptor, no secret in its environment, not a dumpable
    process with keys for a parent."""
    script = demo.dr.folder / "take"
    script.write_text(f"""cat >/dev/null
ls -l /proc/self/fd >{demo.dr.folder}/fds
env >{demo.dr.folder}/env
""")
    demo.dr.conf.write_text(demo.dr.conf.read_text() + f"""
deliver "software" {{
    kind = pipe
    command = "sh {script}"
}}
""")
    demo.send("INR 2,1", demo.dr)
    demo.labo.ok("poll")
    demo.dr.ok("poll")
    fds = (demo.dr.folder / "fds").read_text()
    assert "socket:" not in fds and "lock" not in fds and "sceau.db" not in \
        fds, fds
    assert demo.dr.password not in (demo.dr.folder / "env").read_text()
