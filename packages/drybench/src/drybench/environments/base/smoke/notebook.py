"""The runner carries out a notebook: `notebook.py [KERNEL CODE PRINTED]`."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

numbers = (
    "import numpy, pandas, matplotlib.pyplot as plt\nplt.plot([1, 2])\nprint(pandas.Series(numpy.arange(4)).sum())"
)
kernel, code, printed = sys.argv[1:] or ["python3", numbers, "6"]

cell = {"cell_type": "code", "metadata": {}, "source": code, "outputs": [], "execution_count": None}
metadata = {"kernelspec": {"name": kernel, "display_name": kernel}}
notebook = {"nbformat": 4, "nbformat_minor": 4, "metadata": metadata, "cells": [cell]}
run = {"format": 1, "id": "smoke", "kind": "notebook", "name": "smoke", "kernel": kernel}

folder = Path(tempfile.mkdtemp())
made = folder / "1" / "made"
(folder / "given").mkdir()
(made / "output").mkdir(parents=True)
(folder / "given" / "run.json").write_text(json.dumps(run))
(folder / "given" / "notebook.ipynb").write_text(json.dumps(notebook))
subprocess.run([sys.executable, "-m", "drybench_runner", "run", str(folder), "1"], check=True)

result = json.loads((made / "result.json").read_text())
assert result["outcome"] == "done", result
outputs = json.loads((made / "notebook.ipynb").read_text())["cells"][0]["outputs"]
assert printed in json.dumps(outputs), outputs
