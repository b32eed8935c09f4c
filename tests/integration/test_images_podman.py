"""The same builds by Podman, through the socket that speaks as Docker does."""

from __future__ import annotations

from pathlib import Path

import pytest

from drybench.errors import StepFailed
from tests.docker import BASE, docker, docker_url, podman_url
from tests.image_bench import image_bench

__all__ = ["docker_url", "podman_url"]


async def test_podman_builds_them_too(tmp_path: Path, docker_url: str, podman_url: str) -> None:
    file = tmp_path / "base.tar"
    docker("save", "-o", str(file), BASE)
    docker("load", "-q", "-i", str(file), socket=Path(podman_url.removeprefix("unix://")))
    with image_bench(tmp_path, podman_url) as bench:
        bench.write_both()
        said = await bench.build(bench.high)
        high = bench.catalogue.environment(bench.high)
        assert high.digest
        assert bench.mark in said
        build = bench.builds.newest(bench.high)
        assert build
        assert (build.state, build.now, build.step, build.steps) == ("done", bench.high, 5, 5)
        assert (await bench.build(bench.high))[-1] == f"{bench.high}: {high.image} is here"

        bench.write(bench.low, f"FROM {BASE}\nRUN echo well && exit 7\n")
        with pytest.raises(StepFailed, match=r"step 2 of 5, RUN echo well && exit 7, failed .* It said: well"):
            await bench.build(bench.low)
