"""sceau hprim check, of every variant of a report that is met."""

import json
import os
import pathlib

import pytest

from world import hprim

# The errors, for which a file is not sent; everything else is an oddity.
ERRORS = {"file.unknown", "file.patients", "header.short", "header.shifted",
          "name.missing", "birth.bad", "birth.future", "nir.key",
          "exam.early", "end.missing", "end.behind", "text.missing",
          "charset.octets", "file.unread"}


def check(run, folder, cases, *arguments, **env):
    """Write these files and check all of them at once."""
    paths = []
    for case in cases:
        path = folder / case.name
        path.write_bytes(case.data)
        paths.append(path)
    return run("hprim", "check", *arguments, *paths, **env)


def said(got):
    """{name of a file: (what is said of it, its remarks)}"""
    files = {}
    for line in got.stdout.splitlines():
        row = json.loads(line)
        name = os.path.basename(row["file"])
        if row["type"] == "hprim-file":
            files[name] = (row, [])
        else:
            files[name][1].append(row)
    return files


def differs(case, row, remarks):
    """What was said of a file otherwise than expected."""
    keys = ("kind", "charset", "eol", "patients")
    want = {key: getattr(case, key) for key in keys}
    if case.charset is None and case.kind == "hprim-medecin":
        del want["charset"]     # a guess, and said to be one
    want["errors"] = sum(m[2] in ERRORS for m in case.remarks)
    want["oddities"] = len(case.remarks) - want["errors"]
    got = {key: row[key] for key in want}
    found = {(m["line"], m["patient"], m["code"], m["severity"])
             for m in remarks}
    expected = {(*m, "error" if m[2] in ERRORS else "oddity")
                for m in case.remarks}
    if got == want and found == expected and len(remarks) == len(found):
        return None
    return case.name, got, want, found ^ expected


@pytest.mark.main
def test_every_variant_is_read_as_expected(run, tmp_path):
    cases = hprim.cases()
    got = check(run, tmp_path, cases, "--json")
    files = said(got)
    assert len(files) == len(cases) > 250
    wrong = [differs(case, *files[case.name]) for case in cases]
    assert [w for w in wrong if w] == []
    assert got.returncode == 65


def test_each_remark_is_met():
    """A remark that no file draws is not tested."""
    drawn = {m[2] for case in hprim.cases() for m in case.remarks}
    top = pathlib.Path(__file__).resolve().parents[2]
    source = (top / "src/document/hprim_say.c").read_text()
    known = {line.split('"')[1] for line in source.splitlines()
             if line.startswith("\t[HPRIM_") and '{ "' in line
             and "." in line.split('"')[1]}
    assert known - drawn == {"file.patients"}


def test_too_many_patients(run, tmp_path):
    p = hprim.Patient(text=["Sodium 5"], lab=None)
    data = hprim.encode([p] * 4097)
    case = hprim.Case("many.hpr", data, charset="US-ASCII", patients=4096,
                      remarks=((4096 * len(p.lines()) + 1, None,
                                "file.patients"),))
    got = check(run, tmp_path, [case], "--json")
    assert differs(case, *said(got)["many.hpr"]) is None


def test_exit_codes(run, tmp_path):
    good = hprim.Case("good.hpr", hprim.encode([hprim.Patient()]))
    odd = next(c for c in hprim.ends() if c.name == "no-fin.hpr")
    bad = next(c for c in hprim.ends() if c.name == "cut.hpr")
    assert check(run, tmp_path, [good]).returncode == 0
    assert check(run, tmp_path, [good, odd]).returncode == 0
    assert check(run, tmp_path, [bad, good]).returncode == 65
    assert run("hprim", "check").returncode == 64
    got = run("hprim", "check", tmp_path / "none.hpr", tmp_path / "bad.hpr")
    assert got.returncode == 78


def test_a_wrong_file_does_not_stop_the_others(run, tmp_path):
    good = hprim.Case("good.hpr", hprim.encode([hprim.Patient()]))
    large = tmp_path / "large.hpr"
    with large.open("wb") as f:
        f.truncate((16 << 20) + 1)
    (tmp_path / "good.hpr").write_bytes(good.data)
    got = run("hprim", "check", "--json", tmp_path / "none.hpr", large,
              tmp_path, tmp_path / "good.hpr")
    rows = [json.loads(line) for line in got.stdout.splitlines()]
    assert [r.get("code", r["type"]) for r in rows] == [
        "file.unread", "file.unread", "file.unread", "hprim-file"]
    assert rows[-1]["errors"] == 0 and rows[-1]["patients"] == 1
    assert got.returncode == 78


def test_people_read_it_in_french(run, tmp_path):
    bad = next(c for c in hprim.ends() if c.name == "cut.hpr")
    got = check(run, tmp_path, [bad], "--lang", "fr")
    text = got.stdout.decode()
    line = len(hprim.Patient().lines()) - 1
    assert f"{line}  erreur" in text
    assert "le compte rendu est peut-être coupé" in text
    assert "1 sur 1" in got.stderr.decode()
    good = hprim.Case("good.hpr", hprim.encode([hprim.Patient()]))
    got = check(run, tmp_path, [good], "--lang", "fr")
    assert "Rien à signaler." in got.stdout.decode()
    assert got.stderr == b""


def test_no_word_of_a_report_is_said(run, tmp_path):
    """What is said may be sent on to who makes the software."""
    cases = list(hprim.wrong())
    got = check(run, tmp_path, cases)
    for word in (b"DURAND", b"CAMILLE", b"Lilas", b"MARTIN", b"2610535"):
        assert word not in got.stdout + got.stderr
