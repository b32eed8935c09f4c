"""The commands that an engine starts.

    python -m drybench_runner run RUN_FOLDER ATTEMPT      carry out a run
    python -m drybench_runner session -- COMMAND…         be a single-user server

Little is imported here: a run's kernel should be starting before anything else is.
"""

from __future__ import annotations

import sys

_USAGE = "usage: python -m drybench_runner run RUN_FOLDER ATTEMPT | session -- COMMAND…"


def main() -> int:
    match sys.argv[1:]:
        case ["run", folder, attempt] if attempt.isdecimal():
            return _run(folder, int(attempt))
        case ["session", "--", *words]:
            from drybench_runner.session import serve

            return serve(words)
        case _:
            print(_USAGE, file=sys.stderr)
            return 2


def _run(folder: str, attempt: int) -> int:
    """0 whenever there is a result.json, whatever became of the run."""
    from pathlib import Path

    from drybench_runner.causes import disk_is_full
    from drybench_runner.kinds import kind
    from drybench_runner.places import Places
    from drybench_runner.record import NO_ROOM, read_run

    places = Places(Path(folder), attempt)
    try:
        run = read_run((places.given / "run.json").read_bytes())
        kind(run.kind)(places, run)
    except (OSError, ValueError) as problem:
        print(f"This run could not be carried out: {problem}", file=sys.stderr)
        return NO_ROOM if disk_is_full(problem) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
