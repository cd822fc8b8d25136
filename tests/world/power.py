"""A power cut: what tests/fault/power.c recorded of a run, and the disks that
a cut at its end could leave.

    record = Record(demo.top)
    disk = Disk(folder)                     # all there is durable: long ago
    member.sceau("poll", **record.env())
    disk.play(record)
    disk.put(disk.choice("lost", rng))      # into folder

The rules are POSIX's: a file's octets are durable after the sync of the file,
its name after the sync of the folder, and the rest may be there, or not, or
in part: sectors of 512 octets, in any order.  One change of names is whole or
not at all; in two folders, the new name comes before the old one goes.
"""

import dataclasses
import os
import shutil
import struct
from collections import namedtuple

from world.fault import preloaded

KINDS = (None, "create", "mkdir", "write", "truncate", "mode", "sync",
         "sync_all", "link", "unlink", "rename")
RECORDS, DATA_BYTES, SECTOR = 1 << 18, 1 << 29, 512
HEAD, REC = struct.Struct("=4Q"), struct.Struct("=7Q")
MAPPED = "-shm"     # SQLite's index of its log: memory, made again
CHOICES = ("lost", "names", "octets", "grown", "prefix", "some", "torn")

Rec = namedtuple("Rec", "kind ino dir dir2 n data")


class Record:
    """folder: on the disk that is recorded, outside what is under test."""

    def __init__(self, folder):
        self.path, self.dev = folder / "disk", folder.stat().st_dev

    def env(self, **env):
        """Variables for one run; env: those of world.fault, or none."""
        with open(self.path, "wb") as f:
            f.write(HEAD.pack(0, 0, self.dev, 0))
            f.truncate(HEAD.size + REC.size * RECORDS + DATA_BYTES)
        env = preloaded("power", **env)
        return {**env, "SCEAU_FAULT_DISK": str(self.path)}

    def read(self):
        with open(self.path, "rb") as f:
            n, used, _, lost = HEAD.unpack(f.read(HEAD.size))
            assert not lost, "the record is full"
            recs = [REC.unpack(f.read(REC.size)) for _ in range(n)]
            f.seek(HEAD.size + REC.size * RECORDS)
            data = f.read(used)
        return [Rec(KINDS[k], ino, d, d2, n, data[at:at + size])
                for k, ino, d, d2, n, at, size in recs if k]


@dataclasses.dataclass
class Change:
    """Not yet durable: octets at a place of a file, its length, or a name of
    a folder (node: None: gone)."""
    to: object
    kind: str
    at: int = 0
    data: bytes = b""
    names: tuple = ()       # ((name, node), ...)
    after: object = None    # the change that comes first, if this one does


class Node:
    """A file, or a folder (names is not None), as it is durably; was: its
    stat when the record began."""

    def __init__(self, mode, octets=None, names=None, was=None):
        self.mode, self.octets, self.names = mode, octets, names
        self.was = was

    @classmethod
    def of(cls, path, index):
        st = path.lstat()
        if path.is_dir():
            node = cls(st.st_mode & 0o7777, names={
                p.name: cls.of(p, index) for p in path.iterdir()
                if not p.name.endswith(MAPPED)})
        else:
            node = cls(st.st_mode & 0o7777, octets=path.read_bytes(), was=st)
        index[st.st_ino] = node
        return node


def patched(octets, changes):
    out = bytearray(octets)
    for c in changes:
        if c.kind == "truncate":
            del out[c.at:]
            out.extend(bytes(c.at - len(out)))
        else:
            out.extend(bytes(max(0, c.at - len(out))))
            out[c.at:c.at + len(c.data)] = c.data
    return bytes(out)


def renamed(names, changes):
    out = dict(names)
    for c in changes:
        for name, node in c.names:
            out.pop(name, None)
            if node:
                out[name] = node
    return out


def torn(change, rng):
    """That write, of which any sectors arrived."""
    begin, end = change.at, change.at + len(change.data)
    cuts = [begin, *range(begin - begin % SECTOR + SECTOR, end, SECTOR), end]
    return [dataclasses.replace(change, at=a,
                                data=change.data[a - begin:b - begin])
            for a, b in zip(cuts, cuts[1:]) if rng.random() < 0.5]


class Image(dict):
    """{path below the folder: (mode, octets; None: a folder)}; was: {path:
    stat of the file when the record began, or None}."""

    def __init__(self):
        super().__init__()
        self.was = {}


class Disk:
    """folder: what lies on it, all of it durable now.  deaf: to the syncs of
    "files" or of "folders", as if the program had none."""

    def __init__(self, folder, deaf=None):
        self.folder, self.deaf, self.nodes = folder, deaf, {}
        self.root = Node.of(folder, self.nodes)
        self.inodes = folder.with_name(f"{folder.name}.inodes")
        self._keep_inodes()
        self.open = []          # changes that are not durable, in order

    def _keep_inodes(self):
        """Links to all files, beside the folder."""
        shutil.rmtree(self.inodes, ignore_errors=True)
        self.inodes.mkdir(mode=0o700)
        for path in self.folder.rglob("*"):
            if path.is_file():
                os.link(path, self.inodes / str(path.stat().st_ino))

    # --- what happened

    def play(self, record):
        for r in record.read():
            getattr(self, f"_{r.kind}")(r)

    def _change(self, to, kind, **more):
        if to:
            self.open.append(Change(to, kind, **more))

    def _name(self, r, kind, node):
        name = r.data.decode()
        if not name.endswith(MAPPED):
            self._change(self.nodes.get(r.dir), kind, names=((name, node),))

    def _new(self, r, node):
        self.nodes.pop(r.ino, None)
        if r.dir in self.nodes and not r.data.endswith(MAPPED.encode()):
            self.nodes[r.ino] = node
            self._name(r, r.kind, node)

    def _create(self, r):
        self._new(r, Node(r.n, octets=b""))

    def _mkdir(self, r):
        self._new(r, Node(r.n, names={}))

    def _link(self, r):
        self._name(r, "link", self.nodes.get(r.ino))

    def _unlink(self, r):
        self._name(r, "unlink", None)

    def _rename(self, r):
        old, new = r.data.decode().split("/")
        node, a, b = (self.nodes.get(i) for i in (r.ino, r.dir, r.dir2))
        if a is b:
            self._change(a, "rename", names=((old, None), (new, node)))
            return
        self._change(b, "rename", names=((new, node),))
        first = self.open[-1] if b else None
        self._change(a, "rename", names=((old, None),), after=first)

    def _write(self, r):
        self._change(self.nodes.get(r.ino), "write", at=r.n, data=r.data)

    def _truncate(self, r):
        self._change(self.nodes.get(r.ino), "truncate", at=r.n)

    def _mode(self, r):
        if r.ino in self.nodes:
            self.nodes[r.ino].mode = r.n

    def _sync(self, r):
        node = self.nodes.get(r.ino)
        if node and self.deaf != ("files" if node.names is None else
                                  "folders"):
            self._settle([c for c in self.open if c.to is node])

    def _sync_all(self, r):
        if not self.deaf:
            self._settle(self.open)

    def _settle(self, changes):
        done = {id(c) for c in changes}
        for node, mine in self._by_node(changes):
            if node.names is None:
                node.octets = patched(node.octets, mine)
            else:
                node.names = renamed(node.names, mine)
        self.open = [c for c in self.open if id(c) not in done]

    @staticmethod
    def _by_node(changes):
        found = {}
        for c in changes:
            found.setdefault(id(c.to), (c.to, []))[1].append(c)
        return found.values()

    # --- what a cut leaves

    def choice(self, how, rng):
        """Of what was not durable, what is there: one of CHOICES, or all."""
        every = self.open
        if how == "names":
            return [c for c in every if c.names]
        if how == "octets":
            return [c for c in every if not c.names]
        if how == "grown":
            return [c for c in every if c.kind != "unlink"]
        if how == "prefix":
            n = rng.randint(0, len(every))
            last = torn(every[n], rng) if n < len(every) and every[n].data \
                else []
            return every[:n] + last
        if how == "some":
            share = rng.choice((0.2, 0.5, 0.8))
            return self._in_order([c for c in every if rng.random() < share])
        if how == "torn":
            kept = self._in_order([c for c in every if c.data or
                                   rng.random() < 0.5])
            return [part for c in kept
                    for part in (torn(c, rng) if c.data else [c])]
        return every if how == "all" else []

    @staticmethod
    def _in_order(changes):
        there = {id(c) for c in changes}
        return [c for c in changes
                if c.after is None or id(c.after) in there]

    def image(self, kept):
        mine = {id(node): cs for node, cs in self._by_node(kept)}
        found = Image()

        def walk(node, path):
            changes = mine.get(id(node), [])
            if node.names is None:
                found[path] = (node.mode, patched(node.octets, changes))
                found.was[path] = node.was
                return
            found[path] = (node.mode, None)
            for name, sub in renamed(node.names, changes).items():
                walk(sub, path / name)
        walk(self.root, self.folder.relative_to(self.folder))
        return found

    def put(self, image):
        """A file or folder that was there before stays the same one: sceau
        knows those of an outbox by inode and time."""
        self._clear(image)
        for name, (mode, octets) in image.items():
            path = self.folder / name
            if octets is None:
                path.mkdir(exist_ok=True)
                os.chmod(path, mode)
                continue
            was = image.was[name]
            if was:
                os.link(self.inodes / str(was.st_ino), path)
                os.chmod(path, 0o600)
            path.write_bytes(octets)
            os.chmod(path, mode)
            if was:
                os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))

    def _clear(self, image):
        for path in sorted(self.folder.rglob("*"), reverse=True):
            if not path.is_dir():
                path.unlink()
            elif path.relative_to(self.folder) not in image:
                path.rmdir()
