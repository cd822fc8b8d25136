"""Servers that are silent, talk nonsense, or say far too much."""

import time

import pytest

from world.ca import CA
from world.dovecot import Dovecot
from world.proxy import Proxy
from world.scripted import Scripted
from world.wire_source import (EX_CONFIG, EX_TEMPFAIL, PROTOCOLS, at,
                               at_script, fetched, source)


@pytest.fixture(scope="module")
def ca(tmp_path_factory):
    return CA(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def good(ca):
    return ca.issue("localhost", "127.0.0.1")


@pytest.fixture
def dovecot(good):
    with Dovecot(good) as server:
        yield server


@pytest.mark.parametrize("protocol, verb", [
    ("imap", v) for v in ("GREETING", "STARTTLS", "LOGIN", "SELECT", "FETCH",
                          "UID FETCH")] + [
    ("pop3", v) for v in ("GREETING", "STLS", "CAPA", "USER", "PASS", "UIDL",
                          "LIST", "RETR")])
def test_silence_at_each_step_has_an_end(good, ca, protocol, verb):
    with Scripted(protocol, good, "starttls", hang=verb,
                  messages=[b"A: b\r\n\r\nx\r\n"]) as server:
        start = time.monotonic()
        got = source("list", "fetch-none",
                     **at_script(server, ca, timeout=1))
        took = time.monotonic() - start
    assert got.code == EX_TEMPFAIL and got.error[2] == "network"
    assert 0.9 < took < 6


def test_silence_during_the_handshake_has_an_end(ca):
    with Scripted("imap", None, "none", hang="GREETING") as server:
        start = time.monotonic()
        got = source("list", **at_script(server, ca, tls="implicit",
                                         timeout=1))
        assert time.monotonic() - start < 6
    assert got.code == EX_TEMPFAIL and got.error[2] == "network"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_drops_of_octets_have_an_end(ca, protocol):
    import socket
    import threading
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def drip():
            sock, _ = listener.accept()
            try:
                while True:
                    sock.sendall(b"*")
                    time.sleep(0.1)
            except OSError:
                pass
        threading.Thread(target=drip, daemon=True).start()
        start = time.monotonic()
        got = source("list", host="localhost", tls="none", user="dr",
                     port=listener.getsockname()[1], protocol=protocol,
                     password="secret", timeout=1)
        assert time.monotonic() - start < 6
    assert got.code == EX_TEMPFAIL


def test_nobody_there(ca):
    from world.dovecot import free_ports
    got = source("list", host="localhost", port=free_ports(1)[0],
                 protocol="imap", tls="implicit", ca=ca.cert, user="dr",
                 password="secret")
    assert got.code == EX_TEMPFAIL and "no connection" in got.error[3]


def test_no_such_name(ca):
    got = source("list", host="nowhere.invalid", port=993, protocol="imap",
                 tls="implicit", ca=ca.cert, user="dr", password="secret")
    assert got.code == EX_TEMPFAIL and "resolved" in got.error[3]


def test_pop3_without_uidl_is_said_clearly(good, ca):
    with Scripted("pop3", good, capa=b"USER\r\n", answers={
            "UIDL": lambda rest: b"-ERR what\r\n"}) as server:
        got = source("list", **at_script(server, ca))
    assert got.code == EX_CONFIG and "UIDL" in got.error[3]


@pytest.mark.parametrize("capa, code", [
    (b"+OK\r\nUIDL\r\n.\r\n", EX_TEMPFAIL), (b"+OK\r\n.\r\n", EX_CONFIG),
    (b"-ERR what\r\n", EX_CONFIG)])
def test_pop3_uidl_refused_is_for_now_where_it_is_offered(
        good, ca, capa, code):
    with Scripted("pop3", good, answers={
            "CAPA": lambda rest: capa,
            "UIDL": lambda rest: b"-ERR not today\r\n"}) as server:
        got = source("list", **at_script(server, ca))
    assert got.code == code


def test_pop3_words_nobody_asked_for_are_no_answer_to_quit(good, ca):
    """A deletion is confirmed by the answer to QUIT, not by one before."""
    with Scripted("pop3", good, messages=[b"x\r\n"], answers={
            "DELE": lambda rest: b"+OK\r\n+OK\r\n"}) as server:
        got = source("list", "fetch-none", "delete", **at_script(server, ca))
    assert got.ids("released") == [] and "QUIT" not in server.verbs
    assert got.error[2] == "server"


def test_pop3_lists_with_gaps_and_rubbish(good, ca):
    uidl = (b"+OK\r\n0 zero\r\n2 two\r\n9999999999 many\r\n5 five\r\nx y\r\n"
            b"7\r\n8 " + b"u" * 71 + b"\r\n11 sp ace\r\n12 \x80\r\n.\r\n")
    sizes = b"+OK\r\n0 100\r\n2 200\r\n3 1\r\n5 18446744073709551616\r\n.\r\n"
    with Scripted("pop3", good, answers={
            "UIDL": lambda rest: uidl, "LIST": lambda rest: sizes}) as server:
        got = source("list", **at_script(server, ca))
    assert got.error is None
    assert [line[1:] for line in got.lines if line[0] == "id"] == \
        [["two", "200"], ["five", "0"]]


def test_pop3_a_message_longer_than_announced(good, ca):
    with Scripted("pop3", good, messages=[b"A: b\r\n\r\n" + b"x" * 3000 +
                                          b"\r\n", b"C: d\r\n\r\n\r\n"],
                  answers={"LIST": lambda rest:
                           b"+OK\r\n1 10\r\n2 10\r\n.\r\n"}) as server:
        got = source("list", "fetch-none", **at_script(server, ca, max=2000))
    assert got.ids("too-big") == ["uid-1"] and got.ids("got") == ["uid-2"]
    with Scripted("pop3", good, messages=[b"A: b\r\n\r\n" + b"x" * 300_000 +
                                          b"\r\n"],
                  answers={"LIST": lambda rest:
                           b"+OK\r\n1 10\r\n.\r\n"}) as server:
        got = source("list", "fetch-none", **at_script(server, ca, max=2000))
    assert got.error[2] == "server" and "far more" in got.error[3]


def test_pop3_an_endless_line_has_an_end(good, ca):
    with Scripted("pop3", good, answers={
            "CAPA": lambda rest: b"+OK " + b"x" * 5_000_000}) as server:
        got = source("list", **at_script(server, ca))
    assert got.error[2] == "server"


@pytest.mark.parametrize("protocol, said, why", [
    ("imap", "%TAG% NO [UNAVAILABLE] try later", "server"),
    ("imap", "%TAG% NO [INUSE] another session", "server"),
    ("imap", "%TAG% NO [LIMIT] too many sessions", "server"),
    ("imap", "%TAG% NO [SERVERBUG] sorry", "server"),
    ("imap", "%TAG% NO [AUTHENTICATIONFAILED] wrong", "login"),
    ("imap", "%TAG% NO wrong", "login"),
    ("pop3", "-ERR [SYS/TEMP] try later", "server"),
    ("pop3", "-ERR [IN-USE] another session", "server"),
    ("pop3", "-ERR [LOGIN-DELAY] too soon", "server"),
    ("pop3", "-ERR [AUTH] wrong", "login"),
    ("pop3", "-ERR wrong [SYS/TEMP]", "login")])
def test_who_is_busy_has_not_refused_the_password(good, ca, protocol, said,
                                                  why):
    verb = "LOGIN" if protocol == "imap" else "PASS"
    with Scripted(protocol, good, answers={
            verb: lambda rest: said.encode() + b"\r\n"}) as server:
        got = source("list", **at_script(server, ca))
    assert got.code == EX_TEMPFAIL and got.error[2] == why, got.error


@pytest.mark.parametrize("protocol, verb, said", [
    ("imap", v, b"* BYE going down\r\n") for v in (
        "LOGIN", "SELECT", "FETCH", "UID FETCH", "CAPABILITY", "UID STORE",
        "UID EXPUNGE", "UID SEARCH", "IDLE")] + [
    ("pop3", v, b"-ERR [SYS/TEMP] going down\r\n") for v in (
        "CAPA", "USER", "PASS", "RETR", "DELE", "QUIT")])
def test_a_server_that_goes_down(good, ca, protocol, verb, said):
    down = {}

    def answer(rest):
        down["now"] = True
        return said
    with Scripted(protocol, good, messages=[b"x\r\n"],
                  answers={verb: answer}, bye_ends=True) as server:
        got = source("list", "fetch-none",
                     *(["wait=1"] if verb == "IDLE" else []), "delete",
                     **at_script(server, ca, idle="yes"))
    assert down and got.ids("released") == []
    assert got.code == EX_TEMPFAIL or verb in ("RETR", "CAPA", "DELE")


@pytest.mark.parametrize("protocol, said", [
    ("imap", b"* BYE too many"), ("imap", b"* NO"), ("imap", b"+ go on"),
    ("imap", b"what"), ("imap", b"* OK"), ("imap", b""),
    ("imap", b"+OK POP3"), ("pop3", b"-ERR"), ("pop3", b"-ERR [IN-USE] x"),
    ("pop3", b"+ go on"), ("pop3", b"what"), ("pop3", b""),
    ("pop3", b"* OK IMAP4"), ("pop3", b"+OKAY")])
def test_what_is_no_greeting(good, ca, protocol, said):
    with Scripted(protocol, good, messages=[b"A: b\r\n\r\nx\r\n"], answers={
            "GREETING": lambda rest: said + b"\r\n"}) as server:
        got = source("list", **at_script(server, ca, timeout=1))
    assert got.code == EX_TEMPFAIL and got.ids() == [], got.text
    assert got.error[2] in ("server", "network"), got.error


IMAP_WORDS = (
    b"%TAG% NO x", b"%TAG% BAD x", b"%TAG% OK x", b"%TAG% OK", b"* BYE x",
    b"+ go on", b"", b"what", b"* 0 EXISTS\r\n%TAG% OK x",
    b"* 4294967295 EXISTS\r\n%TAG% OK x", b"* CAPABILITY\r\n%TAG% OK x",
    b"* SEARCH\r\n%TAG% OK x", b"* SEARCH 1 2 999 4294967295\r\n%TAG% OK x",
    b"* 1 EXPUNGE\r\n* 1 EXPUNGE\r\n%TAG% OK x",
    b"* OK [UIDVALIDITY 0] x\r\n%TAG% OK x",
    b"* OK [UIDVALIDITY 8] x\r\n%TAG% OK x",
    b"* 1 FETCH (UID 0 RFC822.SIZE 1)\r\n%TAG% OK x",
    b"* 1 FETCH (UID 1)\r\n* 1 FETCH (UID 1)\r\n%TAG% OK x",
    b"* 9 FETCH (RFC822.SIZE 1)\r\n%TAG% OK x",
    b"* 1 FETCH (UID 4294967295 RFC822.SIZE 4294967295)\r\n%TAG% OK x",
    b"* 1 FETCH (UID 1 BODY[] NIL)\r\n%TAG% OK x",
    b"* 1 FETCH (UID 1 BODY[] \"\")\r\n%TAG% OK x",
    b"* 1 FETCH (UID 1 BODY[] {4}\r\nabcd)\r\n%TAG% NO x",
    b"* 1 FETCH (UID 1 BODY[] \"ab\" BODY[] \"cd\")\r\n%TAG% OK x",
    b"* 1 FETCH (UID 1 BODY[TEXT] \"ab\")\r\n%TAG% OK x",
    b"* 1 FETCH (BODY[] {2}\r\nab UID 1)\r\n%TAG% OK x")
POP3_WORDS = (
    b"+OK", b"-ERR", b"-ERR x", b"-ERR [SYS/PERM] x", b"+ go on", b"", b"what",
    b"+OK\r\n.", b"+OK\r\n..\r\n.", b"+OK\r\n\r\n.", b"+OK\r\n1 x\r\n1 x\r\n.",
    b"+OK\r\n1\r\n.", b"+OK\r\n1 \r\n.", b"+OK\r\n1 99999999999999999999\r\n.",
    b"+OK\r\n.1 x\r\n.", b"+OK\r\n" + b"1 x\r\n" * 40_000 + b".",
    b"+OK\r\na\rb\r\n.", b"+OK\r\n.\r\n.", b"+OK\r\nno end")


@pytest.mark.parametrize("protocol, verb, after", [
    ("imap", v, a) for v, a in (
        ("CAPABILITY", "delete"), ("LOGIN", "delete"), ("SELECT", "delete"),
        ("FETCH", "delete"), ("UID FETCH", "delete"), ("UID STORE", "delete"),
        ("UID EXPUNGE", "delete"), ("UID SEARCH", "delete"),
        ("UID MOVE", "move=Kept"), ("CREATE", "move=Kept"), ("IDLE", "delete"),
        ("LOGOUT", "delete"))] + [
    ("pop3", v, "delete") for v in (
        "CAPA", "USER", "PASS", "UIDL", "LIST", "RETR", "DELE", "QUIT")])
def test_any_answer_at_any_step(good, ca, protocol, verb, after):
    """It ends, as network or server; nothing is got that was not listed, and
    nothing deleted that was not got."""
    words = IMAP_WORDS if protocol == "imap" else POP3_WORDS
    for said in words:
        with Scripted(protocol, good, messages=[b"A: b\r\n\r\nx\r\n"], answers={
                verb: lambda rest: said + b"\r\n"}) as server:
            got = source("list", *(["wait=1"] if verb == "IDLE" else []),
                         "fetch-none", after,
                         **at_script(server, ca, timeout=1, idle="yes"))
        assert got.code in (0, EX_TEMPFAIL, EX_CONFIG), (said, got.text)
        assert set(got.ids("got")) <= set(got.ids()), (said, got.text)
        assert set(got.ids("released")) <= set(got.ids()), (said, got.text)


def test_imap_an_endless_line_has_an_end(good, ca):
    with Scripted("imap", good, answers={
            "SELECT": lambda rest: b"* OK " + b"x" * 5_000_000}) as server:
        got = source("list", **at_script(server, ca))
    assert got.error[2] == "server"


def fetch_answer(*parts):
    return {"UID FETCH": lambda rest: b"".join(parts) + b"%TAG% OK done\r\n"}


def test_imap_uid_before_after_and_without_a_literal(good, ca, tmp_path):
    messages = [b"one\r\n", b"two\r\n", b"three", b"four"]
    with Scripted("imap", good, messages=messages, answers=fetch_answer(
            b"* 2 FETCH (BODY[] {5}\r\ntwo\r\n UID 2)\r\n",
            b"* 9 FETCH (FLAGS (\\Seen))\r\n* 7 EXISTS\r\n",
            b"* 1 FETCH (FLAGS () UID 1 BODY[] {5}\r\none\r\n)\r\n",
            b"* 3 FETCH (UID 3 BODY[] \"three\")\r\n",
            b"* 4 FETCH (UID 4 BODY[] NIL)\r\n")) as server:
        got = source("list", f"fetch={tmp_path}", **at_script(server, ca))
    assert got.error is None
    assert fetched(tmp_path) == {"7.1": b"one\r\n", "7.2": b"two\r\n",
                                 "7.3": b"three"}
    assert got.ids("unreadable") == ["7.4"]


def test_imap_messages_nobody_asked_for(good, ca):
    with Scripted("imap", good, messages=[b"x\r\n"], answers=fetch_answer(
            b"* 1 FETCH (UID 5 BODY[] {3}\r\nx\r\n)\r\n")) as server:
        got = source("list", "fetch-none", **at_script(server, ca))
    assert got.error[2] == "server" and got.ids("got") == []


def test_imap_one_unreadable_message_does_not_stop_the_others(good, ca):
    def uid_fetch(rest):
        uids = rest.split()[0]
        if uids == b"1:3":
            return b"%TAG% NO [SERVERBUG] internal\r\n"
        if uids == b"2":
            return b"%TAG% NO [SERVERBUG] internal\r\n"
        return b"* 1 FETCH (UID %b BODY[] {3}\r\nx\r\n)\r\n%%TAG%% OK done\r\n" \
            % uids
    with Scripted("imap", good, messages=[b"x\r\n"] * 3, answers={
            "UID FETCH": uid_fetch, "UID SEARCH": lambda rest:
            b"* SEARCH 2\r\n%TAG% OK done\r\n"}) as server:
        got = source("list", "fetch-none", **at_script(server, ca))
    assert got.error is None
    assert got.ids("got") == ["7.1", "7.3"]
    assert got.ids("unreadable") == ["7.2"]


def test_imap_a_literal_far_larger_than_announced(good, ca):
    with Scripted("imap", good, messages=[b"x\r\n"], answers=fetch_answer(
            b"* 1 FETCH (UID 1 BODY[] {900000}\r\n", b"x" * 900_000,
            b")\r\n")) as server:
        got = source("list", "fetch-none", **at_script(server, ca, max=2000))
    assert got.error[2] == "server" and got.ids("got") == []
    with Scripted("imap", good, messages=[b"x\r\n"], answers=fetch_answer(
            b"* 1 FETCH (UID 1 BODY[] {9000}\r\n", b"x" * 9000,
            b")\r\n")) as server:
        got = source("list", "fetch-none", **at_script(server, ca, max=2000))
    assert got.error is None and got.ids("too-big") == ["7.1"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_connection_cut_inside_a_message(good, ca, protocol, tmp_path):
    body = b"A: b\r\n\r\n" + b"x" * 200_000 + b"\r\n"
    with Dovecot(good, required=False) as server:
        server.put("dr", body)
        passed = [0]

        def cut(data, to_server):
            passed[0] += 0 if to_server else len(data)
            return None if passed[0] > 100_000 else data
        with Proxy(server.port[protocol], change=cut) as wire:
            got = source("list", f"fetch={tmp_path}", **at(
                server, ca, protocol, "none", port=wire.port))
        assert got.code == EX_TEMPFAIL and got.error[2] == "network"
        assert [n for n in fetched(tmp_path) if n != ".part"] == []
        assert server.count("dr") == 1
