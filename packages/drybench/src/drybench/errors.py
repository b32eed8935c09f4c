"""Every sentence a person reads when something does not go.

    DrybenchError                 code, sentence, next step
    ├─ Refused                    wrong input, said at once and before it is queued      422
    │  ├─ NotANotebook  ParametersWrong  NoSuchKernel  TooLarge  NameNotAllowed …
    ├─ NotFound                   no such run, session, environment (or not yours)       404
    ├─ NotAllowed                 you may not                                            403
    ├─ Conflict                   it is no longer what it was                            409
    ├─ SettingsWrong              a line of drybench.toml
    └─ CannotStart                a port in use, a second bench, data of a newer version

A class's docstring is the sentence; `next_step` says what to do. Both take `{names}` filled
from the keywords given. Web, API and command line print the same.
"""

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


class SettingsWrong(DrybenchError):
    """{file}, line {line}: {problem}"""

    next_step = "Mend that line; `drybench settings` shows every key with its value."


class CannotStart(DrybenchError):
    """{sentence}"""

    next_step = "{next_step}"


def _fill(template: str, facts: dict[str, Any]) -> str:
    words = " ".join(template.split())
    for name, value in facts.items():
        words = words.replace("{" + name + "}", str(value))
    return words
