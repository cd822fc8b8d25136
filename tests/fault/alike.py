"""What a death or a power cut has left, but for what is another in each run:
keys, times, tokens, ports.  Where all machines and mailboxes are left alike
everything goes on alike, and the campaigns need to see only one of them to
the end."""

import base64
import contextlib
import hashlib
import re
import shutil
import sqlite3
import tempfile

from pysceau import envelope, errors, mail

# A token, a time; the name of a server that is started anew; a world; a date.
RANDOM = re.compile(
    rb"(?P<id>(?=[0-9]*[a-f])[0-9a-f]{16,})|[0-9a-f]{16,}|[0-9]{9,}|"
    rb"localhost:[0-9]+|sceau-world\.[a-z0-9_]+|"
    rb"[A-Z][a-z]{2}, +\d+ [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}")
EPOCH = 10 ** 9         # above it a number is a time
NO_MATTER = ("event", "commits")    # nobody decides by them
HEADER = 4096           # octets in which the header of an envelope ends


class Picture:
    """Of a member's machine.  told: the same for what is alike, or None: like
    no other; values: what is random there, in the order it stands in."""

    def __init__(self, member):
        self.ids = {}
        try:
            self.told = repr((self._store(member), self._files(member)))
        except sqlite3.DatabaseError:
            self.told = None
        self.values = list(self.ids)
        del self.ids

    def _known(self, octets):
        """Where it stood first; what is random elsewhere is one thing here."""
        return self.ids.setdefault(bytes(octets), len(self.ids))

    def _random(self, found):
        if not found["id"]:
            return b"<n>"
        text = found[0].decode()
        return b"<%d>" % self._known(
            bytes.fromhex(text) if len(text) % 2 == 0 else found[0])

    def _value(self, value):
        if isinstance(value, int):
            return self._number(value)
        if isinstance(value, str):
            return RANDOM.sub(self._random, value.encode())
        if isinstance(value, bytes) and not value.isascii():
            return len(value), b"\0" * 64 in value, self._known(value)
        return RANDOM.sub(self._random, value) if value else value

    @staticmethod
    def _number(value):
        """A clock's second number is how far it is from the first."""
        if abs(value) <= EPOCH:
            return value
        return "at" if value > 0 else "before"

    def _size(self, value):
        """To put rows in order before anything random is looked at."""
        return repr(self._number(value) if isinstance(value, int) else
                    len(value) if isinstance(value, (bytes, str)) else value)

    def _store(self, member):
        with tempfile.TemporaryDirectory() as folder:
            for path in member.state.glob("sceau.db*"):
                if not path.name.endswith("-shm"):
                    shutil.copy(path, folder)
            db = sqlite3.connect(f"file:{folder}/sceau.db?mode=rwc", uri=True)
            with contextlib.closing(db):
                tables = [name for _, name, kind, *_ in
                          sorted(db.execute("PRAGMA table_list").fetchall())
                          if kind == "table" and name not in NO_MATTER and
                          not name.startswith("sqlite_")]
                return [db.execute("PRAGMA integrity_check").fetchall(),
                        *((name, self._rows(db, name)) for name in tables)]

    def _rows(self, db, table):
        rows = db.execute(f"SELECT * FROM {table}").fetchall()
        rows.sort(key=lambda row: [self._size(v) for v in row])
        return [[self._value(v) for v in row] for row in rows]

    @staticmethod
    def _content(path, data):
        """Of what people read, what it says; of the rest, how much it is."""
        if "state" in path.parts or not data:
            return len(data), b"\0" * 512 in data
        return hashlib.sha256(re.sub(rb"[0-9a-f]{16,}|[0-9]{2,}", b"#",
                                     data)).hexdigest()

    def _files(self, member):
        """Below its folders."""
        found = []
        for path in member.folder.glob("*/**/*"):
            if path.name.startswith(("sceau.db", "passes")) or \
                    not path.is_file():
                continue
            where = path.relative_to(member.folder)
            found.append((re.sub("[0-9a-f]{16,}|[0-9]{2,}", "#", str(where)),
                          path.stat().st_mode & 0o777,
                          self._content(where, path.read_bytes())))
        return sorted(found, key=repr)      # of some their size, a tuple


class Pictures:
    """Of all machines of a world and of all mailboxes.  touched: whose is not
    as it was; kept by place(), put back by back_to()."""

    def __init__(self, world):
        self.world, self.touched, self.known = world, set(), {}
        self.transmissions, self.kept = {}, {}

    def place(self, name):
        self._look()
        self.kept[name] = dict(self.known)

    def back_to(self, name):
        self.known, self.touched = dict(self.kept[name]), set()

    def digest(self, more):
        """The same for what is alike, more included; "": like no other."""
        self._look()
        ids, told = {}, [more]
        for local, picture in sorted(self.known.items()):
            if picture.told is None:
                return ""
            told += local, picture.told, [
                ids.setdefault(v, len(ids)) for v in picture.values]
        told.append(self._mailboxes(ids))
        return hashlib.sha256(repr(told).encode()).hexdigest()[:24]

    def _look(self):
        for member in self.touched:
            self.known[member.local] = Picture(member)
        self.touched = set()

    def _mailboxes(self, ids):
        """How large each mail is, its flags but for that it was read, which
        sceau never asks, and the machines that know its transmission."""
        return [sorted((p.stat().st_size,
                        p.name.partition(":2,")[2].replace("S", ""),
                        ids.get(self._transmission(p), -1))
                       for box in ("new", "cur")
                       for p in (self.world.dovecot.maildir(who.user) /
                                 box).iterdir())
                for who in self.world.members.values()]

    def _transmission(self, path):
        """Of the envelope in that mail, or None.  A server's names are never
        those of another mail, also when days are put back."""
        name = path.name.partition(":")[0]
        if name not in self.transmissions:
            self.transmissions[name] = transmission(path)
        return self.transmissions[name]


def transmission(path):
    with open(path, "rb") as f:
        data = f.read(HEADER)
    at = data.find(b"\n" + mail.START)
    text = data[at:].translate(None, b"\r\n \t")
    with contextlib.suppress(errors.SceauError, ValueError):
        return envelope.parse_header(
            base64.b64decode(text[:len(text) // 4 * 4])).T
    return None
