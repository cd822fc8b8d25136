"""One member of an association: its folders, its configuration, its program.

Run as cron would: LANG=C, a PATH, a HOME of its own, and nothing else.
"""

import dataclasses
import json
import os
import signal
import subprocess
import time

from world import kernel
from world.memory import Sampler

CONF = """\
# Written by tests/world/member.py
{top}
account "mailbox" {{
    protocol = {protocol}
    host = "localhost"
    port = {port}
    tls = implicit
    ca_file = "{ca}"
    user = "{user}"
    password_file = "{folder}/password"
{account}
}}

relay "relay" {{
    host = "localhost"
    port = {relay_port}
    tls = starttls
    ca_file = "{relay_ca}"
{relay}
}}

deliver "inbox" {{
    kind = {kind}
    path = "{folder}/inbox"
{deliver}
}}
{sections}
"""


@dataclasses.dataclass
class Result:
    """What one run gave: octets, as programs see them."""
    code: int
    stdout: bytes
    stderr: bytes
    seconds: float
    memory: Sampler = None

    def json(self):
        """--json: one object a line."""
        return [json.loads(line) for line in self.stdout.splitlines() if line]

    def text(self):
        return (self.stdout + self.stderr).decode("utf-8", "replace")


def settings(indent, values):
    """Lines of configuration; True and False are yes and no."""
    def say(value):
        if isinstance(value, bool):
            return "yes" if value else "no"
        return str(value) if isinstance(value, int) else f'"{value}"'
    return "\n".join(f"{indent}{k} = {say(v)}" for k, v in values.items())


class Member:
    """world: lends servers and program.  local@domain: the address in the
    system; user: the mailbox; protocol: imap or pop3."""

    def __init__(self, world, local, domain, protocol="imap", kind="folder"):
        self.world, self.local, self.domain = world, local, domain
        self.protocol, self.kind = protocol, kind
        self.user = local
        self.account = None     # of the system, to run as; or None: ours
        self.password = f"password-of-{local}"
        self.folder = world.top / local
        self.home = self.folder / "home"
        self.inbox = self.folder / "inbox"
        self.state = self.folder / "state"
        self.conf = self.folder / "sceau.conf"
        for path in (self.folder, self.home, self.inbox, self.state):
            path.mkdir(mode=0o700)
        self.secret("password", self.password + "\n")

    @property
    def address(self):
        return f"{self.local}@{self.domain}"

    @property
    def route(self):
        return f"{self.user}@{self.world.domain}"

    def secret(self, name, text):
        """A file that nobody else may read; its path."""
        path = self.folder / name
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
                  "w") as f:
            f.write(text)
        return path

    def configure(self, top=None, account=None, relay=None, deliver=None,
                  sections="", **change):
        """Write sceau.conf: what is given here goes before the usual;
        sections: more of them, as text."""
        world = self.world
        general = {"language": "en", "state": str(self.state),
                   "route": self.route, "ack_delay": "0 s", **(top or {})}
        login = {"user": world.relay.user,
                 "password_file": str(self.secret(
                     "relay-password", world.relay.password + "\n"))} \
            if world.relay.user else {}
        values = {"protocol": self.protocol, "kind": self.kind,
                  "port": world.dovecot.port[self.protocol + "s"],
                  "relay_port": world.relay.port["submission"],
                  "ca": world.ca.cert, "relay_ca": world.ca.cert,
                  "user": self.user, **change}
        self.conf.write_text(CONF.format(
            top=settings("", general), folder=self.folder,
            account=settings("    ", account or {}),
            relay=settings("    ", {**login, **(relay or {})}),
            deliver=settings("    ", deliver or {}), sections=sections,
            **values))
        return self

    def environment(self, **env):
        """cron's; options of the sanitizers and of faults pass."""
        passed = {k: v for k, v in os.environ.items()
                  if k.endswith("SAN_OPTIONS") or k.startswith("SCEAU_FAULT")}
        return {"PATH": "/usr/bin:/bin", "LANG": "C", "SHELL": "/bin/sh",
                "SCEAU_LOCALEDIR": str(self.world.sceau.parent / "po/locale"),
                "HOME": str(self.home), "LOGNAME": self.user, **passed, **env}

    def rights(self):
        """What subprocess needs to run something as self.account."""
        if self.account is None:
            return {}
        return {"user": self.account, "group": "nogroup", "extra_groups": []}

    def give(self, account):
        """All of its files to an account of the system, which it runs as
        from now on."""
        self.account = account
        subprocess.run(["chown", "-R", f"{account}:nogroup", self.folder],
                       check=True)
        return self

    def start(self, *words, stdin=subprocess.DEVNULL, refused=(), **env):
        """The program, begun: a Popen that the caller waits for.  refused:
        system calls that its kernel does not know (world.kernel)."""
        return subprocess.Popen(
            [self.world.sceau, "-c", self.conf, *map(str, words)],
            stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            cwd=self.home, env=self.environment(**env),
            start_new_session=True, **self.rights(),
            preexec_fn=kernel.without(*refused) if refused else None)

    def sceau(self, *words, input=b"", seconds=120, memory=False, **env):
        """Run the program to its end; a Result, whatever its exit code."""
        began = time.monotonic()
        process = self.start(*words, stdin=subprocess.PIPE, **env)
        sampler = Sampler(process.pid) if memory else None
        try:
            if sampler:
                with sampler:
                    out, err = process.communicate(input, seconds)
            else:
                out, err = process.communicate(input, seconds)
        except BaseException:
            if process.returncode is None:      # all of it, not only its
                os.killpg(process.pid, signal.SIGKILL)      # first process
            process.communicate()
            raise
        return Result(process.returncode, out, err,
                      time.monotonic() - began, sampler)

    def ok(self, *words, **more):
        """The same, and it must succeed."""
        got = self.sceau(*words, **more)
        assert got.code == 0, \
            f"{self.local}: sceau {' '.join(map(str, words))}: exit " \
            f"{got.code}\n{got.text()}"
        return got

    def documents(self):
        """Files delivered to the inbox folder, oldest first."""
        files = [p for p in self.inbox.rglob("*")
                 if p.parent.name != "tmp" and p.is_file()]
        return sorted(files, key=lambda p: p.stat().st_mtime_ns)

    def mail(self):
        """What waits in the mailbox on the server."""
        return self.world.dovecot.messages(self.user)
