"""What may be said with a run beside its notebook and its parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

from drybench_client import errors, values


class Options(TypedDict, total=False):
    """What is left out is as the bench has it. Times are in seconds."""

    name: str | None
    environment: str | None
    size: str | None
    gpus: Sequence[int | str] | None  # beside the size's: the least memory of each, in bytes or as "8 GiB", "any"
    timeout: float | None  # for the whole run
    cell_timeout: float | None  # for each of its cells
    requirements: str | Path | None  # a requirements.txt, or the text of one
    retries: int | None  # further attempts where the machine or the bench was at fault
    retry_any: bool  # and also where the notebook was
    tags: Sequence[str] | None
    priority: int | None  # among one's own: higher is sooner, -10 to 10
    hold: float | None  # how long the kernel is kept when it fails
    tell: str | None  # failure, success, both, never; else as usual
    channels: Sequence[str] | None  # by which one is told, by their ids; else by all of them
    allow_errors: bool  # go on after a cell that failed
    alone: bool  # without the files that lie beside the notebook
    cwd: str | Path | None  # work in this folder, and collect no files


def request_of(
    notebook: str | Path, parameters: Mapping[str, Any] | None, asked: Mapping[str, Any], here: bool
) -> dict[str, Any]:
    """As the API has it. Where the bench is on this machine it finds what lies beside the notebook."""
    said = {**asked, "parameters": dict(parameters or {})}
    needs, on, channels = asked.get("requirements"), asked.get("tell"), asked.get("channels")
    said["requirements"] = _text(needs) if isinstance(needs, Path) else needs
    said.pop("channels", None)
    said["tell"] = {"on": on or "both", "channels": list(channels or ())} if on or channels else None
    said["gpus"] = values.gpus(asked.get("gpus") or ()) or None
    said["tags"] = list(asked.get("tags") or ()) or None
    said["folder"] = str(Path(notebook).absolute().parent) if here and not asked.get("alone") else None
    said["cwd"] = str(Path(asked["cwd"]).absolute()) if asked.get("cwd") else None
    return {key: value for key, value in said.items() if value is not None and value is not False}


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        step = "Give the path of a requirements.txt in UTF-8."
        raise errors.Refused("file_unreadable", f"{file} cannot be read: {error}.", step) from None
