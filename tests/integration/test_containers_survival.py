"""Whatever is killed while containers work: they go on, are found again, and nothing happens twice."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from drybench.engines.docker_container import BENCH_LABEL, TASK_LABEL, name_of
from drybench.phases import Outcome, Phase, Reason
from drybench_client.answers import Run
from tests.bench import PARTS, Bench, new_bench
from tests.docker import SOCKET, docker, inspected
from tests.integration.living_session import PATIENCE, LivingSession, Somebody, the_owner
from tests.integration.notebooks import Notebook, text_of
from tests.integration.small_containers import BASE, settings
from tests.integration.small_containers import marks as marks
from tests.waiting import wait_for

pytestmark = [pytest.mark.needs("docker"), pytest.mark.timeout(240, func_only=True)]


@pytest.fixture(scope="module")
def owner(shipped: None, marks: Path) -> Iterator[Somebody]:
    with new_bench(settings(marks, ready=0), containers=True) as bench, the_owner(bench) as owner:
        yield owner


@pytest.fixture
def bench(owner: Somebody) -> Bench:
    return owner.bench


@dataclass(frozen=True)
class Remembering:
    """A session whose kernel has something to lose."""

    session: LivingSession
    memory: str


@pytest.fixture(scope="module")
def lab(owner: Somebody) -> Remembering:
    session = owner.session("lab", environment=BASE)
    wait_for(session.answers, PATIENCE)
    session.start_kernel()
    return Remembering(session, session.says("import os; treasure = object(); print(id(treasure), os.getpid())"))


@pytest.mark.parametrize("parts", [(part,) for part in PARTS] + [PARTS, ("up", *PARTS)], ids="+".join)
def test_a_session_and_a_run_outlive(owner: Somebody, lab: Remembering, marks: Path, parts: tuple[str, ...]) -> None:
    notebook = Notebook(marks, f"analysis-{'-'.join(parts)}").marks("began").waits().marks("ended")
    run = under_way(owner, notebook)
    before = began(lab.session.task), began(run["task"])
    kill(owner.bench, *parts)
    wait_for(lab.session.answers, PATIENCE)
    assert lab.session.says("print(id(treasure), os.getpid())") == lab.memory
    assert lab.session.now.task.attempt == 1
    assert (began(lab.session.task), began(run["task"])) == before
    notebook.let_go()
    ended = owner.hand.wait(run, timeout=PATIENCE)
    assert (ended["outcome"], ended["attempt"], ended["task"]) == ("done", 1, run["task"])
    assert notebook.marked == ["began", "ended"]
    wait_for(lambda: containers(run["task"]) == [], PATIENCE)


def test_the_portal_killed_when_a_runs_container_is_made_and_not_begun(owner: Somebody, marks: Path) -> None:
    notebook = Notebook(marks, "made").marks("went")
    with killed_at_the_next_container(owner.bench):
        run = submitted(owner, notebook)
    assert owner.hand.wait(run, timeout=PATIENCE)["outcome"] == "done"
    assert notebook.marked == ["went"]


def test_the_portal_killed_when_a_sessions_container_is_made_and_not_begun(owner: Somebody) -> None:
    with killed_at_the_next_container(owner.bench):
        session = owner.session("made", environment=BASE)
    must_be_one(session)
    session.ask_to_stop()


def test_two_starts_of_one_session_at_once(owner: Somebody) -> None:
    def start(_: int) -> str:
        with owner.bench.owner() as hand:
            return hand.start_session(name="twice", environment=BASE)["id"]

    with ThreadPoolExecutor(4) as pool:
        ids = set(pool.map(start, range(4)))
    session = owner.session("twice", environment=BASE)
    assert ids == {session.now.id}
    must_be_one(session)
    session.ask_to_stop()


def test_a_sessions_container_is_killed_by_hand(owner: Somebody) -> None:
    session = owner.session("killed", environment=BASE)
    wait_for(session.answers, PATIENCE)
    docker("kill", name_of(session.task))
    wait_for(lambda: session.is_phase(Phase.ENDED), PATIENCE)
    task = session.now.task
    assert (task.outcome, task.reason) == (Outcome.FAILED, Reason.KILLED)
    assert task.detail.startswith("Something outside this bench ended it (exit code 137).")


@pytest.mark.parametrize("words", [("kill",), ("rm", "-f")], ids=" ".join)
def test_a_runs_container_is_ended_by_hand(owner: Somebody, marks: Path, words: tuple[str, ...]) -> None:
    notebook = Notebook(marks, f"ended-{words[0]}").marks("began").waits()
    run = under_way(owner, notebook)
    wait_for(lambda: text_of(owner.hand.notebook(run)) == "began\n", PATIENCE)
    docker(*words, name_of(run["task"]))
    ended = owner.hand.wait(run, timeout=PATIENCE)
    assert (ended["outcome"], ended["reason"]) == ("failed", "runner_died")
    assert ended["sentence"].startswith("The program that ran it ended before it could write down the result")
    assert text_of(owner.hand.notebook(run)) == "began\n"


def test_a_run_that_eats_too_much_memory_says_so(owner: Somebody, marks: Path) -> None:
    notebook = Notebook(marks, "eats").marks("began").does("eaten = b'x' * (1 << 30)")
    ended = owner.hand.wait(submitted(owner, notebook), timeout=PATIENCE)
    sentence = "It used more memory than its size allows (500 MB)."
    assert (ended["outcome"], ended["reason"], ended["sentence"]) == ("failed", "out_of_memory", sentence)
    assert text_of(owner.hand.notebook(ended)) == "began\n"


def test_down_with_its_tasks_ends_containers(shipped: None, marks: Path) -> None:
    with new_bench(settings(marks, ready=0), containers=True) as bench, the_owner(bench) as owner:
        run = under_way(owner, Notebook(marks, "last").marks("began").waits())
        session = owner.session("open", environment=BASE)
        wait_for(session.answers, PATIENCE)
        mine = ("--filter", f"label={BENCH_LABEL}={bench.addresses.bench_id}")
        subnet = bench.addresses.tasks_subnet
        down = bench.run("down", "--tasks")
        assert (down.returncode, down.stderr) == (0, "")
        assert docker("ps", "--all", "--quiet", *mine) == docker("network", "ls", "--quiet", *mine) == ""
        bench.start()
        bench.wait_until_ready()
        assert owner.hand.wait(run, timeout=PATIENCE)["outcome"] == "stopped"
        assert session.is_phase(Phase.ENDED)
        assert bench.addresses.tasks_subnet == subnet
        again = submitted(owner, Notebook(marks, "first").marks("went"))
        assert owner.hand.wait(again, timeout=PATIENCE)["outcome"] == "done"


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


@contextmanager
def killed_at_the_next_container(bench: Bench) -> Generator[None]:
    """The portal, as soon as Docker says that one was made; then it was perhaps begun as well, perhaps not."""
    portal = bench.pids()["portal"]
    mine = ["--filter", f"label={BENCH_LABEL}={bench.addresses.bench_id}", "--filter", "event=create"]
    mine += ["--since", f"{time.time():.6f}"]  # it may be made before anybody listens
    command = ["docker", "-H", f"unix://{SOCKET}", "events", *mine]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as events:
        try:
            yield
            assert events.stdout
            events.stdout.readline()
            os.kill(portal, signal.SIGKILL)
        finally:
            events.kill()
    wait_for(lambda: bench.pids().get("portal") not in (None, portal), PATIENCE)
    wait_for(bench.answers, PATIENCE)


def submitted(owner: Somebody, notebook: Notebook) -> Run:
    return owner.hand.submit(notebook.file, environment=BASE)


def under_way(owner: Somebody, notebook: Notebook) -> Run:
    run = submitted(owner, notebook)
    wait_for(lambda: notebook.marked or owner.hand.get(run)["phase"] == "ended", PATIENCE)
    assert notebook.marked == ["began"], owner.hand.get(run)
    return run


def must_be_one(session: LivingSession) -> None:
    wait_for(session.answers, PATIENCE)
    assert session.now.task.attempt == 1
    assert len(containers(session.task)) == 1


def began(task: str) -> str:
    return inspected(name_of(task))["State"]["StartedAt"]


def containers(task: str) -> list[str]:
    return docker("ps", "-aq", "--filter", f"label={TASK_LABEL}={task}").split()
