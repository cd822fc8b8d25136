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


def _rows(tree, page):
    """(line, row, [(line, file, test)]) of sceau-security(7)."""
    item = re.compile(r"\.It (?:\\&)?([PKEMDA]\d+b?|L)$")
    named = re.compile(r"\.Li (tests/\S+)::(\w+)$")
    row = None
    for n, line in enumerate(tree.lines(page), 1):
        if line.startswith((".It", ".El")):
            if row:
                yield row
            got = item.match(line)
            row = (n, got[1], []) if got else None
        if got := named.match(line):
            if row:
                row[2].append((n, got[1], got[2]))
            else:
                yield n, None, [(n, got[1], got[2])]


def _bears(test, row):
    """test_P9_K4_each_pair bears the names of P9 and K4."""
    return re.search(rf"_{row}(?:_|$)", test, re.I)


def claims(tree):
    """sceau-security(7) names for each claim and attack tests that exist, of
    which one bears its name; and no test bears the name of another row."""
    item = re.compile(r"\.It (?:\\&)?([PKEMDA]\d+b?|L)$")
    for page in _pages(tree, "sceau-security.7"):
        yield from _compare(tree, page, item, CLAIMS + ATTACKS, "row")
        for at, row, tests in (_rows(tree, page) if page in tree.files
                               else ()):
            for n, path, test in tests:
                if not _is_test(tree, path, test):
                    yield f"{page}:{n}: there is no test {path}::{test}"
            if row and not tests:
                yield f"{page}:{at}: no test is named for {row}"
            elif row and not any(_bears(t, row) for _, _, t in tests):
                yield f"{page}:{at}: no test of {row} bears its name"
    row = re.compile(r"^def test_((?:[PKEMDA]\d+b?_)+)", re.M)
    for path in tree.python():
        for got in row.finditer(tree.text(path)):
            for name in got[1].split("_")[:-1]:
                if name not in CLAIMS + ATTACKS:
                    yield f"{path}:1: {got[0][4:]}...: there is no row {name}"


RULES = [manual, settings, commands, exits, claims]
