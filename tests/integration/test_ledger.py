"""The ledger keeps its laws and its lists, over SQLite and over PostgreSQL."""

from __future__ import annotations

import math
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from drybench import tables
from drybench.database import connect, sqlite_url
from drybench.errors import HasEnded, JustDeleted, KeyUsedOtherwise, NameInUse, NotFound, OnlyForward, StillOpen
from drybench.ids import uuid7
from drybench.ledger import Ledger, Part
from drybench.ledger_rows import columns_of, columns_of_task
from drybench.model import Deed, Person, Run, TaskRow
from drybench.phases import Outcome, Phase, Reason, Standing, Wanted
from tests.ledger import Clock, a_run, a_session, a_task, fresh_ledger

ENDED = {"phase": Phase.ENDED, "outcome": Outcome.DONE}


@pytest.fixture
def run(ledger: Ledger, ada: Person, clock: Clock) -> Run:
    return added(ledger, a_run(ada, clock()))


def added(ledger: Ledger, run: Run, key: str | None = None) -> Run:
    return ledger.add_run(run, run.task.spec, key)


def all_parts(part_after: Any) -> list[Any]:
    part: Part[Any] = part_after(None)
    rows = list(part.rows)
    while part.next is not None:
        part = part_after(part.next)
        rows += part.rows
    return rows


class TestPeople:
    def test_one_name_is_one_person_with_the_newest_groups(self, ledger: Ledger, ada: Person) -> None:
        again = ledger.person_seen(ada.name, frozenset({"lab", "gpu"}))
        assert again.id == ada.id
        assert again.groups == {"lab", "gpu"}
        assert again in ledger.people()

    def test_a_name_made_again_is_somebody_new(self, ledger: Ledger, ada: Person, run: Run, clock: Clock) -> None:
        ledger.person_gone(ada.name)
        assert ada.id not in {person.id for person in ledger.people()}
        with pytest.raises(JustDeleted):
            ledger.person_seen(ada.name)
        clock.pass_by(minutes=2)
        new = ledger.person_seen(ada.name)
        assert new.id != ada.id
        assert not ledger.runs(new.id).rows
        assert ledger.run(run.id) == run

    def test_a_person_is_made_once_by_many_at_once(self, ledger: Ledger) -> None:
        name = f"many-{uuid7()}"
        with ThreadPoolExecutor(8) as threads:
            seen = list(threads.map(ledger.person_seen, [name] * 24))
        assert len({person.id for person in seen}) == 1


class TestSessions:
    def test_what_was_added_is_found_again(self, ledger: Ledger, ada: Person, clock: Clock) -> None:
        asked = a_session(ada, clock())
        session = ledger.add_session(asked, asked.task.spec)
        assert session == asked
        assert ledger.session(session.id) == ledger.session_named(ada.id, "python") == session
        assert ledger.sessions(ada.id) == [session]
        assert session in ledger.sessions()

    def test_a_name_is_used_once_until_its_session_is_removed(self, ledger: Ledger, ada: Person, clock: Clock) -> None:
        first, second = a_session(ada, clock()), a_session(ada, clock())
        ledger.add_session(first, first.task.spec)
        with pytest.raises(NameInUse):
            ledger.add_session(second, second.task.spec)
        with pytest.raises(StillOpen):
            ledger.remove_session(first.id)
        ledger.write_task(first.task.id, ENDED)
        ledger.remove_session(first.id)
        assert ledger.session(first.id) is None
        assert ledger.session_named(ada.id, "python") is None
        assert ledger.add_session(second, second.task.spec) == second
        assert ledger.sessions(ada.id) == [second]

    def test_started_again_it_has_a_new_task(self, ledger: Ledger, ada: Person, clock: Clock) -> None:
        asked = a_session(ada, clock())
        session = ledger.add_session(asked, asked.task.spec)
        task = a_task(ada, "session", memory=1 << 40)
        with pytest.raises(StillOpen):
            ledger.add_attempt(session, task)
        ledger.write_task(session.task.id, ENDED)
        row = ledger.add_attempt(session, task)
        assert (row.attempt, row.phase, row.engine, row.memory) == (2, Phase.WAITING, "local", 1 << 40)
        again = ledger.session(session.id)
        assert again is not None
        assert again.task == row == ledger.task(task.id)
        with pytest.raises(StillOpen):
            ledger.add_attempt(session, a_task(ada, "session"))


class TestRuns:
    def test_what_was_added_is_found_again(self, ledger: Ledger, ada: Person, run: Run) -> None:
        assert run.task.spec.workdir == Path("/data")
        assert ledger.run(run.id) == run
        assert ledger.runs(ada.id) == Part([run], None)
        assert ledger.run("no-such-run") is None

    def test_any_parameter_comes_back(self, ledger: Ledger, ada: Person, clock: Clock) -> None:
        strange = {"a": [None, True, {"b": -1.5}], "nul": "\0", "half": "\ud800", "nan": math.nan}
        asked = a_run(ada, clock(), parameters=strange)
        kept = dict(added(ledger, asked).parameters)
        assert math.isnan(kept.pop("nan"))
        assert kept == {name: value for name, value in strange.items() if name != "nan"}

    def test_progress_is_noted_and_starts_anew_with_an_attempt(self, ledger: Ledger, ada: Person, run: Run) -> None:
        ledger.note_progress(run.id, 3, 7, failed_cell=3)
        seen = ledger.run(run.id)
        assert seen is not None
        assert (seen.cell, seen.cells, seen.failed_cell) == (3, 7, 3)
        ledger.write_task(run.task.id, ENDED)
        ledger.add_attempt(run, a_task(ada))
        seen = ledger.run(run.id)
        assert seen is not None
        assert (seen.attempt, seen.cell, seen.cells, seen.failed_cell) == (2, 0, 0, None)

    def test_lists_page_to_the_end_newest_first(self, ledger: Ledger, ada: Person, clock: Clock) -> None:
        made = [added(ledger, a_run(ada, clock(), f"run {n}")) for n in range(7)]
        for limit in (1, 3, 7, 50):
            assert all_parts(lambda cursor, most=limit: ledger.runs(ada.id, cursor, most)) == made[::-1]

    def test_what_comes_meanwhile_moves_nothing(self, ledger: Ledger, ada: Person, clock: Clock) -> None:
        made = [added(ledger, a_run(ada, clock())) for _ in range(4)]
        part = ledger.runs(ada.id, limit=2)
        added(ledger, a_run(ada, clock()))
        assert ledger.runs(ada.id, part.next, limit=2) == Part(made[1::-1], None)

    @pytest.mark.parametrize(("search", "found"), [("CELLS", 1), ("100%", 1), ("%", 1), ("_", 0), ("\0", 2)])
    def test_a_search_means_what_it_says(
        self, ledger: Ledger, ada: Person, clock: Clock, search: str, found: int
    ) -> None:
        added(ledger, a_run(ada, clock(), "count cells"))
        added(ledger, a_run(ada, clock(), "100% of it"))
        assert len(ledger.runs(ada.id, search=search).rows) == found

    def test_they_are_found_by_how_far_they_are(self, ledger: Ledger, ada: Person, clock: Clock) -> None:
        steps: dict[Standing, list[dict[str, Any]]] = {
            Standing.WAITING: [{}],
            Standing.RUNNING: [{"phase": Phase.STARTING}, {"phase": Phase.RUNNING}],
            **{Standing(one): [{"phase": Phase.ENDED, "outcome": one}] for one in Outcome},
        }
        made = {standing: [added(ledger, a_run(ada, clock())) for _ in all] for standing, all in steps.items()}
        for standing, all in steps.items():
            for run, changes in zip(made[standing], all, strict=True):
                ledger.write_task(run.task.id, changes)
        for standing in Standing:
            found = ledger.runs(ada.id, standing=standing).rows
            assert [run.id for run in found] == [run.id for run in made[standing][::-1]]

    def test_only_the_newest_attempt_says_how_far_a_run_is(self, ledger: Ledger, ada: Person, run: Run) -> None:
        ledger.write_task(run.task.id, {**ENDED, "outcome": Outcome.FAILED})
        ledger.add_attempt(run, a_task(ada))
        assert ledger.runs(ada.id, standing=Standing.FAILED).rows == []
        assert len(ledger.runs(ada.id, standing=Standing.WAITING).rows) == 1

    def test_an_id_no_database_can_hold_is_nobodys(self, ledger: Ledger) -> None:
        for id in ("\0", "\ud800", "x" * 10_000):
            assert ledger.run(id) is None
            assert ledger.session(id) is None
            assert ledger.runs(id, cursor=id) == Part([], None)


class TestIdempotency:
    def test_the_same_key_gives_the_first_one_back(self, ledger: Ledger, ada: Person, clock: Clock) -> None:
        first = added(ledger, a_run(ada, clock()), "key")
        assert added(ledger, a_run(ada, clock()), "key") == first
        assert ledger.runs(ada.id).rows == [first]

    def test_a_key_is_one_persons(self, ledger: Ledger, ada: Person, clock: Clock) -> None:
        bob = ledger.person_seen(f"bob-{uuid7()}")
        assert added(ledger, a_run(ada, clock()), "key").id != added(ledger, a_run(bob, clock()), "key").id

    def test_a_key_is_for_one_kind_of_request(self, ledger: Ledger, ada: Person, clock: Clock) -> None:
        added(ledger, a_run(ada, clock()), "key")
        session = a_session(ada, clock())
        with pytest.raises(KeyUsedOtherwise):
            ledger.add_session(session, session.task.spec, "key")

    def test_from_many_threads_at_once_there_is_one(self, ledger: Ledger, ada: Person, clock: Clock) -> None:
        asked = [a_run(ada, clock()) for _ in range(16)]
        with ThreadPoolExecutor(8) as threads:
            given_back = list(threads.map(lambda run: added(ledger, run, "key"), asked))
        assert len({run.id for run in given_back}) == 1
        assert len(ledger.runs(ada.id).rows) == 1
        assert sum(task.person_id == ada.id for task in ledger.open_tasks()) == 1

    def test_a_refused_request_leaves_nothing(self, ledger: Ledger, ada: Person, clock: Clock) -> None:
        first, second = a_session(ada, clock()), a_session(ada, clock())
        ledger.add_session(first, first.task.spec)
        with pytest.raises(NameInUse):
            ledger.add_session(second, second.task.spec, "key")
        assert ledger.task(second.task.id) is None
        third = a_session(ada, clock(), "other")
        assert ledger.add_session(third, third.task.spec, "key") == third


class TestTasks:
    def test_it_keeps_when_it_started_and_ended(self, ledger: Ledger, run: Run, clock: Clock) -> None:
        clock.pass_by(minutes=1)
        began = ledger.write_task(run.task.id, {"phase": Phase.RUNNING, "handle": {"format": 1, "pid": 7}})
        clock.pass_by(minutes=1)
        later = ledger.write_task(run.task.id, {"phase": Phase.RUNNING, "detail": "cell 2 of 3"})
        ended = ledger.write_task(run.task.id, ENDED)
        assert began.started_at == later.started_at == clock() - timedelta(minutes=1)
        assert (began.ended_at, ended.ended_at) == (None, clock())
        assert ended.handle == {"format": 1, "pid": 7}
        assert ended == ledger.task(run.task.id)

    def test_every_column_comes_back(self, ledger: Ledger, run: Run, clock: Clock) -> None:
        changes: dict[str, Any] = {
            "phase": Phase.RUNNING,
            "reason": Reason.START_FAILED,
            "gpus": ("gpu-0", "gpu-1"),
            "spec": run.task.spec,
            "address": "http://127.0.0.1:1234",
            "answers": True,
            "silent_since": clock(),
            "exit_code": -9,
            "memory_used": 1 << 40,
            "cpu_used": 0.5,
            "machine": "here",
            "detail": "pulling",
        }
        row = ledger.write_task(run.task.id, changes)
        assert {name: getattr(row, name) for name in changes} == changes

    def test_words_of_a_task_cannot_break_a_row(self, ledger: Ledger, run: Run) -> None:
        row = ledger.write_task(run.task.id, {"detail": "a\0b\ud800" + "x" * 10_000})
        assert row.detail.startswith("ab\\ud800xxx")
        assert len(row.detail) < 2100

    def test_a_stop_is_wanted_once_and_for_good(self, ledger: Ledger, run: Run) -> None:
        assert ledger.want_stop(run.task.id, by="ada").stopped_by == "ada"
        assert ledger.want_stop(run.task.id, by="bob").stopped_by == "ada"
        with pytest.raises(OnlyForward):
            ledger.write_task(run.task.id, {"wanted": Wanted.RUN})

    def test_a_stop_after_the_end_changes_nothing(self, ledger: Ledger, run: Run) -> None:
        ended = ledger.write_task(run.task.id, ENDED)
        assert ledger.want_stop(run.task.id, by="ada") == ended

    def test_what_is_not_there_cannot_be_written(self, ledger: Ledger, run: Run) -> None:
        for write in (lambda: ledger.write_task("none", {}), lambda: ledger.want_stop("none", "ada")):
            with pytest.raises(NotFound):
                write()
        with pytest.raises(ValueError, match="subject"):
            ledger.write_task(run.task.id, {"subject": "another"})

    def test_open_until_ended_and_then_until_forgotten(self, ledger: Ledger, ada: Person, clock: Clock) -> None:
        runs = [added(ledger, a_run(ada, clock())) for _ in range(3)]
        mine = [run.task.id for run in runs]
        assert [task.id for task in ledger.open_tasks() if task.id in mine] == mine
        ended = ledger.write_task(mine[1], ENDED)
        ledger.forgotten(mine[0])  # it has not ended: nothing to forget yet
        assert [task.id for task in ledger.open_tasks() if task.id in mine] == [mine[0], mine[2]]
        assert [task for task in ledger.ended_not_forgotten() if task.id in mine] == [ended]
        ledger.forgotten(ended.id)
        assert not [task for task in ledger.ended_not_forgotten() if task.id in mine]

    def test_of_many_who_end_it_at_once_one_does(self, ledger: Ledger, run: Run) -> None:
        def end(outcome: Outcome) -> TaskRow | None:
            try:
                return ledger.write_task(run.task.id, {"phase": Phase.ENDED, "outcome": outcome})
            except HasEnded:
                return None

        with ThreadPoolExecutor(8) as threads:
            wrote = [row for row in threads.map(end, list(Outcome) * 4) if row]
        assert wrote == [ledger.task(run.task.id)]


writes = some.one_of(
    some.fixed_dictionaries(
        {},
        optional={
            "phase": some.sampled_from([Phase.WAITING, Phase.STARTING, Phase.RUNNING]),
            "wanted": some.sampled_from(Wanted),
            "detail": some.text(max_size=20),
            "handle": some.just({"format": 1}),
        },
    ),
    some.builds(lambda outcome: {"phase": Phase.ENDED, "outcome": outcome}, some.sampled_from(Outcome)),
    some.just("stop"),
)


def carried_out(ledger: Ledger, id: str, write: dict[str, Any] | str) -> bool:
    try:
        if write == "stop":
            ledger.want_stop(id, "somebody")
        else:
            assert isinstance(write, dict)
            ledger.write_task(id, write)
    except (HasEnded, OnlyForward):
        return False
    return True


@settings(max_examples=60, deadline=None)
@given(some.lists(writes, max_size=12))
def test_no_order_of_writes_breaks_a_law(ledger: Ledger, wanted: list[dict[str, Any] | str]) -> None:
    ada = ledger.person_seen("ada")
    before = added(ledger, a_run(ada, ada_time := Clock()())).task
    for write in wanted:
        done = carried_out(ledger, before.id, write)
        after = ledger.task(before.id)
        assert after is not None
        assert after.created_at == ada_time
        assert after.phase >= before.phase
        assert after.wanted is Wanted.STOP or before.wanted is Wanted.RUN
        assert (after.outcome is None) == (after.phase is not Phase.ENDED) == (after.ended_at is None)
        if before.phase is Phase.ENDED:
            assert after == before
        if not done:
            assert after == before
        before = after


def test_deeds_page_newest_first(ledger: Ledger, ada: Person, clock: Clock) -> None:
    done = [Deed(uuid7(), clock(), ada.id, ada.name, "browser", "stopped", "run", uuid7()) for _ in range(5)]
    for deed in done:
        ledger.write_deed(deed)
    assert all_parts(lambda cursor: ledger.deeds(ada.id, cursor, 2)) == done[::-1]
    ledger.write_deed(bench := Deed(uuid7(), clock(), None, "", "bench itself", "ended", "task", uuid7(), "x" * 10))
    assert ledger.deeds(limit=1).rows == [bench]


def test_ten_thousand_runs_are_no_burden(tmp_path: Path, clock: Clock) -> None:
    with fresh_ledger(url := sqlite_url(tmp_path / "portal.sqlite"), tmp_path, clock) as ledger:
        ada = ledger.person_seen("ada")
        fill(url, [a_run(ada, clock()) for _ in range(10_000)])
        waiting = added(ledger, a_run(ada, clock()))
        began = time.process_time()
        for _ in range(10):
            first = ledger.runs(ada.id)
            assert len(ledger.runs(ada.id, first.next).rows) == 50
            assert ledger.open_tasks() == [waiting.task]
        found = {standing: len(ledger.runs(ada.id, standing=standing).rows) for standing in Standing}
        assert {standing: rows for standing, rows in found.items() if rows} == {"waiting": 1, "done": 50}
        assert time.process_time() - began < 1  # 0.1 s of a core; without the indexes many times that


def fill(url: str, made: list[Run]) -> None:
    """Ended and forgotten runs, quicker than one by one."""
    engine = connect(url)
    ended = {"phase": Phase.ENDED, "outcome": Outcome.DONE, "forgotten_at": made[0].created_at}
    of_runs = [columns_of(run, tables.runs) for run in made]
    with engine.execution_options(writing=True).begin() as connection:
        connection.execute(tables.runs.insert(), of_runs)
        connection.execute(tables.tasks.insert(), [{**columns_of_task(run.task), **ended} for run in made])
    engine.dispose()
