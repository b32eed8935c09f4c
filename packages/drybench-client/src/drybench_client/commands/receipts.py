"""The commands that tell with what a run worked, keep it, repeat it and compare it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from drybench_client.commands.said import DONE, HERE, NOT_DONE, Which


def receipt(id: str, *, which: Which = HERE) -> None:
    """With what a run worked: environment, packages, inputs, machine.

    Parameters
    ----------
    id
        The run's id, or the end or the beginning of it.
    """
    from drybench_client import printing_receipts

    with which.open() as bench:
        found = bench.receipt(id)
    which.show(found, printing_receipts.show_receipt)


def crate(
    id: str, *, output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None, which: Which = HERE
) -> None:
    """A run that has ended as an RO-Crate, for archives and other people.

    Parameters
    ----------
    id
        The run's id, or the end or the beginning of it.
    output
        The file to write (.zip); named by the run where it is left out.
    """
    from drybench_client import printing

    with which.open() as bench:
        run = bench.get(id)
        file = bench.crate(run, output or Path(f"{printing.file_name(run['name'])}.crate.zip"))
    which.show_file(file)


def diff(a: str, b: str, *, which: Which = HERE) -> int:
    """What differs between two runs: 0 when nothing does, else 1.

    Parameters
    ----------
    a
        The id of one, or the end or the beginning of it.
    b
        The id of the other.
    """
    from drybench_client import printing_receipts

    with which.open() as bench:
        found = bench.differences(a, b)
    which.show(found, printing_receipts.show_differences)
    return NOT_DONE if found["subjects"] or found["cells"] else DONE


def again(id: str, *, same: bool = False, which: Which = HERE) -> None:
    """Run the same notebook with the same parameters once more.

    Parameters
    ----------
    id
        The run's id, or the end or the beginning of it.
    same
        In the very environment that it had, or not at all; else in today's.
    """
    from drybench_client import printing

    with which.open() as bench:
        asked = bench.again(id, environment="same" if same else "newer")
    which.show(asked, printing.show_asked)


COMMANDS = (receipt, crate, diff, again)
