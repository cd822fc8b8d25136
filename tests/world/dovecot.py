"""A real Dovecot 2.3 on loopback, for one test: an ordinary user's process
in its own folder, on free ports, stopped by its own pid.

    with Dovecot(cert, users={"dr": "secret"}) as server:
        server.put("dr", message)
        server.port["imaps"] ...
"""

import grp
import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import tempfile
import time

_CONF = """\
base_dir = {top}/run
state_dir = {top}/run
log_path = {top}/log
protocols = imap pop3
listen = 127.0.0.1
default_internal_user = {me}
default_internal_group = {group}
default_login_user = {me}
first_valid_uid = 1
ssl = {ssl}
ssl_cert = <{cert}
ssl_key = <{key}
disable_plaintext_auth = {no_plain}
auth_mechanisms = plain login
mail_location = maildir:{top}/mail/%u
mail_max_userip_connections = 100
mail_log_prefix = "%s(%u): "
login_trusted_networks =
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {top}/users
}}
userdb {{
  driver = static
  args = uid={me} gid={group} home={top}/home/%u
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
  client_limit = 1000
}}
service imap-login {{
  chroot =
  process_min_avail = 1
  service_count = 0
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service pop3-login {{
  chroot =
  process_min_avail = 1
  service_count = 0
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
    ssl = yes
  }}
}}
# The programs are started once, and not for each session.
service imap {{
  service_count = 1000
}}
service pop3 {{
  service_count = 1000
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
{extra}
"""


def free_ports(n):
    """n ports that nobody listens on just now."""
    sockets = [socket.socket() for _ in range(n)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def wait_until(condition, seconds=10, what="it"):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
        time.sleep(0.02)


def listening(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


class Dovecot:
    """cert: a Certificate (world.ca) or None: no TLS at all."""

    def __init__(self, cert, users=None, extra="", required=True):
        # Dovecot gives no mail to root: then it is nobody's.
        self.user = "nobody" if os.getuid() == 0 else \
            pwd.getpwuid(os.getuid()).pw_name
        account = pwd.getpwnam(self.user)
        self.uid, self.gid = account.pw_uid, account.pw_gid
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="sceau-dovecot-"))
        self.users = dict(users or {"dr": "secret"})
        self.extra, self.required, self.process = extra, required, None
        self.port = dict(zip(("imap", "imaps", "pop3", "pop3s"),
                             free_ports(4)))
        self._number = 0
        for name in ("mail", "home", "run"):
            self._mkdir(self.top / name)
        os.chown(self.top, self.uid, self.gid)
        for user in self.users:
            for part in ("", "new", "cur", "tmp"):
                self._mkdir(self.maildir(user) / part)
        self.set_cert(cert)

    def _mkdir(self, path):
        path.mkdir(exist_ok=True)
        os.chown(path, self.uid, self.gid)

    def _own(self, path, data, mode=0o600):
        path.write_bytes(data)
        os.chmod(path, mode)
        os.chown(path, self.uid, self.gid)

    def set_cert(self, cert):
        """Another certificate; a running server is started again."""
        again = self.process is not None
        self.stop()
        if cert is not None:
            self._own(self.top / "cert.pem", cert.cert.read_bytes())
            self._own(self.top / "key.pem", cert.key.read_bytes())
        self.cert = cert
        if again:
            self.start()

    def _configure(self):
        none = self.cert is None
        text = _CONF.format(
            top=self.top, me=self.user, extra=self.extra,
            group=grp.getgrgid(self.gid).gr_name,
            cert=self.top / "cert.pem", key=self.top / "key.pem",
            ssl="no" if none else "yes",
            no_plain="no" if none or not self.required else "yes",
            **self.port)
        if none:
            text = text.replace("ssl_cert", "#").replace("ssl_key", "#")
        self._own(self.top / "dovecot.conf", text.encode(), 0o644)
        self._own(self.top / "users", "".join(
            f"{u}:{{PLAIN}}{p}\n" for u, p in self.users.items()).encode())

    def _launch(self):
        """True once it listens; False when a port is still taken."""
        self.process = subprocess.Popen(
            ["/usr/sbin/dovecot", "-F", "-c", self.top / "dovecot.conf"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=(self.top / "stderr").open("ab"), cwd=self.top,
            **({"user": self.uid, "group": self.gid, "extra_groups": []}
               if os.getuid() == 0 else {}))
        wait_until(lambda: self.process.poll() is not None or
                   all(listening(p) for n, p in self.port.items()
                       if self.cert is not None or not n.endswith("s")),
                   what="dovecot")
        if self.process.poll() is None:
            return True
        assert "Address already in use" in self.log(), self.log()
        return False

    def start(self):
        """Children of a server that was stopped may hold its ports for a
        moment longer."""
        self._configure()
        wait_until(self._launch, 20, "the ports of dovecot")
        return self

    def stop(self):
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(1)
        except subprocess.TimeoutExpired:
            # It waits for its children, sometimes for seconds; they end
            # by themselves when it is gone.
            self.process.kill()
            self.process.wait()
        self.process = None
        wait_until(lambda: not any(map(listening, self.port.values())), 20,
                   "the children of dovecot to end")

    def close(self):
        self.stop()
        shutil.rmtree(self.top, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    def log(self):
        return "".join(p.read_text(errors="replace")
                       for p in (self.top / "stderr", self.top / "log")
                       if p.exists())

    def maildir(self, user, folder="INBOX"):
        top = self.top / "mail" / user
        return top if folder == "INBOX" else \
            top / ("." + folder.replace("/", "."))

    def put(self, user, *messages):
        """Messages into the inbox, as a delivery agent would; their names."""
        names = []
        for message in messages:
            self._number += 1
            name = f"{1700000000 + self._number}.M{self._number}.test"
            tmp = self.maildir(user) / "tmp" / name
            self._own(tmp, message)
            tmp.rename(self.maildir(user) / "new" / name)
            names.append(name)
        return names

    def messages(self, user, folder="INBOX"):
        """What lies in a mailbox now: a list of bytes."""
        top = self.maildir(user, folder)
        return [p.read_bytes() for part in ("new", "cur")
                if (top / part).is_dir()
                for p in sorted((top / part).iterdir())]

    def count(self, user, folder="INBOX"):
        top = self.maildir(user, folder)
        return sum(len(list((top / part).iterdir()))
                   for part in ("new", "cur") if (top / part).is_dir())
