"""Which engines work with the same cores and memory: those stand in one line, and their tasks are one sum."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from drybench.allocating import Space
from drybench.engines.base import Engine


@dataclass(frozen=True)
class Machine:
    engines: Mapping[str, Engine]

    @property
    def schedules(self) -> bool:
        """It has a line of its own."""
        return any(engine.can.schedules for engine in self.engines.values())

    async def space(self) -> Space:
        """What one of them says is what all of them share."""
        rooms = {name: await engine.room() for name, engine in self.engines.items()}
        gpus = {gpu.id: gpu for room in rooms.values() for gpu in room.gpus}
        return Space(
            cores=max(room.cores for room in rooms.values()),
            memory=max(room.memory for room in rooms.values()),
            gpus=tuple(gpus.values()),
            engines={name: frozenset(gpu.id for gpu in room.gpus) for name, room in rooms.items()},
        )


def machine_of(name: str, engines: Mapping[str, Engine]) -> str:
    """Of an engine that the settings name no longer it is its own."""
    return (name in engines and engines[name].can.machine) or name


def machines(engines: Mapping[str, Engine]) -> Sequence[Machine]:
    together: dict[str, dict[str, Engine]] = defaultdict(dict)
    for name, engine in engines.items():
        together[machine_of(name, engines)][name] = engine
    return [Machine(those) for those in together.values()]
