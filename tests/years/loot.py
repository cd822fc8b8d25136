"""What a thief does with a machine's files: read here without sceau, by what
tests/pysceau knows of the protocol and by what sceau-keys(5) says of the local
store.  He holds each mail that ever passed the relay, and each key file.
"""

import collections
import io
import shutil
import sqlite3
import struct

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from pysceau import code as paper
from pysceau import envelope, identity, kdf, keyfile, records
from pysceau.errors import SceauError

LOCAL = 0x70                # since, number of keys, the key of rows


# -- XChaCha20-Poly1305, for rows ---------------------------------------------

def _quarter(s, a, b, c, d):
    for x, y, z, n in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8),
                       (c, d, b, 7)):
        s[x] = (s[x] + s[y]) & 0xFFFFFFFF
        v = s[z] ^ s[x]
        s[z] = (v << n | v >> (32 - n)) & 0xFFFFFFFF


def hchacha20(key, nonce):
    s = list(struct.unpack("<16I", b"expand 32-byte k" + key + nonce))
    for _ in range(10):
        for i in range(4):
            _quarter(s, i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            _quarter(s, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4,
                     12 + (i + 3) % 4)
    return struct.pack("<8I", *s[:4], *s[12:])


def row_opened(key, sealed, name):
    sub = ChaCha20Poly1305(hchacha20(key, sealed[:16]))
    return sub.decrypt(bytes(4) + sealed[16:24], sealed[24:], name)


# -- a key store and its rows -------------------------------------------------

def stored(folder):
    """Records of a key store, as (type, value), by its machine key."""
    r = envelope.Reader(io.BytesIO((folder / "keystore").read_bytes()))
    plain = b"".join(r.key((folder / "keystore.key").read_bytes()).chunks())
    at = 0
    while plain[at] != records.END:
        size = int.from_bytes(plain[at + 1:at + 5], "big")
        yield plain[at], plain[at + 5:at + 5 + size]
        at += 5 + size


def row_grants(octets):
    """(own identity, generation, year, key) of a peer's row."""
    f = io.BytesIO(octets)

    def number(n):
        return int.from_bytes(f.read(n), "big")
    assert f.read(2) == b"P\1"
    f.read(5)
    f.read(2 * number(1))
    if number(1):
        f.read(10)
        for _ in range(2):
            f.read(number(1))
    for _ in range(number(1)):
        year, gen, key = number(2), number(1), f.read(32)
        yield f.read(number(1)), gen, year, key


class Keys:
    """{label: 32 octets}: ("K", identity, year), ("C", own, peer, year)."""

    def __init__(self):
        self.held = {}

    def add(self, label, key):
        """True when it is news."""
        if label in self.held:
            return False
        self.held[label] = key
        return True

    def of_folder(self, state):
        """All keys that lie in a state folder."""
        own = None
        for type_, value in stored(state):
            if type_ == LOCAL:
                local = [value[12:44], value[44:76]]
            elif type_ == records.SELF:
                f = records.read(type_, value)
                own = f["identity"].decode(), f["year"]
                self.add(("K", *own), f["key"])
            elif type_ == records.GRANT:
                f = records.read(type_, value)
                self.add(("C", own[0], f["identity"].decode(), f["year"]),
                         f["key"])
        rows = [kdf.kdf(k, "sceau1.row", b"") for k in local if k]
        if (state / "sceau.db").exists():
            db = sqlite3.connect(state / "sceau.db")
            for who, value in db.execute("SELECT key, value FROM row"):
                self._row(rows, bytes(who), bytes(value))
            db.close()
        return self

    def _row(self, keys, who, sealed):
        for key in keys:
            try:
                octets = row_opened(key, sealed, who)
                break
            except Exception:
                continue
        else:
            raise AssertionError(f"a row that no key opens: {who}")
        if octets[:1] != b"P":
            return
        for own, gen, year, key in row_grants(octets):
            self.add(("C", own.decode(), f"{who.decode()}#{gen}", year), key)

    def store(self):
        """As history.py says it: (identities and years, ring)."""
        return (frozenset(k[1:] for k in self.held if k[0] == "K"),
                frozenset(k[1:] for k in self.held if k[0] == "C"))


def fits(key, header):
    T, _ = kdf.message_keys(key, header.raw)
    return T == header.T


def candidates(label, key, header):
    """What a key could be good for: itself, and what follows from it."""
    yield key
    yield kdf.channel_key(key, header.sender)
    if label[0] != "C":         # another spelling of who sent it
        who = identity.name_of(header.sender)
        for gen in (1, 2, 3):
            yield kdf.channel_key(key, who + b"#%d" % gen)


def name(who):
    return who.partition("#")[0]


class Wire:
    """All that ever passed: by whom it concerns."""

    def __init__(self):
        self.sealed = {}                # e: (header, envelope)
        self.of = collections.defaultdict(list)     # names: [e]
        self.files = []                 # key files, as octets

    def add(self, e, env):
        h = envelope.parse_header(env)
        self.sealed[e] = h, env
        i, j = name(h.sender.decode()), name(h.recipient.decode())
        self.of[frozenset((i, j))].append(e)
        self.of[j].append(e)
        return h

    def near(self, label):
        """Envelopes with which that key has anything to do."""
        if label[0] != "C":
            return self.of[name(label[1])]
        return self.of[frozenset((name(label[1]), name(label[2])))]


class Thief:
    def __init__(self, who, wire):
        self.name, self.wire = who, wire
        self.keys, self.codes = Keys(), []
        self.roots, self.parts = {}, {}     # (association, year): ...
        self.open = set()
        self._tried = {}                # label: how many of near() it saw
        self._files = None

    def breaks_in(self, state, copy):
        shutil.copytree(state, copy)
        self.keys.of_folder(copy)

    def reads_letter(self, text):
        self.codes.append(paper.parse(text))

    def reads(self):
        """Everything that follows, until nothing more does; what is open."""
        news = True
        while news:
            news = self._try_files()
            for label in list(self.keys.held):
                near = self.wire.near(label)
                for e in near[self._tried.get(label, 0):]:
                    news |= self._try(label, e)
                self._tried[label] = len(near)
            news |= self._try_roots()
        return frozenset(self.open)

    def _try(self, label, e):
        header, env = self.wire.sealed[e]
        if e in self.open:
            return False
        for key in candidates(label, self.keys.held[label], header):
            if fits(key, header):
                return self._opened(e, header, env, key)
        return False

    def _opened(self, e, header, env, key):
        self.open.add(e)
        _, p = envelope.opened(env, key, records.LIMIT_DESK)
        me, news = header.recipient.decode(), False
        for f in p.all(records.GRANT):
            news |= self.keys.add(
                ("C", me, f["identity"].decode(), f["year"]), f["key"])
        return news

    def _try_files(self):
        """Each key file with each code, and old keys beside."""
        news = False
        old = [k for label, k in self.keys.held.items() if label[0] == "K"]
        state = len(self.wire.files), len(self.codes), len(old)
        if state == self._files:
            return False
        self._files = state
        for data in self.wire.files:
            for code in self.codes + [bytes(15)]:
                try:
                    f = keyfile.read(data, code, old)
                except SceauError:
                    continue
                me, year = f.self["identity"].decode(), f.self["year"]
                news |= self.keys.add(("K", me, year), f.self["key"])
                for g in f.grants:
                    news |= self.keys.add(
                        ("C", me, g["identity"].decode(), year), g["key"])
        return news

    def _try_roots(self):
        """K of everybody who was ever written to, of that year and others."""
        news = False
        for (of, year), (root, whole) in self.roots.items():
            for header, _ in list(self.wire.sealed.values()):
                who = header.recipient.decode()
                for y in {year, header.year} if who.startswith(
                        of + "/") else ():
                    label = ("K" if whole and y == year else root, who, y)
                    news |= self.keys.add(label, kdf.member_key(
                        root, y, header.recipient))
        return news

    def witness_key(self, i, j, year):
        """The best that he has for proofs in the name of i."""
        own = self.keys.held.get(("K", i, year))
        return kdf.witness_key(own or self.channel(i, j, year))

    def channel(self, i, j, year):
        """The best that he has for writing to j as i, right or wrong."""
        self.reads()
        h = self.keys.held
        if ("K", j, year) in h:
            return kdf.channel_key(h["K", j, year], i.encode())
        if ("C", i, j, year) in h:
            return h["C", i, j, year]
        near = [k for label, k in h.items() if label[0] == "C" and
                name(label[2]) == name(j) and name(label[1]) == name(i)]
        near += [k for label, k in h.items() if label[0] == "C" and
                 name(label[2]) == name(j)]
        near += [kdf.channel_key(k, i.encode()) for label, k in h.items()
                 if label[0] == "K"]
        return near[0] if near else bytes(32)
