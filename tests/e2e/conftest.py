"""The demonstration association for the tests of this folder.  The servers
are started once; each test begins with everybody as on the first day."""

import pytest

from world.demo import Demo, Forger


@pytest.fixture(scope="session")
def _servers(sceau):
    with Demo(postfix=False) as demo:
        yield demo.start()


@pytest.fixture
def demo(_servers):
    _servers.fresh()
    return _servers


@pytest.fixture(scope="session")
def forger():
    return Forger()
