"""The program as a stranger meets it."""

import re

import pytest


@pytest.mark.main
def test_version_is_the_one_of_configure(run):
    got = run("--version")
    assert got.returncode == 0
    assert got.stderr == b""
    assert re.fullmatch(rb"sceau \d+\.\d+\.\d+\n", got.stdout)
