"""Hostile servers against the whole program: one row of each kind.  The table
is tests/hostile/table.py; all of it is make check-hostile."""

import pytest

from hostile import relays
from hostile.table import TABLE
from hostile.trial import trial_of

SHORT = (
    "imap TLS hang", "imap AUTHENTICATE drip", "imap SELECT bye",
    "imap FETCH a million messages", "imap UID FETCH flood",
    "imap UID FETCH endless", "imap UID FETCH half", "imap UID FETCH no",
    "imap FETCH UID 1 is 0", "imap UID FETCH nothing, three times",
    "imap FETCH vanishes", "imap UID FETCH literal of 4294967295",
    "imap UID EXPUNGE close, nothing done",
    "imap UID SEARCH all are gone, none is", "imap UID SEARCH a million",
    "imap EXPUNGE no UIDPLUS, another's mark", "imap UID MOVE close",
    "imap UID STORE close; other UIDVALIDITY, renumbered",
    "imap UID STORE close; our state is lost", "imap * late",
    "imap STARTTLS forged answers after it", "imap STARTTLS refused",
    "pop3 PASS no", "pop3 UIDL no", "pop3 UIDL gaps",
    "pop3 UIDL one id for all, always", "pop3 LIST all of 2^32",
    "pop3 UIDL one id for all, kept there", "pop3 UIDL zero",
    "pop3 QUIT one id for all, done and not said",
    "pop3 QUIT one id for all, one by one",
    "pop3 UIDL identical copies of one id", "pop3 UIDL a million of one id",
    "pop3 RETR drip, each octet in time",
    "pop3 DELE close; nothing there, then other ids", "pop3 DELE flood",
    "pop3 QUIT hang", "pop3 STLS forged answers after it",
    "smtp EHLO no STARTTLS", "smtp STARTTLS forged answers after it",
    "smtp AUTH 421", "smtp RCPT 550", "smtp . 452", "smtp . half",
    "smtp . taken, and the answer lost", "smtp, curl QUIT drip",
    "smtp, curl DATA takes it slowly", "smtp, curl . 554",
    "smtp, sceau STARTTLS forged answers after it", "smtp, sceau RSET 503",
    "smtp, sceau DATA a long answer",
    "smtp, sceau . taken, and the answer lost",
    "smtp, two GREETING hang", "smtp, two MAIL lines")


@pytest.mark.parametrize("key", SHORT)
def test_a_hostile_server(demo, forger, key):
    trial_of(demo, forger, TABLE[key]).run()


def test_the_table_names_each_protocol_and_way():
    assert {b.protocol for b in TABLE.values()} == {
        "imap", "pop3", "smtp", "smtp, curl", "smtp, sceau", "smtp, two"}
    steps = {}
    for b in TABLE.values():
        steps.setdefault(b.protocol, {}).setdefault(b.step, set()).add(b.name)
    codes = {str(c) for c in relays.CODES}
    for protocol in ("smtp", "smtp, curl", "smtp, sceau"):
        assert all(codes <= steps[protocol][s] for s in relays.STEPS)
    for protocol in ("smtp", "smtp, sceau"):
        assert codes <= steps[protocol][relays.RESET]
    assert len(TABLE) > 1300
