"""The kinds of errors: what every one of them can say of itself, and with which HTTP status."""

from __future__ import annotations

import re
from typing import Any, ClassVar


class DrybenchError(Exception):
    """Drybench could not do this."""

    status: ClassVar[int] = 500
    next_step: ClassVar[str] = "Ask the keeper of this bench; the log names the cause."

    def __init__(self, **facts: Any) -> None:
        self.facts = facts
        self.sentence = _fill(type(self).__doc__ or "", facts)
        self.step = _fill(type(self).next_step, facts)
        super().__init__(f"{self.sentence} {self.step}".strip())

    @property
    def code(self) -> str:
        return re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower()

    def as_json(self) -> dict[str, str]:
        return {"code": self.code, "sentence": self.sentence, "next_step": self.step}


class Refused(DrybenchError):
    """{sentence}"""

    status = 422
    next_step = "{next_step}"


class NotFound(DrybenchError):
    """There is no {what} by that name that you can see."""

    status = 404
    next_step = "Look at the list for what there is."


class NotAllowed(DrybenchError):
    """You may not do this."""

    status = 403
    next_step = "Ask the keeper of this bench for the right to do it."


class Conflict(DrybenchError):
    """{sentence}"""

    status = 409
    next_step = "{next_step}"


def _fill(template: str, facts: dict[str, Any]) -> str:
    """In one pass, so that a hostile fact cannot name another one."""
    return re.sub(r"\{(\w+)\}", lambda name: str(facts.get(name[1], "")), " ".join(template.split()))
