"""Keys lie in locked memory, and in no core: of a pass, and of each command that
holds them.  None is left; one that is taken on purpose, by the kernel, holds
no key.  Wants root, and cores that lie where they are made."""

import contextlib
import io
import os
import pathlib
import re
import resource
import signal
import subprocess

import pytest

from pysceau import code as paper
from pysceau import envelope, kdf, mail as mails, records
from test_issuer import HUB, Desk, codes_in, passed
from test_issuer import YEAR as ISSUED
from test_issuer_desk import root_of
from test_keys_travel import CODE, Bench
from test_sandbox import PARTS, practice
from test_year_over import NEXT, Year, at
from world import fault, kernel, memory
from world.demo import YEAR
from world.dovecot import wait_until

LOCAL, DIGEST = 0x70, 0x72      # of a key store alone
PATTERN = pathlib.Path("/proc/sys/kernel/core_pattern")
NO_CORE = re.compile(rb"^Max core file size +0 +0 ", re.M)


@pytest.fixture(autouse=True)
def _root():
    if os.getuid() != 0:
        pytest.skip("who is not root sees no memory and takes no core")


# -- who holds keys

def store_keys(state):
    """{what: octets}: each key of a machine's store, and what opens it."""
    machine = (state / "keystore.key").read_bytes()
    reader = envelope.Reader(io.BytesIO((state / "keystore").read_bytes()))
    left = b"".join(reader.key(machine).chunks())
    found = {"machine": machine}
    while left[0] != records.END:
        end = 5 + int.from_bytes(left[1:5], "big")
        value = left[5:end]
        if left[0] == LOCAL:
            found["rows"] = value[12:44]
            if value[44:]:
                found["former rows"] = value[44:]
        elif left[0] == DIGEST:
            found["digests"] = value
        elif left[0] in (records.SELF, records.GRANT):
            key = records.read(left[0], value)
            found[f"{left[0]} {key['year']} {key['identity']}"] = key["key"]
        left = left[end:]
    found.setdefault("digests", kdf.kdf(found["rows"], "sceau1.digest", b""))
    assert len(found) >= 9
    return found


def message_keys(forger, data):
    """Of the envelope in it: its channel's and its body's."""
    header = envelope.parse_header(data if data.startswith(b"SCEAU")
                                   else mails.find(data))
    channel = forger.all.C(header.sender, header.recipient, YEAR)
    return {"channel": channel,
            "body": kdf.message_keys(channel, header.raw)[1]}


class Poll:
    """A pass that opens a mail, delivers it and acknowledges it."""

    points = ["vault.mail@*", "vault.seal@*", "vault.end"]

    def __init__(self, demo, forger, sceau, tmp_path):
        self.member = practice(demo)
        self.folder = self.member.home
        self.known = store_keys(self.member.state) | \
            message_keys(forger, self.member.mail()[0])
        self.sure = forger.all.K(self.member.name.encode(), YEAR)

    def start(self, **env):
        return self.member.start("poll", **env)

    def keys(self, out):
        return self.known


class Filter(Poll):
    """seal and open, of a file."""

    def start(self, **env):
        with open(self.input, "rb") as f:
            return self.member.start(*self.words, stdin=f, **env)


class Seal(Filter):
    points = ["sandbox@vault", "filter.sealed"]

    def __init__(self, demo, forger, *more):
        super().__init__(demo, forger, *more)
        self.forger = forger
        self.words = "seal", "--to", demo.labo.name
        self.input = self.folder / "mail"
        self.input.write_bytes(demo.mail_of("INR 2,1", demo.labo,
                                            sender=self.member))

    def keys(self, out):
        # Until the keys are there nothing is written.
        return self.known | (message_keys(self.forger, out) if out else {})


class Open(Filter):
    points = ["sandbox@vault", "filter.opened"]

    def __init__(self, demo, forger, *more):
        super().__init__(demo, forger, *more)
        sealed = forger.seal(demo.labo, self.member,
                             demo.mail_of("INR 2,1", self.member))
        self.words = "open",
        self.input = self.folder / "sealed"
        self.input.write_bytes(sealed)
        self.known |= message_keys(forger, sealed)


class Import:
    """A key file is taken in."""

    points = ["key.opened", "file.rename.before"]

    def __init__(self, demo, forger, sceau, tmp_path):
        bench = Bench(demo.dr, forger.maker(NEXT))
        self.member, self.folder = demo.dr, demo.dr.home
        name = self.member.name.encode()
        self.words = ("key", "import", bench.put(bench.make()), "--code-file",
                      self.member.secret("code", paper.format(CODE) + "\n"))
        self.sure = forger.all.K(name, YEAR)
        self.known = {"K": self.sure, "of the file": kdf.code_key(YEAR, CODE),
                      "code": CODE, "written": paper.format(CODE).encode()}
        self.known |= {f"to {who}": key for who, key in
                       bench.maker.ring(name, YEAR)}

    def start(self, **env):
        return self.member.start(*self.words, **env)

    def keys(self, out):
        there = (self.member.state / "keystore").exists()
        return self.known | (store_keys(self.member.state) if there else {})


class Erase:
    """The process that forgets a year."""

    points = ["erase.rolled", "erase.renewed"]

    def __init__(self, demo, forger, sceau, tmp_path):
        year = Year(demo, forger.maker(NEXT)).lived(forger)
        self.member, self.folder = year.member, year.member.home
        self.member.ok("poll", **at(4, 3))
        self.before = store_keys(self.member.state)
        self.sure = year.maker.K(self.member.name.encode(), NEXT)

    def start(self, **env):
        return self.member.start("poll", **env, **at(4, 11))

    def keys(self, out):
        after = store_keys(self.member.state)
        return {f"before {k}": v for k, v in self.before.items()} | after


class Batch:
    """The issuer's desk, where two custodians have brought the root."""

    points = ["batch.key.before", "batch.letter.before#3",
              "sheets.rename.before"]

    def __init__(self, demo, forger, sceau, tmp_path):
        self.desk = Desk(sceau, tmp_path)
        self.desk.init(*HUB)
        self.desk.add()
        self.folder = tmp_path
        self.sure = root_of(self.desk, ISSUED)

    def start(self, refused=(), **env):
        d = self.desk
        before = kernel.without(*refused) if refused else None
        words = ["batch", d.folder, "--out", d.out, "--custodian", d.sheet(1),
                 "--custodian", d.sheet(2)]
        return subprocess.Popen(
            [d.sceau_, "issuer", *words], cwd=d.top,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, preexec_fn=before, env={
                "PATH": "/usr/bin:/bin", "LANG": "C", "HOME": str(d.top),
                **passed(), **env})

    def keys(self, out):
        """All that follows from the root, what it is made of, and the codes
        of the letters."""
        register = (self.desk.folder / "register").read_text()
        names = [b"essai/" + n.encode() for n in sorted(set(re.findall(
            r"[\w.-]+@[\w.-]+#\d+", register)))]
        assert len(names) == 7
        found = {"root": self.sure}
        for me in names:
            found[f"K {me}"] = k = kdf.member_key(self.sure, ISSUED, me)
            found |= {f"C {a} {me}": kdf.channel_key(k, a) for a in names}
        texts = [p.read_text() for p in (*self.desk.folder.rglob(
            "custodian-*.txt"), *self.desk.out.rglob("*.txt*"))]
        codes = {c for text in texts for c in codes_in(text)}
        for code in codes:
            found |= {f"code {code}": code.encode(),
                      f"raw {code}": paper.parse(code)}
        assert len(codes) >= 9      # of the three parts
        return found


HOLDERS = {"poll": Poll, "seal": Seal, "open": Open, "import": Import,
           "erase": Erase, "batch": Batch}
CASES = [(name, point) for name, of in HOLDERS.items() for point in of.points]


@pytest.fixture
def holder(demo, forger, sceau, tmp_path):
    return lambda name: HOLDERS[name](demo, forger, sceau, tmp_path)


class Standing:
    """A run of which one process stands still: pid; others; when it went on
    and has ended, code, out and err."""

    def __init__(self, run):
        self.run, self.pid = run, None

    def _stopped(self):
        assert self.run.poll() is None, self.run.communicate()
        for pid in memory.tree(self.run.pid):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                if fault.stopped(pid):
                    self.pid = pid
                    return True
        return False

    def __enter__(self):
        try:
            wait_until(self._stopped, 20, "the point")
        except BaseException:
            self.__exit__()
            raise
        self.others = [p for p in memory.tree(self.run.pid)
                       if p != self.pid]
        return self

    def __exit__(self, *_):
        # Who started it may have left before it.
        for pid in {*memory.tree(self.run.pid), self.pid or self.run.pid}:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        self.out, self.err = self.run.communicate(timeout=60)
        self.code = self.run.returncode


def cores_are_limited(pid):
    """To none; None of a process that has left."""
    text = memory.proc(pid, "limits")
    return bool(NO_CORE.search(text)) if text else None


def halves(key):
    return (key[:16], key[16:]) if len(key) == 32 else (key,)


# -- where the keys are

@pytest.mark.parametrize("who, point", CASES)
def test_keys_are_locked_and_out_of_cores(holder, who, point):
    """All memory of all processes, read from outside."""
    it = holder(who)
    with Standing(it.start(SCEAU_FAULT=f"{point}:stop")) as run:
        held = list(memory.mappings(run.pid))
        others = [(memory.name(pid), b"".join(
            octets for octets, _ in memory.mappings(pid)))
            for pid in run.others]
        for pid in (run.pid, *run.others):
            assert cores_are_limited(pid) is not False
    assert run.code == 0, run.err
    assert any(it.sure in octets for octets, _ in held)
    wrong = []
    for what, key in it.keys(run.out).items():
        for half in halves(key):
            wrong += [(what, flags) for octets, flags in held
                      if half in octets and not {"dd", "lo"} <= set(flags)]
            wrong += [(what, part) for part, octets in others
                      if half in octets]
    assert not wrong


# -- cores

def cores(folder):
    found = []
    for path in folder.iterdir():
        if path.is_file():
            with open(path, "rb") as f:
                found += [path] if f.read(4) == b"\x7fELF" else []
    return found


@pytest.fixture
def kernel_writes():
    pattern = PATTERN.read_text().strip()
    if not pattern or "/" in pattern or pattern.startswith("|"):
        pytest.skip(f"the kernel puts cores elsewhere: {pattern}")
    if resource.getrlimit(resource.RLIMIT_CORE)[1] == 0:
        pytest.skip("no core may be made here: ulimit -Hc is 0")


@pytest.mark.parametrize("who, point", CASES)
def test_a_core_taken_on_purpose_holds_no_key(kernel_writes, holder, who,
                                              point):
    """The process lets itself be dumped, out of any sandbox, and ends by a
    signal: the kernel writes what it would write."""
    it = holder(who)
    run = it.start(refused=kernel.LANDLOCK + kernel.SECCOMP + kernel.LIMITS,
                   SCEAU_FAULT=f"{point}:core")
    out, _ = run.communicate(timeout=60)
    core, = cores(it.folder)
    octets = core.read_bytes()
    core.unlink()
    assert b"SCEAU_FAULT=" in octets and len(octets) > 10 ** 5
    assert not [what for what, key in it.keys(out).items()
                if any(half in octets for half in halves(key))]


@pytest.mark.parametrize("who, point", [
    *(("poll", f"sandbox@{part}") for part in PARTS),
    *((name, of.points[0]) for name, of in HOLDERS.items()
      if name != "poll")])
def test_no_process_leaves_a_core(kernel_writes, holder, who, point):
    """Though the limit could not be made zero: it is not one that may be
    dumped.  Landlock would hide that, since it lets no file be made."""
    it = holder(who)
    with Standing(it.start(refused=kernel.LANDLOCK + kernel.LIMITS,
                           SCEAU_FAULT=f"{point}:stop")) as run:
        for pid in (run.pid, *run.others):
            assert not cores_are_limited(pid)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGABRT)
    assert run.code == -signal.SIGABRT
    assert not cores(it.folder)


# -- what anybody sees of a process

@pytest.mark.parametrize("part", PARTS)
def test_nothing_secret_on_command_lines(demo, part):
    ready = practice(demo)
    ready.secret("words", ready.password + "\n")
    text = ready.conf.read_text().replace(
        f'password_file = "{ready.folder}/password"',
        f'password_command = "cat {ready.folder}/words"')
    ready.conf.write_text(text)
    assert "password_command" in text
    key = (ready.state / "keystore.key").read_bytes()
    secrets = [ready.password.encode(), key, key.hex().encode()]
    with Standing(ready.start("poll",
                              SCEAU_FAULT=f"sandbox@{part}:stop")) as run:
        assert memory.name(run.pid) == part
        for pid in (run.pid, *run.others):
            for name in ("cmdline", "environ"):
                assert not [s for s in secrets if s in memory.proc(pid, name)]
            assert cores_are_limited(pid) is not False
        assert b"poll" in memory.proc(run.pid, "cmdline")
    assert run.code == 0, run.err
