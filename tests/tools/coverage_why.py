"""Why a branch was not taken, read from its statement in the source: each kind
is told by what stands there, never by a list of lines.

    promise   BUG_ON(): a broken promise of our own code
    memory    taken when memory ends
    system    taken when a call of the system fails
    library   taken when a library fails, or a list of libetpan's ends
    frame     taken when another part of the program sends what it should not
    passed    taken when a function that was called has failed
    switch    a value of an enum that has no arm, or an arm of its own
    said      none of these; coverage.reasons says why
    other     none of these, and nobody has said why: what a test could reach

A reason there is that of a statement: it is void once the statement is
another.
"""

import functools
import pathlib
import re

KINDS = ("promise", "memory", "system", "library", "frame", "passed",
         "switch", "said", "other")
REASONS = pathlib.Path(__file__).with_name("coverage.reasons")
ENTRY = re.compile(r"(\S+\.c) (\w+): (.+)")

MEMORY = re.compile(
    r"RC_NOMEM|nomem\(|no memory|out of memory|alloc\(|strdup\(|"
    r"\bbuf_(add\w*|str|reserve)\(|\bpack_\w+\(|\bgrow\(|_room\(|\bhprim_add|"
    r"\bok (&&|\?)|&& ok\b|^return ok|\b\w+_new\(|secret_set\(|index_add\(")
SYSTEM = re.compile(
    r"err_sys\(|errno|EINTR|\b(fork|waitpid|poll|fcntl|fstat|opendir|dir_sync|"
    r"mkstemp|rename|renameat|unlink|close|fsync|socketpair|setsockopt|"
    r"sigaction|setenv|pread|readdir)\(")
LIBRARY = re.compile(
    r"\bcurl_\w+\(|\bCURL\w+|\bmail(imap|stream)_\w+\(|MAILIMAP_|"
    r"\bclist_\w+\(|\b(SSL|SSL_CTX|X509\w*|EVP|ASN1)_\w+\(|\bsmtp_\w+\(|"
    r"\bset(_\w+)?( [!=]= NULL)|\b(type|att|key|flags) [!=]= NULL|\bsodium_\w+\(|"
    r"\b(getnameinfo|fdopendir|vsnprintf|snprintf|localtime_r)\(")
FRAME = re.compile(
    r"\brd_done\(|\bipc_bad\(|\bkeeper_odd\(|\bline_bad\(|\br\.bad\b|\br->bad\b|"
    r"\bf(\.|->)(type|job|body\.len) [!=<>]|\bj == NULL\b|_unpack\(")
PASSED = re.compile(r"\b(rc|sync|sent|told|said|ended|code|got) ?[!=]= ?"
                    r"(RC_OK|SQLITE_OK|SQLITE_DONE|CURLE_OK)|"
                    r"[!=]=\s+RC_OK|RC_OK (\?|\|\||&&)|\.rc [!=]= RC_")
OPENS = re.compile(r"\s*(\}? ?else )?(if|while|for)\b")
FUNCTION = re.compile(r"^(\w+)\(")


@functools.lru_cache(maxsize=None)
def source(path):
    return path.read_text().split("\n")


def statement(lines, at):
    """From its first line to its end, and of an if the line that follows."""
    first = last = at
    while first > 0 and not re.search(r"[;{}:]\s*(/\*.*)?$|^\s*$|\*/\s*$",
                                      lines[first - 1]):
        first -= 1
    while last + 1 < len(lines) and last - at < 14 and not re.search(
            r"[;{]\s*(/\*.*\*/)?$", lines[last]):
        if lines[last].endswith(")") and OPENS.match(lines[first]) and \
                lines[last + 1].startswith("\t") and \
                balanced(lines[first:last + 1]):
            break
        last += 1
    text = lines[first:last + 1]
    follows = []
    if OPENS.match(lines[first]):
        for line in lines[last + 1:last + 5]:
            follows.append(line)
            if line.rstrip().endswith(";"):
                break
    return flat(text), flat(follows)


def balanced(lines):
    text = "".join(lines)
    return text.count("(") == text.count(")")


def flat(lines):
    return re.sub(r"\s+", " ", " ".join(lines)).strip()


@functools.lru_cache(maxsize=None)
def reasons():
    """{(file, function): [(how a statement begins, why)]}."""
    found, last = {}, None
    for line in REASONS.read_text().split("\n"):
        if entry := ENTRY.fullmatch(line):
            last = [entry[3], ""]
            found.setdefault(entry.group(1, 2), []).append(last)
        elif line.startswith("    ") and last:
            last[1] = f"{last[1]} {line.strip()}".lstrip()
    return found


def reason(name, function, text):
    """Why that statement has a branch that is not taken; "": nobody says."""
    return next((said for begins, said in reasons().get((name, function), ())
                 if text.startswith(begins)), "")


def idle(asked):
    """Of whose reasons there is no need: (file, function, begins), of asked:
    (file, function, statement) of all that have a branch not taken."""
    return [(name, function, begins)
            for (name, function), rows in reasons().items()
            for begins, _ in rows if not any(
                text.startswith(begins) for n, f, text in asked
                if (n, f) == (name, function))]


def why(path, number):
    """(kind, function, statement) of that line of the file."""
    lines = source(path)
    line = lines[number - 1].strip()
    text, follows = statement(lines, number - 1)
    function = next((m.group(1) for m in map(FUNCTION.match, reversed(
        lines[:number])) if m), "?")
    if "BUG_ON" in text:
        kind = "promise"
    elif MEMORY.search(line) or MEMORY.search(follows) or \
            "no memory" in text or "RC_NOMEM" in text:
        kind = "memory"
    elif SYSTEM.search(line) or "err_sys(" in text + follows:
        kind = "system"
    elif FRAME.search(line) or FRAME.search(follows):
        kind = "frame"
    elif LIBRARY.search(line):
        kind = "library"
    elif PASSED.search(line):
        kind = "passed"
    elif line.startswith("switch ("):
        kind = "switch"
    else:
        name = "/".join(path.parts[-2:])
        kind = "said" if reason(name, function, text) else "other"
    return kind, function, text
