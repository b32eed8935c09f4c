"""The image by itself: it says one link, which opens JupyterLab, and nobody comes in without its token."""

from __future__ import annotations

import re
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import suppress


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


alone = [sys.executable, "-m", "drybench_runner", "alone"]
with subprocess.Popen(alone, stdout=subprocess.PIPE, text=True) as server:
    said = ""
    while not (link := re.search(r"http://\S+", said)):
        line = server.stdout.readline()
        assert line, f"it ended and said only: {said!r}"
        said += line
    assert status(link[0]) == 200, link[0]
    assert status("http://127.0.0.1:8888/api/contents") == 403
    while server.poll() is None:  # Jupyter loses a signal that comes in the middle of a line of its log
        server.terminate()
        with suppress(subprocess.TimeoutExpired):
            server.wait(timeout=5)
    said += server.stdout.read()
assert said.count("token=") == 1, said
assert server.returncode == 0, server.returncode
