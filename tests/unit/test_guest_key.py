"""What opens a session's screens to guests: handed over with its start, and written down nowhere."""

from __future__ import annotations

from dataclasses import replace

from drybench.data_folder import DataFolder
from drybench.handing_over import Handover
from drybench.model import Session
from drybench.phases import Phase
from drybench.secret_files import secret
from drybench.sharing.rules import guest_key
from tests.world import ADDRESSES, World
from tests.world import world as world

SECRET = "a secret of this bench"


async def handed_over(world: World, own_host_names: bool, session: Session) -> dict[str, str]:
    addresses = replace(ADDRESSES, own_host_names=own_host_names)
    engines = {"local": world.engine}
    handover = Handover(
        world.ledger, world.starting, engines, addresses, world.loop.wake, lambda task: guest_key(SECRET, task)
    )
    world.ledger.write_task(session.task.id, {"phase": Phase.STARTING})
    await handover.hand_over(session.task.id, "ada", session.name, {"TOKEN": "its own"}, ("serve",))
    return dict(world.engine.machine.tasks[session.task.id].env)


async def test_a_session_gets_its_own_and_where_it_is_shared(world: World) -> None:
    session = world.session()
    env = await handed_over(world, True, session)
    assert env["DRYBENCH_GUEST"] == guest_key(SECRET, session.task.id)
    assert env["DRYBENCH_SHARE_PAGE"] == f"http://localhost:8000/sessions/{session.id}/shares"
    assert env["TOKEN"] == "its own"
    assert guest_key(SECRET, session.task.id) not in repr(world.ledger.task(session.task.id))


async def test_where_nothing_is_shared_there_is_no_key(world: World) -> None:
    env = await handed_over(world, False, world.session())
    assert not {"DRYBENCH_GUEST", "DRYBENCH_SHARE_PAGE"} & env.keys()


def test_the_secret_is_the_benchs_own(data: DataFolder) -> None:
    made = secret(data, "guest_key")
    assert len(made) == 64
    assert secret(data, "guest_key") == made
    assert (data.secrets / "guest_key").stat().st_mode & 0o777 == 0o600
