"""Rules of lint about the manual pages against the program, and back."""

import re
import subprocess

from lint_tree import Skip


SYSEXITS = (0, 64, 65, 67, 69, 71, 75, 77, 78)


def _pages(tree, name):
    """The English and the French page of that name, of which either may
    not be there without the other."""
    pages = [f"man/{name}", f"man/fr/{name}"]
    if not set(pages) & set(tree.files):
        raise Skip(f"no {name} yet")
    return pages


def _compare(tree, page, items, wanted, what):
    """Each wanted thing has an item in the page, and each item is one."""
    if page not in tree.files:
        yield f"{page}:1: there is no such page"
        return
    found = {}
    for n, line in enumerate(tree.lines(page), 1):
        got = items.match(line)
        if got:
            found.setdefault(got.group(1), n)
    for name in sorted(set(wanted) - set(found)):
        yield f"{page}:1: says nothing of the {what} {name}"
    for name in sorted(set(found) - set(wanted)):
        yield f"{page}:{found[name]}: there is no {what} {name}"


def settings(tree):
    """sceau.conf(5) has every setting of src/conf/table.c, and no other."""
    row = re.compile(r'\{ (?:S_\w+|sect), "(\w+)", K_')
    wanted = row.findall(tree.text("src/conf/table.c"))
    if not wanted:
        raise RuntimeError("no setting found in src/conf/table.c")
    for page in _pages(tree, "sceau.conf.5"):
        yield from _compare(tree, page, re.compile(r"\.It Ic (\w+) No ="),
                            wanted, "setting")


def _commands(tree):
    """{command: its arguments}, of the table that dispatches them."""
    row = re.compile(r'^\t\{ "([a-z]+(?: [a-z]+)?)",\s*"([^"]*)"', re.M)
    path = "src/cmd/table.c"
    found = dict(row.findall(tree.text(path))) if path in tree.files else {}
    if not found:
        raise Skip("no table of commands yet")
    return found


def commands(tree):
    """sceau(1) has every command with its options, and no other."""
    wanted = _commands(tree)
    item = re.compile(r"\.(?:It|Ss) Ic ([a-z]+(?: [a-z]+)?)(?![a-z])")
    for page in _pages(tree, "sceau.1"):
        yield from _compare(tree, page, item, wanted, "command")
        if page not in tree.files:
            continue
        said = set(re.findall(r"\bFl (-?[a-zA-Z][\w-]*)", tree.text(page)))
        for name, arguments in wanted.items():
            for option in re.findall(r"(?<![\w-])-(-?[a-zA-Z][\w-]*)",
                                     arguments):
                if option not in said:
                    yield f"{page}:1: {name}: says nothing of -{option}"


def exits(tree):
    """sceau(1) has every exit code, and no other."""
    for page in _pages(tree, "sceau.1"):
        yield from _compare(
            tree, page, re.compile(r"\.It (?:Li |Ic )?(\d+)\b"),
            [str(code) for code in SYSEXITS], "exit code")


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


RULES = [manual, settings, commands, exits]
