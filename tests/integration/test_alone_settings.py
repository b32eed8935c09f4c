"""xfce's settings for a program without a desktop, as its own keeper of settings tells them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from drybench_session.desktop import commands

pytestmark = pytest.mark.needs("xfce")

OF_A_DESKTOP = {
    "xfwm4": """<property name="general" type="empty">
        <property name="button_layout" type="string" value="O|SHMC"/>
    </property>""",
    "xfce4-keyboard-shortcuts": """<property name="commands" type="empty"><property name="custom" type="empty">
        <property name="override" type="bool" value="true"/>
        <property name="&lt;Primary&gt;&lt;Alt&gt;Delete" type="string" value="xfce4-session-logout"/>
    </property></property>""",
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """In which a desktop has left all of its settings, as it does."""
    folder = tmp_path / ".config/xfce4/xfconf/xfce-perchannel-xml"
    folder.mkdir(parents=True)
    for channel, settings in OF_A_DESKTOP.items():
        head = f'<?xml version="1.0" encoding="UTF-8"?>\n<channel name="{channel}" version="1.0">'
        (folder / f"{channel}.xml").write_text(f"{head}{settings}</channel>")
    return tmp_path


def test_a_program_alone_cannot_be_made_small(home: Path) -> None:
    assert _said(home, "xfwm4", "--property", "/general/button_layout") == ["|C"]


def test_a_program_alone_has_every_key(home: Path) -> None:
    listed = _said(home, "xfce4-keyboard-shortcuts", "--list", "--verbose")
    custom = [line.split() for line in listed if line.startswith("/commands/custom")]
    assert custom == [["/commands/custom/override", "true"]]


def _said(home: Path, channel: str, *words: str) -> list[str]:
    environ = commands.alone({"PATH": os.environ["PATH"], "HOME": str(home)})
    asking = ("dbus-run-session", "--", "xfconf-query", "--channel", channel, *words)
    return subprocess.run(
        asking, env=environ, check=True, capture_output=True, text=True, timeout=60
    ).stdout.splitlines()
