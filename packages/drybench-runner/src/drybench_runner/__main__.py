"""The commands that an engine starts.

    python -m drybench_runner run RUN_FOLDER ATTEMPT      carry out a run
    python -m drybench_runner ready [MODULE…]             be started ahead, with these modules imported in its kernel
    python -m drybench_runner session -- COMMAND…         be a single-user server
    python -m drybench_runner ready-session               be started ahead, to be somebody's single-user server
    python -m drybench_runner alone                       be JupyterLab without a bench, and say where

Little is imported here: a run's kernel should be starting before anything else is.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

_CARRIED = Path(__file__).parent.parent / "drybench_carried"  # there, where it was carried into somebody's image
_USAGE = (
    "usage: python -m drybench_runner run RUN_FOLDER ATTEMPT | ready [MODULE…]"
    " | session -- COMMAND… | ready-session | alone"
)


def main() -> int:
    if sys.argv[1:2] in (["run"], ["ready"], ["session"], ["ready-session"]):
        from drybench_runner.task_environment import go_on_in_it

        go_on_in_it(sys.argv[1:])
    if _CARRIED.is_dir():
        from drybench_runner.carried import look_beside

        look_beside(_CARRIED)
    if sys.argv[1:2] in (["run"], ["session"]):
        from drybench_runner.full_home import begin_elsewhere

        begin_elsewhere()
    match sys.argv[1:]:
        case ["run", folder, attempt] if attempt.isdecimal():
            return _leave(_run(folder, int(attempt)))
        case ["ready", *modules]:
            from drybench_runner.ready import wait

            return _leave(wait(modules))
        case ["session", "--", *words]:
            from drybench_runner.session import serve

            return serve(words)
        case ["ready-session"]:
            from drybench_runner.ready_session import wait as wait_for_somebody

            return wait_for_somebody()
        case ["alone"]:
            from drybench_runner.alone import serve as serve_alone

            return serve_alone()
        case _:
            print(_USAGE, file=sys.stderr)
            return 2


def _run(folder: str, attempt: int) -> int:
    import asyncio

    from drybench_runner.carrying_out import carry_out

    return asyncio.run(carry_out(folder, attempt))


def _leave(code: int) -> NoReturn:
    """Everything is written: to take the interpreter apart would only take time."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    sys.exit(main())
