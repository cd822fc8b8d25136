"""No secret in clear: a marker in subject, body and file name, the passwords
and the keys are nowhere but in the delivered file."""

import base64
import pathlib
import threading

from world import traces

MARKER = b"indicible-7f3a9c51"


def attachment(marker):
    name, text = marker.decode(), base64.b64encode(marker * 400).decode()
    return [
        "MIME-Version: 1.0", 'Content-Type: multipart/mixed; boundary="b"',
        "", "--b", "Content-Type: text/plain; charset=utf-8", "", name,
        "--b", f'Content-Type: application/pdf; name="{name}.pdf"',
        "Content-Transfer-Encoding: base64", "",
        *[text[i:i + 76] for i in range(0, len(text), 76)], "--b--", ""]


def result(demo):
    lines = [f"From: {demo.labo.address}",
             f"To: {demo.dr.address}, {demo.petit.address}",
             f"Subject: {MARKER.decode()}", *attachment(MARKER)]
    return "\r\n".join(lines).encode()


class Watcher(threading.Thread):
    """What /proc shows of every process of the program, while it runs."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.seen, self.ended = pid, b"", threading.Event()

    def look(self, pid):
        for name in ("environ", "cmdline"):
            try:
                data = pathlib.Path(f"/proc/{pid}/{name}").read_bytes()
            except OSError:
                continue
            if data not in self.seen:
                self.seen += data

    def run(self):
        while not self.ended.is_set():
            kids = pathlib.Path(
                f"/proc/{self.pid}/task/{self.pid}/children")
            try:
                pids = kids.read_text().split()
            except OSError:
                pids = []
            for pid in [self.pid, *pids]:
                self.look(pid)
            self.ended.wait(0.002)


def watched(member, *words, data=b""):
    process = member.start(*words, "--debug", stdin=-1)
    watcher = Watcher(process.pid)
    watcher.start()
    out, err = process.communicate(data, timeout=60)
    watcher.ended.set()
    watcher.join()
    assert process.returncode == 0, err
    return watcher.seen + out + err


def test_nothing_in_clear(demo):
    """On the wire (where TLS ends), in stores, logs, /proc, folders."""
    members = (demo.labo, demo.dr, demo.hub, demo.petit)
    said = watched(demo.labo, "send", "-t", data=result(demo))
    wire = [*map(bytes, demo.labo.mail())]
    for who in (demo.labo, demo.hub, demo.dr, demo.petit, demo.hub,
                demo.labo):
        # What the servers hold is what the wire carried inside TLS.
        wire += [bytes(m) for w in members for m in w.mail()]
        said += watched(who, "poll")
    assert len(wire) >= 5 and demo.labo.states()
    assert set(demo.labo.states().values()) == {"received"}
    assert not any(traces.in_bytes(MARKER, m) for m in wire)
    assert not traces.in_bytes(MARKER, said)
    folders = [w.state for w in members] + [w.home for w in members]
    assert not traces.in_folders(MARKER, *folders, demo.servers)
    for who in (demo.dr, demo.petit):     # and it did arrive
        assert traces.in_folders(MARKER, who.inbox)
    for who in members:
        password = who.password.encode()
        assert password not in said
        assert not traces.in_folders(password, who.state)
        machine = pathlib.Path(f"{who.keystore}.key").read_bytes()
        assert machine not in said and machine.hex().encode() not in said
        assert not any(machine[:16] in p.read_bytes()
                       for p in who.state.rglob("*") if p.is_file())


def test_a_marker_would_be_found(demo):
    """The search itself can fail."""
    (demo.labo.state / "leak").write_bytes(
        b"x" * 5 + base64.b64encode(b"ab" + MARKER))
    assert traces.in_folders(MARKER, demo.labo.state)
