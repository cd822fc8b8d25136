"""sceau called as programs call sendmail."""

import os
import subprocess

import pytest


def sendmail(member, *words, data=b"", **env):
    link = member.folder / "sendmail"
    if not link.exists():
        link.symlink_to(member.world.sceau)
    # Such programs give no -c: the configuration is where it is looked for.
    home = member.home / ".config/sceau"
    home.mkdir(parents=True, exist_ok=True)
    (home / "sceau.conf").write_text(member.conf.read_text())
    return subprocess.run([link, *words], input=data, capture_output=True,
                          timeout=60, cwd=member.home,
                          env=member.environment(**env))


def queued(member):
    return sorted(r["to"].partition("#")[0]
                  for r in member.ok("queue", "list", "--json").json()
                  if r["type"] == "queued")


def mail(demo, fields="To: {dr}", body="INR 2,1"):
    fields = fields.format(dr=demo.dr.address, durand=demo.durand.address)
    return (f"From: {demo.labo.address}\n{fields}\n"
            f"Subject: INR\n\n{body}\n").encode()


@pytest.mark.parametrize("words", (
    ("-t",), ("-ti",), ("-t", "-i"), ("-t", "-oi"), ("-oi", "-t"),
    ("-t", "-f", "labo.central@labo.example"), ("-flabo@x.example", "-t"),
    ("-i", "-B8BITMIME", "-t"), ("-bm", "-t"), ("-G", "-t"), ("-h", "3", "-t"),
    ("-O", "Timeout=1m", "-t"), ("-oem", "-odb", "-t"), ("-F", "Labo", "-t"),
    ("-N", "never", "-R", "hdrs", "-V", "x", "-t"), ("-em", "-t"),
    ("-v", "-n", "-m", "-U", "-t"), ("-X", "/dev/null", "-t")))
def test_options_of_sendmail(demo, words):
    got = sendmail(demo.labo, *words, data=mail(demo))
    assert got.returncode == 0, got.stderr.decode()
    assert queued(demo.labo) == [demo.dr.name]


def test_recipients_on_the_command_line(demo):
    got = sendmail(demo.labo, "-oi", "--", demo.durand.address,
                   data=mail(demo))
    assert got.returncode == 0, got.stderr.decode()
    assert queued(demo.labo) == [demo.durand.name]


def test_both(demo):
    got = sendmail(demo.labo, "-t", demo.durand.address, demo.dr.address,
                   data=mail(demo))
    assert got.returncode == 0, got.stderr.decode()
    assert queued(demo.labo) == sorted([demo.dr.name, demo.durand.name])


def test_bcc_alone(demo):
    got = sendmail(demo.labo, "-t", data=mail(demo, "Bcc: {dr}"))
    assert got.returncode == 0, got.stderr.decode()
    assert queued(demo.labo) == [demo.dr.name]
    demo.labo.ok("poll")
    demo.dr.ok("poll")
    assert b"Bcc" not in demo.dr.shown()[0]


@pytest.mark.parametrize("words,data", (
    (("-t",), b"From: labo.central@labo.example\nSubject: x\n\nx\n"),
    (("-i",), b"From: labo.central@labo.example\nSubject: x\n\nx\n"),
    (("-t",), b""),
    (("-t", "-bs"), b"EHLO x\n"),
    (("-bp",), b""),
    (("--nonsense", "-t"), b"To: dr.martin@cabinet.example\n\nx\n"),
    (("-i", "nobody@nowhere.example"), b"Subject: x\n\nx\n"),
    (("-i", "dr.martin@cabinet.example", "nobody@nowhere.example"),
     b"Subject: x\n\nx\n"),
))
def test_what_is_refused_is_refused_whole(demo, words, data):
    got = sendmail(demo.labo, *words, data=data)
    assert got.returncode in (64, 65, 67), (got.returncode, got.stderr)
    assert got.stderr != b""
    assert queued(demo.labo) == []


@pytest.mark.parametrize("n,name,says", (
    (1001, "m{}@x.example", b"more than 1000 recipients"),
    (6000, "m{}" + "x" * 190 + "@x.example", b"more than 1000 recipients"),
    (1, "{}" + "x" * 4000 + "@x.example", b"longer than any address"),
    (1, "{}" + "x" * 120_000 + "@x.example", b"longer than any address")))
def test_more_than_anybody_writes_to(demo, n, name, says):
    """On the command line, where nothing counts them."""
    got = sendmail(demo.labo, *(name.format(i) for i in range(n)),
                   data=mail(demo))
    assert got.returncode == 65, got.stderr[-300:]
    assert says in got.stderr and b"nothing was sent" in got.stderr
    assert len(got.stderr) < 400 and queued(demo.labo) == []
    assert sendmail(demo.labo, demo.dr.address,
                    data=mail(demo)).returncode == 0


@pytest.mark.parametrize("data", (b"", b"\n", b"no header at all\n",
                                  b"\0\1\2\xff" * 100, b"x" * 70000))
def test_input_that_is_no_mail(demo, data):
    """Taken, with our own header before it, or refused; never half."""
    got = sendmail(demo.labo, "-i", demo.dr.address, data=data)
    assert got.returncode in (0, 65), (got.returncode, got.stderr)
    assert len(queued(demo.labo)) == (got.returncode == 0)
    demo.labo.ok("poll")
    got_there = demo.dr.sceau("poll")
    assert got_there.code == 0 and len(demo.dr.shown()) == \
        (got.returncode == 0), got_there.text()


def test_output_nobody_reads(demo):
    """A closed standard output must not undo what was promised, nor say 0
    for what was not."""
    read, write = os.pipe()
    os.close(read)
    with open(demo.labo.folder / "m", "wb") as f:
        f.write(mail(demo))
    with open(demo.labo.folder / "m", "rb") as f:
        code = subprocess.run(
            [demo.labo.world.sceau, "-c", demo.labo.conf, "send", "-t",
             "--json"], stdin=f, stdout=write, stderr=subprocess.DEVNULL,
            env=demo.labo.environment(), cwd=demo.labo.home).returncode
    os.close(write)
    assert code == 0
    assert queued(demo.labo) == [demo.dr.name]
