from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from drybench.engines.base import Engine
from drybench.engines.fake import FakeEngine, FakeMachine
from drybench.model import Gpu
from tests.contract.engine_contract import EngineContract, MakeEngine
from tests.faults import Unreachable


class TestFake(EngineContract):
    exits_with = staticmethod(lambda code: ("exit", str(code)))
    says = staticmethod(lambda text: ("say", text))
    says_variable = staticmethod(lambda name: ("variable", name))
    says_folder = ("folder",)
    is_killed = ("exit", "137")
    serves = ("serve",)
    is_ready = ("ready",)

    @pytest.fixture
    def make_engine(self) -> MakeEngine:
        machine = FakeMachine()

        def make() -> FakeEngine:
            engine = Unreachable(machine, gpus=(Gpu("0"), Gpu("1")))
            engine.broken = False
            return engine

        return make

    @asynccontextmanager
    async def out_of_reach(self, engine: Engine) -> AsyncIterator[None]:
        assert isinstance(engine, Unreachable)
        engine.broken = True
        yield
        engine.broken = False
