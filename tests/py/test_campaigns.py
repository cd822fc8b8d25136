"""What the campaigns leave out is named: every place where the program can be
killed stands in the matrix of the crash campaign, and each fuzzer has seeds and
words that libFuzzer takes."""

import re

import pytest

from fault.crash import ELSEWHERE, MATRIX, stands
from world.world import TOP

SOURCES = sorted((TOP / "src").rglob("*.c"))
FUZZERS = sorted((TOP / "tests/fuzz").glob("fuzz_*.c"))
DICTIONARIES = sorted((TOP / "tests/fuzz").glob("*.dict"))
EVERYTHING = "register, in each transaction"
STATES = ("I0", "I1", "I2", "I3", "I4", "IH", "Q1", "Q2", "Q3", "Q4", "Q5")
STEPS = ("key", "told")     # of those that a line of the matrix may name
TX_END = re.compile(r'\bTX_END\((.*?),\s*"([^"]+)",\s*e\)', re.DOTALL)
FAULT = re.compile(r'\bFAULT\("([^"]+)"\)')
LONGEST_WORD = 64           # libFuzzer passes over longer ones in silence


def points():
    """All names that SCEAU_FAULT can have."""
    found = set()
    for path in SOURCES:
        text = path.read_text()
        found.update(FAULT.findall(text))
        ends = [name for _, name in TX_END.findall(text)]
        assert len(ends) == len(re.findall(r"\bTX_END\(", text)), path
        found.update(f"store.{name}.{when}" for name in ends
                     for when in ("before", "after"))
    return sorted(found)


def test_every_point_has_a_line_of_the_matrix():
    names = points()
    assert len(names) > 150 and "store.in.put.before" in names
    lines = [t for t in MATRIX if t != EVERYTHING]
    assert [n for n in names if not any(
        stands(t, n, step) for t in lines for step in STEPS)] == []


def test_every_line_of_the_matrix_has_a_point():
    names = points()
    assert [t for t in MATRIX if not any(
        stands(t, n, step) for n in names for step in STEPS)] == []


@pytest.mark.parametrize("state", STATES)
def test_every_state_of_the_design_has_a_line(state):
    assert any(state in re.split(r"[- ]", t) for t in MATRIX)


def names_in(text):
    """The points that a test names, whole or without before and after."""
    return set(re.findall(r"[a-z]+(?:\.[a-z]+)+", text))


@pytest.mark.parametrize("line", ELSEWHERE)
def test_who_dies_elsewhere_dies_there(line):
    """The test that is named kills at each point of that line."""
    if ELSEWHERE[line].startswith("nobody"):
        return
    text = (TOP / "tests" / ELSEWHERE[line]).read_text()
    named = names_in(text)
    assert "crash(" in text or ":kill" in text
    assert [n for n in points() if stands(line, n) and n not in named and
            re.sub(r"\.(before|after)$", "", n) not in named] == []


@pytest.mark.parametrize("path", FUZZERS, ids=lambda p: p.stem)
def test_a_fuzzer_has_seeds(path):
    assert any((TOP / "tests/fuzz/seeds" / path.stem[5:]).iterdir())


@pytest.mark.parametrize("path", DICTIONARIES, ids=lambda p: p.stem)
def test_words_that_libfuzzer_takes(path):
    assert path.with_name(f"fuzz_{path.stem}.c") in FUZZERS
    for line in path.read_text("ascii").splitlines():
        assert re.fullmatch(r'"([^"\\]|\\x[0-9a-f]{2}|\\[\\"])+"', line), line
        word = re.sub(r"\\x..|\\.", "?", line[1:-1])
        assert len(word) <= LONGEST_WORD, line
