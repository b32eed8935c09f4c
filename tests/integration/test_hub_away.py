"""While the Hub is away nobody can be known by a page; the owner's command line on the machine needs no Hub."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator
from contextlib import contextmanager

from drybench.phases import Outcome, Phase
from tests.bench import Bench, new_bench
from tests.integration.living_session import PATIENCE, programs, the_owner
from tests.waiting import wait_for


def test_the_owner_stops_a_session_by_the_command_line() -> None:
    with new_bench() as bench, the_owner(bench) as owner:
        session = owner.session("lab")
        wait_for(session.answers, PATIENCE)
        with without_hub(bench):
            stopped = bench.run("stop", "lab")
            assert (stopped.returncode, stopped.stderr) == (0, "")
            wait_for(lambda: session.is_phase(Phase.ENDED), PATIENCE)
            assert session.now.task.outcome is Outcome.STOPPED
            assert programs(session.task) == []
        wait_for(lambda: "lab" not in owner.at_hub(), PATIENCE)
        session.start_again()
        wait_for(session.answers, PATIENCE)


@contextmanager
def without_hub(bench: Bench) -> Generator[None]:
    """It hangs: one that is killed is started again."""
    hub = bench.pids()["hub"]
    os.kill(hub, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(hub, signal.SIGCONT)
