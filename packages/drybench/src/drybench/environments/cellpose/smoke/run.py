"""The panel's Run button, pressed, with a model made here: the published ones are fetched when first used."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, "/opt/drybench/smoke/desktop")
from rfb import keep, screen

SAMPLE = "/opt/drybench/samples/cells-2d.tif"
WITHIN = 400  # seconds


def tiny_model(file: Path) -> Path:
    """Not trained: it finds something, and nothing that means anything."""
    import torch
    from cellpose.resnet_torch import CPnet

    torch.manual_seed(3)
    CPnet([2, 32, 64, 128, 256], 3, sz=3, diam_mean=30.0).save_model(str(file))
    return file


with screen() as shown:
    import napari
    from qtpy.QtWidgets import QApplication
    from tifffile import imread

    viewer = napari.Viewer()
    viewer.add_image(imread(SAMPLE)[:160, :160], name="cells")
    _, panel = viewer.window.add_plugin_dock_widget("cellpose-napari", "cellpose")
    panel.model_type.value = "custom"
    panel.custom_model.value = tiny_model(Path(tempfile.mkdtemp()) / "tiny")
    panel.cellprob_threshold.value = -8.0
    panel.flow_threshold.value = 0.0
    panel.call_button.native.click()

    deadline = time.monotonic() + WITHIN
    masks = []
    while not masks:
        assert time.monotonic() < deadline, f"no masks after {WITHIN} s: {list(viewer.layers)}"
        QApplication.processEvents()
        time.sleep(0.02)
        masks = [layer for layer in viewer.layers if "_cp_masks_" in layer.name]
    assert masks[0].data.shape == viewer.layers["cells"].data.shape
    end = time.monotonic() + 2
    while time.monotonic() < end:  # the window is drawn between its events
        QApplication.processEvents()
    keep(shown.drawn(colours=300), "cellpose")
    viewer.close()
