"""Rules of lint about the C code and its layout."""

import re
import subprocess

BANNED = {
    "strcpy": ("src/base/lang.c",), "strcat": (), "strncat": (),
    "sprintf": (), "vsprintf": (), "gets": (), "strtok": (),
    "atoi": ("src/base/fault.c",), "atol": (), "atof": (), "system": (),
    "popen": (), "alloca": (), "realloc": (), "reallocarray": (),
    "setjmp": (), "longjmp": (),
}
LONGEST_FUNCTION = 60
LONGEST_FILE = 600
EXCUSED = "tests/tools/long-functions.ok"
EXCUSED_AT_MOST = 5


def _plan(tree):
    """src/FLOORS: what each floor may include; who may call a library."""
    may, only = {}, {}
    for line in tree.lines("src/FLOORS"):
        line = line.split("#")[0].strip()
        if not line:
            continue
        left, right = line.split(":", 1)
        if left.startswith("only "):
            only[left.split()[1]] = set(right.split())
        else:
            may[left] = set(right.split()) | {left}
    return may, only


def _line(text, at):
    return text.count("\n", 0, at) + 1


def floors(tree):
    """A floor includes only those that src/FLOORS lets it include."""
    may, _ = _plan(tree)
    for floor in sorted({floor for _, floor in tree.floors()} - set(may)):
        yield f"src/FLOORS:1: says nothing of {floor}"
    include = re.compile(r'^\s*#\s*include\s*"([^"]+)"')
    for path, floor in tree.floors():
        for n, line in enumerate(tree.lines(path), 1):
            got = include.match(line)
            if not got or got.group(1) == "config.h":
                continue
            other = got.group(1).split("/")[0]
            if "/" not in got.group(1) or ".." in got.group(1):
                yield f"{path}:{n}: say floor/file.h: {got.group(1)}"
            elif other not in may.get(floor, {floor}):
                yield f"{path}:{n}: {floor} may not include {other}"


def fences(tree):
    """One floor only calls each library (the "only" lines of FLOORS)."""
    _, only = _plan(tree)
    for path, floor in tree.floors():
        code = tree.code(path)
        for prefix, allowed in only.items():
            if floor in allowed:
                continue
            if prefix.startswith("<"):
                what = r"#\s*include\s*" + re.escape(prefix.rstrip(">"))
            else:
                what = r"(?<!\w)" + re.escape(prefix) + r"\w*\s*\("
            for hit in re.finditer(what, code):
                yield (f"{path}:{_line(code, hit.start())}: {prefix} belongs "
                       f"to {' '.join(sorted(allowed))}")


def banned(tree):
    """None of the functions that we do without."""
    call = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")
    for path in tree.c("src/"):
        code = tree.code(path)
        for hit in call.finditer(code):
            if path not in BANNED[hit.group(1)]:
                yield (f"{path}:{_line(code, hit.start())}: "
                       f"{hit.group(1)}() is banned")


def memory(tree):
    """No memory left is said in words that are translated: err_nomem()."""
    for path in tree.c("src/"):
        text = tree.text(path)
        for hit in re.finditer(r'RC_NOMEM,\s*"(?!%s",\s*[\w>.-]*text\b)', text):
            yield f"{path}:{_line(text, hit.start())}: say err_nomem()"


def gotos(tree):
    """goto leads to the one label out, and nowhere else."""
    for path in tree.c("src/"):
        code = tree.code(path)
        for hit in re.finditer(r"\bgoto\s+(?!out\b)(\w+)", code):
            yield f"{path}:{_line(code, hit.start())}: goto {hit.group(1)}"


def _lengths(tree):
    """(path, line, function, its lines), by universal-ctags."""
    done = subprocess.run(
        ["ctags", "--languages=C,C++", "--langmap=C:.c.h", "--kinds-C=f",
         "--fields=ne", "-x", "--_xformat=%F\t%n\t%N\t%e", "-L", "-"],
        input="\n".join(tree.c("src/")), cwd=tree.top, text=True,
        capture_output=True, check=True)
    for row in done.stdout.splitlines():
        path, start, name, end = row.split("\t")
        if end.isdigit():
            yield path, int(start), name, int(end) - int(start) + 1


def functions(tree):
    """No function is longer than 60 lines, but for five with reasons."""
    excused = {}
    if EXCUSED in tree.files:
        for n, line in enumerate(tree.lines(EXCUSED), 1):
            if line and not line.startswith("#"):
                name, _, why = line.partition(" ")
                excused[name] = n
                if not why.strip():
                    yield f"{EXCUSED}:{n}: no reason"
    if len(excused) > EXCUSED_AT_MOST:
        yield f"{EXCUSED}:1: more than {EXCUSED_AT_MOST}"
    for path, line, name, length in _lengths(tree):
        if length <= LONGEST_FUNCTION:
            continue
        if excused.pop(f"{path}:{name}", None) is None:
            yield f"{path}:{line}: {name}() has {length} lines"
    for name, n in excused.items():
        yield f"{EXCUSED}:{n}: not needed any more: {name}"


def files(tree):
    """No file of code is longer than 600 lines."""
    for path in [*tree.c(), *tree.python(), *tree.scripts()]:
        n = tree.text(path).count("\n")
        if n > LONGEST_FILE:
            yield f"{path}:{n}: {n} lines, at most {LONGEST_FILE}"


def _columns(line):
    return len(line.expandtabs(8))


def columns(tree):
    """C, shell and rules of make stay within 80 columns."""
    rules = [f for f in tree.files if f.endswith((".mk", ".am"))]
    for path in [*tree.c(), *tree.scripts(), *rules]:
        for n, line in enumerate(tree.lines(path), 1):
            if _columns(line) > 80:
                yield f"{path}:{n}: {_columns(line)} columns, at most 80"


def blanks(tree):
    """No blanks at the end of a line, no CR, and a last line that ends."""
    for path in tree.texts():
        text = tree.text(path)
        if text and not text.endswith("\n"):
            yield f"{path}:{text.count(chr(10)) + 1}: the last line has no end"
        if text.endswith("\n\n"):
            yield f"{path}:{text.count(chr(10))}: ends in an empty line"
        for n, line in enumerate(text.split("\n"), 1):
            if line != line.rstrip():
                yield f"{path}:{n}: blanks or a CR at the end of the line"


def tabs(tree):
    """C is indented with tabs; four blanks only continue a line."""
    for path in tree.c():
        for n, line in enumerate(tree.lines(path), 1):
            lead = line[:len(line) - len(line.lstrip())]
            if " " * 8 in lead or " \t" in lead:
                yield f"{path}:{n}: indent with tabs"


def guards(tree):
    """A header of a floor is guarded by SC_FLOOR_FILE_H."""
    for path, floor in tree.floors():
        if not path.endswith(".h"):
            continue
        name = path.rsplit("/", 1)[1][:-2]
        guard = re.sub(r"\W", "_", f"SC_{floor}_{name}_H".upper())
        text = tree.code(path)
        if not re.search(rf"#ifndef {guard}\n#define {guard}\n", text):
            yield f"{path}:1: wants the guard {guard}"


def _declared(paragraph):
    """Functions declared in a paragraph without comments."""
    flat = re.sub(r"\{[^{}]*\}", "", paragraph)
    flat = re.sub(r"^\s*#(?:\\\n|.)*$", "", flat, flags=re.M)
    for hit in re.finditer(r"^[a-z_][\w \t\n*]*?\b(\w+)\s*\(", flat, re.M):
        before = hit.group(0).strip()
        if not before.startswith(("static inline", "typedef", "return")):
            yield hit.group(1)


def docstrings(tree):
    """A header says what it is, and what each function does."""
    for path, _ in tree.floors():
        if not path.endswith(".h"):
            continue
        text, code = tree.text(path), tree.code(path)
        if not text.startswith("/*"):
            yield f"{path}:1: does not open by saying what it is"
        said = set(re.findall(r"\b\w+\b", " ".join(
            re.findall(r"/\*.*?\*/", text, re.S))))
        # A comment speaks for what follows it without an empty line; that
        # of a struct also for the functions right after the struct.
        at, above = 0, False
        for block in _paragraphs(text):
            body = code[at:at + len(block)]
            start = block.find("/*")
            for name in _declared(body):
                spoken = above or 0 <= start < body.find(name)
                if name not in said and not spoken:
                    yield (f"{path}:{_line(text, at + body.find(name))}: "
                           f"nothing is said of {name}()")
            if block.strip():
                above = start >= 0 and re.search(r"^struct \w+ \{", body, re.M)
            at += len(block)


def _paragraphs(text):
    """Pieces that end after an empty line outside of a comment."""
    return re.findall(r"(?:/\*.*?\*/|(?!\n[ \t]*\n).)+\s*|\s+", text, re.S)


def units(tree):
    """Every unit test is registered, and every registered one is there."""
    names = {f[:-2] for f in tree.files
             if re.fullmatch(r"tests/unit/test_\w+\.c", f)}
    rules = [f for f in tree.files
             if re.fullmatch(r"tests/unit/\w+\.mk", f)]
    text = "\n".join(tree.text(f) for f in rules).replace("\\\n", " ")
    for variable in ("check_PROGRAMS", "TESTS"):
        listed = set()
        for row in re.findall(rf"^{variable}\s*\+?=(.*)$", text, re.M):
            listed |= set(row.split())
        # A rule of make may list them by name only: $(X:%=tests/unit/%).
        for name in sorted(names - listed):
            if not re.search(rf"\b{name.split('/')[-1]}\b", text):
                yield f"{name}.c:1: not in {variable} of tests/unit/*.mk"
        for name in sorted(listed - names):
            if name.startswith("tests/unit/test_"):
                yield f"tests/unit:1: {variable} names {name}: no such file"


RULES = [floors, fences, banned, gotos, memory, functions, files, columns,
         blanks, tabs, guards, docstrings, units]
