"""The part of a form that says who is told how it ended: as it was chosen, and as a request. Pure.

A page shows it by `{% import "tell.html" as tell_part %}{{ tell_part.fields(form.tell, channels) }}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from drybench.model import Tell
from drybench.notices.messages import ON


@dataclass(frozen=True)
class TellForm:
    on: str = ""  # empty: as usual
    channels: tuple[str, ...] = ()

    @property
    def tell(self) -> Tell | None:
        return Tell(self.on, self.channels) if self.on in ON else None


def filled(form: Mapping[str, object]) -> TellForm:
    """Channels are fields of one name each, so that a form read as a mapping keeps them all."""
    chosen = tuple(name.removeprefix("channel.") for name in form if name.startswith("channel."))
    on = form.get("tell", "")
    return TellForm(on if isinstance(on, str) else "", chosen)
