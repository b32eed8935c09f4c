"""What is said with more than one command: which bench it is, how a run shall go, and when."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from cyclopts import Parameter

if TYPE_CHECKING:
    from drybench_client.asking import Options
    from drybench_client.bench import Bench

Told = TypeVar("Told", bound=Mapping[str, Any])

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

    def show(self, found: Told, plainly: Callable[[Told], None]) -> None:
        """As JSON, or in words."""
        from drybench_client import printing

        printing.show_json(found) if self.json else plainly(found)

    def show_items(self, found: Sequence[Told], plainly: Callable[[Sequence[Told]], None]) -> None:
        from drybench_client import printing

        printing.show_json({"items": found}) if self.json else plainly(found)

    def show_file(self, file: Path) -> None:
        from drybench_client import printing

        printing.show_json({"file": str(file)}) if self.json else print(file)


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


HERE, ANYHOW, NOW = Which(), How(), When()


def needed(id: str | None) -> str:
    from drybench_client.errors import Refused

    if id is None:
        raise Refused("id_missing", "Which one is not said.", "Give its id, the end of it, or its name.")
    return id
