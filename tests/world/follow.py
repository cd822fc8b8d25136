"""A laboratory on an injected clock, and what its commands were told.

The days are those of the first week that begins three days from now: by then
the program is built, and no summer time begins or ends within it.
"""

import datetime
import zoneinfo

from pysceau import code, kdf

PARIS = zoneinfo.ZoneInfo("Europe/Paris")
NBSP = "\u00a0"
DAY = 86400
MONTHS = ("janvier février mars avril mai juin juillet août septembre octobre "
          "novembre décembre").split()


def _monday():
    day = datetime.date.today() + datetime.timedelta(days=3)
    while True:
        day += datetime.timedelta(days=-day.weekday() % 7)
        week = [at(n, 12, 0, day) for n in (-7, 21)]
        if week[1] - week[0] == 28 * DAY:
            return day
        day += datetime.timedelta(days=7)


def at(days, hour, minute=0, monday=None):
    """That moment on the walls of Paris, so many days after the Monday."""
    day = (monday or MONDAY) + datetime.timedelta(days=days)
    return int(datetime.datetime(day.year, day.month, day.day, hour, minute,
                                 tzinfo=PARIS).timestamp())


MONDAY = _monday()


def said(when):
    """As French people read it, with plain blanks."""
    t = datetime.datetime.fromtimestamp(when, PARIS)
    return (f"{t.day}{'er' if t.day == 1 else ''} {MONTHS[t.month - 1]} "
            f"{t.year}, {t.hour} h {t.minute:02}")


def plain(text):
    return text.replace(NBSP, " ")


def clock(when):
    return {"SCEAU_FAULT_CLOCK": f"@{when}", "TZ": "Europe/Paris"}


class Follower:
    """member: told in French of alarms, once a day by a mail."""

    def __init__(self, member):
        self.member = member
        self.told, self.mails = (member.home / n for n in ("told", "mails"))
        self.metrics = member.home / "sceau.prom"
        self.configure()

    def configure(self, top=None, **more):
        self.member.configure(top={
            "language": "fr", "working_hours": "lun-sam 8-20",
            "late": "4 heures ouvrées",
            "alarm_command": f"cat >>{self.told}",
            "digest_to": "biologiste@labo.example", "digest_at": 7,
            "digest_command": f"cat >>{self.mails}; echo ++++ >>{self.mails}",
            "metrics_file": str(self.metrics), **(top or {})}, **more)

    def take_key(self, maker, year, until, when, **more):
        """Import the key file of that year, good to write until then.
        maker: pysceau's Association; own_keys() is configured."""
        member, octets = self.member, kdf.b2sum(b"code of %d" % year)[:15]
        path = member.folder / f"{year}.cle"
        path.write_bytes(maker.key_file(
            member.name.encode(), year, octets,
            dates=(at(0, 0) - 300 * DAY, until, until + 400 * DAY), **more))
        slip = member.secret("code", code.format(octets) + "\n")
        member.ok("key", "import", "--code-file", slip, path, **clock(when))

    def own_keys(self):
        """Settings of a key store of its own, empty at first."""
        return {"keystore": str(self.member.state / "keystore"),
                "keystore_key": str(self.member.state / "keystore.key")}

    def poll(self, when, code=0, **env):
        """A pass at that time; what it said, less that demonstration keys are
        no keys."""
        got = self.member.sceau("poll", **clock(when), **env)
        assert got.code == code, got.text()
        assert got.stdout == b""
        return "".join(line + "\n" for line in got.stderr.decode().splitlines()
                       if "event=key.demo" not in line)

    def news(self):
        """What the alarm command was told since the last time."""
        text = self.told.read_text() if self.told.exists() else ""
        self.told.unlink(missing_ok=True)
        return plain(text)

    def digests(self):
        """The mails that were given away since the last time."""
        text = self.mails.read_text() if self.mails.exists() else ""
        self.mails.unlink(missing_ok=True)
        return text.split("++++\n")[:-1]

    def alarms(self, when):
        """{(rule, subject): row} that `status` shows."""
        rows = self.member.ok("status", "--json", **clock(when)).json()
        return {(r["rule"], r["subject"]): r for r in rows
                if r["type"] == "alarm"}

    def rules(self, when):
        return sorted(rule for rule, _ in self.alarms(when))

    def events(self, when):
        return [e["event"] for e in self.member.ok(
            "log", "--days", "30", "--json", **clock(when)).json()]

    def figures(self):
        """metrics_file: {name, or name{label="value"}: number}; each name has
        its help and its type before it."""
        known, out = set(), {}
        for line in self.metrics.read_text().splitlines():
            word = line.split(" ")
            if line.startswith("#"):
                known.add((word[1], word[2]))
                continue
            name = word[0].partition("{")[0]
            assert {("HELP", name), ("TYPE", name)} <= known, line
            assert word[0] not in out and len(word) == 2, line
            out[word[0]] = int(word[1])
        return out
