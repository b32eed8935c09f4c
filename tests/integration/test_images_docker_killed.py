"""Docker is killed in the middle of a build: it is said, and the next build goes on where it can."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest

from drybench.errors import DockerAway
from tests.docker import BASE, PrivateDocker, docker, docker_url, need_base, private_docker
from tests.image_bench import image_bench

__all__ = ["docker_url"]


@pytest.fixture
def base_file(docker_url: str, tmp_path: Path) -> Iterator[Path]:
    """What others are built on, to be brought into a Docker of one's own."""
    file = tmp_path / "base.tar"
    docker("save", "-o", str(file), BASE, socket=Path(docker_url.removeprefix("unix://")))
    yield file
    file.unlink()


async def test_docker_is_killed_in_the_middle(tmp_path: Path, base_file: Path) -> None:
    with private_docker() as own:
        docker("load", "-i", str(base_file), socket=own.socket)
        need_base(own.socket)
        with image_bench(tmp_path, own.url) as bench:
            bench.write(bench.low, f"FROM {BASE}\nRUN echo first > /first\nRUN echo {bench.mark} && sleep 300\n")
            with pytest.raises(DockerAway):
                await _killed_at(bench.mark, own, bench.building.build(bench.low))
            build = bench.builds.newest(bench.low)
            assert build
            assert (build.state, build.step) == ("failed", 3)
            assert build.problem == DockerAway().sentence

            own.start()
            bench.write(bench.low, f"FROM {BASE}\nRUN echo first > /first\nRUN echo {bench.mark}\n")
            said = await bench.build(bench.low)
            assert " ---> Using cache" in said
            assert bench.catalogue.environment(bench.low).digest


async def _killed_at(mark: str, own: PrivateDocker, lines: AsyncGenerator[str]) -> None:
    async for line in lines:
        if line == mark:
            own.kill()
