"""Import without what takes long and is not needed."""

from __future__ import annotations

import gc
import sys
from collections.abc import Generator
from contextlib import contextmanager

# jsonschema's checker of international addresses builds its grammar when it is imported, which takes
# a second. jsonschema does without it, as it does wherever it is not installed.
ADDRESSES = "rfc3987_syntax"
# Its other optional checkers take less; what only reads and writes notebooks needs none of them.
OTHER_FORMATS = ("isoduration", "rfc3986_validator")


@contextmanager
def without(*modules: str) -> Generator[None]:
    """Within, importing one of these fails as if it were not there; and nobody looks for garbage in what is loaded."""
    gc.disable()
    absent = [name for name in modules if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type] - None forbids an import
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]
        gc.enable()
