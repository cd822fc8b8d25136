"""The main story, told short: a result goes out, arrives, is acknowledged."""

import pytest

from world.demo import Demo, mark

pytestmark = pytest.mark.main


def test_direct_and_by_the_gateway(demo):
    data = demo.send("INR 2,1", demo.dr, demo.durand, demo.petit)
    for member in (demo.labo, demo.dr, demo.durand, demo.hub, demo.petit):
        member.ok("poll")
    for member in (demo.dr, demo.durand, demo.petit):
        assert member.shown() == [data]
        assert len(member.new()) == 1
        assert member.mail() == []
    direct = mark(demo.dr.documents()[0].read_bytes())
    assert direct["sender"] == demo.labo.identity
    assert direct["path"] == "direct"
    relayed = mark(demo.petit.documents()[0].read_bytes())
    assert relayed["sender"] == demo.labo.identity
    assert relayed["path"] == "relayed"
    assert relayed["by"] == demo.hub.identity
    demo.hub.ok("poll")
    demo.labo.ok("poll")
    assert demo.labo.states() == {m.name: "received" for m in
                                  (demo.dr, demo.durand, demo.petit)}
    words = {r["to"].partition("#")[0]: r["word"] for r in
             demo.labo.ok("status", "--json").json() if r["type"] == "sent"}
    assert words[demo.dr.name] == "recipient"
    assert words[demo.petit.name] == "gateway"


def test_nothing_to_do_is_0_and_quiet(demo):
    for member in demo.members.values():
        got = member.ok("poll")
        assert got.stdout == b"" and got.stderr == b""


def test_with_a_real_postfix(sceau):
    with Demo() as demo:
        demo.start()
        data = demo.send("INR 2,1", demo.dr, demo.petit)
        demo.labo.ok("poll")
        for frm, to in ((demo.labo, demo.dr), (demo.labo, demo.hub)):
            demo.wait_until(to.mail, what=f"mail for {to.local}")
            to.ok("poll")
        demo.wait_until(demo.petit.mail, what="relayed mail")
        demo.petit.ok("poll")
        assert demo.dr.shown() == demo.petit.shown() == [data]
