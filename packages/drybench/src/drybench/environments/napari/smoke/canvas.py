"""napari's own canvas shows each sample: not blank, and in three dimensions another picture than in two."""

from __future__ import annotations

import sys
import time

sys.path.insert(0, "/opt/drybench/smoke/desktop")
from rfb import keep, screen

SAMPLES = "/opt/drybench/samples"

with screen() as shown:
    import napari
    import numpy as np
    from PIL import Image
    from qtpy.QtWidgets import QApplication

    viewer = napari.Viewer()
    pictures = {}
    viewer.open(f"{SAMPLES}/cells-2d.tif")
    pictures["2d"] = viewer.screenshot(flash=False)
    viewer.layers.clear()
    viewer.open(f"{SAMPLES}/nuclei-3d.tif")
    viewer.dims.ndisplay = 3
    viewer.camera.angles = (20, 30, 60)
    pictures["3d"] = viewer.screenshot(flash=False)
    for name, picture in pictures.items():
        keep(Image.fromarray(picture).convert("RGB"), f"napari-canvas-{name}")
        colours = np.unique(picture.reshape(-1, 4), axis=0)
        assert len(colours) > 100, f"{name}: {len(colours)} colours"
    deadline = time.monotonic() + 2
    assert not np.array_equal(pictures["2d"], pictures["3d"])
    while time.monotonic() < deadline:  # the window is drawn between its events
        QApplication.processEvents()
    keep(shown.drawn(colours=300), "napari-3d")
    viewer.close()
