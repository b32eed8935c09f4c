"""However a session is ended, ledger and Hub agree on it, and it can be started again."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator

import httpx
import pytest

from drybench.phases import Outcome, Phase, Reason
from drybench_client.errors import BenchAway
from tests.bench import Bench, new_bench
from tests.integration.living_session import (
    PATIENCE,
    LivingSession,
    Somebody,
    hub_api,
    programs,
    somebody,
    the_owner,
)
from tests.waiting import wait_for

SETTINGS = """
[bench]
owner = "keeper"
people_share_one_host_name = true
[engines.local]
people_trust_each_other = true
[sizes.default]
memory = "600 MB"
[hub]
authenticator = "dummy"
[hub.traits.DummyAuthenticator]
allow_all = true
admin_users = ["keeper"]
"""


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with new_bench(SETTINGS) as bench:
        yield bench


@pytest.fixture(autouse=True)
def whole(bench: Bench) -> None:
    bench.be_whole()


@pytest.fixture(scope="module")
def keeper(bench: Bench) -> Iterator[Somebody]:
    with the_owner(bench) as keeper:
        yield keeper


@pytest.fixture
def ada(bench: Bench) -> Iterator[Somebody]:
    with somebody(bench, "ada") as ada:
        yield ada


def test_its_program_is_killed_and_it_starts_again(ada: Somebody) -> None:
    session = living(ada, "killed")
    session.server.signal(signal.SIGKILL)
    must_have_ended(ada, session, Outcome.FAILED, Reason.KILLED)
    assert session.now.task.detail.startswith("Something outside this bench ended it (exit code 137).")
    session.start_again()
    wait_for(session.answers, PATIENCE)
    assert session.now.task.attempt == 2


def test_a_stop_while_the_hub_is_killed(bench: Bench, ada: Somebody) -> None:
    session = living(ada, "meanwhile")
    bench.kill("hub")
    wait_for(lambda: accepted(session.ask_to_stop), PATIENCE)
    wait_for(lambda: session.is_phase(Phase.ENDED), PATIENCE)
    wait_for(bench.answers, PATIENCE)
    must_have_ended(ada, session, Outcome.STOPPED, Reason.CANCELLED)


def test_the_stop_button_of_the_hub(ada: Somebody) -> None:
    session = living(ada, "stopped")
    hub_api(ada.browser, "DELETE", f"/users/ada/servers/{session.name}")
    must_have_ended(ada, session, Outcome.STOPPED, Reason.CANCELLED)
    assert session.now.task.stopped_by == "JupyterHub"


def test_a_person_is_deleted(keeper: Somebody, bench: Bench) -> None:
    with somebody(bench, "bob") as bob:
        session = living(bob, "orphan")
        before = session.now.person_id
        hub_api(keeper.browser, "DELETE", "/users/bob")
        must_have_ended(keeper, session, Outcome.STOPPED, Reason.CANCELLED)
    with pytest.raises(httpx.HTTPStatusError, match="403"), somebody(bench, "bob"):
        pass  # a name made again is somebody new, and nobody at all in the first minute
    assert before not in {person.id for person in keeper.ledger.people()}


def living(asker: Somebody, name: str) -> LivingSession:
    session = asker.session(name)
    wait_for(session.answers, PATIENCE)
    return session


def accepted(ask: Callable[[], None]) -> bool:
    """Who asks is known to the Hub alone, and their client gives up sooner than a busy machine has it back."""
    try:
        ask()
    except BenchAway:
        return False
    return True


def must_have_ended(asker: Somebody, session: LivingSession, outcome: Outcome, reason: Reason) -> None:
    """In the ledger, at the Hub, and on the machine."""
    wait_for(lambda: session.is_phase(Phase.ENDED), PATIENCE)
    assert (session.now.task.outcome, session.now.task.reason) == (outcome, reason)
    wait_for(lambda: session.name not in asker.at_hub(), PATIENCE)
    wait_for(lambda: not session.folder.exists(), PATIENCE)
    wait_for(lambda: programs(session.task) == [])
    assert not session.answers()
