"""All commands under trial."""

from fault import desks, homes, mended, outboxes, sisters
from fault.cases import (Added, Clear, ClearImap, Dropped, Gateway, Held,
                         Held1, HeldDrop, Hprim, Inbox, KeyImport, Mda, Open,
                         Prove, Queued, Receive, ReceiveImap, Refile, Refiling,
                         Relay, Restored, Seal, Send, quiet)

CASES = {
    "send": Send, "seal": Seal, "open": Open, "open, mda": Mda,
    "poll, receiving": Receive, "poll, receiving by IMAP": ReceiveImap,
    "poll, relaying": Relay, "poll, gateway": Gateway,
    "poll, in clear": Clear, "poll, in clear by IMAP": ClearImap,
    "poll, refiling": Refiling, "refile": Refile, "held drop": HeldDrop,
    "inbox": Inbox, "held show": Held1, "register prove": Prove,
    "register list": quiet("register", "list", "--json"),
    "register verify": quiet("register", "verify", "--json"),
    "queue show": quiet("queue", "show", "1", "--json"),
    "hprim check": Hprim,
    "status": quiet("status", "--json"), "sent": quiet("sent", "--json"),
    "log": quiet("log", "--json"),
    "queue list": quiet("queue", "list", "--json"),
    "held list": quiet("held", "list", "--json"),
    "key list": quiet("key", "list", "--json"),
    "queue add": Added, "queue retry": Queued, "queue drop": Dropped,
    "held release": Held,
    "restored": Restored, "key import": KeyImport,
    **outboxes.CASES, **mended.CASES, **homes.CASES, **desks.CASES,
    **sisters.CASES,
}
