"""A small world on loopback: an authority, mailboxes, a relay, members.

    with World() as world:
        labo = world.member("labo", "labo.example", protocol="imap")
        world.start()
        ...

Real servers, in folders of their own, on free ports, ended by their own pid;
nothing stays unless keep is set.
"""

import os
import pathlib
import shutil
import subprocess
import tempfile

from world import traces
from world.ca import CA
from world.dovecot import Dovecot, wait_until
from world.member import Member
from world.postfix import DOMAIN, Postfix
from world.proxy import Proxy

SBIN = "/usr/sbin:/usr/bin"
TOP = pathlib.Path(__file__).resolve().parents[2]


def program():
    """The sceau under test: of SCEAU_BUILD, or of this tree."""
    build = pathlib.Path(os.environ.get("SCEAU_BUILD", TOP)).resolve()
    return build / "sceau"


class Relay(Postfix):
    """Postfix, delivering into the mailboxes of that Dovecot."""

    def __init__(self, cert, dovecot, aliases=None):
        self.user, self.password = "relay", "password-of-the-relay"
        super().__init__(
            cert, {self.user: self.password}, boxes=sorted(dovecot.users),
            aliases=aliases,
            extra=f"virtual_mailbox_base = {dovecot.top}/mail\n")

    def start(self):
        return self.__enter__()

    def close(self):
        self.__exit__()


def emptied(folder, like=None):
    """Without its files, and without the folders that ${like} has not."""
    for path in folder.iterdir():
        if path.is_symlink() or not path.is_dir():
            path.unlink()
        elif like and (like / path.name).is_dir():
            emptied(path, like / path.name)
        else:
            shutil.rmtree(path)


def relay_for(cert, dovecot, postfix=True, aliases=None):
    """Postfix as root, where it is installed; aiosmtpd for the others."""
    if postfix and os.getuid() == 0 and shutil.which("postfix", path=SBIN):
        return Relay(cert, dovecot, aliases)
    from world.smtpd import Smtpd
    return Smtpd(cert, DOMAIN, dovecot, aliases)


class World:
    """domain: where the mailboxes are, whatever the members' addresses."""

    domain = DOMAIN
    Member = Member

    def __init__(self, keep=False, postfix=True):
        self.keep, self.postfix = keep, postfix
        self.sceau = program()
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="sceau-world."))
        self.top.chmod(0o755)       # Dovecot is nobody when we are root
        self.servers = self.top / "servers"
        self.servers.mkdir()
        self.ca = CA(self.servers)
        self.cert = self.ca.issue("localhost", "127.0.0.1")
        self.members, self.proxies = {}, []
        self.dovecot = self.relay = None

    def member(self, local, domain, **more):
        """One more member with a mailbox of its own; before start()."""
        assert self.dovecot is None, "the servers run already"
        self.members[local] = self.Member(self, local, domain, **more)
        return self.members[local]

    def start(self):
        users = {m.user: m.password for m in self.members.values()}
        self.dovecot = Dovecot(self.cert, users)
        self.dovecot.start()
        self.relay = relay_for(
            self.cert, self.dovecot, self.postfix,
            {m.route: m.user for m in self.members.values()})
        self.relay.start()
        for member in self.members.values():
            member.configure()
        return self

    def proxy(self, port, **more):
        """A recording proxy before that port, closed with the world."""
        self.proxies.append(Proxy(port, **more))
        return self.proxies[-1]

    def wait_until(self, condition, seconds=20, what="it"):
        wait_until(condition, seconds, what)

    def mailboxes(self):
        """{member: how many mails wait on the server}."""
        return {m.local: self.dovecot.count(m.user)
                for m in self.members.values()}

    def post(self, sender, recipient, message):
        """A mail as anybody in the network could send one: no sceau."""
        self.dovecot.put(recipient.user, message)

    def take(self, member):
        """A mail that waits for the member, taken away from the server."""
        new = self.dovecot.maildir(member.user) / "new"
        path = sorted(new.iterdir())[0]
        mail = path.read_bytes()
        path.unlink()
        return mail

    def _kept(self):
        return [self.dovecot.top / "mail",
                *(m.folder for m in self.members.values())]

    def save(self, name):
        """Every member and every mailbox, to be put back by load(name)."""
        to = self.top / "saved" / name
        shutil.rmtree(to, ignore_errors=True)
        to.mkdir(parents=True)
        subprocess.run(["cp", "-a", *self._kept(), to], check=True)

    def load(self, name):
        """Folders stay the same ones: servers may have them open, and sceau
        knows some by their inode."""
        saved = self.top / "saved" / name
        for folder in self._kept():
            emptied(folder, saved / folder.name)
        subprocess.run(["cp", "-a", saved / "mail", self.dovecot.top],
                       check=True)
        subprocess.run(["cp", "-a", *(saved / m.folder.name for m in
                                      self.members.values()), self.top],
                       check=True)

    def leaks(self, marker, *folders):
        """Where the marker can be read: every member's state, the servers'
        mail and all that passed a proxy; or just those folders."""
        where = folders or (
            *(m.state for m in self.members.values()),
            self.dovecot.top, self.servers)
        found = traces.in_folders(marker, *where)
        found += [f"proxy {p.target}" for p in self.proxies
                  if traces.in_bytes(marker, p.seen)]
        return found

    def logs(self):
        """What the servers said, for a person who looks."""
        parts = [self.dovecot.log()] if self.dovecot else []
        if hasattr(self.relay, "log"):
            parts.append(self.relay.log())
        return "".join(parts)

    def close(self):
        for proxy in self.proxies:
            proxy.close()
        for server in (self.relay, self.dovecot):
            if server:
                server.close()
        if not self.keep:
            shutil.rmtree(self.top, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
