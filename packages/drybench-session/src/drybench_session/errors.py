"""What this half has to say when something does not go; all else is in the bench's own words.

SessionError         code, sentence, next step
├─ NotTheOwner       somebody else looks at this session                    403
├─ NoSuchNotebook    the notebook cannot be read where it is said to be     404
├─ AskWrong          what the page sent is not what it should be            422
└─ BenchAway         the bench does not answer                              502
"""

from __future__ import annotations

import re
from typing import ClassVar


class SessionError(Exception):
    """Like the bench's own errors: the docstring is the sentence, `{names}` are filled from the keywords."""

    status: ClassVar[int] = 500
    next_step: ClassVar[str] = ""

    def __init__(self, **facts: str) -> None:
        self.sentence = (type(self).__doc__ or "").format(**facts)
        super().__init__(self.sentence)

    def as_json(self) -> dict[str, str]:
        code = re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower()
        return {"code": code, "sentence": self.sentence, "next_step": self.next_step}


class NotTheOwner(SessionError):
    """This session is {owner}'s, and runs asked for here would be theirs."""

    status = 403
    next_step = "Start a session of your own and run the notebook there."


class NoSuchNotebook(SessionError):
    """{path} cannot be read in this session's folder: {problem}."""

    status = 404
    next_step = "Save the notebook in this session, then run it from there."


class AskWrong(SessionError):
    """What this page sent cannot be read: {problem}."""

    status = 422
    next_step = "Load JupyterLab's page again; it may be older than this session."


class BenchAway(SessionError):
    """The bench does not answer: {problem}."""

    status = 502
    next_step = "Try again in a moment; the session itself goes on. If it stays so, tell the keeper of the bench."
