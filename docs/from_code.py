"""Writes the reference pages that code knows best: settings, errors, commands. `make docs` runs it.

The pages are committed, so that they can be read where the repository lies; a test holds them true.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from cyclopts import App, Parameter

from drybench import errors, settings
from drybench.errors import DrybenchError
from drybench.runs.cause_words import NEXT_STEPS, PACKAGES, WORDS
from drybench_client.cli import COMMANDS

REFERENCE = Path(__file__).resolve().parent / "reference"
MADE = "<!-- made by docs/from_code.py: change the code, then `make docs` -->\n"


def pages() -> dict[str, str]:
    return {
        "settings.md": settings_page(),
        "errors.md": errors_page(),
        "causes.md": causes_page(),
        "cli.md": commands_page(),
    }


def write() -> None:
    for name, text in pages().items():
        (REFERENCE / name).write_text(text)


def settings_page() -> str:
    intro = """# Settings

Everything in `drybench.toml`, in the data directory. A bench needs no such file: each key has a default. A value comes
from the command line, else from a variable (`DRYBENCH_SECTION__KEY`), else from the file, else from here. `drybench
settings` prints what is in force and where each value came from. [Configure](../how-to/configure.md) has examples.
"""
    return f"{MADE}\n{intro}\n{settings.reference()}"


def errors_page() -> str:
    intro = """# Errors

Every sentence that Drybench says when something does not go, with its code and what to do. Page, API and command line
say the same. Words in braces stand for what the sentence is about.

In the API an error is `{"code": …, "sentence": …, "next_step": …}` with the HTTP status given here.
"""
    told = [_error(error) for error in sorted(concrete(DrybenchError), key=code_of)]
    reasons = "\n".join(["## Why a run or a session ended", "", *map(_reason, WORDS.items())])
    return "\n".join([MADE, intro, "## When something is refused\n", *told, reasons])


def causes_page() -> str:
    intro = """# Causes

Why a run or a session ended other than well: the sentence that page, API and command line say, and the next step. What
stands in braces is filled in where it is known: the cell, how much memory its size has and how much was used, the last
line of your own code, who cancelled it. The words are those of `reason` in [result.json](run-folder.md).
"""
    reasons = ["## Why it ended", "", "| reason | is told as | what to do |", "| --- | --- | --- |"]
    reasons += [f"| `{reason}` | {_cell(words[0])} | {_cell(words[1])} |" for reason, words in WORDS.items()]
    steps = ["## Errors of a cell that many people meet", "", "| error | what to do |", "| --- | --- |"]
    steps += [f"| `{name}` | {_cell(step)} |" for name, step in NEXT_STEPS.items()]
    packages = ["## Packages with another name than their module", "", "| module | package |", "| --- | --- |"]
    packages += [f"| `{module}` | `{package}` |" for module, package in PACKAGES.items()]
    return "\n".join([MADE, intro, *reasons, "", *steps, "", *packages, ""])


def commands_page() -> str:
    intro = """# Commands

`drybench` comes with the client. Where the server is installed too it has the keeper's commands as well. In the clone
it is `.venv/bin/drybench`; in a session's terminal it is on the path.

A command that asks the bench finds it by `--bench URL` and the variable `DRYBENCH_TOKEN`; in a session `DRYBENCH_URL`
and `DRYBENCH_TOKEN` are set. Else it takes the bench in your own data directory: `--data DIR`, else `DRYBENCH_DATA`,
else `~/.local/share/drybench`.

Exit codes: 0 when all is well, 1 when a run did not end well, 2 when the request was refused, 3 when no bench answers.
A refusal says why, and what to do.
"""
    told = command_line().generate_docs("markdown", heading_level=2, flatten_commands=True, usage_name="drybench")
    told = re.sub(r"(?<= )-m \w+ (?=\[)", "", told)  # cyclopts says how Python itself was called
    first = told.index("\n## drybench ")  # before it the same list once more, and twice
    return "\n".join([MADE, intro + told[first:].rstrip() + "\n"])


def command_line() -> App:
    """Everybody's commands and those that plug-ins add, the keeper's among them."""
    app = App(name="drybench", default_parameter=Parameter(negative=()), help_format="plaintext")
    for command in COMMANDS:
        app.command(command)
    for found in metadata.entry_points(group="drybench.commands"):
        found.load()(app)
    return app


def code_of(error: type[DrybenchError]) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", error.__name__).lower()


def concrete(error: type[DrybenchError]) -> Iterator[type[DrybenchError]]:
    """Those that say something of their own: a sentence that is all braces is filled where it is raised."""
    if inspect.cleandoc(error.__doc__ or "") != "{sentence}" and error is not DrybenchError:
        yield error
    for kind in error.__subclasses__():
        if kind.__module__.startswith(f"{errors.__name__}."):
            yield from concrete(kind)


def _error(error: type[DrybenchError]) -> str:
    sentence = _plain(error.__doc__ or "")
    step = "" if error.next_step == "{next_step}" else f"\n\n*What to do:* {_plain(error.next_step)}"
    status = f"\n\nHTTP status {error.status}." if error.status != DrybenchError.status else ""
    return f"### {code_of(error)}\n\n{sentence}{step}{status}\n"


def _reason(reason: tuple[Any, tuple[str, str]]) -> str:
    word, (sentence, next_step) = reason
    return f"### {word}\n\n{_plain(sentence)}\n\n*What to do:* {_plain(next_step)}\n"


def _cell(words: str) -> str:
    return _plain(words).replace("|", "\\|")


def _plain(words: str) -> str:
    """One line, with nothing outside of its code that Markdown would take for its own."""
    parts = " ".join(words.split()).split("`")
    parts[::2] = [re.sub(r"([<>*\[\]_])", r"\\\1", part) for part in parts[::2]]
    return "`".join(parts)


if __name__ == "__main__":
    write()
