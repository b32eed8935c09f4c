"""`python -m drybench_session.desktop.video_capture CODEC`: the picture of $DISPLAY as video, on standard output.

A process of its own, for pixelflux is native code with threads of its own: where it falls over, the session does not.
Each picture is a header and the encoder's bytes; on standard input come lines of JSON: {"seen": N}, {"crf": N}.
"""

from __future__ import annotations

import json
import os
import struct
import sys
import threading
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any, BinaryIO, TypeGuard

from drybench_session.desktop.pace import FASTEST, Pace

HEADER = struct.Struct(">IBI")  # how many bytes follow, 1 where it is whole, its number
CODECS = ("h264", "vp8", "vp9")
SHARP, FINE, COARSE = 12, 23, 40  # of the scale that H.264 has: 0 is lossless, 51 the worst
LONGEST_LINE = 1000


class Video:
    """Nobody is asked to wait: what the viewer has no room for is not sent."""

    def __init__(self, capture: Any, settings: Any, out: BinaryIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._capture = capture
        self._settings = settings
        self._out = out
        self._clock = clock
        self._pace = Pace()
        self._turn = threading.Lock()

    def picture(self, frame: Any) -> None:
        """Called by pixelflux, in a thread of its own."""
        content, before = bytes(frame), self._pace.rate
        with self._turn:
            self._pace, goes = self._pace.offered(frame.reference_frame_id == -1, self._clock())
            if goes:
                self._out.write(HEADER.pack(len(content), frame.reference_frame_id == -1, self._pace.sent))
                self._out.write(content)
                self._out.flush()
        self._keep_pace(before)

    def said(self, word: dict[str, Any]) -> None:
        if isinstance(crf := word.get("crf"), int):
            self._settings.video_crf = min(max(crf, SHARP), COARSE)
            self._capture.update_tunables(self._settings)
        if not isinstance(seen := word.get("seen"), int):
            return
        before = self._pace.rate
        with self._turn:
            self._pace = self._pace.shown(seen, self._clock())
        self._keep_pace(before)
        if self._pace.jammed and not self._pace.is_full:
            self._capture.request_idr_frame()

    def _keep_pace(self, before: float) -> None:
        if self._pace.rate != before:
            self._capture.update_framerate(self._pace.rate)


def capture(codec: str, said: BinaryIO, out: BinaryIO) -> None:
    """Until nobody speaks to it any more."""
    pixelflux: Any = import_module("pixelflux")
    settings = pixelflux.CaptureSettings()
    settings.codec, settings.use_wayland, settings.use_cpu = codec, False, False
    settings.video_fullframe = settings.omit_stripe_headers = settings.auto_adjust_screen_capture_size = True
    settings.capture_width = settings.capture_height = 0  # all there is
    settings.capture_cursor = False  # the browser draws it, without delay
    settings.target_fps, settings.video_crf, settings.video_paintover_crf = FASTEST, FINE, SHARP
    capturing = pixelflux.ScreenCapture()
    video = Video(capturing, settings, out)
    capturing.start_capture(video.picture, settings)
    while line := said.readline(LONGEST_LINE):
        if _is_object(word := _read(line)):
            video.said(word)
    capturing.stop_capture()


def _read(line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _is_object(word: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(word, dict)


def _only_for_pictures() -> BinaryIO:
    """pixelflux has things to say, and says them on standard output."""
    own = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(own, "wb")


if __name__ == "__main__":
    capture(sys.argv[1], sys.stdin.buffer, _only_for_pictures())
