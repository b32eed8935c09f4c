"""The first rows of a Parquet file, read by a process of its own: a task wrote the file, and it may be a bomb.

That process has little memory and little time, and gets the file as a descriptor and nothing else.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import threading
from collections.abc import Sequence
from tempfile import TemporaryFile
from typing import Any, BinaryIO

MEMORY = 1 << 30  # of address space
SECONDS = 10
MOST_SAID = 4 << 20
LETTERS = 500
AT_ONCE = threading.BoundedSemaphore(2)  # each may take all that memory

Found = tuple[Sequence[str], Sequence[Sequence[str]], bool]


def parquet_table(file: BinaryIO, rows: int, columns: int) -> Found | None:
    """The names of the columns, the first rows, and whether there are more; None where it cannot be read."""
    if not AT_ONCE.acquire(timeout=SECONDS):
        return None
    try:
        return _found(file, rows, columns)
    finally:
        AT_ONCE.release()


def _found(file: BinaryIO, rows: int, columns: int) -> Found | None:
    command = [sys.executable, "-I", "-m", "drybench.web.parquet_preview", str(rows), str(columns)]
    try:
        with TemporaryFile() as told:
            done = subprocess.run(
                command, stdin=file, stdout=told, stderr=subprocess.DEVNULL, timeout=SECONDS, check=False, env={}
            )
            told.seek(0)
            said = json.loads(told.read(MOST_SAID)) if done.returncode == 0 else None
    except (subprocess.TimeoutExpired, OSError, ValueError, RecursionError):
        return None
    return (said["columns"], said["rows"], said["more"]) if said else None


def _read(rows: int, columns: int) -> dict[str, Any]:
    """Batch by batch, as far as rows are wanted."""
    from arro3.io import read_parquet

    reader: Any = read_parquet("/dev/stdin")
    names: list[str] = [str(field.name) for field in reader.schema]
    found: list[list[str]] = []
    for batch in reader:
        most = min(rows + 1, batch.num_rows)  # it panics at a slice that is longer than what there is
        values = [batch[place].slice(0, most).to_pylist() for place in range(len(names[:columns]))]
        found += [[_said(value) for value in row] for row in zip(*values, strict=True)]
        if len(found) > rows:
            break
    return {"columns": [_said(name) for name in names[: columns + 1]], "rows": found[:rows], "more": len(found) > rows}


def _said(value: Any) -> str:
    return "" if value is None else str(value)[:LETTERS]


def _main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_SAID, MOST_SAID))
    rows, columns = (int(word) for word in sys.argv[1:])
    sys.stdout.write(json.dumps(_read(rows, columns)))


if __name__ == "__main__":
    _main()
