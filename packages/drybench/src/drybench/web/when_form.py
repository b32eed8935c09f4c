"""The part of a form that says when: as it was typed, and as a request. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from drybench.runs.requests import RunRequest
from drybench.schedules import times as schedules
from drybench.schedules.asking import ScheduleRequest


@dataclass(frozen=True)
class WhenForm:
    when: str = "now"  # now, at, cron
    typed_at: str = ""
    typed_cron: str = ""
    zone: str = ""  # empty: the browser's own, by script
    missed: str = "once"
    reads: str = "now"  # the notebook as it is now, or then

    @property
    def at(self) -> str | None:
        return self.typed_at if self.when == "at" else None

    @property
    def cron(self) -> str | None:
        return self.typed_cron if self.when == "cron" else None

    @property
    def zones(self) -> list[str]:
        return schedules.zones()

    def schedule(self, run: RunRequest) -> ScheduleRequest | None:
        """None: it shall run now."""
        if self.when not in ("at", "cron"):
            return None
        missed: schedules.Missed = "skip" if self.missed == "skip" else "once"
        return ScheduleRequest(run, self.cron, self.at, self.zone or "UTC", missed, self.reads == "then")


def filled(form: Mapping[str, object]) -> WhenForm:
    """From the fields of a form, whatever else is in it."""
    words = {name: value.strip() for name, value in form.items() if isinstance(value, str)}
    return WhenForm(
        when=words.get("when", "now"),
        typed_at=words.get("at", ""),
        typed_cron=words.get("cron", ""),
        zone=words.get("zone", ""),
        missed=words.get("missed", "once"),
        reads=words.get("reads", "now"),
    )
