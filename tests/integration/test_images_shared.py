"""Images come from a registry of the keeper's, by the very name that they would be built with."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from drybench import ports
from drybench.errors import ImageNotHad
from drybench.images.context import Options
from tests.docker import docker, docker_url
from tests.image_bench import ImageBench, image_bench
from tests.parts import needs
from tests.waiting import wait_for

__all__ = ["docker_url"]

CONFIG = """
version: 0.1
storage:
  filesystem: {{rootdirectory: {folder}}}
http: {{addr: "127.0.0.1:{port}"}}
log: {{level: error}}
"""


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """Its name in front of those of images; Docker speaks plain HTTP with this machine."""
    needs("docker-registry")
    (port,) = ports.inner([0], 0)
    config = tmp_path / "registry.yml"
    config.write_text(CONFIG.format(folder=tmp_path / "registry", port=port))
    environ = {**os.environ, "OTEL_TRACES_EXPORTER": "none"}
    with subprocess.Popen(["docker-registry", "serve", str(config)], env=environ) as process:
        try:
            wait_for(lambda: _answers(port))
            yield f"127.0.0.1:{port}/lab"
        finally:
            process.terminate()


@pytest.fixture
def bench(tmp_path: Path, docker_url: str, registry: str) -> Iterator[ImageBench]:
    with image_bench(tmp_path, docker_url, Options(registry=registry)) as bench:
        bench.write_both()
        yield bench


async def test_what_was_pushed_is_pulled_and_not_built(bench: ImageBench, registry: str) -> None:
    await bench.build(bench.low)
    built = bench.catalogue.environment(bench.low)
    shared = f"{registry}/{(built.image or '').removeprefix('drybench/')}"
    docker("tag", built.image or "", shared)
    docker("push", "-q", shared)
    docker("rmi", "-f", shared, built.image or "")

    said = [line async for line in bench.building.build(bench.low, pull=True)]
    assert said[0] == f"{bench.low}: getting {shared}"
    pulled = bench.catalogue.environment(bench.low)
    assert (pulled.image, pulled.digest) == (built.image, built.digest)
    build = bench.builds.newest(bench.low)
    assert build
    assert (build.state, build.pull, build.digest) == ("done", True, built.digest)
    assert bench.run(bench.low, "cat", "/low") == bench.mark
    again = await bench.build(bench.high)  # and others are built on it
    assert again[0] == f"{bench.low}: {built.image} is here"


async def test_what_is_not_there_is_said(bench: ImageBench) -> None:
    with pytest.raises(ImageNotHad) as refused:
        [line async for line in bench.building.build(bench.low, pull=True)]
    assert bench.low in refused.value.sentence
    build = bench.builds.newest(bench.low)
    assert build
    assert (build.state, build.problem) == ("failed", refused.value.sentence)


def _answers(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0
