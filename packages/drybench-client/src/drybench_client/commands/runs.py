"""The commands for runs: begin one or several, see how they go, stop one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from drybench_client.commands.said import ANYHOW, DONE, HERE, INTERRUPTED, NOT_DONE, NOW, How, When, Which

if TYPE_CHECKING:
    from drybench_client.answers import Run
    from drybench_client.asking import Options
    from drybench_client.bench import Bench


def run(
    notebook: Path,
    *others: Path,
    parameter: Annotated[list[str] | None, Parameter(name=["--parameter", "-p"])] = None,
    raw: Annotated[list[str] | None, Parameter(name=["--raw", "-r"])] = None,
    wait: bool = False,
    output: Path | None = None,
    later: When = NOW,
    how: How = ANYHOW,
    which: Which = HERE,
) -> int:
    """Run a notebook in the background, or several.

    Parameters
    ----------
    notebook
        A notebook file (.ipynb).
    others
        More of them: a run for each, with the same values.
    parameter
        NAME=VALUE for the notebook's cell tagged `parameters`; numbers, true, false and None are
        taken as such.
    raw
        NAME=VALUE, with the value as text whatever it looks like.
    wait
        Stay until it has ended: 0 when it is done, 1 when it is not, 2 when it was refused.
    output
        Wait, and write the executed notebook to this file, however it ended.
    """
    from drybench_client import values

    given, options = values.parameters(parameter or (), raw or ()), how.options()
    if output is not None:
        _may_write(output)
    if later.is_meant:
        _may_not_wait(wait or output is not None)
        return max(_schedule(one, given, {**vars(later), **options}, which) for one in (notebook, *others))
    if others:
        return _run_all((notebook, *others), given, options, wait, output, which)
    with which.open() as bench:
        asked = bench.submit(notebook, given, **options)
        return _wait(bench, asked, output, which) if wait or output is not None else _asked(asked, which)


def runs(
    *,
    most: int = 20,
    state: str | None = None,
    tag: str | None = None,
    starred: bool = False,
    search: str | None = None,
    which: Which = HERE,
) -> None:
    """Your runs, the newest first.

    Parameters
    ----------
    most
        How many of them.
    state
        Only those that are waiting, running, done, failed, stopped or lost.
    tag
        Only those with this tag.
    starred
        Only those with a star.
    search
        Only those with this in their name.
    """
    from drybench_client import printing

    with which.open() as bench:
        found = list(bench.runs(most, state=state, tag=tag, starred=starred, search=search))
    only = ", ".join(word for word in (state, tag and f"tagged {tag}", "starred" if starred else "", search) if word)
    which.show_items(found, lambda some: printing.show_runs(some, only))


def show(id: str, *, which: Which = HERE) -> None:
    """One run: its state, and the cause where it did not go well.

    Parameters
    ----------
    id
        The run's id, or the end or the beginning of it.
    """
    from drybench_client import printing

    with which.open() as bench:
        found = bench.get(id)
    which.show(found, printing.show_run)


def wait(id: str, *, output: Path | None = None, which: Which = HERE) -> int:
    """Stay until a run has ended: 0 when it is done, 1 when it is not.

    Parameters
    ----------
    id
        The run's id, or the end or the beginning of it.
    output
        Write the executed notebook to this file.
    """
    if output is not None:
        _may_write(output)
    with which.open() as bench:
        return _wait(bench, bench.get(id), output, which)


def logs(id: str, *, follow: Annotated[bool, Parameter(name=["--follow", "-f"])] = False, which: Which = HERE) -> None:
    """What a run printed.

    Parameters
    ----------
    id
        The run's id, or the end or the beginning of it.
    follow
        Go on until it has ended.
    """
    from drybench_client import printing

    with which.open() as bench:
        found = bench.get(id)
        blocks = bench.log(found, follow=follow)
        if which.json:
            text = b"".join(blocks).decode(errors="replace")
            printing.show_json({**bench.get(found), "log": text})
            return
        for block in blocks:
            sys.stdout.buffer.write(block)
            sys.stdout.buffer.flush()


def cancel(id: str, *, which: Which = HERE) -> None:
    """Stop a run; what it did so far is kept.

    Parameters
    ----------
    id
        The run's id, or the end or the beginning of it.
    """
    from drybench_client import printing

    with which.open() as bench:
        found = bench.cancel(id)
    which.show(found, printing.show_run_state)


def inspect(notebook: Path, *, which: Which = HERE) -> None:
    """The parameters that a notebook takes.

    Parameters
    ----------
    notebook
        A notebook file (.ipynb).
    """
    from drybench_client import printing

    with which.open() as bench:
        found = bench.inspect(notebook)
    which.show(found, printing.show_inspected)


COMMANDS = (run, runs, show, wait, logs, cancel, inspect)


def _may_write(file: Path) -> None:
    """Said before a long run, and not after it."""
    from drybench_client.errors import Refused

    if file.is_dir() or not file.absolute().parent.is_dir():
        sentence = f"{file} cannot be written: " + ("it is a folder." if file.is_dir() else "its folder is not there.")
        raise Refused("output_wrong", sentence, "Give --output the path of a file in a folder that is there.")


def _may_not_wait(asked: bool) -> None:
    from drybench_client.errors import Refused

    if asked:
        step = "Leave out --wait and --output; `drybench schedules` shows how it goes."
        raise Refused("schedule_not_waited_for", "What begins later is not waited for.", step)


def _schedule(notebook: Path, given: dict[str, Any], asked: dict[str, Any], which: Which) -> int:
    from drybench_client import printing_schedules

    with which.open() as bench:
        made = bench.schedule(notebook, given, **asked)
    which.show(made, printing_schedules.show_schedule)
    return DONE


def _run_all(
    notebooks: tuple[Path, ...],
    given: dict[str, Any],
    options: Options,
    wait: bool,
    output: Path | None,
    which: Which,
) -> int:
    from drybench_client import several
    from drybench_client.errors import Refused

    if output is not None:
        step = "Leave --output out; `drybench show` tells of each run, and its page has the notebook."
        raise Refused("output_wrong", "Several notebooks do not go into one file.", step)
    with which.open() as bench:
        came = several.run_all(bench, notebooks, given, options, wait)
    several.show(came, which.json)
    return several.code_of(came, wait)


def _asked(run: Run, which: Which) -> int:
    from drybench_client import printing

    which.show(run, printing.show_asked)
    return DONE


def _wait(bench: Bench, asked: Run, output: Path | None, which: Which) -> int:
    from drybench_client import printing

    try:
        ended = bench.wait(asked, progress=True)
    except KeyboardInterrupt:
        id = printing.short(asked)
        printing.say(f"Run {id} goes on. See it by: drybench show {id} · stop it by: drybench cancel {id}")
        return INTERRUPTED
    if output is not None:
        _write(output, bench.notebook(ended))
    which.show(ended, printing.show_ended)
    return DONE if ended["outcome"] == "done" else NOT_DONE


def _write(file: Path, content: bytes) -> None:
    from drybench_client.errors import Refused

    try:
        file.write_bytes(content)
    except OSError as error:
        step = "The run has ended and the bench keeps its notebook; its page offers the download."
        raise Refused("output_wrong", f"{file} cannot be written: {error.strerror}.", step) from None
