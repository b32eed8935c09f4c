"""`drybench run A.ipynb B.ipynb`: a run for each, and what was refused keeps none of the others from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drybench_client import printing
from drybench_client.errors import BenchAway, BenchError, Refused

if TYPE_CHECKING:
    from drybench_client.answers import Run
    from drybench_client.asking import Options
    from drybench_client.bench import Bench

MOST = 50  # as many as New run takes
DONE, NOT_DONE, REFUSED = 0, 1, 2


@dataclass(frozen=True)
class Came:
    """What came of one notebook: a run, or why not."""

    notebook: Path
    run: Run | None = None
    refusal: BenchError | None = None


def run_all(
    bench: Bench, notebooks: Sequence[Path], given: Mapping[str, Any], options: Options, wait: bool
) -> list[Came]:
    """The same values and wishes for all of them."""
    if len(notebooks) > MOST:
        sentence = f"{len(notebooks)} notebooks are more than go in at once."
        raise Refused("too_many_notebooks", sentence, f"Give at most {MOST}, and the others after them.")
    came = [_ask(bench, notebook, given, options) for notebook in notebooks]
    return [Came(one.notebook, bench.wait(one.run)) if wait and one.run else one for one in came]


def show(came: Sequence[Came], as_json: bool) -> None:
    if as_json:
        refused = [{"notebook": str(one.notebook), **one.refusal.as_json()} for one in came if one.refusal is not None]
        printing.show_json({"items": [one.run for one in came if one.run is not None], "refused": refused})
        return
    for one in came:
        if one.run is not None:
            printing.show_run_state(one.run)
        if one.refusal is not None:
            printing.say_error(f"{one.notebook}: {one.refusal.sentence}", one.refusal.next_step)


def code_of(came: Sequence[Came], waited: bool) -> int:
    if any(one.refusal for one in came):
        return REFUSED
    return NOT_DONE if waited and any(one.run and one.run["outcome"] != "done" for one in came) else DONE


def _ask(bench: Bench, notebook: Path, given: Mapping[str, Any], options: Options) -> Came:
    try:
        return Came(notebook, bench.submit(notebook, given, **options))
    except BenchAway:
        raise
    except BenchError as refusal:
        return Came(notebook, refusal=refusal)
