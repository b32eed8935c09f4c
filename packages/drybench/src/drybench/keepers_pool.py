"""How many sessions of nobody the keeper wants, of which environments, as they would be started now."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import structlog

from drybench import pool
from drybench.catalogue import Catalogue
from drybench.engines.base import Engine
from drybench.errors import DrybenchError, StandsReadyNowhere
from drybench.model import Surroundings
from drybench.warming import Kind

log = structlog.get_logger("pool")


class KeepersPool:
    """Synchronous: it looks at folders. What cannot stand ready now is left out, and the log says once why."""

    def __init__(
        self,
        said: Mapping[str, int],
        catalogue: Catalogue,
        engines: Mapping[str, Engine],
        around: Callable[[], Surroundings],
    ) -> None:
        self._said = {name: count for name, count in said.items() if count}
        self._catalogue = catalogue
        self._engines = engines
        self._around = around
        self._told: dict[str, str] = {}

    def wanted(self) -> Mapping[Kind, int]:
        wanted: dict[Kind, int] = {}
        for name, count in self._said.items():
            try:
                wanted[self._kind(name)] = count
            except DrybenchError as problem:
                self._tell(name, problem.sentence)
            else:
                self._told.pop(name, None)
        return wanted

    def _kind(self, name: str) -> Kind:
        environment = self._catalogue.environment(name)
        engine = self._engines.get(environment.engine)
        if environment.image is None or environment.entrypoint or engine is None or not engine.can.ready:
            raise StandsReadyNowhere(name=name)
        return pool.kind(environment, self._catalogue.size(None, environment), self._around())

    def _tell(self, name: str, why: str) -> None:
        if self._told.get(name) != why:
            self._told[name] = why
            log.warning("nothing of it stands ready", environment=name, why=why)
