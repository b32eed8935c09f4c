"""A request for a run, written down so that it can be asked for again later: JSON, and its notebook beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from drybench.errors import RecordUnreadable
from drybench.runs.requests import RunRequest

FORMAT = 1
NOTEBOOK, REQUEST = "notebook.ipynb", "request.json"
OF_ONE_RUN = frozenset({"notebook", "sweep_id", "place", "schedule_id", "again_of"})


def as_files(request: RunRequest) -> Mapping[str, bytes]:
    said: dict[str, Any] = _shape().dump_python(request, mode="json", exclude=set(OF_ONE_RUN))
    return {REQUEST: json.dumps({"format": FORMAT, **said}, indent=1).encode(), NOTEBOOK: request.notebook}


def from_files(files: Mapping[str, bytes]) -> RunRequest:
    """What a newer Drybench has added has its default."""
    try:
        said = json.loads(files[REQUEST])
        if said.pop("format") != FORMAT:
            raise RecordUnreadable(file=REQUEST, problem="it is of another format")
        return _shape().validate_python({**said, "notebook": files[NOTEBOOK]})
    except (ValueError, KeyError, AttributeError) as problem:  # pydantic's own error is a ValueError
        raise RecordUnreadable(file=REQUEST, problem=type(problem).__name__) from None


@cache
def _shape() -> TypeAdapter[RunRequest]:
    return TypeAdapter(RunRequest)
