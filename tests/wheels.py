"""Small wheels made on the spot, so that requirements are resolved without any network."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path


def wheel(folder: Path, name: str, version: str, requires: Sequence[str] = (), code: str = "") -> Path:
    """A module of that name that knows its version, with a command of its name."""
    folder.mkdir(exist_ok=True)
    file = folder / f"{name}-{version}-py3-none-any.whl"
    about = f"{name}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {one}\n" for one in requires)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(f"{name}.py", f"__version__ = {version!r}\n{code}\ndef say():\n    print(__version__)\n")
        archive.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/entry_points.txt", f"[console_scripts]\n{name}-say = {name}:say\n")
        archive.writestr(f"{about}/RECORD", "")
    return file


def only(folder: Path, cache: Path) -> Mapping[str, str]:
    """The variables by which uv takes wheels from there and from nowhere else."""
    return {"UV_FIND_LINKS": str(folder), "UV_OFFLINE": "1", "UV_CACHE_DIR": str(cache)}
