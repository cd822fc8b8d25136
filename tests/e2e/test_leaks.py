"""No process loses memory, however it ends: each looks for leaks before it
leaves.  For that none is confined (SCEAU_FAULT_LEAKS).  Wants a build with
--enable-sanitizers and --enable-fault: make check-asan, or ./runtests."""

import os
import re
import signal

import pytest

from fault.places import Day
from test_sandbox import practice
from test_year_over import NEXT, Year, at
from world.demo import PEOPLE
from world.relay import ENGINES
from world.world import program

pytestmark = pytest.mark.leaks
PARTS = ("fetch", "relay", "keeper", "vault", "clerk")


class Reports:
    """What the processes of this test have lost."""

    def __init__(self, folder):
        self.folder = folder

    def texts(self):
        return [p.read_text() for p in self.folder.iterdir()]

    def none(self):
        assert "\n".join(self.texts())[:4000] == ""

    def planted(self):
        """How many processes report what fault_leak() loses, and nothing
        else; they are forgotten."""
        texts = self.texts()
        for text in texts:
            lost = re.findall(r"leak of .*?(?=\n\n|\Z)", text, re.S)
            assert lost and all("fault_leak" in x for x in lost), text[:4000]
        for p in self.folder.iterdir():
            p.unlink()
        return len(texts)


@pytest.fixture
def reports(tmp_path, monkeypatch):
    if b"__lsan_do_recoverable_leak_check" not in program().read_bytes():
        pytest.skip("built without --enable-sanitizers")
    folder = tmp_path / "reports"
    folder.mkdir()
    monkeypatch.setenv("ASAN_OPTIONS", f"{os.environ.get('ASAN_OPTIONS', '')}"
                       f":detect_leaks=1:log_path={folder}/lost")
    monkeypatch.setenv("SCEAU_FAULT_LEAKS", "1")
    return Reports(folder)


# -- what is lost is found: else the rest proves nothing

@pytest.mark.parametrize("part", PARTS)
def test_one_part_loses_memory(demo, reports, part):
    dr = practice(demo)
    reports.none()
    dr.ok("poll", SCEAU_FAULT=f"sandbox@{part}:leak")
    assert reports.planted() == 1


def test_the_others_lose_memory(demo, forger, reports):
    """What is lost before a fork each process has lost: so each is looked
    at, those too that enter no sandbox."""
    year = Year(demo, forger.maker(NEXT)).lived(forger)
    year.member.ok("poll", **at(4, 3))
    year.member.ok("poll", SCEAU_FAULT="erase.confined:leak", **at(4, 11))
    assert reports.planted() == 1
    dr = practice(demo)
    for part in ("fetch", "relay"):
        dr.ok("check", SCEAU_FAULT=f"sandbox@{part}:leak")
        assert reports.planted() == 1
    demo.labo.sceau("send", "-t", SCEAU_FAULT="main:leak",
                    input=demo.mail_of("INR", demo.dr))
    assert reports.planted() == 3       # it, the vault, the composer
    dr.sceau("seal", "--to", demo.labo.name, SCEAU_FAULT="main:leak",
             input=demo.mail_of("INR", demo.labo, sender=dr))
    assert reports.planted() == 1


# -- nothing is

def as_maildir(member):
    box = member.home / "box"
    for name in ("new", "cur", "tmp"):
        (box / name).mkdir(parents=True)
    (box / "new/1.mail").write_bytes(member.mail()[0])
    member.conf.write_text(re.sub(
        r'(account "mailbox" \{).*?\n\}', rf"""\1
    protocol = maildir
    path = "{box}"
}}""", member.conf.read_text(), flags=re.S))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("protocol", ["imap", "pop3", "maildir"])
def test_a_pass(demo, reports, monkeypatch, protocol, engine):
    if protocol != "maildir":
        monkeypatch.setattr(demo.dr, "protocol", protocol)
        demo.dr.configure()
    dr = practice(demo)
    if protocol == "maildir":
        as_maildir(dr)
    dr.conf.write_text(dr.conf.read_text().replace(
        "    tls = starttls\n",
        f"    tls = starttls\n    engine = {engine}\n"))
    dr.ok("poll")
    assert dr.shown()
    demo.labo.ok("poll")
    assert demo.labo.states() == {demo.dr.name: "received"}
    reports.none()


@pytest.mark.parametrize("who", Day.WHO)
def test_each_thing_of_a_day(demo, forger, reports, who):
    """Twice: the second time there is something before."""
    day = Day(demo, forger)
    for _ in range(2):
        member, words, text = Day.WHO[who](day)
        member.ok(*words, input=text) if who != "wrong" else \
            member.sceau(*words, input=text)
    reports.none()


def test_a_pass_in_trouble(demo, forger, reports):
    """Nobody answers, a login is refused, mail is damaged, forged or not for
    us, a recipient is refused, a folder cannot be written to."""
    dr = practice(demo)
    good = forger.mail(demo.labo, dr, demo.mail_of("INR", dr))
    demo.post(dr, good[:-300], good.replace(b"A", b"B", 40),
              forger.mail(demo.labo, demo.durand, b"From: a@b.example\r\n\r\n"),
              forger.mail(demo.labo, dr, b"no mail"))
    assert dr.sceau("poll").code == 65
    dr.configure(user="durand")
    assert dr.sceau("poll").code == 77
    for more in ({"port": 1}, {"relay_port": 1}):
        dr.configure(**more)
        demo.send("INR 2,2", demo.labo, sender=dr)
        assert dr.sceau("poll").code != 0
    demo.send("INR 2,3", dr)
    demo.labo.ok("poll")
    dr.configure(top={"language": "fr"}, deliver={"attachments": "/proc/no"})
    assert dr.sceau("poll").code != 0
    reports.none()


def test_it_stays_and_is_ended(demo, reports):
    """Two documents: the server tells of the second."""
    who = demo.durand
    run = who.start("run")
    try:
        for n in (1, 2):
            demo.send(f"INR 2,{n}", who)
            demo.labo.ok("poll")
            demo.wait_until(lambda: len(who.shown()) == n, 30, "a document")
    finally:
        run.send_signal(signal.SIGTERM)
        _, err = run.communicate(timeout=60)
    assert run.returncode == 0, err
    reports.none()


def test_a_year_is_erased(demo, forger, reports):
    year = Year(demo, forger.maker(NEXT)).lived(forger)
    secrets = year.secrets()
    assert year.spring().code == 0 and year.erased(secrets)
    reports.none()


def test_check_and_its_probes(demo, reports):
    for who in PEOPLE:
        getattr(demo, who).sceau("check")
    reports.none()
