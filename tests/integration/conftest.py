"""What the tests with real processes share."""

from __future__ import annotations

from tests.python_environment import python_environment

__all__ = ["python_environment"]
