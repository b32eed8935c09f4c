"""Who is next, and what fits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from drybench.allocating import Space, choose, line
from drybench.model import RUN, SESSION, Gpu, Task, TaskKind, TaskRow
from drybench.phases import Phase, Wanted

START = datetime(2026, 11, 1, tzinfo=UTC)
GIB = 1 << 30
LAPTOP = Space(cores=2, memory=4 * GIB)
THREE_HALVES = 3 * GIB // 2


def row(
    id: str,
    person: str = "ada",
    kind: TaskKind = RUN,
    age: int = 0,
    priority: int = 0,
    cores: float = 1,
    memory: int = GIB,
    gpus: int = 0,
    held: tuple[str, ...] = (),
) -> TaskRow:
    task = Task(id, person, kind, (), cores=cores, memory=memory, gpu_count=gpus)
    return TaskRow(
        id=id,
        person_id=person,
        person=person,
        kind=kind,
        subject=id,
        attempt=1,
        engine="local",
        spec=task,
        phase=Phase.WAITING,
        wanted=Wanted.RUN,
        created_at=START + timedelta(seconds=age),
        cores=cores,
        memory=memory,
        gpus=held,
        priority=priority,
    )


def ids(tasks: list[TaskRow]) -> list[str]:
    return [task.id for task in tasks]


def test_sessions_come_before_runs() -> None:
    assert ids(line([row("run"), row("lab", kind=SESSION, age=9)], [])) == ["lab", "run"]


def test_between_people_it_goes_round() -> None:
    waiting = [row("a1"), row("a2", age=1), row("a3", age=2), row("b1", "bob", age=3)]
    assert ids(line(waiting, [])) == ["a1", "b1", "a2", "a3"]


def test_who_has_something_running_stands_behind_who_has_nothing() -> None:
    assert ids(line([row("a2"), row("b1", "bob", age=5)], [row("a1")])) == ["b1", "a2"]


def test_within_one_person_priority_counts_then_age() -> None:
    assert ids(line([row("old"), row("new", age=1), row("dear", age=2, priority=1)], [])) == ["dear", "old", "new"]


def test_an_open_session_blocks_no_run_on_a_laptop() -> None:
    lab = row("lab", kind=SESSION, memory=THREE_HALVES)
    run = row("run", memory=THREE_HALVES)
    assert [grant.task.id for grant in choose([run], [lab], LAPTOP)] == ["run"]


def test_cores_are_held_for_runs() -> None:
    waiting = [row("1"), row("2", age=1), row("3", age=2)]
    assert [grant.task.id for grant in choose(waiting, [], LAPTOP)] == ["1", "2"]


def test_nobody_overtakes_what_does_not_fit_yet() -> None:
    waiting = [row("large", memory=4 * GIB), row("small", age=1)]
    assert choose(waiting, [row("held")], LAPTOP) == []


def test_each_gets_gpus_of_its_own() -> None:
    space = Space(cores=8, memory=64 * GIB, gpus=(Gpu("0"), Gpu("1"), Gpu("2")))
    waiting = [row("one", gpus=1), row("two", age=1, gpus=1), row("three", age=2, gpus=1)]
    grants = choose(waiting, [row("held", held=("1",))], space)
    assert [(grant.task.id, grant.gpus) for grant in grants] == [("one", ("0",)), ("two", ("2",))]


@st.composite
def crowds(draw: st.DrawFn) -> list[TaskRow]:
    shapes = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["ada", "bob", "eve"]),
                st.sampled_from([SESSION, RUN]),
                st.integers(0, 50),
                st.integers(0, 2),
                st.integers(1, 3),
                st.integers(1, 4),
            ),
            max_size=12,
        )
    )
    return [
        row(str(number), person, kind, age, priority, cores, memory * GIB)
        for number, (person, kind, age, priority, cores, memory) in enumerate(shapes)
    ]


def test_whoever_was_served_last_comes_last() -> None:
    """Else somebody's thousand runs would come first again each time that one of them ends."""
    waiting = [row("first", age=1), row("second", age=2), row("other", person="bob", age=9)]
    assert [task.id for task in line(waiting, [], {(RUN, "ada"): 7})] == ["other", "first", "second"]
    assert [task.id for task in line(waiting, [], {(RUN, "ada"): 7, (RUN, "bob"): 8})] == ["first", "other", "second"]


@given(crowds(), crowds())
def test_the_line_is_a_permutation_and_does_not_depend_on_the_order_asked(
    waiting: list[TaskRow], held: list[TaskRow]
) -> None:
    order = line(waiting, held)
    assert sorted(ids(order)) == sorted(ids(waiting))
    assert order == line(waiting[::-1], held[::-1])


@given(crowds())
def test_never_more_is_given_than_there_is(waiting: list[TaskRow]) -> None:
    given_out = [grant.task for grant in choose(waiting, [], LAPTOP)]
    assert sum(task.memory for task in given_out) <= LAPTOP.memory
    assert sum(task.cores for task in given_out if task.kind == RUN) <= LAPTOP.cores


@given(crowds())
def test_what_is_given_is_the_head_of_the_line(waiting: list[TaskRow]) -> None:
    given_out = [grant.task for grant in choose(waiting, [], LAPTOP)]
    assert given_out == line(waiting, [])[: len(given_out)]


@given(crowds())
def test_between_people_nobody_gets_two_turns_while_another_has_none(waiting: list[TaskRow]) -> None:
    runs = [task for task in waiting if task.kind == RUN]
    seen: dict[str, int] = {}
    counts = {person: sum(task.person_id == person for task in runs) for person in ("ada", "bob", "eve")}
    for task in line(runs, []):
        seen[task.person_id] = seen.get(task.person_id, 0) + 1
        for other, total in counts.items():
            assert seen[task.person_id] - seen.get(other, 0) <= 1 or seen.get(other, 0) == total
