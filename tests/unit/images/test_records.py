"""The records of builds, which several processes write and read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from drybench.errors import NoSuchBuild
from drybench.images import records
from drybench.images.records import MOST_KEPT, Builds

NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture
def builds(tmp_path: Path) -> Builds:
    numbers: Iterator[int] = count()
    return Builds(tmp_path, lambda: NOW, lambda: f"{next(numbers):04}")


def test_what_is_written_is_read_by_others(builds: Builds, tmp_path: Path) -> None:
    writer = builds.begin("base", "drybench/base:1", fresh=True)
    writer.note(state="building", now="base", layers=("abc",))
    writer.note_step(2, 9, "RUN make")
    writer.say("a line")
    others = Builds(tmp_path, lambda: NOW, lambda: "other")
    assert others.find(writer.build.id) == writer.build
    assert (writer.build.step, writer.build.doing, writer.build.fresh) == (2, "RUN make", True)
    assert others.log(writer.build.id) == b"a line\n"
    assert others.log(writer.build.id, since=2, most=3) == b"lin"
    writer.end("failed", problem="it did not go")
    found = others.newest("base")
    assert found
    assert (found.state, found.problem, found.ended_at, found.is_over) == ("failed", "it did not go", NOW, True)
    assert others.newest("other") is None


def test_who_lets_go_without_an_end_has_lost_it(builds: Builds) -> None:
    writer = builds.begin("base", "drybench/base:1")
    assert builds.find(writer.build.id).state == "waiting"
    writer.let_go()
    assert builds.find(writer.build.id).state == "lost"


@pytest.mark.parametrize("id", ["nothing", "..", "0000/../0000", ""])
def test_there_is_no_such_build(builds: Builds, id: str) -> None:
    builds.begin("base", "drybench/base:1").end("done")
    with pytest.raises(NoSuchBuild):
        builds.find(id)


def test_broken_records_are_left_out(builds: Builds, tmp_path: Path) -> None:
    builds.begin("base", "drybench/base:1").end("done")
    for number, text in enumerate(("", "[]", '{"format": 2}', '{"format": 1, "id": "x"}')):
        folder = tmp_path / "builds" / f"9{number}"
        folder.mkdir()
        (folder / "build.json").write_text(text)
    assert [one.id for one in builds.all()] == ["0000"]


def test_old_ones_go(builds: Builds) -> None:
    for _ in range(MOST_KEPT + 5):
        builds.begin("base", "drybench/base:1").end("done")
    found = builds.all(1000)
    assert len(found) == MOST_KEPT
    assert found[0].id == f"{MOST_KEPT + 4:04}"


def test_a_log_has_an_end(builds: Builds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "LONGEST_LOG", 100)
    writer = builds.begin("base", "drybench/base:1")
    for _ in range(1000):
        writer.say("yes")
    said = builds.log(writer.build.id)
    assert len(said) < 200
    assert said.endswith(b"would be too long]\n")
    writer.end("done")
