"""An image that is not here yet is got, and people see how far it is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from drybench.errors import ImageNotHad
from drybench.model import Task
from tests.contract.containers import Bench
from tests.docker import SOCKET, docker, has_image
from tests.registry import Registry, registry
from tests.waiting import PATIENCE

NAME = "drybench-test/pulled"


@pytest.fixture
def there() -> Iterator[Registry]:
    with registry() as made:
        made.put_image(layers=3)
        yield made
        if has_image(SOCKET, made.image(NAME)):
            docker("rmi", "-f", made.image(NAME))


async def test_a_missing_image_is_got_once_for_all_who_wait(containers: Bench, there: Registry) -> None:
    tasks = [containers.task("true", image=there.image(NAME)) for _ in range(2)]
    await _words(containers, tasks[0], "getting the image: 2 of 3 layers")
    assert await containers.engine.prepare(tasks[1]) == "getting the image: 2 of 3 layers"
    there.let_go.set()
    for task in tasks:
        await _words(containers, task, "")
    assert has_image(SOCKET, there.image(NAME))


async def test_one_that_the_registry_does_not_have_is_refused_to_all(containers: Bench, there: Registry) -> None:
    there.manifest = ""
    for _ in range(2):
        with pytest.raises(ImageNotHad, match="manifest"):
            await _words(containers, containers.task("true", image=there.image(NAME)), "")


async def _words(containers: Bench, task: Task, wanted: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while await containers.engine.prepare(task) != wanted:
            await asyncio.sleep(0.02)
