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
    assert process.returncode == 0, said.decode()


def test_mail_of_an_mda_is_opened(demo, running):
    data = demo.send("INR 2,1", demo.dr)
    demo.labo.ok("poll")
    mail = demo.take(demo.dr)
    demo.dr.ok("open", "--mda", input=mail)
    demo.wait_until(lambda: demo.dr.shown() == [data], 30, "the document")
