"""The commands of `drybench` that ask a bench. Each imports what it needs when it is called."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

from cyclopts import Parameter

if TYPE_CHECKING:
    from drybench_client.answers import Run
    from drybench_client.asking import Options
    from drybench_client.bench import Bench

DONE, NOT_DONE, INTERRUPTED = 0, 1, 130


@Parameter(name="*")
@dataclass(frozen=True)
class Which:
    """Which bench, and how it answers here.

    Parameters
    ----------
    bench
        The bench's address; the token is taken from DRYBENCH_TOKEN.
    data
        The data directory of your own bench on this machine.
    json
        Print one JSON object.
    """

    bench: str | None = None
    data: Path | None = None
    json: bool = False

    def open(self) -> Bench:
        from drybench_client.bench import Bench

        return Bench(self.bench, data=self.data)


@Parameter(name="*")
@dataclass(frozen=True)
class How:
    """What is said with a run.

    Parameters
    ----------
    name
        What it is called; the notebook's name otherwise.
    environment
        The environment to run it in.
    size
        How much of the machine it may have.
    gpu
        A GPU beside those of the size, with at least this memory: 8GiB, 24GB, any. More than one may be given.
    timeout
        Stop it after this time: 90, 90s, 30min, 2h.
    cell_timeout
        Stop it when one cell takes longer.
    requirements
        A requirements.txt: packages that it needs beside the environment.
    retries
        Try it so many times more where the machine or the bench was at fault.
    retry_any
        Try it again also where the notebook was at fault.
    tag
        A word to find it by; more than one may be given.
    priority
        Among your own, -10 to 10: higher is sooner.
    hold
        Keep its kernel for this time when it fails, to look into it: 30min.
    tell
        When you are told of its end; as usual otherwise.
    channel
        The id of a channel to tell you by; all of yours otherwise.
    allow_errors
        Go on after a cell that failed.
    alone
        Without the files that lie beside the notebook.
    cwd
        Work in this folder of yours, and collect no files.
    """

    name: str | None = None
    environment: str | None = None
    size: str | None = None
    gpu: list[str] | None = None
    timeout: str | None = None
    cell_timeout: str | None = None
    requirements: Path | None = None
    retries: int | None = None
    retry_any: bool = False
    tag: list[str] | None = None
    priority: int | None = None
    hold: str | None = None
    tell: Literal["failure", "success", "both", "never"] | None = None
    channel: list[str] | None = None
    allow_errors: bool = False
    alone: bool = False
    cwd: Path | None = None

    def options(self) -> Options:
        from drybench_client import values

        said = dict(vars(self))
        times = ("timeout", "cell_timeout", "hold")
        spans = {name: values.seconds(said[name]) for name in times if said[name] is not None}
        lists = {"tags": said.pop("tag"), "channels": said.pop("channel"), "gpus": said.pop("gpu")}
        return cast("Options", {**said, **spans, **lists})


@Parameter(name="*")
@dataclass(frozen=True)
class When:
    """Now, unless a time is said.

    Parameters
    ----------
    at
        Not now but at this time: "2030-01-31 07:30".
    cron
        Again and again: "30 7 * * 1-5" is every weekday at 07:30.
    zone
        The time zone of --at and --cron, such as Europe/Berlin; this machine's own otherwise.
    missed
        A time when the bench was down is made up for once, or skipped.
    read_again
        At each time run the file as it is then, not as it is now.
    """

    at: str | None = None
    cron: str | None = None
    zone: str | None = None
    missed: Literal["once", "skip"] = "once"
    read_again: bool = False

    @property
    def is_meant(self) -> bool:
        return self.at is not None or self.cron is not None


def run(
    notebook: Path,
    *others: Path,
    parameter: Annotated[list[str] | None, Parameter(name=["--parameter", "-p"])] = None,
    raw: Annotated[list[str] | None, Parameter(name=["--raw", "-r"])] = None,
    wait: bool = False,
    output: Path | None = None,
    later: When = When(),
    how: How = How(),
    which: Which = Which(),
) -> int:
    """Run a notebook in the background, or several.

    Parameters
    ----------
    notebook
        A notebook file (.ipynb).
    others
        More of them: a run for each, with the same values.
    parameter
        NAME=VALUE for the notebook's cell tagged `parameters`; numbers, true, false and None are
        taken as such.
    raw
        NAME=VALUE, with the value as text whatever it looks like.
    wait
        Stay until it has ended: 0 when it is done, 1 when it is not, 2 when it was refused.
    output
        Wait, and write the executed notebook to this file, however it ended.
    """
    from drybench_client import values

    given, options = values.parameters(parameter or (), raw or ()), how.options()
    if output is not None:
        _may_write(output)
    if later.is_meant:
        _may_not_wait(wait or output is not None)
        return max(_schedule(one, given, {**vars(later), **options}, which) for one in (notebook, *others))
    if others:
        return _run_all((notebook, *others), given, options, wait, output, which)
    with which.open() as bench:
        asked = bench.submit(notebook, given, **options)
        return _wait(bench, asked, output, which) if wait or output is not None else _asked(asked, which)


def runs(
    *,
    most: int = 20,
    state: str | None = None,
    tag: str | None = None,
    starred: bool = False,
    search: str | None = None,
    which: Which = Which(),
) -> None:
    """Your runs, the newest first.

    Parameters
    ----------
    most
        How many of them.
    state
        Only those that are waiting, running, done, failed, stopped or lost.
    tag
        Only those with this tag.
    starred
        Only those with a star.
    search
        Only those with this in their name.
    """
    from drybench_client import printing

    with which.open() as bench:
        found = list(bench.runs(most, state=state, tag=tag, starred=starred, search=search))
    only = ", ".join(word for word in (state, tag and f"tagged {tag}", "starred" if starred else "", search) if word)
    printing.show_json({"items": found}) if which.json else printing.show_runs(found, only)


def show(id: str, *, which: Which = Which()) -> None:
    """One run: its state, and the cause where it did not go well.

    Parameters
    ----------
    id
        The run's id, or the end or the beginning of it.
    """
    from drybench_client import printing

    with which.open() as bench:
        found = bench.get(id)
    printing.show_json(found) if which.json else printing.show_run(found)


def wait(id: str, *, output: Path | None = None, which: Which = Which()) -> int:
    """Stay until a run has ended: 0 when it is done, 1 when it is not.

    Parameters
    ----------
    id
        The run's id, or the end or the beginning of it.
    output
        Write the executed notebook to this file.
    """
    if output is not None:
        _may_write(output)
    with which.open() as bench:
        return _wait(bench, bench.get(id), output, which)


def logs(
    id: str, *, follow: Annotated[bool, Parameter(name=["--follow", "-f"])] = False, which: Which = Which()
) -> None:
    """What a run printed.

    Parameters
    ----------
    id
        The run's id, or the end or the beginning of it.
    follow
        Go on until it has ended.
    """
    from drybench_client import printing

    with which.open() as bench:
        found = bench.get(id)
        blocks = bench.log(found, follow=follow)
        if which.json:
            text = b"".join(blocks).decode(errors="replace")
            printing.show_json({**bench.get(found), "log": text})
            return
        for block in blocks:
            sys.stdout.buffer.write(block)
            sys.stdout.buffer.flush()


def cancel(id: str, *, which: Which = Which()) -> None:
    """Stop a run; what it did so far is kept.

    Parameters
    ----------
    id
        The run's id, or the end or the beginning of it.
    """
    from drybench_client import printing

    with which.open() as bench:
        found = bench.cancel(id)
    if which.json:
        printing.show_json(found)
    else:
        printing.show_state("Run", found)


def start(
    environment: str | None = None,
    *,
    name: str | None = None,
    app: str | None = None,
    size: str | None = None,
    gpu: list[str] | None = None,
    which: Which = Which(),
) -> None:
    """Start a session, such as JupyterLab.

    Parameters
    ----------
    environment
        The environment to start.
    name
        What the session is called; several live side by side.
    app
        What to open in it, where the environment has more than one.
    size
        How much of the machine it may have.
    gpu
        A GPU beside those of the size, with at least this memory: 8GiB, 24GB, any. More than one may be given.
    """
    from drybench_client import printing

    with which.open() as bench:
        found = bench.start_session(environment, name=name, app=app, size=size, gpus=gpu or ())
    if which.json:
        printing.show_json(found)
    else:
        printing.show_state("Session", found)
        print(f"Open it at {found['url']}")


def sessions(action: Literal["list", "remove"] = "list", name: str | None = None, *, which: Which = Which()) -> None:
    """Your sessions.

    Parameters
    ----------
    action
        `remove` takes one that has ended off the list.
    name
        Its name or id.
    """
    from drybench_client import printing

    with which.open() as bench:
        if action == "remove":
            bench.remove_session(needed(name))
            return
        found = list(bench.sessions())
    printing.show_json({"items": found}) if which.json else printing.show_sessions(found)


def stop(id: str, *, which: Which = Which()) -> None:
    """Stop a session; your files stay, and what was not saved is lost.

    Parameters
    ----------
    id
        The session's name or id.
    """
    from drybench_client import printing

    with which.open() as bench:
        found = bench.stop_session(id)
    if which.json:
        printing.show_json(found)
    else:
        printing.show_state("Session", found)


def inspect(notebook: Path, *, which: Which = Which()) -> None:
    """The parameters that a notebook takes.

    Parameters
    ----------
    notebook
        A notebook file (.ipynb).
    """
    from drybench_client import printing

    with which.open() as bench:
        found = bench.inspect(notebook)
    printing.show_json(found) if which.json else printing.show_inspected(found)


COMMANDS: tuple[Callable[..., int | None], ...] = (
    run,
    runs,
    show,
    wait,
    logs,
    cancel,
    start,
    sessions,
    stop,
    inspect,
)


def _run_all(
    notebooks: tuple[Path, ...],
    given: dict[str, Any],
    options: Options,
    wait: bool,
    output: Path | None,
    which: Which,
) -> int:
    from drybench_client import several
    from drybench_client.errors import Refused

    if output is not None:
        step = "Leave --output out; `drybench show` tells of each run, and its page has the notebook."
        raise Refused("output_wrong", "Several notebooks do not go into one file.", step)
    with which.open() as bench:
        came = several.run_all(bench, notebooks, given, options, wait)
    several.show(came, which.json)
    return several.code_of(came, wait)


def _may_not_wait(asked: bool) -> None:
    from drybench_client.errors import Refused

    if asked:
        step = "Leave out --wait and --output; `drybench schedules` shows how it goes."
        raise Refused("schedule_not_waited_for", "What begins later is not waited for.", step)


def needed(id: str | None) -> str:
    from drybench_client.errors import Refused

    if id is None:
        raise Refused("id_missing", "Which one is not said.", "Give its id, the end of it, or its name.")
    return id


def _schedule(notebook: Path, given: dict[str, Any], asked: dict[str, Any], which: Which) -> int:
    from drybench_client import printing, printing_schedules

    with which.open() as bench:
        made = bench.schedule(notebook, given, **asked)
    printing.show_json(dict(made)) if which.json else printing_schedules.show_schedule(made)
    return DONE


def _asked(run: Run, which: Which) -> int:
    from drybench_client import printing

    if which.json:
        printing.show_json(run)
    else:
        printing.show_state("Run", run)
        print(f"See it at {run['url']} or by: drybench show {printing.short(run)}")
    return DONE


def _wait(bench: Bench, asked: Run, output: Path | None, which: Which) -> int:
    from drybench_client import printing

    try:
        ended = bench.wait(asked, progress=True)
    except KeyboardInterrupt:
        id = printing.short(asked)
        printing.say(f"Run {id} goes on. See it by: drybench show {id} · stop it by: drybench cancel {id}")
        return INTERRUPTED
    if output is not None:
        _write(output, bench.notebook(ended))
    if which.json:
        printing.show_json(ended)
    else:
        printing.show_state("Run", ended)
        printing.say_error(ended["sentence"], ended["next_step"])
    return DONE if ended["outcome"] == "done" else NOT_DONE


def _may_write(file: Path) -> None:
    """Said before a long run, and not after it."""
    from drybench_client.errors import Refused

    if file.is_dir() or not file.absolute().parent.is_dir():
        sentence = f"{file} cannot be written: " + ("it is a folder." if file.is_dir() else "its folder is not there.")
        raise Refused("output_wrong", sentence, "Give --output the path of a file in a folder that is there.")


def _write(file: Path, content: bytes) -> None:
    from drybench_client.errors import Refused

    try:
        file.write_bytes(content)
    except OSError as error:
        step = "The run has ended and the bench keeps its notebook; its page offers the download."
        raise Refused("output_wrong", f"{file} cannot be written: {error.strerror}.", step) from None
