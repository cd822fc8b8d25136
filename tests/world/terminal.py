"""A person at a terminal: a program whose standard input is one.

    with Terminal([program, "setup"], env=...) as person:
        person.answer("Password", "secret")
        assert person.end() == 0
        person.seen         all that the terminal showed
"""

import os
import pty
import select
import signal
import time

LIMIT = 30


class Terminal:
    def __init__(self, words, env, cwd=None):
        self.seen, self._from, self.status = "", 0, None
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            if cwd:
                os.chdir(cwd)
            os.execve(words[0], [str(w) for w in words], env)

    def _read(self, end):
        """More of what it shows; False at its end."""
        ready, _, _ = select.select([self._fd], [], [],
                                    max(0, end - time.monotonic()))
        assert ready, f"nothing more came after:\n{self.seen}"
        try:
            data = os.read(self._fd, 4096)
        except OSError:         # Linux: the other side is closed
            data = b""
        self.seen += data.decode("utf-8", "replace").replace("\r\n", "\n")
        return data != b""

    def expect(self, text):
        """Wait until it shows that, behind what was awaited before."""
        end = time.monotonic() + LIMIT
        while text not in self.seen[self._from:]:
            assert self._read(end), f"no {text!r} in:\n{self.seen}"
        self._from = self.seen.index(text, self._from) + len(text)

    def answer(self, question, text):
        self.expect(question)
        os.write(self._fd, (text + "\n").encode())

    def end(self):
        """Its exit code; what it shows until then is seen."""
        end = time.monotonic() + LIMIT
        while self._read(end):
            pass
        _, status = os.waitpid(self.pid, 0)
        self.status = os.waitstatus_to_exitcode(status)
        return self.status

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self._fd)
