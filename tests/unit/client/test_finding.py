from __future__ import annotations

from pathlib import Path

import pytest

from drybench.data_folder import DataFolder
from drybench_client.finding import default_data, find


def test_an_address_that_is_said_counts_first() -> None:
    environ = {"DRYBENCH_URL": "http://other", "DRYBENCH_TOKEN": "secret", "DRYBENCH_DATA": "/data"}
    place = find("https://bench.example/", environ=environ)
    assert (place.url, place.token, place.socket) == ("https://bench.example", "secret", None)
    assert not place.here


def test_a_data_directory_that_is_said_counts_before_the_environment_s_address() -> None:
    place = find(data="/data", environ={"DRYBENCH_URL": "http://other"})
    assert place.socket == Path("/data/portal.sock")
    assert place.url is None
    assert place.here


def test_in_a_session_address_and_token_are_there() -> None:
    environ = {"DRYBENCH_URL": "http://localhost:8000", "DRYBENCH_TOKEN": "secret", "DRYBENCH_TASK": "abc"}
    place = find(environ=environ)
    assert (place.url, place.token, place.here) == ("http://localhost:8000", "secret", True)


def test_in_a_session_another_bench_does_not_see_its_files() -> None:
    assert not find("https://bench.example", environ={"DRYBENCH_TASK": "abc"}).here


def test_an_address_in_the_environment_of_a_laptop() -> None:
    assert not find(environ={"DRYBENCH_URL": "https://bench.example"}).here


def test_with_nothing_said_it_is_the_person_s_own_bench() -> None:
    assert find(environ={"XDG_DATA_HOME": "/share"}).socket == Path("/share/drybench/portal.sock")


@pytest.mark.parametrize("names", [(), ("XDG_DATA_HOME",), ("DRYBENCH_DATA",), ("DRYBENCH_DATA", "XDG_DATA_HOME")])
def test_the_default_is_the_server_s(names: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("DRYBENCH_DATA", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name in names:
        monkeypatch.setenv(name, str(tmp_path / name))
    assert default_data() == DataFolder.default().path
    assert find().socket == DataFolder.default().socket
