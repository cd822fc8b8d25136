"""Identities and names: byte strings with one spelling."""

import re
from collections import namedtuple

from .errors import SceauError

MIN, MAX = 10, 200
_LABEL = rb"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_NAME = re.compile(
    rb"([a-z][a-z0-9-]{0,31})/"
    rb"([a-z0-9_-]+(?:\.[a-z0-9_-]+)*)@"
    rb"(" + _LABEL + rb"(?:\." + _LABEL + rb")+)")
_GEN = re.compile(rb"[1-9][0-9]{0,2}")

Identity = namedtuple("Identity", "assoc local domain gen")


def split_name(name):
    """(assoc, local, domain), or None when it is not a name.

    A name may be as long as it can be in some identity.
    """
    m = _NAME.fullmatch(name)
    if m is None or len(m[2]) > 64 or len(name) + 2 > MAX:
        return None
    return m.groups()


def parse(identity, cls="FORMAT"):
    """The four parts of an identity; refused with class cls."""
    name, hash_, gen = identity.partition(b"#")
    parts = split_name(name)
    if (parts is None or not hash_ or not MIN <= len(identity) <= MAX
            or not _GEN.fullmatch(gen) or int(gen) > 254):
        raise SceauError(cls, "identity %r" % identity[:MAX + 1])
    return Identity(*parts, int(gen))


def valid(identity):
    try:
        parse(identity)
    except SceauError:
        return False
    return True


def valid_name(name):
    return split_name(name) is not None


def name_of(identity):
    return identity.partition(b"#")[0]


def gen_of(identity):
    return parse(identity).gen


def address_of(identity):
    """local@domain: what the inner From must say."""
    return name_of(identity).partition(b"/")[2]


def make(name, gen):
    identity = name + b"#%d" % gen
    parse(identity)
    return identity
