"""Key files: the envelope that carries a member's keys of one year."""

import calendar
import io
from collections import namedtuple

from . import envelope, kdf, records
from . import identity as ident
from .errors import SceauError

KeyFile = namedtuple("KeyFile", "header self roles grants entries bars "
                     "payload")


def year_dates(year, issued=None):
    """(from, send-until, read-until) of a year's keys, in UTC."""
    start = calendar.timegm((year, 1, 1, 0, 0, 0))
    return (max(start, issued or start),
            calendar.timegm((year + 1, 2, 1, 0, 0, 0)),
            calendar.timegm((year + 1, 4, 1, 0, 0, 0)))


def key_records(year, who, key, roles, grants, entries=(), bars=(),
                time=0, dates=None):
    """The records of a key file, in order.

    roles: (number, identity); grants: (identity, C); entries and bars: the
    arguments of records.entry() and records.bar().
    """
    recs = [records.meta(time, 0, year, 1),
            records.self_(year, *(dates or year_dates(year)), key, who)]
    recs += [records.role(n, i) for n, i in roles]
    recs += [records.grant(year, c, i) for i, c in grants]
    recs += [records.entry(*e) for e in entries]
    recs += [records.bar(*b) for b in bars]
    return recs


def make(issuer, who, year, recs, code, old_key=None, rnd=None):
    """A key file as octets; with old_key (K of year - 1) a renewal."""
    if old_key is None:
        source, channel = envelope.CODE, kdf.code_key(year, code)
    else:
        source = envelope.RENEWAL
        channel = kdf.renewal_key(old_key, year, code)
    return envelope.sealed(channel, year, issuer, who, recs, source=source,
                           rnd=rnd)[0]


def paper_digits(data):
    """What the letter says of the file: 8 hexadecimal digits."""
    return kdf.b2sum(data).hex()[:8]


def read(data, code, old_keys=()):
    """A KeyFile.  old_keys: keys of earlier years, each is tried.

    Refused: HEADER (no code or key fits), NOTFORME (an ordinary envelope),
    RECORD, AUTHORITY (SELF or the issuer's ROLE do not agree with the header).
    """
    header = envelope.parse_header(data)
    if header.source not in (envelope.CODE, envelope.RENEWAL):
        raise SceauError("NOTFORME", "not a key file")
    if header.source == envelope.CODE:
        tries = [kdf.code_key(header.year, code)]
    else:
        tries = [kdf.renewal_key(k, header.year, code) for k in old_keys]
    for channel in tries:
        try:
            r = envelope.Reader(io.BytesIO(data)).key(channel)
            break
        except SceauError as e:
            if e.cls != "HEADER":
                raise
    else:
        raise SceauError("HEADER", "another code, or another key")
    return _checked(header, r.payload(records.LIMIT_KEY, None, "key"))


ALLOWED = (records.META, records.SELF, records.ROLE, records.GRANT,
           records.ENTRY, records.BAR)


def _checked(header, p):
    for t, _ in p.records:
        if t not in ALLOWED:
            raise SceauError("AUTHORITY", records.NAMES[t] + " in a key file")
    if p.has_mail:
        raise SceauError("AUTHORITY", "MAIL in a key file")
    me = p.one(records.SELF)
    if me["year"] != header.year or me["identity"] != header.recipient:
        raise SceauError("RECORD", "SELF is not what the header says")
    roles = [(f["role"], f["identity"]) for f in p.all(records.ROLE)]
    if not any(n == records.ISSUER and
               ident.name_of(i) == ident.name_of(header.sender)
               for n, i in roles):
        raise SceauError("AUTHORITY", "the issuer is not the sender")
    for g in p.all(records.GRANT):
        if g["year"] != header.year:
            raise SceauError("AUTHORITY", "a grant of another year")
    return KeyFile(header, me, roles, p.all(records.GRANT),
                   p.all(records.ENTRY), p.all(records.BAR), p)
