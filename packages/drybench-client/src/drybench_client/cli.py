"""`drybench`: the commands of whoever is installed, with one way of ending."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import metadata
from typing import Any

from cyclopts import App, CycloptsError, Parameter

from drybench_client.commands import environments, receipts, results, runs, schedules, sessions, shares, sweeps
from drybench_client.errors import BenchAway

COMMANDS = (
    *runs.COMMANDS,
    *results.COMMANDS,
    *receipts.COMMANDS,
    *sweeps.COMMANDS,
    *schedules.COMMANDS,
    *sessions.COMMANDS,
    *shares.COMMANDS,
    *environments.COMMANDS,
)
_NAMES = {command.__name__.replace("_", "-") for command in COMMANDS}
_REFUSED, _AWAY, _INTERRUPTED, _PIPE_CLOSED = 2, 3, 130, 141

app = App(
    name="drybench",
    help="Notebooks and sessions on a bench.",
    version=lambda: metadata.version("drybench-client"),
    default_parameter=Parameter(negative=()),
    help_format="plaintext",
)
for _command in COMMANDS:
    app.command(_command)


def main() -> None:
    sys.exit(call(sys.argv[1:]))


def call(words: Sequence[str]) -> int:
    """0 done · 1 the run did not end well · 2 refused · 3 no bench answers."""
    try:
        if not words or words[0] not in _NAMES:
            _add_plug_ins()
        code = app(words, exit_on_error=False, print_error=False, result_action="return_value")
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that Python's own flush is quiet too
        return _PIPE_CLOSED
    except KeyboardInterrupt:
        return _INTERRUPTED
    except CycloptsError as error:
        return _say(str(error), f"`drybench {_known(words)}--help` says what there is.")
    except Exception as error:
        return _explain(error)
    return code if isinstance(code, int) else 0


def _add_plug_ins() -> None:
    """Commands that other packages bring, such as the keeper's; one that is broken takes no other with it."""
    for found in metadata.entry_points(group="drybench.commands"):
        try:
            found.load()(app)
        except Exception as error:
            _say(f"The commands of {found.value} are left out: {error}", "Install that package again.")


def _explain(error: Exception) -> int:
    """Every error of Drybench's, here or on the server's side, has a sentence and a next step."""
    as_json: Any = getattr(error, "as_json", None)
    if as_json is None:
        raise error
    said = as_json()
    _say(said["sentence"], said["next_step"])
    return _AWAY if isinstance(error, BenchAway) else _REFUSED


def _say(sentence: str, next_step: str) -> int:
    from drybench_client.printing import say_error

    say_error(sentence, next_step)
    return _REFUSED


def _known(words: Sequence[str]) -> str:
    return f"{words[0]} " if words and words[0] in _NAMES else ""
