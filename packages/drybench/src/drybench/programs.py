"""Other programs of this machine, asked one question each, with an end to the waiting."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Thread

MOST_OF_AN_ANSWER = 1 << 16


@dataclass(frozen=True)
class Said:
    """What came of it. `code` is None where the program is not there or was not waited for any longer."""

    code: int | None
    text: str = ""
    here: bool = True  # there is such a program

    @property
    def well(self) -> bool:
        return self.code == 0

    @property
    def hangs(self) -> bool:
        return self.here and self.code is None

    @property
    def last(self) -> str:
        """Its last line that says something: with most programs that is the error."""
        return next((line.strip() for line in reversed(self.text.splitlines()) if line.strip()), "nothing")


NOT_HERE = Said(None, here=False)


def ask(command: Sequence[str], patience: float, env: Mapping[str, str] | None = None) -> Said:
    """One that hangs in a driver does not even end when it is killed, so nobody waits for that either."""
    program = shutil.which(command[0])
    if program is None:
        return NOT_HERE
    try:
        child = subprocess.Popen(
            [program, *command[1:]],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=env,
        )
    except OSError as problem:
        return Said(127, problem.strerror or "")
    try:
        text, _ = child.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        Thread(target=_end, args=(child,), daemon=True).start()
        return Said(None)
    return Said(child.returncode, text[:MOST_OF_AN_ANSWER].decode(errors="replace"))


def _end(child: subprocess.Popen[bytes]) -> None:
    with child:
        child.kill()
