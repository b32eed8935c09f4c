"""A bench with something in every state, as the pages' pictures show it."""

from __future__ import annotations

import base64
import json
import struct
import zlib

from drybench.model import Run, Session
from drybench.phases import Outcome, Phase, Reason
from drybench.runs.requests import RunRequest
from tests.unit.web.little_bench import LittleBench, notebook

TRACEBACK = [
    "\x1b[31m---------------------------------------------------------------------------\x1b[39m",
    "\x1b[31mValueError\x1b[39m                                Traceback (most recent call last)",
    "Cell \x1b[32mIn[3]\x1b[39m, line 2",
    "      1 masks = [label(frame) for frame in frames]",
    "\x1b[32m----> 2\x1b[39m areas = measure(masks, channel=4)\n",
    "\x1b[31mValueError\x1b[39m: channel 4 of 3: the stack has no such channel",
]


def fill(bench: LittleBench) -> dict[str, Session | Run]:
    made: dict[str, Session | Run] = {}
    made["waiting run"] = growing = bench.run(name="drift-correction")
    made["running"] = running = grow(bench)
    made["failed"] = failed(bench)
    made["done"] = done(bench)
    lost = bench.run(name="overnight-registration")
    bench.move(lost, Phase.ENDED, Outcome.LOST, reason=Reason.WATCHER_DIED)
    made["lab"] = lab = bench.session("python")
    bench.move(lab, Phase.RUNNING, answers=True)
    made["starting"] = starting = bench.session("second")
    bench.move(starting, Phase.STARTING, detail="the server begins to answer")
    made["waiting"] = bench.session("third")
    made["ended"] = ended = bench.session("broken")
    words = "Its program ended by itself (exit code 1).\nModuleNotFoundError: No module named 'jupyterlab'"
    bench.move(ended, Phase.ENDED, Outcome.FAILED, reason=Reason.EXITED, exit_code=1, detail=words)
    assert growing is not running
    return made


def grow(bench: LittleBench) -> Run:
    """One in the middle of its work."""
    source = notebook(
        "#md # Nuclei in the *Drosophila* wing disc\nEach frame is segmented, the areas are $A_i = \\sum_j m_{ij}$.",
        "import numpy as np\nframes = load('disc.tif')[::step]\nprint(frames.shape)",
        "for number, frame in enumerate(frames):\n    print('frame', number)",
        "areas.mean()",
        parameters="step = 2\nchannel = 'nuclei'",
    )
    run = bench.portal.runs.submit(
        bench.person(), RunRequest(source, "wing-disc.ipynb", parameters={"step": 4, "channel": "nuclei"})
    )
    bench.move(run, Phase.RUNNING)
    bench.ledger.note_progress(run.id, 4, 5)
    bench.journal(
        run,
        {"format": 1, "event": "began", "at": "2026-11-20T10:00:00Z", "cells": 5},
        {"event": "cell", "index": 0, "n": 1, "of": 5},
        {"event": "cell_ended", "index": 0, "execution_count": 1, "status": "ok"},
        {"event": "cell", "index": 3, "n": 3, "of": 5},
        {"event": "output", "index": 3, "output": {"output_type": "stream", "name": "stdout", "text": "(240, 512)\n"}},
        {"event": "cell_ended", "index": 3, "execution_count": 3, "status": "ok"},
        {"event": "cell", "index": 4, "n": 4, "of": 5},
        {"event": "output", "index": 4, "output": {"output_type": "stream", "name": "stdout", "text": "frame 0\n"}},
    )
    bench.made(run, "log.txt", "starting the kernel python3\ncell 4 of 5\n")
    return run


def failed(bench: LittleBench) -> Run:
    run = bench.run("frames = []", "masks = []", "areas = measure(masks, channel=4)", name="measure-areas")
    error = {"name": "ValueError", "value": "channel 4 of 3: the stack has no such channel", "traceback": TRACEBACK}
    bench.move(run, Phase.RUNNING)
    bench.ledger.note_progress(run.id, 3, 3, 2)
    result = {"format": 1, "outcome": "failed", "reason": "cell_error", "cell": 2, "cell_number": 3, "error": error}
    times = {"started_at": "2026-11-20T10:00:00Z", "ended_at": "2026-11-20T10:01:00Z", "cells": 3, "executed": 3}
    bench.made(run, "log.txt", "cell 3 of 3\nValueError: channel 4 of 3\n")
    bench.fail(run, Reason.CELL_ERROR, {**result, **times, "sentence": None})
    return run


def done(bench: LittleBench) -> Run:
    run = bench.run("#md ## Result", "table.head()", name="summary")
    given = json.loads(bench.portal.run_folders.given_notebook(run.id))
    html = "<table><tr><th>frame</th><th>area</th></tr><tr><td>1</td><td>42.0</td></tr></table>"
    encoded = base64.b64encode(picture(320, 120)).decode()
    given["cells"][1] |= {
        "execution_count": 1,
        "outputs": [
            {"output_type": "execute_result", "execution_count": 1, "metadata": {}, "data": {"text/html": html}},
            {"output_type": "display_data", "metadata": {}, "data": {"image/png": encoded, "text/plain": "a picture"}},
        ],
    }
    bench.made(run, "notebook.ipynb", json.dumps(given))
    bench.made(run, "output/areas.csv", "frame,area\n" * 2000)
    bench.made(run, "output/figures/all of them.png", picture(64, 64))
    bench.ledger.note_progress(run.id, 1, 1)
    bench.move(run, Phase.ENDED, Outcome.DONE)
    return run


def picture(width: int, height: int) -> bytes:
    rows = b"".join(b"\0" + bytes(x * y % 256 for x in range(width)) for y in range(height))
    parts = (
        (b"IHDR", struct.pack(">2I5B", width, height, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    chunks = (struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
