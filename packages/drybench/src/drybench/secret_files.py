"""The bench's own secrets: one file each, made once and kept, so that a restart signs nobody out."""

from __future__ import annotations

import contextlib
import secrets

from drybench.data_folder import DataFolder


def secret(data: DataFolder, name: str) -> str:
    """The secret of that name; 64 hexadecimal digits, made when there is none."""
    file = data.secrets / name
    if not file.exists():
        _make_once(data, name)
    return file.read_text()


def _make_once(data: DataFolder, name: str) -> None:
    """Written aside and linked into place: whoever comes second finds the first one's, never half of one."""
    new = data.secrets / f".{name}.{secrets.token_hex(4)}"
    new.touch(mode=0o600, exist_ok=False)
    new.write_text(secrets.token_hex(32))
    with contextlib.suppress(FileExistsError):
        (data.secrets / name).hardlink_to(new)
    new.unlink()
