"""A small file system, full or read only, in a folder's place.

    with small.mounted(dr.inbox, 0):        # nothing more fits
        dr.sceau("poll")

A tmpfs: wants root, or sudo without a question.
"""

import contextlib
import os
import shutil
import subprocess

from world.world import emptied


def root(*words):
    subprocess.run([*(() if os.geteuid() == 0 else ("sudo", "-n")),
                    *map(str, words)], check=True)


@contextlib.contextmanager
def mounted(folder, left):
    """What is in the folder is on a small file system; back at the end, in
    the folder that it was."""
    aside = folder.with_name(folder.name + ".aside")
    shutil.rmtree(aside, ignore_errors=True)
    folder.rename(aside)
    folder.mkdir(mode=0o700)
    root("mount", "-t", "tmpfs", "-o", f"size=16m,mode=700,uid={os.geteuid()}",
         "tmpfs", folder)
    try:
        shutil.copytree(aside, folder, dirs_exist_ok=True)
        if left is None:
            root("mount", "-o", "remount,ro", folder)
        else:
            fill(folder, left)
        yield
        if left is None:
            root("mount", "-o", "remount,rw", folder)
        (folder / "filler").unlink(missing_ok=True)
        emptied(aside)
        shutil.copytree(folder, aside, dirs_exist_ok=True)
    finally:
        root("umount", folder)
        folder.rmdir()
        aside.rename(folder)


def fill(folder, left):
    free = os.statvfs(folder)
    size = (free.f_bavail - left) * free.f_frsize
    with open(folder / "filler", "wb") as f:
        os.posix_fallocate(f.fileno(), 0, size)
