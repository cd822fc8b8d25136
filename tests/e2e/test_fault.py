"""The preloaded library counts in every process, confined or not, and what
it is told to do happens: else the campaigns below would prove nothing."""

import errno
import signal

import pytest

from fault import fail, tried
from fault.commands import CASES
from world.fault import Calls


@pytest.fixture
def calls(demo):
    return Calls(demo.labo.folder)


def posted(demo):
    """Three mails that wait for the practice."""
    sent = [demo.send(f"INR 2,{n}", demo.dr) for n in range(3)]
    demo.labo.ok("poll")
    return sent


@pytest.mark.main
def test_it_counts_in_every_process(demo, calls):
    posted(demo)
    demo.dr.ok("poll", **calls.env())
    got = calls.counts()
    assert {"starter", "keeper", "vault", "clerk", "fetch", "relay"} <= \
        set(got), got
    assert got["fetch"]["net"] > 10 and got["relay"]["net"] > 5
    assert got["keeper"]["write"] > 5 and got["keeper"]["sync"] > 2
    assert got["clerk"]["rename"] >= 3 and got["clerk"]["sync"] >= 1
    assert all(row["alloc"] > 0 and row["ipc"] > 0 for row in got.values())
    assert "net" not in got["vault"] and "net" not in got["keeper"]
    assert "write" not in got["vault"] and "write" not in got["fetch"]


@pytest.mark.parametrize("part", ("keeper", "vault", "clerk", "fetch"))
def test_one_process_dies(demo, calls, part):
    sent = posted(demo)
    got = demo.dr.sceau("poll", **calls.env("ipc", 3, part=part))
    assert calls.fired, "that part made no such call"
    assert b"process.died" in got.stderr or b"signal=9" in got.stderr, \
        got.text()
    assert got.code == 75
    demo.dr.ok("poll")
    assert sorted(demo.dr.shown()) == sorted(sent)


def test_the_whole_run_dies(demo, calls):
    sent = posted(demo)
    got = demo.dr.sceau("poll", **calls.env("sync", 2, "killall"))
    assert calls.fired and got.code == -signal.SIGKILL, got.text()
    demo.dr.ok("poll")
    assert sorted(demo.dr.shown()) == sorted(sent)


def test_a_full_disk(demo, calls):
    """From the first write on, in the process that stores."""
    sent = posted(demo)
    got = demo.dr.sceau("poll", **calls.env(
        "write", 1, errno.ENOSPC, part="keeper", after=True))
    assert calls.fired and got.code != 0, got.text()
    assert len(demo.dr.mail()) == 3 and demo.dr.documents() == []
    demo.dr.ok("poll")
    assert sorted(demo.dr.shown()) == sorted(sent)


# ---- the campaign of failing calls, tests/fault/fail.py

def test_what_was_prepared_is_put_back(demo, forger):
    """Also behind another command's work, and the folders are the same: what
    the software took is told."""
    case, other = (CASES[name](demo, forger) for name in ("refile", "inbox"))
    case.begin()
    token = case.token
    case.judge(case.run())
    other.begin()
    case.token = None
    case.begin()
    assert case.token == token, "prepared anew"
    case.judge(case.run())


def test_what_was_judged_is_not_judged_again(demo, forger, monkeypatch):
    monkeypatch.setattr(fail, "AGAIN", 10 ** 9)
    judge, calls = fail.Judge(demo), Calls(demo.top)
    case, seen = CASES["queue drop"](demo, forger), []
    whole = case.judge
    case.judge = lambda first: (seen.append(first.code), whole(first))

    def alike(what, n):
        row = fail.one(judge, "queue drop", case, calls, what, n)
        assert row["verdict"] == "ok" and row["fired"], row
        return "alike" in row

    assert [alike("open", 1), alike("open", 1)] == [False, True]
    assert not alike("alloc", 10 ** 3) and len(seen) == 2
    last = calls_of(case, calls, "sync")
    assert not alike("sync", last) and alike("sync", last)
    assert len(seen) == 3 and 0 not in seen[:2]


def calls_of(case, calls, what):
    case.begin()
    case.run(**calls.env())
    return calls.total(what)


def test_no_memory_is_no_reason_to_return_a_mail(demo, forger, calls):
    """Wherever it ends in libConfuse, which exits by itself at three places
    that follow each other: a mail server is told to try again."""
    case = CASES["open, mda"](demo, forger)
    case.begin()
    with open(demo.dr.conf, "a") as f:
        f.write("nonsense = 1\n")      # read to its end, and no further
    assert case.run(**calls.env()).code == 75
    codes = {case.run(**calls.env("alloc", n, str(errno.ENOMEM))).code
             for n in range(1, calls.total("alloc"), 3)}
    assert 75 in codes and codes <= {75, -signal.SIGABRT}, codes


def test_each_place_fails_once(demo, forger, tmp_path):
    """And where one has failed it is not tried again, in a later run too."""
    case, calls = CASES["log"](demo, forger), Calls(tmp_path)

    def rows(most):
        left = iter(range(most))
        return list(fail.new_places(fail.Judge(demo), {"log": case}, calls,
                                    lambda: next(left, None) is None))

    first, rest = rows(1), rows(10 ** 3)
    assert len(first) == fail.BLOCK
    assert {r["what"] for r in rest} >= {"alloc", "open", "read", "write"}
    assert {r["verdict"] for r in first + rest} == {"ok"}
    assert rows(10 ** 3) == []


def test_only_ones_own_rows_are_passed_over(tmp_path, monkeypatch):
    """What another program has tried, and what was wrong, is tried again;
    each program is counted by itself."""
    out, which = tmp_path / "rows", {"case": "log", "what": "open", "n": 1}
    (tmp_path / "RESULTS.md").write_text("\n## Calls that fail\n")
    monkeypatch.setattr(tried, "RESULTS", tmp_path / "RESULTS.md")
    out.write_text('{"case": "log", "what": "open", "n": 1, "code": 0, '
                   '"verdict": "ok"}\n')
    for name in "ab":
        monkeypatch.setattr(tried, "this_program", lambda n=name: n * 12)
        rows = tried.Tried(out)
        assert rows.mine == []
        for n, verdict in enumerate(("ok", "said: lost", "WRONG: x")):
            rows.trying(**which)
            assert (tmp_path / "rows.now").exists()
            rows.add({**which, "n": n, "verdict": verdict})
        assert not (tmp_path / "rows.now").exists()
    again = tried.Tried(out)
    assert [r["n"] for r in again.mine] == [0, 1]
    assert [r["program"][0] for r in again.all] == list("uaabb")
    told = list(tried.campaigns("Calls that fail", out, again.all))
    assert [line.split(" | ", 1)[1] for line in told[2:]] == [
        "unknown | 1 | 1 | 0 |", "aaaaaaaaaaaa | 3 | 3 | 1 |",
        "bbbbbbbbbbbb | 3 | 3 | 1 |", "all | 7 | 7 | 2 |"]
