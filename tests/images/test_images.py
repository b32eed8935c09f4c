"""The shipped images, built by our own builder, tried by their own tests, and started with nothing around them.

`make test-images` builds them all, which takes a quarter of an hour and 15 GB.
"""

from __future__ import annotations

import os
import re
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

import pytest

from tests.docker import docker, inspected
from tests.waiting import PATIENCE, wait_for

LIGHT = ("base", "desktop")
HEAVY = ("microscopy", "r", "napari", "cellpose")
NAMES = LIGHT + HEAVY if os.environ.get("DRYBENCH_TEST_IMAGES") == "all" else LIGHT
ON = {"desktop": "base", "microscopy": "base", "r": "base", "napari": "desktop", "cellpose": "napari"}
LINK = re.compile(r"http://127\.0\.0\.1:8888(\S+)")

pytestmark = pytest.mark.timeout(3600)


@dataclass
class Bench:
    data: Path

    def images(self, verb: str, name: str) -> str:
        drybench = Path(sys.executable).with_name("drybench")
        command = [str(drybench), "images", verb, name, "--data", str(self.data)]
        ran = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        assert ran.returncode == 0, ran.stdout[-6000:]
        return ran.stdout

    def build(self, name: str) -> str:
        """The image's name with its tag. What is here already is not built again."""
        found = re.findall(rf"drybench/{name}:[0-9a-f]{{12}}", self.images("build", name))
        return found[-1]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, shipped: None) -> Bench:
    """It trusts whom this machine trusts, and takes wheels from where its pip finds them."""
    data = tmp_path_factory.mktemp("bench")
    data.chmod(0o700)
    certificates = os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile or ""
    wheels = os.environ.get("PIP_FIND_LINKS", "")
    wheels = wheels if Path(wheels).is_absolute() and Path(wheels).is_dir() else ""
    (data / "drybench.toml").write_text(f'[images]\nextra_ca = "{certificates}"\nwheels = "{wheels}"\n')
    return Bench(data)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_built_and_passes_its_own_tests(bench: Bench, name: str) -> None:
    image = bench.build(name)
    print(bench.images("check", name))
    layers = inspected(image)["RootFS"]["Layers"]
    if name in ON:
        below = inspected(bench.build(ON[name]))["RootFS"]["Layers"]
        assert layers[: len(below)] == below
    config = inspected(image)["Config"]
    assert config["User"] == "1000"
    assert config["Cmd"] == ["python", "-m", "drybench_runner", "alone"]
    assert not config["Entrypoint"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("account", ["1000:1000", "4321:4321"])
def test_alone_it_says_a_link_with_a_token(bench: Bench, name: str, account: str) -> None:
    image = bench.build(name)
    with started(image, "--user", account, "--publish", "127.0.0.1::8888") as container:
        link = wait_for(lambda: LINK.search(docker("logs", container)))
        port = docker("port", container, "8888").rpartition(":")[2]
        assert link
        assert status(f"http://127.0.0.1:{port}{link[1]}") == 200
        assert status(f"http://127.0.0.1:{port}/api/contents") == 403
        assert "token" not in docker("exec", container, "env").lower()
        assert "token" not in docker("top", container, "-eo", "pid,args").lower()


def test_an_image_keeps_nothing_of_its_build(bench: Bench) -> None:
    """Neither in a layer that another hides, nor in its history."""
    told = docker("history", "--no-trunc", "--format", "{{.CreatedBy}}", bench.build("base"))
    assert "ca.crt" not in told
    assert "wheels" not in told


@contextmanager
def started(image: str, *options: str) -> Iterator[str]:
    name = f"drybench-test-alone-{token_hex(4)}"
    docker("run", "--detach", "--name", name, *options, image)
    try:
        yield name
    finally:
        docker("rm", "--force", name)


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
