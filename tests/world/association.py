"""An association of the tests: the issuer's desk, its members, its letters.

The only place that knows how the issuer's commands are called and what they
write; everybody else says association.equip(member).
"""

import csv
import re
import subprocess

CODE = re.compile(r"\b(?:[0-9A-HJKMNP-TV-Z]{5}-){4}[0-9A-HJKMNP-TV-Z]{5}\b")


class Association:
    """world: lends the program and a folder.  rings: {local: names that its
    ring holds}, for policy "list"."""

    def __init__(self, world, year, name="demo", policy="full", rings=None):
        self.world, self.year, self.name = world, year, name
        self.policy, self.rings = policy, rings or {}
        self.folder = world.top / "association"

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
        return f"{self.name}/{member.address}#{generation}"

    def full_name(self, member):
        return f"{self.name}/{member.address}"

    def found(self, members, kinds, hub=None):
        """Begin the association and enrol members: {local: kind}."""
        self._sceau("issuer", "init", self.folder, "--assoc", self.name,
                    "--year", self.year)
        table = self.world.top / "members.csv"
        with open(table, "w", newline="", encoding="utf-8") as f:
            rows = csv.writer(f)
            rows.writerow(["name", "kind", "route", "display", "role",
                           "ring"])
            for m in members:
                rows.writerow([
                    m.address, kinds[m.local], m.route, m.local,
                    "hub" if m is hub else "",
                    " ".join(self.rings.get(m.local, []))])
        self._sceau("issuer", "add", self.folder, table)

    def batch(self):
        """The year's key files and letters."""
        self._sceau("issuer", "batch", self.folder, "--policy", self.policy)

    def key_file(self, member):
        files = sorted(self.folder.rglob(
            f"{member.address}.{self.year}.cle")) or sorted(
            self.folder.rglob(f"{member.local}*.{self.year}.cle"))
        assert files, f"no key file for {member.address}"
        return files[-1]

    def code(self, member):
        """The code on the member's letter."""
        for path in sorted(self.folder.rglob(f"*{member.local}*")):
            if path.is_file() and path.suffix in (".txt", ".letter", ".code"):
                got = CODE.search(path.read_text(errors="replace"))
                if got:
                    return got.group(0)
        raise AssertionError(f"no letter for {member.address}")

    def equip(self, member):
        """What the member does with the letter and the key file."""
        code = member.secret("code", self.code(member) + "\n")
        member.ok("key", "import", self.key_file(member), "--code-file", code)
        code.unlink()
