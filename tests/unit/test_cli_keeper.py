from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("jupyterhub", "fastapi", "sqlalchemy", "nbformat", "papermill", "traitlets")


@pytest.mark.parametrize(
    "module", ["cli", "up.bringing_up", "up.bringing_down", "up.looking_up", "hub.tickets", "proxying", "admin.doctor"]
)
def test_the_keepers_commands_start_quickly(module: str) -> None:
    """Nothing that takes long is imported before it is needed; the supervisor is there at once, and small."""
    code = f"import sys, drybench.{module}; print(*sorted(set({HEAVY!r}) & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout.split() == []
