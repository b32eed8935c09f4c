"""The commands that ask for sweeps: one notebook with many sets of parameters."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from drybench_client.commands.said import ANYHOW, DONE, HERE, INTERRUPTED, NOT_DONE, How, Which, needed

if TYPE_CHECKING:
    from drybench_client.bench import Bench
    from drybench_client.sweeps import Sweep


def sweep(
    notebook: Path,
    *,
    parameter: Annotated[list[str] | None, Parameter(name=["--parameter", "-p"])] = None,
    raw: Annotated[list[str] | None, Parameter(name=["--raw", "-r"])] = None,
    csv: Path | None = None,
    files: list[str] | None = None,
    count: bool = False,
    wait: bool = False,
    how: How = ANYHOW,
    which: Which = HERE,
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
    """
    from drybench_client import printing_sweeps, values

    parts: dict[str, Any] = {"typed": values.pairs(parameter or ()), "files": values.pairs(files or ()), "csv": csv}
    fixed = values.pairs(raw or ())
    with which.open() as bench:
        if count:
            counted = bench.count_sweep(notebook, fixed, **parts)
            which.show(counted, printing_sweeps.show_count)
            return DONE
        asked = bench.sweep(notebook, fixed, **parts, **how.options())
        if wait:
            return _wait(bench, asked, which)
    which.show(asked, printing_sweeps.show_asked)
    return DONE


def sweeps(
    action: Literal["list", "show", "cancel", "rerun-failed", "table", "results", "remove"] = "list",
    id: str | None = None,
    *,
    most: int = 20,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    which: Which = HERE,
) -> None:
    """Your sweeps, the newest first.

    Parameters
    ----------
    action
        What to do with one: end it, run once more what did not get done, print its parameters and returned values
        as CSV, write the notebooks and files of all its runs to a zip, or remove it with its runs for good.
    id
        The sweep's id, or the end of it, or its name.
    most
        How many of them.
    output
        The zip to write.
    """
    from drybench_client import printing, printing_sweeps

    with which.open() as bench:
        if action == "list":
            found = list(bench.sweeps(most))
            which.show_items(found, printing_sweeps.show_sweeps)
        elif action == "remove":
            bench.remove_sweep(needed(id))
        elif action == "table":
            print(bench.sweep_csv(needed(id)).removeprefix("\ufeff"), end="")
        elif action == "results":
            sweep = bench.get_sweep(needed(id))
            print(bench.sweep_results(sweep, output or Path(f"{printing.file_name(sweep['name'])}.zip")))
        else:
            deeds = {"show": bench.get_sweep, "cancel": bench.cancel_sweep, "rerun-failed": bench.rerun_failed}
            sweep = deeds[action](needed(id))
            which.show(sweep, printing_sweeps.show_sweep)


COMMANDS = (sweep, sweeps)


def _wait(bench: Bench, asked: Sweep, which: Which) -> int:
    from drybench_client import printing, printing_sweeps

    try:
        ended = bench.wait_sweep(asked, progress=True)
    except KeyboardInterrupt:
        printing.say(f"The sweep goes on. See it at {asked['url']}")
        return INTERRUPTED
    which.show(ended, printing_sweeps.show_sweep)
    return DONE if ended["totals"]["done"] == ended["runs"] else NOT_DONE
