"""What must hold at the end of a day, whatever died in it."""

import email
import re
from collections import Counter

from world import hprim, traces
from world.demo import stripped
from world.outbox import PDF
from world.verdict import shown_once

MARK = "Hemoglobine glyquee"        # in all that nobody else may read
TOKEN = re.compile(r"-([0-9a-f]{20})(?:-(\d+))?\.")
SAID = {"possible_duplicate": "may have been filed before",
        "other_birth": "another date of birth",
        "corrected": "corrects one that was sent before",
        "filed_again": "filed once more"}


def lying(member):
    """The documents that were filed and nobody has taken; names that begin
    with a dot are nobody's yet."""
    return sorted(p for p in member.inbox.iterdir()
                  if p.is_file() and p.name[0] != ".")


def take(member, taken):
    """The practice's software takes them; their tokens."""
    names = []
    for path in lying(member):
        n = len(list(taken.iterdir()))
        path.rename(taken / f"{n}.{path.name}")
        names.append(TOKEN.search(path.name).group(1))
    return names


def document(octets):
    """Of a mail: its attachment, if it has one, else all of it."""
    octets = stripped(octets)
    for part in email.message_from_bytes(octets).walk():
        if part.get_content_disposition() == "attachment":
            return part.get_payload(decode=True)
    return octets


class Judge:
    """Half of a Day: its verdict."""

    def promised(self, codes):
        """Of the codes, what the verdict depends on."""
        return sorted(name for name in (*self.mails, "refile", "given")
                      if codes.get(name, 0) != 0)

    def judge(self, codes):
        """codes: of the steps that may have died; what was promised is
        there, and the rest whole or not at all.  What was shown again."""
        d = self.demo
        first, *others = (hprim.encode([p]) for p in self.reports)
        arrived = {w: set(w.shown()) for w in (d.dr, d.petit)}
        filed = self._filed()
        kept = {name for name, (data, to) in self.mails.items()
                if codes.get(name, 0) == 0 or
                any(data in arrived[w] for w in to if w in arrived) or
                any(_text(data) in docs for docs in filed.values())}
        for who in arrived:
            shown_once(who, [data for name, (data, to) in self.mails.items()
                             if name in kept and who in to] +
                       [*self.posted, first] * (who is d.dr) +
                       [self.given] * (who is d.petit), document)
        again = self._folder(filed, [
            *others, self.alone, PDF,
            *[_text(self.mails["small"][0])] * ("small" in kept)], codes)
        self._nothing_left()
        self._told(kept)
        return {"flagged": again + sum(
            b"possible-duplicate" in p.read_bytes()[:2000]
            for w in arrived for p in w.documents())}

    def _filed(self):
        """{(token, number of the filing): Counter of documents}"""
        filed = {}
        for path in self.taken.iterdir():
            token, number = TOKEN.search(path.name).groups("1")
            filed.setdefault((token, int(number)), Counter()).update(
                [path.read_bytes()])
        return filed

    def _folder(self, filed, wanted, codes):
        """Each document once, or flagged; what must be known of them is
        said, and of nothing else."""
        dr = self.demo.durand
        rows = {}
        for row in dr.ok("inbox", "--json").json():
            token, _, number = row["token"].partition("-")
            rows[token, int(number or 1)] = row
        assert set(rows) == set(filed), ("sceau inbox and the folder differ",
                                         set(rows) ^ set(filed))
        counts = Counter()
        for key, docs in filed.items():
            counts.update(docs if key[1] == 1 else ())
            twice = max(docs.values()) > 1
            row = rows[key]
            assert not twice or row["possible_duplicate"] or key[1] > 1, \
                "filed twice as new"
            name = f"sceau-{key[0]}{f'-{key[1]}' * (key[1] > 1)}.txt"
            said = dr.inbox / "sceau" / name
            said = said.read_text("utf-8") if said.exists() else ""
            for flag, words in SAID.items():
                assert (words in said) == row[flag], (flag, row, said)
        assert set(counts) == set(wanted), (
            "lost, or not what was sent", set(counts) ^ set(wanted))
        assert [p.name for p in dr.inbox.iterdir()] == ["sceau"], "left"
        news = [r for k, r in rows.items() if k[1] == 1]
        for flag in ("other_birth", "corrected"):
            assert sum(r[flag] for r in news) == 1, flag
        repeated = [k for k in rows if k[1] > 1]
        assert len(repeated) <= 1 and (repeated or codes.get("refile"))
        return sum(r["possible_duplicate"] for r in rows.values())

    def _nothing_left(self):
        """On a server, in an outbox, or where somebody could read it."""
        d = self.demo
        for who in d.members.values():
            assert who.mail() == [], f"{who.local}: left on the server"
        assert not list(self.maildir.glob("*/*")), "left in the Maildir"
        assert [p.parent.name for p in self.clear.glob("*/*")] == ["new"], \
            "the mail in clear"
        left = sorted(str(p.relative_to(self.outbox))
                      for p in self.outbox.rglob("*") if p.is_file())
        sent = [n for n in left if n.startswith("pdf/sent/")]
        # A file that a power cut brings back is put aside a second time.
        assert {(self.outbox / n).read_bytes() for n in sent} == {
            PDF, self.alone}, ("outbox", left)
        # Killed between the reasons and the file, it is refused under another
        # name, and the first text stays alone.
        wrong = [n for n in left if n not in sent and n[-4:] != ".txt"]
        refused = {(n.partition("/")[0], (self.outbox / n).read_bytes())
                   for n in wrong}
        assert refused == {("lis", self.wrong), ("pdf", self.beside),
                           ("pdf", self.wrong)}, left
        assert all(f"{n}.txt" in left for n in wrong if n[-4:] == ".hpr"), left
        assert all(n in sent or n.startswith((
            "lis/refused/wrong", "pdf/refused/bad")) for n in left), left
        for who in (d.dr, d.durand, d.petit, d.hub, d.labo):
            assert who.classes() == ["BODY"] * (who is d.dr), who.held()
        found = traces.in_folders(
            MARK.encode(), d.dovecot.top / "mail", *(
                w.folder / name for w in d.members.values()
                for name in ("state", "home")))
        assert found == [], f"in clear: {found}"

    def _told(self, kept):
        d = self.demo
        wanted = Counter({(d.dr, "received"): 1, (d.durand, "opened"): 3})
        if "small" in kept:
            wanted.update({
                (d.dr, "received"): 1, (d.durand, "opened"): 1,
                (d.petit, "received"): 1, (d.watch, "failed"): 1})
        wanted[d.dr, "received"] += "large" in kept
        rows = [r for r in d.labo.ok("status", "--json").json()
                if r["type"] == "sent"]
        told = Counter((r["to"].partition("#")[0], r["state"]) for r in rows)
        assert told == {(w.name, s): n for (w, s), n in wanted.items()}, told
        assert len(d.labo.documents()) == ("small" in kept), "notices"
        for who in (d.labo, d.dr, d.durand, d.hub, d.petit):
            who.ok("register", "verify")


def _text(mail):
    """As a folder gets it."""
    return mail.partition(b"\r\n\r\n")[2]
