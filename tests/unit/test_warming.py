"""What stands ready, and for whom; and that it never stands in anybody's way."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from drybench.allocating import Grant, Space, choose, left
from drybench.model import READY, RUN, SESSION, Account, Mount, Task, TaskKind, TaskRow
from drybench.phases import Outcome, Phase, Wanted
from drybench.planning import RUNS_INSIDE
from drybench.warming import COMMAND, Kind, Limits, Shelf, keep, kind_of, make_way

NOW = datetime(2026, 11, 1, tzinfo=UTC)
GIB = 1 << 30
LAPTOP = Space(cores=2, memory=4 * GIB)
PYTHON, OTHER = Path("/environments/python"), Path("/environments/other")
IMAGE = "sha256:0b1e"
HOME = Mount(Path("/homes/ada"), Path("/home/ada"))
SHELF = Shelf(frozenset({(1, GIB), (1, 2 * GIB), (2, 3 * GIB)}), {PYTHON: (), OTHER: ("numpy",), IMAGE: ()})
TWO = Limits(most=2, minutes=10)


def in_a_container(image: str, id: str, kind: TaskKind = RUN) -> dict[str, Any]:
    given = Mount(Path(f"/data/runs/{id}/given"), RUNS_INSIDE / id / "given", read_only=True)
    mounts = (HOME, given) if kind == RUN else (HOME,)
    return {"image": image, "account": Account(20001, 20001), "home": HOME.target, "mounts": mounts}


def row(
    id: str,
    kind: TaskKind = RUN,
    phase: Phase = Phase.ENDED,
    person: str = "ada",
    minutes_ago: float = 1,
    made_from: Path | str = PYTHON,
    cores: float = 1,
    memory: int = GIB,
    lasted: float = 1,
    **more: object,
) -> TaskRow:
    command = (*COMMAND, *SHELF.modules.get(made_from, ())) if kind == READY else ()
    which: dict[str, Any] = (
        {"python": made_from} if isinstance(made_from, Path) else in_a_container(made_from, id, kind)
    )
    task = replace(Task(id, person, kind, command, cores=cores, memory=memory), **which | more)
    ended = NOW - timedelta(minutes=minutes_ago) if phase is Phase.ENDED else None
    started = (ended or NOW) - timedelta(seconds=lasted) if phase is not Phase.WAITING else None
    return TaskRow(
        id=id,
        person_id=person,
        person=person,
        kind=kind,
        subject=id,
        attempt=1,
        engine="local",
        spec=task,
        phase=phase,
        wanted=Wanted.RUN,
        created_at=NOW,
        cores=cores,
        memory=memory,
        outcome=Outcome.DONE if ended else None,
        started_at=started,
        ended_at=ended,
    )


def kind(person: str = "ada", python: Path = PYTHON, memory: int = GIB) -> Kind:
    return Kind(person, person, "local", 1, memory, (*COMMAND, *SHELF.modules[python]), python)


def planned(used: list[TaskRow], open_tasks: list[TaskRow], limits: Limits = TWO) -> tuple[list[Kind], list[str]]:
    plan = keep(used, open_tasks, LAPTOP, SHELF, limits, NOW)
    return list(plan.start), [task.id for task in plan.stop]


def test_the_kind_that_was_just_run_is_kept_ready() -> None:
    assert planned([row("1")], []) == ([kind()], [])


def test_what_stands_ready_already_is_left_alone() -> None:
    for phase in (Phase.STARTING, Phase.RUNNING):
        assert planned([row("1")], [row("r", READY, phase)]) == ([], [])


def test_none_is_left_when_some_time_has_gone_by() -> None:
    assert planned([row("1", minutes_ago=11)], [row("r", READY, Phase.RUNNING)]) == ([], ["r"])


def test_a_run_that_goes_on_is_of_late() -> None:
    assert planned([row("1", phase=Phase.RUNNING, lasted=86400)], []) == ([kind()], [])


def test_as_many_as_ran_at_once_but_no_more_than_the_keeper_allows() -> None:
    at_once = [row(str(number), lasted=30) for number in range(3)]
    assert planned(at_once, []) == ([kind()] * 2, [])
    assert planned(at_once, [], Limits(1, 10)) == ([kind()], [])
    assert planned(at_once, [row("r", READY, Phase.RUNNING)], Limits(0, 10)) == ([], ["r"])


def test_of_each_kind_one_before_a_second_of_any() -> None:
    used = [row("1", made_from=OTHER), row("2", lasted=30), row("3", lasted=30)]
    assert planned(used, [])[0] == [kind(), kind(python=OTHER)]


def test_people_environments_and_sizes_each_have_their_own() -> None:
    ready = row("r", READY, Phase.RUNNING)
    for other in (row("1", person="bob"), row("1", made_from=OTHER), row("1", memory=2 * GIB)):
        start, stop = planned([other], [ready], Limits(1, 10))
        assert (start, stop) == ([SHELF.kind(other)], ["r"])


def test_what_needs_something_of_its_own_has_nothing_ready() -> None:
    for of_its_own in ({"gpu_count": 1}, {"env": {"A": "1"}}, {"hashes": {"requirements.txt": "00"}}):
        assert planned([row("1", **of_its_own)], []) == ([], [])  # type: ignore[arg-type]


def test_an_environment_or_size_that_is_no_more_has_nothing_ready() -> None:
    ready = row("r", READY, Phase.RUNNING, made_from=Path("/environments/older"))
    assert planned([row("1", made_from=Path("/environments/older"))], [ready]) == ([], ["r"])
    assert planned([row("1", memory=GIB + 1)], []) == ([], [])


def test_in_a_container_its_account_home_and_folders_are_the_kinds_and_the_runs_own_folder_is_not() -> None:
    first, second, ready = row("1", made_from=IMAGE), row("2", made_from=IMAGE), row("r", READY, made_from=IMAGE)
    assert SHELF.kind(first) == SHELF.kind(second) == kind_of(ready)
    started, _ = planned([first], [])
    assert [(kind.image, kind.mounts, kind.home) for kind in started] == [(IMAGE, (HOME,), HOME.target)]
    shared = Mount(Path("/groups/plants"), Path("/groups/plants"))
    for more in (
        {"account": Account(20002, 20002)},
        {"account": Account(20001, 20001, (30_001,))},
        {"home": Path("/home/bob")},
        {"mounts": (*first.spec.mounts, shared)},
        {"entrypoint": True},
    ):
        other = replace(second, spec=replace(second.spec, **more))  # type: ignore[arg-type]
        assert SHELF.kind(other) not in (None, kind_of(ready))


def test_an_image_that_is_here_no_more_has_nothing_ready() -> None:
    ready = row("r", READY, Phase.RUNNING, made_from="sha256:older")
    assert planned([row("1", made_from="sha256:older")], [ready]) == ([], ["r"])


def test_none_is_started_while_somebody_waits() -> None:
    assert planned([row("1")], [row("2", phase=Phase.WAITING)]) == ([], [])


def test_none_is_started_where_a_run_would_miss_the_core() -> None:
    assert planned([row("1")], [row("2", phase=Phase.RUNNING, cores=2, memory=GIB)]) == ([], [])
    assert planned([row("1")], [row("2", SESSION, Phase.RUNNING, cores=2, memory=GIB)]) == ([kind()], [])


def test_a_run_claims_what_stands_ready_for_it() -> None:
    ready = row("r", READY, Phase.RUNNING)
    grant = Grant(row("1", phase=Phase.WAITING))
    assert make_way([grant], [], [ready], LAPTOP, SHELF).go == [(grant, ready)]


def test_what_still_starts_or_is_stopped_is_not_claimed() -> None:
    grant = Grant(row("1", phase=Phase.WAITING))
    stopped = replace(row("r", READY, Phase.RUNNING), wanted=Wanted.STOP)
    for ready in (row("r", READY, Phase.STARTING), stopped, row("r", READY, Phase.RUNNING, person="bob")):
        assert make_way([grant], [], [ready], LAPTOP, SHELF).go == [(grant, None)]


def test_what_is_in_the_way_is_stopped_and_waited_for() -> None:
    ready = [row(id, READY, Phase.RUNNING, person="bob") for id in "rs"]
    large, small = (Grant(row(id, phase=Phase.WAITING, memory=memory)) for id, memory in (("1", 3 * GIB), ("2", GIB)))
    way = make_way([large, small], [], ready, LAPTOP, SHELF)
    assert (list(way.go), [task.id for task in way.stop]) == ([], ["r"])
    leaving = [replace(ready[0], wanted=Wanted.STOP), ready[1]]
    again = make_way([large, small], [], leaving, LAPTOP, SHELF)
    assert (list(again.go), list(again.stop)) == ([], [])
    assert [grant for grant, _ in make_way([large, small], [], [], LAPTOP, SHELF).go] == [large, small]


people = st.sampled_from(["ada", "bob"])
memories = st.sampled_from([GIB, 2 * GIB])
which = st.sampled_from([PYTHON, OTHER, IMAGE])


@st.composite
def rows(draw: st.DrawFn, prefix: str, kinds: list[TaskKind], phases: list[Phase], most: int = 6) -> list[TaskRow]:
    made: list[TaskRow] = []
    for number in range(draw(st.integers(0, most))):
        kind = draw(st.sampled_from(kinds))
        phase = draw(st.sampled_from(phases))
        task = row(f"{prefix}{number}", kind, phase, draw(people), draw(st.floats(0, 20)), draw(which))
        memory = draw(memories)
        task = replace(task, memory=memory, spec=replace(task.spec, memory=memory))
        made.append(replace(task, wanted=draw(st.sampled_from(Wanted))))
    return made


RUNS = rows("run", [RUN, SESSION], [Phase.STARTING, Phase.RUNNING])
WAITING = rows("waits", [RUN, SESSION], [Phase.WAITING])
STANDING = rows("ready", [READY], [Phase.STARTING, Phase.RUNNING], most=3)
USED = rows("used", [RUN], [Phase.ENDED, Phase.RUNNING])


@given(RUNS, WAITING, STANDING)
def test_who_gets_room_does_not_depend_on_what_stands_ready(
    held: list[TaskRow], waiting: list[TaskRow], ready: list[TaskRow]
) -> None:
    """It takes a moment longer at most: all that is in the way is stopped, and then they start in the same order."""
    grants = choose(waiting, held, LAPTOP)
    started: list[str] = []
    for _ in range(len(ready) + len(grants) + 1):
        way = make_way([grant for grant in grants if grant.task.id not in started], held, ready, LAPTOP, SHELF)
        claimed = [task.id for _, task in way.go if task]
        assert len(claimed) == len(set(claimed))
        started += [grant.task.id for grant, _ in way.go]
        held = [*held, *(grant.task for grant, _ in way.go)]
        stopped = {task.id for task in way.stop} | {task.id for task in ready if task.wanted is Wanted.STOP}
        ready = [task for task in ready if task.id not in stopped | set(claimed)]
    assert started == [grant.task.id for grant in grants]


@given(RUNS, WAITING, STANDING)
def test_nothing_starts_in_memory_that_something_ready_still_holds(
    held: list[TaskRow], waiting: list[TaskRow], ready: list[TaskRow]
) -> None:
    way = make_way(choose(waiting, held, LAPTOP), held, ready, LAPTOP, SHELF)
    claimed = [task.id for _, task in way.go if task]
    stays = [task for task in ready if task.id not in claimed]
    if way.go:
        assert left(LAPTOP, [*held, *(grant.task for grant, _ in way.go), *stays]).memory >= 0
    assert all(kind_of(task) == SHELF.kind(grant.task) for grant, task in way.go if task)


@given(USED, RUNS, WAITING, STANDING, st.integers(0, 3))
def test_what_is_kept_is_within_its_bounds(
    used: list[TaskRow], running: list[TaskRow], waiting: list[TaskRow], ready: list[TaskRow], most: int
) -> None:
    plan = keep(used, [*running, *waiting, *ready], LAPTOP, SHELF, Limits(most, 10), NOW)
    stopped = {task.id for task in plan.stop}
    stays = [task for task in ready if task.id not in stopped and task.wanted is Wanted.RUN]
    assert len(stays) + len(plan.start) <= most
    late = {SHELF.kind(task) for task in used if task.ended_at is None or task.ended_at > NOW - timedelta(minutes=10)}
    assert {*map(kind_of, stays), *plan.start} <= late
    assert not (plan.start and any(task.wanted is Wanted.RUN for task in waiting))
    if plan.start:
        memory = sum(task.memory for task in [*running, *waiting, *ready]) + sum(kind.memory for kind in plan.start)
        assert memory <= LAPTOP.memory + sum(task.memory for task in waiting)
