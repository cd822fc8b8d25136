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


# What sceau-security(7) must answer for: claims, and attacks by family.
CLAIMS = [f"P{n}" for n in range(1, 23)] + ["L"]
ATTACKS = ["K4b"] + [f"{family}{n}" for family, last in (
    ("K", 14), ("E", 11), ("M", 12), ("D", 12), ("A", 8))
    for n in range(1, last + 1)]
DEFINED = {".py": r"^\s*(?:def {0}\(|{0} = )", ".c": r"^{0}\(",
           ".pml": r"^ltl {0} "}


def _is_test(tree, path, name):
    """Is that test defined in that file of the source?"""
    suffix = path[path.rfind("."):]
    return path in tree.files and suffix in DEFINED and re.search(
        DEFINED[suffix].format(re.escape(name)), tree.text(path), re.M)


def claims(tree):
    """sceau-security(7) names for each claim and attack tests that exist."""
    item = re.compile(r"\.It (?:\\&)?([PKEMDA]\d+b?|L)$")
    named = re.compile(r"\.Li (tests/\S+)::(\w+)$")
    for page in _pages(tree, "sceau-security.7"):
        yield from _compare(tree, page, item, CLAIMS + ATTACKS, "row")
        row = None      # (line, id) for which no test was named yet
        for n, line in enumerate(tree.lines(page) if page in tree.files
                                 else (), 1):
            if row and line.startswith((".It", ".El")):
                yield f"{page}:{row[0]}: no test is named for {row[1]}"
                row = None
            if got := item.match(line):
                row = n, got[1]
            if got := named.match(line):
                row = None
                if not _is_test(tree, got[1], got[2]):
                    yield f"{page}:{n}: there is no test {got[1]}::{got[2]}"


RULES = [manual, settings, commands, exits, claims]
