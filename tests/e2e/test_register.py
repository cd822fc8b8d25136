"""The register of dissemination: what it holds, that it is whole, and that
whoever changes it is found out."""

import datetime
import re
import sqlite3
import subprocess

import pytest

from pysceau import kdf
from world.attack import spoiled

HASH = re.compile(r"\b[0-9a-f]{64}\b")


def entries(member):
    return [(e["way"], e["event"], e["who"].partition("#")[0])
            for e in member.ok("register", "list", "--json").json()]


def verify(member, code=0):
    got = member.sceau("register", "verify", "--json")
    assert got.code == code, got.text()
    return got.json()[0]


@pytest.fixture
def lived(demo):
    """One to dr directly, one to petit through the gateway, all answered."""
    demo.send("INR 2,1", demo.dr, demo.petit)
    for member in (demo.labo, demo.dr, demo.hub, demo.petit, demo.hub,
                   demo.labo):
        member.ok("poll")
    return demo


def test_each_side_of_each_message(lived):
    d = lived
    assert sorted(entries(d.labo)) == sorted(
        [("out", e, d.dr.name) for e in ("queued", "sent", "received")] +
        [("out", e, d.hub.name) for e in ("queued", "sent", "relayed")] +
        [("out", e, d.petit.name) for e in ("queued", "received")])
    assert entries(d.dr) == [("in", "received", d.labo.name)]
    assert ("in", "received", d.hub.name) in entries(d.petit)
    mail = {e["digest"] for e in d.labo.ok("register", "list",
                                           "--json").json()}
    assert len(mail) == 1
    for m in (d.labo, d.dr, d.hub, d.petit):
        row = verify(m)
        assert row["broken"] == row["waiting"] == 0
        assert row["entries"] == len(entries(m)) > 0


def test_damage_and_its_cure_are_in_it(demo):
    demo.send("x" * 140_000, demo.dr)
    demo.labo.ok("poll")
    intact, = demo.dr.mail()
    demo.empty(demo.dr)
    demo.post(demo.dr, spoiled(intact, 150_000))
    assert demo.dr.sceau("poll").code == 65
    demo.labo.ok("poll")            # hears of it
    demo.labo.ok("poll")            # has sent it again
    demo.dr.ok("poll")
    demo.labo.ok("poll")
    to_dr = [e for way, e, who in entries(demo.labo)]
    assert to_dr == ["queued", "sent", "damaged", "sent", "received"]
    assert [e for way, e, who in entries(demo.dr)] == ["damaged", "received"]
    verify(demo.labo)
    verify(demo.dr)


def test_what_others_wrote_is_chained_by_the_next_pass(lived):
    """A command that changes the queue holds no hash."""
    db = sqlite3.connect(lived.labo.state / "sceau.db")
    with db:
        db.execute("UPDATE queue SET bounced = 1 WHERE routed = 0")
    db.close()
    assert verify(lived.labo)["waiting"] == 1
    lived.send("INR 2,2", lived.dr)
    row = verify(lived.labo)
    assert row["waiting"] == row["broken"] == 0
    assert ("out", "returned", lived.dr.name) in entries(lived.labo)


def unlocked(member):
    """The database of somebody who has taken its guards away."""
    db = sqlite3.connect(member.state / "sceau.db")
    for name in ("register_kept", "register_fixed"):
        db.execute(f"DROP TRIGGER {name}")
    return db


# What somebody does to it, and the entry at which it is noticed.
CHANGES = {
    "time": (3, "UPDATE register SET at = at + 60 WHERE id = 3"),
    "who": (3, "UPDATE register SET who = CAST('demo/x@y' AS BLOB) "
               "WHERE id = 3"),
    "event": (3, "UPDATE register SET event = 'opened' WHERE id = 3"),
    "message": (3, "UPDATE register SET t = zeroblob(32) WHERE id = 3"),
    "digest": (3, "UPDATE register SET d = zeroblob(32) WHERE id = 3"),
    "way": (3, "UPDATE register SET way = 'in' WHERE id = 3"),
    "gone": (4, "DELETE FROM register WHERE id = 3"),
    "first": (3, "DELETE FROM register WHERE id < 3"),
    "unchained": (4, "UPDATE register SET hash = NULL WHERE id = 3"),
    "numbered": (8000, "UPDATE register SET id = 8000 WHERE id = 8"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_found(lived, change):
    db = unlocked(lived.labo)
    with db:
        db.execute(CHANGES[change][1])
    db.close()
    assert verify(lived.labo, 65)["broken"] == CHANGES[change][0]
    text = lived.labo.sceau("register", "verify", "--lang", "fr")
    assert text.code == 65
    assert "Le registre est rompu à l’entrée" in text.stdout.decode()


@pytest.mark.parametrize("change", CHANGES)
def test_the_store_itself_refuses_it(lived, change):
    db = sqlite3.connect(lived.labo.state / "sceau.db")
    with pytest.raises(sqlite3.DatabaseError, match="register is kept"):
        db.execute(CHANGES[change][1])
    db.close()


def test_a_proof_is_checked_with_other_tools(lived):
    t = next(e["t"] for e in lived.labo.ok("register", "list", "--json")
             .json() if e["event"] == "received")
    text = lived.labo.ok("register", "prove", t[:20]).stdout.decode()
    blocks = [b.split("\n") for b in text.split("\n\n")[:-1]]
    assert len(blocks) == 3, text
    for said, before, line, after in blocks:
        done = subprocess.run(["b2sum", "-l", "256"], check=True,
                              input=f"{before}\n{line}\n".encode(),
                              capture_output=True)
        assert done.stdout.split()[0].decode() == after
        assert t in line and lived.dr.identity in line and said
    assert verify(lived.labo)["hash"] in HASH.findall(text)


def test_the_witness_is_kept_for_the_association(lived, forger):
    """PROTOCOL WITNESS: what prove says of a mail that came is what only its
    author and the association can compute, of the octets that were filed."""
    d = lived
    for member, to in ((d.dr, d.dr.identity), (d.petit, d.petit.name)):
        t = member.ok("register", "list", "--json").json()[0]["t"]
        text = member.ok("register", "prove", t).stdout.decode()
        line, = re.findall(r"^demo/labo\S+#1 \S+ \d{4} \S+ [0-9a-f]{64} "
                           r"[0-9a-f]{64}$", text, re.M)
        author, recipient, year, at, digest, proof = line.split()
        assert (author, recipient) == (d.labo.identity, to)
        mail, = member.shown()
        assert digest == kdf.b2sum(mail).hex()
        key = kdf.witness_key(forger.all.K(author.encode(), int(year)))
        when = datetime.datetime.fromisoformat(at.replace("Z", "+00:00"))
        assert proof == kdf.witness(key, int(when.timestamp()), to.encode(),
                                    bytes.fromhex(digest)).hex()
    sent = d.labo.ok("register", "list", "--json").json()[0]["t"]
    assert "Witness" not in d.labo.ok("register", "prove", sent).text()


def test_the_log_is_purged_and_the_register_stays(lived):
    """The log of events is apart: twelve months, then the next pass takes it;
    what it leaves is still proved."""
    labo = lived.labo

    def logged():
        return {e["event"] for e in labo.ok("log", "--days", "900", "--json")
                .json()}

    def age(days):
        with sqlite3.connect(labo.state / "sceau.db") as db:
            db.execute("UPDATE event SET at = at - ?", (days * 86400,))
        db.close()
        labo.ok("poll")
    before = entries(labo)
    age(330)
    assert {"out.queued", "out.sent"} <= logged()
    age(40)
    assert not {"out.queued", "out.sent"} & logged()
    assert entries(labo) == before != []
    assert verify(labo)["broken"] == 0


def test_proof_of_nothing(lived):
    for word, code in (("0" * 20, 78), ("12", 78), ("x" * 20, 78)):
        assert lived.labo.sceau("register", "prove", word).code == code
    assert lived.labo.sceau("register", "prove").code == 64


def test_no_content(lived):
    data = (lived.labo.state / "sceau.db").read_bytes()
    assert b"INR" not in data
    assert "INR" not in lived.labo.ok("register", "list").text()


def test_empty(demo):
    assert "empty" in demo.labo.ok("register", "verify").text()
