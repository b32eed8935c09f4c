from __future__ import annotations

from datetime import UTC, datetime

import pytest

from drybench.engines.docker_leavings import is_over, left_behind, moment

MADE_BY_DOCKER = ["/drybench", "/drybench/task", "/usr", "/usr/sbin", "/usr/sbin/docker-init", "/home", "/home/ada"]


def changed(*paths: str, kind: int = 1) -> list[dict[str, object]]:
    return [{"Path": path, "Kind": kind} for path in paths]


def test_what_docker_makes_is_nobodys_work() -> None:
    assert left_behind(changed(*MADE_BY_DOCKER), ["/home/ada", "/drybench/task"]) == []
    assert left_behind(None, []) == []


@pytest.mark.parametrize("path", ["/tmp/a", "/opt/venv/x/__pycache__/y.pyc", "/home/ada/.bashrc", "/etc/hosts"])
def test_what_passes_or_is_safe_anyway(path: str) -> None:
    assert left_behind(changed(path), ["/home/ada"]) == []


def test_a_file_is_found_and_its_folders_are_not_named() -> None:
    changes = changed("/var", "/var/tmp", "/var/tmp/result.csv", "/home/adam/x", *MADE_BY_DOCKER)
    assert left_behind(changes, ["/home/ada"]) == ["/home/adam/x", "/var/tmp/result.csv"]


def test_the_folder_to_work_in_is_made_by_docker() -> None:
    assert left_behind(changed("/srv", "/srv/work"), [], "/srv/work") == []
    assert left_behind(changed("/srv", "/srv/work", "/srv/work/a"), [], "/srv/work") == ["/srv/work/a"]


def test_what_was_removed_cannot_be_fetched() -> None:
    assert left_behind(changed("/opt/venv/gone", kind=2), []) == []


@pytest.mark.parametrize(
    ("text", "hour"),
    [("2026-11-21T15:46:14.123456789Z", 15), ("2026-11-21T16:46:14.1+01:00", 15), ("", None), ("soon", None)],
)
def test_moments_of_docker_and_podman(text: str, hour: int | None) -> None:
    found = moment(text)
    assert (found.hour if found else None) == hour


def test_how_long_it_is_kept() -> None:
    now = datetime(2026, 11, 21, 12, tzinfo=UTC)
    assert not is_over({"FinishedAt": "2026-11-21T11:00:00Z"}, 7200, now)
    assert is_over({"FinishedAt": "2026-11-21T11:00:00Z"}, 1800, now)
    assert is_over({}, 7200, now)
