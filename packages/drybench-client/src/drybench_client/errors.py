"""What a bench says when something does not go.

BenchError            code, sentence, next step
├─ Refused            wrong input, here or there
├─ NotFound           no such run or session (or not yours)
├─ NotAllowed         you may not, or nobody knows who you are
├─ Conflict           it is no longer what it was
└─ BenchAway          no bench answers there
"""

from __future__ import annotations


class BenchError(Exception):
    """The same sentence and next step that the bench's own pages show."""

    def __init__(self, code: str, sentence: str, next_step: str = "") -> None:
        self.code = code
        self.sentence = sentence
        self.next_step = next_step
        super().__init__(f"{sentence} {next_step}".strip())

    def as_json(self) -> dict[str, str]:
        return {"code": self.code, "sentence": self.sentence, "next_step": self.next_step}


class Refused(BenchError):
    """Wrong input; nothing was queued."""


class NotFound(BenchError):
    """There is no such thing, or it is somebody else's."""


class NotAllowed(BenchError):
    """You may not do this, or the bench does not know who you are."""


class Conflict(BenchError):
    """It is no longer what it was."""


class BenchAway(BenchError):
    """No bench answers there."""
