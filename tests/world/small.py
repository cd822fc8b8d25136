"""A small file system, full or read only, in a folder's place.

    with small.mounted(dr.inbox, 0):        # nothing more fits
        dr.sceau("poll")

A tmpfs, or the folder itself where nothing may be written: wants root, or sudo
without a question.

    small.damage(dr, "journal")             # a page of its store is zeros
"""

import contextlib
import os
import shutil
import sqlite3
import subprocess

from world.world import emptied

PAGE = 4096
STORE = "sceau.db"
FILLER = ".filler"        # an outbox would send it


def root(*words):
    subprocess.run([*(() if os.geteuid() == 0 else ("sudo", "-n")),
                    *map(str, words)], check=True)


@contextlib.contextmanager
def mounted(folder, left):
    """left: pages free; None: read only.  What is in the folder is on a small
    file system; back at the end, in the folder that it was."""
    if left is None:
        with _read_only(folder):
            yield
        return
    aside = folder.with_name(f".{folder.name}.aside")
    shutil.rmtree(aside, ignore_errors=True)
    folder.rename(aside)
    folder.mkdir(mode=0o700)
    root("mount", "-t", "tmpfs", "-o", f"size=16m,mode=700,uid={os.geteuid()}",
         "tmpfs", folder)
    try:
        shutil.copytree(aside, folder, dirs_exist_ok=True)
        fill(folder, left)
        yield
        (folder / FILLER).unlink(missing_ok=True)
        emptied(aside)
        shutil.copytree(folder, aside, dirs_exist_ok=True)
    finally:
        root("umount", folder)
        folder.rmdir()
        aside.rename(folder)


@contextlib.contextmanager
def _read_only(folder):
    """Its files are the same ones: an outbox knows them by their inodes."""
    root("mount", "--bind", folder, folder)
    try:
        root("mount", "-o", "remount,bind,ro", folder)
        yield
    finally:
        root("umount", folder)


def fill(folder, left):
    free = os.statvfs(folder)
    size = (free.f_bavail - left) * free.f_frsize
    with open(folder / FILLER, "wb") as f:
        os.posix_fallocate(f.fileno(), 0, size)


def damage(member, name, what=bytes(PAGE)):
    """The first page of that table or index of its store."""
    path = member.state / STORE
    with sqlite3.connect(path) as db:
        page, = db.execute("SELECT rootpage FROM sqlite_schema "
                           "WHERE name = ?", (name,)).fetchone()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    with open(path, "r+b") as f:
        f.seek((page - 1) * PAGE)
        f.write(what)
