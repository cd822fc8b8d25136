"""sceau schedule: what it writes is what cron, systemd and launchd read; the
crontab of the machine is not touched (a stand-in for crontab keeps a file)."""

import plistlib
import re
import shutil
import subprocess

import pytest

from world.world import program

FAKE = """#!/bin/sh
# crontab -l | crontab FILE, of a file
case "$1" in
-l) [ -f "$HOME/tab" ] || { echo "no crontab for you" >&2; exit 1; }
    [ ! -f "$HOME/broken" ] || { echo "cannot read it" >&2; exit 1; }
    cat "$HOME/tab" ;;
*) cp "$1" "$HOME/tab" ;;
esac
"""


@pytest.fixture
def home(tmp_path):
    (tmp_path / "bin").mkdir()
    fake = tmp_path / "bin/crontab"
    fake.write_text(FAKE)
    fake.chmod(0o755)
    return tmp_path


@pytest.fixture
def schedule(home):
    def run(*words, code=0, **env):
        got = subprocess.run(
            [program(), "schedule", *words], capture_output=True, text=True,
            timeout=60, env={"HOME": str(home), "LANG": "C", "SCEAU_LOCALEDIR":
                             str(program().parent / "po/locale"),
                             "PATH": f"{home}/bin:/usr/bin:/bin", **env})
        assert got.returncode == code, got.stderr
        return got.stdout + got.stderr
    return run


def minutes(field):
    """Those of a field such as 3-59/5."""
    at, _, step = field.partition("-59/")
    return list(range(int(at), 60, int(step or 60)))


def test_a_line_of_the_crontab(home, schedule):
    (home / "tab").write_text("MAILTO=somebody\n0 4 * * * backup\n")
    schedule("--kind", "cron")
    line = (home / "tab").read_text().splitlines()[-1]
    m, h, dom, month, dow, command = line.split(" ", 5)
    assert (h, dom, month, dow) == ("8-19", "*", "*", "1,2,3,4,5,6")
    assert len(minutes(m)) == 12 and minutes(m)[0] < 5
    assert command == f"'{program()}' poll # sceau: poll"
    schedule("--kind", "cron", "--every", "60", "--hours", "7-8")
    lines = (home / "tab").read_text().splitlines()
    assert lines[:2] == ["MAILTO=somebody", "0 4 * * * backup"]
    assert len(lines) == 3 and re.match(r"\d+ 7 \* \* ", lines[2])
    schedule("--kind", "cron", "--remove")
    assert (home / "tab").read_text().splitlines() == lines[:2]


def test_the_first_line_of_a_crontab(home, schedule):
    schedule("--kind", "cron")
    assert len((home / "tab").read_text().splitlines()) == 1


def test_a_crontab_that_cannot_be_read_is_not_written(home, schedule):
    (home / "tab").write_text("0 4 * * * backup\n")
    (home / "broken").touch()
    said = schedule("--kind", "cron", code=75)
    assert "stays as it was" in said
    assert (home / "tab").read_text() == "0 4 * * * backup\n"


def test_it_is_spread(schedule):
    seen = {schedule("--kind", "cron", "--print", "--every", "30")
            for _ in range(40)}
    assert len(seen) > 8


def test_a_name_that_cron_and_sh_would_misread(home, schedule):
    conf = home / "it's 100% mine.conf"
    conf.write_text("")
    line = schedule("-c", conf, "--kind", "cron", "--print")
    command = line.split(" ", 5)[5].replace("\\%", "%")
    words = subprocess.run(["sh", "-c", "printf '%s\\n' " + command],
                           capture_output=True, text=True).stdout
    assert words.splitlines() == [str(program()), "-c", str(conf), "poll"]


def test_a_timer_of_systemd(home, schedule):
    said = schedule("--kind", "systemd", "--days", "sam-lun")
    assert "systemctl --user enable" in said
    folder = home / ".config/systemd/user"
    timer = (folder / "sceau.timer").read_text()
    got = re.search(r"OnCalendar=(\S+) \*-\*-\* 8\.\.19:(\d)/5:(\d\d)\n",
                    timer)
    assert got and got.group(1) == "Mon,Sat,Sun"
    assert f'ExecStart="{program()}" poll' in \
        (folder / "sceau.service").read_text()
    if shutil.which("systemd-analyze"):
        calendar = re.search("OnCalendar=(.*)", timer).group(1)
        subprocess.run(["systemd-analyze", "calendar", calendar],
                       check=True, capture_output=True)
    schedule("--kind", "systemd", "--remove")
    assert list(folder.iterdir()) == []


def test_an_agent_of_launchd(home, schedule):
    schedule("--kind", "launchd", "--every", "20", "--hours", "9-12")
    path = home / "Library/LaunchAgents/fr.sceau.poll.plist"
    agent = plistlib.loads(path.read_bytes())
    assert agent["ProgramArguments"] == [str(program()), "poll"]
    times = agent["StartCalendarInterval"]
    assert len(times) == 6 * 3 * 3
    assert {t["Weekday"] for t in times} == {1, 2, 3, 4, 5, 6}
    assert {t["Hour"] for t in times} == {9, 10, 11}
    assert len({t["Minute"] for t in times}) == 3


@pytest.mark.parametrize("words", (
    ("--every", "7"), ("--every", "0"), ("--hours", "20-8"),
    ("--hours", "8-25"), ("--hours", "8"), ("--days", "monday"),
    ("--days", "mon,"), ("--days", ""), ("--kind", "at")))
def test_what_cannot_be_meant(home, schedule, words):
    said = schedule(*words, "--kind", "cron", code=78) \
        if words[0] != "--kind" else schedule(*words, code=78)
    assert words[0] in said
    assert not (home / "tab").exists()


def test_in_french(schedule):
    assert "--hours 20-8" in schedule("--hours", "20-8", "--lang", "fr",
                                      code=78)
    assert "crontab" in schedule("--kind", "cron", "--lang", "fr")
