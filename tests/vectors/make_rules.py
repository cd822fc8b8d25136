"""Vectors of the choices: years, keys, bulletins, minimum generations."""

import calendar

DR = "demo/dr.martin@cabinet.example"
LABO = "demo/labo.central@labo.example"


def at(*ymdhms):
    return calendar.timegm(ymdhms + (0,) * (6 - len(ymdhms)))


def dates(year, issued=None):
    return [max(at(year, 1, 1), issued or 0), at(year + 1, 2, 1),
            at(year + 1, 4, 1)]


def sending_year():
    both = {"2026": dates(2026), "2027": dates(2027)}
    old = {"2026": dates(2026)}
    new = {"2027": dates(2027)}
    mid = {"2026": dates(2026, at(2026, 6, 15, 10))}

    def row(name, years, shown, when, want, mail=True, ruling="2.19.26"):
        return {"name": name, "ruling": ruling, "years": years,
                "shown": shown, "now": when, "mail": mail, "expect": want}
    return [
        row("one year, inside", old, 2026, at(2026, 7, 1), 2026),
        row("the first second", old, 2026, at(2026, 1, 1), 2026),
        row("the second before", old, 2026, at(2026, 1, 1) - 1, None),
        row("the last second of sending", old, 2026, at(2027, 2, 1) - 1,
            2026),
        row("send-until is excluded", old, 2026, at(2027, 2, 1), None),
        row("new key imported, year not begun", both, 2027,
            at(2026, 12, 20), 2026),
        row("overlap, peer has shown the old year", both, 2026,
            at(2027, 1, 10), 2026),
        row("overlap, peer has shown nothing", both, 0, at(2027, 1, 10),
            2026),
        row("overlap, peer has shown the new year", both, 2027,
            at(2027, 1, 10), 2027),
        row("overlap, peer has shown a later year still", both, 2028,
            at(2027, 1, 10), 2027),
        row("overlap, the first second", both, 2027, at(2027, 1, 1), 2027),
        row("overlap, a second earlier", both, 2027, at(2027, 1, 1) - 1,
            2026),
        row("after the overlap, peer still on the old year", both, 2026,
            at(2027, 2, 1), 2027),
        row("overlap, the ring has the peer in the new year only", new, 2026,
            at(2027, 1, 10), 2027),
        row("overlap, the ring has the peer in the old year only", old, 2027,
            at(2027, 1, 10), 2026, ruling="2.8"),
        row("acknowledgement between send-until and read-until", old, 2026,
            at(2027, 3, 15), 2026, mail=False),
        row("acknowledgement, peer not seen in the new year", both, 2026,
            at(2027, 3, 15), 2026, mail=False),
        row("acknowledgement, peer seen in the new year", both, 2027,
            at(2027, 3, 15), 2027, mail=False),
        row("acknowledgement, the last second", old, 2026,
            at(2027, 4, 1) - 1, 2026, mail=False),
        row("acknowledgement, read-until is excluded", old, 2026,
            at(2027, 4, 1), None, mail=False),
        row("mid-year issue, before it", mid, 2026, at(2026, 6, 15, 9),
            None),
        row("mid-year issue, at it", mid, 2026, at(2026, 6, 15, 10), 2026),
        row("no key at all", {}, 2026, at(2026, 7, 1), None),
    ]


def key_choice():
    summer, overlap = at(2026, 7, 1), at(2027, 1, 10)

    def row(name, ring, minimum, shown, when, want, ruling="2.19.25"):
        return {"name": name, "ruling": ruling, "peer": DR, "ring": ring,
                "minimum": minimum, "shown": shown, "now": when,
                "expect": want}
    g1, g2, g3 = (f"{DR}#{n}" for n in (1, 2, 3))
    return [
        row("one key", [[g1, 2026]], 1, 2026, summer, [g1, 2026]),
        row("two generations: the higher", [[g1, 2026], [g2, 2026]], 1,
            2026, summer, [g2, 2026]),
        row("the only key is below the minimum", [[g1, 2026]], 2, 2026,
            summer, None),
        row("one below, one at the minimum", [[g1, 2026], [g2, 2026]], 2,
            2026, summer, [g2, 2026]),
        row("a key above the minimum", [[g3, 2026]], 2, 2026, summer,
            [g3, 2026]),
        row("excluded", [[g1, 2026], [g2, 2026]], 255, 2026, summer, None),
        row("the year first: lower generation in the chosen year",
            [[g2, 2026], [g1, 2027]], 1, 2027, overlap, [g1, 2027]),
        row("the year first: old year until the new is shown",
            [[g1, 2026], [g2, 2027]], 1, 2026, overlap, [g1, 2026]),
        row("a year whose only key is below the minimum is no year",
            [[g2, 2026], [g1, 2027]], 2, 2027, overlap, [g2, 2026]),
        row("generation 10 is more than 9",
            [[f"{DR}#9", 2026], [f"{DR}#10", 2026]], 1, 2026, summer,
            [f"{DR}#10", 2026]),
        row("not in the ring", [], 1, 2026, summer, None),
    ]


def bulletins():
    def row(name, steps, latest, newer, minimum, ruling="2.19.24"):
        return {"name": name, "ruling": ruling, "steps": steps,
                "expect": {"latest": latest, "newer": newer,
                           "minimums": minimum}}

    def b(desk, number, *bars):
        return {"desk": desk, "number": number,
                "bars": [[g, n] for g, n in bars]}
    return [
        row("one bulletin", [b(1, 1, (2, DR))], [1, 1], [True], {DR: 2}),
        row("the next", [b(1, 1, (2, DR)), b(1, 2, (3, DR))], [1, 2],
            [True, True], {DR: 3}),
        row("repeated", [b(1, 1, (2, DR)), b(1, 1, (2, DR))], [1, 1],
            [True, True], {DR: 2}),
        row("an older one is merged all the same",
            [b(1, 5, (2, DR)), b(1, 4, (2, LABO))], [1, 5], [True, False],
            {DR: 2, LABO: 2}),
        row("an older one never lowers", [b(1, 5, (3, DR)),
                                          b(1, 4, (2, DR))],
            [1, 5], [True, False], {DR: 3}),
        row("a later list without a name does not lower",
            [b(1, 5, (3, DR)), b(1, 6)], [1, 6], [True, True], {DR: 3}),
        row("numbers may be missing", [b(1, 1), b(1, 9, (2, DR))], [1, 9],
            [True, True], {DR: 2}),
        row("a new generation of the desk starts at any number",
            [b(1, 900, (2, DR)), b(2, 1, (2, LABO))], [2, 1], [True, True],
            {DR: 1, LABO: 2}),
        row("a complete list of a new desk replaces a false exclusion",
            [b(1, 7, (255, DR), (255, LABO)), b(2, 7, (255, LABO))], [2, 7],
            [True, True], {DR: 1, LABO: 255}, ruling="2.19.23"),
        row("a lower generation of the desk says nothing any more",
            [b(2, 1, (2, LABO)), b(1, 900, (255, DR))], [2, 1],
            [True, False], {DR: 1, LABO: 2}),
        row("the new year does not start numbers again",
            [b(1, 52, (2, DR)), b(1, 1, (2, LABO))], [1, 52], [True, False],
            {DR: 2, LABO: 2}),
        row("number 2^32-1", [b(1, 2**32 - 1, (2, DR)), b(1, 0)],
            [1, 2**32 - 1], [True, False], {DR: 2}),
    ]


def minimums():
    def row(name, steps, want, ruling="2.19.23"):
        return {"name": name, "ruling": ruling, "steps": steps,
                "expect": want}

    def issuer(gen, name):
        return {"issuer_bar": [gen, name]}

    def desk(d, number, *bars):
        return {"desk": d, "number": number, "bars": [list(x) for x in bars]}

    def proved(who):
        return {"proved": who}
    return [
        row("nothing said", [], {DR: 1}),
        row("a message of generation 2 proves itself", [proved(DR + "#2")],
            {DR: 2}),
        row("a lower one later does not lower",
            [proved(DR + "#3"), proved(DR + "#2")], {DR: 3}),
        row("the issuer bars", [issuer(2, DR)], {DR: 2}),
        row("the issuer never lowers", [issuer(4, DR), issuer(2, DR)],
            {DR: 4}),
        row("exclusion stands above every generation",
            [issuer(255, DR), proved(DR + "#254")], {DR: 255}),
        row("desk and issuer: the higher of the two",
            [issuer(2, DR), desk(1, 1, (3, DR))], {DR: 3}),
        row("a new desk takes back its own bar, not the issuer's",
            [issuer(2, DR), desk(1, 1, (255, DR)), desk(2, 1)], {DR: 2}),
        row("a new desk takes back its own bar, not what was proved",
            [desk(1, 1, (255, DR)), proved(DR + "#2"), desk(2, 1)],
            {DR: 2}),
        row("what is proved after the new desk's list",
            [desk(1, 1, (3, DR)), desk(2, 1), proved(DR + "#4")], {DR: 4}),
        row("another name is not touched", [issuer(2, DR)], {LABO: 1}),
        row("any order: issuer, desk, message",
            [proved(DR + "#2"), desk(1, 3, (4, DR)), issuer(3, DR)],
            {DR: 4}),
        row("any order: the same backwards",
            [issuer(3, DR), desk(1, 3, (4, DR)), proved(DR + "#2")],
            {DR: 4}),
    ]
