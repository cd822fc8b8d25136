"""All that servers do to us: {key: Behaviour}."""

from hostile import mailboxes, relays

TABLE = {b.key: b for rows in (*mailboxes.ROWS, *relays.ROWS) for b in rows()}
