"""HyperSpy writes a signal with its axes into each of its formats, and loads what it wrote."""

from __future__ import annotations

import tempfile
from pathlib import Path

import exspy  # noqa: F401  its signals are HyperSpy's
import h5py
import hyperspy.api as hs
import numpy as np

folder = Path(tempfile.mkdtemp())
signal = hs.signals.Signal1D(np.arange(4 * 100.0).reshape(4, 100))
signal.axes_manager[-1].name, signal.axes_manager[-1].scale, signal.axes_manager[-1].units = "Energy", 0.5, "eV"
for ending in ("hspy", "zspy"):
    file = folder / f"signal.{ending}"
    signal.save(file)
    loaded = hs.load(file)
    assert np.array_equal(loaded.data, signal.data), ending
    assert (loaded.axes_manager[-1].scale, loaded.axes_manager[-1].units) == (0.5, "eV"), ending
with h5py.File(folder / "signal.hspy") as opened:
    assert "Experiments" in opened
