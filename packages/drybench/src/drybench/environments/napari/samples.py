"""Images to begin with, drawn here: they are the same at each build, and nobody's licence is on them."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import tifffile

SEED = 7


def nuclei(depth: int, side: int, count: int, radius: float) -> np.ndarray:
    """Bright balls of many sizes on a dim, noisy ground."""
    random = np.random.default_rng(SEED)
    z, y, x = np.ogrid[:depth, :side, :side]
    volume = np.zeros((depth, side, side), np.float32)
    for _ in range(count):
        at = random.uniform((depth * 0.2, radius, radius), (depth * 0.8, side - radius, side - radius))
        size = radius * random.uniform(0.6, 1.1)
        flat = 0.6 if depth > 1 else 1
        distance = np.sqrt(((z - at[0]) / flat) ** 2 + (y - at[1]) ** 2 + (x - at[2]) ** 2)
        np.maximum(volume, random.uniform(0.5, 1) / (1 + np.exp((distance - size) * 1.5)), out=volume)
    noisy = random.poisson(volume * 800 + 40) + random.normal(0, 4, volume.shape)
    return noisy.clip(0, 65535).astype(np.uint16)


def main(folder: Path) -> None:
    folder.mkdir(parents=True)
    save = {"imagej": True, "compression": "zlib"}
    tifffile.imwrite(folder / "nuclei-3d.tif", nuclei(48, 192, 40, 13), metadata={"axes": "ZYX"}, **save)
    tifffile.imwrite(folder / "cells-2d.tif", nuclei(1, 512, 60, 20)[0], metadata={"axes": "YX"}, **save)


main(Path(sys.argv[1]))
