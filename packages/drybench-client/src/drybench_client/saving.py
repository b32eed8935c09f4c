"""Write what a bench sends to a file: whole, or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from drybench_client import errors
from drybench_client.calling import Calling


def save(calling: Calling, path: str, file: str | Path, **params: Any) -> Path:
    """Block by block, so that its size does not matter."""
    target = Path(file)
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name[:100]}.", dir=target.absolute().parent)
    except OSError as error:
        raise _not_written(target, error) from None
    aside = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as new, calling.stream(path, **params) as blocks:
            for block in blocks:
                new.write(block)
        aside.replace(target)
    except OSError as error:
        raise _not_written(target, error) from None
    finally:
        aside.unlink(missing_ok=True)
    return target


def _not_written(file: Path, error: OSError) -> errors.Refused:
    step = "Name a file in a folder that is there and where you may write."
    return errors.Refused("output_wrong", f"{file} cannot be written: {error.strerror}.", step)
