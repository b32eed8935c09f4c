"""All that is written down of one attempt, from the first event to result.json."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from drybench_runner import causes, record
from drybench_runner.book import Book, is_executed
from drybench_runner.causes import End
from drybench_runner.finishing import LastFiles
from drybench_runner.frames import last_own_frame, missing_module
from drybench_runner.journal import Journal, Later, Log
from drybench_runner.kernelspecs import KernelSpec
from drybench_runner.places import Places
from drybench_runner.record import RunFile
from drybench_runner.recording import Recording
from drybench_runner.whole import Whole


class RunRecord:
    """Opened when the run begins. `full` is called when the disk has no room for the journal."""

    def __init__(self, places: Places, notebook: dict[str, Any], later: Later, full: Callable[[], None]) -> None:
        self._places = places
        self._files = LastFiles(places)
        self._journal = Journal(places.journal, later, full)
        self._log = Log(places.log)
        self.book = Book(notebook)
        self.recording = Recording(self.book, self._journal, self._log, Whole(places.whole))
        self.started_at = self.ended_at = record.moment()

    def begin(self, run: RunFile, started_at: str, cells: list[Any]) -> None:
        self.started_at = started_at
        came_from, goes_to = str(Path(run.folder or "", run.notebook_name)), str(self._places.notebook)
        count = sum(map(is_executed, cells))
        self.recording.begin(started_at, count, input_path=came_from, output_path=goes_to)

    def flush(self) -> None:
        self._journal.flush()

    def has_room(self) -> bool:
        return self._files.has_room()

    def keep_notebook(self, end: End) -> End:
        """The notebook, and what then is the end: without notebook or journal none is done."""
        self._tell(end)
        if self._files.keep_notebook(self.book.settled()) and self._journal.is_whole:
            return end
        self._files.use_the_room()
        end = causes.DISK_FULL if end.outcome == "done" else end
        self._tell(end)
        self._files.keep_notebook(self.book.settled())
        return end

    def close(self) -> None:
        self._journal.close()
        self._log.close()

    def keep_result(self, end: End, spec: KernelSpec, **more: Mapping[str, Any] | None) -> None:
        told, error = self.recording, end.error
        where = (None, None) if end.outcome == "done" else (told.cell, told.cell_number)
        result = record.Result(
            outcome=end.outcome,
            reason=end.reason,
            sentence=end.sentence,
            cell=where[0],
            cell_number=where[1],
            error=error,
            started_at=self.started_at,
            ended_at=self.ended_at,
            cells=told.cells,
            executed=told.executed,
            kernel={"name": spec.name, "language": spec.language},
            last_frame=last_own_frame(error.traceback, told.numbers, told.cell_number) if error else None,
            missing_module=missing_module(error) if error else None,
            values=told.values.found,
            values_left_out=told.values.left_out,
            picture=self._files.keep_picture(told.picture.file()),
            **more,
        )
        self._files.keep_result(result)

    def _tell(self, end: End) -> None:
        self.ended_at = self.recording.end(end.outcome, end.sentence)
        self._journal.flush()
