"""The hand of Drybench: ask a bench for runs and sessions from a terminal or a script.

from drybench_client import Bench

with Bench() as bench:
    run = bench.wait(bench.submit("analysis.ipynb", {"alpha": 0.5}))
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from drybench_client.bench import Bench
    from drybench_client.errors import BenchAway, BenchError, Conflict, NotAllowed, NotFound, Refused

__all__ = ["Bench", "BenchAway", "BenchError", "Conflict", "NotAllowed", "NotFound", "Refused"]


def __getattr__(name: str) -> Any:
    """Imported at their first use: `drybench --help` needs no HTTP library."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from drybench_client import bench, errors

    return getattr(bench if name == "Bench" else errors, name)
