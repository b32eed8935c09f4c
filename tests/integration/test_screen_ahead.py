"""What a session was asked for is on its screen before anybody looks."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.desktops import DESKTOP, XTERM, desktops
from tests.waiting import wait_for

pytestmark = pytest.mark.needs("TigerVNC", "xfwm4", "xterm")


def test_the_app_that_was_asked_for_begins_with_the_session(tmp_path: Path) -> None:
    with desktops(tmp_path, (DESKTOP, XTERM), {"DRYBENCH_OPENS": "xterm"}) as session:
        wait_for(lambda: session.says("xterm")["programs"] == 1)
        assert session.says("desktop")["state"] == "ended"
