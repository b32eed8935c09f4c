"""What JupyterHub's spawner asks of the portal: take this session, how is it, stop it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from drybench.addresses import Addresses
from drybench.engines.base import Engine
from drybench.errors import NoDoorForTasks, NoSuchSession, TaskNotWanted
from drybench.ledger import Ledger
from drybench.model import SESSION, TaskRow
from drybench.phases import Phase, Wanted
from drybench.ports import LOOPBACK
from drybench.starting import Starting

BY_THE_HUB = "JupyterHub"
LISTENS = "JUPYTERHUB_SERVICE_URL"
GUEST, SHARE_PAGE = "DRYBENCH_GUEST", "DRYBENCH_SHARE_PAGE"
EVERYWHERE = "0.0.0.0"  # in a network of its own, to which nobody else has a way


class Handover:
    def __init__(
        self,
        ledger: Ledger,
        starting: Starting,
        engines: Mapping[str, Engine],
        addresses: Addresses,
        wake: Callable[[], None],
        guest_key: Callable[[str], str],
    ) -> None:
        self._ledger = ledger
        self._starting = starting
        self._engines = engines
        self._addresses = addresses
        self._wake = wake
        self._guest_key = guest_key

    async def hand_over(
        self, id: str, person: str, session: str, env: Mapping[str, str], command: Sequence[str]
    ) -> None:
        """Only what the ledger asked for: the right task of the right person, still wanted, not yet over."""
        row = await asyncio.to_thread(self._wanted, id, person, session)
        if self._engines[row.engine].can.own_network:
            env = by_the_door(env, self._addresses)
        await self._starting.with_command(row, {**env, **self._of_sharing(row)}, command)

    def _of_sharing(self, row: TaskRow) -> dict[str, str]:
        """What opens its screens to a guest who comes by the portal, and where its owner shares it."""
        page = f"{self._addresses.public}/sessions/{row.subject}/shares"
        return {GUEST: self._guest_key(row.id), SHARE_PAGE: page} if self._addresses.own_host_names else {}

    def task_for_hub(self, id: str) -> dict[str, Any]:
        row = self._session_task(id)
        session = self._ledger.session(row.subject)
        return {
            "person": row.person,
            "session": session.name if session else None,
            "handed_over": row.handle is not None or self._starting.in_hand(id),
            "phase": row.phase.word,
            "wanted": row.wanted.value,
            "outcome": row.outcome and row.outcome.value,
            "answers": row.answers,
            "address": row.address,
            "sentence": row.detail,
        }

    def stop_for_hub(self, id: str, now: bool) -> None:
        """`now` changes nothing: an engine's grace is short, and one owner decides about a stop."""
        if self._session_task(id).phase is not Phase.ENDED:
            self._ledger.want_stop(id, by=BY_THE_HUB)
            self._wake()

    def person_gone(self, name: str) -> None:
        """The name was deleted: nothing of theirs goes on."""
        for person in self._ledger.people():
            if person.name == name:
                self._stop_everything(person.id)
        self._ledger.person_gone(name)
        self._wake()

    def _stop_everything(self, person_id: str) -> None:
        for task in self._ledger.open_tasks():
            if task.person_id == person_id:
                self._ledger.want_stop(task.id, by=BY_THE_HUB)

    def _wanted(self, id: str, person: str, session: str) -> TaskRow:
        task = self._session_task(id)
        known = self._ledger.session(task.subject)
        asked_for = known is not None and (known.name, known.person, known.task.id) == (session, person, id)
        if not asked_for or task.wanted is Wanted.STOP or task.phase in (Phase.WAITING, Phase.ENDED):
            raise TaskNotWanted()
        return task

    def _session_task(self, id: str) -> TaskRow:
        task = self._ledger.task(id)
        if task is None or task.kind != SESSION:
            raise NoSuchSession()
        return task


def by_the_door(env: Mapping[str, str], addresses: Addresses) -> dict[str, str]:
    """As a session needs it to which our loopback is its own: it listens for all, and finds Hub and portal at the door.

    What is for browsers, as the addresses of its sign-in, names the public address and stays.
    """
    if not addresses.tasks_door:
        raise NoDoorForTasks()
    moved = {name: _moved(value, addresses) for name, value in env.items()}
    listens = env.get(LISTENS, "")
    return {**moved, **({LISTENS: listens.replace(f"//{LOOPBACK}:", f"//{EVERYWHERE}:", 1)} if listens else {})}


def _moved(value: str, addresses: Addresses) -> str:
    """Only a whole address: the port of one may begin as another's does."""
    for inner in addresses.behind_the_door:
        if value == inner or value.startswith(f"{inner}/"):
            return addresses.tasks_door + value.removeprefix(inner)
    return value
