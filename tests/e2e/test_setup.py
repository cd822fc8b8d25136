"""sceau setup: one command, a few questions, and a configuration that works;
real servers, a terminal, and a name server of our own."""

import os
import pathlib
import shutil
import subprocess

import pytest

from world.dns import MX, SRV, NameServer, mx, srv
from world.dovecot import free_ports
from world.terminal import Terminal
from world.world import program

USER, PASSWORD = "cabinet", 'it\'s "p\\ss" ${word} é'
ADDRESS = f"{USER}@localhost"


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    """A mailbox and a relay with one name and password, as a provider's."""
    from world.ca import CA
    from world.dovecot import Dovecot
    from world.postfix import Postfix
    ca = CA(tmp_path_factory.mktemp("ca"))
    cert = ca.issue("localhost", "127.0.0.1")
    with Dovecot(cert, {USER: PASSWORD}) as mailbox, \
            Postfix(cert, {USER: PASSWORD}, boxes=(USER,)) as relay:
        mailbox.ca, mailbox.relay = ca, relay
        yield mailbox


class Home:
    """A home folder, and what setup is called with there."""

    def __init__(self, folder, servers):
        self.folder, self.servers = folder, servers
        self.conf = folder / ".config/sceau/sceau.conf"
        self.password = folder / ".config/sceau/sceau.password"
        self.table = folder / "providers"
        self.provider("localhost")

    def provider(self, names, login="name"):
        s = self.servers
        self.table.write_text(
            f"{names} localhost:{s.port['imaps']} "
            f"localhost:{s.port['pop3s']} "
            f"localhost:{s.relay.port['submission']}/starttls {login}\n")

    def env(self, **more):
        return {"HOME": str(self.folder), "PATH": "/usr/bin:/bin",
                "LANG": "C", "SCEAU_FAULT_DNS": str(self.nobody),
                "SCEAU_LOCALEDIR": str(program().parent / "po/locale"),
                **more}

    @property
    def nobody(self):
        """A port where no name server is."""
        return free_ports(1)[0]

    def words(self, *words):
        return [str(program()), "setup", "--providers", str(self.table),
                "--ca-file", str(self.servers.ca.cert), *map(str, words)]

    def setup(self, *words, code=0, input=PASSWORD + "\n", **env):
        got = subprocess.run(self.words(*words), input=input, text=True,
                             capture_output=True, timeout=60,
                             env=self.env(**env), cwd=self.folder)
        assert got.returncode == code, got.stdout + got.stderr
        return got.stdout + got.stderr

    def person(self, *words, **env):
        return Terminal(self.words(*words), self.env(**env), self.folder)

    def sceau(self, *words, code=0):
        got = subprocess.run([program(), *words], text=True, timeout=60,
                             capture_output=True, env=self.env(),
                             cwd=self.folder)
        assert got.returncode == code, got.stdout + got.stderr
        return got.stdout + got.stderr

    def files(self):
        return sorted(p.name for p in self.folder.rglob("*") if p.is_file()
                      and p != self.table)


@pytest.fixture
def home(tmp_path, servers):
    return Home(tmp_path, servers)


def wrong(text):
    """What `sceau check` finds wrong, but for the keys that are not there."""
    return [line for line in text.splitlines() if "wrong" in line
            and "key store" not in line and not line.startswith("store")]


# a person

def test_a_secretary_in_french(home):
    with home.person("--lang", "fr") as person:
        person.answer("Adresse de la boîte", ADDRESS)
        person.expect("un cabinet")
        person.expect("un laboratoire")
        person.answer("Qui êtes-vous", "")
        person.expect("IMAP  localhost")
        person.answer("Les employer", "o")
        person.answer("Dossier", "~/Examens reçus")
        person.answer("Identifiant", "")
        person.answer("Mot de passe", PASSWORD)
        person.expect("joint, prouvé, identifié")
        person.expect("joint, prouvé, identifié")
        person.answer("Écrire cela", "")
        assert person.end() == 0
    assert PASSWORD not in person.seen, "the password was shown"
    assert "sceau key import" in person.seen
    text = home.conf.read_text()
    assert "language = fr" in text and "# Relève." in text
    assert 'path = "~/Examens reçus"' in text
    assert PASSWORD not in text
    assert all(len(line) <= 80 for line in text.splitlines()
               if "_file = " not in line)
    assert home.conf.stat().st_mode & 0o777 == 0o600
    assert home.password.stat().st_mode & 0o777 == 0o600
    assert home.conf.parent.stat().st_mode & 0o777 == 0o700
    assert home.files() == ["sceau.conf", "sceau.password"]
    assert "outbox" not in text
    assert wrong(home.sceau("check", "--lang", "en", code=78)) == []


def test_what_a_person_types_wrong_is_asked_again(home):
    with home.person() as person:
        person.answer("Address of the mailbox:", "nobody")
        person.answer("Address of the mailbox:", ADDRESS)
        person.answer("Who is this?", "3")
        person.answer("Who is this?", "2")
        person.answer("Use them?", "perhaps")
        person.answer("Use them?", "y")
        person.answer("drops", "")
        person.answer("Maildir", "answers")
        person.answer("Maildir", "~/answers")
        person.answer("log in", "somebody")
        person.answer("Password", "secret")
        person.answer("again?", "")
        person.answer("log in", "")
        person.answer("Password", PASSWORD)
        person.expect("reached, proved, logged in")
        person.answer("Write this", "no")
        assert person.end() == 78
    assert home.files() == []


def test_an_interrupted_password_leaves_the_terminal_as_it_was(home):
    import termios
    with home.person("--yes", ADDRESS) as person:
        person.expect("Password")
        mode = termios.tcgetattr(person._fd)[3]
        assert not mode & termios.ECHO
        os.write(person._fd, b"\x03\n")
        person.end()
        assert person.status != 0
    assert home.files() == []


# no person

@pytest.mark.parametrize("protocol", ("imap", "pop3"))
def test_answers_from_a_program(home, protocol):
    port = home.servers.port[protocol + "s"]
    relay = home.servers.relay.port["smtps"]
    home.setup(ADDRESS, "--yes", "--role", "laboratory", f"--{protocol}",
               f"localhost:{port}", "--smtp", f"localhost:{relay}",
               "--user", USER, "--folder", "/tmp/x", "--outbox", "~/to send")
    text = home.conf.read_text()
    outbox = text.partition("\noutbox ")[2].partition("}")[0]
    assert 'path = "~/to send"' in outbox
    assert (home.folder / "to send").stat().st_mode & 0o777 == 0o700
    assert f"protocol = {protocol}" in text and "kind = maildir" in text
    assert 'late = "4 working hours"' in text
    assert home.password.read_text() == PASSWORD
    assert wrong(home.sceau("check", code=78)) == []


@pytest.mark.parametrize("command", (
    "printf '%s\\n' \"$(cat '{secret}')\"; x=\\\"; true",
    "S={secret}; cat ${{S}}"))
def test_a_password_command_comes_back_as_it_was(home, command):
    secret = home.folder / "s"
    secret.write_text(PASSWORD)
    home.setup(ADDRESS, "--yes", "--password-command",
               command.format(secret=secret), input="")
    assert not home.password.exists()
    assert wrong(home.sceau("check", code=78)) == []


def test_print_changes_nothing(home):
    got = subprocess.run(home.words("--yes", "--print", ADDRESS), text=True,
                         capture_output=True, env=home.env(),
                         stdin=subprocess.DEVNULL)
    assert got.returncode == 0, got.stderr
    assert f'route = "{ADDRESS}"' in got.stdout
    assert home.files() == []
    (home.folder / "printed").write_text(got.stdout)
    assert "sceau.password" in home.sceau("-c", "printed", "check", code=78)


@pytest.mark.parametrize("lang,late", (("en", "4 working hours"),
                                       ("fr", "4 heures ouvrées")))
def test_a_laboratory_is_told_after_four_hours_of_work(home, lang, late):
    got = subprocess.run(home.words("--yes", "--print", "--role",
                                    "laboratory", "--lang", lang, ADDRESS),
                         text=True, capture_output=True, env=home.env(),
                         stdin=subprocess.DEVNULL)
    assert got.returncode == 0, got.stderr
    assert f'\nlate = "{late}"\n' in got.stdout
    (home.folder / "printed").write_text(got.stdout)
    assert "sceau.password" in home.sceau("-c", "printed", "check", code=78)


@pytest.mark.parametrize("words,says,code", (
    ((), "Address of the mailbox", 78),
    (("--yes", "a@unknown.example"), "--imap HOST", 78),
    (("--yes", "a@unknown.example", "--imap", "localhost:1"), "--smtp", 78),
    (("--yes", ADDRESS, "--folder", "results"), "results", 78),
    (("--yes", ADDRESS, "--role", "hub"), "--role", 78),
    (("--yes", ADDRESS, "--keep", "memory"), "--keep", 78),
    (("--yes", ADDRESS, "--imap", "x:0"), "--imap", 78),
    (("--yes", "nobody"), "nobody", 65),
    (("--yes", ADDRESS), "Password", 78),
    (("a@b", "c@d"), "usage", 64),
))
def test_what_is_missing_or_wrong_is_named(home, words, says, code):
    assert says in home.setup(*words, code=code, input="")
    assert home.files() == []


def test_a_server_that_refuses(home):
    said = home.setup("--yes", ADDRESS, input="another\n", code=77)
    assert "nothing was written" in said and "another" not in said
    said = home.setup("--yes", ADDRESS, "--imap", "localhost:1", code=75)
    assert "nothing was written" in said
    home.table.write_text(home.table.read_text().replace("localhost:",
                                                         "127.0.0.2:"))
    said = home.setup("--yes", ADDRESS, code=75)
    assert "127.0.0.2" in said and "nothing was written" in said
    assert home.files() == []
    home.setup("--yes", ADDRESS, "--no-test", "--imap", "localhost:1")
    assert home.files() == ["sceau.conf", "sceau.password"]


def test_nothing_is_overwritten(home):
    home.setup("--yes", ADDRESS, "--no-test")
    first = home.conf.read_text()
    said = home.setup("--yes", ADDRESS, "--no-test", code=78)
    assert "--force" in said and home.conf.read_text() == first
    said = home.setup(ADDRESS, "--no-test", input="non\n", code=78)
    assert home.files() == ["sceau.conf", "sceau.password"]
    home.setup("--yes", "--force", ADDRESS, "--no-test", input="new\n")
    kept = [p for p in home.conf.parent.iterdir()
            if p.name.startswith("sceau.conf.")]
    assert [p.read_text() for p in kept] == [first]
    assert home.password.read_text() == "new"
    assert len(home.files()) == 4


def test_another_file(home):
    home.setup("-c", "labo.conf", "--yes", ADDRESS, "--no-test")
    assert home.files() == ["labo.conf", "labo.password"]
    text = (home.folder / "labo.conf").read_text()
    assert f'password_file = "{home.folder}/labo.password"' in text


KEYRING = """#!/bin/sh
# secret-tool store ... | secret-tool lookup ..., of a file
word=$1; shift
case "$word" in
store) shift; cat >"$HOME/ring.$4" ;;
lookup) cat "$HOME/ring.$4" ;;
esac
"""


def test_a_keyring(home):
    tools = home.folder / "bin"
    tools.mkdir()
    (tools / "secret-tool").write_text(KEYRING)
    (tools / "secret-tool").chmod(0o755)
    path = f"{tools}:/usr/bin:/bin"
    home.setup("--yes", ADDRESS, "--keep", "keyring", PATH=path)
    assert not home.password.exists()
    assert "secret-tool lookup service sceau account 'cabinet'" in \
        home.conf.read_text()
    assert (home.folder / "ring.cabinet").read_text() == PASSWORD + "\n"
    assert "keyring" in home.setup("--yes", "--force", ADDRESS, "--keep",
                                   "keychain", PATH=path, code=78)


def test_a_relay_of_this_very_machine(home):
    text = home.setup("--yes", ADDRESS, "--smtp", "localhost:25", "--print")
    relay = text.partition("\nrelay")[2].partition("}")[0]
    assert "tls = none" in relay and "user" not in relay


# the name service

def ask(home, records, *words, address="dr@cabinet.example", **more):
    with NameServer(records) as names:
        said = home.setup(address, "--print", *words,
                          SCEAU_FAULT_DNS=str(names.port), **more)
        return said, names.asked


def srvs(**hosts):
    """{service: host} as records of cabinet.example."""
    ports = {"imaps": 993, "imap": 143, "pop3s": 995, "submissions": 465,
             "submission": 587}
    return {(f"_{s}._tcp.cabinet.example", SRV): [srv(ports[s], h)]
            for s, h in hosts.items()}


def test_servers_that_the_domain_names(home):
    text, asked = ask(home, srvs(imap="b.cabinet.example",
                                 imaps="a.cabinet.example",
                                 submission="c.cabinet.example"), "--yes")
    assert 'host = "a.cabinet.example"\n\tport = 993' in text
    assert 'host = "c.cabinet.example"\n\tport = 587\n\ttls = starttls' \
        in text
    assert ("_imap._tcp.cabinet.example", SRV) not in asked
    text, _ = ask(home, srvs(pop3s="pop.cabinet.example", imaps=".",
                             submissions="c.cabinet.example"), "--yes")
    assert "protocol = pop3" in text


def test_servers_of_a_stranger_are_only_proposed(home):
    records = srvs(imaps="imap.thief.example",
                   submissions="smtp.cabinet.example")
    said, _ = ask(home, records, "--yes", code=78)
    assert "imap.thief.example" in said and "vouches" in said
    assert "--imap HOST" in said
    said, _ = ask(home, records, input="\ny\n\n\n")
    assert 'host = "imap.thief.example"' in said


def test_a_domain_kept_by_a_known_provider(home):
    home.provider(".mx.localhost", "address")
    text, asked = ask(home, {("cabinet.example", MX):
                             [mx("a.mx.example", 1), mx("1.mx.localhost")]},
                      "--yes")
    assert 'user = "dr@cabinet.example"' in text
    assert f"port = {home.servers.port['imaps']}" in text
    assert asked == [("cabinet.example", MX)]


@pytest.mark.parametrize("answer", (
    b"\x81\x80\0\1\0\1\0\0\0\0\7cabinet\7example\0\0\x0f\0\1\xc0\x0c",
    b"\x81\x82\0\0\0\0\0\0\0\0", b"\x81\x80\0\1\0\1\0\0\0\0\xc0\x0c\0\x0f\0\1"))
def test_an_answer_that_is_none(home, answer):
    said, _ = ask(home, {("cabinet.example", MX): answer}, "--yes", code=78)
    assert "--imap HOST" in said and "not known" in said


def test_nobody_answers(home):
    said = home.setup("dr@cabinet.example", "--print",
                      input="\npop.cabinet.example\nsmtp.cabinet.example\n"
                      "\n\n")
    assert "not known" in said
    assert 'protocol = pop3\n\thost = "pop.cabinet.example"' in said


# the whole way

def test_the_first_day_of_a_practice(home):
    """setup, then the key, then a poll, silent as cron wants it."""
    keys = pathlib.Path(__file__).resolve().parents[2] / "keys/demo"
    home.setup("--yes", ADDRESS)
    state = home.folder / ".local/state/sceau"
    state.mkdir(parents=True, mode=0o700)
    for name in ("keystore", "keystore.key"):
        shutil.copy(keys / name.replace("keystore", "dr.martin.store"),
                    state / name)
        (state / name).chmod(0o600)
    assert home.sceau("poll") == ""
    assert wrong(home.sceau("check")) == []
