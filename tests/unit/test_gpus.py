"""Which GPUs somebody gets: at least what was asked, no more than it takes, and no GPU twice."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from drybench import gpus
from drybench.allocating import Space, choose
from drybench.errors import NoSuchGpu
from drybench.model import RUN, Gpu, Task, TaskRow
from tests.unit.test_allocating import row

GIB = 1 << 30
amounts = some.sampled_from([0, 8, 12, 16, 24, 80]).map(lambda gib: gib * GIB)
asks = some.lists(amounts, max_size=3).map(tuple)
machines = some.lists(amounts, max_size=5).map(lambda found: tuple(Gpu(str(n), each) for n, each in enumerate(found)))


def asking(*vram: int, count: int = 0, given: tuple[str, ...] = ()) -> Task:
    return Task("1", "ada", RUN, (), gpu_count=count, vram=vram, gpus=given)


def waits(id: str, vram: tuple[int, ...], age: int = 0) -> TaskRow:
    plain = row(id, age=age, memory=1)
    return replace(plain, spec=replace(plain.spec, gpu_count=len(vram), vram=vram))


def is_possible(vram: tuple[int, ...], there: tuple[Gpu, ...]) -> bool:
    """Tried in every way."""
    return any(
        all(gpu.memory >= least for gpu, least in zip(way, vram, strict=True)) for way in permutations(there, len(vram))
    )


@given(asks, machines)
def test_what_fits_is_given_and_nothing_else(vram: tuple[int, ...], there: tuple[Gpu, ...]) -> None:
    found = gpus.choose(vram, there)
    assert (found is not None) == is_possible(vram, there)
    if found is not None:
        assert all(gpu.memory >= least for gpu, least in zip(found, vram, strict=True))
        assert len({gpu.id for gpu in found}) == len(vram)


@given(asks, machines)
def test_no_choice_takes_smaller_cards(vram: tuple[int, ...], there: tuple[Gpu, ...]) -> None:
    found = gpus.choose(vram, there)
    if found is None:
        return
    fitting = [
        sorted(gpu.memory for gpu in way)
        for way in permutations(there, len(vram))
        if all(gpu.memory >= least for gpu, least in zip(way, vram, strict=True))
    ]
    assert sorted(gpu.memory for gpu in found) == min(fitting)


@given(some.lists(asks, max_size=4), machines)
def test_of_several_who_ask_each_gets_its_own(wishes: list[tuple[int, ...]], there: tuple[Gpu, ...]) -> None:
    waiting = [waits(str(place), vram, age=place) for place, vram in enumerate(wishes)]
    grants = choose(waiting, [], Space(cores=99, memory=99, gpus=there))
    taken = [id for grant in grants for id in grant.gpus]
    memory = {gpu.id: gpu.memory for gpu in there}
    assert len(taken) == len(set(taken))
    for grant in grants:
        assert all(memory[id] >= least for id, least in zip(grant.gpus, gpus.asked(grant.task.spec), strict=True))


@given(some.lists(asks, min_size=1, max_size=3), machines)
def test_whoever_comes_first_takes_nothing_that_the_next_would_need(
    wishes: list[tuple[int, ...]], there: tuple[Gpu, ...]
) -> None:
    """As many of the head of the line start as could with any choice."""
    waiting = [waits(str(place), vram, age=place) for place, vram in enumerate(wishes)]
    started = len(choose(waiting, [], Space(cores=99, memory=99, gpus=there)))
    most = max(n for n in range(len(wishes) + 1) if is_possible(sum(wishes[:n], ()), there))
    assert started == most


@given(asks, machines)
def test_what_is_not_refused_starts_on_an_empty_machine(vram: tuple[int, ...], there: tuple[Gpu, ...]) -> None:
    try:
        gpus.check(asking(*vram), there)
    except NoSuchGpu:
        assert not is_possible(vram, there)
    else:
        assert len(choose([waits("1", vram)], [], Space(cores=9, memory=9, gpus=there))) == 1


def test_of_engines_on_one_machine_each_gives_its_own() -> None:
    there = (Gpu("0", 8 * GIB), Gpu("1", 24 * GIB))
    space = Space(9, 9, there, engines={"local": frozenset("1"), "docker": frozenset("01")})
    first, second, third = (waits(str(place), (0,), age=place) for place in range(3))
    grants = choose([first, replace(second, engine="docker"), third], [], space)
    assert [grant.gpus for grant in grants] == [("1",), ("0",)]


def test_they_come_in_the_order_of_asking() -> None:
    there = (Gpu("big", 80 * GIB), Gpu("small", 8 * GIB), Gpu("middle", 24 * GIB))
    assert gpus.choose((0, 24 * GIB), there) == (there[1], there[2])


def test_fewer_amounts_than_gpus_leave_the_others_open() -> None:
    assert gpus.asked(asking(8 * GIB, count=3)) == (8 * GIB, 0, 0)
    assert gpus.asked(asking(8 * GIB)) == (8 * GIB,)


@pytest.mark.parametrize(
    ("task", "there", "sentence"),
    [
        (asking(count=1), (), "It asks for one GPU; this bench has none."),
        (
            asking(24 * GIB, 24 * GIB),
            (Gpu("0", 8 * GIB),),
            "It asks for 2 GPUs with 24 GiB; this bench has one with 8 GiB.",
        ),
        (
            asking(24 * GIB, 24 * GIB, 0),
            (Gpu("0", 24 * GIB), Gpu("1", 8 * GIB), Gpu("2", 8 * GIB)),
            "It asks for 2 GPUs with 24 GiB and one GPU; this bench has one with 24 GiB and 2 with 8 GiB.",
        ),
        (asking(8 * 10**9), (Gpu("0"),), "It asks for one GPU with 8 GB; this bench has one."),
        (asking(given=("9",)), (Gpu("0"),), "It asks for one GPU; this bench has one."),
    ],
)
def test_what_can_never_be_given_is_refused_with_what_there_is(
    task: Task, there: tuple[Gpu, ...], sentence: str
) -> None:
    with pytest.raises(NoSuchGpu) as refusal:
        gpus.check(task, there)
    assert refusal.value.sentence == sentence
