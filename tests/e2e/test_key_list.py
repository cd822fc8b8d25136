"""sceau key list: years and their states, correspondents, twins."""

import time

import pytest

from pysceau import keyfile, records
from test_keys_travel import CODE, NEXT_CODE, Bench, noon
from world.demo import YEAR


@pytest.fixture
def bench(demo, forger):
    return Bench(demo.dr, forger.maker(YEAR + 1))


def test_years_generations_and_what_each_is_good_for(bench):
    bench.hold()
    bench.take(bench.make(YEAR + 1, NEXT_CODE, renewal=True), NEXT_CODE)

    def states(year, month):
        rows = bench.member.ok("key", "list", "--json",
                               **noon(year, month)).json()
        assert {r["generation"] for r in rows} == {1}
        assert {r["peers"] for r in rows} == {6}
        return {r["year"]: r["state"] for r in rows}
    assert states(YEAR, 12) == {YEAR: "current", YEAR + 1: "later"}
    assert states(YEAR + 1, 1) == {YEAR: "current", YEAR + 1: "current"}
    assert states(YEAR + 1, 2) == {YEAR: "reading", YEAR + 1: "current"}
    assert states(YEAR + 1, 5) == {YEAR: "over", YEAR + 1: "current"}
    said = bench.member.ok("key", "list", "--lang", "fr",
                           **noon(YEAR + 1, 2)).stdout.decode()
    assert "pour lire" in said and "en cours" in said


def test_check_is_content_once_the_next_year_is_held(bench):
    """At 60 days, at 7, and in the months in which the old year only reads."""
    def keys(year, month):
        rows = bench.member.sceau("check", "--json", **noon(year, month)).json()
        return [r["result"] for r in rows if r["what"] == "key"]
    bench.hold()
    assert keys(YEAR, 11) == ["fine"] and keys(YEAR + 1, 1) == ["look"]
    assert keys(YEAR + 1, 3) == ["wrong"]
    bench.take(bench.make(YEAR + 1, NEXT_CODE, renewal=True), NEXT_CODE)
    assert keys(YEAR + 1, 1) == keys(YEAR + 1, 3) == ["fine", "fine"]


def test_correspondents_all_or_by_a_word(bench, demo):
    bench.maker.bars[demo.durand.name.encode()] = 2
    bench.maker.display = {demo.durand.name.encode(): (
        1, demo.durand.route.encode(), "Cabinet du Dr Durand")}
    bench.hold()

    def rows(*words):
        return {r["identity"]: (r["name"], r["year"], r["state"]) for r in
                bench.member.ok("key", "list", *words, "--json").json()}
    everybody = rows("--peers")
    assert set(everybody) == {m.identity for m in demo.members.values()
                              if m is not demo.dr}
    durand = {demo.durand.identity: ("Cabinet du Dr Durand", YEAR, "barred")}
    assert rows("du Dr Durand") == rows("cabinet.durand") == durand
    assert everybody[demo.labo.identity][2] == "usable"
    got = bench.member.ok("key", "list", "nobody", "--lang", "fr")
    assert "la passerelle" in got.stdout.decode()
    assert bench.member.sceau("key", "list", "two", "words").code == 64


@pytest.mark.parametrize("later, name", [(-60, "mail"), (60, "key file")])
def test_the_later_name_is_shown(bench, demo, forger, later, name):
    """That of the key file or of a mail since, as when writing to him."""
    durand = demo.durand.identity.encode()
    bench.maker.time = int(time.time()) + later
    bench.maker.display = {demo.durand.name.encode(): (
        1, demo.durand.route.encode(), "of the key file")}
    bench.hold()
    demo.post(demo.dr, forger.mail(demo.issuer, demo.dr, None, control=[
        records.entry(1, durand, demo.durand.route.encode(), "of the mail")]))
    demo.dr.ok("poll")
    row, = demo.dr.ok("key", "list", "cabinet.durand", "--json").json()
    assert row["name"] == f"of the {name}"


def test_two_holders_of_one_key_are_told(bench, demo):
    """No issuer makes such a file: one that lies, or is broken."""
    a, me = bench.maker, bench.member.name.encode()
    ring = a.ring(me, YEAR)
    ring[2] = (ring[2][0], ring[4][1])
    recs = keyfile.key_records(YEAR, a.id(me), a.K(me, YEAR), a.roles(), ring)
    assert bench.take(keyfile.make(a.id(a.issuer), a.id(me), YEAR, recs,
                                   CODE)).code == 0
    for words in ([], ["--peers"]):
        got = bench.member.sceau("key", "list", *words, "--lang", "fr")
        said = got.stderr.decode()
        assert got.code == 65 and "une seule et même clé" in said, got.text()
        assert ring[2][0].decode() in said and ring[4][0].decode() in said
        assert bench.member.name in got.stdout.decode() or words
