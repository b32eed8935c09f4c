"""What somebody who means harm could try from within containers and builds."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from drybench import containers
from drybench.engines.docker_connection import connect
from drybench.engines.docker_rules import Network
from drybench.settings import Settings
from tests.bench import new_bench
from tests.docker import BASE, docker
from tests.image_bench import ImageBench, image_bench

WHERE = f"FROM {BASE}\nRUN cat /proc/net/fib_trie\n"


@pytest.fixture
def network(docker_url: str) -> Iterator[Network]:
    name = f"drybench-test-{secrets.token_hex(4)}"
    docker("network", "create", name)
    subnet = docker("network", "inspect", "--format", "{{(index .IPAM.Config 0).Subnet}}", name)
    yield Network(name, "", "", subnet)
    docker("network", "rm", name)


@pytest.fixture
def bench(tmp_path: Path, docker_url: str, network: Network) -> Iterator[ImageBench]:
    async def ready() -> Network:
        return network

    with image_bench(tmp_path, docker_url, brought=True) as bench:
        asked: Any = SimpleNamespace(ready=ready)
        there: Any = SimpleNamespace(images=bench.images, connect=lambda: connect(docker_url), network=asked)
        bench.building = containers.building(bench.data, Settings(), bench.catalogue, there, bench.builds)
        yield bench


async def test_what_people_bring_is_built_where_their_tasks_are(bench: ImageBench, network: Network) -> None:
    """Else its steps would reach this machine, and a cloud's metadata, past the rules of the firewall."""
    bench.write(bench.low, WHERE)
    within = network.subnet.rpartition(".")[0]
    assert any(f" {within}." in line for line in await bench.build(bench.low))


def test_built_by_the_keepers_command_it_reaches_no_more(docker_url: str) -> None:
    with new_bench(containers=True) as bench:
        folder = bench.data.own_environments / f"where-{secrets.token_hex(4)}"
        folder.mkdir(parents=True)
        (folder / "environment.toml").write_text('title = "Where"\nsummary = "Says where it is built"\n')
        (folder / "Dockerfile").write_text(WHERE)
        built = bench.run("images", "build", folder.name)
        docker("rmi", "--force", *docker("images", "--quiet", f"drybench/{folder.name}*").split())
        assert f" {bench.addresses.tasks_subnet.rpartition('.')[0]}." in built.stdout, built
