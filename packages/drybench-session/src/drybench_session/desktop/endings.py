"""How a screen can end, in words for who looks at it. The docstring is the sentence, as with errors.

Ending
├─ LoggedOut          the desktop's session ended as it was asked to
├─ DesktopGone        its session ended by itself; what ran on it goes on
├─ WindowsGone        its window manager fell over too often to be started once more
├─ ProgramGone        the one program ended
├─ ProgramFailed      the one program ended with a fault
├─ ProgramMissing     there is no such program
├─ ScreenGone         the X server ended, and all programs with it
├─ NoScreen           the X server could not be started
├─ NoXServer          there is none
└─ NoDesktop          there is nothing to make a desktop of
"""

from __future__ import annotations

import signal
from typing import Any, ClassVar


class Ending(Exception):
    cause: ClassVar[str]
    button: ClassVar[str] = "Start it again"

    def __init__(self, **facts: object) -> None:
        self._facts = facts
        self.sentence = (type(self).__doc__ or "").format(**facts)
        super().__init__(self.sentence)

    @property
    def next(self) -> dict[str, Any]:
        return {"action": "start", "title": self.button.format(**self._facts)}


class LoggedOut(Ending):
    """You logged out of the desktop. Programs that did not end with it are kept."""

    cause = "logged-out"
    button = "Open the desktop again"


class DesktopGone(Ending):
    """The desktop ended unexpectedly ({how}). The programs on it go on."""

    cause = "windows"
    button = "Show them on a new desktop"


class WindowsGone(Ending):
    """What draws the windows' frames ({name}) ended several times in a row ({how}). The programs go on."""

    cause = "windows"
    button = "Start it once more"


class ProgramGone(Ending):
    """{title} was closed."""

    cause = "program"
    button = "Open {title} again"


class ProgramFailed(Ending):
    """{title} ended unexpectedly ({how}). What it said last: {said}"""

    cause = "program"
    button = "Open {title} again"


class ProgramMissing(Ending):
    """{title} could not be started: {problem}."""

    cause = "program"
    button = "Try again"


class ScreenGone(Ending):
    """The screen's server ended ({how}), and the programs on it with it. Files that were saved are all there."""

    cause = "display"
    button = "Start a new one"


class NoScreen(Ending):
    """No screen could be started: {problem}"""

    cause = "display"
    button = "Try again"


class NoXServer(Ending):
    """No screen can be shown here: {name} (TigerVNC) is not installed."""

    cause = "display"
    button = "Try again"


class NoDesktop(Ending):
    """There is no desktop to show here: neither xfce nor a window manager is installed."""

    cause = "windows"
    button = "Try again"


def how(code: int) -> str:
    """An exit code as Python tells it: negative where a signal ended the program."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"
