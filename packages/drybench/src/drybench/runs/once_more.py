"""What a run was asked for, taken from its own record, so that it can be asked for with changes. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from drybench import gpus
from drybench.errors import RecordUnreadable
from drybench.model import Run
from drybench.runs.requests import RunRequest

INJECTED = "injected-parameters"  # papermill's tag of the cell that was put in


def asked_for(run: Run, said: Mapping[str, Any], notebook: bytes, requirements: str) -> RunRequest:
    """The record (`run.json`) says most of it; of what it does not say, the ledger knows."""
    return RunRequest(
        notebook=without_values(notebook) if said.get("parameters") else notebook,
        notebook_name=str(said.get("notebook_name", "notebook.ipynb")),
        notebook_hash=run.notebook_hash,
        parameters=run.parameters,
        name=run.name,
        environment=run.environment,
        size=run.size,
        gpus=gpus.added(run.task.spec),
        timeout=said.get("timeout"),
        cell_timeout=said.get("cell_timeout"),
        requirements=requirements,
        retries=run.retries,
        retry_any=run.retry_any,
        tags=run.tags,
        priority=run.task.priority,
        hold=said.get("hold", 0),
        tell=run.tell,
        allow_errors=bool(said.get("allow_errors")),
        folder=_path(said.get("folder")),
        alone=bool(said.get("alone")),
        cwd=_path(said.get("cwd")),
        again_of=run.id,
    )


def without_values(notebook: bytes) -> bytes:
    """As it was before values were put in: else those of the old run would stay where the new one gives none."""
    try:
        read: dict[str, Any] = json.loads(notebook)
        cells: list[dict[str, Any]] = read["cells"]
        read["cells"] = [cell for cell in cells if INJECTED not in cell["metadata"].get("tags", ())]
        read["metadata"].get("papermill", {}).pop("parameters", None)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        raise RecordUnreadable(file="notebook.ipynb", problem=type(problem).__name__) from None
    return json.dumps(read, ensure_ascii=False).encode()


def _path(text: object) -> Path | None:
    return Path(text) if isinstance(text, str) and text else None
