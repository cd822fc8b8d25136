"""The story that ./quickstart tells, step by step."""

import pytest

from world.quickstart import STEPS, Story
from world.world import World

pytestmark = pytest.mark.main


@pytest.fixture(scope="module")
def story(sceau):
    with World() as world:
        yield Story(world)


@pytest.mark.parametrize("step", [s[0] for s in STEPS])
def test_quickstart(story, step):
    getattr(story, step)()
