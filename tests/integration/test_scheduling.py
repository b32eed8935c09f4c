"""Runs begin at their times: over a real ledger and real folders, with a clock that the test sets."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from drybench.engines.base import Capabilities
from drybench.errors import DiskFull, DrybenchError, FileNotReadAgain, NoSuchSchedule, ScheduleOver, TooManySchedules
from drybench.model import Run
from drybench.phases import Outcome, Phase
from drybench.runs.requests import RunRequest
from drybench.schedules.asking import ScheduleRequest
from drybench.schedules.times import Schedule
from tests.ledger import Clock
from tests.unit.web import little_bench as little
from tests.unit.web.little_bench import LittleBench, little_bench, notebook, without_environments
from tests.waiting import eventually


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(little, "now", clock)
    return clock


@pytest.fixture
def bench(tmp_path: Path, clock: Clock) -> Iterator[LittleBench]:
    made = little_bench(tmp_path)
    yield made
    made.ledger.close()


def ask(bench: LittleBench, cron: str | None = "0 * * * *", **more: object) -> Schedule:
    run = more.pop("run", None) or RunRequest(notebook("1 + 1", parameters="a = 1"), "hourly.ipynb", {"a": 2})
    assert isinstance(run, RunRequest)
    return bench.portal.schedules.ask(bench.person(), ScheduleRequest(run, cron, **more))  # type: ignore[arg-type]


def look(bench: LittleBench) -> float:
    return bench.told.scheduling.look()


def runs(bench: LittleBench) -> list[Run]:
    return list(bench.portal.runs.mine(bench.person()).rows)


def end(bench: LittleBench) -> None:
    for run in runs(bench):
        if run.task.phase is not Phase.ENDED:
            bench.move(run, Phase.ENDED, Outcome.DONE)


def again(bench: LittleBench, schedule: Schedule) -> Schedule:
    return bench.portal.schedules.get(bench.person(), schedule.id)


def test_a_run_begins_at_each_time_with_what_was_handed_in(bench: LittleBench, clock: Clock) -> None:
    made = ask(bench)
    assert made.next_at == datetime(2026, 1, 1, 13, tzinfo=UTC)
    look(bench)
    assert runs(bench) == []
    for hour in (13, 14):
        clock.pass_by(hours=1)
        look(bench)
        look(bench)
        [run, *_] = runs(bench)
        assert (run.name, run.parameters, run.schedule_id) == ("hourly", {"a": 2}, made.id)
        seen = again(bench, made)
        assert (seen.last_run, seen.last_at, seen.problem) == (run.id, clock(), "")
        assert seen.next_at == clock() + timedelta(hours=1)
        assert clock().hour == hour
        end(bench)
    assert len(runs(bench)) == 2


def test_a_portal_killed_between_asking_and_writing_down_asks_for_the_same_run(
    bench: LittleBench, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = ask(bench)
    clock.pass_by(hours=1, seconds=3)

    class Killed(BaseException): ...

    def killed(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("drybench.schedules.book.ScheduleBook.came", killed)
        with pytest.raises(Killed):
            look(bench)
    assert len(runs(bench)) == 1
    clock.pass_by(seconds=20)  # it takes a while to be back
    look(bench)
    [run] = runs(bench)
    assert again(bench, made).last_run == run.id


@pytest.mark.parametrize(("missed", "count"), [("once", 1), ("skip", 0)])
def test_times_missed_while_the_bench_was_down(bench: LittleBench, clock: Clock, missed: str, count: int) -> None:
    made = ask(bench, missed=missed)
    clock.pass_by(hours=7, minutes=30)
    look(bench)
    assert len(runs(bench)) == count
    assert again(bench, made).next_at == datetime(2026, 1, 1, 20, tzinfo=UTC)


def test_a_time_is_left_out_while_the_run_before_it_goes_on(bench: LittleBench, clock: Clock) -> None:
    made = ask(bench)
    clock.pass_by(hours=1)
    look(bench)
    clock.pass_by(hours=1)
    look(bench)
    assert len(runs(bench)) == 1
    assert "still going, so the time 2026-01-01 14:00 UTC was left out" in again(bench, made).problem
    end(bench)
    clock.pass_by(hours=1)
    look(bench)
    assert len(runs(bench)) == 2
    assert again(bench, made).problem == ""


def test_one_time_comes_once_and_is_over(bench: LittleBench, clock: Clock) -> None:
    made = ask(bench, cron=None, at="2026-01-01 13:00", zone="UTC")
    clock.pass_by(hours=1)
    look(bench)
    clock.pass_by(days=400)
    look(bench)
    assert len(runs(bench)) == 1
    assert again(bench, made).next_at is None
    with pytest.raises(ScheduleOver):
        bench.portal.schedules.resume(bench.person(), made.id)


def test_paused_it_does_not_come_and_resumed_it_makes_up_for_nothing(bench: LittleBench, clock: Clock) -> None:
    made, desk, ada = ask(bench), bench.portal.schedules, bench.person()
    desk.pause(ada, made.id)
    clock.pass_by(hours=5, minutes=30)
    look(bench)
    assert runs(bench) == []
    assert desk.resume(ada, made.id).next_at == datetime(2026, 1, 1, 18, tzinfo=UTC)
    look(bench)
    assert runs(bench) == []
    desk.run_now(ada, made.id)
    assert [run.schedule_id for run in runs(bench)] == [made.id]


@pytest.mark.parametrize("deed", ["pause", "remove"])
def test_who_is_paused_or_removed_while_others_begin_does_not_come(
    bench: LittleBench, clock: Clock, monkeypatch: pytest.MonkeyPatch, deed: str
) -> None:
    first, second = ask(bench), ask(bench)
    submit, told = bench.portal.runs.submit, list[str]()

    def submit_slowly(*asked: Any, **more: Any) -> Run:
        getattr(bench.portal.schedules, deed)(bench.person(), second.id)
        return submit(*asked, **more)

    monkeypatch.setattr(bench.portal.runs, "submit", submit_slowly)
    monkeypatch.setattr(bench.told.scheduling, "_tell_of_trouble", lambda schedule, why: told.append(schedule.id))
    clock.pass_by(hours=1)
    look(bench)
    assert ([run.schedule_id for run in runs(bench)], told) == ([first.id], [])


def test_removed_it_leaves_its_runs_and_nothing_of_what_was_handed_in(bench: LittleBench, clock: Clock) -> None:
    made = ask(bench)
    clock.pass_by(hours=1)
    look(bench)
    bench.portal.schedules.remove(bench.person(), made.id)
    clock.pass_by(hours=3)
    look(bench)
    assert len(runs(bench)) == 1
    assert list(bench.data.schedules.iterdir()) == []
    with pytest.raises(NoSuchSchedule):
        again(bench, made)


def test_what_is_refused_at_its_time_is_said_and_told_once_and_comes_again(
    bench: LittleBench, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(bench.told.notices, "enqueue_trouble", lambda schedule, now: told.append(schedule.id))
    made = ask(bench)
    library = without_environments(bench)
    for _ in range(3):
        clock.pass_by(hours=1)
        look(bench)
    seen = again(bench, made)
    assert "There is no environment “python” here." in seen.problem
    assert seen.next_at == datetime(2026, 1, 1, 16, tzinfo=UTC)
    assert told == [made.id]
    bench.portal.catalogue._library = library  # pyright: ignore[reportPrivateUsage] - put back
    bench.portal.catalogue.reread()
    clock.pass_by(hours=1)
    look(bench)
    assert (len(runs(bench)), again(bench, made).problem) == (1, "")


@pytest.mark.parametrize("error", [DiskFull(), OSError(28, "No space left on device"), RuntimeError("unforeseen")])
def test_what_passes_is_tried_again_in_a_minute_without_losing_the_time(
    bench: LittleBench, clock: Clock, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    made = ask(bench)
    clock.pass_by(hours=1)
    tried: list[object] = []

    def refuses(*_: object) -> Run:
        tried.append(1)
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(bench.portal.runs, "submit", refuses)
        for _ in range(5):
            assert 0 < look(bench) <= 15
            clock.pass_by(seconds=5)
    assert len(tried) == 1
    assert again(bench, made).problem
    clock.pass_by(seconds=60)
    look(bench)
    assert (len(runs(bench)), again(bench, made).problem) == (1, "")
    assert again(bench, made).last_at == datetime(2026, 1, 1, 13, tzinfo=UTC)


def test_nothing_begins_for_who_is_gone(bench: LittleBench, clock: Clock) -> None:
    ask(bench)
    bench.ledger.person_gone("ada")
    clock.pass_by(hours=1)
    assert look(bench) == 15
    clock.pass_by(minutes=2)
    assert runs(bench) == []  # of whoever has that name now


def test_a_file_is_read_as_it_is_then(bench: LittleBench, clock: Clock, tmp_path: Path, one_account: None) -> None:
    file = tmp_path / "mine" / "drift.ipynb"
    file.parent.mkdir()
    file.write_bytes(notebook("first()"))
    made = ask(bench, run=RunRequest(file.read_bytes(), file.name, folder=file.parent), read_again=True)
    assert bench.portal.schedules.file(made) == file
    file.write_bytes(notebook("second()"))
    clock.pass_by(hours=1)
    look(bench)
    assert b"second()" in bench.portal.run_folders.given_notebook(runs(bench)[0].id)
    end(bench)
    file.unlink()
    clock.pass_by(hours=1)
    look(bench)
    assert len(runs(bench)) == 1
    assert f"The notebook {file} cannot be read each time anew: No such file" in again(bench, made).problem


@pytest.fixture
def one_account(bench: LittleBench, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = bench.portal.runs._desk.engines["local"]
    monkeypatch.setattr(engine, "can", Capabilities(addresses=True, one_account=True))


def test_no_file_is_read_again_that_is_none_or_not_of_this_account(
    bench: LittleBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.ipynb").write_bytes(notebook("1"))
    here = RunRequest(notebook("1"), "a.ipynb", folder=tmp_path)
    monkeypatch.setattr(bench.portal.runs._desk.engines["local"], "can", Capabilities(addresses=True))
    with pytest.raises(FileNotReadAgain, match="not of this account"):
        ask(bench, run=here, read_again=True)
    with pytest.raises(FileNotReadAgain, match="did not come from this machine"):
        ask(bench, run=RunRequest(notebook("1")), read_again=True)
    assert list(bench.data.schedules.iterdir()) == []


@pytest.mark.usefixtures("one_account")
def test_a_pipe_or_a_folder_keeps_nobody_waiting(bench: LittleBench, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.ipynb")
    (tmp_path / "b.ipynb").mkdir()
    (tmp_path / "c.ipynb").symlink_to(bench.data.secrets / "vault_key")
    for name in ("a.ipynb", "b.ipynb", "c.ipynb", "none.ipynb"):
        with pytest.raises(FileNotReadAgain):
            ask(bench, run=RunRequest(notebook("1"), name, folder=tmp_path), read_again=True)


@pytest.mark.parametrize("name", ["round.ipynb", "no\0name.ipynb", "x" * 300])
def test_a_file_that_can_be_none_is_refused_in_words(bench: LittleBench, tmp_path: Path, name: str) -> None:
    (tmp_path / "round.ipynb").symlink_to(tmp_path / "round.ipynb")
    with pytest.raises(DrybenchError, match=r"\w"):
        ask(bench, run=RunRequest(notebook("1"), name, folder=tmp_path), read_again=True)


def test_what_was_handed_in_and_changed_since_is_not_run(bench: LittleBench, clock: Clock) -> None:
    made = ask(bench)
    kept = bench.data.schedules / made.id / "given" / "notebook.ipynb"
    kept.chmod(0o600)
    kept.write_bytes(notebook("evil()"))
    clock.pass_by(hours=1)
    look(bench)
    assert runs(bench) == []
    assert "it is not what was handed in" in again(bench, made).problem


def test_all_is_checked_before_anything_is_kept(bench: LittleBench) -> None:
    wrong = [
        RunRequest(b"no notebook"),
        RunRequest(notebook("1"), parameters={"a": 1}),
        RunRequest(notebook("1"), environment="none"),
        RunRequest(notebook("1"), size="huge"),
        RunRequest(notebook("1"), cwd=Path("/none")),
    ]
    for run in wrong:
        with pytest.raises(DrybenchError):
            ask(bench, run=run)
    assert list(bench.data.schedules.iterdir()) == []
    assert bench.portal.schedules.mine(bench.person()) == []


def test_one_person_has_so_many_and_sees_no_others(bench: LittleBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drybench.schedules.book.MOST", 1)
    made = ask(bench)
    with pytest.raises(TooManySchedules):
        ask(bench)
    assert [one.name for one in bench.data.schedules.iterdir()] == [made.id]
    bob, desk = bench.person("bob"), bench.portal.schedules
    assert desk.mine(bob) == []
    for deed in (desk.get, desk.pause, desk.resume, desk.run_now, desk.remove):
        with pytest.raises(NoSuchSchedule):
            deed(bob, made.id)


async def test_the_loop_wakes_for_a_new_schedule(bench: LittleBench, clock: Clock) -> None:
    loop = asyncio.create_task(bench.told.scheduling.run())
    await eventually(lambda: bench.told.scheduling._bell.is_heard)
    made = await asyncio.to_thread(ask, bench)
    clock.pass_by(hours=1)
    bench.told.scheduling.wake()
    await eventually(lambda: again(bench, made).last_run)
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)
