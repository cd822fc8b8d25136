"""Choices that depend on what a member holds and has seen."""

from . import identity as ident
from . import records

LATE_S = 72 * 3600


def sending_year(years, shown, now, mail=True):
    """The year under which to write to a peer now, or None.

    years: {year: (from, send-until, read-until)} of the years for which a
    usable key of the peer is held; shown: the highest year that the peer's
    META has shown (0: none).  Acknowledgements alone (mail=False) may use a
    key until read-until.
    """
    open_ = sorted(y for y, d in years.items()
                   if d[0] <= now < d[1 if mail else 2])
    if not open_:
        return None
    seen = [y for y in open_ if y <= shown]
    return seen[-1] if seen else open_[0]


class Minimums:
    """Minimum generations of names, and the order of bulletins.

    Bars of the desk stand beside the desk's generation; everything else
    (the issuer, generations proved) is lasting.  All of it only rises.
    """

    def __init__(self):
        self.lasting = {}
        self.desk = (0, 0)          # (generation, number) of the latest
        self.desk_bars = {}

    def proved(self, who):
        """An authenticated message of who, or the issuer's word of it."""
        self.raise_to(ident.name_of(who), ident.gen_of(who))

    def raise_to(self, name, generation):
        """The issuer's BAR."""
        self.lasting[name] = max(self.lasting.get(name, 1), generation)

    def bulletin(self, generation, number, bars):
        """The desk's list; False when it is older than what is known.

        An older one of the same generation still counts for its bars.
        """
        if generation < self.desk[0]:
            return False
        if generation > self.desk[0]:
            self.desk_bars = {}
        for gen, name in bars:
            self.desk_bars[name] = max(self.desk_bars.get(name, 1), gen)
        newer = (generation, number) >= self.desk
        self.desk = max(self.desk, (generation, number))
        return newer

    def of(self, name):
        return max(self.lasting.get(name, 1), self.desk_bars.get(name, 1))

    def allows(self, who):
        return ident.gen_of(who) >= self.of(ident.name_of(who))


def control_limit(sender, roles):
    """roles: {number: identity} of the header's year."""
    desks = {ident.name_of(roles[n]) for n in
             (records.ISSUER, records.WATCH) if n in roles}
    return (records.LIMIT_DESK if ident.name_of(sender) in desks
            else records.LIMIT_MAIL)


def authority(p, header, roles):
    """The table of who may say what: a text when it is broken, else None.

    p: a records.Payload; roles: {number: identity} held for the recipient's
    identity and the header's year.  Not here: what depends on the outbox.
    """
    def holds(who, number):
        return (number in roles and
                ident.name_of(roles[number]) == ident.name_of(who))

    issuer = holds(header.sender, records.ISSUER)
    watch = holds(header.sender, records.WATCH)
    hub = holds(header.sender, records.HUB)
    desk = watch if records.WATCH in roles else issuer
    to_desk = (holds(header.recipient, records.HUB) or
               holds(header.recipient, records.ISSUER))
    may = {
        records.META: True, records.MAIL: True, records.WITNESS: True,
        records.ACK: True, records.GRANT: True, records.BULLETIN: desk,
        records.BAR: watch or issuer, records.ENTRY: issuer,
        records.DENY: issuer, records.RELAYED: hub,
        records.RELAYED_ACK: hub, records.ROUTE: to_desk,
        records.ASK: to_desk, records.SELF: False, records.ROLE: False}
    role_names = {ident.name_of(i) for i in roles.values()}
    for t, f in p.fields:
        if not may[t]:
            return records.NAMES[t] + " from one who may not send it"
        if t == records.GRANT:
            if f["year"] != header.year:
                return "GRANT of another year"
            if not issuer and f["identity"] != header.sender:
                return "GRANT of a key that is not the sender's own"
        if t == records.ACK and f["state"] == 1 and not hub:
            return "relayed, but not by the hub"
        if t == records.BAR and not issuer and f["name"] in role_names:
            if f["name"] != ident.name_of(header.sender):
                return "BAR of a desk of the association"
    return None


def routes_wrong(p, header):
    """What is wrong with the ROUTEs of a message to the hub, or None."""
    names = [f["name"] for f in p.all(records.ROUTE)]
    if len(names) > 100:
        return "more than 100 ROUTEs"
    if len(set(names)) != len(names):
        return "a ROUTE twice"
    mine = {ident.name_of(header.sender), ident.name_of(header.recipient)}
    if mine & set(names):
        return "a ROUTE to the sender or to the hub"
    return None
