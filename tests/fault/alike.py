"""What a death or a power cut has left, but for what is another in each run:
keys, times, tokens.  From two machines that are left alike everything goes on
alike, and the campaigns need to see only one of them to the end."""

import contextlib
import hashlib
import re
import shutil
import sqlite3
import tempfile

RANDOM = re.compile(rb"[0-9a-f]{16,}|[0-9]{9,}")
EPOCH = 10 ** 9         # above it a number is a time
NO_MATTER = ("event",)  # the log: nobody decides by it


class Picture:
    """Of a member's machine and of all mailboxes; ended: whether its command
    said that all was done.  digest: None, or the same for what is alike."""

    def __init__(self, world, member, ended):
        self.ids = {}
        try:
            told = repr((ended, self._store(member), self._files(member),
                         self._mailboxes(world)))
        except sqlite3.DatabaseError:
            self.digest = None      # like no other
            return
        self.digest = hashlib.sha256(told.encode()).hexdigest()[:24]

    def _known(self, octets):
        """Where it stood first; what is random elsewhere is one thing here."""
        return self.ids.setdefault(bytes(octets), len(self.ids))

    def _text(self, octets):
        return RANDOM.sub(
            lambda m: b"<%d>" % self._known(m[0]) if m[0].isalnum() and
            not m[0].isdigit() else b"<n>", octets)

    def _value(self, value):
        if isinstance(value, int):
            return "at" if value > EPOCH else value
        if isinstance(value, str):
            return self._text(value.encode())
        if isinstance(value, bytes) and not value.isascii():
            return len(value), b"\0" * 64 in value, self._known(value)
        return self._text(value) if value else value

    @staticmethod
    def _size(value):
        """To put rows in order before anything random is looked at."""
        return repr("at" if isinstance(value, int) and value > EPOCH else
                    len(value) if isinstance(value, (bytes, str)) else value)

    def _store(self, member):
        with tempfile.TemporaryDirectory() as folder:
            for path in member.state.glob("sceau.db*"):
                if not path.name.endswith("-shm"):
                    shutil.copy(path, folder)
            db = sqlite3.connect(f"file:{folder}/sceau.db?mode=rwc", uri=True)
            with contextlib.closing(db):
                return [(name, self._rows(db, name)) for _, name, kind, *_ in
                        sorted(db.execute("PRAGMA table_list").fetchall())
                        if kind == "table" and name not in NO_MATTER and
                        not name.startswith("sqlite_")]

    def _rows(self, db, table):
        rows = db.execute(f"SELECT * FROM {table}").fetchall()
        rows.sort(key=lambda row: [self._size(v) for v in row])
        return [[self._value(v) for v in row] for row in rows]

    def _content(self, path, data):
        """Of what people read, what it says; of the rest, how much it is."""
        if "state" in path.parts or not data:
            return len(data), b"\0" * 512 in data
        return hashlib.sha256(re.sub(rb"[0-9a-f]{16,}|[0-9]{2,}", b"#",
                                     data)).hexdigest()

    def _files(self, member):
        """Below its folders."""
        found = []
        for path in member.folder.glob("*/**/*"):
            if path.name.startswith("sceau.db") or not path.is_file():
                continue
            where = path.relative_to(member.folder)
            found.append((re.sub("[0-9a-f]{16,}|[0-9]{2,}", "#", str(where)),
                          self._content(where, path.read_bytes())))
        return sorted(found)

    @staticmethod
    def _mailboxes(world):
        return {who.local: sorted(
            (p.stat().st_size, p.name.partition(":2,")[2])
            for box in ("new", "cur")
            for p in (world.dovecot.maildir(who.user) / box).iterdir())
            for who in world.members.values()}
