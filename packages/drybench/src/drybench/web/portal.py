"""All that pages and API stand on, handed in by whoever composes the portal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

from fastapi import Depends, Request

from drybench.addresses import Addresses
from drybench.catalogue import Catalogue
from drybench.changes import Changes
from drybench.files import OwnFiles
from drybench.findings import Finding
from drybench.holding import Holding
from drybench.hub.identity import Identity
from drybench.images.workshop import Workshop
from drybench.keeping_runs import KeepingRuns
from drybench.ledger import Ledger
from drybench.model import Gpu, Person
from drybench.notices.channels import Channels
from drybench.runs.handed_in import HandedIn
from drybench.runs.run_folder import RunFolders
from drybench.runs.submitting import Runs
from drybench.runs.sweep_submitting import Sweeps
from drybench.schedules.asking import Schedules
from drybench.sessions import Sessions
from drybench.settings import Settings
from drybench.sharing.asking import Shares


class Handover(Protocol):
    """What the Hub's spawner asks of us."""

    async def hand_over(
        self, id: str, person: str, session: str, env: Mapping[str, str], command: tuple[str, ...]
    ) -> None: ...

    def task_for_hub(self, id: str) -> dict[str, Any]: ...

    def stop_for_hub(self, id: str, now: bool) -> None: ...

    def person_gone(self, name: str) -> None: ...


@dataclass(frozen=True)
class Portal:
    settings: Settings
    addresses: Addresses
    ledger: Ledger
    run_folders: RunFolders
    catalogue: Catalogue
    sessions: Sessions
    runs: Runs
    sweeps: Sweeps
    changes: Changes
    identity: Identity
    handover: Handover
    keeping: KeepingRuns
    holding: Holding
    schedules: Schedules
    channels: Channels
    files: OwnFiles
    handed_in: HandedIn
    workshop: Workshop
    shares: Shares
    guest_key: Callable[[str], str]  # of a task: what opens its screens
    gpus: Sequence[Gpu] = ()  # that this bench has to give
    examine: Callable[[Person], Sequence[Finding]] = lambda _: ()  # looks at the machine, for the keeper
    signed_in: Callable[[Person], None] = lambda _: None  # what shall be ready when they ask


def the_portal(request: Request) -> Portal:
    return request.app.state.portal


Here = Annotated[Portal, Depends(the_portal)]
