"""The notebooks that both sides run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

PRINTS = ["print('hello')"]
PLOTS = [
    "import numpy as np\nimport pandas as pd\nimport matplotlib.pyplot as plt",
    "table = pd.DataFrame({'x': np.arange(100), 'y': np.random.default_rng(1).normal(size=100)})\ntable.describe()",
    "table.plot(x='x', y='y')\nplt.show()",
]


def one_liners(count: int) -> list[str]:
    return [f"print({number})" for number in range(count)]


def write(path: Path, cells: list[str]) -> Path:
    path.write_text(json.dumps(_notebook(cells)))
    return path


def write_with_parameter(path: Path) -> Path:
    notebook = _notebook(["n = 0", "print(n)"])
    notebook["cells"][0]["metadata"]["tags"] = ["parameters"]
    path.write_text(json.dumps(notebook))
    return path


def _notebook(cells: list[str]) -> dict[str, Any]:
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
            "language_info": {"name": "python"},
        },
        "cells": [
            {
                "id": f"cell-{number}",
                "cell_type": "code",
                "metadata": {},
                "source": source,
                "outputs": [],
                "execution_count": None,
            }
            for number, source in enumerate(cells)
        ],
    }
