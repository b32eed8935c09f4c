"""What JupyterHub's spawner asks of the portal: take this session, how is it, stop it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from drybench.errors import NoSuchSession, TaskNotWanted
from drybench.ledger import Ledger
from drybench.model import SESSION, TaskRow
from drybench.phases import Phase, Wanted
from drybench.starting import Starting

BY_THE_HUB = "JupyterHub"


class Handover:
    def __init__(self, ledger: Ledger, starting: Starting, wake: Callable[[], None]) -> None:
        self._ledger = ledger
        self._starting = starting
        self._wake = wake

    async def hand_over(
        self, id: str, person: str, session: str, env: Mapping[str, str], command: Sequence[str]
    ) -> None:
        """Only what the ledger asked for: the right task of the right person, still wanted, not yet over."""
        row = await asyncio.to_thread(self._wanted, id, person, session)
        await self._starting.with_command(row, env, command)

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
