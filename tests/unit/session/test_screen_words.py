"""What a screen is made of, and how its endings are told, as far as no X server is needed."""

from __future__ import annotations

import json
import string
from pathlib import Path

import pytest

from drybench_session import apps
from drybench_session.desktop import commands, endings, opengl_name
from drybench_session.desktop.endings import Ending, how
from drybench_session.desktop.opengl import named


def installed(folder: Path, *names: str) -> dict[str, str]:
    for name in names:
        program = folder / name
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    return {"PATH": str(folder), "HOME": str(folder)}


@pytest.mark.parametrize(
    ("told", "names"),
    [
        ([{"name": "lab", "title": "JupyterLab", "command": None}], []),
        ([{"name": "desktop", "title": "Desktop", "command": None}], ["desktop"]),
        ([{"name": "terminal", "title": "Terminal"}, {"name": "desktop", "title": "Desktop"}], ["desktop"]),
        ([{"name": "napari", "title": "napari", "command": ["napari"]}], ["napari"]),
        ([{"name": "rstudio", "title": "RStudio", "command": []}], []),
        ([{"name": "../lab", "title": "x", "command": ["x"]}, {"name": "x", "title": "x", "command": "x"}, 4], []),
        ({"name": "desktop"}, []),
    ],
)
def test_which_apps_have_a_screen(told: object, names: list[str]) -> None:
    assert list(apps.on_screens({"DRYBENCH_APPS": json.dumps(told)})) == names


def test_what_cannot_be_read_is_no_app() -> None:
    assert apps.on_screens({"DRYBENCH_APPS": "[{"}) == {}


def test_without_a_bench_there_is_a_desktop_where_one_can_be_shown(tmp_path: Path) -> None:
    assert apps.on_screens({"PATH": str(tmp_path)}) == {}
    assert list(apps.on_screens(installed(tmp_path, "Xtigervnc"))) == ["desktop"]


def test_the_first_window_manager_that_is_there(tmp_path: Path) -> None:
    environ = installed(tmp_path, "openbox", "marco")
    assert commands.window_manager(environ) == (f"{tmp_path}/openbox",)
    assert commands.xfce(environ) == ()
    assert commands.terminal(environ) == ()


def test_the_graphics_card_is_asked_by_virtualgl_where_both_are_there(tmp_path: Path) -> None:
    bare, card = installed(tmp_path), tmp_path / "renderD128"
    assert commands.with_gpu(("napari",), bare, [str(card)]) == ("napari",)
    there = installed(tmp_path, "vglrun")
    assert commands.with_gpu(("napari",), there, [str(card)]) == ("napari",)
    card.touch()
    asked = (f"{tmp_path}/vglrun", "-d", "egl", "+wm", "napari")
    assert commands.with_gpu(("napari",), there, [str(card)]) == asked


def test_programs_get_the_sessions_variables_but_not_its_secrets(tmp_path: Path) -> None:
    secrets = {"DRYBENCH_GUEST": "s", "JUPYTERHUB_API_TOKEN": "s", "JPY_API_TOKEN": "s"}
    kept = {"HOME": str(tmp_path), "DRYBENCH_URL": "u", "DRYBENCH_TOKEN": "t", "DISPLAY": ":99", "LANG": "C.UTF-8"}
    folder = tmp_path / "screen"
    folder.mkdir()
    given = commands.environment({**kept, **secrets}, folder)
    assert not {*secrets, "DISPLAY"} & given.keys()
    assert (given["DRYBENCH_URL"], given["DRYBENCH_TOKEN"], given["HOME"]) == ("u", "t", str(tmp_path))
    assert Path(given["XDG_RUNTIME_DIR"]).stat().st_mode & 0o777 == 0o700
    assert "XDG_CONFIG_HOME" not in given


def test_with_no_room_in_the_home_settings_lie_elsewhere_over_those_in_the_home(tmp_path: Path) -> None:
    home, folder = tmp_path / "gone", tmp_path / "screen"
    folder.mkdir()
    given = commands.environment({"HOME": str(home)}, folder)
    for kind in ("CONFIG", "DATA", "CACHE"):
        assert Path(given[f"XDG_{kind}_HOME"]).parent == folder
    assert given["XDG_CONFIG_DIRS"] == f"{home}/.config:/etc/xdg"
    assert given["XDG_DATA_DIRS"].startswith(f"{home}/.local/share:")


@pytest.mark.parametrize("ending", Ending.__subclasses__())
def test_every_ending_is_a_sentence_with_one_button(ending: type[Ending]) -> None:
    fields = {field for _, field, _, _ in string.Formatter().parse(ending.__doc__ or "") if field}
    ended = ending(**dict.fromkeys({*fields, "title"}, "napari"))
    assert ended.sentence.endswith((".", "napari"))
    assert "{" not in ended.sentence
    assert ended.cause in ("logged-out", "display", "windows", "program")
    assert ended.next["action"] == "start"
    assert ended.next["title"][0].isupper()
    assert f"{ending.__name__} " in (endings.__doc__ or "")


@pytest.mark.parametrize(
    ("code", "said"),
    [(3, "exit code 3"), (-9, "killed by SIGKILL"), (-11, "killed by SIGSEGV"), (-99, "killed by signal 99")],
)
def test_how_a_program_ended(code: int, said: str) -> None:
    assert how(code) == said


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("OpenGL renderer string: llvmpipe (LLVM 15.0.6, 256 bits)\n", "software"),
        ("OpenGL renderer string: softpipe", "software"),
        (
            "OpenGL vendor string: NVIDIA\nOpenGL renderer string: NVIDIA RTX A4000/PCIe/SSE2\n",
            "NVIDIA RTX A4000/PCIe/SSE2",
        ),
        ("Error: unable to open display", "unknown"),
        ("", "unknown"),
        (opengl_name.said("libNothingOfThatName.so.1"), "missing"),
    ],
)
def test_who_draws_in_three_dimensions(said: str, name: str) -> None:
    assert named(said) == name
