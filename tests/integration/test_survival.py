"""Whatever is killed, and whenever: what works goes on, is found again, and nothing happens twice."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, combinations, count
from pathlib import Path

import pytest

from drybench.phases import Phase
from tests.bench import PARTS, Bench, new_bench
from tests.integration.living_session import PATIENCE, LivingSession, Somebody, printed, the_owner
from tests.integration.notebooks import Notebook
from tests.waiting import wait_for

SETTINGS = """
[engines.local]
cores = 4
memory = "2500 MB"
[sizes.default]
cores = 0.5
memory = "500 MB"
[sizes.big]
cores = 0.5
memory = "1900 MB"
"""
ALL_COMBINATIONS = [*chain.from_iterable(combinations(PARTS, number) for number in (1, 2, 3)), ("up",), ("up", *PARTS)]
NUMBERS = count(1)


@dataclass(frozen=True)
class Remembering:
    """A session whose kernel has something to lose."""

    session: LivingSession
    memory: str


@pytest.fixture(scope="module")
def owner() -> Iterator[Somebody]:
    with new_bench(SETTINGS) as bench, the_owner(bench) as owner:
        yield owner


@pytest.fixture
def bench(owner: Somebody) -> Bench:
    return owner.bench


@pytest.fixture(autouse=True)
def whole(bench: Bench) -> None:
    bench.be_whole()


@pytest.fixture(scope="module")
def lab(owner: Somebody) -> Remembering:
    session = owner.session("lab")
    wait_for(session.answers, PATIENCE)
    session.start_kernel()
    return Remembering(session, session.says("import os; treasure = object(); print(id(treasure), os.getpid())"))


def kill(bench: Bench, *parts: str) -> None:
    """With -9, and wait until the bench is whole again."""
    before = bench.pids()
    bench.kill(*(part for part in parts if part != "up"))
    if "up" in parts:
        bench.kill("up")
        bench.start()
        bench.wait_until_ready()
    else:
        wait_for(lambda: all(bench.pids().get(part) not in (None, before[part]) for part in parts), PATIENCE)
    wait_for(bench.answers, PATIENCE)


@pytest.mark.parametrize("parts", ALL_COMBINATIONS, ids="+".join)
def test_a_session_and_a_run_outlive(owner: Somebody, lab: Remembering, tmp_path: Path, parts: tuple[str, ...]) -> None:
    notebook = Notebook(tmp_path, "analysis").marks("began").waits().marks("ended")
    with lab.session.connection() as channels:
        run = owner.hand.submit(notebook.file)
        wait_for(notebook.has_marked("began"), PATIENCE)
        kill(owner.bench, *parts)
        lab.session.must_be_the_one()
        assert lab.session.says("print(id(treasure), os.getpid())") == lab.memory
        if not {"proxy", "up"} & set(parts):
            assert printed(channels, "print(id(treasure), os.getpid())") == lab.memory
    notebook.let_go()
    ended = owner.hand.wait(run, timeout=PATIENCE)
    assert (ended["outcome"], ended["attempt"], ended["task"]) == ("done", 1, run["task"])
    assert notebook.marked == ["began", "ended"]


def test_a_session_in_the_line_keeps_its_place_when_the_hub_is_killed(owner: Somebody, tmp_path: Path) -> None:
    notebook = Notebook(tmp_path, "big").marks("began").waits()
    run = owner.hand.submit(notebook.file, size="big")
    wait_for(notebook.has_marked("began"), PATIENCE)
    session = owner.session("in-the-line", size="big")
    kill(owner.bench, "hub")
    assert session.is_phase(Phase.WAITING)
    assert session.name not in owner.at_hub()
    notebook.let_go()
    owner.hand.wait(run, timeout=PATIENCE)
    session.must_be_the_one()
    session.ask_to_stop()


def asked_for(session: LivingSession) -> bool:
    """The Hub is about to start it, or has begun to."""
    return not session.is_phase(Phase.WAITING)


def handed_over(session: LivingSession) -> bool:
    """The engine is about to start it."""
    return session.folder.exists()


def started(session: LivingSession) -> bool:
    """And nobody has written down its handle."""
    return (session.folder / "watcher.json").exists()


def has_address(session: LivingSession) -> bool:
    return (session.folder / "own" / "address.json").exists()


@pytest.mark.parametrize(
    ("parts", "moment"),
    [
        (("hub",), asked_for),
        (("hub",), handed_over),
        (("hub",), has_address),
        (("portal",), asked_for),
        (("portal",), handed_over),
        (("portal",), started),
        (("hub", "portal"), handed_over),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, tuple) else value.__name__,
)
def test_a_session_that_starts_comes_up_once(
    owner: Somebody, parts: tuple[str, ...], moment: Callable[[LivingSession], bool]
) -> None:
    session = owner.session(f"starts-{next(NUMBERS)}")
    wait_for(lambda: moment(session), PATIENCE)
    kill(owner.bench, *parts)
    session.must_be_the_one()
    session.ask_to_stop()


def test_while_the_hub_is_away_sessions_answer_and_runs_run(owner: Somebody, lab: Remembering, tmp_path: Path) -> None:
    with the_owner(owner.bench) as just_signed_in:
        session = lab.session.seen_by(just_signed_in)
        wait_for(session.answers)
        hub = owner.bench.pids()["hub"]
        os.kill(hub, signal.SIGSTOP)
        try:
            assert session.says("print(id(treasure), os.getpid())") == lab.memory
            run = owner.hand.submit(Notebook(tmp_path, "meanwhile").marks("went").file)
            assert owner.hand.wait(run, timeout=PATIENCE)["outcome"] == "done"
        finally:
            os.kill(hub, signal.SIGCONT)


def test_a_session_that_hangs_is_kept_while_the_hub_comes_back(owner: Somebody, lab: Remembering) -> None:
    lab.session.server.signal(signal.SIGSTOP)
    try:
        kill(owner.bench, "hub")
        wait_for(lambda: owner.at_hub()[lab.session.name].pending == "check", PATIENCE)
    finally:
        lab.session.server.signal(signal.SIGCONT)
    lab.session.must_be_the_one()
    assert lab.session.says("print(id(treasure), os.getpid())") == lab.memory
