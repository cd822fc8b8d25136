"""What every test that crosses processes may use."""

import os
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from world.world import World, program   # noqa: E402


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "main: the main scenario, run under the sanitizers too")
    config.addinivalue_line(
        "markers", "slow: minutes; make check-slow runs these alone")
    config.addinivalue_line(
        "markers", "leaks: wants a build with the sanitizers, which alone runs "
        "these")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport():
    """A test that cannot run says why, and fails: never silently skipped."""
    report = (yield).get_result()
    if report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"cannot run: {report.longrepr[-1]}"


@pytest.fixture(scope="session")
def sceau():
    """Path of the program under test; its absence is a failure."""
    path = program()
    assert path.is_file(), f"no program: build it, or set SCEAU_BUILD ({path})"
    return path


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


@pytest.fixture
def world(sceau):
    """An empty world: add members, then start()."""
    with World() as w:
        yield w
