"""`run` survives a laptop's day: put to sleep with its connections cut, and a
network that goes away and comes back."""

import os
import pathlib
import signal
import time

from world.dovecot import wait_until


def family(pid):
    """The process and its children: the starter has them all."""
    kids = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [pid, *map(int, kids.split())]


def send_all(pids, sig):
    for pid in pids:
        try:
            os.kill(pid, sig)
        except ProcessLookupError:
            pass        # vault and clerk leave when they have no work


def give(demo, text):
    demo.send(text, demo.labo, sender=demo.hub)
    demo.hub.ok("poll")


def test_run_survives_sleep_and_a_lost_network(demo):
    wire = demo.proxy(demo.dovecot.port["imaps"])
    demo.labo.configure(port=wire.port, account={"every": "10 s"})
    running = demo.labo.start("run")
    try:
        give(demo, "before")
        wait_until(lambda: len(demo.labo.new()) == 1, 20, "the first")
        asleep = family(running.pid)
        send_all(asleep, signal.SIGSTOP)
        wire.close()                            # the connection dies
        give(demo, "while asleep")
        time.sleep(1)
        send_all(asleep, signal.SIGCONT)
        time.sleep(3)                           # no network at first
        assert running.poll() is None
        demo.labo.ok("status")
        demo.labo.configure(account={"every": "10 s"})
        again = type(wire)(demo.dovecot.port["imaps"], port=wire.port)
        try:
            wait_until(lambda: len(demo.labo.new()) == 2, 40, "the second")
            give(demo, "after")
            wait_until(lambda: len(demo.labo.new()) == 3, 20, "the third")
        finally:
            again.close()
    finally:
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=30)
    assert running.returncode in (0, 75)        # it says what it met
