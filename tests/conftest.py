"""What every test that crosses processes may use."""

import os
import pathlib
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ.get("SCEAU_BUILD", TOP)).resolve()
SCEAU = BUILD / "sceau"


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "main: the main scenario, run under the sanitizers too")


@pytest.fixture(scope="session")
def sceau():
    """Path of the program under test; its absence is a failure."""
    assert SCEAU.is_file(), f"no program: build it, or set SCEAU_BUILD ({SCEAU})"
    return SCEAU


@pytest.fixture
def run(sceau, tmp_path):
    """run(*arguments, input=b"", **env): the program as cron would run it."""
    def call(*arguments, input=b"", **env):
        home = tmp_path / "home"
        home.mkdir(exist_ok=True)
        keep = {k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}
        return subprocess.run(
            [sceau, *map(str, arguments)], input=input, capture_output=True,
            timeout=120, cwd=home,
            env={"PATH": "/usr/bin:/bin", "LANG": "C", "HOME": str(home),
                 **keep, **env})
    return call
