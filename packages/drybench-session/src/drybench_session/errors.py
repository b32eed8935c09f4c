"""What this half has to say when something does not go; all else is in the bench's own words.

SessionError         code, sentence, next step
├─ NotTheOwner       somebody else looks at this session                    403
├─ NoSuchNotebook    the notebook cannot be read where it is said to be     404
├─ AskWrong          what the page sent is not what it should be            422
├─ BenchAway         the bench does not answer                              502
├─ BadName           a file's name that leads elsewhere                     422
├─ NotAFolder        a link or a file where a folder should be              409
├─ BadPiece          a piece of a file that does not belong to it           422
├─ HomeFull          no room for a file                                     507
├─ FileGone          an offered file that is not there any more             404
├─ NotAPicture       what should be a picture is none, or too large         422
├─ TextTooLong       copied on the desktop, and too long for a clipboard     413
├─ ClipboardHangs    a program on the desktop does not hand over its copy    503
└─ NoClipboard       the desktop's clipboard does not answer                503
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


class BadName(SessionError):
    """“{name}” is no name for a file in Downloads."""

    status = 422
    next_step = "Give the file another name, then drop it again."


class NotAFolder(SessionError):
    """“{name}” in your home is a link or no folder, so nothing was put there."""

    status = 409
    next_step = "Give it another name on the desktop, then drop the file again."


class BadPiece(SessionError):
    """This piece of a file cannot be taken: {problem}."""

    status = 422
    next_step = "Drop the file again."


class HomeFull(SessionError):
    """There is no room in your home for “{name}”."""

    status = 507
    next_step = "Remove what you do not need, the trash too, then drop the file again."


class FileGone(SessionError):
    """This file is no longer in “To my computer”, or was changed since it was offered."""

    status = 404
    next_step = "Look at the list again: what has changed is offered anew."


class NotAPicture(SessionError):
    """This is not a picture that can be copied: {problem}."""

    status = 422
    next_step = "Copy it as PNG, or drop it as a file."


class TextTooLong(SessionError):
    """The text copied in the desktop is longer than 8 MB, so it stays there."""

    status = 413
    next_step = "Save it to a file to take it along."


class ClipboardHangs(SessionError):
    """The program on the desktop that copied last does not hand over what it copied."""

    status = 503
    next_step = "Copy it again in a moment, or save it to a file to take it along."


class NoClipboard(SessionError):
    """The desktop's clipboard does not answer: {problem}."""

    status = 503
    next_step = "Copy it again in a moment, or drop it as a file."
