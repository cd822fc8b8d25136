"""Following: alarms that begin, are told once and end; the daily mail; whom to
call; resending; figures.  Real Dovecot and Postfix, an injected clock: needs a
build with --enable-fault."""

import datetime
import email
import email.policy
import subprocess

import pytest

from pysceau import records
from world.demo import Demo
from world.follow import DAY, Follower, MONDAY, at, clock, plain, said

PATIENT = "DUPONT-marker-41c7"
MON_17 = at(0, 17)          # its four hours of work end on Tuesday at 9:00


@pytest.fixture(scope="module")
def servers(sceau):
    with Demo() as demo:
        yield demo.start()


@pytest.fixture
def demo(servers):
    servers.fresh()
    return servers


@pytest.fixture
def labo(demo):
    demo.labo.fresh()
    return Follower(demo.labo)


def send(demo, when, *recipients, texts=("INR 2,1",)):
    """Submitted and relayed at that time, and in the mailbox."""
    for text in texts:
        demo.labo.ok("send", "-t", **clock(when), input=demo.mail_of(
            f"{text} {PATIENT}", *recipients, subject=PATIENT))
    demo.labo.ok("poll", **clock(when))
    for who in recipients:
        demo.wait_until(lambda: len(who.mail()) >= len(texts), what="the mail")


def fetch(demo, who, when, polls=1):
    """The practice fetches, and its acknowledgement is in our mailbox."""
    before = len(demo.labo.mail())
    for _ in range(polls):
        who.ok("poll", **clock(when))
    demo.wait_until(lambda: len(demo.labo.mail()) > before, what="its word")


def forge_ack(demo, forger, who, state, when, n=0):
    """What that practice says of the n-th mail that was sent."""
    row = [r for r in demo.labo.ok("status", "--json", **clock(when)).json()
           if r["type"] == "sent"][n]
    demo.post(demo.labo, forger.mail(who, demo.labo, None, control=[
        records.ack(bytes.fromhex(row["t"]), state, when,
                    bytes.fromhex(row["digest"]))], now=when))


def rows(member, when, kind, *words):
    got = member.ok("sent", *words, "--json", **clock(when)).json()
    return [r for r in got if r["type"] == kind]


def documents(member, when, *words):
    return rows(member, when, "document", *words)


# ---- late ------------------------------------------------------------------

def test_late_is_told_once_when_it_begins_and_once_when_it_ends(demo, labo):
    send(demo, MON_17, demo.dr, texts=("a", "b"))
    assert labo.poll(at(0, 20, 30)) == ""       # 3 hours; the night is none
    assert labo.poll(at(1, 7, 59)) == ""
    assert labo.poll(at(1, 9)) == ""
    assert labo.alarms(at(1, 9)) == {} and labo.news() == ""
    assert labo.poll(at(1, 9, 1)) == ""         # cron mails nothing
    assert labo.news() == f"""\
Alertes de sceau, {demo.labo.address}

Nouvelles :
- dr.martin@cabinet.example : 2 envois non remis, le plus ancien du \
{said(MON_17)}.
  Appeler le cabinet. La liste d’appel : sceau sent --late --print
"""
    for minute in (2, 7):
        assert labo.poll(at(1, 9, minute)) == ""
    assert labo.news() == ""
    row, = labo.alarms(at(1, 9, 7)).values()
    assert (row["rule"], row["messages"]) == ("late", 2)
    assert plain(demo.labo.ok("status", **clock(at(1, 9, 7))).stdout.decode()
                 ).split("\n\n")[1] == f"""\
Alertes :
- dr.martin@cabinet.example : 2 envois non remis, le plus ancien du \
{said(MON_17)}.
  Appeler le cabinet. La liste d’appel : sceau sent --late --print"""
    fetch(demo, demo.dr, at(1, 9, 10))
    assert labo.poll(at(1, 9, 12)) == ""
    assert labo.news() == f"""\
Alertes de sceau, {demo.labo.address}

Terminées :
- dr.martin@cabinet.example : « non remis » a pris fin le \
{said(at(1, 9, 12))}.
"""
    assert labo.poll(at(1, 9, 17)) == "" and labo.news() == ""
    assert labo.alarms(at(1, 9, 17)) == {}


def test_one_behind_the_gateway_has_an_alarm_of_his_own(demo, labo):
    send(demo, MON_17, demo.durand, texts=("a",))
    demo.labo.ok("send", "-t", **clock(MON_17), input=demo.mail_of(
        PATIENT, demo.petit))
    demo.labo.ok("poll", **clock(MON_17))
    demo.wait_until(lambda: demo.hub.mail(), what="the hub's mail")
    fetch(demo, demo.hub, at(0, 17, 5))
    labo.poll(at(1, 9, 1))
    assert sorted(labo.alarms(at(1, 9, 1))) == [
        ("late", demo.durand.name), ("late", demo.petit.name)]
    row, = documents(demo.labo, at(1, 9, 1), "--to", demo.petit.address)
    assert row["via_hub"] and row["state"] == "relayed" and row["late"]
    assert row["relayed_at"] is not None and row["received_at"] is None
    # What it files bears the token of what the gateway sealed.
    assert f"relayé\n       par la passerelle, repère {row['token']}\n" in \
        plain(demo.labo.ok("sent", "--print", **clock(at(1, 9, 1))).text())


# ---- whom to call ----------------------------------------------------------

def test_the_list_to_call(demo, labo):
    send(demo, at(0, 9), demo.dr, texts=("early",))
    fetch(demo, demo.dr, at(0, 9, 30))
    labo.poll(at(0, 9, 40))
    send(demo, MON_17, demo.dr, demo.durand, texts=("a", "b"))
    when = at(1, 10)
    one, two, three, four = (
        documents(demo.labo, when, "--late", "--to", m.address)[i]
        for m in (demo.durand, demo.dr) for i in (0, 1))
    got = demo.labo.ok("sent", "--late", "--print", **clock(when))
    assert plain(got.stdout.decode()) == f"""\
Cabinets à appeler, le {said(when)}

1. cabinet.durand@durand.example
   2 envois attendent, le plus ancien depuis le {said(MON_17)}.
   Dernières nouvelles de ce cabinet : jamais.
   Appeler le cabinet.
   [ ] nº {one["id"]} du {said(MON_17)}, envoyé
       fichier ...{one["token"]}
   [ ] nº {two["id"]} du {said(MON_17)}, envoyé
       fichier ...{two["token"]}
   Appelé le ____________ à ______ ; réponse : ____________________________

2. dr.martin@cabinet.example
   2 envois attendent, le plus ancien depuis le {said(MON_17)}.
   Dernières nouvelles de ce cabinet : {said(at(0, 9, 40))}.
   Appeler le cabinet.
   [ ] nº {three["id"]} du {said(MON_17)}, envoyé
       fichier ...{three["token"]}
   [ ] nº {four["id"]} du {said(MON_17)}, envoyé
       fichier ...{four["token"]}
   Appelé le ____________ à ______ ; réponse : ____________________________
"""
    assert all(len(x) <= 80 for x in plain(got.stdout.decode()).splitlines())
    fetch(demo, demo.dr, at(1, 10, 5))
    names = [p.name for p in demo.dr.documents()]
    for row in (three, four):       # what is said on the telephone is found
        assert [n for n in names if row["token"] in n], names
    nobody = demo.labo.ok("sent", "--print", **clock(MON_17))
    assert plain(nobody.stdout.decode()) == f"""\
Cabinets à appeler, le {said(MON_17)}

Personne : tout a été remis à temps.
"""


def test_each_message_with_its_states_and_times(demo, labo):
    send(demo, at(0, 9), demo.dr, demo.durand)
    fetch(demo, demo.dr, at(0, 10))
    labo.poll(at(0, 11))
    got = {r["to"]: r for r in documents(demo.labo, at(0, 12))}
    assert set(got) == {demo.dr.name, demo.durand.name}
    when = {k: v for k, v in got[demo.dr.name].items() if k.endswith("_at")}

    def utc(t):
        return datetime.datetime.fromtimestamp(
            t, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert when == {
        "queued_at": utc(at(0, 9)), "sent_at": utc(at(0, 9)),
        "relayed_at": None, "received_at": utc(at(0, 10)), "opened_at": None,
        "refused_at": None, "damaged_at": None}
    sums = {r["to"]: r for r in rows(demo.labo, at(0, 12), "practice")}
    assert sums[demo.dr.name]["received"] == 1
    assert sums[demo.dr.name]["waiting"] == 0
    assert sums[demo.dr.name]["heard_at"] == utc(at(0, 11))
    assert sums[demo.durand.name]["oldest_waiting_at"] == utc(at(0, 9))
    for day in (MONDAY.isoformat(), MONDAY.strftime("%d/%m/%Y")):
        assert len(documents(demo.labo, at(2, 9), "--since", day)) == 2
    assert documents(demo.labo, at(2, 9), "--days", "1") == []
    for words in (["--since", "x"], ["--days", "0"], ["more"]):
        assert demo.labo.sceau("sent", *words).code in (64, 78)


# ---- the other rules -------------------------------------------------------

def test_silent_until_any_news_comes(demo, labo, forger):
    send(demo, at(0, 9), demo.dr)
    labo.poll(at(3, 9))
    assert labo.rules(at(3, 9)) == ["late"]
    labo.news()
    labo.poll(at(3, 9, 1))
    assert labo.rules(at(3, 9, 1)) == ["late", "silent"]
    assert "- dr.martin@cabinet.example : jamais de nouvelles, alors que 1 " \
        "envoi l’attend.\n  Appeler le cabinet : sa machine est-elle " \
        "allumée, relève-t-elle son courrier ?\n" in labo.news()
    demo.post(demo.labo, forger.mail(demo.dr, demo.labo, demo.mail_of(
        "hello", demo.labo, sender=demo.dr), now=at(3, 10)))
    labo.poll(at(3, 10))
    assert labo.rules(at(3, 10)) == ["late"]
    assert "« sans nouvelles » a pris fin" in labo.news()


def take(demo, who, when):
    """The practice's software takes every file, and the sender hears of it."""
    for path in who.inbox.iterdir():
        if path.is_file():
            path.unlink()
    fetch(demo, who, when)


def test_unopened_until_the_practice_takes_it(demo, labo):
    demo.dr.configure(kind="folder")
    send(demo, at(0, 9), demo.dr)
    fetch(demo, demo.dr, at(0, 9, 30))
    take(demo, demo.dr, at(0, 9, 40))
    labo.poll(at(0, 9, 50))
    assert [r["state"] for r in documents(demo.labo, at(0, 9, 50))] == \
        ["opened"]
    send(demo, at(0, 10), demo.dr, texts=("b",))
    fetch(demo, demo.dr, at(0, 10, 30))
    for when, rules in ((at(0, 11), []), (at(3, 11), []),
                        (at(3, 11, 1), ["unopened"])):
        labo.poll(when)
        assert labo.rules(when) == rules
    assert f"1 envoi remis et non ouvert depuis le {said(at(0, 11))}.\n" \
        "  Appeler le cabinet : son logiciel prend-il les résultats ?\n" \
        in labo.news()
    call = plain(demo.labo.ok("sent", "--print", **clock(at(3, 12))
                              ).stdout.decode())
    assert f"   1 envoi remis et non ouvert, depuis le {said(at(0, 11))}.\n" \
        in call
    take(demo, demo.dr, at(3, 12))
    labo.poll(at(3, 12, 30))
    assert labo.rules(at(3, 12, 30)) == []
    assert "« non ouvert » a pris fin" in labo.news()


def test_refused_for_a_week(demo, labo, forger):
    send(demo, at(0, 9), demo.dr)
    forge_ack(demo, forger, demo.dr, 0x10, at(0, 10))
    labo.poll(at(0, 10, 3))
    assert labo.rules(at(0, 10, 3)) == ["refused"]
    assert f"- dr.martin@cabinet.example : 1 envoi refusé, le " \
        f"{said(at(0, 10, 3))}.\n  Envoyer les résultats par une autre " \
        "voie, et prévenir l’association.\n" in labo.news()
    labo.poll(at(7, 10, 3))
    assert labo.rules(at(7, 10, 3)) == ["refused"]
    labo.poll(at(7, 10, 4))
    assert labo.rules(at(7, 10, 4)) == []


def test_given_up_until_it_is_sent_again(demo, labo):
    demo.labo.ok("send", "-t", input=demo.mail_of("x", demo.dr),
                 **clock(at(0, 9)))
    labo.configure(top={"give_up": "30 min"}, relay_port=1)
    labo.poll(at(0, 9), 75)
    assert "event=out.given_up" in labo.poll(at(0, 9, 40), 69)
    assert labo.rules(at(0, 9, 41)) == ["failed"]
    news = labo.news()
    assert "- dr.martin@cabinet.example : 1 envoi n’a pas pu être confié au " \
        f"relais, abandonné le {said(at(0, 9, 40))} (" in news, news
    assert "  Réparer la cause, puis : sceau queue retry --to ADRESSE\n" \
        in news
    labo.configure()
    demo.labo.ok("queue", "retry", "--to", demo.dr.address,
                 **clock(at(0, 10)))
    labo.poll(at(0, 10))
    assert labo.rules(at(0, 10)) == []
    assert "« échoué » a pris fin" in labo.news()
    demo.wait_until(lambda: demo.dr.mail(), what="the mail")


def test_a_server_that_fails_for_an_hour(demo, labo):
    demo.labo.ok("send", "-t", input=demo.mail_of("x", demo.dr),
                 **clock(at(0, 9)))
    labo.configure(relay_port=1, port=1)        # nobody listens there
    assert "relay" in labo.poll(at(0, 9), 75)
    assert "in.failed" not in labo.poll(at(0, 9, 5), 75)  # said already
    assert "in.failed" not in labo.poll(at(0, 9, 59), 75)
    assert labo.rules(at(0, 9, 59)) == []
    labo.poll(at(0, 10), 75)
    assert labo.rules(at(0, 10)) == ["account", "relay"]
    news = labo.news()
    for words in (f"- Le relais relay est en panne depuis le {said(at(0, 9))}"
                  " (relais relay : ",
                  f"- La boîte mailbox est en panne depuis le "
                  f"{said(at(0, 9))} (compte mailbox : ",
                  "  Rien n’est perdu, il est réessayé tout seul. Regarder la "
                  "connexion et le mot de passe : sceau check\n"):
        assert words in news, news
    labo.configure()
    labo.poll(at(0, 16))
    assert labo.rules(at(0, 16)) == ["late"]    # and it has left now
    assert "- relay : « relais en panne » a pris fin" in labo.news()


def test_a_key_that_ends_is_told_at_60_30_and_7_days(demo, labo, forger):
    maker = forger.maker(2027)
    maker.watch = None          # its silence would be told too
    labo.configure(top=labo.own_keys())
    ends = at(70, 9)
    labo.take_key(maker, 2026, ends, at(0, 9))
    for day, told in ((0, 0), (2, 0), (9, 0), (10, 1), (30, 0), (40, 1),
                      (62, 0), (63, 1), (69, 0), (71, 1), (72, 0)):
        labo.poll(at(day, 10))
        news = labo.news()
        assert news.count("Nouvelles :") == told, (day, news)
        if told:
            left = {10: 60, 40: 30, 63: 7}.get(day)
            assert f"- La clé de {demo.labo.address} " + (
                f"finit dans moins de {left} jours : elle est bonne pour "
                f"écrire jusqu’au {said(ends)}.\n" if left else
                f"était bonne pour écrire jusqu’au {said(ends)} : rien ne "
                "part plus avec elle.\n") + \
                "  La lettre et le fichier de clés de l’année suivante sont-" \
                "ils arrivés ? Alors : sceau key renew. Sinon, appeler " \
                "l’association.\n" in news, news
    assert labo.figures()[
        f'sceau_key_end_timestamp_seconds{{name="{demo.labo.name}"}}'] == ends
    labo.take_key(maker, 2027, at(400, 9), at(73, 9))
    labo.poll(at(73, 10))
    assert labo.rules(at(73, 10)) == []
    assert "« clé bientôt finie » a pris fin" in labo.news()


def test_a_clock_that_leaps(demo, labo):
    send(demo, at(0, 9), demo.dr)
    labo.poll(at(0, 9, 5))
    leap = at(0, 9) + 40 * DAY
    assert "clock.leapt" in labo.poll(leap)     # this pass raises nothing
    assert labo.rules(leap) == []
    labo.poll(leap + 300)
    assert labo.rules(leap + 300) == ["clock", "late", "silent"]
    assert labo.news().startswith(f"""\
Alertes de sceau, {demo.labo.address}

Nouvelles :
- L’horloge de cette machine a sauté le {said(leap)} : heures et alertes \
peuvent être fausses.
  Mettre cette machine à l’heure, et la laisser s’y tenir par le réseau (NTP).
""")
    labo.poll(leap + 8 * DAY)
    assert "clock" not in labo.rules(leap + 8 * DAY)


# ---- the daily mail --------------------------------------------------------

def test_the_daily_mail_once_a_day_in_french(demo, labo):
    send(demo, MON_17, demo.dr)
    labo.poll(at(1, 6, 30))
    labo.poll(at(1, 7, 5))
    assert labo.digests() == []                 # there is nothing to say
    labo.poll(at(1, 12))
    assert labo.rules(at(1, 12)) == ["late"] and labo.digests() == []
    labo.poll(at(2, 6, 59))
    assert labo.digests() == []
    labo.poll(at(2, 7))
    text, = labo.digests()
    mail = email.message_from_bytes(text.encode(),
                                    policy=email.policy.default)
    assert mail["To"] == "biologiste@labo.example"
    assert mail["From"] == f"sceau <{demo.labo.route}>"
    assert mail["Subject"] == "sceau - 1 alerte"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"].datetime.timestamp() == at(2, 7)
    assert mail.get_content_type() == "text/plain" and not mail.defects
    assert plain(mail.get_content()) == f"""\
La journée de sceau, {demo.labo.route}, le {said(at(2, 7))}

Alertes :
- dr.martin@cabinet.example : 1 envoi non remis, du {said(MON_17)}.
  Appeler le cabinet. La liste d’appel : sceau sent --late --print

À envoyer : 0. Pas encore remis : 1. Retenus : 0. En détail : sceau status
"""
    for hour in (8, 12, 23):
        labo.poll(at(2, hour))
    assert labo.digests() == []
    fetch(demo, demo.dr, at(2, 23, 10))
    labo.poll(at(2, 23, 20))
    labo.poll(at(3, 9))
    text, = labo.digests()                      # what ended, and no more
    assert "Subject: sceau - aucune alerte\n" in text
    assert "Terminées depuis le dernier courriel :\n- dr.martin@cabinet." \
        f"example : « non remis » a pris fin le {said(at(2, 23, 20))}.\n" \
        in plain(text)
    labo.poll(at(4, 9))
    assert labo.digests() == []
    labo.configure(top={"digest_empty": True})
    labo.poll(at(5, 9))
    assert len(labo.digests()) == 1


def test_a_death_after_the_mail_gives_it_twice_rather_than_never(demo, labo):
    send(demo, MON_17, demo.dr)
    labo.poll(at(1, 12))
    assert len(labo.digests()) == 1
    for point, mails in (("starter.tell.before", 0),
                         ("starter.tell.after", 1), ("digest.done.before", 1),
                         ("store.digest.before", 1)):
        got = demo.labo.sceau("poll", **clock(at(2, 8)),
                              SCEAU_FAULT=f"{point}:kill")
        assert got.code != 0
        assert len(labo.digests()) == mails, point
    labo.poll(at(2, 8, 30))
    assert len(labo.digests()) == 1
    demo.labo.sceau("poll", **clock(at(3, 8)),
                    SCEAU_FAULT="store.digest.after:kill")
    labo.poll(at(3, 8, 30))
    assert len(labo.digests()) == 1


# ---- commands --------------------------------------------------------------

def test_a_command_that_fails_is_tried_at_the_next_pass(demo, labo):
    send(demo, MON_17, demo.dr)
    labo.configure(top={"alarm_command": "cat >/dev/null; exit 1"})
    said_ = labo.poll(at(1, 10))
    assert "level=warning event=alarm.command_failed" in said_
    assert "alarm.command_failed" in labo.events(at(1, 10))
    labo.configure()
    assert labo.poll(at(1, 10, 5)) == ""
    assert labo.news().count("Nouvelles :") == 1
    # and once more when we die before its success is noted
    send(demo, at(1, 11), demo.durand)
    got = demo.labo.sceau("poll", **clock(at(1, 16)),
                          SCEAU_FAULT="alarm.told.before:kill")
    assert got.code != 0
    labo.poll(at(1, 16, 5))
    assert labo.news().count("- cabinet.durand@durand.example : 1 envoi") == 2


def test_its_environment_holds_no_secret(demo, labo):
    send(demo, MON_17, demo.dr)
    labo.configure(top={"alarm_command": f"env >{labo.told}"})
    labo.poll(at(1, 10), PASSWORD="s3cret-of-the-shell", LC_ALL="C")
    names = {line.partition("=")[0] for line in labo.news().splitlines()}
    assert names <= {"PATH", "HOME", "SHELL", "USER", "LOGNAME", "LANG",
                     "LC_ALL", "TZ", "PWD", "SHLVL", "_", "OLDPWD"}
    assert {"PATH", "HOME", "LC_ALL"} <= names


def test_french_by_the_configuration_alone(demo, labo):
    """An empty environment, as some schedulers give."""
    send(demo, MON_17, demo.dr)
    done = subprocess.run(
        [demo.sceau, "-c", demo.labo.conf, "poll"], capture_output=True,
        timeout=60, cwd=demo.labo.home, env={
            "SCEAU_LOCALEDIR": str(demo.sceau.parent / "po/locale"),
            "LANG": "C", **clock(at(1, 10))})
    assert done.returncode == 0 and done.stdout == b""
    assert "1 envoi non remis, du " in labo.news()


def test_nothing_of_a_patient_is_told(demo, labo):
    send(demo, MON_17, demo.dr)
    labo.poll(at(1, 10))
    labo.poll(at(2, 10))
    heard = (labo.news(), "".join(labo.digests()), labo.metrics.read_text(),
             *(demo.labo.ok(*w, **clock(at(2, 11))).text() for w in (
                 ["status"], ["sent"], ["sent", "--print"], ["log"])))
    assert all(heard)
    assert [text for text in heard if PATIENT in text] == []


def test_one_that_stays_tells_too(demo, labo):
    """sceau run."""
    send(demo, MON_17, demo.dr)
    run = demo.labo.start("run", **clock(at(1, 10)))
    demo.wait_until(lambda: labo.told.exists() and labo.metrics.exists(),
                    what="the alarm")
    run.terminate()
    _, err = run.communicate(timeout=20)
    assert run.returncode == 0, err
    assert labo.news().count("- dr.martin@cabinet.example : 1 envoi") == 1
    assert check_row(demo, at(1, 10, 5), "passages")[0] == "fine"


# ---- figures, passes -------------------------------------------------------

def test_figures_for_prometheus(demo, labo):
    send(demo, MON_17, demo.dr, texts=("a", "b"))
    labo.poll(at(1, 10))
    got = labo.figures()
    assert got['sceau_alarms{rule="late"}'] == 1
    assert got['sceau_alarms{rule="relay"}'] == 0
    assert got['sceau_messages{state="undelivered"}'] == 2
    assert got['sceau_messages{state="late"}'] == 2
    assert got["sceau_pass_timestamp_seconds"] == at(1, 10)
    assert got["sceau_pass_exit_code"] == 0
    assert [p.name for p in demo.labo.home.iterdir()
            if "prom" in p.name] == ["sceau.prom"]
    labo.configure(port=1)
    labo.poll(at(1, 10, 5), 75)
    assert labo.figures()["sceau_pass_exit_code"] == 75
    labo.configure(top={"metrics_file": str(demo.labo.home / "no/where")})
    assert "event=metrics.failed" in labo.poll(at(1, 10, 10))


def check_row(demo, when, what):
    got = demo.labo.sceau("check", "--json", **clock(when)).json()
    row, = (r for r in got if r["what"] == what)
    return row["result"], plain(row["detail"])


def test_check_says_when_passes_ran_and_what_failed(demo, labo):
    assert check_row(demo, at(0, 9), "passages")[0] == "look"
    labo.poll(at(0, 9))
    assert check_row(demo, at(0, 9, 5), "passages") == (
        "fine", f"le dernier le {said(at(0, 9))} ; aucun des 1 n’a échoué")
    labo.configure(port=1)
    labo.poll(at(0, 9, 10), 75)
    result, text = check_row(demo, at(0, 9, 15), "passages")
    assert result == "look"
    assert text.startswith(f"le dernier le {said(at(0, 9, 10))} ; 1 sur 2 a "
                           f"échoué, le {said(at(0, 9, 10))} : compte "
                           "mailbox : "), text
    labo.configure()
    demo.labo.sceau("poll", **clock(at(0, 9, 20)),
                    SCEAU_FAULT="store.pass.after#2:kill")
    labo.poll(at(0, 9, 25))
    assert check_row(demo, at(0, 9, 30), "passages")[0] == "fine"
    assert check_row(demo, at(2, 9, 30), "passages")[0] == "look"
    assert check_row(demo, at(0, 9, 30), "alertes") == ("fine", "aucune")


# ---- resending -------------------------------------------------------------

def test_all_of_a_practice_again_and_never_twice(demo, labo):
    """Its acknowledgements are lost; it has everything already."""
    send(demo, at(0, 9), demo.dr, demo.durand, texts=("a", "b"))
    fetch(demo, demo.dr, at(0, 10))
    demo.empty(demo.labo)
    got = demo.labo.ok("queue", "retry", "--to", demo.dr.address,
                       **clock(at(0, 11)))
    assert plain(got.stdout.decode()) == "2 envois sont réessayés à la " \
        "prochaine relève, les mêmes enveloppes exactement.\n" \
        "Qui a depuis une autre clé, après un vol, ne peut les ouvrir : " \
        "envoyez-lui de nouveau le document.\n"
    labo.poll(at(0, 11))
    demo.wait_until(lambda: len(demo.dr.mail()) == 2, what="both again")
    assert len(demo.durand.mail()) == 2
    fetch(demo, demo.dr, at(0, 12))
    assert len(demo.dr.new()) == 2, "shown twice"
    labo.poll(at(0, 13))
    assert demo.labo.states() == {demo.dr.name: "received",
                                  demo.durand.name: "sent"}
    got = demo.labo.ok("queue", "retry", "--to", demo.dr.name,
                       **clock(at(0, 14)))
    assert plain(got.stdout.decode()).startswith("0 envoi")
    for words in ([], ["--to"], ["1", "--to", "x"], ["x"]):
        assert demo.labo.sceau("queue", "retry", *words).code in (64, 78)
