"""An `environment.yml` that somebody brings: solved and installed for real, from a channel of the test's own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from drybench.engines.docker_connection import connect
from drybench.environment_folders import SHIPPED
from drybench.errors import StepFailed
from drybench.images import own
from drybench.images.checking import what_it_lacks
from drybench.images.context import Options
from tests.image_bench import ImageBench, image_bench
from tests.stacks import stacks_image

__all__ = ["stacks_image"]

pytestmark = [pytest.mark.needs("docker"), pytest.mark.timeout(300, func_only=True)]

FILES = Path(__file__).parents[1] / "conda"
WANTED = "channels: [conda-forge]\ndependencies:\n  - python=3.11\n  - disc<2\n"


@dataclass(frozen=True)
class Conda:
    bench: ImageBench

    async def build(self, environment_yml: str) -> list[str]:
        """On the image that has conda, as somebody's page asks for it."""
        context = own.context({own.CONDA: environment_yml.encode()})
        files = {name: content.decode() for name, content in context.items() if name != own.DOCKERFILE}
        on = f'on = "{self.bench.low}"\n'
        self.bench.write(self.bench.high, context[own.DOCKERFILE].decode(), on, **files)
        return await self.bench.build(self.bench.high)


@pytest.fixture
def conda(docker_url: str, stacks_image: str, tmp_path: Path) -> Iterator[Conda]:
    certificates = Path(os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt"))
    with image_bench(tmp_path, docker_url, Options(certificates)) as bench:
        files = {file.name: file.read_text() for file in FILES.iterdir()}
        files["conda"] = (SHIPPED / "base" / "conda").read_text()
        bench.write(bench.low, files.pop("Dockerfile"), **files)
        yield Conda(bench)


async def test_it_is_solved_installed_and_a_kernel(conda: Conda) -> None:
    await conda.build(WANTED)
    python = ("/opt/brought/bin/python", "-c", "import disc, wing, sys; print(disc.VERSION, sys.prefix)")
    assert conda.bench.run(conda.bench.high, *python) == "1.0 /opt/brought"
    there = conda.bench.run(conda.bench.high, "ls", "/opt/brought/conda-meta").split()
    assert [file for file in there if file.endswith(".json")] == [
        "disc-1.0-0.json",
        "ipykernel-7.0-0.json",
        "python-3.11.2-0.json",
        "wing-0.1-0.json",
    ]
    image = conda.bench.catalogue.environment(conda.bench.high).digest or ""
    async with connect(conda.bench.url) as docker:
        _, kernels = await what_it_lacks(docker, image, "it")
    assert "brought" in kernels


async def test_what_no_channel_has_is_said(conda: Conda) -> None:
    with pytest.raises(StepFailed, match="nothing-of-this-name"):
        await conda.build("channels: [conda-forge]\ndependencies: [nothing-of-this-name]\n")
