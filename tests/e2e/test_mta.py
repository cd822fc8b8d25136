"""sceau among the mail programs of a system: the examples of conf/ in a real
Postfix and procmail, mutt and s-nail, and what cron mails of it.  Everything
runs as an ordinary user."""

import os
import pathlib
import shutil
import smtplib
import ssl
import subprocess

import pytest

from world.association import Association
from world.dovecot import wait_until
from world.postfix import Postfix
from world.terminal import Terminal
from world.world import TOP, World, program

ACCOUNT = "nobody"


class Office(World):
    """A laboratory and a practice, with keys of their own."""

    def __init__(self):
        super().__init__()
        (self.top / "bin").mkdir()
        self.sceau = self.top / "bin/sceau"
        self.labo = self.member("labo", "labo.example")
        self.dr = self.member("dr", "cabinet.example", kind="maildir")

    def start(self):
        shutil.copy(program(), self.sceau)      # an ordinary user may run it
        (self.top / "bin/sendmail").symlink_to(self.sceau)
        super().start()
        asso = Association(self, 2026)
        asso.found([self.labo, self.dr],
                   {"labo": "laboratory", "dr": "practice"})
        asso.batch()
        for member in (self.labo, self.dr):
            member.configure(top={"log_level": "warn"})
            asso.equip(member)
            home = member.home / ".config/sceau"
            home.mkdir(parents=True)
            (home / "sceau.conf").symlink_to(member.conf)
            member.give(ACCOUNT)
        return self

    def mail(self, text):
        return (f"From: {self.labo.address}\r\nTo: {self.dr.address}\r\n"
                f"Subject: INR\r\n\r\n{text}\r\n").encode()

    def sealed(self, text):
        """That, as it would lie in the practice's mailbox."""
        self.labo.ok("send", "-t", input=self.mail(text))
        self.labo.ok("poll")
        wait_until(self.dr.mail, 20, "the mail")
        return self.take(self.dr)

    def run(self, member, *words, input="", **env):
        """Another program, as the member."""
        got = subprocess.run(
            [str(w) for w in words], input=input, text=True, timeout=60,
            capture_output=True, cwd=member.home,
            env=member.environment(**env), **member.rights())
        assert got.returncode == 0, got.stdout + got.stderr
        return got.stdout + got.stderr

    def arrives(self, text):
        """What the laboratory has queued is relayed, and read."""
        self.labo.ok("poll")
        wait_until(self.dr.mail, 20, "the mail")
        self.dr.ok("poll")
        assert text.encode() in self.last()

    def queued(self):
        return len([r for r in self.labo.ok("queue", "list",
                                            "--json").json()
                    if r["type"] == "queued"])

    def last(self):
        return self.dr.documents()[-1].read_bytes()


@pytest.fixture(scope="module")
def office(sceau):
    with Office() as o:
        yield o.start()


# Postfix

def services(office):
    """conf/postfix/master.cf, for the two of us."""
    text = (TOP / "conf/postfix/master.cf").read_text()
    text = text.replace("/usr/local/bin/sceau", str(office.sceau)) \
        .replace("user=sceau", f"user={ACCOUNT}")
    receive, mark, send = text.partition("sceau-send")
    usual = "/etc/sceau/sceau.conf"
    assert usual in receive and usual in send
    return receive.replace(usual, str(office.dr.conf)) + mark + \
        send.replace(usual, str(office.labo.conf))


@pytest.fixture(scope="module")
def postfix(office):
    table = office.top / "transport"
    table.write_text("dr@example.test sceau-open:\n"
                     "cabinet.example sceau-send:\n")
    main = (TOP / "conf/postfix/main.cf").read_text().replace(
        "hash:/etc/postfix/sceau", f"texthash:{table}")
    assert str(table) in main
    with Postfix(office.cert, {"labo": "secret"}, boxes=("dr", "labo"),
                 extra=main, services=services(office)) as server:
        yield server


def deliver(server, data):
    """To the practice's address, from anywhere."""
    with smtplib.SMTP("127.0.0.1", server.port["plain"]) as s:
        s.sendmail("anybody@elsewhere.example", ["dr@example.test"], data)


def submit(server, to, data):
    """From the laboratory's software, which logs in."""
    with smtplib.SMTP("127.0.0.1", server.port["submission"]) as s:
        s.starttls(context=ssl._create_unverified_context())
        s.login("labo", "secret")
        s.sendmail("labo@example.test", to, data)


def test_postfix_delivers_to_sceau(office, postfix):
    sealed = office.sealed("INR by Postfix")
    before = len(office.dr.documents())
    deliver(postfix, sealed)
    wait_until(lambda: "delivered via sceau-open" in postfix.log(), 20,
               "Postfix\n" + postfix.log())
    assert len(office.dr.documents()) == before + 1
    assert b"INR by Postfix" in office.last()


def test_postfix_keeps_what_sceau_cannot_take(office, postfix):
    sealed = office.sealed("INR kept by Postfix")
    before = len(office.dr.documents())
    conf = office.dr.conf.read_text()
    office.dr.conf.write_text("nonsense\n")
    deliver(postfix, sealed)
    wait_until(lambda: "status=deferred" in postfix.log(), 20, "Postfix")
    assert "status=bounced" not in postfix.log()
    office.dr.conf.write_text(conf)
    postfix.flush()
    wait_until(lambda: len(office.dr.documents()) == before + 1, 20,
               "the second try")
    assert b"INR kept by Postfix" in office.last()


def test_postfix_sends_through_sceau(office, postfix):
    submit(postfix, ["dr@cabinet.example"], office.mail("INR by a software"))
    wait_until(lambda: office.queued() == 1, 20, "sceau send")
    office.arrives("INR by a software")


def test_postfix_returns_what_cannot_be_sealed(office, postfix):
    submit(postfix, ["dr@cabinet.example", "nobody@cabinet.example"],
           office.mail("INR for nobody"))
    returned = postfix.mails("labo@example.test")[0]
    assert b"nobody@cabinet.example" in returned
    assert office.queued() == 0, "sealed for one of two recipients"


# procmail

def procmail(office, data):
    rules = (TOP / "conf/procmail/procmailrc").read_text().replace(
        "/usr/local/bin/sceau", str(office.sceau))
    rc = office.dr.home / ".procmailrc"
    rc.write_text(f"HOME={office.dr.home}\n"
                  f"DEFAULT={office.dr.home}/mbox\n{rules}")
    os.chown(rc, 65534, 65534)
    return subprocess.run(
        ["procmail", "-m", rc], input=data, capture_output=True,
        cwd=office.dr.home, env=office.dr.environment(),
        **office.dr.rights()).returncode


def test_procmail_delivers_to_sceau(office):
    sealed = office.sealed("INR by procmail")
    mbox = office.dr.home / "mbox"
    conf = office.dr.conf.read_text()
    office.dr.conf.write_text("nonsense\n")
    assert procmail(office, sealed) == 75
    assert not mbox.exists()
    office.dr.conf.write_text(conf)
    assert procmail(office, sealed) == 0
    assert b"INR by procmail" in office.last() and not mbox.exists()
    assert procmail(office, b"Subject: not sealed\n\nhello\n") == 0
    assert b"not sealed" in mbox.read_bytes()


# mail programs

def test_s_nail_sends_and_reads(office):
    office.run(office.labo, "s-nail", "-n",
               "-S", f"mta={office.top}/bin/sendmail",
               "-r", office.labo.address, "-s", "INR", office.dr.address,
               input="INR by s-nail\n")
    assert office.queued() == 1
    office.arrives("INR by s-nail")
    box = f"maildir://{office.dr.inbox}"
    shown = office.run(office.dr, "s-nail", "-n", "-R", "-S", "folder-hook=",
                       "-f", box, input="print $\nquit\n")
    assert "INR by s-nail" in shown and office.labo.address in shown


def test_mutt_sends_and_reads(office):
    office.run(office.labo, "mutt", "-n", "-F", "/dev/null",
               "-e", f'set sendmail="{office.top}/bin/sendmail"',
               "-e", f"set from={office.labo.address}",
               "-e", 'set copy=no', "-s", "INR", "--", office.dr.address,
               input="INR by mutt\n")
    assert office.queued() == 1
    office.arrives("INR by mutt")
    with Terminal(["/usr/bin/mutt", "-n", "-F", "/dev/null", "-R",
                   "-f", office.dr.inbox,
                   "-e", f"set folder={office.dr.home} wait_key=no",
                   "-e", "push '<limit>~b \"by mutt\"<enter>"
                         "<display-message>'"],
                  {**office.dr.environment(), "TERM": "vt100"}) as person:
        person.expect("INR by mutt")


# cron

CRON = """\
mount -t tmpfs none /run
mount --bind {top}/cron /var/spool/cron
mount --bind {top}/cron/none /etc/crontab
mount --bind {top}/cron/none.d /etc/cron.d
mount --bind {top}/cron/etc /usr/local/etc
mount --bind {sceau} /usr/sbin/sendmail
exec cron -f
"""


@pytest.fixture
def cron(office):
    """cron(lines): a real cron that runs them at once (@reboot), with a world
    of mounts of its own, where sendmail is sceau, until nothing runs."""
    top = office.top / "cron"
    for name in ("crontabs", "none.d", "etc/sceau"):
        (top / name).mkdir(parents=True)
    (top / "none").touch()
    (top / "etc/sceau/sceau.conf").symlink_to(office.labo.conf)

    def run(*lines):
        for done in office.dr.home.glob("done.*"):
            done.unlink()
        tab = top / "crontabs" / ACCOUNT
        tab.write_text("".join(line + "\n" for line in (
            f"HOME={office.dr.home}", f"MAILTO={office.dr.address}",
            *(f"@reboot {line}; touch {office.dr.home}/done.{i}"
              for i, line in enumerate(lines)))))
        os.chown(tab, 65534, -1)
        tab.chmod(0o600)
        process = subprocess.Popen(
            ["unshare", "-m", "sh", "-euc",
             CRON.format(top=office.top, sceau=office.sceau)],
            stdin=subprocess.DEVNULL, stderr=(top / "log").open("ab"),
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C"})
        children = pathlib.Path(
            f"/proc/{process.pid}/task/{process.pid}/children")
        try:
            wait_until(lambda: process.poll() is not None or all(
                (office.dr.home / f"done.{i}").exists()
                for i in range(len(lines))), 20, "cron")
            assert process.poll() is None, (top / "log").read_text()
            wait_until(lambda: not children.read_text(), 20, "its jobs")
        finally:
            process.terminate()
            process.wait()
    return run


def test_cron_is_silent_or_useful(office, cron):
    """A pass with a delivery in it says nothing; one that fails is mailed,
    by sceau as sendmail, and says what to look at."""
    broken = office.dr.folder / "broken.conf"
    text = office.dr.conf.read_text()
    port = str(office.dovecot.port["imaps"])
    broken.write_text(text.replace(f"port = {port}", "port = 1"))
    os.chown(broken, 65534, 65534)
    office.labo.ok("send", "-t", input=office.mail("INR under cron"))
    office.labo.ok("poll")
    wait_until(office.dr.mail, 20, "the mail")
    cron(f"{office.sceau} -c {office.dr.conf} poll")
    assert b"INR under cron" in office.last()
    assert office.queued() == 0, "cron had something to mail"
    cron(f"{office.sceau} -c {broken} poll")
    assert office.queued() == 1
    office.arrives("localhost, port 1: no connection")
