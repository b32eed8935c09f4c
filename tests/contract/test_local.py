from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from drybench.engines import local
from drybench.engines.base import Engine
from drybench.engines.local import LocalEngine
from drybench.model import Gpu
from tests.contract.engine_contract import SERVER, EngineContract, MakeEngine
from tests.waiting import PATIENCE


class TestLocal(EngineContract):
    serves = (sys.executable, "-c", SERVER)

    @pytest.fixture
    def tasks(self, tmp_path: Path) -> Path:
        folder = tmp_path / "tasks"
        folder.mkdir()
        return folder

    @pytest.fixture
    def make_engine(self, tasks: Path, monkeypatch: pytest.MonkeyPatch) -> MakeEngine:
        monkeypatch.setattr(local, "START_WITHIN", PATIENCE)  # what is busy with other tests takes longer
        self.away = tasks.with_name("away")
        self.tasks_folder = tasks
        return lambda: LocalEngine(tasks, cores=2, memory=2 << 30, gpus=(Gpu("0"), Gpu("1")))

    @asynccontextmanager
    async def out_of_reach(self, engine: Engine) -> AsyncIterator[None]:
        """As when the disk with the tasks is not there."""
        self.tasks_folder.rename(self.away)
        yield
        self.away.rename(self.tasks_folder)
