"""The commands around what runs left behind: fetch it, keep it, remove it, look into what failed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from drybench_client.commands.said import HERE, Which

if TYPE_CHECKING:
    from drybench_client.answers import Run, Session


def files(
    id: str,
    path: str | None = None,
    *,
    all: bool = False,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    which: Which = HERE,
) -> None:
    """The files that a run made: the list of them, one, or all.

    Parameters
    ----------
    id
        The run's id, or the end or the beginning of it.
    path
        Fetch this one.
    all
        Fetch all as a zip, with the executed notebook and the log.
    output
        The file to write; named as on the bench where it is left out.
    """
    from drybench_client import printing

    with which.open() as bench:
        run = bench.get(id)
        if path is None and not all:
            found = list(bench.files(run))
            which.show_items(found, printing.show_files)
            return
        if path is None:
            file = bench.download_all(run, output or Path(f"{printing.file_name(run['name'])}.zip"))
        else:
            file = bench.download(run, path, output or Path(printing.file_name(Path(path).name)))
    which.show_file(file)


def star(id: str, *, which: Which = HERE) -> None:
    """Keep a run from ever being removed by itself.

    Parameters
    ----------
    id
        The run's id, or the end or the beginning of it.
    """
    with which.open() as bench:
        _show(bench.star(id), which)


def unstar(id: str, *, which: Which = HERE) -> None:
    """Take the star off.

    Parameters
    ----------
    id
        The run's id, or the end or the beginning of it.
    """
    with which.open() as bench:
        _show(bench.unstar(id), which)


def remove(id: str, *, which: Which = HERE) -> None:
    """Remove a run that has ended, with its notebook and all its files, for good.

    Parameters
    ----------
    id
        The run's id, or the end or the beginning of it.
    """
    with which.open() as bench:
        bench.remove(id)


def keep(days: int | None = None, *, which: Which = HERE) -> None:
    """How long your runs are kept, and which go within the next thirty days.

    Parameters
    ----------
    days
        Keep them for so many days after their end; 0 keeps them for ever.
    """
    from drybench_client import printing

    with which.open() as bench:
        found = bench.retention() if days is None else bench.keep(days)
    which.show(found, printing.show_retention)


def open_run(id: str, *, which: Which = HERE) -> None:
    """Open what a run left behind in JupyterLab.

    Parameters
    ----------
    id
        The run's id, or the end or the beginning of it.
    """
    with which.open() as bench:
        _show_address(bench.open_run(id), which)


def attach(id: str, *, which: Which = HERE) -> None:
    """Open JupyterLab on the kernel that was kept when a run failed.

    Parameters
    ----------
    id
        The run's id, or the end or the beginning of it.
    """
    with which.open() as bench:
        _show_address(bench.attach(id), which)


def go_on(id: str, *, next: bool = False, which: Which = HERE) -> None:
    """Go on with a failed run in its kept kernel, as its mended notebook has it.

    Parameters
    ----------
    id
        The run's id, or the end or the beginning of it.
    next
        From the cell after the one that failed, not from that one.
    """
    with which.open() as bench:
        _show(bench.go_on(id, next=next), which)


def let_go(id: str, *, which: Which = HERE) -> None:
    """Keep the kernel of a failed run no longer.

    Parameters
    ----------
    id
        The run's id, or the end or the beginning of it.
    """
    with which.open() as bench:
        _show(bench.let_go(id), which)


COMMANDS = (files, star, unstar, remove, keep, open_run, attach, go_on, let_go)


def _show(run: Run, which: Which) -> None:
    from drybench_client import printing

    which.show(run, printing.show_run_state)


def _show_address(session: Session, which: Which) -> None:
    from drybench_client import printing

    which.show(session, printing.show_address)
