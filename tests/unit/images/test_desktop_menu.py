"""What the desktop's menu leaves out, by an entry of ours before Debian's of the same name."""

from __future__ import annotations

from configparser import ConfigParser

from drybench.environment_folders import SHIPPED

DESKTOP = SHIPPED / "desktop"
OURS, DEBIANS = "/usr/local/share", "/usr/share"


def test_it_has_no_mail_reader() -> None:
    """Nothing in the image reads mail. Among the programs of environments it would be laid onto the desktop."""
    entry = ConfigParser(interpolation=None)
    entry.read(DESKTOP / "settings" / "xfce4-mail-reader.desktop")
    assert entry["Desktop Entry"].getboolean("NoDisplay")
    made = (DESKTOP / "Dockerfile").read_text()
    assert f"/made{OURS}/applications xfce4-mail-reader.desktop " in made
    (folders,) = (line.split("=")[1].split(":") for line in made.splitlines() if "XDG_DATA_DIRS=" in line)
    assert folders.index(OURS) < folders.index(DEBIANS)
