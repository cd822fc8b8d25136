"""What each process of a real pass may do: it tries, and the manual's table
says what must come of it."""

import os
import re
import shutil

import pytest

from test_year_over import NEXT, Year, at
from world import kernel
from world.world import TOP

PARTS = ("fetch", "relay", "keeper", "vault", "clerk")
PAGES = {"man/sceau-security.7": {"yes": "yes", "no": "no"},
         "man/fr/sceau-security.7": {"oui": "yes", "non": "no"}}
ROOT = os.getuid() == 0
# What who erases a year may and the keeper may not.
ERASER = {"make-state", "make-pipe", "read-keystore", "read-key", "write-key"}
# What the kernel refuses to who is not root, in a sandbox or out of it.
PRIVILEGED = {"socket-raw", "vm-read", "proc-environ", "proc-mem", "bpf",
              "userfaultfd", "mount", "setns", "perf", "clock", "chroot",
              "io-uring", "unshare", "read-passwd"}


def table(page):
    """{act: {part: yes or no}}, as that page of the manual has it."""
    found, acts = {}, []
    for line in (TOP / page).read_text().splitlines():
        if line.startswith('.\\" probe:'):
            acts += line.split()[2:]
        elif acts:
            cells = [c.strip() for c in line.split(" Ta ")[1:]]
            row = dict(zip(PARTS, [PAGES[page][c] for c in cells],
                           strict=True))
            assert not set(acts) & set(found), "an act stands there twice"
            found |= dict.fromkeys(acts, row)
            acts = []
    return found


def probed(log):
    """{part, or "" before a sandbox: {act: the set of what came of it}}."""
    found = {}
    for line in log.read_text().splitlines():
        if line.startswith("probe "):
            _, point, act, result = line.split()
            part = found.setdefault(point.partition("@")[2], {})
            part.setdefault(act, set()).add(result)
    return found


def own_keys(member):
    """The key store where it lies when nothing is said of it."""
    for end in ("", ".key"):
        copy = member.state / f"keystore{end}"
        shutil.copyfile(f"{member.keystore}{end}", copy)
        copy.chmod(0o600)
    text = member.conf.read_text()
    member.conf.write_text(re.sub(r"^keystore.*\n", "", text, flags=re.M))


def probes(member, **folders):
    """The log, and the environment in which every process tries everything,
    making a file in those folders too."""
    home = member.home / "file"
    home.touch(0o600)
    (member.state / "pipe").mkdir(0o700, exist_ok=True)
    files = {
        "read": {"store": member.state / "sceau.db", "passwd": "/etc/passwd",
                 "keystore": member.state / "keystore", "conf": member.conf,
                 "key": member.state / "keystore.key", "home": home,
                 "password": member.folder / "password",
                 "delivered": member.inbox},
        "write": {"store": member.state / "sceau.db",
                  "key": member.state / "keystore.key"},
        "chmod": {"store": member.state / "sceau.db", "conf": member.conf,
                  "key": member.state / "keystore.key"},
        "make": {"state": member.state, "temp": member.state / "temp",
                 "home": member.home, "inbox": member.inbox,
                 "pipe": member.state / "pipe", "tmp": "/tmp", **folders}}
    lines = [f"{how} {name} {path}" for how, named in files.items()
             for name, path in named.items()]
    log = member.folder / "probes"
    log.unlink(missing_ok=True)
    return log, {"SCEAU_FAULT_LOG": str(log),
                 "SCEAU_FAULT_PROBE": "\n".join(lines)}


def practice(demo):
    """One that delivers to a folder and to a command; a mail waits, an
    acknowledgement will go out: every process has work."""
    demo.dr.ok("poll")      # makes the store, else fetch may be there first
    demo.send("INR 2,1", demo.dr)
    demo.labo.ok("poll")
    own_keys(demo.dr)
    with demo.dr.conf.open("a") as f:
        f.write('deliver "cmd" {\n    kind = pipe\n'
                f'    command = "cat > {demo.dr.folder}/got"\n}}\n')
    return demo.dr


@pytest.fixture
def ready(demo):
    return practice(demo)


def as_the_manual_says(got, *parts):
    said = table("man/sceau-security.7")
    assert set(got) == set(parts)
    assert {(act, part): results for part, acts in got.items()
            for act, results in acts.items()} == \
        {(act, part): {row[part]} for act, row in said.items()
         for part in parts}


def test_each_act_of_each_process(demo, ready):
    log, env = probes(ready)
    ready.ok("poll", SCEAU_FAULT="sandbox@*:probe", **env)
    assert ready.shown() and (ready.folder / "got").exists()
    as_the_manual_says(probed(log), *PARTS)


def test_the_fetch_of_a_maildir_has_that_folder(demo, ready):
    box = ready.folder / "box"
    for name in ("new", "cur", "tmp"):
        (box / name).mkdir(parents=True)
    (box / "new/1.mail").write_bytes(ready.mail()[0])
    ready.conf.write_text(re.sub(
        r'(account "mailbox" \{).*?\n\}', rf"""\1
    protocol = maildir
    path = "{box}"
}}""", ready.conf.read_text(), flags=re.S))
    log, env = probes(ready, box=box)
    ready.ok("poll", SCEAU_FAULT="sandbox@*:probe", **env)
    assert ready.shown()
    got = probed(log)
    assert {part for part in got if got[part].pop("make-box") == {"yes"}} == \
        {"fetch"}
    assert got["fetch"] == {act: {row["fetch"]} for act, row in
                            table("man/sceau-security.7").items()}


def test_of_an_outbox_the_keeper_sees_names_alone(demo, ready):
    box = ready.folder / "outbox"
    box.mkdir()
    (box / "r.pdf.tmp").write_bytes(b"%PDF")
    with ready.conf.open("a") as f:
        f.write(f'outbox "lis" {{\n    path = "{box}"\n'
                f'    to = "{demo.labo.address}"\n}}\n')
    log, env = probes(ready, outbox=box)
    env["SCEAU_FAULT_PROBE"] += (f"\nread outbox {box}\n"
                                 f"read outfile {box}/r.pdf.tmp")
    ready.ok("poll", SCEAU_FAULT="sandbox@*:probe", **env)
    got = probed(log)
    assert set(got) == set(PARTS)
    assert {act: {part for part in PARTS if got[part][act] == {"yes"}}
            for act in ("read-outbox", "read-outfile", "make-outbox")} == {
        "read-outbox": {"keeper", "clerk"}, "read-outfile": {"clerk"},
        "make-outbox": {"clerk"}}


def test_each_process_of_a_submission(demo):
    own_keys(demo.labo)
    demo.labo.ok("queue", "list")
    log, env = probes(demo.labo)
    demo.labo.ok("send", "-t", input=demo.mail_of("INR", demo.dr),
                 SCEAU_FAULT="sandbox@*:probe", **env)
    # There is nothing to open, nothing to deliver.
    as_the_manual_says(probed(log), "keeper", "vault")


@pytest.mark.parametrize("command", ["seal", "open"])
def test_a_filter_is_confined_as_the_vault_is(demo, ready, forger, command):
    log, env = probes(ready)
    words, data = (("seal", "--to", demo.labo.name), demo.mail_of(
        "INR", demo.labo, sender=ready)) if command == "seal" else \
        (("open",), forger.seal(demo.labo, ready, demo.mail_of("INR", ready)))
    got = ready.ok(*words, input=data, SCEAU_FAULT="sandbox@*:probe", **env)
    assert got.stdout
    as_the_manual_says(probed(log), "vault")


def test_whom_check_sends_to_the_servers(ready):
    log, env = probes(ready)
    ready.ok("check", SCEAU_FAULT="sandbox@*:probe", **env)
    as_the_manual_says(probed(log), "fetch", "relay", "vault")


def test_who_erases_a_year_has_its_folders_besides(demo, forger):
    """The rights of the keeper, and all in the folders of state and keys: no
    network all the same, no other file, no program."""
    year = Year(demo, forger.maker(NEXT)).lived(forger)
    dr = year.member
    dr.ok("poll", **at(4, 3))
    log, env = probes(dr)
    dr.ok("poll", SCEAU_FAULT="erase.confined:probe", **env, **at(4, 11))
    assert year.years() == [NEXT]
    assert probed(log)[""] == {
        act: {"yes" if act in ERASER else row["keeper"]}
        for act, row in table("man/sceau-security.7").items()}


def test_nothing_of_it_is_refused_before(ready):
    """Else the probes would be refused for a reason of their own."""
    log, env = probes(ready)
    ready.ok("poll", SCEAU_FAULT="sandbox.before:probe", **env)
    got = probed(log)[""]
    assert got.pop("dumped") == {"no"}, "a core could be left before"
    assert got.keys() == table("man/sceau-security.7").keys() - {"dumped"}
    for act, results in got.items():
        if ROOT or act not in PRIVILEGED:
            assert results == {"yes"}, act


def test_the_manuals_agree():
    english, french = map(table, PAGES)
    assert english == french
    assert list(english) == list(french)


# without the kernel's help

@pytest.mark.parametrize("refused, kind, said", [
    ((), "landlock+seccomp", "landlock+seccomp"),
    (kernel.SECCOMP, "landlock", "no seccomp"),
    (kernel.LANDLOCK, "seccomp", "no Landlock"),
    (kernel.LANDLOCK + kernel.SECCOMP, "none", "offers none")])
def test_it_runs_and_check_says_so(demo, ready, refused, kind, said):
    log, env = probes(ready)
    ready.ok("poll", refused=refused, SCEAU_FAULT="sandbox@*:probe", **env)
    assert ready.shown()
    row, = [r for r in ready.ok("check", "--json", refused=refused).json()
            if r["what"] == "confinement"]
    assert said in row["detail"]
    assert row["result"] == ("look" if refused else "fine")
    got = probed(log)
    for act, row in table("man/sceau-security.7").items():
        of_files = act.startswith(("read-", "write-", "make-", "proc-"))
        if ("landlock" if of_files else "seccomp") in kind:
            assert {part: got[part][act] for part in PARTS} == \
                {part: {result} for part, result in row.items()}, act
    assert got["clerk"]["read-key"] == \
        {"no" if "landlock" in kind else "yes"}
    assert got["clerk"]["fork"] == {"no" if "seccomp" in kind else "yes"}
    assert (got["vault"]["read-key"] == {"yes"}) == (kind == "none")


def test_check_says_it_in_french(demo):
    demo.dr.configure(top={"language": "fr"})
    got = demo.dr.ok("check", refused=kernel.LANDLOCK)
    assert "pas Landlock" in got.text() and "no Landlock" not in got.text()


def test_memory_that_cannot_be_locked_is_told(demo, ready):
    def locked(**more):
        row, = [r for r in ready.ok("check", "--json", **more).json()
                if r["what"] == "locked memory"]
        return row["result"]
    assert b"key.swap" not in ready.ok("poll").stderr
    assert locked() == "fine"
    demo.send("INR 2,2", ready)
    demo.labo.ok("poll")
    assert b"key.swap" in ready.ok("poll", refused=kernel.LOCKING).stderr
    assert locked(refused=kernel.LOCKING) == "look"
