"""The main story, on loopback with real servers: an association of six posts
its keys, laboratories send results, practices receive them, acknowledgements
come back, and five attacks fail.

    quickstart.py [--lang fr|en] [--keep] [--json]
"""

import argparse
import datetime
import json
import pathlib
import signal
import sys
import time

if __name__ == "__main__":
    # Not this folder, where world is a module, but the one above.
    sys.path[0] = str(pathlib.Path(__file__).resolve().parent.parent)
from world import documents   # noqa: E402
from world.association import Association   # noqa: E402
from world.ca import CA   # noqa: E402
from world.world import World   # noqa: E402

MARKER = "Créatinine 132 µmol/l (dossier 8f31c07e92)"
SECRET = b"dossier 8f31c07e92"
PDF_OCTETS = 8 << 20


class Story:
    """The people, and what happens to them, in order."""

    def __init__(self, world):
        self.world = world
        self.year = datetime.date.today().year
        new = world.member
        self.labo = new("labo.central", "labo.example", kind="maildir")
        self.labo2 = new("labo.du.port", "port.example", kind="maildir")
        self.martin = new("dr.martin", "cabinet.example", protocol="pop3")
        self.leroy = new("dr.leroy", "leroy.example")
        self.petit = new("dr.petit", "petit.example")
        self.hub = new("passerelle", "asso.example", kind="maildir")
        self.association = Association(world, self.year, policy="list", rings={
            m.local: "rennes" for m in (self.labo, self.martin, self.leroy)})
        self.sealed = None      # a sealed mail, as the server stored it
        self.pdf = documents.pdf(PDF_OCTETS)

    # What goes well.

    def servers(self):
        self.world.start()
        self.hub.configure(top={"hub": True})

    def founded(self):
        self.association.found(
            self.world.members.values(),
            {m.local: "laboratory" if "labo" in m.local else
             "institution" if m is self.hub else "practice"
             for m in self.world.members.values()}, hub=self.hub)
        self.association.batch()

    def keys(self):
        for member in self.world.members.values():
            self.association.equip(member)

    def _send(self, sender, recipient, name, data, kind):
        sender.ok("send", "-t", "-i", input=documents.mail(
            sender.address, [recipient.address], "Résultats", "Ci-joint.",
            name, data, kind))
        sender.ok("poll")

    def _result(self, sender, recipient):
        return documents.hprim("DURAND", "CAMILLE", MARKER, sender.local,
                               recipient.local)

    def send_result(self):
        self._send(self.labo, self.martin, "resultat.hpr",
                   self._result(self.labo, self.martin),
                   "application/octet-stream")

    def send_pdf(self):
        self._send(self.labo, self.leroy, "compte-rendu.pdf", self.pdf,
                   "application/pdf")

    def send_hub(self):
        self._send(self.labo2, self.petit, "resultat.hpr",
                   self._result(self.labo2, self.petit),
                   "application/octet-stream")

    def _arrives(self, member, seal=False):
        self.world.wait_until(member.mail, what=f"mail for {member.local}")
        if seal:
            self.sealed = member.mail()[0].replace(b"\r\n", b"\n")
        member.ok("poll")

    def receive_pop3(self):
        self._arrives(self.martin, seal=True)
        self._has(self.martin, self._result(self.labo, self.martin))

    def receive_imap(self):
        self._arrives(self.leroy)
        self._has(self.leroy, self.pdf)

    def relayed(self):
        self._arrives(self.hub)

    def receive_relayed(self):
        self._arrives(self.petit)
        self._has(self.petit, self._result(self.labo2, self.petit))

    def _has(self, member, data):
        files = member.documents()
        assert any(p.read_bytes() == data or SECRET in p.read_bytes()
                   for p in files), \
            f"{member.inbox} holds {[p.name for p in files]}"

    def acknowledged(self):
        """Practices tell, the gateway passes it on, laboratories know."""
        def known(member, n):
            member.ok("poll")
            rows = member.ok("status", "--json").json()
            states = [r.get("state") for r in rows]
            return sum(s in ("received", "opened") for s in states) >= n

        def all_known():
            self.hub.ok("poll")
            return known(self.labo, 2) and known(self.labo2, 1)
        self.world.wait_until(all_known, 60, "acknowledgements")

    def nothing_in_clear(self):
        found = self.world.leaks(SECRET)
        assert not found, f"readable in {found}"

    # What must fail.

    def _refused(self, member, mail, error):
        """That mail is held or dropped, and nothing new is delivered."""
        before = len(member.documents())
        self.world.post(None, member, mail)
        got = member.sceau("poll")
        assert len(member.documents()) == before, "something was delivered"
        if error:
            assert got.code == 65, f"exit {got.code}: {got.text()}"
            held = member.ok("held", "list", "--json").json()
            assert any(h.get("class") == error for h in held), held
        else:
            assert got.code == 0, f"exit {got.code}: {got.text()}"

    def altered(self):
        """A result is changed on its way, before anybody has seen it."""
        self.send_result()
        self.world.wait_until(self.martin.mail, what="mail for dr.martin")
        mail = self.world.take(self.martin)
        self._refused(self.martin, documents.altered(mail), "BODY")

    def replayed(self):
        self._refused(self.martin, self.sealed, None)

    def borrowed_name(self):
        """labo.central seals a mail that says it is from dr.leroy."""
        envelope = self.labo.ok(
            "seal", "--to", self.association.full_name(self.martin),
            input=documents.mail(self.leroy.address, [self.martin.address],
                                 "INR", "Arrêtez le traitement.")).stdout
        self._refused(self.martin, documents.wrapped(
            self.labo.route, self.martin.route, envelope), "INNER")

    def false_server(self):
        servers = self.world.servers / "false"
        servers.mkdir()
        wire = self.world.proxy(self.world.dovecot.port["pop3s"])
        self.world.dovecot.set_cert(CA(servers, "Another").issue("localhost"))
        self.martin.configure(port=wire.port)
        got = self.martin.sceau("poll")
        self.world.dovecot.set_cert(self.world.cert)
        self.martin.configure()
        assert got.code == 75, f"exit {got.code}: {got.text()}"
        assert self.martin.password.encode() not in wire.seen

    def no_key(self):
        got = self.labo.sceau("send", "-t", input=documents.mail(
            self.labo.address, ["dr.inconnu@ailleurs.example"], "INR", "2,1"))
        assert got.code == 67, f"exit {got.code}: {got.text()}"
        queue = self.labo.ok("queue", "list", "--json").json()
        assert not [q for q in queue if "inconnu" in json.dumps(q)], queue


STEPS = [
    ("servers", "an IMAP, a POP3 and an SMTP server run on loopback",
     "des serveurs IMAP, POP3 et SMTP tournent sur cette machine"),
    ("founded", "an association of six makes its keys and letters",
     "une association de six membres fait ses clés et ses lettres"),
    ("keys", "each member imports its key file with the code of its letter",
     "chaque membre importe sa clé avec le code de sa lettre"),
    ("send_result", "a laboratory sends an HPRIM result to Dr Martin",
     "un laboratoire envoie un résultat HPRIM au Dr Martin"),
    ("send_pdf", "it sends an 8 MB PDF to Dr Leroy",
     "il envoie un PDF de 8 Mo au Dr Leroy"),
    ("send_hub", "another one, without a key for Dr Petit, sends by the "
     "gateway", "un autre, sans clé pour le Dr Petit, envoie par la "
     "passerelle"),
    ("receive_pop3", "Dr Martin polls by POP3: the result is in his folder",
     "le Dr Martin relève en POP3 : le résultat est dans son dossier"),
    ("receive_imap", "Dr Leroy polls by IMAP: the same PDF, octet for octet",
     "le Dr Leroy relève en IMAP : le même PDF, octet pour octet"),
    ("relayed", "the gateway opens what is for it, and seals it for Dr Petit",
     "la passerelle ouvre ce qui est pour elle et le scelle pour le Dr Petit"),
    ("receive_relayed", "Dr Petit polls: the result, \"relayed by\"",
     "le Dr Petit relève : le résultat, « relayé par »"),
    ("acknowledged", "the laboratories' status says: received, three times",
     "l’état chez les laboratoires dit : remis, trois fois"),
    ("nothing_in_clear", "the result is readable nowhere else, disk or wire",
     "le résultat n’est lisible nulle part ailleurs, disque ou réseau"),
    ("altered", "attack: one character altered: held, not delivered",
     "attaque : un caractère changé : retenu, non remis"),
    ("replayed", "attack: sent a second time: dropped",
     "attaque : envoyé une seconde fois : écarté"),
    ("borrowed_name", "attack: another member's name in From: held",
     "attaque : le nom d’un autre membre dans From : retenu"),
    ("false_server", "attack: a false server: no password is given",
     "attaque : un faux serveur : aucun mot de passe donné"),
    ("no_key", "attack: a recipient without a key: refused, nothing leaves",
     "attaque : un destinataire sans clé : refusé, rien ne part"),
]

WORDS = {
    "en": {"look": "to look closer: man/, keys/, ./quickstart --keep",
           "kept": "kept in {}: sceau -c {}/dr.martin/sceau.conf status",
           "failed": "FAILED", "done": "{} steps in {:.1f} s"},
    "fr": {"look": "pour regarder de près : man/, keys/, ./quickstart --keep",
           "kept": "gardé dans {} : sceau -c {}/dr.martin/sceau.conf status",
           "failed": "ÉCHEC", "done": "{} étapes en {:.1f} s"},
}


class Teller:
    """One line a step: for people, or for programs."""

    def __init__(self, lang, as_json):
        self.lang, self.as_json = lang, as_json
        self.words = WORDS[lang]

    def step(self, step, seconds, error=None):
        name, english, french = step
        if self.as_json:
            row = {"schema": 1, "step": name, "ok": error is None,
                   "seconds": round(seconds, 2)}
            if error is not None:
                row["error"] = str(error)
            print(json.dumps(row), flush=True)
            return
        what = french if self.lang == "fr" else english
        if error is not None:
            what = f"{self.words['failed']}: {what}\n{error}"
        print(f"{seconds:9.2f} s  {what}", flush=True)

    def say(self, word, *values):
        if not self.as_json:
            print(self.words[word].format(*values), flush=True)


def play(world, teller):
    """All steps; True when each went as told."""
    story = Story(world)
    began = time.monotonic()
    for step in STEPS:
        start = time.monotonic()
        try:
            getattr(story, step[0])()
        except (AssertionError, OSError, ValueError) as error:
            teller.step(step, time.monotonic() - start, error)
            return False
        teller.step(step, time.monotonic() - start)
    teller.say("done", len(STEPS), time.monotonic() - began)
    return True


def stop(number, _):
    """So that a signal, too, ends the servers."""
    sys.exit(128 + number)


def main():
    args = argparse.ArgumentParser(description="the main story")
    args.add_argument("--lang", choices=("en", "fr"), default="en")
    args.add_argument("--keep", action="store_true")
    args.add_argument("--json", action="store_true")
    args = args.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, stop)
    sys.stdout.reconfigure(encoding="utf-8")
    teller = Teller(args.lang, args.json)
    with World(keep=args.keep) as world:
        good = play(world, teller)
        if args.keep:
            teller.say("kept", world.top, world.top)
        elif good:
            teller.say("look")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
