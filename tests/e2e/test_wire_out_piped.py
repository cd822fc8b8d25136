"""Our own engine of the sending half: one round trip for each mail, and no
answer taken for that to another mail."""

import pytest

from world.relay import HARD, ca, good, mail, send  # noqa: F401 (fixtures)
from world.smtp_script import Script


@pytest.mark.parametrize("piped", [True, False])
def test_round_trips(send, piped):
    """RFC 2920 3.1: the next envelope stands behind the final dot."""
    wanted = [mail(n, HARD) for n in range(5)]
    extensions = ("PIPELINING",) if piped else ()
    with Script(extensions=extensions) as server:
        out = send(server.port, *wanted, engine="sceau", tls="none")
        assert (out.rc, out.verdicts) == ("ok", ["sent"] * 5)
        assert [m[2] for m in server.mails] == wanted
        parts = [data for _, data in server.sessions[0].parts]
        whole = sum(b"\r\n.\r\nMAIL FROM" in p and p.endswith(
            b"\r\nDATA\r\n") for p in parts)
        # EHLO, the first envelope, five contents, QUIT; or each by itself.
        assert (whole, len(parts)) == ((4, 8) if piped else (0, 22))


@pytest.mark.parametrize("size", [0, 8_000, 20_000, 100_000])
def test_commands_in_one_record(send, good, size):
    """A server that reads less than a record at once finds the dot and the
    next envelope in one piece, and answers them in one: see give_end()."""
    wanted = [mail(n, (b"y" * 70 + b"\r\n") * (size // 72)) for n in range(5)]
    with Script(good, starttls=True) as server:
        out = send(server.port, *wanted, engine="sceau")
        assert (out.rc, out.verdicts) == ("ok", ["sent"] * 5)
        assert [m[2] for m in server.mails] == wanted
        records = [r for _, r in server.sessions[0].parts]
        ends = [r for r in records if b"\r\nDATA\r\n" in r][1:]
        assert len(ends) == 4
        assert all(r.startswith(b".\r\nMAIL FROM") for r in ends), ends


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "."])
@pytest.mark.parametrize("answer", ["451 4.3.0 later", "250 2.0.0 what",
                                    "354 go"])
def test_answers_keep_their_places(send, verb, answer):
    """Whatever is said to the third, each mail that is said to be sent was
    taken, and none is taken that is said to be refused."""
    wanted = [mail(n) for n in range(6)]
    with Script(answers={verb: [None, None, answer, None]}) as server:
        out = send(server.port, *wanted, engine="sceau", tls="none")
        taken = [m[2] for m in server.mails]
        assert out.verdicts[:2] == ["sent"] * 2
        for content, verdict in zip(wanted, out.verdicts):
            assert (verdict == "sent") <= (content in taken), out
            assert verdict != "refused" and taken.count(content) <= 1
        if answer[0] == "4":
            assert out.verdicts == ["sent"] * 2 + ["deferred"] + ["sent"] * 3


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "."])
def test_only_the_answer_to_ehlo_offers_anything(send, verb):
    """PIPELINING, said in the middle: RCPT and DATA would never be said, and
    whatever comes next be taken for their answers."""
    with Script(extensions=(), answers={
            verb: "250-2.0.0 ok\r\n250-PIPELINING\r\n250 2.0.0 ok"}) as server:
        out = send(server.port, mail(1), mail(2), engine="sceau", tls="none")
        assert (out.rc, out.verdicts) == ("ok", ["sent"] * 2)
        assert [m[2] for m in server.mails] == [mail(1), mail(2)]
        said = [c.split()[0] for c in server.sessions[0].commands]
        assert said == [b"EHLO", *[b"MAIL", b"RCPT", b"DATA"] * 2, b"QUIT"]


def test_words_too_many(send):
    """What came before it was asked for is no answer to what follows."""
    with Script(answers={"DATA": [None, b"354 go\r\n250 2.0.0 queued\r\n"]}
                ) as server:
        out = send(server.port, mail(1), mail(2), mail(3), engine="sceau",
                   tls="none")
        assert (out.rc, out.why) == ("temp", "server"), out
        assert out.verdicts == ["sent", "deferred"]
        assert [m[2] for m in server.mails] == [mail(1)]


def test_content_wanted_for_nobody(send):
    """RFC 2920 3.1: 354 though no recipient was taken."""
    with Script(answers={"RCPT": ["550 5.1.1 no", None],
                         "DATA": ["354 go", None]}) as server:
        out = send(server.port, mail(1), mail(2), engine="sceau", tls="none")
        assert (out.rc, out.verdicts) == ("ok", ["refused", "sent"])
        assert [m[2] for m in server.mails] == [mail(2)]
        assert len(server.sessions) == 2


def test_a_bad_one_behind_a_good_one(send):
    """Its verdict waits for that of the one before it."""
    bad = ("lab@example.test", "a b@example.test", mail(2))
    with Script() as server:
        out = send(server.port, mail(1), bad, mail(3), mail(4) + b"\0",
                   mail(5), engine="sceau", tls="none")
        assert (out.rc, out.verdicts) == (
            "ok", ["sent", "refused", "sent", "refused", "sent"])
        assert [m[2] for m in server.mails] == [mail(1), mail(3), mail(5)]


@pytest.mark.parametrize("mechanisms,taken", [
    ("XOAUTH2", True), ("PLAIN XOAUTH2", True), ("PLAIN LOGIN", False)])
@pytest.mark.parametrize("tls", ["implicit", "starttls"])
def test_token_of_our_own_engine(send, good, mechanisms, taken, tls):
    token = "ya29." + "t" * 3000
    with Script(good, starttls=tls == "starttls", implicit=tls == "implicit",
                token=token, mechanisms=mechanisms) as server:
        for secret in (token, "stale"):
            out = send(server.port, mail(), engine="sceau", tls=tls,
                       auth="xoauth2", secret=secret)
            if taken and secret == token:
                assert (out.rc, out.verdicts) == ("ok", ["sent"]), out
            else:
                assert (out.rc, out.why) == ("temp", "login"), out
                assert out.verdicts == ["deferred"]
        assert len(server.mails) == taken
