"""The images of environments: how large they are, and how long they were built."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.a_bench import a_folder
from benchmarks.in_containers import build, docker, images
from benchmarks.measuring import Row
from drybench import ids
from drybench.data_folder import DataFolder
from drybench.environment_folders import SHIPPED
from drybench.images.records import Builds

NAMES = ("base", "desktop", "napari", "cellpose", "microscopy", "r")


def image_sizes() -> list[Row]:
    """Of those that are here now."""
    with a_folder() as data:
        here = images(data)
    sizes = {name: int(docker("image", "inspect", "--format", "{{.Size}}", image)) for name, image in here.items()}
    return [Row(f"image {name}", _in_words(name, sizes)) for name in NAMES if name in sizes]


def image_builds() -> list[Row]:
    """All of them anew, without what Docker remembers: half an hour and more."""
    with a_folder() as data:
        return [Row(f"build of {name}", _built(data, name)) for name in NAMES]


def some_image_builds() -> list[Row]:
    with a_folder() as data:
        return [Row("build of base", _built(data, "base"))]


def _built(data: Path, name: str) -> str:
    """As its record has it."""
    build(data, name, fresh=True)
    record = Builds(DataFolder(data).images, lambda: datetime.now(UTC), ids.uuid7).newest(name)
    assert record
    assert record.ended_at
    return f"{(record.ended_at - record.began_at).total_seconds():.0f} s"


def _in_words(name: str, sizes: Mapping[str, int]) -> str:
    parent = tomllib.loads((SHIPPED / name / "environment.toml").read_text()).get("on", "")
    own = f", {(sizes[name] - sizes[parent]) / 1e9:.1f} GB more than {parent}" if parent in sizes else ""
    return f"{sizes[name] / 1e9:.1f} GB{own}"
