"""Hostile servers against the whole program: one row of each kind.  The table
is tests/hostile/behaviours.py; all of it is make check-hostile."""

import pytest

from hostile.behaviours import TABLE
from hostile.campaign import Trial

SHORT = (
    "imap GREETING hang", "imap AUTHENTICATE drip", "imap SELECT bye",
    "imap FETCH a million messages", "imap UID FETCH flood",
    "imap UID FETCH endless", "imap UID FETCH half", "imap UID FETCH no",
    "imap FETCH vanishes", "imap UID FETCH literal of 4294967295",
    "imap UID FETCH literal of 18446744073709551616",
    "imap UID FETCH UID 1 is 99", "imap UID EXPUNGE close",
    "imap SELECT other UIDVALIDITY, renumbered", "imap * late",
    "imap STARTTLS forged answers after it", "imap STARTTLS refused",
    "pop3 PASS no", "pop3 UIDL gaps", "pop3 UIDL 2^32",
    "pop3 UIDL one id for all, always", "pop3 UIDL other ids",
    "pop3 LIST all of 2^32", "pop3 RETR no", "pop3 RETR drip",
    "pop3 RETR without its end", "pop3 DELE close", "pop3 QUIT hang",
    "pop3 * late", "pop3 STLS forged answers after it",
    "smtp GREETING endless", "smtp EHLO no STARTTLS", "smtp AUTH 421",
    "smtp STARTTLS forged answers after it", "smtp MAIL 450",
    "smtp RCPT 550", "smtp DATA hang", "smtp . 452", "smtp . 554",
    "smtp . taken, and the answer lost", "smtp QUIT close")


@pytest.mark.parametrize("key", SHORT)
def test_a_hostile_server(demo, forger, key):
    Trial(demo, forger, TABLE[key]).run()


def test_the_table_names_each_step_and_each_protocol():
    assert {b.protocol for b in TABLE.values()} == {"imap", "pop3", "smtp"}
    assert len(TABLE) > 300
