"""What a mail inside must look like before it may be shown."""

import re
from email.errors import HeaderParseError
from email.header import decode_header, make_header

from .errors import SceauError

MAX_HEADER = 65536
_ONCE = (b"subject", b"date", b"message-id", b"to", b"cc", b"reply-to")
_FIELD = re.compile(rb"([\x21-\x39\x3b-\x7e]+):(.*)", re.S)
_ATEXT = rb"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
_ADDR = (_ATEXT + rb"+(?:\." + _ATEXT + rb"+)*@[A-Za-z0-9-]+"
         rb"(?:\.[A-Za-z0-9-]+)*")
_QUOTED = rb'"(?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\[\x20-\x7e\x80-\xff])*"'
# A display name: blanks, quoted strings and anything but specials.
_DISPLAY = (rb'(?:' + _QUOTED +
            rb'|[^\x00-\x08\x0a-\x1f\x7f()<>\[\]:;@\\,"])*')
_BARE = re.compile(rb"[ \t]*(" + _ADDR + rb")[ \t]*")
_ANGLE = re.compile(rb"(" + _DISPLAY + rb")<(" + _ADDR + rb")>[ \t]*")


def _bad(text):
    raise SceauError("INNER", text)


def header_of(mail):
    """The header section: octets up to and with the empty line."""
    if mail.startswith(b"\r\n"):
        return mail[:2]
    end = mail.find(b"\r\n\r\n", 0, MAX_HEADER + 4)
    head = mail[:MAX_HEADER] if end < 0 else mail[:end + 4]
    if re.search(rb"\0|\r(?!\n)|(?<!\r)\n", head):
        _bad("NUL, bare CR or bare LF in the header")
    if end < 0 or end + 4 > MAX_HEADER:
        _bad("the header does not end")
    return head


def fields(head):
    """(lower-cased name, value with its folds) of each field."""
    out = []
    for line in head[:-4].split(b"\r\n") if head != b"\r\n" else ():
        if line[:1] in (b" ", b"\t"):
            if not out or not line.strip(b" \t"):
                _bad("a fold of nothing")
            out[-1][1] += b"\r\n" + line
            continue
        m = _FIELD.fullmatch(line)
        if m is None:
            _bad("a line that is no field")
        out.append([m[1].lower(), m[2]])
    return [(name, value) for name, value in out]


def from_address(value):
    """The one addr-spec of a From, lower-cased in ASCII."""
    value = value.replace(b"\r\n", b"")
    m = _BARE.fullmatch(value)
    if m is not None:
        return m[1].lower()
    m = _ANGLE.fullmatch(value)
    if m is None:
        _bad("From is not one address")
    shown = _shown(m[1])
    if "@" in shown and shown.lower().encode() != m[2].lower():
        _bad("a display name that looks like another address")
    return m[2].lower()


def _shown(display):
    """A display name as people see it: unquoted, encoded words decoded."""
    text = display.decode("utf-8", "replace").strip()
    if text.startswith('"') and text.endswith('"'):
        text = re.sub(r"\\(.)", r"\1", text[1:-1])
    try:
        return str(make_header(decode_header(text)))
    except (ValueError, LookupError, HeaderParseError):
        return "@"


def check(mail, address):
    """INNER unless mail may be shown as coming from local@domain."""
    found = fields(header_of(mail))
    names = [name for name, _ in found]
    if any(name.startswith(b"x-sceau") for name in names):
        _bad("it holds an X-Sceau field")
    if names.count(b"from") != 1:
        _bad(f"{names.count(b'from')} From")
    for name in _ONCE:
        if names.count(name) > 1:
            _bad(name.decode() + " twice")
    if from_address(dict(found)[b"from"]) != address:
        _bad("From is not the sender")
