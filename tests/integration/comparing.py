"""What an executed notebook shows, without what differs between any two executions."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from drybench_runner.terminal_text import Screen
from tests.integration.runner_bench import Attempt

MARKER = "papermill-error-cell-tag"
_IDS = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
_PLACES = re.compile(r"ipykernel_\d+/\d+\.py|ipykernel_\d+|\b0x[0-9a-f]{8,}")


def carry_out_all(attempts: Sequence[Attempt]) -> list[dict[str, Any]]:
    """Two at a time, as the machine has cores; their results."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(Attempt.carry_out, attempts))


def shown(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    """Each cell's text and what it shows; the cells by which papermill points at an error are left out."""
    cells = [cell for cell in notebook["cells"] if MARKER not in cell["metadata"].get("tags", [])]
    return [
        {
            "type": cell["cell_type"],
            "source": _text(cell["source"]),
            "count": cell.get("execution_count"),
            "outputs": _alike(_merged(cell.get("outputs", []))),
        }
        for cell in cells
    ]


def widgets(notebook: dict[str, Any]) -> list[str]:
    """The states of its widgets, whose names are drawn by lot, and so is their order."""
    told = notebook["metadata"]["widgets"]["application/vnd.jupyter.widget-state+json"]
    assert (told["version_major"], told["version_minor"]) == (2, 0)
    return sorted(_IDS.sub("…", json.dumps(state, sort_keys=True)) for state in told["state"].values())


def statuses(notebook: dict[str, Any]) -> list[str]:
    cells = [cell for cell in notebook["cells"] if MARKER not in cell["metadata"].get("tags", [])]
    return [cell["metadata"]["papermill"]["status"] for cell in cells]


def _merged(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Neighbouring text of one stream is one output here, and as a terminal shows it."""
    kept: list[dict[str, Any]] = []
    for output in outputs:
        output = dict(output)
        if output["output_type"] == "stream":
            output["text"] = _text(output["text"])
            if kept and kept[-1].get("name") == output["name"]:
                kept[-1]["text"] += output["text"]
                continue
        kept.append(output)
    for output in kept:
        if "text" in output:
            screen = Screen()
            screen.write(output["text"])
            output["text"] = screen.text()
        if "data" in output:
            output["data"] = {kind: _text(value) for kind, value in output["data"].items()}
    return kept


def _alike(outputs: list[dict[str, Any]]) -> Any:
    return json.loads(_PLACES.sub("…", _IDS.sub("…", json.dumps(outputs))))


def _text(value: Any) -> Any:
    is_text = isinstance(value, list) and all(isinstance(line, str) for line in value)
    return "".join(value) if is_text else value
