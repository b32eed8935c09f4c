"""The loop: look, decide, write, act. It alone moves tasks on, and it asks again about everything.

What is written is decided by `phases.decide`; what may start by `allocating.choose`. A pass
that fails for one task goes on with the next one, and the same task is looked at again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import structlog

from drybench import allocating
from drybench.changes import Bell, Change, Changes
from drybench.endings import Endings
from drybench.engines.base import Engine, Handle
from drybench.errors import DrybenchError, Refused
from drybench.ledger import Ledger
from drybench.machines import Machine, machines
from drybench.model import READY, SESSION, TaskRow
from drybench.phases import Act, Decision, Outcome, Phase, Reason, Seen, Sight, State, Wanted, decide
from drybench.progressing import Progressing
from drybench.ready_tasks import ReadyTasks
from drybench.starting import Starting

log = structlog.get_logger("reconciler")

GRACE = 10.0
ASK_TO_STOP_AGAIN = timedelta(seconds=5)
WRITTEN = ("phase", "outcome", "reason", "detail", "silent_since")


class Reconciler:
    def __init__(
        self,
        ledger: Ledger,
        engines: Mapping[str, Engine],
        starting: Starting,
        endings: Endings,
        progressing: Progressing,
        changes: Changes,
        now: Callable[[], datetime],
        ready: ReadyTasks | None = None,
    ) -> None:
        self._ledger = ledger
        self._engines = engines
        self._starting = starting
        self._endings = endings
        self._progressing = progressing
        self._changes = changes
        self._now = now
        self._ready = ready
        self._asked_to_stop: dict[str, datetime] = {}
        self._served: dict[tuple[str, str], int] = {}
        self._turns = count()
        self._bell = Bell()

    def wake(self) -> None:
        """From any thread: there is something to look at now."""
        self._bell.ring()

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            for engine in self._engines.values():
                group.create_task(self._listen(engine))
            while True:
                self._bell.listen()
                tasks = await self._look_safely()
                await self._bell.sleep(self._patience(tasks))

    async def look(self) -> Sequence[TaskRow]:
        """One pass over everything that has not ended; what is still open after it."""
        tasks = await asyncio.to_thread(self._ledger.open_tasks)
        sights = await self._sights(tasks)
        for task in tasks:
            await self._settle_safely(task, sights.get(task.id))
        await self._endings.clear_up()  # first: the next task of a session waits until its last one is cleared away
        await self._let_start()
        await self._progressing.read(tasks)
        if self._ready is not None:
            await self._ready.look(await asyncio.to_thread(self._ledger.open_tasks))
        return await asyncio.to_thread(self._ledger.open_tasks)

    async def _look_safely(self) -> Sequence[TaskRow]:
        try:
            return await self.look()
        except Exception:
            log.exception("a pass was broken off")
            await asyncio.sleep(1)  # the ledger itself may be away: do not spin
            self._bell.ring()
            return ()

    async def _listen(self, engine: Engine) -> None:
        """An engine that cannot tell of changes any more is still polled."""
        try:
            async for _ in engine.changes():
                self._bell.ring()
        except Exception:
            log.exception("no more word of changes", engine=engine.name)

    async def _sights(self, tasks: Sequence[TaskRow]) -> dict[str, Sight]:
        """An engine that the settings name no longer cannot be asked either."""
        begun = [task for task in tasks if task.phase is not Phase.WAITING]
        sights = {task.id: Sight(Seen.UNREACHABLE) for task in begun if task.engine not in self._engines}
        for name, engine in self._engines.items():
            seen = [(task, handle) for task in tasks if task.engine == name and (handle := self._to_look_for(task))]
            try:
                answers = await engine.poll([handle for _, handle in seen]) if seen else []
            except Exception:
                log.exception("the engine cannot be asked", engine=name)
                answers = [Sight(Seen.UNREACHABLE)] * len(seen)
            sights |= {task.id: sight for (task, _), sight in zip(seen, answers, strict=True)}
        return sights

    def _to_look_for(self, task: TaskRow) -> Handle | None:
        """A half-made start that is no longer wanted is searched for by its id alone."""
        if task.handle is not None:
            return task.handle
        half_made = task.phase is not Phase.WAITING and not self._starting.under_way(task.id)
        return {"format": 1, "task": task.id} if half_made and task.wanted is Wanted.STOP else None

    async def _settle_safely(self, task: TaskRow, sight: Sight | None) -> None:
        try:
            await self._settle(task, sight)
        except Exception:
            log.exception("could not settle", task=task.id)

    async def _settle(self, task: TaskRow, sight: Sight | None) -> None:
        if task.handle is None and self._starting.under_way(task.id):
            if task.wanted is Wanted.STOP:
                self._starting.hurry(task.id)
            return
        state = replace(task.state, overdue=self._starting.overdue(task))
        if task.spec.needs_address and not task.answers and sight and sight.address:
            state = replace(state, answers=await self._starting.answers(sight.address))
        verdict = None
        if sight is not None and sight.seen in (Seen.ENDED, Seen.UNKNOWN):
            verdict = await asyncio.to_thread(self._endings.verdict, task, sight.exit_code)
        decision = decide(state, sight, self._now(), verdict)
        await self._write(task, decision, sight)
        await self._act(task, decision, sight)

    async def _write(self, task: TaskRow, decision: Decision, sight: Sight | None) -> None:
        changes = _difference(task, decision.state, sight)
        if changes.get("phase") is Phase.ENDED:
            changes["detail"] = await self._endings.words(task, decision.state, sight)
        if not changes:
            return
        await asyncio.to_thread(self._ledger.write_task, task.id, changes)
        if changes.keys() - {"memory_used", "cpu_used"}:
            self._changes.tell(Change(task.kind, task.subject, task.person_id))

    async def _act(self, task: TaskRow, decision: Decision, sight: Sight | None) -> None:
        if decision.act is Act.START:
            self._starting.begin(task)
        elif decision.act is Act.STOP:
            await self._stop(task, task.handle or {"format": 1, "task": task.id})
        elif decision.state.phase is Phase.ENDED:
            self._asked_to_stop.pop(task.id, None)
            self._starting.over(task.id)

    async def _stop(self, task: TaskRow, handle: Handle) -> None:
        asked = self._asked_to_stop.get(task.id)
        if asked is None or self._now() - asked > ASK_TO_STOP_AGAIN:
            self._asked_to_stop[task.id] = self._now()
            await self._engines[task.engine].stop(handle, GRACE)

    async def _let_start(self) -> None:
        open_tasks = await asyncio.to_thread(self._ledger.open_tasks)
        people = {person.id for person in await asyncio.to_thread(self._ledger.people)}
        for machine in machines(self._engines):
            mine = [task for task in open_tasks if task.engine in machine.engines]
            waiting = [task for task in mine if task.phase is Phase.WAITING and task.wanted is Wanted.RUN]
            possible = [task for task in waiting if await self._is_possible(task)]
            if possible:
                held = [task for task in mine if task.phase is not Phase.WAITING and task.kind != READY]
                grants = await self._grants(machine, possible, held)
                for grant, ready in await self._make_way(machine, grants, held, mine):
                    await self._grant(grant, ready, grant.task.person_id in people)

    async def _is_possible(self, task: TaskRow) -> bool:
        """The settings may have changed since it was asked for: nobody shall wait behind what can never start."""
        try:
            self._engines[task.engine].check(task.spec)
        except Refused as refusal:
            await self._starting.refuse(task, str(refusal))
            return False
        return True

    async def _grants(
        self, machine: Machine, waiting: Sequence[TaskRow], held: Sequence[TaskRow]
    ) -> Sequence[allocating.Grant]:
        """An engine with a line of its own gets them all."""
        if machine.schedules:
            return [allocating.Grant(task) for task in allocating.line(waiting, held)]
        free = [task for task in waiting if not self._endings.pending(task.subject)]
        return allocating.choose(free, held, await machine.space(), self._served)

    async def _make_way(
        self,
        machine: Machine,
        grants: Sequence[allocating.Grant],
        held: Sequence[TaskRow],
        tasks: Sequence[TaskRow],
    ) -> Sequence[tuple[allocating.Grant, TaskRow | None]]:
        """What stands ready counts as nothing so far; now it is used, or goes."""
        ready = [task for task in tasks if task.kind == READY]
        if self._ready is None or not ready:
            return [(grant, None) for grant in grants]
        return await self._ready.make_way(await machine.space(), grants, held, ready)

    async def _grant(self, grant: allocating.Grant, ready: TaskRow | None, still_here: bool) -> None:
        """Hours may have passed since it was asked for: its person must still be there."""
        task = grant.task
        if not still_here:
            gone = {"phase": Phase.ENDED, "outcome": Outcome.FAILED, "reason": Reason.REJECTED}
            await asyncio.to_thread(self._ledger.write_task, task.id, gone)
            return
        decision = decide(replace(task.state, chosen=True), None, self._now())
        written = {"phase": decision.state.phase, "gpus": grant.gpus}
        try:
            if ready is None:
                row = await asyncio.to_thread(self._ledger.write_task, task.id, written)
            else:
                row = await asyncio.to_thread(self._ledger.claim_ready, task.id, ready.id)
        except DrybenchError:  # one of them was stopped in this very moment
            self._bell.ring()
            return
        self._served[task.kind, task.person_id] = next(self._turns)
        self._changes.tell(Change(task.kind, task.subject, task.person_id))
        self._starting.begin(row)

    def _patience(self, tasks: Sequence[TaskRow]) -> float:
        """How long until the next look, when nothing wakes the loop before."""
        if any(task.kind == SESSION and task.phase is Phase.STARTING for task in tasks):
            return 0.2
        if any(
            not task.stands_ready and (task.phase is not Phase.WAITING or task.wanted is Wanted.STOP) for task in tasks
        ):
            return 1.0
        if not self._endings.all_cleared:
            return 1.0
        return 30.0 if not tasks else 5.0


def _difference(task: TaskRow, state: State, sight: Sight | None) -> dict[str, Any]:
    """The columns that are no longer what the ledger holds."""
    wanted: dict[str, Any] = {name: getattr(state, name) for name in WRITTEN}
    wanted["answers"] = state.answers
    if sight is not None and sight.seen is not Seen.UNREACHABLE:
        wanted |= {"address": sight.address or task.address, "exit_code": sight.exit_code}
        wanted |= {"memory_used": sight.memory, "cpu_used": sight.cpu}
    return {name: value for name, value in wanted.items() if value != getattr(task, name)}
