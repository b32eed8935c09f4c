"""What was typed of a time, said back: in words and times, or what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from drybench.errors import Refused
from drybench.schedules import times as schedules
from drybench.schedules.times import When
from drybench.web.portal import Portal
from drybench.web.when_form import WhenForm


@dataclass(frozen=True)
class WhenPreview:
    words: str = ""
    times: Sequence[str] = ()
    refusal: Refused | None = None


def when_preview(portal: Portal, form: WhenForm) -> WhenPreview | None:
    """None: it shall run now."""
    if form.when == "now":
        return None
    try:
        when = portal.schedules.preview(form.cron, form.at, form.zone)
    except Refused as refusal:
        return WhenPreview(refusal=refusal)
    return WhenPreview(schedules.in_words(when), times(when))


def times(when: When) -> Sequence[str]:
    """Those to come, in its own zone."""
    return schedules.in_its_zone(when, schedules.coming(when, datetime.now(UTC)))
