"""The commands that ask for sweeps: one notebook with many sets of parameters."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from drybench_client.commands import DONE, INTERRUPTED, NOT_DONE, Which

if TYPE_CHECKING:
    from drybench_client.bench import Bench
    from drybench_client.sweeps import Sweep

_HERE = Which()


def sweep(
    notebook: Path,
    *,
    parameter: Annotated[list[str] | None, Parameter(name=["--parameter", "-p"])] = None,
    raw: Annotated[list[str] | None, Parameter(name=["--raw", "-r"])] = None,
    csv: Path | None = None,
    files: list[str] | None = None,
    count: bool = False,
    wait: bool = False,
    name: str | None = None,
    environment: str | None = None,
    size: str | None = None,
    timeout: str | None = None,
    alone: bool = False,
    cwd: Path | None = None,
    which: Which = _HERE,
) -> int:
    """Run a notebook many times, with other values each time.

    Parameters
    ----------
    notebook
        A notebook file (.ipynb).
    parameter
        NAME=VALUES: 1,2,3 or 0..1:0.1 or 0..1 in 11. Several are combined, each with each.
    raw
        NAME=VALUE, the same in all runs and with the value as text.
    csv
        A table whose first line names parameters: a run for each row.
    files
        NAME=FOLDER/*.tif: a run for each file, whose path goes to this parameter.
    count
        Say how many runs it would be, and begin nothing.
    wait
        Stay until all have ended: 0 when all are done, 1 when one is not, 2 when it was refused.
    name
        What the sweep is called; the notebook's name otherwise.
    environment
        The environment to run it in.
    size
        How much of the machine each run may have.
    timeout
        Stop a run after this time: 90, 90s, 30min, 2h.
    alone
        Without the files that lie beside the notebook.
    cwd
        Work in this folder of yours, and collect no files.
    """
    from drybench_client import printing, printing_sweeps, values

    parts: dict[str, Any] = {"typed": values.pairs(parameter or ()), "files": values.pairs(files or ()), "csv": csv}
    fixed = values.pairs(raw or ())
    options: dict[str, Any] = {"name": name, "environment": environment, "size": size, "alone": alone, "cwd": cwd}
    options["timeout"] = values.seconds(timeout) if timeout is not None else None
    with which.open() as bench:
        if count:
            counted = bench.count_sweep(notebook, fixed, **parts)
            printing.show_json(dict(counted)) if which.json else printing_sweeps.show_count(counted)
            return DONE
        asked = bench.sweep(notebook, fixed, **parts, **options)
        if wait:
            return _wait(bench, asked, which)
    if which.json:
        printing.show_json(dict(asked))
    else:
        printing_sweeps.show_sweep(asked)
        print(f"See it at {asked['url']}")
    return DONE


def sweeps(*, most: int = 20, which: Which = _HERE) -> None:
    """Your sweeps, the newest first.

    Parameters
    ----------
    most
        How many of them.
    """
    from drybench_client import printing, printing_sweeps

    with which.open() as bench:
        found = list(bench.sweeps(most))
    printing.show_json({"items": found}) if which.json else printing_sweeps.show_sweeps(found)


COMMANDS = (sweep, sweeps)


def _wait(bench: Bench, asked: Sweep, which: Which) -> int:
    from drybench_client import printing, printing_sweeps

    progress = printing.Progress()
    try:
        ended = bench.wait_sweep(asked, tell=lambda seen: progress.say(printing_sweeps.line(seen)))
    except KeyboardInterrupt:
        progress.end()
        printing.say(f"The sweep goes on. See it at {asked['url']}")
        return INTERRUPTED
    finally:
        progress.end()
    printing.show_json(dict(ended)) if which.json else printing_sweeps.show_sweep(ended)
    return DONE if ended["totals"]["done"] == ended["runs"] else NOT_DONE
