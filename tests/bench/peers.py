"""Programs that fetch mail and open none of it: what people would take
instead.  Each gets a configuration that suits it, verifies the certificate,
and delivers to a Maildir as durably as it can."""

import os
import shutil

from bench.measure import Failed, run

PACKAGES = {"mpop": "mpop", "mbsync": "isync", "fdm": "fdm",
            "fetchmail": "fetchmail", "getmail": "getmail6"}

MPOP = """\
defaults
tls on
tls_starttls off
tls_trust_file {ca}
auth user
received_header off
delivery maildir {box}
uidls_file {home}/uidls/%U_at_%H_%A
"""
MPOP_ACCOUNT = """\
account a{i}
host localhost
port {port}
user {user}
password {password}
"""

MBSYNC_ACCOUNT = """\
IMAPStore far{i}
Host localhost
Port {port}
User {user}
Pass {password}
SSLType IMAPS
SystemCertificates no
CertificateFile {ca}

MaildirStore near{i}
Inbox {home}/boxes/{i}

Channel c{i}
Far :far{i}:
Near :near{i}:
Sync Pull
Create Near
SyncState *

"""

FDM = """\
set verify-certificates
set maximum-size 400M
set lock-file "{home}/lock"
action "in" maildir "{box}"
"""
FDM_ACCOUNT = """\
account "a{i}" {protocol}s server "localhost" port {port} user "{user}" \
pass "{password}"
"""

FETCHMAIL_ACCOUNT = """\
poll localhost protocol {protocol} port {port} user "{user}" password \
"{password}" ssl sslcertck sslcertfile "{ca}" no rewrite fetchall \
mda "{mda} -c {home}/lda.conf"
"""
LDA = """\
log_path = {home}/lda.log
mail_location = maildir:{box}
mail_fsync = always
ssl = no
first_valid_uid = 1
postmaster_address = postmaster@localhost
"""
MDA = "/usr/lib/dovecot/dovecot-lda"

GETMAIL = """\
[retriever]
type = Simple{kind}SSLRetriever
server = localhost
port = {port}
username = {user}
password = {password}
ca_certs = {ca}

[destination]
type = Maildir
path = {box}/

[options]
read_all = true
delete = true
delivered_to = false
received = false
"""


def absent(name):
    return None if shutil.which(name) else \
        f"not installed ({PACKAGES[name]})"


def fetchers(bench, protocol):
    """The names of those that are here and speak that protocol."""
    for name in PACKAGES:
        if (name, protocol) in (("mpop", "imap"), ("mbsync", "pop3")):
            continue
        if why := absent(name):
            bench.skip(name, why)
        else:
            yield name


class Peer:
    """accounts: [(user, password)]; port: where they all are.  None of them
    likes to be root: they run as the owner of Dovecot's mail."""

    def __init__(self, stand, name, protocol, port, accounts):
        self.stand, self.name, self.protocol = stand, name, protocol
        self.port, self.accounts = port, accounts
        self.home = stand.peers / name
        self.box = self.home / "in"

    def _say(self, pattern, i=0, **more):
        user, password = self.accounts[i]
        return pattern.format(
            ca=self.stand.ca.cert, home=self.home, box=self.box, i=i,
            port=self.port, user=user, password=password, mda=MDA,
            protocol=self.protocol, **more)

    def _all(self, head, account, tail=""):
        return (self._say(head) if head else "") + "".join(
            self._say(account, i) for i in range(len(self.accounts))) + tail

    def _write(self, name, text):
        path = self.home / name
        path.write_text(text)
        path.chmod(0o600)
        return path

    def prepare(self):
        """Folders and configuration; the command to run."""
        self.home.mkdir(mode=0o700, exist_ok=True)
        for part in ("", "new", "cur", "tmp"):
            (self.box / part).mkdir(exist_ok=True)
        argv = getattr(self, "_" + self.name)()
        server = self.stand.dovecot
        for path in (self.home, *self.home.rglob("*")):
            os.chown(path, server.uid, server.gid)
        return argv

    def _mpop(self):
        (self.home / "uidls").mkdir(exist_ok=True)
        conf = self._write("conf", self._all(MPOP, MPOP_ACCOUNT))
        return ["mpop", "-q", "-C", conf, "-a"]

    def _mbsync(self):
        (self.home / "boxes").mkdir(exist_ok=True)
        conf = self._write("conf", self._all("", MBSYNC_ACCOUNT))
        return ["mbsync", "-q", "-c", conf, "-a"]

    def _fdm(self):
        conf = self._write("conf", self._all(
            FDM, FDM_ACCOUNT, 'match all action "in"\n'))
        return ["fdm", "-q", "-f", conf, "fetch"]

    def _fetchmail(self):
        self._write("lda.conf", self._say(LDA))
        conf = self._write("conf", self._all("", FETCHMAIL_ACCOUNT))
        return ["fetchmail", "-s", "-f", conf, "-i", self.home / "ids",
                "--pidfile", self.home / "pid"]

    def _getmail(self):
        kind = "POP3" if self.protocol == "pop3" else "IMAP"
        argv = ["getmail", "-q", "-g", self.home]
        for i in range(len(self.accounts)):
            argv += ["-r", self._write(f"rc{i}", self._say(GETMAIL, i,
                                                           kind=kind))]
        return argv

    def fetch(self, **more):
        # fetchmail says 1 when there was no mail.
        codes = (0, 1) if self.name == "fetchmail" else (0,)
        me = self.stand.dovecot.user
        return run(self.prepare(), seconds=120, codes=codes, cwd=self.home,
                   user=me, env={
                       "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C",
                       "HOME": str(self.home), "USER": me, "LOGNAME": me,
                       "SSL_CERT_FILE": str(self.stand.ca.cert)}, **more)

    def count(self, n):
        """That many mails were delivered."""
        boxes = [self.box, *self.home.glob("boxes/*")]
        found = sum(len(list((b / "new").iterdir())) for b in boxes
                    if (b / "new").is_dir())
        if found != n:
            raise Failed(f"{found} of {n} mails were delivered")
