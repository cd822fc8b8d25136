"""`sceau run`, for the soak: started, killed wholly or in part, ended in good
order, weighed.  Of one that is lasting, neither the first process nor the
keeper is ever killed: what they hold shows what hours of work leave behind.
"""

import contextlib
import os
import signal
import threading
import time

from world import memory

END_S = 60          # from SIGTERM to its end, with servers that are slow


class Stayer:
    def __init__(self, member, lasting):
        self.member, self.lasting = member, lasting
        self.process = self.thread = self.sampler = None
        self.said = b""

    def start(self, **env):
        self.process = self.member.start("run", **env)
        self.thread = threading.Thread(target=self._hear, daemon=True)
        self.thread.start()

    def _hear(self):
        """Who is not listened to stands still, when the pipe is full."""
        _, self.said = self.process.communicate()

    @property
    def running(self):
        return self.thread is not None and self.thread.is_alive()

    @property
    def code(self):
        return self.process.returncode

    def signal(self, sig, whose=None):
        for pid in whose or memory.tree(self.process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sig)

    def strike(self, rng):
        """Kill all of it or one process; which of both, or None."""
        pids = memory.tree(self.process.pid)
        if self.lasting:
            pids = [p for p in pids[1:]
                    if "keeper" not in memory.name_of(p)]
        whole = not self.lasting and rng.random() < 0.3
        if not pids or not self.running:
            return None
        self.signal(signal.SIGKILL, pids if whole else [rng.choice(pids)])
        return "whole" if whole else "one"

    def end(self):
        """In good order; False: it did not end."""
        if not self.running:
            return True
        self.process.send_signal(signal.SIGTERM)
        self.thread.join(END_S)
        if self.thread.is_alive():
            self.signal(signal.SIGKILL)
            return False
        return True


def weighed(stayers, done, seconds):
    """({name of a process: kB, the most that one of that name has written
    to}, whether it is done in so many seconds), while they go on, who stand
    still."""
    samplers = [memory.Sampler(s.process.pid) for s in stayers]
    until = time.monotonic() + seconds
    with contextlib.ExitStack() as stack:
        for sampler in samplers:
            stack.enter_context(sampler)
        for s in stayers:
            s.signal(signal.SIGCONT)
        while not done() and time.monotonic() < until:
            time.sleep(0.2)
    most = {}
    for sampler in samplers:
        for name, kb in sampler.dirty_by_name.items():
            most[name] = max(most.get(name, 0), kb)
    return most, done()
