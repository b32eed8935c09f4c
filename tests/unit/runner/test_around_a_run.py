"""Kernels are found as Jupyter finds them; neighbours are linked; a session's address is written whole."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from drybench_runner import kernelspecs, working_folder
from drybench_runner.kernel import _connection  # pyright: ignore[reportPrivateUsage]
from drybench_runner.kinds import kind
from drybench_runner.quick_imports import without
from drybench_runner.working_folder import link_neighbours

IPYKERNEL = ["python", "-m", "ipykernel_launcher", "-f", "{connection_file}"]


def add(place: Path, name: str, argv: list[str], **more: Any) -> Path:
    folder = place / "kernels" / name
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(json.dumps({"argv": argv, "language": "x", **more}))
    return folder


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Where the environment's kernels lie and where the person's do."""
    environment, own = tmp_path / "environment", tmp_path / "own"
    monkeypatch.setenv("JUPYTER_PATH", str(environment))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(own))
    return environment, own


def test_the_environments_kernel_comes_before_the_persons(places: tuple[Path, Path]) -> None:
    environment, own = places
    add(own, "python3", ["own"])
    add(own, "ir", ["R", "{connection_file}"])
    folder = add(environment, "python3", IPYKERNEL)
    assert kernelspecs.find("python3").folder == str(folder)
    assert kernelspecs.find("IR").argv == ("R", "{connection_file}")
    assert {"ir", "python3"} <= set(kernelspecs.names())


def test_a_broken_spec_is_as_if_it_were_not_there(places: tuple[Path, Path]) -> None:
    for name, text in {"a": "{", "b": "[]", "c": '{"argv": []}', "d": '{"argv": 5}'}.items():
        folder = places[0] / "kernels" / name
        folder.mkdir(parents=True)
        (folder / "kernel.json").write_text(text)
        with pytest.raises(kernelspecs.NoSuchKernel):
            kernelspecs.find(name)
    assert not {"a", "b", "c", "d"} & set(kernelspecs.names())


def test_a_command_is_filled_in(places: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLOUR", "blue")
    add(places[0], "k", [*IPYKERNEL, "{resource_dir}", "{unknown}"], env={"SKY": "${COLOUR}"})
    spec = kernelspecs.find("k")
    command = spec.command(Path("/x/kernel.json"))
    assert command[:5] == [sys.executable, "-m", "ipykernel_launcher", "-f", "/x/kernel.json"]
    assert command[5:] == [spec.folder, "{unknown}", "--HistoryManager.hist_file=:memory:"]
    assert spec.environ()["SKY"] == "blue"


@pytest.mark.parametrize(
    ("argv", "ipc"),
    [
        (IPYKERNEL, True),
        (["/opt/x/bin/python3", "-Xfrozen_modules=off", "-m", "ipykernel", "-f", "{connection_file}"], True),
        (["R", "--slave", "-e", "IRkernel::main()", "--args", "{connection_file}"], False),
        (["bash", "-c", "exec my-ipykernel"], False),
    ],
)
def test_socket_files_only_for_those_that_are_known_to_speak_so(argv: list[str], ipc: bool) -> None:
    assert kernelspecs.KernelSpec("k", tuple(argv)).speaks_ipc is ipc


def test_tcp_ports_are_five_different_ones() -> None:
    connection = _connection(Path("/unused"), ipc=False)
    assert len({connection[name] for name in connection if name.endswith("_port")}) == 5


def test_neighbours_never_take_the_place_of_what_is_there(tmp_path: Path) -> None:
    folder, output = tmp_path / "folder", tmp_path / "output"
    folder.mkdir()
    output.mkdir()
    for name in ("a.csv", "mine.txt", "n.ipynb", ".ipynb_checkpoints", ".env"):
        (folder / name).write_text("theirs")
    (output / "mine.txt").write_text("mine")
    (output / ".env").symlink_to("/nowhere")
    assert link_neighbours(folder, "n.ipynb", output) is None
    assert sorted(path.name for path in output.iterdir()) == [".env", "a.csv", "mine.txt"]
    assert (output / "mine.txt").read_text() == "mine"
    assert (output / "a.csv").readlink() == folder / "a.csv"


def test_too_many_neighbours_and_none_at_all_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working_folder, "MOST_NEIGHBOURS", 2)
    folder, output = tmp_path / "folder", tmp_path / "output"
    folder.mkdir()
    output.mkdir()
    for name in "abc":
        (folder / name).touch()
    assert "Only 2" in str(link_neighbours(folder, "", output))
    assert len(list(output.iterdir())) == 2
    assert "could not be linked" in str(link_neighbours(tmp_path / "gone", "", output))


def test_an_import_can_be_left_out_for_a_while() -> None:
    sys.modules.pop("this_is_slow", None)
    with without("this_is_slow", "json"):
        assert sys.modules["json"] is json
        with pytest.raises(ImportError):
            __import__("this_is_slow")
    assert "this_is_slow" not in sys.modules


def test_an_unknown_kind_of_run_is_refused() -> None:
    with pytest.raises(ValueError, match="no kind of run named 'os'"):
        kind("os")
