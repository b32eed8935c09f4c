"""`make bench`: every figure in one table. `make bench ARGS="one_run idle"` for some of them."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import NoReturn

from benchmarks import (
    clicks,
    clicks_in_containers,
    desktop,
    idle,
    image_figures,
    live,
    long_ledger,
    runs,
    runs_in_containers,
    sessions_at_once,
)
from benchmarks.a_bench import a_bench
from benchmarks.measuring import Row, table
from drybench.engines import docker_connection

Figures = Mapping[str, Callable[[], Sequence[Row]]]

ON_THE_MACHINE: Mapping[str, Callable[[Path], Sequence[Row]]] = {
    "idle": idle.idle,
    "one_run": runs.one_run,
    "first_run": runs.first_run,
    "many_cells": runs.many_cells,
    "many_runs": runs.many_runs,
    "a_sweep": runs.a_sweep,
    "some_runs": runs.some_runs,
    "click": clicks.click,
    "live": live.live,
    "long_ledger": long_ledger.long_ledger,
}
IN_CONTAINERS: Figures = {
    "click_in_containers": clicks_in_containers.click,
    "warm_click_in_containers": clicks_in_containers.warm_click,
    "run_in_containers": runs_in_containers.run,
    "sweep_in_containers": runs_in_containers.sweep,
    "sessions_in_containers": sessions_at_once.sessions,
    "desktop_drawn": desktop.drawn,
    "desktop_keys_and_motion": desktop.keys_and_motion,
    "napari_drawn": desktop.napari,
    "image_sizes": image_figures.image_sizes,
    "image_builds": image_figures.image_builds,
    "some_clicks_in_containers": clicks_in_containers.some_clicks,
    "some_runs_in_containers": runs_in_containers.some_runs,
    "some_sweep_in_containers": runs_in_containers.some_sweep,
    "some_sessions_in_containers": sessions_at_once.some_sessions,
    "some_desktop_drawn": desktop.some_drawn,
    "some_desktop_keys_and_motion": desktop.some_keys_and_motion,
    "some_napari_drawn": desktop.some_napari,
    "some_image_builds": image_figures.some_image_builds,
}


def main() -> None:
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, _end)
    rows: list[Row] = []
    try:
        with closing(_wanted()) as wanted:
            for name, figure in wanted:
                print(f"measuring {name} …", file=sys.stderr, flush=True)
                rows += figure()
    finally:
        print(table(rows))


def _wanted() -> Generator[tuple[str, Callable[[], Sequence[Row]]]]:
    """Those on the machine itself share one bench."""
    wanted = sys.argv[1:] or _usual()
    if unknown := [name for name in wanted if name not in (*ON_THE_MACHINE, *IN_CONTAINERS)]:
        raise SystemExit(f"There is no figure {', '.join(unknown)}.")
    with ExitStack() as stack:
        if shared := [name for name in wanted if name in ON_THE_MACHINE]:
            data = stack.enter_context(a_bench())
            yield from ((name, partial(ON_THE_MACHINE[name], data)) for name in shared)
    yield from ((name, IN_CONTAINERS[name]) for name in wanted if name in IN_CONTAINERS)


def _usual() -> Sequence[str]:
    """None of those that say in short what another says, and not half an hour of builds."""
    all_of_them = [*ON_THE_MACHINE, *(IN_CONTAINERS if docker_connection.found() else ())]
    return [name for name in all_of_them if not name.startswith("some_") and name != "image_builds"]


def _end(number: int, _: object) -> NoReturn:
    """Once: what is up is then brought down, and that is not to be cut short."""
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, _go_on)
    raise SystemExit(128 + number)


def _go_on(number: int, _: object) -> None:
    """As if it were not heard, and unlike SIG_IGN not handed on to what is started meanwhile."""


if __name__ == "__main__":
    main()
