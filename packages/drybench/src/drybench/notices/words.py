"""What a notice says, as things stand when it is sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from drybench.ledger import Ledger
from drybench.model import Run
from drybench.notices import messages as notices
from drybench.notices.book import NoticeBook
from drybench.notices.messages import Message, Notice
from drybench.phases import Outcome
from drybench.runs.causes import Cause
from drybench.schedules.book import ScheduleBook

STILL_FAILED = (None, Outcome.FAILED)
KEPT = "Cell {run.cell} of {run.cells} failed, and its kernel is kept until {run.held_until:%Y-%m-%d %H:%M} UTC."
GOES_ON = "A cell failed and its kernel was kept; it goes on by now."
OPEN_IT = "Open its page to attach to the kernel, to go on, or to let it go."

Describe = Callable[[Run], Cause | None]


class Words:
    def __init__(
        self, ledger: Ledger, book: NoticeBook, schedules: ScheduleBook, describe: Describe, public: str
    ) -> None:
        self._ledger = ledger
        self._book = book
        self._schedules = schedules
        self._describe = describe
        self._public = public

    def of(self, notice: Notice) -> Message | None:
        """None when there is nothing to tell of any more."""
        if notice.run_id is None:
            return self._of_schedule(notice)
        run = self._ledger.run(notice.run_id)
        if run is None:
            return None
        if notice.about == notices.HELD and (run.attempt != notice.attempt or run.task.outcome not in STILL_FAILED):
            return None  # mended before it was sent: that has a notice of its own
        return self._of_sweep(notice, run, run.sweep_id) if run.sweep_id else self._of_run(notice, run)

    def _of_run(self, notice: Notice, run: Run) -> Message:
        task = run.task
        said, next_step = self._why(run)
        url = f"{self._public}/runs/{run.id}"
        facts = {
            "id": run.id,
            "name": run.name,
            "outcome": task.outcome and task.outcome.value,
            "reason": task.reason and task.reason.value,
            "sentence": notices.plain(said, notices.LONGEST_WORDS),
            "next_step": next_step,
            "held_until": _z(run.held_until) if task.outcome is None else None,
            "url": url,
            "attempt": run.attempt,
            "schedule": run.schedule_id,
            "created_at": _z(run.created_at),
            "started_at": _z(task.started_at),
            "ended_at": _z(task.ended_at),
        }
        what = {Outcome.DONE: "Done", Outcome.LOST: "Lost"}.get(task.outcome or Outcome.FAILED, "Failed")
        words = f"{said} {next_step}".strip()
        return notices.message(notice.id, what, run.name, words, url, {"kind": "run", "run": facts})

    def _why(self, run: Run) -> tuple[str, str]:
        """A run that has not ended yet is told of because its kernel was kept."""
        if run.task.outcome is None:
            return (KEPT.format(run=run) if run.held_until else GOES_ON), OPEN_IT
        cause = self._describe(run)
        return (cause.sentence, cause.next_step) if cause else ("", "")

    def _of_sweep(self, notice: Notice, run: Run, sweep_id: str) -> Message:
        totals = self._book.sweep_totals(sweep_id)
        counts = {outcome.value: totals.get(outcome, 0) for outcome in Outcome}
        sentence = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
        url = f"{self._public}/sweeps/{sweep_id}"
        what = "Failed in part" if totals.get(Outcome.FAILED) or totals.get(Outcome.LOST) else "Done"
        facts = {"id": sweep_id, "name": run.name, "url": url, **counts}
        return notices.message(
            notice.id, what, run.name, f"Of its runs: {sentence}.", url, {"kind": "sweep", "sweep": facts}
        )

    def _of_schedule(self, notice: Notice) -> Message | None:
        schedule = self._schedules.get(notice.schedule_id or "")
        if schedule is None or not schedule.problem:
            return None
        url = f"{self._public}/schedules"
        facts: dict[str, Any] = {"id": schedule.id, "name": schedule.name, "problem": schedule.problem, "url": url}
        about = {"kind": "schedule", "schedule": facts}
        return notices.message(notice.id, "Not run", schedule.name, schedule.problem, url, about)


def _z(time: datetime | None) -> str | None:
    return time and time.isoformat(timespec="seconds").replace("+00:00", "Z")
