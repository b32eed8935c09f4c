"""What `python -m drybench.hub -f` reads; all that it says is in `config.py`."""

from __future__ import annotations

import os

from drybench.hub.config import configure

os.umask(0o077)
configure(get_config())  # noqa: F821  # pyright: ignore[reportUndefinedVariable, reportUnknownArgumentType]
