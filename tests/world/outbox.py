"""The outbox of a laboratory, and what a practice gets out of it."""

import os
import re
import shutil
import tempfile

from world import hprim

TOKEN = re.compile(r"-\d+-[0-9a-f]{20}(?=\.)")
PDF = b"%PDF-1.4\r\n\x00\xff\n.\r\n\r\n" * 50


def in_memory():
    """A temporary folder where thousands of files take no time, if there is
    such a place."""
    shm = "/dev/shm"
    return tempfile.TemporaryDirectory(dir=shm if os.path.isdir(shm) else None)


class Box:
    """The outbox of labo; dr files into a folder what it gets."""

    def __init__(self, demo):
        self.demo, self.labo, self.dr = demo, demo.labo, demo.dr
        self.path = demo.labo.folder / "outbox"
        self.refused = self.path / "refused"
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.mkdir()
        demo.dr.configure(kind="folder")
        self.want(ready="rename", to=demo.dr.address)

    def want(self, language="en", **settings):
        lines = "\n".join(f'    {k} = "{v}"' for k, v in settings.items())
        self.labo.configure(
            top={"language": language},
            sections=f'outbox "lis" {{\n    path = "{self.path}"\n{lines}\n}}')

    def drop(self, name, data, folder=None):
        """As a careful system does: a temporary name, then the real one."""
        where = self.path / folder if folder else self.path
        where.mkdir(exist_ok=True)
        (where / f"{name}.tmp").write_bytes(data)
        (where / f"{name}.tmp").rename(where / name)

    def poll(self, code=0, **env):
        got = self.labo.sceau("poll", **env)
        assert got.code == code, got.text()
        return got

    def left(self):
        """Names in the outbox, without refused/."""
        return sorted(str(p.relative_to(self.path))
                      for p in self.path.rglob("*")
                      if p.is_file() and self.refused not in p.parents)

    def refusals(self):
        """{path in refused/: octets}."""
        return {str(p.relative_to(self.refused)): p.read_bytes()
                for p in self.refused.rglob("*") if p.is_file()}

    def arrived(self, member=None):
        """What the practice has filed by now, [(name, octets)]."""
        member = member or self.dr
        member.ok("poll")
        return sorted((TOKEN.sub("", p.name), p.read_bytes())
                      for p in member.inbox.iterdir() if p.is_file())


def report(**header):
    """A report; line_N=: what stands in line N of its header."""
    p = hprim.Patient()
    for name, text in header.items():
        p.header[int(name.removeprefix("line_")) - 1] = text
    return hprim.encode([p])
