"""How the getting of an image went is told to those who wait, not to who wants the image another day."""

from __future__ import annotations

from typing import Any

import pytest

from drybench.engines import docker_images
from drybench.engines.docker_images import Images
from drybench.errors import ImageNotHad
from tests.waiting import eventually


class Asked:
    def __init__(self, *problems: Exception | None) -> None:
        self._problems = list(problems)
        self.times = 0

    async def __call__(self, *_: Any) -> None:
        self.times += 1
        if problem := self._problems.pop(0):
            raise problem


def not_had() -> ImageNotHad:
    return ImageNotHad(image="lab/one", problem="the disk is full")


@pytest.fixture
def docker() -> Any:
    return None


async def test_those_who_wait_are_told(docker: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker_images, "_get", Asked(not_had()))
    images = Images()
    assert await images.waits(docker, "lab/one") == "getting the image"
    await eventually(lambda: images._getting["lab/one"][1].done())
    with pytest.raises(ImageNotHad):
        await images.waits(docker, "lab/one")


@pytest.mark.parametrize("problem", [None, not_had()])
async def test_who_comes_later_has_it_tried_anew(
    docker: Any, monkeypatch: pytest.MonkeyPatch, problem: Exception | None
) -> None:
    """Whoever wanted it first has cancelled, and it has been removed since, or would come now."""
    monkeypatch.setattr(docker_images, "_get", asked := Asked(problem, None))
    monkeypatch.setattr(docker_images, "TOLD_FOR", 0)
    images = Images()
    await images.waits(docker, "lab/one")
    await eventually(lambda: not images._getting)
    assert await images.waits(docker, "lab/one") == "getting the image"
    await eventually(lambda: not images._getting)
    assert asked.times == 2
