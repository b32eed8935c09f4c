"""Why a bench has no containers, in the words that its pages say."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from drybench import containers
from drybench.addresses import Addresses
from drybench.engines import docker_connection
from drybench.settings import Settings
from drybench.settings_sections import DockerEngine, Engines

HERE = Addresses("http://localhost:8000", "127.0.0.1", 8000, 1, 2, 3, "little")
WITH_DOOR = replace(HERE, tasks_door="http://172.18.0.1:41234")


@pytest.fixture
def answering(tmp_path: Path) -> Iterator[str]:
    place = tmp_path / "docker.sock"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(place))
        yield f"unix://{place}"


def test_none_is_missing_where_it_answers_and_there_is_a_door(answering: str) -> None:
    assert containers.why_none(settings(socket=answering), WITH_DOOR) == ""


def test_the_keeper_wants_none(answering: str) -> None:
    assert containers.why_none(settings(use="never", socket=answering), WITH_DOOR) == "the settings say so"


def test_there_is_no_docker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docker_connection, "found", lambda: None)
    assert containers.why_none(settings(), HERE) == "there is neither Docker nor Podman on this machine"


def test_the_account_may_not_use_it(answering: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "_may_use", _no)  # root may always
    place = answering.removeprefix("unix://")
    assert containers.why_none(settings(socket=answering), HERE) == f"the bench's account may not use {place}"


def test_it_was_away_or_did_not_fit_when_the_bench_came_up(answering: str) -> None:
    assert containers.why_none(settings(socket=answering), HERE).startswith("Docker was away, or did not fit")


def test_one_on_another_machine_can_only_be_asked() -> None:
    assert containers.why_none(settings(socket="tcp://10.1.1.1:2375"), WITH_DOOR) == ""


def _no(_url: str) -> bool:
    return False


def settings(**docker: Any) -> Settings:
    return Settings(engines=Engines(docker=DockerEngine(**docker)))
