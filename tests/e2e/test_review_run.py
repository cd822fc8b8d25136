"""sceau run: what comes to the store by other ways is not left lying."""

import signal

import pytest


@pytest.fixture
def running(demo):
    """demo.dr stays; ended at the end."""
    process = demo.dr.start("run")
    demo.wait_until(lambda: (demo.dr.state / "sceau.db").exists(),
                    what="a store")
    yield process
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=30)
    assert process.returncode in (0, 65), said.decode()


def test_mail_of_an_mda_is_opened(demo, running):
    data = demo.send("INR 2,1", demo.dr)
    demo.labo.ok("poll")
    mail = demo.take(demo.dr)
    demo.dr.ok("open", "--mda", input=mail)
    demo.wait_until(lambda: demo.dr.shown() == [data], 30, "the document")


def test_what_is_released_is_opened(demo, forger, running):
    """Held for a key or a person: no other mail has to come for it."""
    env = forger.seal(demo.labo, demo.dr, demo.mail_of("INR 2,1", demo.dr))
    demo.dr.ok("open", "--mda", input=forger.wrap(
        demo.labo, demo.dr, env[:-20] + b"\0" + env[-19:]))
    demo.wait_until(demo.dr.held, 30, "a held mail")
    before = len(demo.dr.ok("log", "--json").json())
    demo.dr.ok("held", "release", demo.dr.held()[0]["id"])
    demo.wait_until(lambda: demo.dr.held() and
                    demo.dr.ok("status", "--json").json()[0]["to_open"] == 0,
                    30, "a second look at it")
    assert len(demo.dr.ok("log", "--json").json()) >= before


def test_what_could_not_be_delivered_is_tried_again(demo):
    """No new mail is needed for that."""
    script = demo.dr.folder / "take"
    tried = demo.dr.folder / "tried"
    script.write_text(f"cat >/dev/null\ntouch {tried}\nexit 75\n")
    demo.dr.conf.write_text(demo.dr.conf.read_text() + f"""
deliver "software" {{
    kind = pipe
    command = "sh {script}"
}}
""")
    data = demo.send("INR 2,1", demo.dr)
    demo.labo.ok("poll")
    process = demo.dr.start("run")
    try:
        demo.wait_until(lambda: demo.dr.shown() == [data] and
                        tried.exists(), 30, "the first")
        # At once: a shell that reads half a script ends well.
        other = demo.dr.folder / "other"
        other.write_text(f"cat >{demo.dr.folder}/taken\n")
        other.replace(script)
        demo.wait_until((demo.dr.folder / "taken").exists, 90, "the second")
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert demo.dr.shown() == [data]


def test_what_is_to_be_tried_now_is_tried_now(demo):
    """Its relay is there again, and a person does not want to wait until it
    is no longer suspended."""
    wire = demo.proxy(demo.relay.port["submission"])
    demo.labo.configure(relay_port=wire.port)
    wire.close()
    data = demo.send("INR 2,1", demo.dr)
    process = demo.labo.start("run")
    try:
        demo.wait_until(lambda: any(
            e["event"] == "out.route_failed"
            for e in demo.labo.ok("log", "--json").json()), 20, "a failure")
        again = type(wire)(demo.relay.port["submission"], port=wire.port)
        try:
            row, = demo.labo.ok("queue", "list", "--json").json()
            demo.labo.ok("queue", "retry", row["id"])
            demo.wait_until(demo.dr.mail, 20, "the mail")
        finally:
            again.close()
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    demo.dr.ok("poll")
    assert demo.dr.shown() == [data]
