"""The commands under trial that carry mail, for the campaigns: how each is
prepared, how it is run, and what must hold once it has been run again with
nothing failing.  Those of keys are in homes.py, the issuer's in desks.py and
sisters.py."""

import copy
import pathlib
import shutil
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from fault.judge import TOKEN, lying            # noqa: E402
from pysceau import envelope                    # noqa: E402
from world.demo import YEAR, mark               # noqa: E402
from world.outbox import report                 # noqa: E402
from world.verdict import settle, shown_once    # noqa: E402

REPORTS = (b"AddressSanitizer", b"LeakSanitizer", b"runtime error:",
           b"BUG ", b"assertion")
PREPARED_S = 300        # clocks go on: not older than that
SYSEXITS = (0, 64, 65, 66, 67, 69, 70, 71, 73, 74, 75, 77, 78)


class Case:
    """One command: how it is prepared, how it is run, what must hold once it
    has been run again without a failure.  who: whose store it works on."""

    who = "dr"

    def __init__(self, demo, forger, history=lambda demo: None):
        self.demo, self.forger, self.history = demo, forger, history
        self.data = demo.mail_of("INR 2,1", demo.dr)
        self.place, self.begun_at = f"prepared-{id(self)}", -PREPARED_S

    def begin(self):
        """As prepare() leaves it; put back from what it left, when that was
        not long ago."""
        if time.monotonic() - self.begun_at < PREPARED_S:
            self.demo.load(self.place)
            self.__dict__.update(self._copied(self.begun))
            return
        self.prepare()
        self.demo.save(self.place)
        self.begun_at = time.monotonic()
        self.begun = self._copied(vars(self))

    def _copied(self, values):
        """The world is one; its parts are not copied."""
        parts = (self.demo, self.forger, *self.demo.members.values())
        return copy.deepcopy({k: v for k, v in values.items()
                              if k != "begun"}, {id(p): p for p in parts})

    def prepare(self):
        self.demo.fresh()
        self.history(self.demo)

    def run(self, **env):
        raise NotImplementedError

    def judge(self, first):
        """first: the Result with the failure; the command was run again."""

    @property
    def me(self):
        return getattr(self.demo, self.who)

    def folders(self):
        """Where a disk may take no more."""
        return {"state": self.me.state, "inbox": self.me.inbox}


def leftovers(paths, first):
    """Temporary files, but those that a run which failed has named."""
    return [p for p in paths if (".tmp" in p.name or ".new" in p.name) and
            (first.code == 0 or p.name.encode() not in first.stderr)]


class Quiet(Case):
    """A command that only tells: with exit 0 it tells the same."""

    words = ()
    input = b""
    who = "labo"

    def prepare(self):
        super().prepare()
        self.demo.labo.ok("send", "-t", input=self.data)

    def run(self, **env):
        return self.me.sceau(*self.words, input=self.input, **env)

    def judge(self, first):
        again = self.run()
        assert again.code == 0, again.text()
        if first.code == 0:
            assert first.stdout == again.stdout, "exit 0 with less"


class Prove(Quiet):
    """Of one message, by its number."""

    def prepare(self):
        super().prepare()
        t = self.demo.labo.ok("register", "list", "--json").json()[-1]["t"]
        self.words = "register", "prove", t


class Held1(Quiet):
    """Of one that is held."""

    words = "held", "show", "1", "--json"
    who = "dr"

    def prepare(self):
        super().prepare()
        d = self.demo
        d.post(d.dr, self.forger.mail(d.labo, d.dr, self.data, year=YEAR + 1))
        assert d.dr.sceau("poll").code == 65
        self.words = "held", "show", str(d.dr.held()[0]["id"]), "--json"


class Inbox(Quiet):
    words = "inbox", "--json"
    who = "dr"

    def prepare(self):
        super().prepare()
        self.demo.labo.ok("poll")
        self.demo.dr.ok("poll")


class Hprim(Quiet):
    """No store, no configuration: a file."""

    def prepare(self):
        super().prepare()
        path = self.demo.labo.home / "r.hpr"
        path.write_bytes(report())
        self.words = "hprim", "check", path, "--json"


def quiet(*words):
    return type("_".join(words).replace("-", ""), (Quiet,), {"words": words})


class Send(Case):
    who = "labo"

    def run(self, **env):
        return self.demo.labo.sceau("send", "-t", input=self.data, **env)

    def judge(self, first):
        queued = len(self.demo.labo.ok("queue", "list", "--json").json())
        assert queued == 1 if first.code == 0 else queued in (0, 1)
        settle(self.demo.labo)
        settle(self.demo.dr)
        assert self.demo.dr.shown() == [self.data] * queued


class Seal(Case):
    who = "labo"

    def run(self, **env):
        return self.demo.labo.sceau("seal", "--to", self.demo.dr.name,
                                    input=self.data, **env)

    def judge(self, first):
        if first.code != 0:
            return
        back = self.demo.dr.ok("open", input=first.stdout)
        assert back.stdout == self.data, "exit 0 for another envelope"


class Open(Case):
    def prepare(self):
        super().prepare()
        self.env = self.forger.seal(self.demo.labo, self.demo.dr, self.data)

    def run(self, **env):
        return self.demo.dr.sceau("open", input=self.env, **env)

    def judge(self, first):
        assert first.stdout in (b"", self.data) or first.code != 0
        assert first.code != 0 or first.stdout == self.data


class Mda(Case):
    """The delivery agent of a mail server: with 0 it forgets the mail, with
    75 it comes again; with anything else it would return it."""

    def prepare(self):
        super().prepare()
        d = self.demo
        if d.dr.mail():
            d.dr.ok("poll")
        d.labo.ok("send", "-t", input=self.data)
        d.labo.ok("poll")
        self.mail = d.take(d.dr)

    def run(self, **env):
        return self.demo.dr.sceau("open", "--mda", input=self.mail, **env)

    def judge(self, first):
        # A signal is "try again" as well.
        assert first.code in (0, 75) or first.code < 0, f"exit {first.code}"
        if first.code != 0:
            assert (again := self.run()).code == 0, again.text()
        self.there()
        assert (again := self.run()).code == 0, again.text()
        self.there()
        settle(self.demo.labo)
        assert self.demo.dr.held() or self.heard() == {"received"}

    def there(self):
        """Shown once, or held for a person, whoever gives it again."""
        dr = self.demo.dr
        settle(dr)
        assert len(dr.held()) <= 1
        shown_once(dr, [] if dr.held() else [self.data])

    def heard(self):
        return {r["state"] for r in
                self.demo.labo.ok("status", "--json").json()
                if r["type"] == "sent" and self.demo.dr.name in r["to"]}


class Receive(Case):
    def prepare(self):
        super().prepare()
        d, me = self.demo, self.me
        self.mails = [d.mail_of(f"INR {n}", me) for n in range(3)]
        d.post(me, *(self.forger.mail(d.labo, me, m) for m in self.mails))

    def run(self, **env):
        return self.me.sceau("poll", **env)

    def judge(self, first):
        if first.code == 0:
            assert sorted(self.me.shown()) == sorted(self.mails)
        settle(self.me)
        shown_once(self.me, self.mails)
        assert self.me.mail() == [] and self.me.held() == []


class ReceiveImap(Receive):
    who = "durand"


class Relay(Case):
    who = "labo"

    def prepare(self):
        super().prepare()
        self.demo.labo.ok("send", "-t", input=self.data)

    def run(self, **env):
        return self.demo.labo.sceau("poll", **env)

    def judge(self, first):
        d = self.demo
        for row in d.labo.ok("queue", "list", "--json").json():
            d.labo.ok("queue", "retry", row["id"])
        settle(d.labo)
        settle(d.dr)
        shown_once(d.dr, [self.data])


class Gateway(Case):
    """Opened, sealed again, relayed."""

    who = "hub"

    def prepare(self):
        super().prepare()
        d = self.demo
        self.data = d.mail_of("INR 2,1", d.petit)
        d.labo.ok("send", "-t", input=self.data)
        d.labo.ok("poll")

    def run(self, **env):
        return self.demo.hub.sceau("poll", **env)

    def judge(self, first):
        d = self.demo
        for row in d.hub.ok("queue", "list", "--json").json():
            d.hub.ok("queue", "retry", row["id"])
        settle(d.hub)
        settle(d.petit)
        shown_once(d.petit, [self.data])
        settle(d.hub)       # the acknowledgement
        assert d.hub.mail() == [] and d.hub.held() == []


class Held(Case):
    """A mail at which the clerk died, wanted by a person."""

    def prepare(self):
        super().prepare()
        d = self.demo
        self.mails = [d.mail_of(f"INR {n}", d.dr) for n in range(3)]
        sealed = [self.forger.seal(d.labo, d.dr, m) for m in self.mails]
        t = envelope.parse_header(sealed[1]).T.hex()[:20]
        d.post(d.dr, *(self.forger.wrap(d.labo, d.dr, e) for e in sealed))
        d.dr.sceau("poll", SCEAU_FAULT=f"clerk.mail@{t}:kill")
        (self.row,) = d.dr.held()

    def run(self, **env):
        return self.demo.dr.sceau("held", "release", self.row["id"], **env)

    def judge(self, first):
        if self.demo.dr.held() and first.code != 0:
            self.run()
        settle(self.demo.dr)
        shown_once(self.demo.dr, self.mails)
        assert self.demo.dr.held() == []


class Queued(Case):
    """What waits is tried now, or given up."""

    word, left = "retry", 1
    who = "labo"

    def prepare(self):
        super().prepare()
        self.demo.labo.ok("send", "-t", input=self.data)
        (self.row,) = self.demo.labo.ok("queue", "list", "--json").json()

    def run(self, **env):
        return self.demo.labo.sceau("queue", self.word, self.row["id"],
                                    **env)

    def judge(self, first):
        queued = len(self.demo.labo.ok("queue", "list", "--json").json())
        assert queued == self.left or (first.code != 0 and queued == 1)
        settle(self.demo.labo)
        settle(self.demo.dr)
        assert self.demo.dr.shown() == [self.data] * queued


class Dropped(Queued):
    word, left = "drop", 0


class Added(Case):
    """A sealed mail that was made elsewhere: queued once, and relayed."""

    def prepare(self):
        super().prepare()
        d = self.demo
        self.mail = d.dr.home / "enrolment.eml"
        self.mail.write_bytes(self.forger.mail(d.labo, d.dr, self.data))

    def run(self, **env):
        return self.demo.dr.sceau("queue", "add", self.mail, **env)

    def judge(self, first):
        queued = len(self.demo.dr.ok("queue", "list", "--json").json())
        assert queued == 1 if first.code == 0 else queued in (0, 1)
        again = self.run()
        assert again.code == 0, again.text()
        assert len(self.demo.dr.ok("queue", "list", "--json").json()) == 1
        settle(self.demo.dr)
        settle(self.demo.dr)
        assert self.demo.dr.shown() == [self.data]


class Restored(Case):
    """What was shown before is shown again only with a flag."""

    def prepare(self):
        super().prepare()
        self.demo.dr.ok("poll")
        self.old = self.forger.mail(self.demo.labo, self.demo.dr, self.data,
                                    now=int(time.time()) - 60)

    def run(self, **env):
        return self.demo.dr.sceau("restored", **env)

    def judge(self, first):
        if first.code != 0:
            self.demo.dr.ok("restored")
        self.demo.post(self.demo.dr, self.old)
        settle(self.demo.dr)
        got, = self.demo.dr.documents()
        assert "possible-duplicate" in mark(got.read_bytes())["flags"]


class HeldDrop(Case):
    """Given up by a person; nothing else is."""

    def prepare(self):
        super().prepare()
        d = self.demo
        d.post(d.dr, self.forger.mail(d.labo, d.dr, self.data),
               self.forger.mail(d.labo, d.dr, self.data, year=YEAR + 1))
        assert d.dr.sceau("poll").code == 65
        (self.row,) = d.dr.held()

    def run(self, **env):
        return self.demo.dr.sceau("held", "drop", self.row["id"], **env)

    def judge(self, first):
        left = len(self.demo.dr.held())
        assert left == 0 if first.code == 0 else left in (0, 1)
        settle(self.demo.dr)
        assert len(self.demo.dr.held()) == left
        shown_once(self.demo.dr, [self.data])


class Refile(Case):
    """Asked for, then filed once more by a pass; each may fail."""

    passes = False

    def prepare(self):
        super().prepare()
        d = self.demo
        d.dr.configure(kind="folder")
        d.labo.ok("send", "-t", input=self.data)
        d.labo.ok("poll")
        d.dr.ok("poll")
        self.path, = lying(d.dr)
        self.text = self.path.read_bytes()
        self.token = TOKEN.search(self.path.name).group(1)
        if self.passes:
            d.dr.ok("refile", self.token)
            self.path.unlink()

    def run(self, **env):
        words = ("poll",) if self.passes else ("refile", self.token)
        return self.demo.dr.sceau(*words, **env)

    def judge(self, first):
        d = self.demo
        if first.code != 0:
            assert (again := self.run()).code == 0, again.text()
        self.path.unlink(missing_ok=True)       # the software took it
        settle(d.dr)
        again, *more = lying(d.dr) or [None]
        assert again and not more, ("filed once more", again, more)
        assert again.name == self.path.name.replace(
            self.token, f"{self.token}-2")
        assert again.read_bytes() == self.text
        said = (d.dr.inbox / "sceau" /
                f"sceau-{self.token}-2.txt").read_text("utf-8")
        assert "filed once more" in said
        settle(d.labo)
        assert d.labo.states()[d.dr.name] == "opened"


class Refiling(Refile):
    passes = True


class Clear(Case):
    """Mail that is not sealed, where it is wanted."""

    def prepare(self):
        super().prepare()
        dr = self.me
        self.apart = dr.home / "clear"
        dr.configure(account={"unsealed": "deliver"}, sections=f"""
deliver "clear" {{
    kind = maildir
    path = "{self.apart}"
    unsealed = yes
}}""")
        self.demo.post(dr, b"From: a@b.example\r\n\r\nau midi ?\r\n",
                       self.forger.mail(self.demo.labo, dr, self.data))

    def run(self, **env):
        return self.me.sceau("poll", **env)

    def judge(self, first):
        settle(self.me)
        shown_once(self.me, [self.data])
        assert self.me.mail() == []
        one, = self.apart.glob("*/*")
        assert one.parent.name == "new" and b"au midi ?" in one.read_bytes()


class ClearImap(Clear):
    who = "durand"


class KeyImport(Case):
    def prepare(self):
        super().prepare()
        self.path, self.slip = self.demo.dr.key_file(self.forger.all, YEAR)

    def run(self, **env):
        return self.demo.dr.sceau("key", "import", "--code-file", self.slip,
                                  self.path, **env)

    def judge(self, first):
        d = self.demo
        again = self.run()
        assert again.code == 0, again.text()
        assert len(d.dr.ok("key", "list", "--json").json()) == 1
        d.post(d.dr, self.forger.mail(d.labo, d.dr, self.data))
        settle(d.dr)
        shown_once(d.dr, [self.data])


def sound(got):
    """No crash and no report, whatever failed."""
    # libConfuse ends a process that finds no memory while it reads the
    # configuration, before anything is begun; GLib ends the clerk.
    if (got.code == -6 and b"lexer.l:" in got.stderr) or \
            (got.code == 2 and b"out of dynamic memory in yy" in got.stderr):
        return
    # So does libseccomp, when memory ends in a filter that is being made:
    # its own clean-up crashes; the process has read nothing yet.
    if b"AddressSanitizer" in got.stderr and b"libseccomp.so" in got.stderr:
        return
    for word in REPORTS:
        assert word not in got.stderr, got.stderr[-800:].decode("latin-1")
    assert got.code in SYSEXITS, f"exit {got.code}: {got.text()[-300:]}"
    for line in got.stderr.splitlines():
        # 14: nor does it end where memory does; a filter that is not made
        # within a minute is given up (base/sandbox_seccomp.c).
        if b"signal=" in line and not any(
                line.endswith(b" signal=%d" % n) for n in (5, 6, 14)):
            raise AssertionError(line.decode("latin-1"))
