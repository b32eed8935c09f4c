"""What the page of one run shows, read from ledger and run folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from drybench.model import Run, Size
from drybench.notices.messages import Notice
from drybench.phases import Outcome, Phase, Wanted
from drybench.runs import remaining
from drybench.runs.paces import Paces
from drybench.runs.remedies import larger_size
from drybench.runs.run_folder import OutputFile
from drybench.web.journals import Journals
from drybench.web.portal import Portal
from drybench.web.previews import kind_of
from drybench.web.showing import ShownRun, shown_run

MOST_OUTPUTS = 500
MOST_PICTURES = 12
LARGEST_SMALL_PICTURE = 8 << 20  # they are all loaded at once, so a larger one waits until it is asked for


@dataclass(frozen=True)
class RunView:
    shown: ShownRun
    notebook_name: str
    outputs: Sequence[OutputFile]
    pictures: Sequence[OutputFile]
    wholes: Sequence[OutputFile]
    hand: bool  # somebody mended it while it was at work
    larger: Size | None  # in which it may have memory enough
    notices: Sequence[Notice]  # of how it ended


@dataclass(frozen=True)
class Now:
    """What changes from second to second."""

    run: Run
    left: str  # in words; empty where nothing honest can be said


def run_view(portal: Portal, run: Run) -> RunView:
    folders = portal.run_folders
    begun, ended = run.task.phase > Phase.WAITING, run.task.phase is Phase.ENDED
    outputs = folders.outputs(run.id, run.attempt, MOST_OUTPUTS) if begun else ()
    failed = ended and run.task.outcome is Outcome.FAILED
    return RunView(
        shown=shown_run(portal, run, whole=True),
        notebook_name=str(folders.run_json(run.id).get("notebook_name", "notebook.ipynb")),
        outputs=outputs,
        pictures=[file for file in outputs if _is_small_picture(file)][:MOST_PICTURES],
        wholes=folders.wholes(run.id, run.attempt) if begun else (),
        hand=ended and folders.had_a_hand(run.id, run.attempt),
        larger=larger_size(run.task.reason, run.size, portal.catalogue.sizes()) if failed else None,
        notices=portal.channels.of_run(run) if ended else (),
    )


def now(run: Run, journals: Journals, paces: Paces) -> Now:
    task = run.task
    if task.phase is not Phase.RUNNING or task.wanted is Wanted.STOP:
        return Now(run, "")
    here = journals.here(run.id, run.attempt, datetime.now(UTC))
    left = remaining.seconds_left(here, paces.earlier(run), paces.usual(run)) if here else None
    return Now(run, "" if left is None else remaining.in_words(left))


def _is_small_picture(file: OutputFile) -> bool:
    return kind_of(file.path, file.size) == "picture" and file.size <= LARGEST_SMALL_PICTURE
