"""What an engine is. It knows tasks; never notebooks, people or pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from drybench.model import Gpu, Task
from drybench.phases import Sight

THIS_MACHINE = "this machine"
Handle = Mapping[str, Any]  # plain JSON with "format": 1 and "task": the task's id


@dataclass(frozen=True)
class Capabilities:
    """What the core may ask of an engine, instead of asking for its class."""

    images: bool = False
    gpus: bool = False
    mounts: bool = False
    addresses: bool = False
    schedules: bool = False
    shares_files: bool = True
    one_account: bool = False  # all its tasks have the portal's own account
    ready: bool = False
    own_network: bool = False  # its tasks do not reach the portal's loopback
    machine: str = ""  # engines that say the same word share its memory and cores


@dataclass(frozen=True)
class Room:
    """What the engine has in all and what outsiders leave free of it."""

    cores: float
    memory: int
    gpus: tuple[Gpu, ...] = ()


class Engine(Protocol):
    name: str
    can: Capabilities

    def check(self, task: Task) -> None:
        """Refuse with a sentence (errors.Refused) before anything is queued. No I/O."""

    async def prepare(self, task: Task) -> str:
        """What it still waits for before it can be started, in words; empty: nothing. Asked again and again.

        errors.Refused where it never can.
        """
        ...

    async def start(self, task: Task, env: Mapping[str, str]) -> Handle:
        """Start, or find what was started for this task id; back within 2 s.

        `env` may hold tokens: it is passed on and never stored.
        """
        ...

    async def poll(self, handles: Sequence[Handle]) -> list[Sight]:
        """One question for many, answered in their order. Never raises for one bad handle."""
        ...

    def changes(self) -> AsyncIterator[str]:
        """Ids of tasks worth a look now, beside poll."""
        ...

    async def stop(self, handle: Handle, grace: float) -> None:
        """Ask and return; may be called again."""

    async def forget(self, handle: Handle) -> None:
        """Once the end is in the ledger: remove what is left."""

    async def claim(self, handle: Handle, task: Task, env: Mapping[str, str]) -> Handle:
        """Where `can.ready`: give a ready task its work, once. From then on it is `task`, by this id and no other.

        With the same two it may be asked for again, as after a crash. errors.ReadyGone where the ready one
        will never take it: nothing is left of it then, and `task` can be started.
        """
        ...

    def logs(self, handle: Handle, since: int = 0) -> AsyncIterator[bytes]:
        """What the task printed, from a byte offset to what is there now."""
        ...

    async def room(self) -> Room: ...

    async def close(self) -> None:
        """Let go of what this object holds; tasks go on."""
