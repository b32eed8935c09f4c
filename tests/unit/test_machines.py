"""Two engines on one machine share its line and its memory; others do not."""

from __future__ import annotations

from drybench.allocating import Space
from drybench.engines.base import THIS_MACHINE, Capabilities
from drybench.engines.fake import FakeEngine
from drybench.machines import machine_of, machines
from drybench.model import Gpu


class SharesThis(FakeEngine):
    can = Capabilities(machine=THIS_MACHINE)


async def test_what_they_have_is_counted_once() -> None:
    card, other = Gpu("0", 8 << 30), Gpu("1", 24 << 30)
    engines = {
        "local": SharesThis(cores=2, memory=4 << 30, gpus=[card]),
        "docker": SharesThis(cores=4, memory=3 << 30, gpus=[card, other]),
        "elsewhere": FakeEngine(cores=64),
    }
    here, elsewhere = machines(engines)
    assert (set(here.engines), set(elsewhere.engines)) == ({"local", "docker"}, {"elsewhere"})
    each = {"local": frozenset("0"), "docker": frozenset("01")}
    assert await here.space() == Space(4, 4 << 30, (card, other), each)


def test_an_engine_that_is_gone_has_a_line_of_its_own() -> None:
    assert machine_of("gone", {}) == "gone"
