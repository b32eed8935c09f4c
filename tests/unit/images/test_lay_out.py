"""What a person's desktop has on it, by the program that images lay it out with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from drybench.environment_folders import SHIPPED
from tests.waiting import wait_for

LAY_OUT = SHIPPED / "desktop" / "lay-out"
LINKS = [{"title": "The lab's pages", "url": "https://lab.example/a\\b?c=%20"}]


class Home:
    """A home, seen from one environment after another; what desktops have as programs is played here."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "home"
        self._bin, self.marks = folder / "bin", folder / "marks"
        self.folder.mkdir()
        self._bin.mkdir()
        for name, does in (("xdg-user-dir", 'echo "$HOME/Desktop"'), ("gio", f'echo "$4 $6" >> {self.marks}')):
            (self._bin / name).write_text(f"#!/bin/sh\n{does}\n")
            (self._bin / name).chmod(0o700)

    @property
    def desktop(self) -> Path:
        return self.folder / "Desktop"

    def shown(self) -> set[str]:
        return {file.name.removesuffix(".desktop") for file in self.desktop.iterdir()}

    def lay_out(self, *programs: str, links: object = (), text: str = "") -> set[str]:
        environment = self._bin.parent / "-".join(("programs", *programs, text))
        environment.mkdir(exist_ok=True)
        for name in programs:
            (environment / f"{name}.desktop").write_text(f"[Desktop Entry]\nName={name}{text}\n")
        environ = {"PATH": f"{self._bin}:{os.environ['PATH']}", "HOME": str(self.folder)}
        command = [sys.executable, "-I", LAY_OUT, environment]
        subprocess.run(command, env={**environ, "DRYBENCH_LINKS": json.dumps(links)}, check=True)
        return self.shown()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_programs_folders_and_links_each_to_be_clicked_without_a_question(home: Home) -> None:
    assert home.lay_out("napari", "Help", links=LINKS) == {
        *("napari", "Help", "The lab's pages", "Downloads", "To my computer")
    }
    assert (home.desktop / "To my computer").resolve() == home.folder / "To my computer"
    link = (home.desktop / "The lab's pages.desktop").read_text()
    assert "Type=Link\n" in link
    assert "URL=https://lab.example/a\\\\b?c=%20\n" in link
    assert (home.desktop / "napari.desktop").stat().st_mode & 0o777 == 0o755
    files = {str(file): file.read_bytes() for file in home.desktop.glob("*.desktop")}
    marked = {f"{file} {sha256(content).hexdigest()}" for file, content in files.items()}
    wait_for(lambda: home.marks.exists() and set(home.marks.read_text().splitlines()) == marked)


def test_what_is_taken_away_stays_away(home: Home) -> None:
    home.lay_out("napari", "help")
    (home.desktop / "napari.desktop").unlink()
    (home.desktop / "Downloads").unlink()
    (home.desktop / "mine.txt").touch()
    assert home.lay_out("napari", "help") == {"help", "To my computer", "mine.txt"}
    assert home.lay_out("help") == {"help", "To my computer", "mine.txt"}
    assert home.lay_out("napari", "help") == {"help", "To my computer", "mine.txt"}
    assert (home.folder / "Downloads").is_dir()


def test_what_only_another_environment_has_is_there_when_that_is_open(home: Home) -> None:
    assert "napari" in home.lay_out("napari", links=LINKS)
    assert home.lay_out("help") == {"help", "Downloads", "To my computer"}
    assert home.lay_out("napari") == {"napari", "Downloads", "To my computer"}


def test_a_newer_one_takes_the_olders_place(home: Home) -> None:
    home.lay_out("napari")
    home.lay_out("napari", text="-2")
    assert "napari-2" in (home.desktop / "napari.desktop").read_text()


def test_whatever_lies_where_it_keeps_what_it_did(home: Home) -> None:
    kept = home.folder / ".local/share/drybench/desktop.json"
    kept.parent.mkdir(parents=True)
    for text in ("[1]", "{", '{"napari.desktop": 3}'):
        kept.write_text(text)
        assert "napari" in home.lay_out("napari")
