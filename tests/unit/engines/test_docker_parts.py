"""The small parts of the Docker engine that need no Docker."""

from __future__ import annotations

from pathlib import Path

import aiodocker
import aiohttp
import pytest

from drybench.engines import docker_connection, docker_usage
from drybench.engines.docker_connection import away, part, parts
from drybench.engines.docker_looking import Container
from drybench.engines.docker_usage import Books, Usage


@pytest.mark.parametrize(
    "error",
    [aiodocker.DockerError(900, "no"), TimeoutError(), ConnectionResetError(), aiohttp.ServerDisconnectedError()],
)
def test_silence(error: Exception) -> None:
    assert away(error)


@pytest.mark.parametrize("error", [aiodocker.DockerError(500, "no"), aiodocker.DockerError(404, "no"), ValueError()])
def test_a_refusal_is_no_silence(error: Exception) -> None:
    assert not away(error)


def test_where_docker_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:2375")
    assert docker_connection.found() == "tcp://127.0.0.1:2375"
    monkeypatch.delenv("DOCKER_HOST")
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr(docker_connection, "SOCKETS", ("/nowhere/docker.sock",))
    assert docker_connection.found() is None


def test_null_in_an_answer_is_empty() -> None:
    assert part({"Config": {"Labels": None}}, "Config", "Labels") == {}
    assert part({}, "Config", "Labels") == {}
    assert list(parts({"Mounts": None}, "Mounts")) == []


def test_a_container_that_is_kept_is_known_by_its_name() -> None:
    shown = {"Id": "c", "Names": ["/drybench-kept-t1"], "State": "exited", "Labels": {"org.drybench.task": "t1"}}
    container = Container.of(shown)
    assert (container.is_kept, container.runs, container.has_begun, container.ip) == (True, False, True, None)


@pytest.mark.parametrize("old", [True, False], ids=["cgroup v1", "cgroup v2"])
def test_use_from_the_kernels_books(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: bool) -> None:
    monkeypatch.setattr(docker_usage, "CGROUPS", tmp_path)
    books = Books._old("/docker/c", "/docker/c") if old else Books._new("/docker/c")  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr(Books, "of", lambda pid: books)
    for file, text in ((books.memory, "1000"), (books.inactive[0], f"cache 5\n{books.inactive[1]} 300\n")):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    usage, clock = Usage(), iter([10.0, 12.0])
    monkeypatch.setattr(docker_usage.time, "monotonic", lambda: next(clock))
    usage.learn("c", 7)
    seen = [_look(usage, books, seconds) for seconds in (4, 5)]
    assert seen == [(700, None), (700, 0.5)]
    usage.only([])
    assert usage.of("c") == (None, None)


def _look(usage: Usage, books: Books, seconds: int) -> tuple[int | None, float | None]:
    file, key = books.cpu
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{key} {seconds * books.ticks}\n" if key else str(seconds * books.ticks))
    return usage.of("c")
