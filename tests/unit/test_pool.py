"""What stands ready for whoever comes first: used once, by whom it fits, and never in anybody's way."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from drybench import planning, pool, warming
from drybench.allocating import Grant, Space, choose
from drybench.model import (
    READY,
    RUN,
    SESSION,
    Account,
    Environment,
    Mount,
    Person,
    Size,
    Surroundings,
    Task,
    TaskKind,
    TaskRow,
)
from drybench.phases import Phase, Wanted

NOW = datetime(2026, 11, 1, tzinfo=UTC)
GIB = 1 << 30
SERVER = Space(cores=4, memory=8 * GIB)
ALL = Account(5000, 5000)
SHARED = Mount(Path("/srv/shared"), Path("/shared"))
LAB = Environment("lab", "", "", "docker", (), image="drybench/lab:1", digest="sha256:1ab")
SIZE = Size("default", "", 1, GIB)
KIND = pool.kind(LAB, SIZE, Surroundings(Path("/home"), ALL, (SHARED,)))
SHELF = warming.Shelf(frozenset(), {})


def row(id: str, kind: TaskKind, phase: Phase, memory: int = GIB, **more: Any) -> TaskRow:
    spec = Task(id, "ada", kind, (), image=LAB.digest, account=ALL, memory=memory)
    return TaskRow(
        id=id,
        person_id="ada",
        person="ada",
        kind=kind,
        subject=id,
        attempt=1,
        engine="docker",
        spec=replace(spec, **more),
        phase=phase,
        wanted=Wanted.RUN,
        created_at=NOW,
        cores=spec.cores,
        memory=memory,
    )


def session(
    id: str = "s", person: str = "ada", phase: Phase = Phase.WAITING, memory: int = GIB, **more: Any
) -> TaskRow:
    home = Path("/home") / person
    given = {"home": home, "mounts": (Mount(Path(f"/homes/{person}"), home), SHARED), **more}
    return replace(row(id, SESSION, phase, memory, **given), person=person, person_id=person)


def ready(id: str = "r", phase: Phase = Phase.RUNNING, memory: int = GIB, **more: Any) -> TaskRow:
    given = {"command": pool.COMMAND, "home": KIND.home, "mounts": KIND.mounts, "becomes": SESSION, **more}
    nobodys = replace(row(id, READY, phase, memory, **given), person=pool.NOBODY.name, person_id=pool.NOBODY.id)
    return replace(nobodys, memory=memory)


def test_one_takes_the_session_of_anybody_of_any_size() -> None:
    assert pool.serves(ready(), session())
    assert pool.serves(ready(), session(person="bob", memory=3 * GIB))


def test_one_with_the_keepers_background_takes_a_session_that_has_it_too() -> None:
    desktop = replace(LAB, background=Path("/srv/lab.png"))
    around = Surroundings(Path("/home/ada"), ALL, session().spec.mounts)
    asked = planning.plan_session("s", Person("1", "ada"), desktop, SIZE, around)
    waits = replace(session(), spec=asked)
    with_it = pool.kind(desktop, SIZE, Surroundings(Path("/home"), ALL, (SHARED,)))
    assert pool.serves(ready(mounts=with_it.mounts), waits)
    assert not pool.serves(ready(), waits)


def test_what_has_something_of_its_own_starts_by_itself() -> None:
    own = Mount(Path("/srv/ada"), Path("/ada"))
    others = (
        session(mounts=(*session().spec.mounts, own)),
        session(mounts=session().spec.mounts[:1]),
        session(home=Path("/elsewhere/ada")),
        session(home=None),
        session(image="sha256:other"),
        session(account=Account(5000, 5000, (6000,))),
        session(gpu_count=1),
        session(entrypoint=True),
        replace(session(), engine="podman"),
        row("run", RUN, Phase.WAITING, home=Path("/home/ada"), mounts=session().spec.mounts),
    )
    assert not any(pool.serves(ready(), other) for other in others)


def test_what_stands_ready_for_runs_takes_no_session() -> None:
    assert not pool.serves(ready(becomes=RUN), session())


def test_a_run_does_not_take_it() -> None:
    shelf = warming.Shelf(frozenset({(1.0, GIB)}), {"sha256:1ab": ()})
    run = row("run", RUN, Phase.WAITING)
    way = warming.make_way([Grant(run)], [], [ready()], SERVER, shelf, pool.serves)
    assert [claimed for _, claimed in way.go] == [None]


def test_as_many_are_started_as_are_missing() -> None:
    plan = pool.keep({KIND: 3}, [ready("a"), ready("b", Phase.STARTING)], SERVER)
    assert (list(plan.start), list(plan.stop)) == ([KIND], [])


def test_what_the_keeper_wants_no_more_ends() -> None:
    old = ready("old", image="sha256:yesterday")
    plan = pool.keep({KIND: 1}, [ready("a"), ready("b"), old], SERVER)
    assert ([one.id for one in plan.stop], list(plan.start)) == (["b", "old"], [])


def test_it_leaves_alone_what_stands_ready_for_runs() -> None:
    others = ready("runs", becomes=RUN)
    assert not pool.keep({}, [others], SERVER).stop
    left_over, space = pool.without([others, ready()], SERVER)
    assert (left_over, space.memory) == ([others], SERVER.memory - GIB)


def test_two_never_get_the_same_one() -> None:
    asked = [session("s1"), session("s2", "bob"), session("s3", "eve")]
    way = warming.make_way([Grant(one) for one in asked], [], [ready("a"), ready("b")], SERVER, SHELF, pool.serves)
    assert [claimed and claimed.id for _, claimed in way.go] == ["a", "b", None]


phases = st.sampled_from([Phase.STARTING, Phase.RUNNING])
sizes = st.integers(1, 4).map(lambda count: count * GIB)
standing = st.lists(st.tuples(phases, sizes, st.sampled_from(list(Wanted))), max_size=4)
sessions = st.lists(st.tuples(st.sampled_from(Phase), sizes), max_size=5)


def world(
    drawn: list[tuple[Phase, int, Wanted]], asked: list[tuple[Phase, int]]
) -> tuple[list[TaskRow], list[TaskRow]]:
    pooled = [replace(ready(f"r{n}", phase, memory), wanted=wanted) for n, (phase, memory, wanted) in enumerate(drawn)]
    tasks = [session(f"s{n}", f"p{n}", phase, memory) for n, (phase, memory) in enumerate(asked)]
    return pooled, [task for task in tasks if task.phase is not Phase.ENDED]


@given(standing, sessions, st.integers(0, 5))
def test_none_is_started_where_somebody_waits_or_there_is_no_room(
    drawn: list[tuple[Phase, int, Wanted]], asked: list[tuple[Phase, int]], wanted: int
) -> None:
    pooled, tasks = world(drawn, asked)
    plan = pool.keep({KIND: wanted}, [*pooled, *tasks], SERVER)
    if any(task.phase is Phase.WAITING for task in tasks):
        assert not plan.start
    held = sum(task.memory for task in (*pooled, *tasks)) + sum(kind.memory for kind in plan.start)
    assert not plan.start or held <= SERVER.memory
    stay = [one for one in pooled if one.wanted is Wanted.RUN and one not in plan.stop]
    assert len(stay) + len(plan.start) <= wanted


@given(standing, sessions)
def test_it_gives_way_to_who_waits_and_each_is_used_once(
    drawn: list[tuple[Phase, int, Wanted]], asked: list[tuple[Phase, int]]
) -> None:
    pooled, tasks = world(drawn, asked)
    held = [task for task in tasks if task.phase is not Phase.WAITING]
    assume(sum(task.memory for task in (*held, *pooled)) <= SERVER.memory)
    grants = choose([task for task in tasks if task.phase is Phase.WAITING], held, SERVER)
    way = warming.make_way(grants, held, pooled, SERVER, SHELF, pool.serves)
    claimed = [one for _, one in way.go if one]
    assert len({one.id for one in claimed}) == len(claimed)
    assert all(one.stands_ready for one in claimed)
    assert not {one.id for one in way.stop} & {one.id for one in claimed}
    if len(way.go) < len(grants):  # the next one waits for an end, and then it fits
        stays = [one for one in pooled if one.wanted is Wanted.RUN and one not in way.stop]
        assert len(warming.make_way(grants, held, stays, SERVER, SHELF, pool.serves).go) > len(way.go)
