"""Rules of lint about the manual pages against the program, and back."""

import re
import subprocess

from lint_tree import Skip


def _pages(tree, name):
    """The English and the French page of that name."""
    pages = [f for f in tree.files
             if f.startswith("man/") and f.rsplit("/", 1)[1] == name]
    if not pages:
        raise Skip(f"no {name} yet")
    return pages


def manual(tree):
    """mandoc finds nothing to complain of in the manual pages."""
    pages = [f for f in tree.files if re.fullmatch(r"man/.*\.[1-9]", f)]
    if not pages:
        raise Skip("no manual page yet")
    for path in pages:
        done = subprocess.run(
            ["mandoc", "-T", "lint", "-W", "warning", path],
            cwd=tree.top, capture_output=True, text=True)
        for line in done.stdout.splitlines():
            yield line.replace("mandoc: ", "", 1)


RULES = [manual]
