"""A real Postfix on loopback, for one test: its own configuration and queue
in its own folder, free ports, stopped by the pid of its own master.  Needs
root.  Passwords are asked from a Dovecot (world.dovecot).

    with Postfix(cert, users={"dr": "secret"}) as server:
        server.port["submission"]   STARTTLS required, login required
        server.port["smtps"]        the same, TLS from the first octet
        server.port["plain"]        no TLS; login where offered (auth=True)
        server.mails("you@example.test")  what was delivered, with CRLF
"""

import grp
import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile

from world.dovecot import Dovecot, free_ports, listening, wait_until

DOMAIN = "example.test"

_MAIN = """\
compatibility_level = 3.6
queue_directory = {top}/spool
data_directory = {top}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = mx.{domain}
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
maillog_file_prefixes = {top}
maillog_file = {top}/log
virtual_mailbox_domains = {domains}
virtual_mailbox_base = {top}/mail
virtual_mailbox_maps = inline:{{ {boxes} }}
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
virtual_transport = {transport}
virtual_mailbox_limit = 0
mailbox_size_limit = 0
message_size_limit = {limit}
smtpd_tls_cert_file = {top}/cert.pem
smtpd_tls_key_file = {top}/key.pem
smtpd_tls_security_level = {level}
smtpd_sasl_type = dovecot
smtpd_sasl_path = {auth}
smtpd_sasl_security_options = noanonymous
smtpd_client_connection_count_limit = 0
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_recipient_restrictions =
disable_vrfy_command = yes
smtpd_peername_lookup = no
smtpd_timeout = 30s
{extra}
"""

_MASTER = """\
127.0.0.1:{plain} inet n - n - - smtpd
  -o smtpd_tls_security_level=none
  -o smtpd_sasl_auth_enable={plain_auth}
127.0.0.1:{submission} inet n - n - - smtpd
  -o smtpd_tls_security_level={level_encrypt}
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_client_restrictions=permit_sasl_authenticated,reject
127.0.0.1:{smtps} inet n - n - - smtpd
  -o smtpd_tls_wrappermode=yes
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_client_restrictions=permit_sasl_authenticated,reject
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""

_QUEUE = ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold",
          "incoming", "private", "saved", "trace")


def _once(text):
    """Each setting once, as it was said last.  Postfix warns of every other
    at the start of each of its processes; ten such warnings fill the socket
    of postlogd, which then waits for itself for ever when its own comes."""
    settings = {}
    for line in text.splitlines():
        if line[:1] in " \t" and line.strip():
            settings[name] += "\n" + line
        elif line.strip() and line[0] != "#":
            key, _, value = line.partition("=")
            name = key.strip()
            settings[name] = value
    return "".join(f"{k} ={v}\n" for k, v in settings.items())


class Postfix:
    def __init__(self, cert, users=None, boxes=("you", "me"), auth=False,
                 discard=False, limit=200_000_000, extra="", aliases=None,
                 services=""):
        assert os.getuid() == 0, "Postfix needs root"
        self.users = dict(users or {"dr": "secret"})
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="sceau-postfix-"))
        os.chmod(self.top, 0o755)
        self.port = dict(zip(("plain", "submission", "smtps"), free_ports(3)))
        self.boxes, self.cert, self.process = boxes, cert, None
        self.aliases = {f"{b}@{DOMAIN}": b for b in boxes} | (aliases or {})
        self.dovecot = Dovecot(None, self.users, extra=(
            "service auth {\n  unix_listener auth-postfix {\n"
            "    mode = 0666\n  }\n}\n"))
        os.chmod(self.dovecot.top, 0o711)
        self._folders()
        shutil.copy(cert.cert, self.top / "cert.pem")
        shutil.copy(cert.key, self.top / "key.pem")
        os.chmod(self.top / "key.pem", 0o600)
        self._write(auth, discard, limit, extra, services)

    def _folders(self):
        owner, drop = pwd.getpwnam("postfix"), grp.getgrnam("postdrop").gr_gid
        spool = self.top / "spool"
        for path in (spool, spool / "pid", self.top / "etc"):
            path.mkdir()
        for name in _QUEUE:
            (spool / name).mkdir(mode=0o700)
            os.chown(spool / name, owner.pw_uid, -1)
        for name, mode in (("maildrop", 0o730), ("public", 0o710)):
            (spool / name).mkdir()
            os.chown(spool / name, owner.pw_uid, drop)
            os.chmod(spool / name, mode)
        for name, uid in (("data", owner.pw_uid), ("mail", 65534)):
            (self.top / name).mkdir()
            os.chown(self.top / name, uid, -1)

    def _write(self, auth, discard, limit, extra, services):
        boxes = ", ".join(f"{{ {a} = {b}/ }}" for a, b in self.aliases.items())
        domains = sorted({a.rpartition("@")[2] for a in self.aliases})
        (self.top / "etc/main.cf").write_text(_once(_MAIN.format(
            top=self.top, domain=DOMAIN, boxes=boxes, limit=limit,
            domains=" ".join(domains),
            transport="discard:" if discard else "virtual",
            level="may", extra=extra,
            auth=self.dovecot.top / "run/auth-postfix")))
        (self.top / "etc/master.cf").write_text(_MASTER.format(
            plain_auth="yes" if auth else "no", level_encrypt="encrypt",
            **self.port) + services)

    def __enter__(self):
        self.dovecot.start()
        self.process = subprocess.Popen(
            ["/usr/lib/postfix/sbin/master", "-c", self.top / "etc", "-d"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=(self.top / "stderr").open("ab"), cwd=self.top,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                 "MAIL_CONFIG": str(self.top / "etc")},
            start_new_session=True)
        wait_until(lambda: self.process.poll() is not None or
                   all(listening(p) for p in self.port.values()),
                   what="postfix")
        assert self.process.poll() is None, self.log()
        return self

    def stop(self):
        """Its queue stays; __enter__ starts it again at the same ports."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(20)
            self.process = None
        self.dovecot.stop()

    def __exit__(self, *_):
        self.stop()
        self.dovecot.close()
        shutil.rmtree(self.top, ignore_errors=True)

    def settled(self):
        """Nothing is on its way any more."""
        spool = self.top / "spool"
        return not any(p.is_file() for name in (
            "maildrop", "incoming", "active", "deferred")
            for p in (spool / name).rglob("*"))

    def flush(self):
        """Try everything in the queue again, now."""
        subprocess.run(["/usr/sbin/postqueue", "-c", self.top / "etc", "-f"],
                       check=True)

    def log(self):
        return "".join(p.read_text(errors="replace")
                       for p in (self.top / "stderr", self.top / "log")
                       if p.exists())

    def mails(self, to, n=1):
        """The mails delivered to ${to}, once there are n of them: octets
        with CRLF, Postfix's own header lines first."""
        new = self.top / "mail" / to.split("@")[0] / "new"

        def there():
            return new.is_dir() and len(list(new.iterdir())) >= n
        wait_until(there, 20, f"{n} mails for {to}\n{self.log()}")
        return [p.read_bytes().replace(b"\n", b"\r\n")
                for p in sorted(new.iterdir())]
