"""Where a text can be read by somebody who should not: plain, or in one of
the costumes that mail and databases give it."""

import base64
import pathlib
import quopri

CHUNK = 1 << 20


def costumes(marker):
    """The octets that give the marker (ASCII bytes, 12 or more) away."""
    assert len(marker) >= 12, "a short marker is found by chance"
    text = marker.decode("ascii")
    found = {marker, marker.hex().encode(), marker.hex().upper().encode(),
             text.encode("utf-16-le"), text.encode("utf-16-be"),
             quopri.encodestring(marker)}
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + marker)
        # Characters that also hold bits of the neighbours are cut away.
        found.add(whole[(0, 2, 3)[shift]:-4])
    return [c for c in found if len(c) >= 8]


def in_bytes(marker, data):
    return any(c in data for c in costumes(marker))


def in_file(marker, path):
    """Read in pieces that overlap, so that size does not matter."""
    looks = costumes(marker)
    keep = max(map(len, looks))
    tail = b""
    with open(path, "rb") as f:
        while piece := f.read(CHUNK):
            piece = tail + piece
            if any(c in piece for c in looks):
                return True
            tail = piece[-keep:]
    return False


def in_folders(marker, *folders):
    """The files under those folders that give the marker away."""
    hits = []
    for folder in folders:
        for path in sorted(pathlib.Path(folder).rglob("*")):
            if path.is_symlink() or not path.is_file():
                continue
            try:
                if in_file(marker, path):
                    hits.append(path)
            except FileNotFoundError:
                pass        # it went while we looked
    return hits
