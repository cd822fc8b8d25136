"""An association of the tests: the issuer's desk, its members, its letters.

The only place that knows how the issuer's commands are called and what they
write; everybody else says association.equip(member).
"""

import csv
import os
import re
import subprocess
import time

from pysceau import association as pysceau
from pysceau import code as paper

CODE = re.compile(r"\b(?:[0-9A-HJKMNP-TV-Z]{5}-){4}[0-9A-HJKMNP-TV-Z]{5}\b")


class Association:
    """world: lends the program and a folder.  rings, for policy "list":
    {local: name of the list}; who shares a list shares keys."""

    def __init__(self, world, year, name="exemple", policy="full",
                 rings=None):
        self.world, self.year, self.name = world, year, name
        self.policy, self.rings = policy, rings or {}
        self.folder = world.top / "association"
        self.out = world.top / "letters"

    def _sceau(self, *words, input=b""):
        done = subprocess.run(
            [self.world.sceau, *map(str, words)], input=input,
            capture_output=True, timeout=300, env={
                "PATH": "/usr/bin:/bin", "LANG": "C",
                "HOME": str(self.world.top)})
        assert done.returncode == 0, \
            f"sceau {' '.join(map(str, words))}: exit {done.returncode}\n" \
            f"{(done.stdout + done.stderr).decode(errors='replace')}"
        return done.stdout

    def identity(self, member, generation=1):
        return f"{self.full_name(member)}#{generation}"

    def full_name(self, member):
        return f"{self.name}/{member.address}"

    def found(self, members, kinds, hub=None):
        """Begin the association and enrol members: {local: kind}."""
        self._sceau("issuer", "init", self.folder, "--assoc", self.name,
                    "--year", self.year, "--domain", "asso.example")
        table = self.world.top / "members.csv"
        with open(table, "w", newline="", encoding="utf-8") as f:
            rows = csv.writer(f)
            rows.writerow(["address", "route", "name", "kind", "ring"])
            for m in members:
                rows.writerow([
                    m.address, m.route, m.local,
                    "hub" if m is hub else kinds[m.local],
                    self.rings.get(m.local, "")])
        self._sceau("issuer", "add", self.folder, table)

    def custodians(self, *numbers, year=None):
        """The words by which custodians bring their sheets."""
        return [word for n in numbers for word in (
            "--custodian", self.folder / "custodians" /
            f"custodian-{n}.{year or self.year}.txt")]

    def batch(self):
        """The year's key files and letters."""
        self._sceau("issuer", "batch", self.folder, "--out", self.out,
                    "--policy", self.policy, *self.custodians(1, 2))

    def _made(self, folder, member, suffix):
        files = list((self.out / folder).glob(f"{member.local}*{suffix}"))
        assert len(files) == 1, f"{folder} of {member.address}: {files}"
        return files[0]

    def key_file(self, member):
        return self._made("keys", member, ".cle")

    def code(self, member):
        """The code on the member's letter."""
        text = self._made("letters", member, ".txt").read_text()
        return CODE.search(text).group(0)

    def equip(self, member):
        """What the member does with the letter and the key file."""
        code = member.secret("code", self.code(member) + "\n")
        member.ok("key", "import", "--code-file", code, self.key_file(member))
        code.unlink()


class ByHand(Association):
    """The same association without the issuer's commands: key files made by
    the independent writer (tests/pysceau)."""

    FLAGS = {"practice": 1, "laboratory": 2, "institution": 3}

    def _name(self, member):
        return self.full_name(member).encode()

    def found(self, members, kinds, hub=None):
        self.folder.mkdir()
        members = list(members)
        self._codes = {m: os.urandom(15) for m in members}
        self._pysceau = pysceau.Association(
            {self.year: os.urandom(32)}, {self._name(m): 1 for m in members},
            hub=self._name(hub) if hub else None, time=int(time.time()),
            display={self._name(m): (self.FLAGS[kinds[m.local]],
                                     m.route.encode(), m.local)
                     for m in members})
        self._hub = hub

    def _ring(self, member):
        """Whom a ring holds: with policy "list", those of the same list and
        the desks; the gateway's is always full."""
        if self.policy == "full" or member is self._hub:
            return None
        mine = self.rings.get(member.local)
        return {self._name(m) for m in self._codes
                if mine and self.rings.get(m.local) == mine} | \
            {self._pysceau.hub, self._pysceau.watch, self._pysceau.issuer}

    def batch(self):
        for member, code in self._codes.items():
            data = self._pysceau.key_file(
                self._name(member), self.year, code, only=self._ring(member))
            self.key_file(member).write_bytes(data)

    def key_file(self, member):
        return self.folder / f"{member.local}.{self.year}.cle"

    def code(self, member):
        return paper.format(self._codes[member])
