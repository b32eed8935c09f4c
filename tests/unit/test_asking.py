"""Asking for runs and sessions where many wait, two ask at once, and the disk or the home will not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from drybench.catalogue import Catalogue
from drybench.data_folder import DataFolder
from drybench.errors import KeyUsedOtherwise, StillStopping
from drybench.folders import RunShelf
from drybench.model import Environment
from drybench.phases import Outcome, Phase
from drybench.runs.requests import RunRequest
from drybench.sessions import SessionRequest
from tests.unit.web.little_bench import LittleBench, little_bench, notebook


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[LittleBench]:
    made = little_bench(tmp_path)
    yield made
    made.ledger.close()


def test_a_page_of_those_who_wait_reads_the_line_once(bench: LittleBench, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = [bench.run() for _ in range(4)]
    reads: list[int] = []
    read = bench.ledger.open_tasks
    monkeypatch.setattr(bench.ledger, "open_tasks", lambda: reads.append(1) or read())
    assert [bench.portal.runs.ahead(run) for run in waiting] == [0, 1, 2, 3]
    assert len(reads) == 1


def test_the_line_is_read_again_when_it_has_changed(bench: LittleBench) -> None:
    first, second = bench.run(), bench.run()
    assert bench.portal.runs.ahead(second) == 1
    bench.move(first, Phase.STARTING)
    assert bench.portal.runs.ahead(second) == 0


def test_a_key_that_was_used_otherwise_leaves_no_folder(bench: LittleBench) -> None:
    bench.portal.sessions.ask(bench.person(), SessionRequest(), key="one")
    with pytest.raises(KeyUsedOtherwise):
        bench.portal.runs.submit(bench.person(), RunRequest(notebook("1")), key="one")
    assert list(bench.data.runs.iterdir()) == []


def test_a_session_that_two_start_at_once_is_given_to_both(bench: LittleBench, monkeypatch: pytest.MonkeyPatch) -> None:
    session = bench.session()
    bench.move(session, Phase.ENDED, Outcome.DONE)
    ended = bench.portal.sessions.get(bench.person(), session.id)
    add_attempt = bench.ledger.add_attempt

    def a_moment_too_late(*asked: object) -> object:
        add_attempt(ended, ended.task.spec.__class__(**{**vars(ended.task.spec), "id": "the-first-one"}))
        return add_attempt(*asked)  # type: ignore[arg-type]

    monkeypatch.setattr(bench.ledger, "add_attempt", a_moment_too_late)
    assert bench.portal.sessions.start(bench.person(), session.id).task.id == "the-first-one"


def test_no_shelf_hinders_a_run(bench: LittleBench) -> None:
    (bench.data.path / "shelves").write_text("in the way")
    run = bench.run()
    assert bench.ledger.run(run.id)


def test_a_name_of_many_bytes_has_its_place_on_the_shelf(bench: LittleBench) -> None:
    run = bench.run(name="\N{CJK UNIFIED IDEOGRAPH-20000}" * 60)
    assert len(list((bench.data.path / "shelves" / run.person_id).iterdir())) == 1


def test_no_home_hinders_a_session(tmp_path: Path) -> None:
    RunShelf(DataFolder(tmp_path), "drybench-runs").show_in(tmp_path / "not there", "ada")


@pytest.mark.parametrize("made", ["pipe", "deep"])
def test_a_kernel_that_is_no_kernel_is_passed_over(tmp_path: Path, made: str) -> None:
    spec = tmp_path / ".local/share/jupyter/kernels/odd/kernel.json"
    spec.parent.mkdir(parents=True)
    if made == "pipe":
        __import__("os").mkfifo(spec)
    else:
        spec.write_text("[" * 100_000)
    catalogue = Catalogue({}, (), tmp_path)
    environment = Environment("python", "Python", "", "local", (), tmp_path / "python")
    assert "odd" not in catalogue.kernels(environment)


def test_what_is_still_stopping_cannot_be_started_and_says_so(bench: LittleBench) -> None:
    session = bench.session()
    bench.move(session, Phase.RUNNING)
    bench.portal.sessions.stop(bench.person(), session.id)
    with pytest.raises(StillStopping, match="still stopping"):
        bench.portal.sessions.ask(bench.person(), SessionRequest(name=session.name))


def test_what_is_asked_for_again_is_for_the_app_that_was_asked_for(bench: LittleBench) -> None:
    session = bench.session()
    bench.move(session, Phase.ENDED, Outcome.STOPPED)
    again = bench.portal.sessions.ask(bench.person(), SessionRequest(app="terminal", name=session.name))
    assert (again.id, again.app) == (session.id, "terminal")
    bench.move(again, Phase.ENDED, Outcome.STOPPED)
    assert bench.portal.sessions.start(bench.person(), session.id).app == "terminal"  # as it was
